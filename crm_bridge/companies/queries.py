"""Reads for the pages: who is logged in, the company's people, its numbers and the versions of their texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.scope import company_of
from data.tables import Company, Conversation, DialogVersion, Number, User, WebSession


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a session. Company and role come from here, never from a request."""

    session_id: int
    user_id: int
    company_id: int
    company: str
    timezone: str
    name: str
    email: str
    role: str
    second_factor: bool
    seen_at: datetime
    data: dict[str, Any]
    writer: bool = False
    """Whether their company's texts may go to the writing assistant."""
    token: str = ""


def viewer(session: Session, token_hash: str, now: datetime) -> Viewer | None:
    """Who holds the session, while it is neither ended nor expired nor its user switched off. One row by a unique index; runs
    unscoped, as it is what tells the company."""
    row = session.execute(
        select(WebSession, User, Company.name, Company.timezone, Company.writer)
        .join(User, User.id == WebSession.user_id)
        .join(Company, Company.id == WebSession.company_id)
        .where(WebSession.token_hash == token_hash, WebSession.revoked_at.is_(None), WebSession.expires_at > now, User.active)
    ).one_or_none()
    if row is None:
        return None
    held, user, company, timezone, writer = row
    return Viewer(
        session_id=held.id,
        user_id=user.id,
        company_id=held.company_id,
        company=company,
        timezone=timezone,
        name=user.name,
        email=user.email,
        role=user.role,
        second_factor=user.totp_secret is not None,
        seen_at=held.seen_at,
        data=held.data,
        writer=writer,
    )


def company(session: Session) -> Company:
    """The one that the session is of."""
    return session.scalars(select(Company).where(Company.id == company_of(session))).one()


def account(session: Session, user_id: int) -> User | None:
    return session.scalar(select(User).where(User.id == user_id))


def users(session: Session) -> list[User]:
    """Everybody of the company, those who may log in first."""
    return list(session.scalars(select(User).order_by(User.active.desc(), User.name, User.id)))


def open_sessions(session: Session, user_id: int, now: datetime) -> list[WebSession]:
    return list(
        session.scalars(
            select(WebSession)
            .where(WebSession.user_id == user_id, WebSession.revoked_at.is_(None), WebSession.expires_at > now)
            .order_by(WebSession.seen_at.desc())
        )
    )


@dataclass(frozen=True, slots=True)
class NumberLine:
    number: Number
    conversations: int
    unread: int
    version: int
    """Of its edited texts; 0: as shipped."""


def number_lines(session: Session) -> list[NumberLine]:
    """The company's numbers with what goes on at each. Three grouped reads: counts every conversation of the company once."""
    counts = {
        number: (talks, unread or 0)
        for number, talks, unread in session.execute(
            select(Conversation.number_id, func.count(), func.sum(Conversation.unread)).group_by(Conversation.number_id)
        )
    }
    newest = select(DialogVersion.number_id, func.max(DialogVersion.version)).group_by(DialogVersion.number_id)
    versions = dict(session.execute(newest).all())
    return [
        NumberLine(number, *counts.get(number.id, (0, 0)), version=versions.get(number.id, 0))
        for number in session.scalars(select(Number).order_by(Number.id))
    ]


def numbers(session: Session) -> list[Number]:
    return list(session.scalars(select(Number).order_by(Number.id)))


def number(session: Session, number_id: int) -> Number | None:
    return session.scalar(select(Number).where(Number.id == number_id))


@dataclass(frozen=True, slots=True)
class VersionLine:
    row: DialogVersion
    author: str | None


def versions(session: Session, number_id: int) -> list[VersionLine]:
    """All versions of a number's texts with who wrote them, newest first."""
    found = session.execute(
        select(DialogVersion, User.name)
        .outerjoin(User, User.id == DialogVersion.author_id)
        .where(DialogVersion.number_id == number_id)
        .order_by(DialogVersion.version.desc())
    )
    return [VersionLine(row, author) for row, author in found]

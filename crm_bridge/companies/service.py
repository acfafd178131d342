"""Changes to users, log-ins, and how a number talks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm_bridge.assignment import sellers
from crm_bridge.assignment import service as assignment
from crm_bridge.companies import hours as opening
from crm_bridge.companies import rules
from data.scope import company_of
from data.tables import DialogVersion, Number, User, WebSession

_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")
"""Meta's rule for a template's name."""


# ------------------------------------------------------------------------------------------------------ users
def add_user(session: Session, *, name: str, email: str, role: str, password_hash: str, now: datetime) -> User:
    """Add somebody to the session's company; a seller is of its first team at once, and what waits is looked at anew. Refusal:
    NameMissing, NotAnEmail, WrongRole, EmailTaken."""
    if not name.strip():
        raise rules.NameMissing
    if role not in rules.ROLES:
        raise rules.WrongRole
    try:
        address = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise rules.NotAnEmail from None
    user = User(
        company_id=company_of(session),
        name=name.strip()[:100],
        email=address,
        role=role,
        password_hash=password_hash,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise rules.EmailTaken from None
    if role == "seller":
        sellers.begin(session, user.company_id, user.id, now)
        sellers.wake(session, user.company_id, now)
    return user


def change_user(session: Session, user_id: int, *, by: int, role: str, active: bool, now: datetime) -> User:
    """Set somebody's role and whether they may log in; switched off, all their sessions end, and what they were answering goes to
    somebody else; switched on, what waits is looked at anew. Who becomes a seller is of the first team, unless they are of one.
    LookupError when there is none."""
    user = _user(session, user_id)
    if role not in rules.ROLES:
        raise rules.WrongRole
    if user_id == by and (role != user.role or not active):
        raise rules.OwnAccount
    if not active:
        assignment.remove_seller(session, user_id, now)  # it holds conversations, and so comes before any other row is held
        end_sessions(session, user_id, now)
    begins = role == "seller" and user.role != "seller"
    user.role, user.active = role, active
    session.flush()
    if begins:
        sellers.begin(session, user.company_id, user_id, now)
    if active:
        sellers.wake(session, user.company_id, now)
    return user


def set_password(session: Session, user_id: int, password_hash: str, now: datetime, keep: int | None = None) -> None:
    """A new password ends every other session: `keep` is the one that stays."""
    user = _user(session, user_id)
    user.password_hash, user.failed_logins, user.locked_until = password_hash, 0, None
    end_sessions(session, user_id, now, keep=keep)


def set_second_factor(session: Session, user_id: int, secret: str | None, step: int = 0) -> None:
    """Switch the second factor on (`step` is that of the code which confirmed it) or, with None, off."""
    user = _user(session, user_id)
    user.totp_secret, user.totp_last_step = secret, step


def reset_user(session: Session, user_id: int, *, by: int, password_hash: str, now: datetime) -> str:
    """Somebody lost their password or phone: a new password, no second factor. Returns their address. OwnAccount: one's own is
    changed with the old password."""
    if user_id == by:
        raise rules.OwnAccount
    set_password(session, user_id, password_hash, now)
    set_second_factor(session, user_id, None)
    return _user(session, user_id).email


def _user(session: Session, user_id: int) -> User:
    user = session.scalar(select(User).where(User.id == user_id))
    if user is None:
        raise LookupError(user_id)
    return user


# ---------------------------------------------------------------------------------------------------- log-ins
@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries to log in: what their password is to be checked against."""

    user_id: int
    company_id: int
    password_hash: str
    second_factor: bool


def begin_log_in(session: Session, email: str, now: datetime) -> Attempt | None:
    """Count an attempt before it is checked, so that attempts in parallel count too. None: no such account, switched off or
    locked. Runs in an unscoped session, as the company is not known yet."""
    user = session.scalar(select(User).where(User.email == email.strip().lower(), User.active))
    if user is None or not _counted(user, now):
        return None
    return Attempt(user.id, user.company_id, user.password_hash, user.totp_secret is not None)


def log_in(
    session: Session, user_id: int, token_hash: str, agent: str, now: datetime, code: str | None = None
) -> WebSession | None:
    """Open a session for somebody whose password fits. With a second factor `code` has to fit as well, once: None if it does
    not, if the account is locked, or if it was switched off in the meantime."""
    user = session.scalar(select(User).where(User.id == user_id, User.active))
    if user is None:
        return None
    if user.totp_secret is not None:
        if code is None or not _counted(user, now):
            return None
        step = rules.code_step(user.totp_secret, code, now, user.totp_last_step)
        if step is None:
            return None
        user.totp_last_step = step
    user.failed_logins, user.locked_until = 0, None
    row = WebSession(
        company_id=user.company_id,
        user_id=user.id,
        token_hash=token_hash,
        data={},
        created_at=now,
        seen_at=now,
        expires_at=now + rules.SESSION_LIFE,
        agent=agent[:200],
    )
    session.add(row)
    session.flush()
    return row


def forgive(session: Session, user_id: int) -> None:
    """The password given did fit: forget the failed attempts."""
    user = _user(session, user_id)
    user.failed_logins, user.locked_until = 0, None


def _counted(user: User, now: datetime) -> bool:
    """Whether the account may be tried now; counts the attempt."""
    if user.locked_until is not None:
        if user.locked_until > now:
            return False
        user.failed_logins, user.locked_until = 0, None
    user.failed_logins += 1
    if user.failed_logins >= rules.MAX_FAILURES:
        user.locked_until = now + rules.LOCK
    return True


def keep_session(session: Session, token_hash: str, data: Mapping[str, Any], now: datetime) -> None:
    """The session was used: it lives on, with this data."""
    session.execute(
        update(WebSession)
        .where(WebSession.token_hash == token_hash, WebSession.revoked_at.is_(None))
        .values(data=dict(data), seen_at=now, expires_at=now + rules.SESSION_LIFE)
    )


def end_sessions(session: Session, user_id: int, now: datetime, only: int | None = None, keep: int | None = None) -> int:
    """End somebody's sessions: all, `only` one, or all but `keep`. Returns how many ended."""
    ended = update(WebSession).where(WebSession.user_id == user_id, WebSession.revoked_at.is_(None)).values(revoked_at=now)
    if only is not None:
        ended = ended.where(WebSession.id == only)
    if keep is not None:
        ended = ended.where(WebSession.id != keep)
    return int(session.execute(ended.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------------- numbers
def forget_sessions(session: Session, now: datetime) -> None:
    """Delete log-ins, of all companies, that ended a month ago."""
    session.execute(delete(WebSession).where(WebSession.expires_at < now - timedelta(days=30)))


def change_number(
    session: Session,
    number_id: int,
    *,
    bot_name: str,
    tone: str,
    hours: Mapping[str, list[str]],
    alert_template: str,
    now: datetime,
) -> None:
    """Set how a number introduces itself, when it is open (then work those who have no shift of their own, and what waits is
    looked at anew), and the template of its alerts ("": none). NameMissing, WrongHours, NotATemplate; LookupError when there is
    none."""
    if not bot_name.strip():
        raise rules.NameMissing
    if opening.problems(hours):
        raise rules.WrongHours
    if alert_template and not _TEMPLATE.fullmatch(alert_template):
        raise rules.NotATemplate
    number = session.scalar(select(Number).where(Number.id == number_id))
    if number is None:
        raise LookupError(number_id)
    number.bot_name, number.tone, number.hours = bot_name.strip()[:50], "usted" if tone == "usted" else "tu", dict(hours)
    number.alert_template = alert_template or None
    session.flush()
    sellers.wake(session, number.company_id, now)


def save_dialog(
    session: Session,
    number_id: int,
    *,
    dialog: str,
    overrides: Mapping[str, Any],
    note: str,
    author: int,
    base: int,
    now: datetime,
) -> DialogVersion:
    """Add a version of a number's texts. `base` is the version that was edited: StaleVersion when it is not the newest."""
    newest = session.scalar(select(func.max(DialogVersion.version)).where(DialogVersion.number_id == number_id)) or 0
    if newest != base:
        raise rules.StaleVersion
    row = DialogVersion(
        company_id=company_of(session),
        number_id=number_id,
        dialog=dialog,
        version=newest + 1,
        overrides=dict(overrides),
        note=note.strip()[:200],
        author_id=author,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row

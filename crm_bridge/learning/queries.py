"""What waits to be labelled, what was labelled, and the lessons made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.tables import Lesson, Phrase, User

SHOWN = 30
"""Phrases on one page."""


@dataclass(frozen=True, slots=True)
class LabelLine:
    phrase: Phrase
    by: str | None


@dataclass(frozen=True, slots=True)
class LessonLine:
    lesson: Lesson
    author: str | None


def waiting(session: Session) -> list[Phrase]:
    """The first SHOWN that nobody has decided about, the most frequent first."""
    rows = select(Phrase).where(Phrase.state == "new").order_by(Phrase.times.desc(), Phrase.last_at.desc(), Phrase.id)
    return list(session.scalars(rows.limit(SHOWN)))


def count_waiting(session: Session) -> int:
    return session.scalar(select(func.count(Phrase.id)).where(Phrase.state == "new")) or 0


def labelled(session: Session) -> list[Phrase]:
    """All that have a label, in the order they came."""
    return list(session.scalars(select(Phrase).where(Phrase.state == "labelled").order_by(Phrase.id)))


def label_lines(session: Session) -> list[LabelLine]:
    """All that have a label with who gave it, the newest first."""
    rows = select(Phrase, User.name).outerjoin(User, User.id == Phrase.decided_by).where(Phrase.state == "labelled")
    return [LabelLine(row, name) for row, name in session.execute(rows.order_by(Phrase.decided_at.desc(), Phrase.id))]


def phrase(session: Session, phrase_id: int) -> Phrase | None:
    return session.scalar(select(Phrase).where(Phrase.id == phrase_id))


def newest(session: Session) -> Lesson | None:
    return session.scalar(select(Lesson).order_by(Lesson.id.desc()).limit(1))


def in_use(session: Session) -> Lesson | None:
    """The newest version; None while what all share is used."""
    return session.scalar(select(Lesson).where(Lesson.version.is_not(None)).order_by(Lesson.version.desc()).limit(1))


def versions(session: Session) -> list[LessonLine]:
    """What was published with who did it, newest first."""
    rows = select(Lesson, User.name).outerjoin(User, User.id == Lesson.author_id).where(Lesson.version.is_not(None))
    return [LessonLine(row, name) for row, name in session.execute(rows.order_by(Lesson.version.desc()))]


def published(session: Session) -> dict[int, list[Any]]:
    """{company: [[text, label]]} of the version in use, of every company that has one: for the whole installation."""
    last = (
        select(Lesson.company_id, func.max(Lesson.version).label("version"))
        .where(Lesson.version.is_not(None))
        .group_by(Lesson.company_id)
        .subquery()
    )
    rows = session.execute(
        select(Lesson.company_id, Lesson.lines).join(
            last, (last.c.company_id == Lesson.company_id) & (last.c.version == Lesson.version)
        )
    )
    return {company: lines for company, lines in rows if lines}

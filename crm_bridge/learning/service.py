"""Changes to what a company teaches: a phrase gets its label, lessons are tried, published and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from crm_bridge.learning import rules
from crm_bridge.learning.queries import in_use, labelled, newest
from data.scope import alone, company_of
from data.tables import Lesson, Phrase


# ---------------------------------------------------------------------------------------------------- phrases
def decide(session: Session, phrase_id: int, label: str | None, by: int, now: datetime) -> Phrase:
    """Say what a phrase means; None: nothing that matters. LookupError when there is no such phrase."""
    row = _phrase(session, phrase_id)
    row.state, row.label = ("ignored" if label is None else "labelled"), label
    row.decided_by, row.decided_at = by, now
    return row


def undo(session: Session, phrase_id: int) -> Phrase | None:
    """Forget what was decided; what nobody wrote to us, altogether (None). LookupError when there is no such phrase."""
    row = _phrase(session, phrase_id)
    if not row.times:
        session.delete(row)
        return None
    row.state, row.label, row.decided_by, row.decided_at = "new", None, None, None
    return row


def add(session: Session, phrases: Mapping[str, str], label: str, by: int, now: datetime) -> int:
    """Label texts {plain: text} that need not have come; returns how many are new under this label. NothingToTeach,
    TooManyPhrases, PhraseTooLong, MeansSomethingElse: then none is added."""
    if not phrases:
        raise rules.NothingToTeach
    if len(phrases) > rules.AT_ONCE:
        raise rules.TooManyPhrases
    if any(len(text) > rules.LONGEST for text in phrases.values()):
        raise rules.PhraseTooLong
    alone(session)
    there = {row.plain: row for row in session.scalars(select(Phrase).where(Phrase.plain.in_(phrases)))}
    for row in there.values():
        if row.label not in (None, label):
            raise rules.MeansSomethingElse(row.text, row.label)
    new = 0
    for plain, text in phrases.items():
        row = there.get(plain) or Phrase(
            company_id=company_of(session), plain=plain, text=text, guesses=[], first_at=now, last_at=now
        )
        session.add(row)
        new += row.label is None
        row.state, row.label, row.decided_by, row.decided_at = "labelled", label, by, now
    session.flush()
    return new


def _phrase(session: Session, phrase_id: int) -> Phrase:
    row = session.scalar(select(Phrase).where(Phrase.id == phrase_id).with_for_update())
    if row is None:
        raise LookupError(phrase_id)
    return row


# ---------------------------------------------------------------------------------------------------- lessons
def begin(session: Session, by: int, now: datetime) -> Lesson:
    """A trial of the labelled phrases as they stand now; the one before is forgotten. AlreadyTrying."""
    alone(session)
    last = newest(session)
    if last is not None and last.state == "trying" and now - last.created_at < rules.PATIENCE:
        raise rules.AlreadyTrying
    session.execute(delete(Lesson).where(Lesson.version.is_(None)))
    lines = [[row.text, row.label] for row in labelled(session)]
    row = Lesson(
        company_id=company_of(session), state="trying", lines=lines, effect=None, problems=[], author_id=by, created_at=now
    )
    session.add(row)
    session.flush()
    return row


def note(session: Session, lesson_id: int, **told: Any) -> None:
    """What came of a trial: `done`, `state`, `effect`, `problems`."""
    row = session.scalar(select(Lesson).where(Lesson.id == lesson_id))
    if row is not None and row.state == "trying":
        for name, value in told.items():
            setattr(row, name, value)


def publish(session: Session, lesson_id: int, by: int, now: datetime) -> Lesson:
    """Use what was tried. NotTried when it is not the newest, or did not come to its end; InUseAlready
    when somebody was faster."""
    alone(session)
    row = newest(session)
    if row is not None and row.id == lesson_id and row.state == "published":
        raise rules.InUseAlready
    if row is None or row.id != lesson_id or row.state != "tried":
        raise rules.NotTried
    row.version, row.state, row.author_id, row.published_at = _next_version(session), "published", by, now
    session.flush()
    return row


def take_back(session: Session, version: int, by: int, now: datetime) -> Lesson:
    """Use an earlier version again (0: what all share), as a new one, so that this can be taken back too. LookupError when there
    is no such version, InUseAlready."""
    alone(session)
    old = session.scalar(select(Lesson).where(Lesson.version == version)) if version else None
    if version and old is None:
        raise LookupError(version)
    current = in_use(session)
    lines: Sequence[Any] = old.lines if old is not None else []
    if (current.lines if current is not None else []) == lines:
        raise rules.InUseAlready
    row = Lesson(
        company_id=company_of(session),
        version=_next_version(session),
        state="published",
        done=100,
        lines=list(lines),
        effect=old.effect if old is not None else None,
        problems=[],
        like_version=version,
        author_id=by,
        created_at=now,
        published_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _next_version(session: Session) -> int:
    return (session.scalar(select(func.max(Lesson.version))) or 0) + 1

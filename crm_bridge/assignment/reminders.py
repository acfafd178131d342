"""What sellers are reminded of: what they asked for, and what a rule finds. Each fires once, whoever looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger
from crm_bridge.companies.rules import Refusal
from data.scope import company_of
from data.tables import Assignment, Conversation, Number, Reminder, User

LONGEST = 300
"""Characters of a reminder."""
FURTHEST = timedelta(days=366)
WINDOW, BEFORE = timedelta(hours=24), timedelta(hours=2)
"""WhatsApp's window for free text, and how long before its end a seller is reminded who owes an answer."""
SNOOZE, CLOSING = "snooze:", "window:"
"""How the rule of a reminder begins: of what a seller put off, and of a window that is about to close."""


class TimePassed(Refusal):
    """A reminder for a moment that is over."""


class TooFar(Refusal):
    """A reminder more than a year ahead."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is about to close over somebody's open conversation."""

    conversation_id: int
    user_id: int
    rule: str


def add(session: Session, *, user_id: int, conversation_id: int | None, words: str, at: datetime, now: datetime) -> Reminder:
    """Remind `user_id` at `at`. TimePassed, TooFar."""
    if at <= now:
        raise TimePassed
    if at > now + FURTHEST:
        raise TooFar
    row = Reminder(
        company_id=company_of(session),
        user_id=user_id,
        conversation_id=conversation_id,
        words=words.strip()[:LONGEST],
        state="waiting",
        due_at=at,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def cancel(session: Session, reminder_id: int, user_id: int) -> bool:
    """Forget a reminder of theirs; False when there is none that waits."""
    row = session.scalar(
        select(Reminder)
        .where(Reminder.id == reminder_id, Reminder.user_id == user_id, Reminder.state == "waiting")
        .with_for_update()
    )
    if row is None:
        return False
    row.state = "cancelled"
    session.flush()
    return True


def waiting(session: Session, user_id: int) -> list[Reminder]:
    """What they will be reminded of, the next first."""
    return list(
        session.scalars(
            select(Reminder)
            .where(Reminder.user_id == user_id, Reminder.state == "waiting", _stands())
            .order_by(Reminder.due_at, Reminder.id)
            .limit(50)
        )
    )


def due(session: Session, now: datetime, limit: int = 50) -> list[tuple[int, int]]:
    """(company, reminder), longest due first."""
    found = session.execute(
        select(Reminder.company_id, Reminder.id)
        .where(Reminder.state == "waiting", Reminder.due_at <= now)
        .order_by(Reminder.due_at, Reminder.id)
        .limit(limit)
    )
    return [(company, row) for company, row in found]


def fire(session: Session, reminder_id: int, now: datetime) -> Reminder | None:
    """Mark it as fired, for the caller to tell in the same transaction; None when it was fired or cancelled meanwhile, or what it
    is about is put off no more: the person wrote, or somebody else has it."""
    row = session.scalar(
        select(Reminder)
        .where(Reminder.id == reminder_id, Reminder.state == "waiting", Reminder.due_at <= now)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    if session.scalar(select(Reminder.id).where(Reminder.id == reminder_id, _stands())) is None:
        row.state = "cancelled"
        session.flush()
        return None
    row.state, row.fired_at = "fired", now
    session.flush()
    return row


def _stands() -> ColumnElement[bool]:
    """Any reminder; that of a snooze while the conversation is put off by them."""
    put_off = exists().where(
        Conversation.id == Reminder.conversation_id,
        Conversation.snoozed_until.is_not(None),
        or_(Conversation.owner_id.is_(None), Conversation.owner_id == Reminder.user_id),
    )
    return or_(Reminder.rule.is_(None), Reminder.rule.not_like(f"{SNOOZE}%"), put_off)


def closing_windows(session: Session, now: datetime, limit: int = 200) -> list[tuple[int, Window]]:
    """Accepted conversations on WhatsApp whose prospect wrote last, and whose window ends within BEFORE, and of which
    nobody was reminded yet: with their company, the first to close first."""
    found = session.execute(
        ledger.among_open(select(Conversation.company_id, Conversation.id, Assignment.user_id, Conversation.last_in_at))
        .join(Assignment, Assignment.conversation_id == Conversation.id)
        .join(Number, Number.id == Conversation.number_id)
        .join(User, User.id == Assignment.user_id)
        .where(
            Assignment.state == "accepted",
            User.active,
            Number.channel == "whatsapp",
            Conversation.unread > 0,
            Conversation.last_in_at > now - WINDOW,
            Conversation.last_in_at <= now - (WINDOW - BEFORE),
        )
        .order_by(Conversation.last_in_at)
    )
    windows = [
        (company, Window(talk, user, f"{CLOSING}{talk}:{int(last.timestamp())}"))
        for company, talk, user, last in found
        if user is not None and last is not None
    ]
    known = set(session.scalars(select(Reminder.rule).where(Reminder.rule.in_([window.rule for _, window in windows]))))
    return [each for each in windows if each[1].rule not in known][:limit]


def by_rule(session: Session, window: Window, now: datetime, words: str = "") -> bool:
    """Make the rule's reminder, due now; False when the same was made before."""
    row = Reminder(
        company_id=company_of(session),
        user_id=window.user_id,
        conversation_id=window.conversation_id,
        words=words,
        rule=window.rule,
        state="waiting",
        due_at=now,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True

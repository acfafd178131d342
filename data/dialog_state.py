"""What a turn reads and writes of a conversation. Statements are built once; each serves a whole batch of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import RowMapping, Table, bindparam, exists, select, text, update
from sqlalchemy.orm import Session

from data.inbox import CONVERSATIONS, MESSAGES, Row
from data.tables import Lead, Person

PEOPLE = cast(Table, Person.__table__)
LEADS = cast(Table, Lead.__table__)

_LOAD = (
    select(
        CONVERSATIONS,
        PEOPLE.c.name,
        PEOPLE.c.profile_name,
        PEOPLE.c.email,
        PEOPLE.c.phone,
        PEOPLE.c.organisation,
        PEOPLE.c.language,
        exists(select(1).where(LEADS.c.person_id == PEOPLE.c.id)).label("has_lead"),
    )
    .join(PEOPLE, PEOPLE.c.id == CONVERSATIONS.c.person_id)
    .where(CONVERSATIONS.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update(of=CONVERSATIONS)
)
_NEW = (
    select(MESSAGES.c.id, MESSAGES.c.conversation_id, MESSAGES.c.payload, MESSAGES.c.received_at, MESSAGES.c.tries)
    .where(MESSAGES.c.conversation_id.in_(bindparam("ids", expanding=True)), text("state = 'new'"))
    .order_by(MESSAGES.c.id)
)
_DUE = (
    select(CONVERSATIONS.c.id)
    .where(CONVERSATIONS.c.due_at.is_not(None), CONVERSATIONS.c.due_at <= bindparam("now"))
    .order_by(CONVERSATIONS.c.due_at)
    .limit(500)
)
_FIELDS = (
    "owner",
    "state",
    "status",
    "score",
    "priority",
    "reasons",
    "preview",
    "unread",
    "last_in_at",
    "due_at",
    "recipient",
    "referral",
)
_SAVE = (
    update(CONVERSATIONS)
    .where(CONVERSATIONS.c.id == bindparam("talk"))
    .values({field: bindparam(f"new_{field}") for field in _FIELDS})
)
_DONE = update(MESSAGES).where(MESSAGES.c.id == bindparam("message")).values(state="done")
_TROUBLE = (
    update(MESSAGES)
    .where(MESSAGES.c.id == bindparam("message"))
    .values(state=bindparam("new_state"), tries=bindparam("count"), error=bindparam("problem"))
)


def load(session: Session, ids: Sequence[int]) -> dict[int, RowMapping]:
    """The conversations with their person, by id; nobody else changes them (a seller taking over) before this turn is written."""
    return {row["id"]: row for row in session.execute(_LOAD, {"ids": ids}).mappings()}


def new_messages(session: Session, ids: Sequence[int]) -> dict[int, list[RowMapping]]:
    """The unanswered messages of these conversations, in the order they came."""
    found: dict[int, list[RowMapping]] = {}
    for row in session.execute(_NEW, {"ids": ids}).mappings():
        found.setdefault(row["conversation_id"], []).append(row)
    return found


def due(session: Session, now: datetime) -> list[int]:
    """Conversations whose silence is to be answered, longest due first; at most 500."""
    return list(session.scalars(_DUE, {"now": now}))


def save(session: Session, rows: Sequence[Row]) -> None:
    """Write conversations back; each row has `id` and every field a turn may change."""
    if rows:
        session.execute(_SAVE, [{"talk": row["id"], **{f"new_{field}": row[field] for field in _FIELDS}} for row in rows])


def done(session: Session, messages: Sequence[int]) -> None:
    if messages:
        session.execute(_DONE, [{"message": message} for message in messages])


def trouble(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of {message, new_state, count, problem}: to be tried again (new) or parked."""
    if rows:
        session.execute(_TROUBLE, rows)

"""What a turn reads and writes of a conversation. Statements are built once; each serves a whole batch of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, literal_column, select, text, update
from sqlalchemy.orm import Session

from data.inbox import CONVERSATIONS, MESSAGES
from data.prepared import Prepared, Row, among
from data.tables import Lead, Person

MOST_NEW = 1_000
"""Messages that `new_messages` returns at most."""

PEOPLE = cast(Table, Person.__table__)
LEADS = cast(Table, Lead.__table__)

_A_LEAD = select(LEADS.c.id).where(LEADS.c.person_id == PEOPLE.c.id).limit(1).correlate(PEOPLE).scalar_subquery()
"""Not EXISTS: PostgreSQL would make a hash of everybody who has a lead, anew for each batch."""
_LOAD = Prepared(
    select(
        CONVERSATIONS,
        PEOPLE.c.name,
        PEOPLE.c.profile_name,
        PEOPLE.c.email,
        PEOPLE.c.phone,
        PEOPLE.c.organisation,
        PEOPLE.c.language,
        PEOPLE.c.user_id,
        _A_LEAD.is_not(None).label("has_lead"),
    )
    .join(PEOPLE, PEOPLE.c.id == CONVERSATIONS.c.person_id)
    .where(among(CONVERSATIONS.c.id, "ids"))
    .with_for_update(of=CONVERSATIONS, key_share=True, skip_locked=True)
)
_NEXT = (
    select(
        MESSAGES.c.id,
        func.row_number().over(partition_by=MESSAGES.c.conversation_id, order_by=MESSAGES.c.id).label("nth"),
    )
    .where(among(MESSAGES.c.conversation_id, "ids"), text("state = 'new'"))
    .with_hint(MESSAGES, "INDEXED BY ix_inbox_messages_waiting", "sqlite")
    .order_by("nth", MESSAGES.c.id)
    .limit(MOST_NEW)
    .subquery()
)
_NEW = Prepared(
    select(MESSAGES.c.id, MESSAGES.c.conversation_id, MESSAGES.c.payload, MESSAGES.c.received_at, MESSAGES.c.tries)
    .join(_NEXT, _NEXT.c.id == MESSAGES.c.id)
    .order_by(MESSAGES.c.id)
)
_UNANSWERED = Prepared(
    select(MESSAGES.c.id, MESSAGES.c.conversation_id, MESSAGES.c.payload, MESSAGES.c.tries)
    .join(_NEXT, _NEXT.c.id == MESSAGES.c.id)
    .join(CONVERSATIONS, CONVERSATIONS.c.id == MESSAGES.c.conversation_id)
    .join(PEOPLE, PEOPLE.c.id == CONVERSATIONS.c.person_id)
    .where(CONVERSATIONS.c.owner != "human", PEOPLE.c.user_id.is_(None))
    .order_by(MESSAGES.c.id)
)
_DUE = Prepared(
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
    "snoozed_until",
)
_SAVE = Prepared(
    update(CONVERSATIONS)
    .where(CONVERSATIONS.c.id == bindparam("talk"))
    .values({field: bindparam(f"new_{field}") for field in _FIELDS})
)
_DONE = Prepared(update(MESSAGES).where(MESSAGES.c.id == bindparam("message")).values(state=literal_column("'done'")))
_TROUBLE = Prepared(
    update(MESSAGES)
    .where(MESSAGES.c.id == bindparam("message"))
    .values(state=bindparam("new_state"), tries=bindparam("count"), error=bindparam("problem"))
)


def load(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The conversations with their person, by id; nobody else changes them (a seller taking over) before this turn is written.
    One that somebody else is changing is left out."""
    return {row["id"]: row for row in _LOAD.dicts(session, {"ids": ids})}


def new_messages(session: Session, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The unanswered messages of these conversations, in the order they came; at most MOST_NEW in all, and the first ones of
    each: a flood of one takes nobody's place."""
    return _by_conversation(_NEW.dicts(session, {"ids": ids}))


def unanswered(session: Session, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Those of `new_messages` that the bot answers as a prospect's. It claims nothing."""
    return _by_conversation(_UNANSWERED.dicts(session, {"ids": ids}))


def _by_conversation(rows: Sequence[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["conversation_id"], []).append(row)
    return found


def due(session: Session, now: datetime) -> list[int]:
    """Conversations whose silence is to be answered, longest due first; at most 500."""
    return [talk for (talk,) in _DUE.tuples(session, {"now": now})]


def save(session: Session, rows: Sequence[Row]) -> None:
    """Write conversations back; each row has `id` and every field a turn may change."""
    _SAVE.many(session, [{"talk": row["id"], **{f"new_{field}": row[field] for field in _FIELDS}} for row in rows], by="talk")


def done(session: Session, messages: Sequence[int]) -> None:
    _DONE.many(session, [{"message": message} for message in messages], by="message")


def trouble(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of {message, new_state, count, problem}: to be tried again (new) or parked."""
    _TROUBLE.many(session, rows, by="message")

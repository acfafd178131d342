"""The inbox: webhook bodies and the messages in them. Statements are built once; each serves a whole batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Insert, Table, bindparam, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from data.tables import Conversation, DeliveryStatus, InboxMessage, MediaFile, OutboxMessage, WebhookBody

Row = Mapping[str, Any]

BODIES = cast(Table, WebhookBody.__table__)
CONVERSATIONS = cast(Table, Conversation.__table__)
MESSAGES = cast(Table, InboxMessage.__table__)
STATUSES = cast(Table, DeliveryStatus.__table__)
MEDIA = cast(Table, MediaFile.__table__)
OUTBOX = cast(Table, OutboxMessage.__table__)


def _insert_new(table: Table) -> Mapping[str, Insert]:
    """An insert that passes over rows that are there already, by dialect."""
    return {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing(),
    }


_ADD_BODIES = insert(BODIES)
_ADD_MESSAGES = _insert_new(MESSAGES)
_ADD_CONVERSATIONS = _insert_new(CONVERSATIONS)
_ADD_STATUSES = _insert_new(STATUSES)
_ADD_MEDIA = insert(MEDIA)
_KNOWN_MESSAGES = select(MESSAGES.c.channel, MESSAGES.c.external_id).where(
    MESSAGES.c.external_id.in_(bindparam("external_ids", expanding=True))
)
_TALKS = select(CONVERSATIONS.c.id, CONVERSATIONS.c.number_id, CONVERSATIONS.c.person_id, CONVERSATIONS.c.owner).where(
    CONVERSATIONS.c.person_id.in_(bindparam("people", expanding=True))
)
_WAITING = (
    select(MESSAGES.c.conversation_id, func.min(MESSAGES.c.id), func.max(MESSAGES.c.received_at))
    .where(text("state = 'new'"))
    .group_by(MESSAGES.c.conversation_id)
    .order_by(func.min(MESSAGES.c.id))
)
_KNOWN_FAILURES = select(STATUSES.c.channel, STATUSES.c.external_id).where(
    STATUSES.c.status == "failed", STATUSES.c.external_id.in_(bindparam("external_ids", expanding=True))
)
_MERGE_STATUS = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox"), OUTBOX.c.rank < bindparam("new_rank"))
    .values(
        rank=bindparam("new_rank"),
        state=bindparam("new_state"),
        external_id=func.coalesce(OUTBOX.c.external_id, bindparam("message")),
        error_code=bindparam("code"),
        error=bindparam("detail"),
    )
)
_OWN_MESSAGES = select(OUTBOX.c.external_id, OUTBOX.c.id).where(
    OUTBOX.c.external_id.in_(bindparam("external_ids", expanding=True))
)

RANK = {
    "queued": 0,
    "uncertain": 10,
    "parked": 20,
    "cancelled": 20,
    "sent": 30,
    "failed": 40,
    "delivered": 50,
    "read": 60,
    "played": 70,
}
"""Statuses come in any order and may be left out; a message only moves to a higher rank, so any permutation ends the same."""


def add_bodies(session: Session, rows: Sequence[Row]) -> None:
    session.execute(_ADD_BODIES, rows)


def known_messages(session: Session, external_ids: Iterable[str]) -> set[tuple[str, str]]:
    """Which of these are stored already, as (channel, external id)."""
    return {(channel, external) for channel, external in session.execute(_KNOWN_MESSAGES, {"external_ids": list(external_ids)})}


def known_failures(session: Session, external_ids: Iterable[str]) -> set[tuple[str, str]]:
    """Which of these messages of ours were told to have failed before, as (channel, external id)."""
    return {(channel, external) for channel, external in session.execute(_KNOWN_FAILURES, {"external_ids": list(external_ids)})}


def talks(session: Session, people: Iterable[int]) -> dict[tuple[int, int], tuple[int, str]]:
    """The conversations of these people: {(number, person): (conversation, owner)}."""
    return {(number, person): (talk, owner) for talk, number, person, owner in session.execute(_TALKS, {"people": list(people)})}


def add_conversations(session: Session, dialect: str, rows: Sequence[Row]) -> None:
    if rows:
        session.execute(_ADD_CONVERSATIONS[dialect], rows)


def add_messages(session: Session, dialect: str, rows: Sequence[Row]) -> None:
    if rows:
        session.execute(_ADD_MESSAGES[dialect], rows)


def add_media(session: Session, rows: Sequence[Row]) -> None:
    if rows:
        session.execute(_ADD_MEDIA, rows)


def waiting(session: Session) -> list[tuple[int, Any]]:
    """Conversations with unanswered messages, longest waiting first, each with the time its last one came."""
    return [(talk, last) for talk, _, last in session.execute(_WAITING)]


def merge_statuses(session: Session, dialect: str, rows: Sequence[dict[str, Any]]) -> None:
    """Keep each status once and let it move the message it is about, never back. Rows are of `delivery_statuses`; `outbox_id`
    None is looked up by the external id."""
    if not rows:
        return
    lost = [row["external_id"] for row in rows if row["outbox_id"] is None]
    if lost:
        own = {row.external_id: row.id for row in session.execute(_OWN_MESSAGES, {"external_ids": lost})}
        rows = [row if row["outbox_id"] else {**row, "outbox_id": own.get(row["external_id"])} for row in rows]
    session.execute(_ADD_STATUSES[dialect], rows)
    moves = [
        {
            "outbox": row["outbox_id"],
            "new_rank": RANK[row["status"]],
            "new_state": row["status"],
            "message": row["external_id"],
            "code": row["code"],
            "detail": row["detail"],
        }
        for row in rows
        if row["outbox_id"]
    ]
    if moves:
        session.execute(_MERGE_STATUS, moves)

"""The inbox: webhook bodies and the messages in them. Statements are built once; each serves a whole batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ARRAY, String, Table, and_, bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from data.prepared import Prepared, Row, among, insert_new
from data.tables import Conversation, DeliveryStatus, InboxMessage, MediaFile, OutboxMessage, WebhookBody

BODIES = cast(Table, WebhookBody.__table__)
CONVERSATIONS = cast(Table, Conversation.__table__)
MESSAGES = cast(Table, InboxMessage.__table__)
STATUSES = cast(Table, DeliveryStatus.__table__)
MEDIA = cast(Table, MediaFile.__table__)
OUTBOX = cast(Table, OutboxMessage.__table__)

_ADD_BODIES = Prepared(insert(BODIES))
_ADD_MESSAGES = Prepared(insert_new(MESSAGES))
_ADD_CONVERSATIONS = Prepared(insert_new(CONVERSATIONS))
_ADD_STATUSES = Prepared(insert_new(STATUSES))
_ADD_MEDIA = Prepared(insert(MEDIA))


def _by_ids(table: Table, *also: Any) -> Prepared:
    """(channel, external id) of those rows that are there, of two lists. Both columns of the index decide: by one of them it
    would be read from end to end."""
    given = func.unnest(bindparam("channels", type_=ARRAY(String)), bindparam("external_ids", type_=ARRAY(String)))
    asked = given.table_valued("channel", "external_id").render_derived("asked")
    found = select(table.c.channel, table.c.external_id)
    return Prepared(
        {
            "postgresql": found.join(
                asked, and_(table.c.channel == asked.c.channel, table.c.external_id == asked.c.external_id)
            ).where(*also),
            "sqlite": found.where(among(table.c.channel, "channels"), among(table.c.external_id, "external_ids"), *also),
        }
    )


_KNOWN_MESSAGES = _by_ids(MESSAGES)
_WHERE_IT_STANDS = Prepared(
    select(MESSAGES.c.conversation_id, MESSAGES.c.state).where(
        MESSAGES.c.channel == bindparam("of_channel"), MESSAGES.c.external_id == bindparam("message")
    )
)
_TALKS = Prepared(
    select(CONVERSATIONS.c.id, CONVERSATIONS.c.number_id, CONVERSATIONS.c.person_id, CONVERSATIONS.c.owner).where(
        among(CONVERSATIONS.c.person_id, "people")
    )
)
_LONGEST = (
    select(
        MESSAGES.c.conversation_id,
        func.min(MESSAGES.c.id).label("first"),
        func.max(MESSAGES.c.received_at).label("last_received"),
    )
    .where(text("state = 'new'"))
    .group_by(MESSAGES.c.conversation_id)
    .order_by(func.min(MESSAGES.c.id))
    .limit(bindparam("most"))
    .subquery()
)
_WAITING = Prepared(
    select(_LONGEST.c.conversation_id, CONVERSATIONS.c.number_id, _LONGEST.c.last_received)
    .join(CONVERSATIONS, CONVERSATIONS.c.id == _LONGEST.c.conversation_id)
    .order_by(_LONGEST.c.first)
)
_KNOWN_FAILURES = _by_ids(STATUSES, text("status = 'failed'"))
_MERGE_STATUS = Prepared(
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox"), OUTBOX.c.rank < bindparam("new_rank"))
    .values(
        rank=bindparam("new_rank"),
        state=bindparam("new_state"),
        external_id=func.coalesce(OUTBOX.c.external_id, bindparam("message", type_=String())),
        error_code=bindparam("code"),
        error=bindparam("detail"),
    )
)
_OWN_MESSAGES = Prepared(select(OUTBOX.c.external_id, OUTBOX.c.id).where(among(OUTBOX.c.external_id, "external_ids")))

RANK = {
    "queued": 0,
    "sending": 5,
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
    _ADD_BODIES.many(session, rows)


def known_messages(session: Session, messages: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (channel, external id) are stored already."""
    return _known(session, _KNOWN_MESSAGES, messages)


def where_it_stands(session: Session, channel: str, external_id: str) -> tuple[int, str] | None:
    """(conversation, state) of a stored message."""
    found = _WHERE_IT_STANDS.tuples(session, {"of_channel": channel, "message": external_id})
    return (found[0][0], found[0][1]) if found else None


def known_failures(session: Session, messages: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these messages of ours, as (channel, external id), were told to have failed before."""
    return _known(session, _KNOWN_FAILURES, messages)


def _known(session: Session, statement: Prepared, messages: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    channels, external_ids = zip(*messages, strict=True)
    return set(statement.tuples(session, {"channels": channels, "external_ids": external_ids}))


def talks(session: Session, people: Iterable[int]) -> dict[tuple[int, int], tuple[int, str]]:
    """The conversations of these people: {(number, person): (conversation, owner)}."""
    return {(number, person): (talk, owner) for talk, number, person, owner in _TALKS.tuples(session, {"people": people})}


def add_conversations(session: Session, dialect: str, rows: Sequence[Row]) -> None:
    _ADD_CONVERSATIONS.many(session, rows, by="person_id")


def add_messages(session: Session, dialect: str, rows: Sequence[Row]) -> None:
    _ADD_MESSAGES.many(session, rows, by="external_id")


def add_media(session: Session, rows: Sequence[Row]) -> None:
    _ADD_MEDIA.many(session, rows)


def waiting(session: Session, limit: int = 10_000) -> list[tuple[int, int, datetime]]:
    """Conversations with unanswered messages, longest waiting first: (conversation, number, the time its last one came)."""
    return [(talk, number, last) for talk, number, last in _WAITING.tuples(session, {"most": limit})]


def merge_statuses(session: Session, dialect: str, rows: Sequence[dict[str, Any]]) -> None:
    """Keep each status once and let it move the message it is about, never back. Rows are of `delivery_statuses`; `outbox_id`
    None is looked up by the external id."""
    if not rows:
        return
    lost = [row["external_id"] for row in rows if row["outbox_id"] is None]
    if lost:
        own = dict(_OWN_MESSAGES.tuples(session, {"external_ids": lost}))
        rows = [row if row["outbox_id"] else {**row, "outbox_id": own.get(row["external_id"])} for row in rows]
    _ADD_STATUSES.many(session, rows, by="external_id")
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
    _MERGE_STATUS.many(session, moves, by="outbox")

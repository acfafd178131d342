"""The outbox: messages that were committed to be sent. Statements are built once; each serves a whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    String,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.orm import Session

from data.inbox import OUTBOX, RANK
from data.prepared import Prepared, Row, among
from data.tables import Number, Process
from data.types import UtcDateTime

NUMBERS = cast(Table, Number.__table__)
PROCESSES = cast(Table, Process.__table__)

_BY_AGE = OUTBOX.c.id + 0
"""The order of ids, but not by their index: few of all messages wait, and an index of their own has those."""
_OTHER = OUTBOX.alias("other")

_ADD = Prepared(insert(OUTBOX))
_WAITING = Prepared(select(OUTBOX).where(text("rank < 20")).order_by(_BY_AGE))
_BY_ID = Prepared(select(OUTBOX).where(among(OUTBOX.c.id, "ids")))
_RETRIED = Prepared(
    select(_OTHER.c.retry_of_id)
    .join_from(OUTBOX, _OTHER, and_(_OTHER.c.conversation_id == OUTBOX.c.conversation_id, _OTHER.c.retry_of_id == OUTBOX.c.id))
    .where(among(OUTBOX.c.id, "ids"))
)
_RISES = OUTBOX.c.rank < bindparam("new_rank")
_STAYS = OUTBOX.c.rank == bindparam("new_rank")


def _newer(column: Column[Any], given: str) -> ColumnElement[Any]:
    """What is told now where the message moved on; what was told before where a status was faster."""
    value = bindparam(given, type_=column.type)
    return case((_RISES, value), (_STAYS, func.coalesce(value, column)), else_=column)


_RECORD = Prepared(
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox"))
    .values(
        state=case((_RISES, bindparam("new_state", type_=String())), else_=OUTBOX.c.state),
        rank=case((_RISES, bindparam("new_rank")), else_=OUTBOX.c.rank),
        external_id=func.coalesce(bindparam("message", type_=String()), OUTBOX.c.external_id),
        sent_at=func.coalesce(OUTBOX.c.sent_at, bindparam("sent", type_=UtcDateTime)),
        tries=bindparam("count"),
        error_code=_newer(OUTBOX.c.error_code, "code"),
        error=_newer(OUTBOX.c.error, "problem"),
    )
)
_REPLACE = Prepared(
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox"))
    .values(kind=bindparam("new_kind"), text=bindparam("new_text"), payload=bindparam("new_payload"), error=bindparam("why"))
)
_CLAIMABLE = (
    select(OUTBOX.c.id)
    .where(
        among(OUTBOX.c.id, "ids"),
        or_(OUTBOX.c.rank == RANK["queued"], and_(OUTBOX.c.rank == RANK["sending"], OUTBOX.c.holder == bindparam("new_holder"))),
        ~exists(
            select(1).where(
                _OTHER.c.conversation_id == OUTBOX.c.conversation_id, _OTHER.c.id < OUTBOX.c.id, text("other.rank < 20")
            )
        ),
    )
    .order_by(OUTBOX.c.id)
    .with_for_update(of=OUTBOX, key_share=True)
    .cte("claimable")
)
_CLAIM = Prepared(
    update(OUTBOX)
    .where(OUTBOX.c.id.in_(select(_CLAIMABLE.c.id)))
    .values(rank=RANK["sending"], state="sending", holder=bindparam("new_holder"))
    .returning(OUTBOX.c.id)
)
_RANKS = Prepared(select(OUTBOX.c.id, OUTBOX.c.rank).where(among(OUTBOX.c.id, "ids")))
_RELEASE = Prepared(
    update(OUTBOX)
    .where(
        OUTBOX.c.id == bindparam("message"),
        or_(OUTBOX.c.rank == RANK["sending"], OUTBOX.c.rank == RANK["uncertain"]),
        OUTBOX.c.holder == bindparam("old_holder"),
    )
    .values(rank=RANK["queued"], state="queued", holder=None)
)
_ORPHANS = (
    select(OUTBOX.c.id)
    .where(
        text("rank < 20"),
        or_(OUTBOX.c.rank == RANK["sending"], OUTBOX.c.rank == RANK["uncertain"]),
        ~exists(select(1).where(PROCESSES.c.id == OUTBOX.c.holder)),
    )
    .order_by(_BY_AGE)
    .with_for_update(of=OUTBOX, key_share=True, skip_locked=True)
    .cte("orphans")
)
_ADOPT = Prepared(
    update(OUTBOX).where(OUTBOX.c.id.in_(select(_ORPHANS.c.id))).values(holder=bindparam("new_holder")).returning(*OUTBOX.c)
)
_LEAVES = Prepared(
    select(OUTBOX.c.id)
    .where(OUTBOX.c.conversation_id == bindparam("conversation"), text("rank < 20"))
    .order_by(OUTBOX.c.id)
    .limit(1)
)
_FETCH = Prepared(
    update(OUTBOX)
    .where(OUTBOX.c.conversation_id == bindparam("conversation"), OUTBOX.c.rank == RANK["sent"])
    .values(rank=RANK["delivered"], state="delivered")
    .returning(*OUTBOX.c)
)
_IS_QUEUED = and_(text("outbox_messages.rank < 20"), OUTBOX.c.rank == RANK["queued"])
_NEXT_OF_ONE = select(OUTBOX).where(OUTBOX.c.number_id == NUMBERS.c.id, _IS_QUEUED).order_by(OUTBOX.c.id).limit(bindparam("most"))
_NEXT = _NEXT_OF_ONE.correlate(NUMBERS).lateral("next")
_LAST_OF_ONE = (
    select(_OTHER.c.id)
    .where(_OTHER.c.number_id == NUMBERS.c.id, text("other.rank < 20"), _OTHER.c.rank == RANK["queued"])
    .order_by(_OTHER.c.id)
    .limit(1)
    .offset(bindparam("most") - 1)
    .correlate(NUMBERS)
    .scalar_subquery()
)
_QUEUED = Prepared(
    {  # a number with a long queue costs no more than `most` rows of it
        "postgresql": select(*_NEXT.c)
        .select_from(NUMBERS.join(_NEXT, true()))
        .where(among(NUMBERS.c.id, "numbers"))
        .order_by(_NEXT.c.id)
        .limit(bindparam("most")),
        "sqlite": select(OUTBOX)
        .join_from(NUMBERS, OUTBOX, OUTBOX.c.number_id == NUMBERS.c.id)
        .where(among(NUMBERS.c.id, "numbers"), _IS_QUEUED, OUTBOX.c.id <= func.coalesce(_LAST_OF_ONE, (1 << 63) - 1))
        .order_by(_BY_AGE)
        .limit(bindparam("most")),
    }
)


def add(session: Session, rows: Sequence[Row]) -> None:
    _ADD.many(session, rows)


def waiting(session: Session) -> list[dict[str, Any]]:
    """Everything that has not left for sure, oldest first."""
    return _WAITING.dicts(session, {})


def queued(session: Session, numbers: Sequence[int], limit: int) -> list[dict[str, Any]]:
    """The oldest messages of these numbers that nobody has claimed, oldest first."""
    return _QUEUED.dicts(session, {"numbers": numbers, "most": limit})


def claim(session: Session, ids: Sequence[int], holder: int) -> set[int]:
    """Make queued messages the process `holder`'s to send; returns those it got. A message is had only when none before it in
    its conversation still waits. Asked again, because nobody knows whether a commit went through, it gets the same."""
    return {message for (message,) in _CLAIM.tuples(session, {"ids": ids, "new_holder": holder})}


def rank_of(session: Session, ids: Sequence[int]) -> dict[int, int]:
    return dict(_RANKS.tuples(session, {"ids": ids}))


def release(session: Session, ids: Sequence[int], holder: int) -> None:
    """Give back what `holder` has claimed and does not send now: its number was stopped."""
    _RELEASE.many(session, [{"message": message, "old_holder": holder} for message in ids], by="message")


def adopt(session: Session, holder: int) -> list[dict[str, Any]]:
    """Take over the messages that processes which are gone were sending, oldest first: any of them may have left."""
    return sorted(_ADOPT.dicts(session, {"new_holder": holder}), key=itemgetter("id"))


def by_id(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    return _BY_ID.dicts(session, {"ids": ids})


def leaves(session: Session, conversation_id: int) -> bool:
    """Whether messages of this conversation are still to leave."""
    return bool(_LEAVES.tuples(session, {"conversation": conversation_id}))


def fetch(session: Session, conversation_id: int) -> list[dict[str, Any]]:
    """What lies ready in a conversation whose person fetches it, oldest first; it counts as delivered from here on."""
    return sorted(_FETCH.dicts(session, {"conversation": conversation_id}), key=itemgetter("id"))


def retried(session: Session, ids: Sequence[int]) -> set[int]:
    """Which of these failed messages have a stand-in already."""
    return {message for (message,) in _RETRIED.tuples(session, {"ids": ids})}


def has_left(session: Session, outbox_id: int) -> bool:
    """Whether a status has told meanwhile that this message was taken."""
    return rank_of(session, [outbox_id]).get(outbox_id, 0) >= RANK["sent"]


def result(
    outbox_id: int,
    state: str,
    tries: int,
    *,
    message: str | None = None,
    sent: datetime | None = None,
    code: int | None = None,
    problem: str | None = None,
) -> dict[str, Any]:
    """One row for `record`: what became of a message."""
    return {
        "outbox": outbox_id,
        "new_state": state,
        "new_rank": RANK[state],
        "count": tries,
        "message": message,
        "sent": sent,
        "code": code,
        "problem": problem,
    }


def record(session: Session, results: Sequence[dict[str, Any]]) -> None:
    """Write what became of messages; what a status told first is not undone, nor its error changed."""
    _RECORD.many(session, results, by="outbox")


def replace_payload(session: Session, outbox_id: int, kind: str, words: str, payload: str, why: str) -> None:
    """Another message goes out in place of the one that was queued."""
    row = {"outbox": outbox_id, "new_kind": kind, "new_text": words, "new_payload": payload, "why": why}
    _REPLACE.many(session, [row])

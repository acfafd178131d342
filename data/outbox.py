"""The outbox: messages that were committed to be sent. Statements are built once; each serves a whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, RowMapping, bindparam, case, func, insert, select, text, update
from sqlalchemy.orm import Session

from data.inbox import OUTBOX, RANK, Row
from data.types import UtcDateTime

_ADD = insert(OUTBOX)
_WAITING = select(OUTBOX).where(text("rank < 20")).order_by(OUTBOX.c.id)
_BY_ID = select(OUTBOX).where(OUTBOX.c.id.in_(bindparam("ids", expanding=True)))
_RANK_OF = select(OUTBOX.c.rank).where(OUTBOX.c.id == bindparam("outbox"))
_RETRIED = select(OUTBOX.c.retry_of_id).where(OUTBOX.c.retry_of_id.in_(bindparam("ids", expanding=True)))
_RISES = OUTBOX.c.rank < bindparam("new_rank")
_STAYS = OUTBOX.c.rank == bindparam("new_rank")


def _newer(column: Column[Any], given: str) -> ColumnElement[Any]:
    """What is told now where the message moved on; what was told before where a status was faster."""
    value = bindparam(given, type_=column.type)
    return case((_RISES, value), (_STAYS, func.coalesce(value, column)), else_=column)


_RECORD = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox"))
    .values(
        state=case((_RISES, bindparam("new_state")), else_=OUTBOX.c.state),
        rank=case((_RISES, bindparam("new_rank")), else_=OUTBOX.c.rank),
        external_id=func.coalesce(bindparam("message"), OUTBOX.c.external_id),
        sent_at=func.coalesce(OUTBOX.c.sent_at, bindparam("sent", type_=UtcDateTime)),
        tries=bindparam("count"),
        error_code=_newer(OUTBOX.c.error_code, "code"),
        error=_newer(OUTBOX.c.error, "problem"),
    )
)
_REPLACE = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox"))
    .values(kind=bindparam("new_kind"), text=bindparam("new_text"), payload=bindparam("new_payload"), error=bindparam("why"))
)


def add(session: Session, rows: Sequence[Row]) -> None:
    if rows:
        session.execute(_ADD, rows)


def waiting(session: Session) -> Sequence[RowMapping]:
    """Everything that has not left for sure, oldest first."""
    return session.execute(_WAITING).mappings().all()


def by_id(session: Session, ids: Sequence[int]) -> Sequence[RowMapping]:
    return session.execute(_BY_ID, {"ids": list(ids)}).mappings().all()


def retried(session: Session, ids: Sequence[int]) -> set[int]:
    """Which of these failed messages have a stand-in already."""
    return set(session.scalars(_RETRIED, {"ids": list(ids)}))


def has_left(session: Session, outbox_id: int) -> bool:
    """Whether a status has told meanwhile that this message was taken."""
    return bool((session.scalar(_RANK_OF, {"outbox": outbox_id}) or 0) >= RANK["sent"])


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
    session.execute(_RECORD, results)


def replace_payload(session: Session, outbox_id: int, kind: str, words: str, payload: str, why: str) -> None:
    """Another message goes out in place of the one that was queued."""
    row = {"outbox": outbox_id, "new_kind": kind, "new_text": words, "new_payload": payload, "why": why}
    session.execute(_REPLACE, [row])

"""Texts that were not understood, as a batch of turns writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from data.inbox import MESSAGES
from data.prepared import Prepared, Row
from data.tables import Phrase
from data.types import new_id

PHRASES = cast(Table, Phrase.__table__)


def _counted(insert: Any) -> Any:
    """An insert that counts a text that is there already; what was decided about it stays."""
    return insert.on_conflict_do_update(
        index_elements=["company_id", "plain"],
        set_={
            "times": PHRASES.c.times + insert.excluded.times,
            "last_at": insert.excluded.last_at,
            "conversation_id": insert.excluded.conversation_id,
        },
    )


_ADD = Prepared({"sqlite": _counted(sqlite.insert(PHRASES)), "postgresql": _counted(postgresql.insert(PHRASES))})
_BEFORE = Prepared(
    select(MESSAGES.c.payload)
    .where(MESSAGES.c.conversation_id == bindparam("talk"), MESSAGES.c.state == "done")
    .order_by(MESSAGES.c.id.desc())
    .limit(1)
)


def add(session: Session, rows: Sequence[Row]) -> None:
    """Write what was not understood; the same text of a company is one row, with how often it came."""
    merged: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        key = row["company_id"], row["plain"]
        times = merged[key]["times"] + 1 if key in merged else 1
        merged[key] = {**row, "id": new_id(), "times": times, "first_at": row["last_at"]}
    _ADD.many(session, [merged[key] for key in sorted(merged)])  # in one order, so that processes never wait in a ring


def answered_last(session: Session, conversation_id: int) -> str | None:
    """The payload of the last message that was answered before; None when there was none."""
    found = _BEFORE.tuples(session, {"talk": conversation_id})
    return found[0][0] if found else None

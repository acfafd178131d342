"""What a turn writes of hand-overs: prebuilt statements, as many turns end in one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import String, Table, bindparam, case, func, literal_column, text, update
from sqlalchemy.orm import Session

from crm_bridge.assignment.rules import LOAD
from data.prepared import Prepared, Row, insert_new
from data.tables import Assignment
from data.types import UtcDateTime, new_id

_ASSIGNMENTS = cast(Table, Assignment.__table__)
_OPEN = text("state <> 'closed'")
_ADD = Prepared(insert_new(_ASSIGNMENTS))
_NEW_LOAD = case(LOAD, value=bindparam("new_priority", type_=String()), else_=0)
_RAISE = Prepared(
    update(_ASSIGNMENTS)
    .where(_ASSIGNMENTS.c.conversation_id == bindparam("talk"), _OPEN)
    .values(
        lead_id=func.coalesce(bindparam("new_lead", type_=_ASSIGNMENTS.c.lead_id.type), _ASSIGNMENTS.c.lead_id),
        priority=case(
            (case(LOAD, value=_ASSIGNMENTS.c.priority, else_=0) < _NEW_LOAD, bindparam("new_priority", type_=String())),
            else_=_ASSIGNMENTS.c.priority,
        ),
    )
)
_HEARD = Prepared(
    update(_ASSIGNMENTS)
    .where(_ASSIGNMENTS.c.conversation_id == bindparam("talk"), _OPEN, text("state = 'accepted'"))
    .values(
        touched_at=bindparam("at", type_=UtcDateTime),
        due_at=func.coalesce(_ASSIGNMENTS.c.due_at, bindparam("at", type_=UtcDateTime)),
        warned=case((_ASSIGNMENTS.c.due_at.is_(None), literal_column("false")), else_=_ASSIGNMENTS.c.warned),
    )
)


def opened(talk: Row, *, team_id: int | None, reason: str, interest: str, language: str, now: datetime) -> dict[str, Any]:
    """A row for `open_all`, when it has a team: the conversation (its row) is to be answered by a person, and waits for a seller
    from now on."""
    return {
        "id": new_id(),
        "company_id": talk["company_id"],
        "conversation_id": talk["id"],
        "person_id": talk["person_id"],
        "number_id": talk["number_id"],
        "team_id": team_id,
        "lead_id": None,
        "state": "waiting",
        "reason": reason,
        "priority": talk["priority"],
        "interest": interest,
        "language": language,
        "due_at": now,
        "created_at": now,
    }


def open_all(session: Session, rows: Sequence[Row]) -> None:
    """Open these. A conversation that waits, or is somebody's already, keeps its hand-over, which is brought up to date: a higher
    priority counts from now on, and never a lower one."""
    _RAISE.many(
        session,
        [{"talk": row["conversation_id"], "new_lead": row["lead_id"], "new_priority": row["priority"]} for row in rows],
        by="talk",
    )
    _ADD.many(session, rows, by="conversation_id")


def heard(session: Session, talks: Sequence[int], now: datetime) -> None:
    """The people of these conversations, which are somebody's, wrote: an answer is due, from now on or still."""
    _HEARD.many(session, [{"talk": talk, "at": now} for talk in talks], by="talk")

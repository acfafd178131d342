"""Events become rows: the one place that writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import msgspec
from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from crm_bridge import events
from data.prepared import Prepared, Row
from data.tables import Event
from data.types import new_id

_ADD = Prepared(insert(cast(Table, Event.__table__)))


def record(session: Session, company: int, event: events.Event, at: datetime, **about: int | None) -> None:
    """Add `event` to the journal, about the rows that `entry` names."""
    record_all(session, [entry(company, event, at, **about)])


def entry(
    company: int,
    event: events.Event,
    at: datetime,
    *,
    person: int | None = None,
    conversation: int | None = None,
    lead: int | None = None,
    user: int | None = None,
) -> Row:
    """The journal's row of an event, for `record_all`."""
    return {
        "id": new_id(),
        "company_id": company,
        "kind": type(event).__name__,
        "person_id": person,
        "conversation_id": conversation,
        "lead_id": lead,
        "user_id": user,
        "payload": msgspec.to_builtins(event),
        "at": at,
    }


def record_all(session: Session, entries: Sequence[Row]) -> None:
    """Add these to the journal, in one go."""
    _ADD.many(session, entries)

"""What somebody allows us to write to them for, with the proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from crm_bridge.commands import RecordConsent
from crm_bridge.context import Context
from crm_bridge.events import ConsentChanged
from crm_bridge.journal import entry, record_all
from data.prepared import Prepared
from data.tables import Consent
from data.types import new_id

_ADD = Prepared(insert(cast(Table, Consent.__table__)))


def record_consent(session: Session, asked: Sequence[tuple[Context, RecordConsent]]) -> list[ConsentChanged]:
    """Keep each person's word; the newest one a purpose counts."""
    rows = [
        {
            "id": new_id(),
            "company_id": context.company_id,
            "person_id": context.person_id,
            "purpose": command.purpose,
            "granted": command.granted,
            "words": command.words[:500],
            "source": context.source,
            "at": context.now,
        }
        for context, command in asked
    ]
    _ADD.many(session, rows)
    events = [ConsentChanged(purpose=command.purpose, granted=command.granted) for _, command in asked]
    told = zip(asked, events, strict=True)
    record_all(
        session,
        [
            entry(each.company_id, event, each.now, person=each.person_id, conversation=each.conversation_id)
            for (each, _), event in told
        ],
    )
    return events


def allowed(session: Session, company: int, person: int, purpose: str) -> bool | None:
    """Whether the person allows `purpose`; None when they never said."""
    return session.scalar(
        select(Consent.granted)
        .where(Consent.company_id == company, Consent.person_id == person, Consent.purpose == purpose)
        .order_by(Consent.id.desc())
        .limit(1)
    )

"""What somebody allows us to write to them for, with the proof."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from crm_bridge.commands import RecordConsent
from crm_bridge.context import Context
from crm_bridge.events import ConsentChanged
from crm_bridge.journal import record
from data.prepared import Prepared
from data.tables import Consent
from data.types import new_id

_ADD = Prepared(insert(cast(Table, Consent.__table__)))


def record_consent(session: Session, context: Context, command: RecordConsent) -> ConsentChanged:
    """Keep the person's word; the newest one a purpose counts."""
    row = {
        "id": new_id(),
        "company_id": context.company_id,
        "person_id": context.person_id,
        "purpose": command.purpose,
        "granted": command.granted,
        "words": command.words[:500],
        "source": context.source,
        "at": context.now,
    }
    _ADD.many(session, [row])
    event = ConsentChanged(purpose=command.purpose, granted=command.granted)
    subjects = {"person": context.person_id, "conversation": context.conversation_id}
    record(session, context.company_id, event, context.now, **subjects)
    return event


def allowed(session: Session, company: int, person: int, purpose: str) -> bool | None:
    """Whether the person allows `purpose`; None when they never said."""
    return session.scalar(
        select(Consent.granted)
        .where(Consent.company_id == company, Consent.person_id == person, Consent.purpose == purpose)
        .order_by(Consent.id.desc())
        .limit(1)
    )

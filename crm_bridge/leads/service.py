"""Leads: written when a talk is finished, handed over or left; never two open ones for one interest."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from sqlalchemy import Table, bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from crm_bridge.commands import RegisterLead
from crm_bridge.context import Context
from crm_bridge.events import LeadRegistered, LeadUpdated
from crm_bridge.journal import record
from crm_bridge.leads.rules import priority, source
from crm_bridge.people.service import Description, describe
from data.prepared import Prepared
from data.tables import Lead
from data.types import new_id

_LEADS = cast(Table, Lead.__table__)
_OPEN = Prepared(
    select(_LEADS.c.id, _LEADS.c.complete).where(
        _LEADS.c.company_id == bindparam("company"),
        _LEADS.c.person_id == bindparam("person"),
        _LEADS.c.interest == bindparam("interest"),
        text("stage IN ('new', 'working')"),
    )
)
_ADD = Prepared(insert(_LEADS))
_FIELDS = ("conversation_id", "number_id", "answers", "score", "priority", "reasons", "complete", "updated_at")
_CHANGE = Prepared(
    update(_LEADS)
    .where(_LEADS.c.company_id == bindparam("company"), _LEADS.c.id == bindparam("lead"))
    .values(
        {field: bindparam(f"new_{field}") for field in _FIELDS}
        | {"referral": func.coalesce(bindparam("new_referral", type_=_LEADS.c.referral.type), _LEADS.c.referral)}
    )
)


def register(session: Session, context: Context, command: RegisterLead) -> LeadRegistered | LeadUpdated:
    """Open a lead, or bring the person's open lead of this interest up to date (a finished one never becomes unfinished)."""
    describe(session, [Description(context.company_id, context.person_id, command.facts, context.language)])
    where = {"company": context.company_id, "person": context.person_id, "interest": command.interest}
    found = _OPEN.dicts(session, where)
    referral = dict(context.referral) if context.referral else None
    fields: dict[str, Any] = {
        "conversation_id": context.conversation_id,
        "number_id": context.number_id,
        "answers": msgspec.to_builtins(command.answers),
        "score": command.score,
        "priority": priority(command.score),
        "reasons": msgspec.to_builtins(command.reasons),
        "complete": command.complete or any(lead["complete"] for lead in found),
        "updated_at": context.now,
    }
    if not found:
        lead_id = new_id()
        row = fields | {
            "id": lead_id,
            "company_id": context.company_id,
            "person_id": context.person_id,
            "interest": command.interest,
            "stage": "new",
            "source": source(context.referral),
            "referral": referral,
            "created_at": context.now,
        }
        _ADD.many(session, [row])
    else:
        lead_id = found[0]["id"]
        changed = {f"new_{field}": value for field, value in fields.items()}
        _CHANGE.many(session, [{"company": context.company_id, "lead": lead_id, "new_referral": referral, **changed}])
    told = LeadUpdated if found else LeadRegistered
    event = told(lead_id, command.interest, command.score, fields["priority"], fields["complete"])
    subjects = {"person": context.person_id, "conversation": context.conversation_id, "lead": lead_id}
    record(session, context.company_id, event, context.now, **subjects)
    return event

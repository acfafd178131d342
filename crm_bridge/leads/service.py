"""Leads: written when a talk is finished, handed over or left; never two open ones for one interest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from sqlalchemy import Table, bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from crm_bridge.commands import RegisterLead
from crm_bridge.context import Context
from crm_bridge.events import LeadRegistered, LeadUpdated
from crm_bridge.journal import entry, record_all
from crm_bridge.leads.rules import priority, source
from crm_bridge.people.service import Description, describe
from data.prepared import Prepared, Row, among
from data.tables import Lead
from data.types import new_id

_LEADS = cast(Table, Lead.__table__)
_OPEN = Prepared(
    select(_LEADS.c.company_id, _LEADS.c.person_id, _LEADS.c.interest, _LEADS.c.id, _LEADS.c.complete).where(
        among(_LEADS.c.company_id, "companies"), among(_LEADS.c.person_id, "people"), text("stage IN ('new', 'working')")
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


def register(session: Session, asked: Sequence[tuple[Context, RegisterLead]]) -> list[LeadRegistered | LeadUpdated]:
    """Open each lead, or bring the person's open lead of this interest up to date (a finished one never becomes unfinished). Five
    statements at most, however many."""
    describe(session, [Description(each.company_id, each.person_id, command.facts, each.language) for each, command in asked])
    known = _open(session, [context for context, _ in asked])
    new: list[Row] = []
    changed: list[Row] = []
    events: list[LeadRegistered | LeadUpdated] = []
    entries: list[Row] = []
    for context, command in asked:
        interest = context.company_id, context.person_id, command.interest
        lead, was_complete = known.get(interest, (0, False))
        referral = dict(context.referral) if context.referral else None
        fields: dict[str, Any] = {
            "conversation_id": context.conversation_id,
            "number_id": context.number_id,
            "answers": msgspec.to_builtins(command.answers),
            "score": command.score,
            "priority": priority(command.score),
            "reasons": msgspec.to_builtins(command.reasons),
            "complete": command.complete or was_complete,
            "updated_at": context.now,
        }
        told: type[LeadRegistered | LeadUpdated]
        if lead:
            told = LeadUpdated
            fresh = {f"new_{field}": value for field, value in fields.items()}
            changed.append({"company": context.company_id, "lead": lead, "new_referral": referral, **fresh})
        else:
            told, lead = LeadRegistered, new_id()
            new.append(
                fields
                | {
                    "id": lead,
                    "company_id": context.company_id,
                    "person_id": context.person_id,
                    "interest": command.interest,
                    "stage": "new",
                    "source": source(context.referral),
                    "referral": referral,
                    "created_at": context.now,
                }
            )
        known[interest] = lead, fields["complete"]
        event = told(lead, command.interest, command.score, fields["priority"], fields["complete"])
        about = {"person": context.person_id, "conversation": context.conversation_id, "lead": lead}
        entries.append(entry(context.company_id, event, context.now, **about))
        events.append(event)
    _ADD.many(session, new)
    _CHANGE.many(session, changed, by="lead")
    record_all(session, entries)
    return events


def _open(session: Session, contexts: Sequence[Context]) -> dict[tuple[int, int, str], tuple[int, bool]]:
    """{(company, person, interest): (id, whether it is complete)} of these people's open leads."""
    given = {"companies": {each.company_id for each in contexts}, "people": {each.person_id for each in contexts}}
    return {
        (company, person, interest): (lead, complete)
        for company, person, interest, lead, complete in _OPEN.tuples(session, given)
    }

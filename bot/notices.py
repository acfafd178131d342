"""What a messenger tells about the account, a number or a person's preferences: kept as an event, and acted on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.channels.base import Notice, Sender
from bot.numbers import OurNumber
from crm_bridge.commands import RecordConsent
from crm_bridge.context import Context
from crm_bridge.events import AccountNotice
from crm_bridge.handlers import run
from crm_bridge.journal import record
from crm_bridge.people.rules import canonical_phone
from crm_bridge.people.service import Contact, change_identity, resolve
from data.tables import Number


def apply_notice(session: Session, notice: Notice, number: OurNumber, now: datetime) -> None:
    """Act on one notice for one of our numbers, and keep it in the journal."""
    company = number.row.company_id
    match notice.field:
        case "phone_number_quality_update":
            quality = str(notice.value.get("current_limit") or notice.value.get("event") or "")
            session.execute(
                update(Number).where(Number.company_id == company, Number.id == number.row.id).values(quality=quality[:80])
            )
        case "account_update" if notice.value.get("event") in ("ACCOUNT_RESTRICTION", "DISABLED_UPDATE", "ACCOUNT_DELETED"):
            reason = str(notice.value["event"])
            session.execute(update(Number).where(Number.company_id == company, Number.id == number.row.id).values(stopped=reason))
        case "user_preferences":
            for preference in _mappings(notice.value.get("user_preferences")):
                _preference(session, preference, number, now)
        case "user_id_update":
            for change in _mappings(notice.value.get("user_id_update")):
                ids = change.get("user_id")
                if isinstance(ids, Mapping) and ids.get("previous") and ids.get("current"):
                    change_identity(session, company, "bsuid", str(ids["previous"]), str(ids["current"]), now)
        case _:
            pass  # kept below, for the manager to read
    record(session, company, AccountNotice(field=notice.field, value={**notice.value, "number": number.row.display}), now)


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _preference(session: Session, preference: Mapping[str, Any], number: OurNumber, now: datetime) -> None:
    """WhatsApp's own switch for marketing messages: {"wa_id", "user_id", "detail", "category", "value": "stop"|"resume"}."""
    sender = Sender(phone=preference.get("wa_id"), bsuid=preference.get("user_id"))
    identities = tuple(
        pair
        for pair in (
            ("phone", canonical_phone(sender.phone)) if sender.phone else None,
            ("bsuid", sender.bsuid) if sender.bsuid else None,
        )
        if pair
    )
    if not identities:
        return
    contact = Contact(number.row.company_id, identities)
    context = Context(
        company_id=number.row.company_id,
        person_id=resolve(session, [contact], now, wait=False)[contact],
        conversation_id=0,
        number_id=number.row.id,
        source="whatsapp:user_preferences",
        language=number.row.language,
        referral=None,
        now=now,
    )
    words = str(preference.get("detail") or preference.get("value") or "")
    run(session, context, RecordConsent(purpose="marketing", granted=preference.get("value") == "resume", words=words))

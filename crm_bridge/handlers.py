"""{Command: handler}: the index of the system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from crm_bridge.commands import Command, RecordConsent, RegisterLead
from crm_bridge.context import Context
from crm_bridge.events import Event
from crm_bridge.leads.service import register
from crm_bridge.people.consent import record_consent

Handler = Callable[[Session, Context, Any], Event]

HANDLERS: Mapping[type[Command], Handler] = {
    RegisterLead: register,
    RecordConsent: record_consent,
}


def run(session: Session, context: Context, command: Command) -> Event:
    """Carry out `command` in the session's transaction, and tell what has happened. KeyError when nobody handles it: a test sees
    to it that somebody does."""
    return HANDLERS[type(command)](session, context, command)

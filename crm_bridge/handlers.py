"""{Command: handler}: the index of the system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from crm_bridge.commands import Command, RecordConsent, RegisterLead
from crm_bridge.context import Context
from crm_bridge.events import Event
from crm_bridge.leads.service import register
from crm_bridge.people.consent import record_consent

Handler = Callable[[Session, Sequence[tuple[Context, Any]]], Sequence[Event]]
"""Carries out commands of one kind, and tells what each has led to. They come together because a batch of turns asks for many,
and a database takes little longer for many rows than for one."""

HANDLERS: Mapping[type[Command], Handler] = {
    RegisterLead: register,
    RecordConsent: record_consent,
}


def run_all(session: Session, asked: Sequence[tuple[Context, Command]]) -> list[Event]:
    """Carry out commands in the session's transaction, and tell what each has led to: those of one kind in their order. KeyError
    when nobody handles one: a test sees to it that somebody does."""
    events: dict[int, Event] = {}
    for kind, handle in HANDLERS.items():
        places = [place for place, (_, command) in enumerate(asked) if type(command) is kind]
        if places:
            events |= zip(places, handle(session, [asked[place] for place in places]), strict=True)
    return [events[place] for place in range(len(asked))]


def run(session: Session, context: Context, command: Command) -> Event:
    """Carry out one command."""
    return run_all(session, [(context, command)])[0]

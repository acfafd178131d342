"""What a batch of turns writes, and what follows when it is durable."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from bot.live import Change
from bot.standin import Outgoing
from crm_bridge.commands import Command
from crm_bridge.context import Context
from crm_bridge.people.service import Description


@dataclass(frozen=True, slots=True)
class Again:
    """A conversation that has more to answer, after `wait` seconds."""

    company_id: int
    number_id: int
    conversation_id: int
    wait: float = 0.0


@dataclass(slots=True)
class Written:
    """What a batch writes, and what follows when it is durable."""

    talks: list[dict[str, Any]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    outgoing: list[dict[str, Any]] = field(default_factory=list)
    messages: list[Outgoing] = field(default_factory=list)
    told: list[Description] = field(default_factory=list)
    asked: list[tuple[Context, Command]] = field(default_factory=list)
    """What dialogs ask of the CRM core."""
    handed: list[dict[str, Any]] = field(default_factory=list)
    """Hand-overs to people; without a team where the number has none, and without their lead."""
    heard: list[int] = field(default_factory=list)
    """Conversations whose person wrote to the one of us who answers it."""
    unclear: list[dict[str, Any]] = field(default_factory=list)
    """Texts that were not understood (`data/phrases.py`)."""
    changed: list[tuple[int, Change]] = field(default_factory=list)
    """(company, what of it the pages show anew)"""
    touched: list[int] = field(default_factory=list)
    """Conversations that one of our own people changed from their chat: what was read of them before holds no more."""
    turned: list[int] = field(default_factory=list)
    """Conversations that were answered."""
    again: list[Again] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    """Conversations that could not be had: somebody holds them, or they are merged into others."""

    def add(self, other: Written) -> None:
        for part in fields(self):
            getattr(self, part.name).extend(getattr(other, part.name))

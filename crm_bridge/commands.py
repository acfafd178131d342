"""What the system can be asked to do: imperative, frozen, JSON all through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Command:
    """Base of all commands."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of a questionnaire, as the seller reads it."""

    question: str
    label: str
    value: Any
    shown: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why points were given: in Spanish, for the seller."""

    points: int
    because: str


@dataclass(frozen=True, slots=True)
class RegisterLead(Command):
    """Write what a prospect told us into the CRM. One open lead a person and interest: a second one updates the first.

    `facts` are the answers that describe the person (name, email, phone, company), by fact. `complete` is false when the talk
    ended early (a human was asked for, silence)."""

    interest: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[Answered, ...] = ()
    score: int = 0
    reasons: tuple[Reason, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class RecordConsent(Command):
    """A person allowed or forbade messages for a purpose, in these words."""

    purpose: str
    granted: bool
    words: str

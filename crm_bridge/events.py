"""What has happened: past tense, frozen. Each is kept as a row and makes up the timeline; alerts start here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; what they are about (person, conversation, lead) is in the row."""


@dataclass(frozen=True, slots=True)
class LeadRegistered(Event):
    lead_id: int
    interest: str
    score: int
    priority: str
    complete: bool


@dataclass(frozen=True, slots=True)
class LeadUpdated(Event):
    lead_id: int
    interest: str
    score: int
    priority: str
    complete: bool


@dataclass(frozen=True, slots=True)
class HandoffRequested(Event):
    """The bot let go: a person is to answer. `reason`: asked, failures, complaint or finished."""

    reason: str


@dataclass(frozen=True, slots=True)
class ConsentChanged(Event):
    purpose: str
    granted: bool


@dataclass(frozen=True, slots=True)
class PeopleMerged(Event):
    """Two rows were one person; `gone` lives on in the event's person."""

    gone: int


@dataclass(frozen=True, slots=True)
class IdentityChanged(Event):
    """A person's phone or messenger id changed, as the messenger told."""

    kind: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class TurnParked(Event):
    """A message could not be answered; it waits, with its error, for somebody to look."""

    message_id: int
    error: str


@dataclass(frozen=True, slots=True)
class SendingFailed(Event):
    """A message of ours did not arrive, for good."""

    outbox_id: int
    code: int
    error: str


@dataclass(frozen=True, slots=True)
class NumberStopped(Event):
    """A number may not send any more until somebody acts."""

    number_id: int
    code: int
    error: str


@dataclass(frozen=True, slots=True)
class TakenOver(Event):
    """A person answers from here on, and the bot is silent. `by`: their name, or "phone app" where a seller answered from the
    phone's own app."""

    by: str


@dataclass(frozen=True, slots=True)
class LeadAssigned(Event):
    """A seller was asked to answer: the lead is theirs to accept. `because`: see crm_bridge/assignment/rules.py, Choice."""

    to: str
    because: str


@dataclass(frozen=True, slots=True)
class LeadPassed(Event):
    """The seller did not take it. `because`: declined or expired."""

    by: str
    because: str


@dataclass(frozen=True, slots=True)
class LeadWaits(Event):
    """Nobody is there for it. `until`: when somebody is, in ISO 8601 ("": not known); `everybody`: all of them let it pass."""

    until: str
    everybody: bool


@dataclass(frozen=True, slots=True)
class HandedBack(Event):
    """The bot answers again. What was said while a person did: messages `received` and `sent`, and the `last` one received."""

    received: int = 0
    sent: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class AttentionRated(Event):
    """The prospect rated how they were attended: 1 to 5."""

    score: int


@dataclass(frozen=True, slots=True)
class AccountNotice(Event):
    """The messenger told something about the account, a template or a number's quality."""

    field: str
    value: dict[str, object]

"""Who asks, what they were told before, and what follows from their message: what every command is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from bot.channels.base import Choices, Text
from bot.live import Change
from bot.staff import find
from bot.staff.ear import Ear
from bot.staff.find import Prospect
from bot.staff.memory import Asked, Memory
from bot.staff.speech import called
from bot.staff.words import choices, lasting, line, moment, say, short, text, word
from bot.standin import Outgoing
from data.tables import Alert
from notifications import alerts

Reply = Text | Choices
MANAGERS = frozenset({"admin", "manager"})
EVERYBODY = MANAGERS | {"seller"}
ROWS = 10
"""Rows that a list may have."""


@dataclass(frozen=True, slots=True)
class Staff:
    """One of our own people in their own chat. Company and role come from their account, never from what they write."""

    user_id: int
    company_id: int
    company: str
    name: str
    role: str
    active: bool
    zone: ZoneInfo
    conversation_id: int
    number_id: int
    channel: str

    @property
    def first_name(self) -> str:
        return self.name.split()[0] if self.name.split() else self.name


@dataclass(slots=True)
class StaffTurn:
    """What a staff chat's turn brings: answers in it, and what was done in other conversations."""

    replies: list[Reply] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)
    """What becomes of the chat's own row (data/dialog_state.py)."""
    sent: list[Outgoing] = field(default_factory=list)
    """Written to prospects: to be sent once it is committed."""
    changed: list[tuple[int, Change]] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)
    """Prospects' conversations whose row may have changed: whoever has read it before must read it again."""


@dataclass(slots=True)
class Desk:
    """One command being done. `session` is of the staff's company; `now` is UTC. `about`: the prospect whose alert the message
    quotes; `source`: its id; `asked`: the question that stood when it came."""

    session: Session
    staff: Staff
    memory: Memory
    now: datetime
    source: int
    ear: Ear
    asked: Asked | None = None
    about: int | None = None
    sent: list[Outgoing] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)

    @property
    def local(self) -> datetime:
        return self.now.astimezone(self.staff.zone)

    @property
    def manages(self) -> bool:
        return self.staff.role in MANAGERS

    # ------------------------------------------------------------------------------------------------ what is told
    def at(self, when: datetime) -> str:
        return moment(when.astimezone(self.staff.zone), self.local)

    def since(self, when: datetime) -> str:
        return lasting(self.now - when)

    def name(self, one: Prospect) -> str:
        return one.name or say("nameless")

    # ----------------------------------------------------------------------------------------------- what is kept
    def ask(self, verb: str, talk: int | None = None, words: str = "") -> None:
        """What is written or pressed next is the answer."""
        self.memory = _with(self.memory, asked=Asked(verb, self.now, words, talk, self.source))

    def speak_of(self, talk: int) -> None:
        self.memory = _with(self.memory, talk=talk)

    def change(self, one: Prospect, *told: Alert) -> None:
        """The pages show a prospect anew, and those who were alerted."""
        self.touched.append(one.id)
        self.changed += [Change("conversation", one.id), Change("assignment", one.id)]
        self.alerted(*told)

    def settled(self, one: Prospect) -> None:
        """It is theirs now: nobody needs to be told of it any more."""
        self.change(one, *alerts.ended(self.session, one.id, self.now))

    def alerted(self, *told: Alert) -> None:
        self.changed += [Change("alert", user) for user in {alert.user_id for alert in told}]

    # ------------------------------------------------------------------------------------------------ whom it is about
    def find(self, talk: int) -> Prospect | Text:
        """The prospect of a conversation, who is spoken of from here on."""
        one = find.prospect(self.session, talk)
        if one is None:
            return text("gone")
        self.speak_of(one.id)
        return one

    def which(
        self, verb: str, name: str = "", talk: int | None = None, words: str = "", *, held: bool = False
    ) -> Prospect | Reply:
        """The prospect that a command is about: `talk`, whoever is `name`d, the quoted alert's, the one spoken of last, or the
        only one they have; `held`: of those that they answer. A question where that is not plain: its answer comes to `verb`
        with these `words`."""
        if talk is not None:
            return self.find(talk)
        if name := called(name):
            found = find.named(self.session, name, self.staff.user_id)
            if not found:
                return text("nobody_named", name=short(name, 60))
            return self.find(found[0].id) if len(found) == 1 else self.choose(verb, say("which"), found, words)
        last = find.prospect(self.session, self.about or self.memory.talk or 0)
        if last is not None and (self.about or not held or last.is_of(self.staff.user_id)):
            return self.find(last.id)
        found = find.mine(self.session, self.staff.user_id)
        found = [each for each in found if not held or each.is_of(self.staff.user_id)]
        if not found:
            return text("no_leads")
        return self.find(found[0].id) if len(found) == 1 else self.choose(verb, say("about_whom"), found, words)

    def choose(self, verb: str, question: str, found: list[Prospect], words: str = "") -> Choices:
        """A list of prospects; whichever is chosen comes to `verb` with these `words`."""
        self.ask(verb, words=words)
        return choices(question, tuple(line(verb, each.id, self.name(each), self.glance(each)) for each in found[:ROWS]))

    def glance(self, one: Prospect) -> str:
        """A prospect in one line of a list."""
        unread = say("unread", count=one.talk.unread) if one.talk.unread else ""
        ago = say("ago", ago=self.since(one.talk.last_in_at)) if one.talk.last_in_at else ""
        heat = word("priority", one.hand.priority if one.hand else one.talk.priority)
        return " · ".join(filter(None, (heat, unread, one.number.name, ago)))


def _with(memory: Memory, **changes: object) -> Memory:
    return msgspec.structs.replace(memory, **changes)


Handler = Callable[[Desk, str, int | None], Reply | list[Reply]]
"""Does a command: (desk, the words behind it, the row that a button or the answer to a question names: for most, a prospect's
conversation)."""

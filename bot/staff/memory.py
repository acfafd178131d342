"""What the bot keeps of a staff chat between two messages: in the conversation's own `state`, marked as no dialog's."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

FRESH = timedelta(minutes=15)
"""How long a question of ours counts as asked: what is written after that is no answer to it."""
_MARK = '{"staff":'
_KEPT = 10


class Asked(Struct, frozen=True, omit_defaults=True):
    """A question that stands: what is to be done with its answer. `words` were given already; `talk` is the prospect's
    conversation, where it is known."""

    verb: str
    at: datetime
    words: str = ""
    talk: int | None = None
    id: int = 0
    """The message that it is about: of a button that was shown with another question, nothing comes."""


class Memory(Struct, frozen=True, omit_defaults=True, tag_field="staff", tag="1"):
    talk: int | None = None
    """The prospect spoken of last."""
    asked: Asked | None = None
    options: tuple[str, ...] = ()
    """The ids shown last, for who writes a number."""
    at: datetime | None = None
    """When they were last told anything."""
    sent: tuple[int, ...] = ()
    """The messages that were sent on lately: a button pressed twice sends nothing twice."""

    def with_sent(self, message: int) -> tuple[int, ...]:
        return (*self.sent, message)[-_KEPT:]


def is_memory(state: str | None) -> bool:
    """Whether a conversation's state is a staff chat's, and none of the dialog engine's."""
    return state is not None and state.startswith(_MARK)


def recall(state: str | None) -> Memory:
    """Empty where there is none, where it is a dialog's, or an older version's that cannot be read."""
    if state is None or not is_memory(state):
        return Memory()
    try:
        return msgspec.json.decode(state, type=Memory)
    except msgspec.DecodeError:
        return Memory()


def keep(memory: Memory) -> str:
    return msgspec.json.encode(memory).decode()

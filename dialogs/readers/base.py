"""What every reader is given and gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from dialogs.model import Attachment, Language, Value

LOOKED_AT = 1_200
"""Characters of a message that a reader looks at; what lies behind them is never an answer to one question."""


class Heard(Struct, frozen=True):
    """What a person sent."""

    text: str = ""
    choice: str | None = None
    """The id of the button or list row that was pressed."""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """What the question allows, and whom it is put to."""

    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """{key: (label in the dialog's language, then every other way to say it in any language)}, in the order shown."""
    language: Language = "es"
    country: str = "CO"
    """ISO 3166-1 alpha-2, of the number that was written to."""
    currency: str = "COP"
    """ISO 4217, of a bare amount."""
    now: datetime = field(kw_only=True)
    """Aware, in the company's own zone."""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    way: str = ""
    """Which end of a way a place is: "from", "to", or "" for no way."""
    past: bool = False
    """Whether a date may lie before today."""


class Reading(Struct, frozen=True):
    """An answer that was understood."""

    value: Value
    """JSON. A range keeps its upper end as the answer, and its lower end beside it: money {"amount": "3000000", "currency":
    "COP", "from": "2000000"}; a span of days {"from": "2026-11-23", "to": "2026-11-29"}. A single day is a str
    ("2026-11-27"), with an hour "2026-11-25T15:00"."""
    shown: str
    """As a person reads it, in the language of the ask."""
    instead: Reading | None = None
    """What was probably meant: to be confirmed before it replaces this one."""
    rivals: tuple[Reading, ...] = ()
    """Other readings that are as likely: the person is asked which."""
    span: tuple[int, int] | None = None
    """The part [start, end) of the text that was used; None when it was a button, a file or all of it."""


class Miss(Struct, frozen=True):
    """No answer. `why` is one of the reader's `misses`, and has a help text in every language."""

    why: str


MOST_RIVALS = 3
"""Readings between which anybody can be asked to choose: as many as there are reply buttons."""


def one_of(readings: Sequence[Reading | Miss]) -> Reading | Miss:
    """The first of several readings that are equally likely, with the others as its rivals; a Miss where they are too many."""
    apart = {reading.shown: reading for reading in readings if isinstance(reading, Reading)}
    first, *others = apart.values() or (None,)
    if first is None:
        return readings[0]
    return replace(first, rivals=tuple(others)) if len(apart) <= MOST_RIVALS else Miss("ambiguous")


class Reader(Protocol):
    """Pure: raises on no input, keeps nothing, looks at no clock."""

    misses: frozenset[str]
    """Every `why` that `read` can give."""

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        """Take the whole message as the answer to this question."""

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """Spot an answer inside a longer message; None unless it is plain."""

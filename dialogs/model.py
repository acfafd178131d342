"""The shapes of a dialog: what it is (Dialog), where a talk stands (State), what came in (Turn), what to do (effects)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from crm_bridge.commands import Command
from dialogs.expressions import Condition
from dialogs.lexicon import Lexicon
from dialogs.texts import Language as Language
from dialogs.texts import Text, Tone
from nlu.understanding import NOTHING, Understanding

Status = Literal["open", "confirming", "done", "human", "cancelled", "expired"]
Value = str | int | bool | dict[str, Any] | None
"""What an answer is stored as: JSON. Money is {"amount": "2000000", "currency": "COP"}; a date is ISO 8601; an e-mail, a
phone (E.164) and a choice's key are str; a number is an int or a decimal str; a place is {"latitude", "longitude", "name"}; a
file is {"kind", "file"}."""


# --------------------------------------------------------------------------------------------- what came in
AttachmentKind = Literal["image", "audio", "voice", "video", "document", "sticker", "location", "contact", "order", "unsupported"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, place or contact in a message. `file` is the inbox id of the message that holds it."""

    kind: AttachmentKind
    file: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks on a number, and how formally."""

    bot: str = ""
    company: str = ""
    tone: Tone = "tu"


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything a person said since our last word, as one."""

    text: str = ""
    choice: str | None = None
    """The id of the button or list row that was pressed."""
    attachments: tuple[Attachment, ...] = ()
    understanding: Understanding = NOTHING
    now: datetime = field(kw_only=True)
    """In the company's own time zone."""
    country: str = "CO"
    currency: str = "COP"
    open: bool = True
    """Whether the business is open now."""
    opens: Mapping[str, str] = field(default_factory=dict)
    """When it opens next, already in words, by language ({"es": "mañana a las 9:00"}); empty while it is open."""
    known: Mapping[str, Value] = field(default_factory=dict)
    """What the CRM already knows of this person, by fact: name, email, phone, company."""
    returning: bool = False
    """Whether this person has been here before (an earlier talk or lead)."""
    voice: Voice = Voice()


# ------------------------------------------------------------------------------------------- where it stands
class Answer(Struct, frozen=True):
    value: Value
    shown: str
    """As a person reads it: "US$ 300", "viernes 27 de noviembre"."""
    known: bool = False
    """Whether it was known before this talk: nobody said it now."""


class Doubt(Answer, frozen=True):
    among: tuple[Answer, ...] = ()
    """The readings between which the person is asked to choose, the likeliest first; empty where a yes or no is asked for."""

    @property
    def answer(self) -> Answer:
        """Once it was meant."""
        return Answer(self.value, self.shown, self.known)


class State(Struct, frozen=True):
    """Where a talk stands: the answers, never a position. It goes through JSON between any two messages."""

    dialog: str
    version: int = 1
    language: Language = "es"
    answers: Mapping[str, Answer] = {}
    asked: str | None = None
    """The question last asked: only to attribute a bare reply."""
    skipped: tuple[str, ...] = ()
    doubt: Doubt | None = None
    """A reading offered for a yes or no ("¿quisiste decir ana@gmail.com?"), or several to choose from, for the question `asked`,
    which keeps what was written until then."""
    offer: Literal["", "human", "fix"] = ""
    """Something else that a yes, or a pressed button, would accept."""
    noted: tuple[str, ...] = ()
    """Questions that nobody has answered yet, in the person's own words."""
    fixing: tuple[str, ...] = ()
    """The answers still to be asked again: "cambiar el presupuesto y la fecha"."""
    draft: str = ""
    """What was written so far of an answer that comes in pieces ("ana.ruiz", then "@gmail.com")."""
    failures: int = 0
    """Unreadable answers in a row."""
    status: Status = "open"
    greeted: bool = False
    reminded: int = 0
    """How often silence has been answered with "¿seguimos?"."""


# ------------------------------------------------------------------------------------------------ what to do
class Choice(Struct, frozen=True):
    id: str
    title: str
    description: str = ""


class Say(Struct, frozen=True):
    text: str
    choices: tuple[Choice, ...] = ()
    button: str = ""
    """The label that opens a list of choices."""


class Do(Struct, frozen=True):
    command: Command


class Handoff(Struct, frozen=True):
    reason: Literal["asked", "failures", "complaint", "finished"]


class Unclear(Struct, frozen=True):
    """A message that was not understood, for people to label; "" is the one before this, which was taken for something else."""

    text: str
    asked: str
    """The question that was asked, or ""."""


Effect = Say | Do | Handoff | Unclear


# ---------------------------------------------------------------------------------------------- what it is
@dataclass(frozen=True, slots=True)
class Option:
    """One of a question's choices; `also` holds other ways to say it, in any language."""

    label: Text
    also: tuple[str, ...] = ()
    within: int | None = None
    """The days from today up to which a date means this choice ("el 15 de diciembre" → this month)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One field of the form."""

    name: str
    read: str
    """The reader's name."""
    ask: Text
    label: Text
    """What the answer is called, for the person's summary and for the seller."""
    again: Text
    """How it is asked a second time, after a digression."""
    help: Text | None = None
    condition: Condition | None = None
    optional: bool = False
    fact: str = ""
    """Which fact of the person it is (name, email, phone, company): taken from what is known, never asked twice."""
    lasting: bool = False
    """Whether the answer holds for the person's next interest, too (the kind of business, the tax id)."""
    choices: Mapping[str, Option] = field(default_factory=dict)
    spoken: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """{language: {choice: (label, every other way to say it)}}, as the readers want it."""
    exact: Mapping[str, str] = field(default_factory=dict)
    """{plain words: choice}: what is that choice word for word, in any language."""
    hints: frozenset[str] = frozenset()
    """The rarest word of every way to say a choice: a message without any of them names none."""
    dated: tuple[tuple[int, str], ...] = ()
    """(days from today, choice) up to which a date means that choice, the nearest first."""
    called: frozenset[str] = frozenset()
    """Plain words that name it in a correction ("correo", "mail")."""
    takes: frozenset[str] = frozenset()
    """Intents whose message is itself an answer ("¿cuánto vale el iPhone 15?" tells the need)."""
    things: frozenset[str] = frozenset()
    """What people ask for by name, by its sound: a message that names one ("tienes celulares?") tells the need."""
    way: str = ""
    """Of a place: "from" or "to", where a message may tell both ends of a way."""
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ScoreRule:
    condition: Condition
    add: int
    because: str


@dataclass(frozen=True, slots=True)
class Faq:
    say: Text
    intent: str = ""
    asks: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    """The plain words it is asked with: a message of these alone asks for nothing else."""


@dataclass(frozen=True, slots=True)
class Greet:
    first: Text
    returning: Text
    closed: Text | None = None


@dataclass(frozen=True, slots=True)
class Done:
    say: Text
    closed: Text


@dataclass(frozen=True, slots=True)
class Silence:
    remind: timedelta
    expire: timedelta


@dataclass(frozen=True, slots=True)
class Dialog:
    """A form with a voice. Made by `dialogs.loader`, which has checked every part of it."""

    name: str
    version: int
    questions: Mapping[str, Question]
    """In the order they are asked."""
    order: tuple[str, ...]
    """Their names, each after those that its condition looks at."""
    greet: Greet
    done: Done
    common: Mapping[str, Text]
    """What every dialog says alike (dialogs/texts.yaml), by key."""
    words: Lexicon
    """Plain words the repairs go by, by what they mean."""
    score: tuple[ScoreRule, ...] = ()
    confirm: bool = False
    faq: Mapping[str, Faq] = field(default_factory=dict)
    silence: Silence | None = None
    source: str = ""
    """The YAML it came from, with overrides applied."""
    editable: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    naming: Lexicon = field(init=False, repr=False, compare=False)
    """What each question is called, by its name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "naming", Lexicon({name: question.called for name, question in self.questions.items()}))

    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """Every text that may be edited per number, in the order of the talk: {path: {language: source}}."""
        return self.editable

    def faq_questions(self) -> Mapping[str, tuple[str, ...]]:
        """The ways each frequent question is asked, for the NLU's index."""
        return {key: faq.asks for key, faq in self.faq.items()}

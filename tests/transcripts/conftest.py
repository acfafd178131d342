"""Plays a transcript: what the prospect says is taken from the file, what we say and do is written anew.

`> ` the prospect (lines on end are one burst), `< ` we (`<   ` goes on; `<` alone: nothing is said), `! ` a command or a handoff,
`# ` a comment, `@ ` a header: `dialog=NAME`, `language=en`, `tone=usted`, `bot=Mateo`,
`company=Carga Andina`, `+3d` (time passes, and silence falls due),
`closed`, `open`, `known name="Ana Ruiz"`, `returning`, `back` (handed back by a person), `deploy FILE.yaml`. Media: `> [voz]`,
`> [foto] caption`, `> [documento] name`, `> [sticker]`, `> [ubicación] lat,lon`, `> [contacto] Name +57…`, `> [boton id]`.
Between any two turns the state goes through JSON and the dialog is loaded anew."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm_bridge.commands import Command, RecordConsent, RegisterLead
from dialogs import engine
from dialogs.loader import FLOWS, load_file
from dialogs.model import Attachment, Dialog, Do, Effect, Handoff, Say, State, Turn, Unclear, Value, Voice
from nlu.engine import load
from nlu.understanding import NOTHING, FaqIndex, Nlu

START = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("America/Bogota"))
_MEDIA = re.compile(r"\[(voz|foto|video|documento|sticker|ubicación|contacto|pedido|incompatible|boton)\b([^\]]*)\]\s*(.*)")
OPENS = {"es": "mañana a las 9:00", "en": "tomorrow at 9:00 AM", "pt": "amanhã às 9:00"}
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(slots=True)
class Player:
    nlu: Nlu
    faqs: dict[str, FaqIndex]
    file: Path
    flow: Path
    now: datetime = START
    language: str = "es"
    tone: str = "tu"
    bot: str = "Luna"
    company: str = "TecnoCentro"
    open: bool = True
    returning: bool = False
    known: dict[str, Value] = field(default_factory=dict)
    state: str = ""
    last: datetime = START
    lines: list[str] = field(default_factory=list)

    def play(self, text: str) -> str:
        burst: list[str] = []
        for line in [*text.splitlines(), ""]:
            if line.startswith("> "):
                burst.append(line[2:])
                continue
            if burst:
                self._said(burst)
                burst = []
            if line.startswith("@ "):
                self.lines.append(line)
                self._header(line[2:])
            elif not line.startswith(("<", "!")):
                self.lines.append(line)
        return "\n".join(self.lines).rstrip("\n") + "\n"

    def _header(self, header: str) -> None:
        word, _, rest = header.partition(" ")
        match word:
            case "closed" | "open":
                self.open = word == "open"
            case "returning":
                self.returning = True
            case "known":
                self.known |= dict(part.split("=", 1) for part in shlex.split(rest))
                self.returning = True
            case "deploy":
                self.flow = self.file.parent / rest
            case "back":
                self.state = engine.state_to_json(engine.resume(engine.state_from_json(self.state)))
            case _ if word.startswith("+"):
                self._wait(timedelta(**{_UNITS[word[-1]]: int(word[1:-1])}))
            case _:
                key, _, value = header.partition("=")
                match key:
                    case "dialog":
                        self.flow = FLOWS / f"{value}.yaml"
                    case "language":
                        self.language = value
                    case "tone":
                        self.tone = value
                    case "bot":
                        self.bot = value
                    case "company":
                        self.company = value
                    case _:
                        raise ValueError(f"{self.file.name}: no header {header}")

    def _wait(self, time: timedelta) -> None:
        until = self.now + time
        while self.state:
            dialog = load_file(self.flow)
            quiet = engine.silence(dialog, engine.state_from_json(self.state))
            if quiet is None or self.last + quiet > until:
                break
            self.now = self.last = self.last + quiet
            self._after(*engine.remind(dialog, engine.state_from_json(self.state), self._turn("", None, ())))
        self.now = until

    def _said(self, burst: list[str]) -> None:
        texts: list[str] = []
        choice = None
        attachments: list[Attachment] = []
        for line in burst:
            self.lines.append(f"> {line}")
            match = _MEDIA.fullmatch(line)
            if match is None:
                texts.append(line.replace("\\n", "\n"))
            elif match[1] == "boton":
                choice = match[2].strip()
            else:
                attachments.append(_attachment(match[1], match[3], f"m{len(self.lines)}"))
                if match[1] in ("foto", "video"):
                    texts.append(match[3])
        self.now = self.last = self.now + timedelta(minutes=1)
        dialog = load_file(self.flow)
        state = engine.state_from_json(self.state) if self.state else engine.begin(dialog, self.language)  # type: ignore[arg-type]
        text = "\n".join(one for one in texts if one)
        expected = engine.expected(dialog, state)
        understanding = self.nlu.understand(text, expected, self._faq(dialog)) if text else NOTHING
        turn = replace(self._turn(text, choice, tuple(attachments)), understanding=understanding)
        self._after(*engine.step(dialog, state, turn))

    def _faq(self, dialog: Dialog) -> FaqIndex:
        key = repr(dialog.faq_questions())
        if key not in self.faqs:
            self.faqs[key] = self.nlu.faq_index(dialog.faq_questions())
        return self.faqs[key]

    def _turn(self, text: str, choice: str | None, attachments: tuple[Attachment, ...]) -> Turn:
        return Turn(
            text, choice, attachments, now=self.now, open=self.open, opens={} if self.open else OPENS,
            known=dict(self.known), returning=self.returning, voice=Voice(self.bot, self.company, self.tone),  # type: ignore[arg-type]
        )  # fmt: skip

    def _after(self, state: State, effects: list[Effect]) -> None:
        self.state = engine.state_to_json(state)
        self.lines += [] if effects else ["<"]
        for effect in effects:
            self.lines += _written(effect)
            if isinstance(effect, Do) and isinstance(effect.command, RegisterLead):
                self.known |= effect.command.facts


def _attachment(kind: str, rest: str, file: str) -> Attachment:
    match kind:
        case "ubicación":
            latitude, longitude = rest.split(",")
            return Attachment("location", file, latitude=float(latitude), longitude=float(longitude))
        case "contacto":
            name, _, phone = rest.rpartition(" ")
            return Attachment("contact", file, name=name, phone=phone)
        case "documento":
            return Attachment("document", file, name=rest)
        case "pedido":
            return Attachment("order", file, detail=rest)
        case "incompatible":
            return Attachment("unsupported", file)
        case _:
            return Attachment({"voz": "voice", "foto": "image", "video": "video", "sticker": "sticker"}[kind], file)  # type: ignore[arg-type]


def _written(effect: Effect) -> list[str]:
    match effect:
        case Say(text, choices):
            first, *more = text.split("\n")
            lines = [f"< {first}", *(f"<   {line}".rstrip() for line in more)]
            return [*lines, "< " + " ".join(f"[{choice.title}]" for choice in choices)] if choices else lines
        case Do(command):
            return [f"! {_command(command)}"]
        case Handoff(reason):
            return [f"! Handoff({reason})"]
        case Unclear():
            return []


def _command(command: Command) -> str:
    match command:
        case RegisterLead():
            answers = "; ".join(f"{one.label}: {one.shown}" for one in command.answers)
            reasons = ", ".join(f"{reason.because} {reason.points:+}" for reason in command.reasons)
            return (
                f"RegisterLead({command.interest}, {'complete' if command.complete else 'incomplete'}, score={command.score}"
                f"{f' ({reasons})' if reasons else ''}, facts={dict(command.facts)}, answers=[{answers}])"
            )
        case RecordConsent():
            return f"RecordConsent({command.purpose}, granted={command.granted}, words={command.words!r})"
        case _:
            return repr(command)


@pytest.fixture(scope="session")
def nlu() -> Nlu:
    return load(Path(__file__).parents[2] / "var" / "nlu")


@pytest.fixture(scope="session")
def faqs() -> dict[str, FaqIndex]:
    """Indexes of frequent questions, by the questions: part of the corpus, kept for the session."""
    return {}


@pytest.fixture
def play(nlu: Nlu, faqs: dict[str, FaqIndex]) -> Callable[[Path], str]:
    """What a transcript's file should hold."""

    def run(file: Path) -> str:
        return Player(nlu, faqs, file, FLOWS / f"{file.parent.name}.yaml").play(file.read_text("utf-8"))

    return run

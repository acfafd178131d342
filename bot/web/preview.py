"""Trying a dialog on the page while it is edited: the engine itself, with the texts as they stand in the form, nothing stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.keys import CLOCK, FLOWS, NUMBERS
from bot.numbers import OurNumber
from bot.translate import language_of
from bot.web.dialogs import number_of
from bot.web.edits import overrides_of, problems_of, read_edits
from bot.web.pages import clean, render
from crm_bridge.commands import RegisterLead
from crm_bridge.leads.rules import priority
from dialogs import engine
from dialogs.loader import Dialog, DialogError, with_overrides
from dialogs.model import Choice, Do, Effect, Handoff, Say, Turn
from nlu.understanding import NOTHING, foresee

_MOST = 60
"""Messages of a trial; the oldest ones are then left out."""
_LONGEST = 1_000
_PRESSED = "\t"
"""Between the id and the title of a pressed option."""


@dataclass(frozen=True, slots=True)
class Line:
    """A bubble of the trial, or with `note` something that happened in the books."""

    ours: bool
    text: str
    options: tuple[Choice, ...] = ()
    note: str = ""
    points: int = 0
    priority: str = ""


async def talk(request: web.Request) -> web.Response:
    """The whole talk again from its first message, as the form has it now."""
    row = await number_of(request)
    shipped, number = request.app[FLOWS][row.dialog], request.app[NUMBERS].by_id(row.id)
    form = await request.post()
    said = [clean(message, _LONGEST) for message in form.getall("said", [])]
    if pressed := clean(form.get("press", ""), _LONGEST):
        said.append(pressed)
    elif written := clean(form.get("say", ""), _LONGEST):
        said.append(written)
    if "restart" in form:
        said = []
    said = said[-_MOST:]
    overrides = overrides_of(shipped, read_edits(form, shipped))
    now = request.app[CLOCK].now()
    lines: list[Line] = []
    problems: dict[str, str] = {}
    await foresee(number.nlu, (message for message in said if message and _PRESSED not in message))
    try:
        lines = await asyncio.to_thread(_play, shipped, overrides, number, said, now)
    except DialogError as error:
        problems = problems_of(error)
    context = {"number": row, "lines": lines, "said": said, "problems": list(problems.values())}
    return await render("_phone.html", request, context)


def _play(
    shipped: Dialog, overrides: dict[str, dict[str, str]], number: OurNumber, said: Sequence[str], now: datetime
) -> list[Line]:
    dialog = with_overrides(shipped, overrides, shipped.version)
    state = engine.begin(dialog, language_of(number.row.language))
    lines: list[Line] = []
    for message in said:
        choice, _, title = message.partition(_PRESSED)
        text = "" if title else message
        asked = dialog.questions.get(state.asked) if state.asked else None
        turn = Turn(
            text=text,
            choice=choice if title else None,
            understanding=number.nlu.understand(text, asked.read if asked else None, number.faq) if text else NOTHING,
            now=number.local(now),
            country=number.company.country,
            currency=number.company.currency,
            open=number.is_open(now),
            opens=number.opens(now),
            voice=number.voice,
        )
        state, effects = engine.step(dialog, state, turn)
        lines.append(Line(ours=False, text=title or message))
        lines += [line for effect in effects if (line := _line(effect))]
    return lines


def _line(effect: Effect) -> Line | None:
    match effect:
        case Say(text, choices):
            return Line(ours=True, text=text, options=choices)
        case Do(RegisterLead() as lead):
            return Line(ours=True, text="", note="lead", points=lead.score, priority=priority(lead.score))
        case Handoff(reason):
            return Line(ours=True, text=reason, note="handoff")
        case _:
            return None

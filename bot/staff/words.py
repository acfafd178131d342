"""The words of the staff chat: its catalogue, times and lengths of time as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import Formatter

import phonenumbers
import yaml
from babel.dates import format_date, format_time, format_timedelta

from bot.channels.base import Choices, Option, Text
from crm_bridge.companies.rules import Refusal

LONGEST, LONGEST_BODY = 4096, 1024
"""Characters of a text, and of one with options."""
TITLE, DESCRIPTION = 24, 72
"""Characters of a list's row (WhatsApp's limits)."""
_LOCALE = "es_CO"
_PLAIN_SPACES = {0x202F: " ", 0xA0: " "}


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    loaded: Mapping[str, Mapping[str, str]] = yaml.safe_load(
        (Path(__file__).parent.parent / "staff_texts.yaml").read_text("utf-8")
    )
    return loaded


def say(key: str, /, **values: object) -> str:
    """A text of the catalogue, with its variables. KeyError when there is none."""
    return _filled(catalogue()["say"][key], values)


def _filled(pattern: str, values: Mapping[str, object]) -> str:
    """The variables in their places; a sentence that ends with one that has its own full stop ("3:00 p. m.") gets no second."""
    said = ""
    for literal, name, spec, _ in Formatter().parse(pattern):
        said += literal[1:] if said.endswith(".") and literal.startswith(".") else literal
        if name is not None:
            said += format(values[name], spec or "")
    return said


def word(group: str, key: str) -> str:
    """What people read for a key of the system; the key itself where the catalogue has none."""
    return catalogue()[group].get(key, key)


def text(key: str, /, **values: object) -> Text:
    return Text(short(say(key, **values), LONGEST))


def choices(body: str, options: tuple[Option, ...]) -> Choices:
    return Choices(short(body, LONGEST_BODY), options, button=word("buttons", "choose"))


def button(verb: str, row: int | str, title: str = "") -> Option:
    """A reply button; it comes back as a message whose choice is this id."""
    return Option(f"staff:{verb}:{row}", title or word("buttons", verb))


def line(verb: str, row: int | str, title: str, description: str) -> Option:
    """A row of a list."""
    return Option(f"staff:{verb}:{row}", short(title, TITLE) or "·", short(description, DESCRIPTION) or "·")


def refused(refusal: Refusal) -> str:
    """Why something is not to be had, in one sentence. KeyError for a class without words."""
    name, by = type(refusal).__name__, getattr(refusal, "by", "")
    return _filled(catalogue()["refusal"]["TakenAlone" if name == "Taken" and not by else name], {"by": by})


def phone(number: str | None) -> str:
    """+57 300 1234567, as people read it; as it came when it is not a number."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number or ""), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number or ""


def short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


# ------------------------------------------------------------------------------------------------------- times
def lasting(length: timedelta) -> str:
    """ "5 min", "2 h", "3 días"; a second or none is less than a minute."""
    if length < timedelta(minutes=1):
        return say("soon")
    return str(format_timedelta(length, locale=_LOCALE, threshold=1.5, format="short")).translate(_PLAIN_SPACES)


def moment(at: datetime, now: datetime) -> str:
    """ "hoy a las 3:00 p. m.", "mañana a las …", "el viernes 27 de noviembre a las …"; both local."""
    time = format_time(at, "short", locale=_LOCALE).translate(_PLAIN_SPACES)
    days = (at.date() - now.date()).days
    if days in (0, 1):
        return say("tomorrow_at" if days else "today_at", time=time)
    return say("day_at", day=format_date(at, "EEEE d 'de' MMMM", locale=_LOCALE), time=time)

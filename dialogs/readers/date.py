"""A day, a day with an hour, or a span of days: "el viernes", "mañana a las 3 de la tarde", "la otra semana"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from msgspec.structs import replace

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading, one_of
from nlu.entities.day_rules import NoSuchDay
from nlu.entities.days import Span, bare, spans
from nlu.entities.hours import time_of_day
from nlu.entities.words import fold, is_blank, unknown

_FOR = re.compile(
    r"\b(?:para|pa|pal|pra|antes de|antes del|hasta|by|before|for|until|on|ate|lo necesito|la necesito|los necesito|las necesito|"
    r"need it|"
    r"entrega|entregan|recojo|maximo|a mas tardar|seria|preciso)(?: el| la| los| antes de| antes del| este| a)? ?$"
)
_PLAIN_SPACES = {0x202F: " ", 0xA0: " "}
_SENTENCE = re.compile(r"[^.!?\n]+\??")
_PAST_OR_STREET = re.compile(
    r"\b(?:compre|compramos|pedi|pague|nac[ií]|desde|calle|carrera|cra|cll|avenida|av|barrio|colonia|bought|since|"
    r"comprei)\b[^,;.]{0,14}$"
)


class DateReader:
    """The value is ISO 8601; of a span its last day counts. A day that has passed is refused unless the ask allows it."""

    misses = frozenset({"empty", "unknown", "not_a_date", "no_such_day", "in_the_past", "ambiguous"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        if is_blank(heard.text):
            return Miss("empty")
        text = fold(heard.text[:LOOKED_AT])
        today = ask.now.date()
        try:
            only = bare(text, today)
            found = [only] if only else list(spans(text, today, ask.language, ask.country))
        except (NoSuchDay, OverflowError):
            return Miss("no_such_day")
        clock = time_of_day(text)
        if not found and clock:
            ahead = ask.now.replace(tzinfo=None) < datetime.combine(today, clock[0])
            day = today if ahead else today + timedelta(days=1)
            found = [Span(day, day, clock[1], clock[1])]
        if not found:
            return Miss("unknown" if unknown(text) else "not_a_date")
        span = _joined(found, text)
        return _reading(span, text, ask) if span is not None else one_of([_reading(each, text, ask) for each in found])

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """A day with its month, or any day that something is wanted for ("para el viernes"); nothing from a question."""
        text = fold(heard.text[:LOOKED_AT])
        if "?" in text:
            text = _SENTENCE.sub(lambda match: " " * len(match[0]) if match[0].endswith("?") else match[0], text)
        try:
            found = [span for span in spans(text, ask.now.date(), ask.language, ask.country) if _is_wanted(span, text)]
        except (NoSuchDay, OverflowError):
            return None
        span = _joined(found, text) if found else None
        reading = _reading(span, text, ask) if span else None
        return reading if isinstance(reading, Reading) else None


def _is_wanted(span: Span, text: str) -> bool:
    before = text[max(0, span.start - 30) : span.start]
    if span.full:
        return not _PAST_OR_STREET.search(before)
    return _FOR.search(before) is not None


def _joined(found: list[Span], text: str) -> Span | None:
    """Several spans as one: the same day said twice, or both ends of a range; None when they contradict each other."""
    first, last = found[0], found[-1]
    if all((span.first, span.last) == (first.first, first.last) for span in found):
        return first
    inner = min(found, key=lambda span: (span.last - span.first).days)
    if all(span.first <= inner.first and inner.last <= span.last for span in found):
        return inner
    between = text[first.end : last.start]
    if (
        len(found) == 2
        and re.fullmatch(r" ?(?:y|o|a|al|e|ou|or|and|to|hasta|-|ate)(?: el| la| para el| the)? ?", between)
        and first.first <= last.last
    ):
        return Span(first.first, last.last, first.start, last.end)
    if (re.search(r"\bno\b[^,;.]*$", text[: first.start]) or re.search(r"\bno\b", between)) and len(found) == 2:
        return last
    return None


def _reading(span: Span, text: str, ask: Ask) -> Reading | Miss:
    meant = _dated(span, text, ask)
    if span.other is None:
        return meant
    other = _dated(replace(span, first=span.other[0], last=span.other[1]), text, ask)
    return one_of([meant, other]) if isinstance(meant, Reading) else other


def _dated(span: Span, text: str, ask: Ask) -> Reading | Miss:
    if span.last < ask.now.date() and not ask.past:
        return Miss("in_the_past")
    single = span.first == span.last
    clock = time_of_day(text[: span.start] + " " * (span.end - span.start) + text[span.end :]) if single else None
    value: str | dict[str, str]
    if clock is None:
        value = span.last.isoformat() if single else {"from": span.first.isoformat(), "to": span.last.isoformat()}
        return Reading(value, day_in_words(value, ask), span=(span.start, span.end))
    moment = datetime.combine(span.last, clock[0])
    if moment < ask.now.replace(tzinfo=None) and not ask.past:
        return Miss("in_the_past")
    value = moment.isoformat(timespec="minutes")
    return Reading(value, day_in_words(value, ask), span=(min(span.start, clock[1]), max(span.end, clock[2])))


def day_in_words(value: str | Mapping[str, str], ask: Ask) -> str:
    """A stored day, with its hour, or both ends of a span of days, as the reader of `ask` writes it."""
    today = ask.now.date()
    if not isinstance(value, str):
        return shown_days(date.fromisoformat(value["from"]), date.fromisoformat(value["to"]), today, ask.language)
    moment = datetime.fromisoformat(value)
    day = shown_days(moment.date(), moment.date(), today, ask.language)
    if "T" not in value:
        return day
    return f"{day}, {format_time(moment.time(), 'short', locale=_clock_locale(ask))}".translate(_PLAIN_SPACES)


def _clock_locale(ask: Ask) -> Locale:
    return _locale(f"es_{ask.country}" if ask.language == "es" else {"pt": "pt_BR"}.get(ask.language, "en"))


@lru_cache(64)
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return Locale.parse("es_419")


@lru_cache(16)
def _patterns(language: str) -> tuple[str, str]:
    """(without the year, with it): the long date of the locale, the week's day in full."""
    locale = _locale({"pt": "pt_BR", "en": "en"}.get(language, "es"))
    full = str(locale.date_formats["full"].pattern)
    year = re.sub(r",? ?('de' )?y$", "", full)
    return (year.replace("EEEE,", "EEEE"), full.replace("EEEE,", "EEEE")) if language == "es" else (year, full)


def shown_days(first: date, last: date, today: date, language: str) -> str:
    """ "viernes 27 de noviembre", with the year when it is another one; a span with both its ends."""
    return (
        _shown(last, last.year != today.year, language)
        if first == last
        else " – ".join(_shown(day, day.year != today.year, language) for day in (first, last))
    )


@lru_cache(2048)
def _shown(day: date, with_year: bool, language: str) -> str:
    return format_date(day, _patterns(language)[with_year], locale=_locale({"pt": "pt_BR", "en": "en"}.get(language, "es")))

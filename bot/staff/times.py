"""When somebody means: "mañana a las 9", "en 2 horas", "el viernes por la tarde"; what is left of their words without it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from crm_bridge.assignment.reminders import TimePassed
from nlu.entities.day_rules import NoSuchDay
from nlu.entities.days import Span, either, spans
from nlu.entities.hours import time_of_day
from nlu.entities.numbers import SMALL
from nlu.entities.words import fold

LOOKED_AT = 600
_COUNT = rf"\d{{1,3}}|{either(word for word, value in SMALL.items() if 0 < value <= 60)}"
_LENGTH = (
    rf"(?:(?P<half>media hora)|(?:(?P<hours>{_COUNT}) )?(?:horas?|hrs?|h)\b(?P<more> y media| y cuarto)?"
    rf"|(?P<minutes>{_COUNT}) ?(?:minutos?|mins?)\b|(?P<while>un (?:rato|ratico|ratito)))"
)
_IN = re.compile(rf"\b(?:en|dentro de|de aqui a) (?:unos |unas |como )?{_LENGTH}")
_FOR = re.compile(rf"(?:\b(?:en|dentro de|por|durante|unos|unas|como) )*\b{_LENGTH}")
_MINUTES = re.compile(r"\b(?:en|dentro de)(?: unos)? (?P<count>[1-9]\d|[5-9])(?=\s*(?:$|[.,;!]))")
"""Minutes, without the word: "recuérdame en 15"."""
_PARTS = {"manana": time(9), "tarde": time(15), "noche": time(19)}
_ENDS = {"manana": time(12), "tarde": time(18), "noche": time(23, 59)}
"""Where a part of the day begins, for what is to be done in it, and where it ends, for who is away for it."""
_PART = re.compile(r"(?:(?:en|por|de|a|toda) la|esta) (?P<part>manana|tarde|noche)\b|\b(?P<early>temprano)\b")
_DAY = re.compile(r"\b(?:por|lo que queda de|(?:el )?resto del?) (?:hoy|dia)\b|\btodo el dia\b|\bhoy\b")
_HOUR = re.compile(r"\s+(?P<hour>\d{1,2})(?=\s*(?:$|[.,;!]))")
"""The hour that stands alone behind its day: "mañana 9"."""
_MORNING = time(9)
_EXACT = re.compile(r"[ap]\.? ?m\b|manana|tarde|noche|madrugada|dia\b|1[2-9]:|2\d:")
"""In an hour: it is of the morning or the evening for sure."""
_BEFORE = re.compile(r"(?:\b(?:para|el|la|hasta|este|esta|del?|a|desde)\s+)*$")
_HER = re.compile(r"(?<=[a-z]l)a(?= manana\b)|(?<=[a-z]la)s(?= manana\b)")
"""The end of "llamarla mañana", in which the grammar of days sees "la mañana", the morning."""
_EDGES = " \t\n,;:.-–"
_LEAD = re.compile(r"^(?:(?:que|de|para)\s+)+")


@dataclass(frozen=True, slots=True)
class When:
    at: datetime
    """In the zone of the `now` that was given."""
    rest: str


def when(text: str, now: datetime, *, lasting: bool = False) -> When | None:
    """The first time that `text` tells, counted from `now` (local); None when it tells none. `lasting`: a length of time counts
    without "en" too ("ocupado 2 horas"), and an hour is the next such one ("hasta las 7"). TimePassed."""
    text = text[:LOOKED_AT]
    folded = fold(text)
    length = (_FOR if lasting else _IN).search(folded)
    if length is not None and (passes := _length(length)):
        return When(now + passes, _without(text, folded, [length.span()]))
    if minutes := _MINUTES.search(folded):
        return When(now + timedelta(minutes=int(minutes["count"])), _without(text, folded, [minutes.span()]))
    try:
        days = spans(_HER.sub("_", folded), now.date(), "es")
    except (NoSuchDay, OverflowError):
        return None
    blank = folded
    for span in days:
        blank = blank[: span.start] + " " * (span.end - span.start) + blank[span.end :]
    clock = time_of_day(blank) or _bare_hour(blank, days)
    part = _PART.search(folded)
    if lasting and clock is None and all(day.last == now.date() for day in days):
        return _rest_of_day(part, folded, now)
    if not days:
        if clock is None:
            hour = _PARTS.get(part["part"] or "") if part else None
            return When(_next(hour, now, twice=False), _without(text, folded, [part.span()])) if part and hour else None
        return When(_next(clock[0], now, twice=lasting and not _exact(folded, clock)), _without(text, folded, [clock[1:]]))
    day = _day(days, clock)
    pieces = [(day.start, day.end), *([clock[1:]] if clock else []), *([part.span()] if part else [])]
    hour = clock[0] if clock else _PARTS.get(part["part"] or "manana") if part else None
    if hour is None:
        if day.last == now.date():
            return None
        hour = _MORNING
    at = datetime.combine(max(day.first, min(now.date(), day.last)), hour, tzinfo=now.tzinfo)
    if at <= now and clock and not _exact(folded, clock) and hour.hour < 12 and at + timedelta(hours=12) > now:
        at += timedelta(hours=12)
    if at <= now:
        raise TimePassed
    return When(at, _without(text, folded, pieces))


def _bare_hour(blank: str, days: tuple[Span, ...]) -> tuple[time, int, int] | None:
    for day in days:
        match = _HOUR.match(blank, day.end)
        read = time_of_day(f"a las {match['hour']}") if match else None
        if match and read:
            return read[0], match.start("hour"), match.end()
    return None


def _rest_of_day(part: re.Match[str] | None, folded: str, now: datetime) -> When | None:
    """Until when somebody is away "por hoy", "toda la tarde"."""
    end = _ENDS.get(part["part"] or "") if part else time(23, 59) if _DAY.search(folded) else None
    at = datetime.combine(now.date(), end, tzinfo=now.tzinfo) if end else None
    return When(at, "") if at and at > now else None


def _length(match: re.Match[str]) -> timedelta | None:
    if match["half"]:
        return timedelta(minutes=30)
    if match["while"]:
        return timedelta(hours=1)
    if match["minutes"]:
        return timedelta(minutes=_count(match["minutes"]))
    more = {" y media": 30, " y cuarto": 15}.get(match["more"] or "", 0)
    if not match["hours"] and not more:
        return None
    return timedelta(hours=_count(match["hours"] or "1"), minutes=more)


def _count(word: str) -> int:
    return int(word) if word.isdigit() else int(SMALL[word])


def _day(days: tuple[Span, ...], clock: tuple[time, int, int] | None) -> Span:
    """The day that is meant: of several, the one beside the hour ("la cotización del lunes, mañana a las 9")."""
    if clock is None:
        return days[-1]
    return min(days, key=lambda span: min(abs(clock[1] - span.end), abs(span.start - clock[2])))


def _next(hour: time, now: datetime, *, twice: bool) -> datetime:
    """The next such hour; `twice`: of the morning or the evening."""
    at = datetime.combine(now.date(), hour, tzinfo=now.tzinfo)
    step = timedelta(hours=12) if twice and hour.hour < 12 else timedelta(days=1)
    while at <= now:
        at += step
    return at


def _exact(folded: str, clock: tuple[time, int, int]) -> bool:
    return _EXACT.search(folded[clock[1] : clock[2]]) is not None


def _without(text: str, folded: str, pieces: list[tuple[int, int]]) -> str:
    """The words without these parts of them, and what led to each ("para el")."""
    kept, at = [], 0
    for start, end in sorted(pieces):
        while start > 0 and folded[start - 1].isalnum():  # "hasta las 3" holds "a las 3"
            start -= 1
        before = _BEFORE.search(folded[:start])
        kept.append(text[at : max(at, before.start() if before else start)])
        at = max(at, end)
    words = " ".join(" ".join([*kept, text[at:]]).split()).strip(_EDGES)
    return _LEAD.sub("", words).strip(_EDGES)

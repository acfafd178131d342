"""Days on which nobody works, seen before they come: pure rules over a month, and the holidays of Colombia."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from crm_bridge.assignment.rules import Member
from crm_bridge.companies.hours import DAYS, Hours

_FIXED = (
    (1, 1, "new_year"), (5, 1, "labour"), (7, 20, "independence"), (8, 7, "boyaca"), (12, 8, "immaculate"), (12, 25, "christmas"),
)  # fmt: skip
_TO_MONDAY = (
    (1, 6, "epiphany"), (3, 19, "saint_joseph"), (6, 29, "peter_paul"), (8, 15, "assumption"), (10, 12, "race"),
    (11, 1, "all_saints"), (11, 11, "cartagena"),
)  # fmt: skip
_AFTER_EASTER = ((-3, "holy_thursday"), (-2, "good_friday"), (43, "ascension"), (64, "corpus_christi"), (71, "sacred_heart"))


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a team. `state`: works; holiday; closed (nobody has a shift); gap (somebody should be there, and nobody is)."""

    day: date
    state: str
    there: tuple[str, ...] = ()
    """The names of those who work."""
    on_leave: tuple[str, ...] = ()
    holiday: str = ""


def month(
    members: Sequence[Member], holidays: Mapping[str, str], open_hours: Sequence[Hours], year: int, number: int
) -> list[Day]:
    """Every day of a month of one team. `holidays` are {YYYY-MM-DD: name}, `open_hours` those of the numbers it answers."""
    last = monthrange(year, number)[1]
    return [_day(members, holidays, open_hours, date(year, number, day)) for day in range(1, last + 1)]


def _day(members: Sequence[Member], holidays: Mapping[str, str], open_hours: Sequence[Hours], day: date) -> Day:
    key, weekday = day.isoformat(), DAYS[day.weekday()]
    at_work = [member for member in members if member.active and member.weight > 0 and _has_shift(member.hours, weekday)]
    away = {member.user_id for member in at_work if any(first <= key <= last for first, last in member.absences)}
    on_leave = tuple(member.name for member in at_work if member.user_id in away)
    there = tuple(member.name for member in at_work if member.user_id not in away)
    if key in holidays:
        return Day(day, "holiday", (), on_leave, holidays[key])
    if there:
        return Day(day, "works", there, on_leave)
    wanted = bool(at_work) or any(hours.get(weekday) for hours in open_hours)
    return Day(day, "gap" if wanted else "closed", (), on_leave)


def _has_shift(hours: Hours | None, weekday: str) -> bool:
    return not hours or bool(hours.get(weekday))


def colombian_holidays(year: int) -> list[tuple[str, str]]:
    """(YYYY-MM-DD, key of the name), in order. Ley 51 de 1983 moves some of them to the Monday that follows; others hang on
    Easter. Two may fall on one day."""
    days = [(date(year, month_, day), name) for month_, day, name in _FIXED]
    days += [(_monday(date(year, month_, day)), name) for month_, day, name in _TO_MONDAY]
    days += [(easter(year) + timedelta(days=after), name) for after, name in _AFTER_EASTER]
    return [(day.isoformat(), name) for day, name in sorted(days)]


def _monday(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    golden, century, in_century = year % 19, year // 100, year % 100
    leaps, rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - leaps - correction + 15) % 30
    quarter, odd = divmod(in_century, 4)
    weekday = (32 + 2 * rest + 2 * quarter - moon - odd) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    number, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, number, day + 1)

"""What the words for days come to, counted from today: one function for each way to tell a day, a match of `days` → a span."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from nlu.entities.day_names import MONTH_OF, WEEKDAY_OF
from nlu.entities.numbers import SMALL

COUNTS = {word: int(value) for word, value in SMALL.items() if 0 < value <= 31 or value in (40, 45, 60, 90)} | {
    "a": 1, "an": 1, "primero": 1, "primeiro": 1, "first": 1, "par de": 2, "par": 2, "couple of": 2, "few": 3,
    "unos": 3, "algunos": 3, "pocos": 3, "alguns": 3, "poucos": 3, "treinta y un": 31, "treinta y uno": 31,
}  # fmt: skip


Days = tuple[date, date]
Rule = Callable[[re.Match[str], date], Days]


class NoSuchDay(ValueError):
    """The 31st of February."""


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise NoSuchDay from None


def _one(day: date) -> Days:
    return day, day


def _count(word: str) -> int:
    digits = re.match(r"\d+", word)
    if digits:
        return int(digits[0])
    word = word.strip()
    return 2 if word.endswith(("par de", "couple of")) else COUNTS.get(word, 1)


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _coming(today: date, month: int, day: int) -> date:
    """The next such day; one that passed within the last three months is more likely meant as it is, by mistake or not."""
    for year in (today.year, today.year + 1):
        try:
            if date(year, month, day) >= today - timedelta(days=92):
                return date(year, month, day)
        except ValueError:
            continue
    raise NoSuchDay


def dated(match: re.Match[str], today: date) -> Days:
    """3 de diciembre (de 2026), December 3rd, del 3 al 5 de diciembre."""
    parts = match.groupdict()
    month, last = MONTH_OF[parts["month"].rstrip(".")], _count(parts["day"])
    first = _count(parts["from"]) if parts.get("from") else last
    year = _year(parts.get("year"), today)
    if year is not None:
        return _day(year, month, first), _day(year, month, last)
    end = _coming(today, month, last)
    return _day(end.year, month, first), end


def numeric(match: re.Match[str], today: date) -> Days:
    """3/12, 03-12-2026: day first, as in all of Latin America but Panama and Puerto Rico; the other way round only where no day
    is that way."""
    day, month = int(match["day"]), int(match["month"])
    if month > 12 >= day:
        day, month = month, day
    return _numbered(match, today, month, day)


def numeric_month_first(match: re.Match[str], today: date) -> Days | None:
    """3/12 the other way round; None where it is the same day, or none."""
    month, day = int(match["day"]), int(match["month"])
    return _numbered(match, today, month, day) if month <= 12 and day <= 12 and month != day else None


def _numbered(match: re.Match[str], today: date, month: int, day: int) -> Days:
    year = _year(match["year"], today)
    return _one(_coming(today, month, day) if year is None else _day(year, month, day))


def _year(said: str | None, today: date) -> int | None:
    """2027, 27, "otro", "próximo", "que viene": a year; None where none was said."""
    if not said:
        return None
    if said.isdigit():
        return int(said) + (2000 if len(said) == 2 else 0)
    return today.year if said.startswith(("est", "this")) else today.year + 1


def _first_of(match: re.Match[str], today: date) -> date:
    """The first day of the month that is named: the coming one, unless its year is told; of this month where none is named."""
    parts = match.groupdict()
    named = (parts.get("month") or "").rstrip(".")
    if not named:
        return _months_on(today.replace(day=1), 1 if parts.get("next") else 0)
    number, year = MONTH_OF[named], _year(parts.get("year"), today)
    return date(today.year + (number < today.month) if year is None else year, number, 1)


def iso(match: re.Match[str], today: date) -> Days:
    return _one(_day(int(match["year"]), int(match["month"]), int(match["day"])))


def of_month(match: re.Match[str], today: date) -> Days:
    """el 15; viernes 27."""
    day = _count(match["day"])
    for months in range(3):
        start = _months_on(today.replace(day=1), months)
        if 0 < day <= month_end(start).day and start.replace(day=day) >= today:
            return _one(start.replace(day=day))
    raise NoSuchDay


def weekday(match: re.Match[str], today: date) -> Days:
    parts = match.groupdict()
    ahead = (WEEKDAY_OF[parts["weekday"]] - today.weekday()) % 7
    if parts.get("past") is not None:
        return _one(today - timedelta(days=7 - ahead if ahead else 7))
    if parts.get("week"):
        return _one(today + timedelta(days=WEEKDAY_OF[parts["weekday"]] - today.weekday() + 7))
    which = parts.get("which") or ""
    if which.startswith(("next", "otr")):
        return _one(today + timedelta(days=WEEKDAY_OF[parts["weekday"]] - today.weekday() + 7))
    if ahead == 0 and not which.startswith(("est", "this")):
        ahead = 7
    return _one(today + timedelta(days=ahead))


def weekday_range(match: re.Match[str], today: date) -> Days:
    first = today + timedelta(days=(WEEKDAY_OF[match["one"]] - today.weekday()) % 7)
    return first, first + timedelta(days=(WEEKDAY_OF[match["two"]] - first.weekday()) % 7)


def week(weeks: int) -> Rule:
    def days(match: re.Match[str], today: date) -> Days:
        monday = today + timedelta(days=7 * weeks - today.weekday())
        return max(monday, today) if weeks == 0 else monday, monday + timedelta(days=6)

    return days


def weekend(match: re.Match[str], today: date) -> Days:
    sunday = today + timedelta(days=6 - today.weekday())
    return max(today, sunday - timedelta(days=1)), sunday


def month(months: int) -> Rule:
    def days(match: re.Match[str], today: date) -> Days:
        first = _months_on(today.replace(day=1), months)
        return max(first, today) if months == 0 else first, month_end(first)

    return days


def named_month(match: re.Match[str], today: date) -> Days:
    first = _first_of(match, today)
    part = match["part"] or ""
    if part.startswith(("princip", "inici", "comienz", "beginning", "early", "comec")):
        return first, first.replace(day=10)
    if part.startswith(("medi", "mit", "mid", "meado")):
        return first.replace(day=11), first.replace(day=20)
    if part:
        return _one(month_end(first))
    return max(first, today) if first <= today <= month_end(first) else first, month_end(first)


def end_of_month(match: re.Match[str], today: date) -> Days:
    return _one(month_end(_months_on(today, 1 if match["next"] else 0)))


def mid_month(match: re.Match[str], today: date) -> Days:
    first = today.replace(day=1) if today.day <= 20 else _months_on(today.replace(day=1), 1)
    return first.replace(day=11), first.replace(day=20)


def month_start(match: re.Match[str], today: date) -> Days:
    first = _months_on(today.replace(day=1), 1)
    return first, first.replace(day=10)


def payday(match: re.Match[str], today: date) -> Days:
    """La quincena: the 15th or the last of the month, when wages are paid."""
    return _one(today.replace(day=15) if today.day <= 15 else month_end(today))


def after(match: re.Match[str], today: date) -> Days:
    """en quince días, in 2 or 3 weeks, dentro de un mes."""
    high, unit = _count(match["count"]), match["unit"]
    low = _count(match["from"]) if match["from"] else high
    return _on(today, min(low, high), unit), _on(today, high, unit)


def ago(match: re.Match[str], today: date) -> Days:
    return _one(_on(today, -_count(match["count"]), match["unit"]))


def _on(today: date, count: int, unit: str) -> date:
    if unit.startswith(("mes", "month")):
        return _months_on(today, count)
    if unit.startswith(("ano", "year")):
        return _months_on(today, 12 * min(count, 50) if count > 0 else 12 * max(count, -50))
    return today + timedelta(
        days=count * (7 if unit.startswith(("semana", "week")) else 15 if unit.startswith("quincena") else 1)
    )


def plus(days: int) -> Rule:
    return lambda match, today: _one(today + timedelta(days=days))


def yearly(month: int, day: int) -> Rule:
    def days(match: re.Match[str], today: date) -> Days:
        this = date(today.year, month, day)
        return _one(this if this >= today else date(today.year + 1, month, day))

    return days


def next_year(match: re.Match[str], today: date) -> Days:
    return date(today.year + 1, 1, 1), date(today.year + 1, 12, 31)


def weekday_again(match: re.Match[str], today: date) -> Days | None:
    """ "El próximo viernes", said on a Tuesday: the Friday after, which some mean; None where nobody does."""
    which, parts = match.groupdict().get("which") or "", match.groupdict()
    if not which.startswith("pro") or parts.get("past") is not None or parts.get("week"):
        return None
    return _one(today + timedelta(days=WEEKDAY_OF[parts["weekday"]] - today.weekday() + 7))


def past(match: re.Match[str], today: date) -> Days:
    """la semana pasada, last month, el trimestre pasado, el año pasado."""
    unit = match["unit"] or match["unit_"]
    if unit.startswith(("sem", "week")) and not unit.startswith("semestre"):
        monday = today - timedelta(days=today.weekday() + 7)
        return monday, monday + timedelta(days=6)
    if unit.startswith(("ano", "year")):
        return date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)
    months = _MONTHS_OF.get(unit, 1)
    first = _months_on(_part_of_year(today, months), -months)
    return first, month_end(_months_on(first, months - 1))


_MONTHS_OF = {"trimestre": 3, "quarter": 3, "semestre": 6}
_NUMBERED = {
    "prim": 1, "firs": 1, "segu": 2, "seco": 2, "terc": 3, "thir": 3, "cuar": 4, "quar": 4, "four": 4, "quin": 5,
    "ulti": 0, "last": 0,
}  # fmt: skip
"""What an ordinal counts, by how it begins; 0 is the last."""


def _ordinal(word: str) -> int:
    return int(word[0]) if word[0].isdigit() else _NUMBERED[word[:4]]


def _part_of_year(day: date, months: int) -> date:
    """The first day of the quarter (3 months) or half (6) that a day is in."""
    return date(day.year, day.month - (day.month - 1) % months, 1)


def part_of_year(match: re.Match[str], today: date) -> Days:
    """este trimestre, el próximo semestre, Q1, primer trimestre de 2027: of this one what is left of it."""
    parts = match.groupdict()
    months = 3 if not parts.get("unit") else _MONTHS_OF[parts["unit"]]
    if parts.get("nth"):
        place, year = _ordinal(parts["nth"]) or 12 // months, _year(parts.get("year"), today)
        if place > 12 // months:
            raise NoSuchDay
        first = date(year or today.year, 1 + months * (place - 1), 1)
        if year is None and month_end(_months_on(first, months - 1)) < today:
            first = date(today.year + 1, first.month, 1)
    else:
        first = _months_on(_part_of_year(today, months), months if parts.get("next") or parts.get("coming") else 0)
    last = month_end(_months_on(first, months - 1))
    return max(first, today) if first <= today <= last else first, last


def nth_weekday(match: re.Match[str], today: date) -> Days:
    """el primer lunes de diciembre, último viernes del mes."""
    first, nth = _first_of(match, today), _ordinal(match["nth"])
    if not nth:
        last = month_end(first)
        return _one(last - timedelta(days=(last.weekday() - WEEKDAY_OF[match["weekday"]]) % 7))
    day = first + timedelta(days=(WEEKDAY_OF[match["weekday"]] - first.weekday()) % 7 + 7 * (nth - 1))
    if day.month != first.month:
        raise NoSuchDay
    return _one(day)


def nth_week(match: re.Match[str], today: date) -> Days:
    """la primera semana de enero: seven days each, the last seven for the last."""
    first, nth = _first_of(match, today), _ordinal(match["nth"])
    last = month_end(first)
    if nth == 0 or nth > 4:
        return last - timedelta(days=6), last
    return first + timedelta(days=7 * (nth - 1)), first + timedelta(days=7 * nth - 1)


def half_month(match: re.Match[str], today: date) -> Days:
    """la primera quincena de diciembre, esta quincena: up to the 15th, or from the 16th on."""
    parts = match.groupdict()
    if parts.get("nth") is None:
        first = today.replace(day=1 if today.day <= 15 else 16)
        last = first.replace(day=15) if first.day == 1 else month_end(first)
        return today, last
    first = _first_of(match, today)
    if _ordinal(parts["nth"]) == 1:
        if not parts.get("month") and not parts.get("next") and first.replace(day=15) < today:
            first = _months_on(first, 1)
        return first, first.replace(day=15)
    return first.replace(day=16), month_end(first)


def from_to(match: re.Match[str], today: date) -> Days:
    """del 3 al 15: of the month that is running or comes; "del 28 al 5" ends in the next."""
    begin, end = _count(match["from"]), _count(match["day"])
    for months in range(3):
        start = _months_on(today.replace(day=1), months)
        stop = _months_on(start, 1) if end < begin else start
        if 0 < begin <= month_end(start).day and 0 < end <= month_end(stop).day and stop.replace(day=end) >= today:
            return start.replace(day=begin), stop.replace(day=end)
    raise NoSuchDay


def weeks_from(match: re.Match[str], today: date) -> Days:
    """de hoy en ocho, el viernes en quince: one or two weeks behind that day, which is counted in."""
    parts = match.groupdict()
    day = weekday(match, today)[0] if parts.get("weekday") else today
    return _one(day + timedelta(days=14 if match["count"] in ("quince", "15", "quinze") else 7))


def mid_year(match: re.Match[str], today: date) -> Days:
    year = today.year if today <= date(today.year, 7, 15) else today.year + 1
    return date(year, 6, 15), date(year, 7, 15)

"""The grammar of days in Spanish, English and Portuguese: words → spans of days, counted from today."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain, islice

from msgspec import Struct

from nlu.entities.day_names import MONTH_OF, PT_WEEKDAYS, WEEKDAY_OF
from nlu.entities.numbers import SMALL

_COUNTS = {word: int(value) for word, value in SMALL.items() if 0 < value <= 31 or value in (40, 45, 60, 90)} | {
    "a": 1, "an": 1, "primero": 1, "primeiro": 1, "first": 1, "par de": 2, "par": 2, "couple of": 2, "few": 3,
    "unos": 3, "algunos": 3, "pocos": 3, "alguns": 3, "poucos": 3, "treinta y un": 31, "treinta y uno": 31,
}  # fmt: skip


def either(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_MONTH = f"(?:{either(MONTH_OF)})\\b\\.?"
_LONG_MONTH = f"(?:{either(word for word in MONTH_OF if len(word) > 4 or word in ('mayo', 'maio', 'june', 'july'))})"
_DAY_WORDS = either({word for word, value in SMALL.items() if 1 < value <= 31} | {"primero", "primeiro", "first"})
_DAY = f"(?:[0-3]?\\d(?:st|nd|rd|th|ro|er|do|º|°)?|{_DAY_WORDS}|treinta y uno?)"
_COUNT = f"(?:\\d{{1,3}}|(?:un |una |a |uns )?(?:par de|couple of)|{either(_COUNTS)})"
_WEEKDAY = f"(?:{either(word for word in WEEKDAY_OF if word not in PT_WEEKDAYS)})"
_UNIT = r"(?:dias?|days?|semanas?|weeks?|mes(?:es)?|months?|quincenas?|anos?|years?)"
_NEXT = r"(?:pro(?:x|cs|s|cc)im[oa]|otr[oa]|next|seguinte)"
_COMING = r"(?:que viene|que vem|entrante|siguiente|proxim[oa]|que entra|seguinte)"

Days = tuple[date, date]


class Span(Struct, frozen=True):
    """The days [first, last] and the part [start, end) of the text that says so. `full` names its month or year."""

    first: date
    last: date
    start: int
    end: int
    full: bool = False


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
    return 2 if word.endswith(("par de", "couple of")) else _COUNTS.get(word, 1)


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


def _dated(match: re.Match[str], today: date) -> Days:
    """3 de diciembre (de 2026), December 3rd, del 3 al 5 de diciembre."""
    parts = match.groupdict()
    month, last = MONTH_OF[parts["month"].rstrip(".")], _count(parts["day"])
    first = _count(parts["from"]) if parts.get("from") else last
    year = parts.get("year")
    if year:
        number = int(year) + (2000 if len(year) == 2 else 0)
        return _day(number, month, first), _day(number, month, last)
    end = _coming(today, month, last)
    return _day(end.year, month, first), end


def _numeric(match: re.Match[str], today: date) -> Days:
    """3/12, 03-12-2026: day first, as everywhere in Latin America; the other way round only where no day is that way."""
    day, month = int(match["day"]), int(match["month"])
    if month > 12 >= day:
        day, month = month, day
    if not match["year"]:
        return _one(_coming(today, month, day))
    year = int(match["year"])
    return _one(_day(year + (2000 if year < 100 else 0), month, day))


def _iso(match: re.Match[str], today: date) -> Days:
    return _one(_day(int(match["year"]), int(match["month"]), int(match["day"])))


def _of_month(match: re.Match[str], today: date) -> Days:
    """el 15; viernes 27."""
    day = _count(match["day"])
    for months in range(3):
        start = _months_on(today.replace(day=1), months)
        if day <= month_end(start).day and start.replace(day=day) >= today:
            return _one(start.replace(day=day))
    raise NoSuchDay


def _weekday(match: re.Match[str], today: date) -> Days:
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


def _weekday_range(match: re.Match[str], today: date) -> Days:
    first = today + timedelta(days=(WEEKDAY_OF[match["one"]] - today.weekday()) % 7)
    return first, first + timedelta(days=(WEEKDAY_OF[match["two"]] - first.weekday()) % 7)


def _week(weeks: int) -> Callable[[re.Match[str], date], Days]:
    def days(match: re.Match[str], today: date) -> Days:
        monday = today + timedelta(days=7 * weeks - today.weekday())
        return max(monday, today) if weeks == 0 else monday, monday + timedelta(days=6)

    return days


def _weekend(match: re.Match[str], today: date) -> Days:
    sunday = today + timedelta(days=6 - today.weekday())
    return max(today, sunday - timedelta(days=1)), sunday


def _month(months: int) -> Callable[[re.Match[str], date], Days]:
    def days(match: re.Match[str], today: date) -> Days:
        first = _months_on(today.replace(day=1), months)
        return max(first, today) if months == 0 else first, month_end(first)

    return days


def _named_month(match: re.Match[str], today: date) -> Days:
    month = MONTH_OF[match["month"]]
    year = int(match["year"]) if match["year"] else today.year + (month < today.month)
    first = date(year, month, 1)
    part = match["part"] or ""
    if part.startswith(("princip", "inici", "comienz", "beginning", "early", "comec")):
        return first, first.replace(day=10)
    if part.startswith(("medi", "mit", "mid", "meado")):
        return first.replace(day=11), first.replace(day=20)
    if part:
        return _one(month_end(first))
    return max(first, today) if first <= today <= month_end(first) else first, month_end(first)


def _month_end(match: re.Match[str], today: date) -> Days:
    return _one(month_end(_months_on(today, 1 if match["next"] else 0)))


def _mid_month(match: re.Match[str], today: date) -> Days:
    first = today.replace(day=1) if today.day <= 20 else _months_on(today.replace(day=1), 1)
    return first.replace(day=11), first.replace(day=20)


def _month_start(match: re.Match[str], today: date) -> Days:
    first = _months_on(today.replace(day=1), 1)
    return first, first.replace(day=10)


def _payday(match: re.Match[str], today: date) -> Days:
    """La quincena: the 15th or the last of the month, when wages are paid."""
    return _one(today.replace(day=15) if today.day <= 15 else month_end(today))


def _in(match: re.Match[str], today: date) -> Days:
    """en quince días, in 2 or 3 weeks, dentro de un mes."""
    high, unit = _count(match["count"]), match["unit"]
    low = _count(match["from"]) if match["from"] else high
    return _on(today, min(low, high), unit), _on(today, high, unit)


def _ago(match: re.Match[str], today: date) -> Days:
    return _one(_on(today, -_count(match["count"]), match["unit"]))


def _on(today: date, count: int, unit: str) -> date:
    if unit.startswith(("mes", "month")):
        return _months_on(today, count)
    if unit.startswith(("ano", "year")):
        return _months_on(today, 12 * min(count, 50) if count > 0 else 12 * max(count, -50))
    return today + timedelta(
        days=count * (7 if unit.startswith(("semana", "week")) else 15 if unit.startswith("quincena") else 1)
    )


def _plus(days: int) -> Callable[[re.Match[str], date], Days]:
    return lambda match, today: _one(today + timedelta(days=days))


def _yearly(month: int, day: int) -> Callable[[re.Match[str], date], Days]:
    def days(match: re.Match[str], today: date) -> Days:
        this = date(today.year, month, day)
        return _one(this if this >= today else date(today.year + 1, month, day))

    return days


def _next_year(match: re.Match[str], today: date) -> Days:
    return date(today.year + 1, 1, 1), date(today.year + 1, 12, 31)


def _past_week(match: re.Match[str], today: date) -> Days:
    return _one(today - timedelta(days=7))


_YEAR = r"(?:,? (?:de |del |of )?(?P<year>20\d\d))?"
_JOINED = r"(?: ?- ?| (?:al?|y|e|o|ou|or|to|and|hasta|ate|ao) )(?:el |al |the |dia )?"
_OR = rf"(?:(?P<from>{_COUNT}) ?(?:a|o|y|e|ou|or|to|-) ?)?(?P<count>{_COUNT}) (?P<unit>{_UNIT})"
_END = r"(?:fin(?:es|al(?:es)?)?|ultimos? dias?|end|final|fim)"
_START = r"(?:principios?|inicios?|comienzos?|comeco|beginning|early)"
_MIDDLE = r"(?:mediados|mitad|meados|middle|mid)"
_OF = r"(?:de|of|do|del)"
_THIS = r"(?:est[ea]|this|nest[ea]|ess[ea])"
_IN = r"(?:en|in|em|dentro de|daqui a|within|de aqui a|a) (?:menos de |about |like |a |unos |unas |los proximos )?"
_NOT_A_DAY = rf"(?:th|st|nd|rd)?(?! ?(?:{_UNIT}|de |of |[a-z]*pulg|%|mil|k|gb|hp|pro|:|am|pm|\d))"

_Rule = Callable[[re.Match[str], date], Days]
_FULL: tuple[tuple[str, _Rule], ...] = (
    (r"(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)", _iso),
    (r"(?P<day>\d{1,2})(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<year>20\d\d|\d\d)", _numeric),
    (rf"(?!treinta y un)(?P<from>{_DAY}){_JOINED}(?P<day>{_DAY}) (?:de |of )?(?P<month>{_MONTH}){_YEAR}", _dated),
    (
        rf"(?:{_WEEKDAY},? (?:the )?)?(?=\d|[a-z ]+ (?:de|of) )(?P<day>{_DAY}) ?(?:de |of |-)?(?P<month>{_MONTH}){_YEAR}",
        _dated,
    ),
    (
        rf"(?:{_WEEKDAY},? )?(?P<month>{_MONTH}) (?:the )?(?P<day>{_DAY})(?! ?(?:{_UNIT}|mil|k|gb))(?:,? (?P<year>20\d\d))?",
        _dated,
    ),
    (rf"(?P<part>{_END}|{_START}|{_MIDDLE}) (?:{_OF} )?(?P<month>{_LONG_MONTH}){_YEAR}", _named_month),
    (rf"(?P<part>)(?:en|in|em|para|pra|for|by|mes de) (?P<month>{_LONG_MONTH}){_YEAR}", _named_month),
)
"""Days that name their month."""
_RELATIVE: tuple[tuple[str, _Rule], ...] = (
    (r"(?P<day>[0-3]?\d)[/-](?P<month>[0-3]?\d)(?P<year>)(?! ?(?:mill|mil|de |pulg|[a-z\"]))", _numeric),
    (r"pasado manana|depois de amanha|(?:the )?day after tomorrow", _plus(2)),
    (rf"(?P<weekday>{_WEEKDAY}) (?:de|of|da) (?:la |the )?(?P<week>{_NEXT} (?:semana|week)|semana {_COMING})", _weekday),
    (rf"(?P<past>)(?:el )?(?P<weekday>{_WEEKDAY}) pas+ad[ao]", _weekday),
    (rf"(?:last|ultimo) (?P<past>)(?P<weekday>{_WEEKDAY})", _weekday),
    (rf"(?P<one>{_WEEKDAY}){_JOINED}(?P<two>{_WEEKDAY})", _weekday_range),
    (rf"{_WEEKDAY},? (?:el )?(?P<day>[0-3]?\d)(?! ?(?:am|pm|de la|a\.|p\.|:))", _of_month),
    (rf"(?P<which>{_THIS}|{_NEXT})? ?(?P<weekday>{_WEEKDAY})(?: {_COMING})?", _weekday),
    (rf"(?:{_THIS} |{_NEXT} )?(?:fin de semana|finde|weekend|fim de semana)(?: {_COMING})?", _weekend),
    (rf"{_END} (?:de la|de esta|of the|da) (?:semana|week)|{_THIS} (?:misma )?(?:semana|week)", _week(0)),
    (rf"{_NEXT} (?:semana|week)|semana {_COMING}|week after this", _week(1)),
    (rf"{_END} {_OF} (?:the |el |este )?(?P<next>(?:proximo|next|otro) )?(?:mes|month)", _month_end),
    (rf"(?:a )?{_MIDDLE} {_OF} (?:the |este )?(?:mes|month)", _mid_month),
    (rf"(?:a )?{_START} {_OF} (?:the )?(?:proximo |next )?(?:mes|month)", _month_start),
    (rf"{_END} {_OF} (?:the |este )?(?:ano|year)", _yearly(12, 31)),
    (rf"{_THIS} (?:mismo )?(?:mes|month)", _month(0)),
    (rf"{_NEXT} (?:mes|month)|mes {_COMING}", _month(1)),
    (rf"{_NEXT} (?:ano|year)|ano {_COMING}", _next_year),
    (rf"(?:hace|ha|faz) (?P<count>{_COUNT}) (?P<unit>{_UNIT})", _ago),
    (rf"(?P<count>{_COUNT}) (?P<unit>{_UNIT}) (?:ago|atras)", _ago),
    (r"(?:semana|mes) pas+ad[ao]|last (?:week|month)", _past_week),
    (_IN + _OR, _in),
    (r"(?:la )?(?:proxima )?quincena", _payday),
    (r"(?<!la )(?<!esta )(?<!las )(?<!buena )manana(?: mismo)?|amanha|tomorrow|tmrw", _plus(1)),
    (r"hoy(?: mismo| dia)?|today|hoje(?: mesmo)?|esta (?:tarde|noche|manana)|tonight", _plus(0)),
    (r"anteayer|antier", _plus(-2)),
    (r"ayer|yesterday|ontem", _plus(-1)),
    (r"(?:antes de )?(?:navidad(?:es)?|natal|christmas|xmas)", _yearly(12, 25)),
    (r"nochebuena", _yearly(12, 24)),
    (r"ano nuevo|new year|ano novo", _yearly(1, 1)),
    (rf"(?:el|dia|del|on the|no dia|the) (?:dia )?(?P<day>[0-3]?\d|quince|treinta|veinte|diez|primero){_NOT_A_DAY}", _of_month),
)
_RULES = tuple(
    (re.compile(rf"(?<![\w/])(?:{pattern})(?![\w/])"), rule, full)
    for rules, full in ((_FULL, True), (_RELATIVE, False))
    for pattern, rule in rules
)
_PT_RULE = (
    re.compile(rf"\b(?P<which>proxima|nesta|esta|essa)? ?(?P<weekday>{either(PT_WEEKDAYS)})(?: que vem)?\b"),
    _weekday,
    False,
)
_NOW = (
    r"(?:(?:lo|es|la|los|las) )?(?:necesito |quiero |para )?(?:ya|ya mismo|ahora|ahora mismo|ahorita|lo antes posible|"
    r"cuanto antes|lo mas pronto(?: posible)?|de inmediato|inmediat[oa]|urgente|es urgente|de una|pronto|asap|right now|now|"
    r"as soon as possible|agora|o quanto antes|o mais rapido possivel)"
)
_BARE: tuple[tuple[re.Pattern[str], _Rule], ...] = (
    (re.compile(_OR + r"(?: mas| maximo| max)?"), _in),
    (re.compile(rf"(?P<part>)(?P<month>{_LONG_MONTH}){_YEAR}"), _named_month),
    (re.compile(r"(?P<day>[0-3]?\d)"), _of_month),
    (re.compile(_NOW), _plus(0)),
)
_TRIGGER = re.compile(
    rf"\b(?:{either({*WEEKDAY_OF, *MONTH_OF})}|hoy|hoje|to(?:day|night|morrow)|tmrw|pasado|manana|amanha|esta|ayer|anteayer|"
    rf"antier|ontem|yesterday|"
    rf"{_UNIT}|quincena|finde|weekend|navidad(?:es)?|natal|christmas|xmas|nochebuena|nuevo|new|novo)\b"
    r"|\d[/.-]\d|\b(?:el|dia|del|the) (?:\d|quince|treinta|veinte|diez|primero)"
)
_MOST = 4


def _windows(folded: str) -> list[tuple[int, int]]:
    """The parts of a text around the words that any day is told with: the rules need not look at the rest."""
    windows: list[tuple[int, int]] = []
    for match in islice(_TRIGGER.finditer(folded), 6):
        start = folded.rfind(" ", 0, max(0, match.start() - 32)) + 1
        end = folded.find(" ", match.end() + 32)
        end = len(folded) if end < 0 else end
        if windows and start <= windows[-1][1]:
            windows[-1] = windows[-1][0], end
        else:
            windows.append((start, end))
    return windows


@lru_cache(64)
def spans(folded: str, today: date, language: str) -> tuple[Span, ...]:
    """The spans of days in a folded text, in their order. NoSuchDay when one cannot be."""
    windows = _windows(folded)
    found: list[Span] = []
    if not windows:
        return ()
    rules = (*_RULES, _PT_RULE) if language == "pt" else _RULES
    for pattern, rule, full in rules:
        for match in chain.from_iterable(pattern.finditer(folded, start, end) for start, end in windows):
            if len(found) >= _MOST:
                break
            if all(match.end() <= other.start or match.start() >= other.end for other in found):
                first, last = rule(match, today)
                lead = len(match.group()) - len(match.group().lstrip())
                found.append(Span(first, max(first, last), match.start() + lead, match.end(), full))
    return tuple(sorted(found, key=lambda span: span.start))


def bare(folded: str, today: date) -> Span | None:
    """What only says a day when it is all that was said: "15", "diciembre", "ya", "dos semanas"."""
    said = folded.strip(" .,!;¡")
    for pattern, rule in _BARE:
        match = pattern.fullmatch(said)
        if match:
            first, last = rule(match, today)
            return Span(first, last, folded.find(said), folded.find(said) + len(said))
    return None

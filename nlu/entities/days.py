"""The grammar of days in Spanish, English and Portuguese: words → spans of days, counted from today."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import chain, islice

from msgspec import Struct

from nlu.entities import day_rules as on
from nlu.entities.day_names import MONTH_OF, PT_WEEKDAYS, WEEKDAY_OF
from nlu.entities.day_rules import COUNTS, Days, NoSuchDay, Rule
from nlu.entities.numbers import SMALL


def either(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_MONTH = f"(?:{either(MONTH_OF)})\\b\\.?"
_LONG_MONTH = f"(?:{either(word for word in MONTH_OF if len(word) > 4 or word in ('mayo', 'maio', 'june', 'july'))})"
_DAY_WORDS = either({word for word, value in SMALL.items() if 1 < value <= 31} | {"primero", "primeiro", "first"})
_DAY = f"(?:[0-3]?\\d(?:st|nd|rd|th|ro|er|do|º|°)?|{_DAY_WORDS}|treinta y uno?)"
_COUNT = f"(?:\\d{{1,3}}|(?:un |una |a |uns )?(?:par de|couple of)|{either(COUNTS)})"
_WEEKDAY = f"(?:{either(word for word in WEEKDAY_OF if word not in PT_WEEKDAYS)})"
_UNIT = r"(?:dias?|days?|semanas?|weeks?|mes(?:es)?|months?|quincenas?|anos?|years?)"
_NEXT = r"(?:pro(?:x|cs|s|cc)im[oa]|otr[oa]|next|seguinte)"
_COMING = r"(?:que viene|que vem|entrante|siguiente|proxim[oa]|que entra|seguinte)"


class Span(Struct, frozen=True):
    """The days [first, last] and the part [start, end) of the text that says so. `full` names its month or year."""

    first: date
    last: date
    start: int
    end: int
    full: bool = False
    other: Days | None = None
    """Other days that are as likely meant: of "3/5", where the month may stand first, of "el próximo viernes" on a Tuesday."""


_YEAR = (
    r"(?:,? (?:de |del |of |do )?(?:ano )?(?P<year>20\d\d|(?:proximo|otro|este|next|this) (?:ano|year)|(?<=ano )que v[a-z]+))?"
)
_NTH = (
    r"(?P<nth>primer[ao]?|primeir[ao]|segund[ao]|tercer[ao]?|terceir[ao]|[cq]uart[ao]|quint[ao]|ultim[ao]|[1-4][a-z]{2}|first|second|"
    r"third|fourth|last)"
)
_OF_MONTH = (
    rf" (?:de |del |do |of |of the )(?:(?P<month>{_LONG_MONTH}){_YEAR}|"
    r"(?P<next>(?:el )?(?:proximo|otro|next) )?(?:este |the )?(?:mes|month))"
)
_PERIOD = "semana|mes|ano|trimestre|semestre|week|month|year|quarter"
_PART_OF_YEAR = r"(?P<unit>trimestre|quarter|semestre)"
_JOINED = r"(?: ?- ?| (?:al?|y|e|o|ou|or|to|and|hasta|ate|ao) )(?:el |al |the |dia )?"
_OR = rf"(?:(?P<from>{_COUNT}) ?(?:a|o|y|e|ou|or|to|-) ?)?(?P<count>{_COUNT}) (?P<unit>{_UNIT})"
_END = r"(?:fin(?:es|al(?:es)?)?|ultimos? dias?|end|final|fim)"
_START = r"(?:principios?|inicios?|comienzos?|comeco|beginning|early)"
_MIDDLE = r"(?:mediados|mitad|meados|middle|mid)"
_OF = r"(?:de|of|do|del)"
_THIS = r"(?:est[ea]|this|nest[ea]|ess[ea])"
_IN = r"(?:en|in|em|dentro de|daqui a|within|de aqui a|a) (?:menos de |about |like |a |unos |unas |los proximos )?"
_NOT_A_DAY = rf"(?:th|st|nd|rd)?(?! ?(?:{_UNIT}|de |of |[a-z]*pulg|%|por ?cien|al \d|mil|k|gb|hp|pro|:|am|pm|\d))"

_FULL: tuple[tuple[str, Rule], ...] = (
    (r"(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)", on.iso),
    (r"(?P<day>\d{1,2})(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<year>20\d\d|\d\d)", on.numeric),
    (rf"(?!treinta y un)(?P<from>{_DAY}){_JOINED}(?P<day>{_DAY}) (?:de |of )?(?P<month>{_MONTH}){_YEAR}", on.dated),
    (
        rf"(?:{_WEEKDAY},? (?:the )?)?(?=\d|[a-z ]+ (?:de|of) )(?P<day>{_DAY}) ?(?:de |of |-)?(?P<month>{_MONTH}){_YEAR}",
        on.dated,
    ),
    (
        rf"(?:{_WEEKDAY},? )?(?P<month>{_MONTH}) (?:the )?(?P<day>{_DAY})(?! ?(?:{_UNIT}|mil|k|gb))(?:,? (?P<year>20\d\d))?",
        on.dated,
    ),
    (rf"(?P<part>{_END}|{_START}|{_MIDDLE}) (?:{_OF} )?(?P<month>{_LONG_MONTH}){_YEAR}", on.named_month),
    (rf"{_NTH} (?P<weekday>{_WEEKDAY}){_OF_MONTH}", on.nth_weekday),
    (rf"{_NTH} (?:semana|week){_OF_MONTH}", on.nth_week),
    (rf"{_NTH} quin[cz]ena{_OF_MONTH}", on.half_month),
    (rf"(?P<part>)(?:en|in|em|para|pra|for|by|mes de) (?P<month>{_LONG_MONTH}){_YEAR}", on.named_month),
)
"""Days that name their month."""
_RELATIVE: tuple[tuple[str, Rule], ...] = (
    (r"(?P<day>[0-3]?\d)[/-](?P<month>[0-3]?\d)(?P<year>)(?! ?(?:mill|mil|de |pulg|[a-z\"]))", on.numeric),
    (r"pasa?d?o manana|depois de amanha|(?:the )?day after tomorrow", on.plus(2)),
    (rf"(?P<weekday>{_WEEKDAY}) (?:de|of|da) (?:la |the )?(?P<week>{_NEXT} (?:semana|week)|semana {_COMING})", on.weekday),
    (rf"(?P<past>)(?:el )?(?P<weekday>{_WEEKDAY}) pas+ad[ao]", on.weekday),
    (rf"(?:last|ultimo) (?P<past>)(?P<weekday>{_WEEKDAY})", on.weekday),
    (rf"(?:(?:de )?hoy|(?P<weekday>{_WEEKDAY})) en (?P<count>ocho|8|quince|15)(?! (?:dias|semanas|meses))", on.weeks_from),
    (rf"(?P<one>{_WEEKDAY}){_JOINED}(?P<two>{_WEEKDAY})", on.weekday_range),
    (rf"{_WEEKDAY},? (?:el )?(?P<day>[0-3]?\d)(?! ?(?:am|pm|de la|a\.|p\.|:))", on.of_month),
    (rf"(?P<which>{_THIS}|{_NEXT})? ?(?P<weekday>{_WEEKDAY})(?: {_COMING})?", on.weekday),
    (rf"(?:{_THIS} |{_NEXT} )?(?:fin de semana|finde|weekend|fim de semana)(?: {_COMING})?", on.weekend),
    (rf"{_END} (?:de la|de esta|of the|da) (?:semana|week)|{_THIS} (?:misma )?(?:semana|week)", on.week(0)),
    (rf"{_NEXT} (?:semana|week)|semana {_COMING}|week after this", on.week(1)),
    (rf"{_END} {_OF} (?:the |el |este )?(?P<next>(?:proximo|next|otro) )?(?:mes|month)", on.end_of_month),
    (rf"(?:a )?{_MIDDLE} {_OF} (?:the |este )?(?:mes|month)", on.mid_month),
    (rf"(?:a )?{_START} {_OF} (?:the )?(?:proximo |next )?(?:mes|month)", on.month_start),
    (rf"q(?P<nth>[1-4]){_YEAR}", on.part_of_year),
    (rf"{_NTH} {_PART_OF_YEAR}{_YEAR}", on.part_of_year),
    (rf"(?:{_THIS} (?:mismo )?|(?P<next>{_NEXT}) ){_PART_OF_YEAR}", on.part_of_year),
    (rf"{_PART_OF_YEAR}(?P<coming> {_COMING})", on.part_of_year),
    (r"(?:a )?(?:mitad|mediados|meados|middle) (?:de|of|do) (?:the )?(?:ano|year)", on.mid_year),
    (rf"{_THIS} quin[cz]ena|{_NTH} quin[cz]ena", on.half_month),
    (
        (
            rf"(?:del|desde el|entre el|from the|do dia|between the) (?:dia )?(?P<from>{_DAY}) "
            rf"(?:al|hasta el|y el|to the|and the|ao) (?:dia )?(?P<day>{_DAY}){_NOT_A_DAY}"
        ),
        on.from_to,
    ),
    (rf"{_END} {_OF} (?:the |este )?(?:ano|year)", on.yearly(12, 31)),
    (rf"{_THIS} (?:mismo )?(?:mes|month)", on.month(0)),
    (rf"{_NEXT} (?:mes|month)|mes {_COMING}", on.month(1)),
    (rf"{_NEXT} (?:ano|year)|ano {_COMING}", on.next_year),
    (rf"(?:hace|ha|faz) (?P<count>{_COUNT}) (?P<unit>{_UNIT})", on.ago),
    (rf"(?P<count>{_COUNT}) (?P<unit>{_UNIT}) (?:ago|atras)", on.ago),
    (rf"(?P<unit>{_PERIOD}) pas+ad[ao]|(?:last|ultim[oa]) (?P<unit_>{_PERIOD})", on.past),
    (_IN + _OR, on.after),
    (r"(?:la )?(?:proxima )?quin[cz]ena", on.payday),
    (r"(?<!la )(?<!esta )(?<!las )(?<!buena )(?:manana|mnn|mnna|mna)(?: mismo)?|amanha|tomorrow|tmrw", on.plus(1)),
    (r"hoy(?: mismo| dia)?|today|hoje(?: mesmo)?|esta (?:tarde|noche|manana)|tonight", on.plus(0)),
    (r"in a fortnight", on.plus(14)),
    (r"anteayer|antier", on.plus(-2)),
    (r"ayer|yesterday|ontem", on.plus(-1)),
    (r"(?:antes de )?(?:navidad(?:es)?|natal|christmas|xmas)", on.yearly(12, 25)),
    (r"nochebuena", on.yearly(12, 24)),
    (r"ano nuevo|new year|ano novo", on.yearly(1, 1)),
    (rf"(?:el|dia|del|on the|no dia|the) (?:dia )?(?P<day>[0-3]?\d|quince|treinta|veinte|diez|primero){_NOT_A_DAY}", on.of_month),
)
_RULES = tuple(
    (re.compile(rf"(?<![\w/])(?:{pattern})(?![\w/])"), rule, full)
    for rules, full in ((_FULL, True), (_RELATIVE, False))
    for pattern, rule in rules
)
_PT_RULE = (
    re.compile(rf"\b(?P<which>proxima|nesta|esta|essa)? ?(?P<weekday>{either(PT_WEEKDAYS)})(?: que vem)?\b"),
    on.weekday,
    False,
)
_NOW = (
    r"(?:(?:lo|es|la|los|las) )?(?:necesito |quiero |para )?(?:ya|ya mismo|ahora|ahora mismo|ahorita|lo antes posible|"
    r"cuanto antes|lo mas pronto(?: posible)?|de inmediato|inmediat[oa](?:mente)?|urgente|es urgente|de una|pronto|asap|"
    r"right now|now|as soon as possible|agora|o quanto antes|o mais rapido possivel)"
)
_BARE: tuple[tuple[re.Pattern[str], Rule], ...] = (
    (re.compile(_OR + r"(?: mas| maximo| max)?"), on.after),
    (re.compile(rf"(?P<part>)(?P<month>{_LONG_MONTH}){_YEAR}"), on.named_month),
    (re.compile(r"(?P<day>[0-3]?\d)"), on.of_month),
    (re.compile(_NOW), on.plus(0)),
)
_TRIGGER = re.compile(
    rf"\b(?:{either({*WEEKDAY_OF, *MONTH_OF})}|hoy|hoje|to(?:day|night|morrow)|tmrw|pasado|manana|mn+a?|mna|amanha|esta|ayer|"
    r"anteayer|"
    rf"antier|ontem|yesterday|"
    rf"{_UNIT}|quin[cz]ena|trimestre|quarter|semestre|q[1-4]|fortnight|finde|weekend|navidad(?:es)?|natal|christmas|xmas|nochebuena|nuevo|new|novo)\b"
    rf"|\b(?:del|entre el|desde el) (?:{_DAY_WORDS})\b"
    r"|\d[/.-]\d|\b(?:el|dia|del|the) (?:\d|quince|treinta|veinte|diez|primero)"
)
_MOST = 4
_MONTH_FIRST = frozenset({"US", "PA", "PR"})
"""Countries in which 3/5 may be the fifth of March; whoever writes English may mean it anywhere."""


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
def spans(folded: str, today: date, language: str, country: str = "CO") -> tuple[Span, ...]:
    """The spans of days in a folded text, in their order. `country` (ISO 3166-1) decides between day and month. NoSuchDay when
    one cannot be."""
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
                (first, last), other = _readings(rule, match, today, language, country)
                lead = len(match.group()) - len(match.group().lstrip())
                found.append(Span(first, max(first, last), match.start() + lead, match.end(), full, other))
    return tuple(sorted(found, key=lambda span: span.start))


def _readings(rule: Rule, match: re.Match[str], today: date, language: str, country: str) -> tuple[Days, Days | None]:
    """The days meant, and others that are as likely."""
    if rule is on.weekday:
        return rule(match, today), on.weekday_again(match, today)
    if rule is not on.numeric or (country not in _MONTH_FIRST and language != "en"):
        return rule(match, today), None
    try:
        day_first = rule(match, today)
    except NoSuchDay:
        return on.numeric_month_first(match, today) or rule(match, today), None
    try:
        month_first = on.numeric_month_first(match, today)
    except NoSuchDay:
        month_first = None
    return (month_first, day_first) if month_first is not None and country in _MONTH_FIRST else (day_first, month_first)


def bare(folded: str, today: date) -> Span | None:
    """What only says a day when it is all that was said: "15", "diciembre", "ya", "dos semanas"."""
    said = folded.strip(" .,!;¡")
    for pattern, rule in _BARE:
        match = pattern.fullmatch(said)
        if match:
            first, last = rule(match, today)
            return Span(first, last, folded.find(said), folded.find(said) + len(said))
    return None

"""Counts and measures: "dos docenas", "media tonelada", "3 cajas de 12", "un contenedor de 40 pies", "entre 10 y 20 pallets"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from nlu.entities.numbers import Number, numbers

_UNITS: Mapping[str, str] = {
    "unit": r"unidad(?:es)?|units?|uds?|und|piezas?|pieces?|pecas?|pcs|pzas?",
    "box": r"cajas?|cajitas?|box(?:es)?|caixas?|cartones|carton",
    "pack": r"paquetes?|packs?|pacas?|bultos?|fardos?|pacotes?|bolsas?|sacos?|bags?|sacks?",
    "pallet": r"pall?ets?|tarimas?|estibas?",
    "container": r"contenedor(?:es)?|containers?|conteiner(?:es)?|conteineres|teus?",
    "person": r"personas?|people|pessoas?",
    "device": r"computador(?:es|as?)?|equipos?|portatil(?:es)?|laptops?|celulares?|telefonos?",
    "t": r"toneladas?|tons?|tm|tn",
    "kg": r"kilogramos?|kilos?|kgs?|quilos?",
    "g": r"gramos?|grs?|grams?",
    "lb": r"libras?|lbs?|pounds?",
    "m": r"metros?|mts?|meters?|µ",
    "cm": r"centimetros?|cms?",
    "m2": r"metros? cuadrados?|mt2|µ[2²]",
    "m3": r"metros? cubicos?|mt3|µ[3³]|cbm",
    "ft": r"pies|pie|feet|foot|ft|pes(?= )",
    "in": r"pulgadas?|inch(?:es)?|polegadas?",
    "l": r"litros?|lts?|liters?|l",
    "gal": r"galon(?:es)?|gallons?",
}
"""{unit: what it is called}; a symbol is the unit's own."""
_NAMED = "|".join(f"(?P<{unit}>{called})" for unit, called in sorted(_UNITS.items(), key=lambda one: -len(one[1])))
_AFTER = re.compile(rf" *(?:de )?(?:{_NAMED})(?![a-z0-9])")
_METRES = re.compile(r"(?<=\d)( ?)m(?=[23²³]?(?![a-z0-9]))")
""" "8 m3": metres here, and a million where money is spoken of."""
_HALF = re.compile(rf"\b(?:medi[oa]|mei[oa]|half(?: an?)?|(?P<quarter>un cuarto de|cuarto de)) (?:de )?(?:{_NAMED})(?![a-z0-9])")
_AND_HALF = re.compile(r" (?:y|e|and) (?:medi[oa]|mei[oa]|(?:a )?half)\b")
_OF = re.compile(r" (?:de|of|x|con|por) (?:a )?$")
_JOIN = re.compile(r" ?(?P<mark>-|\b(?:a|o|u|to|or|ou|ate|hasta)\b|\b(?P<and>y|e|and)\b) ?(?:unas? |unos )?")
_OPENS = re.compile(r"\b(?:entre|between|de|from|desde) (?:unas? |unos )?$")
_PACKED = frozenset({"box", "pack", "pallet"})


class Quantity(Struct, frozen=True):
    """`value` of `unit` ("" where only a number was said); the part [start, end) of the text. `low`: the lower end of a range."""

    value: Decimal
    unit: str
    start: int
    end: int
    low: Decimal | None = None
    each: Decimal | None = None
    """How many, or what length, one of them holds: 12 in "3 cajas de 12", 40 in "un contenedor de 40 pies"."""
    weak: bool = False
    """A lone "un" or "una"."""


@lru_cache(64)
def quantities(folded: str, language: str = "es", country: str = "CO") -> tuple[Quantity, ...]:
    """Every count and measure in a folded text, in its order; bare numbers too."""
    folded = _METRES.sub(r"\1µ", folded)
    halves = tuple(_half(match) for match in _HALF.finditer(folded))
    found = list(halves)
    read = [
        each
        for each in numbers(folded, language, country)
        if all(each.end <= half.start or half.end <= each.start for half in halves)
    ]
    at = 0
    while at < len(read):
        low, number = None, read[at]
        if found and found[-1].start < number.start < found[-1].end:  # the 3 of "8 m3"
            at += 1
            continue
        if at + 1 < len(read) and _is_range(folded, number, read[at + 1]):
            low, number = number.value, read[at + 1]
            at += 1
        at += 1
        start = read[at - 2].start if low is not None else number.start
        quantity = _measured(folded, number, start, low)
        before = found[-1] if found else None
        if before and before.unit in (*_PACKED, "container") and before.each is None and _is_content(folded, before, quantity):
            found[-1] = Quantity(before.value, before.unit, before.start, quantity.end, before.low, quantity.value)
            continue
        found.append(quantity)
    return tuple(sorted(found, key=lambda each: each.start))


def _measured(folded: str, number: Number, start: int, low: Decimal | None) -> Quantity:
    unit = _AFTER.match(folded, number.end)
    if unit is None:
        return Quantity(number.value, "", start, number.end, low, weak=number.weak)
    more = _AND_HALF.match(folded, unit.end())
    value = number.value + (Decimal("0.5") if more else 0)
    return Quantity(value, unit.lastgroup or "", start, more.end() if more else unit.end(), low, weak=number.weak)


def _half(match: re.Match[str]) -> Quantity:
    unit = next(unit for unit in _UNITS if match[unit])
    return Quantity(Decimal("0.25") if match["quarter"] else Decimal("0.5"), unit, *match.span())


def _is_content(folded: str, outer: Quantity, inner: Quantity) -> bool:
    """Whether a number tells what each of the things before it holds: "3 cajas de 12"."""
    return outer.end < inner.start and _OF.fullmatch(folded[outer.end : inner.start]) is not None


def _is_range(folded: str, low: Number, high: Number) -> bool:
    """ "10 a 20", "entre 10 y 20"; "3 y 4" is no range."""
    join = _JOIN.fullmatch(folded[low.end : high.start])
    if join is None or low.weak or low.value >= high.value:
        return False
    return join["and"] is None or _OPENS.search(folded[: low.start]) is not None

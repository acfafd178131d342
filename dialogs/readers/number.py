"""A count or measure: "12", "doce", "media docena", "unas 20 cajas", "entre 10 y 20"."""

from __future__ import annotations

import re
from decimal import Decimal

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading
from nlu.entities.numbers import Number, numbers, plain, shown_number
from nlu.entities.words import fold, is_blank, unknown

_RANGE = re.compile(r"[^0-9]{0,12}?(?:-|\b(?:a|o|y|e|u|to|or|and|ou|ate|hasta)\b)[^0-9]{0,6}?")
_RANGE_OPENS = re.compile(r"\b(?:entre|between|de|from|desde) *$")
_COUNTED = re.compile(
    r" *(?:unidad(?:e)?s?|piezas?|cajas?|paquetes?|docenas?|unidades|units?|pieces?|boxes|box|caixas?|pecas?|pares|bultos?|"
    r"palets?|pallets?|"
    r"personas?|people|pessoas?|toneladas?|tons?|kilos?|kg|metros?|m2|m3|contenedores|contenedor|computador(?:es|as?)?|"
    r"equipos?|portatiles|laptops?)(?![a-z])"
)


class NumberReader:
    """Units are ignored; of a range the upper end counts."""

    misses = frozenset({"empty", "unknown", "not_a_number", "ambiguous", "too_small", "too_large"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        if is_blank(heard.text):
            return Miss("empty")
        text = fold(heard.text[:LOOKED_AT])
        every = numbers(text, ask.language, ask.country)
        found = [number for number in every if not number.weak] or list(every)
        found = _merged(found, text)
        if not found:
            return Miss("unknown" if unknown(text) else "not_a_number")
        if len({number.value for number in found}) > 1:
            counted = [number for number in found if _COUNTED.match(text, number.end)]
            if len({number.value for number in counted}) != 1:
                return Miss("ambiguous")
            found = counted
        number = found[0]
        if number.weak and len(text.split()) > 3:
            return Miss("not_a_number")
        return _reading(number, text, ask)

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        text = fold(heard.text[:LOOKED_AT])
        found = [
            number for number in numbers(text, ask.language, ask.country) if _COUNTED.match(text, number.end) and not number.weak
        ]
        if len(found) != 1:
            return None
        reading = _reading(found[0], text, ask)
        return reading if isinstance(reading, Reading) else None


def _merged(found: list[Number], text: str) -> list[Number]:
    """Two ends of a range become its upper one."""
    if len(found) != 2 or found[0].value >= found[1].value * found[1].scale:
        return found
    low, high = found
    between = text[low.end : high.start]
    joined_by_and = re.search(r"\b(?:y|e|and)\b", between)
    if _RANGE.fullmatch(between) and (not joined_by_and or _RANGE_OPENS.search(text, 0, low.start)):
        return [high]
    return found


def _reading(number: Number, text: str, ask: Ask) -> Reading | Miss:
    value = number.value
    if text[: number.start].rstrip(" ").endswith("-") and text[: number.start].strip(" -") == "":
        value = -value
    if abs(value) >= Decimal(10) ** 15 or (ask.maximum is not None and value > ask.maximum):
        return Miss("too_large")
    if value < (ask.minimum if ask.minimum is not None else 0):
        return Miss("too_small")
    whole = value == value.to_integral_value()
    return Reading(
        int(value) if whole else plain(value), shown_number(value, ask.language, ask.country), span=(number.start, number.end)
    )

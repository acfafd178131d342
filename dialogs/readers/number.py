"""A count or measure: "12", "doce", "media docena", "unas 20 cajas", "entre 10 y 20"."""

from __future__ import annotations

from decimal import Decimal

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading
from nlu.entities.numbers import plain, shown_number
from nlu.entities.quantities import Quantity, quantities
from nlu.entities.words import fold, is_blank, unknown


class NumberReader:
    """Units are ignored; of a range the upper end counts."""

    misses = frozenset({"empty", "unknown", "not_a_number", "ambiguous", "too_small", "too_large"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        if is_blank(heard.text):
            return Miss("empty")
        text = fold(heard.text[:LOOKED_AT])
        every = quantities(text, ask.language, ask.country)
        found = [each for each in every if not each.weak] or list(every)
        if not found:
            return Miss("unknown" if unknown(text) else "not_a_number")
        if len({each.value for each in found}) > 1:
            found = [each for each in found if each.unit]
            if len({each.value for each in found}) != 1:
                return Miss("ambiguous")
        number = found[0]
        if number.weak and len(text.split()) > 3:
            return Miss("not_a_number")
        return _reading(number, text, ask)

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        text = fold(heard.text[:LOOKED_AT])
        found = [each for each in quantities(text, ask.language, ask.country) if each.unit and not each.weak]
        if len(found) != 1:
            return None
        reading = _reading(found[0], text, ask)
        return reading if isinstance(reading, Reading) else None


def _reading(number: Quantity, text: str, ask: Ask) -> Reading | Miss:
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

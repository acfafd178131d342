"""The number that somebody is invoiced under: NIT, cédula, RUC, RFC, CUIT, CPF, CNPJ."""

from __future__ import annotations

import re

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading
from nlu.entities.words import clean, fold, is_blank, unknown

_NAMED = (
    r"(?:nit|cedula(?: de (?:ciudadania|extranjeria))?|c\.? ?c|c\.? ?e|dni|ruc|rut|rfc|cuit|cpf|cnpj|tax id|id|documento|"
    r"identificacion|ci)"
)
_NUMBER = r"(?:[a-z&]{3,4}\d{6}[a-z0-9]{3}|[a-z]?-?\d[\d.,' /-]*\d(?:-?[\dk])?)(?![a-z0-9])"
_ANY = re.compile(rf"(?<![a-z0-9.,]){_NUMBER}")
_CUED = re.compile(
    rf"\b{_NAMED}\.?(?: (?:es|el|la|numero|no|is|number|e|o|del?|mi|empresa|de la empresa))*[ :#.]* ?(?P<id>{_NUMBER})"
)
_FEWEST, _MOST = 6, 15
"""Digits and letters of such a number, separators left out."""


class TaxIdReader:
    """The value is the number as written, without spaces: its check digit and separators are the seller's to judge."""

    misses = frozenset({"empty", "unknown", "not_an_id"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        text = heard.text[:LOOKED_AT]
        folded = fold(text)
        if is_blank(text):
            return Miss("empty")
        found = [reading for match in _ANY.finditer(folded) if (reading := _reading(text, *match.span())) is not None]
        if len({reading.value for reading in found}) == 1:
            return found[0]
        return Miss("unknown" if unknown(folded) else "not_an_id")

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """A number that is named: "NIT 900.123.456-7"."""
        text = heard.text[:LOOKED_AT]
        match = _CUED.search(fold(text))
        return _reading(text, *match.span("id")) if match else None


def _reading(text: str, start: int, end: int) -> Reading | None:
    written = clean(text[start:end]).replace(" ", "").upper()
    signs = sum(character.isalnum() for character in written)
    return Reading(written, written, span=(start, end)) if _FEWEST <= signs <= _MOST else None

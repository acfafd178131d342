"""Telephone numbers, also dictated in words, read by the habits of the country that was written to."""

from __future__ import annotations

import re

import phonenumbers

from crm_bridge.people.rules import canonical_phone
from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading, one_of
from nlu.entities.numbers import numbers, plain
from nlu.entities.references import references
from nlu.entities.words import fold, is_blank

_RUN = re.compile(r"(?<![\w@.$#])(?:\+ ?|\()?\d(?:[\d()/. -]{0,22}\d)?(?![\w@%])")
_DOUBLE = re.compile(r"\b(?:doble|double|dobro) ([a-z]+)")
_TRIPLE = re.compile(r"\b(?:triple|triplo) ([a-z]+)")
_CUE = re.compile(
    r"\b(?:tel(?:efono)?|cel(?:ular)?|movil|whats ?app|wsp|wpp|watsap|fono|llam\w+|phone|mobile|cell|call|fone|telefone|ligar|"
    r"numero de (?:contacto|telefono)|mi numero|my number|meu numero|contacto|comunicarse)\b"
)


class PhoneReader:
    """The value is E.164 with its plus sign, in the canonical form that makes one person one (see `canonical_phone`)."""

    misses = frozenset({"empty", "not_a_phone", "too_short", "too_long", "ambiguous"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        for attachment in heard.attachments:
            if attachment.kind == "contact" and attachment.phone:
                reading = _reading(attachment.phone, ask, None)
                if reading:
                    return reading
        if is_blank(heard.text):
            return Miss("empty")
        text = _numbers_of_people(fold(heard.text[:LOOKED_AT]))
        found = _found(text, ask)
        if found:
            return one_of(found)
        spoken = _spoken(text, ask.language)
        if len(spoken) >= 6:
            reading = _reading(spoken, ask, None)
            if reading:
                return reading
        digits = re.sub(r"\D", "", text) or spoken
        if not digits:
            return Miss("not_a_phone")
        return Miss("too_long" if len(digits) > 13 else "too_short" if len(digits) < 10 else "not_a_phone")

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """A number with its country code, a mobile of this country, or any valid number that is called a telephone."""
        text = _numbers_of_people(fold(heard.text[:LOOKED_AT]))
        found = []
        for reading in _found(text, ask):
            start, end = reading.span or (0, 0)
            called = _CUE.search(text[max(0, start - 40) : start]) is not None
            written = text[start:end]
            if (
                called
                or written.startswith("+")
                or (_is_mobile(str(reading.value), ask.country) and len(re.sub(r"\D", "", written)) >= 10)
            ):
                found.append(reading)
        return found[0] if len({reading.value for reading in found}) == 1 else None


def _numbers_of_people(folded: str) -> str:
    """The text without the numbers of orders, papers and parcels, every other character in its place."""
    for each in references(folded):
        folded = folded[: each.start] + " " * (each.end - each.start) + folded[each.end :]
    return folded


def _found(text: str, ask: Ask) -> list[Reading]:
    found = []
    for match in list(_RUN.finditer(text))[:6]:
        reading = _reading(match.group(), ask, match.span())
        if reading:
            found.append(reading)
    return found


def _reading(written: str, ask: Ask, span: tuple[int, int] | None) -> Reading | None:
    parsed = _parsed(written, ask.country)
    if parsed is None:
        return None
    shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return Reading(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), shown, span=span)


def _parsed(written: str, country: str) -> phonenumbers.PhoneNumber | None:
    """A valid number in its canonical form: first as dialled in the country, then as a country code without its plus."""
    digits = re.sub(r"\D", "", written)
    if not 6 <= len(digits) <= 17:
        return None
    attempts = [digits] if written.lstrip("( ").startswith("+") else []
    if not attempts:
        local = _parse(digits, country)
        if local is not None:
            attempts.append(f"{local.country_code}{local.national_number}")
        attempts += [digits, f"{phonenumbers.country_code_for_region(country)}{digits}"]
    for attempt in attempts:
        number = _parse("+" + canonical_phone(attempt), None)
        if number is not None and phonenumbers.is_valid_number(number):
            return number
    return None


def _parse(written: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return None


def _is_mobile(e164: str, country: str) -> bool:
    number = _parse(e164, None)
    if number is None or phonenumbers.region_code_for_number(number) != country:
        return False
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return phonenumbers.number_type(number) in kinds


def _spoken(text: str, language: str) -> str:
    """The digits of a number that was dictated: "tres cero cero, doble cinco, veintidós …"."""
    if language == "pt":
        text = re.sub(r"\bmeia\b", "seis", text)
    text = _DOUBLE.sub(r"\1 \1", _TRIPLE.sub(r"\1 \1 \1", text))
    said = [(number, text[number.start : number.end]) for number in numbers(text, language)]
    return "".join(written if written.isdigit() else plain(number.value) for number, written in said if number.scale == 1)

"""Who is who: one spelling of a telephone number for one person, and a name fit to be shown."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

_NOT_DIGIT = re.compile(r"[^0-9]")
_MEXICO = re.compile(r"52(?:1|044|045|01)(\d{10})")
_BRAZIL = re.compile(r"550?([1-9]\d)([6-9]\d{7})")
_ARGENTINA = re.compile(r"540?9?0?(\d{10})")
_ARGENTINA_15 = re.compile(r"540?9?0?(11|[23]\d{2,3})15(\d{6,8})")
_SPACE = re.compile(r"\s+")


def canonical_phone(digits: str) -> str:
    """The one spelling of an international number: E.164 digits without a plus sign.

    Mexico loses the 1 (or 044, 045, 01) of old mobile dialling; Argentina always has the 9, never the 15: its ten digits name
    one line whether or not they are dialled as a mobile; a Brazilian mobile has its ninth digit. A trunk zero goes.
    What is no number of any country stays as it is, digits only."""
    digits = _NOT_DIGIT.sub("", digits)
    if digits.startswith("00"):
        digits = digits.lstrip("0")
    if digits.startswith("52"):
        mexico = _MEXICO.fullmatch(digits)
        return f"52{mexico[1]}" if mexico else digits
    if digits.startswith("54"):
        return _argentina(digits)
    if digits.startswith("55"):
        brazil = _BRAZIL.fullmatch(digits)
        if brazil:
            return f"55{brazil[1]}9{brazil[2]}"
    return _without_trunk_zero(digits)


def _argentina(digits: str) -> str:
    with_15 = _ARGENTINA_15.fullmatch(digits)
    if with_15 and len(with_15[1]) + len(with_15[2]) == 10:
        return f"549{with_15[1]}{with_15[2]}"
    plain = _ARGENTINA.fullmatch(digits)
    if plain and plain[1][0] in "123":
        return f"549{plain[1]}"
    return digits


def _without_trunk_zero(digits: str) -> str:
    """ "593 099 …" → "593 99 …", where the number is only possible without the zero that is dialled inside the country."""
    size = next((size for size in (1, 2, 3) if int(digits[:size] or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), 0)
    if not size or not 8 <= len(digits) <= 17 or digits[size] != "0":
        return digits
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return digits
    if number.italian_leading_zero or not phonenumbers.is_valid_number(number):
        return digits
    return f"{number.country_code}{number.national_number}"


def region_of(digits: str) -> str | None:
    """The country (ISO 3166-1 alpha-2) of an international number, or None."""
    try:
        number = phonenumbers.parse(f"+{canonical_phone(digits)}", None)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return region if region and len(region) == 2 and region.isalpha() and region != "ZZ" else None


def clean_name(profile_name: str) -> str | None:
    """A profile's name without emoji, decoration and control marks; None when no name is left ("🌸", "+57 300…")."""
    plain = unicodedata.normalize("NFKC", profile_name[:200])
    kept = "".join(character if _is_name_part(character) else " " for character in plain)
    name = _SPACE.sub(" ", kept).strip(" .-'’&/,")[:80].rstrip()
    return name if sum(character.isalpha() for character in name) >= 2 else None


def _is_name_part(character: str) -> bool:
    return character in " .-'’&/," or unicodedata.category(character)[0] in ("L", "N") or unicodedata.category(character) == "Mn"

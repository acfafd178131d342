"""Amounts of money: "2 millones", "US$ 300", "15 lucas", "entre 2 y 3 millones", "unos 800"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading, one_of
from nlu.entities.numbers import Number, numbers, plain, shown_number
from nlu.entities.references import references
from nlu.entities.words import fold, is_blank, unknown

_CURRENCIES = {
    "USD": r"us ?\$|u\$s|u\$d|usd|\$ ?usd|dolar(?:es|itos|citos)?(?: americanos)?|dollars?|bucks|(?<=palos )verdes|dls|dlls",
    "EUR": r"€|eur(?:os?)?",
    "BRL": r"r\$|brl|reais|reales",
    "PEN": r"s/\.?|pen|soles|sol(?=$|[^a-z])",
    "COP": r"cop\$?|col\$|pesos colombianos",
    "MXN": r"mxn|mx\$|pesos mexicanos",
    "CLP": r"clp\$?|pesos chilenos",
    "ARS": r"ars|ar\$|pesos argentinos",
    "UYU": r"uyu|\$u|pesos uruguayos",
    "DOP": r"dop|rd\$|pesos dominicanos",
    "GTQ": r"gtq|quetzal(?:es)?",
    "HNL": r"hnl|lempiras?",
    "NIO": r"nio|cordobas",
    "CRC": r"crc|₡|colones",
    "BOB": r"bob|bs\.?|bolivianos",
    "PYG": r"pyg|₲|gs\.?|guaranies",
    "VES": r"bolivares",
    "PAB": r"pab|balboas?",
    "GBP": r"gbp|£",
    "": r"\$|pesos?|pesitos",
}
_SLANG = {"AR": ("ARS", "mangos"), "BR": ("BRL", "pilas?|contos?|paus?"), "MX": ("MXN", r"varos?|m\.?n\.?")}
"""What money is called in one country, and fruit or batteries in the next."""
_RANGE = re.compile(r" ?(?:y|a|e|o|u|and|to|or|ou|ate|hasta|-|al) ?(?:los |unos |las )?")
_RANGE_OPENS = re.compile(r"(?:\b(?:entre|de|desde|between|from|unos)|^\W*)(?: unos| los)? ?\W{0,4}$")
_SYMBOLS = {
    "USD": "US$",
    "EUR": "€",
    "BRL": "R$",
    "PEN": "S/",
    "GBP": "£",
    "GTQ": "Q",
    "HNL": "L",
    "CRC": "₡",
    "BOB": "Bs",
    "PYG": "₲",
}
_PESOS = {
    "AR": "ARS", "CL": "CLP", "CO": "COP", "CU": "CUP", "DO": "DOP", "MX": "MXN", "UY": "UYU",
}  # fmt: skip
_LARGE = frozenset({"COP", "CLP", "ARS", "PYG"})
"""Currencies in which nobody means a price under ten thousand: "2" is two million, "800" is eight hundred thousand."""
_NOT_MONEY = re.compile(
    r" *(?:anos|dias|horas|meses|semanas|personas|unidades|pulgadas|gb|tb|km|cm|mm|kg|kilos|hz|mp|[%x°º\"]|gracias|disculpas|"
    r"bultos?|cajas?|pacas?|paquetes?|docenas?|fardos?|sacos?|bolsas?|arrobas?|latas?|litros?|galones|toneladas?|sacks?|"
    r"boxes|packs?|bags?|cases|dozens?|pacotes?|caixas?|"
    r"perdones|abrazos|besos|thanks|obrigad[oa]s?)(?![a-z])"
)
_A_PRICE = re.compile(r"\b(?:dej[ao]n?|da[ns]?|vende[ns]?|ofrece[ns]?|sale[ns]?|cobra[ns]?|consigo|tienen?) a $")
"""What one of a thing costs, not what is spent: "el otro me lo deja a 90"."""
_GOES_ON = re.compile(
    r" ?(?:$|[^a-z0-9 ]|(?:para|por|y|e|pero|como|mas|o|max|maximo|aprox|aproximadamente|mensuales|al|cada|en|for|and|but|per|"
    r"em|pra|que|"
    r"maybe|or|es|seria|is|tengo|hoy|manana|hasta|cash|efectivo|contado|iva|ya)(?![a-z]))"
)
_HEDGES_BEFORE = (
    "unos|unas|como|es|son|tengo|hasta|max|maximo|minimo|aprox|aproximadamente|mas|menos|o|y|seria|serian|alrededor|"
    "cerca|casi|por|entre|a|desde|gastar|invertir|digamos|pongale|dispongo|cuento|con|presupuesto|no|si|about|around|"
    "like|is|have|up|to|spend|maybe|under|budget|uns|ate|tenho|e|sao|orcamento"
)
_HEDGES_AFTER = (
    "mas|o|y|no|aprox|aproximadamente|maximo|max|mensuales|al|para|por|en|es|seria|como|more|or|for|at|tops|ou|mais|e|"
    "pra|cash|total|estaria|gracias|porfa|esta|creo|pues|cada|que|si|ya|tal|a"
)
_BESIDE_BEFORE = re.compile(
    rf"(?:^|[^a-z0-9 ]|\b(?:{_HEDGES_BEFORE})|\b(?:es|presupuesto|maximo|alrededor|cerca|mas|menos) de|^\W*de) *$"
)
_BESIDE_AFTER = re.compile(rf" *(?:$|[^a-z0-9 ]|(?:{_HEDGES_AFTER})(?![a-z]))")
_CUE = re.compile(
    r"(?:presupuesto|budget|orcamento|invertir|gastar|spend|investir)(?: (?:es|de|is|of|e|seria|hasta|maximo|unos|para|"
    r":))* ?:? ?$"
)
_UNSAID = re.compile(
    r"\b(?:lo|el|la|los|las) (?:que sea )?(?:mas|menos) (?:barat[oa]s?|economic[oa]s?|posible)|\blo menos|"
    r"\b(?:lo|el|la) (?:mism[oa]|de siempre)|"
    r"no importa|cheapest|as little|same as|o mais (?:barato|em conta)|o menos possivel|o mesmo"
)
"""What puts no figure to an amount: "el más barato", "lo de siempre"."""
_PERIOD = re.compile(
    r" *((?:semanal|quincenal)(?:es|mente)?|diari[oa]s?|(?:a|por) (?:la )?(?:semana|quincena)|(?:al|por) dia|"
    r"cada (?:semana|quincena|dia)|(?:a|per) (?:week|day)|weekly|daily|semanais|por dia)(?![a-z])"
)
"""Another period than the month that businesses count in."""
_MAXIMUM = Decimal(10) ** 15


class MoneyReader:
    """A single amount or a range; the currency is the one named, else the one of the ask."""

    misses = frozenset({"empty", "unknown", "not_money", "ambiguous", "too_small", "too_large"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        if is_blank(heard.text):
            return Miss("empty")
        text = fold(heard.text[:LOOKED_AT])
        amounts = _amounts(text, ask)
        if not amounts:
            return Miss("unknown" if unknown(text) or _UNSAID.search(text) else "not_money")
        amounts = [amount for amount in amounts if not _is_other(amount, text)]
        sure = [amount for amount in amounts if amount.currency_named or amount.high.scale > 1]
        likely = sure or [amount for amount in amounts if _stands_free(amount, text)]
        if not likely:
            return Miss("not_money")
        likely = list({(amount.high.value, amount.currency): amount for amount in reversed(likely)}.values())[::-1]
        return one_of([_reading(amount, ask) for amount in likely]) if len(likely) > 1 else _reading(likely[0], ask)

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        text = fold(heard.text[:LOOKED_AT])
        amounts = [amount for amount in _amounts(text, ask) if not _is_other(amount, text)]
        plain = [amount for amount in amounts if _is_plain(amount, text)]
        cued = [amount for amount in plain if _CUE.search(text, 0, amount.start)]
        rivals = cued or [amount for amount in amounts if amount in plain or amount.high.scale >= 1000]
        if not plain or len({(amount.high.value, amount.currency) for amount in rivals}) != 1:
            return None
        reading = _reading(rivals[0], ask)
        return reading if isinstance(reading, Reading) else None


def counts_things(text: str, ask: Ask) -> bool:
    """Whether a number in it counts something else than money: "unos 20 bultos"."""
    text = fold(text[:LOOKED_AT])
    return any(_NOT_MONEY.match(text, number.end) is not None for number in numbers(text, ask.language, ask.country))


class _Amount(Struct, frozen=True):
    """One amount as found: its upper end, its lower end where it is a range, its currency, and where all of it stands."""

    high: Number
    low: Decimal | None
    currency: str
    start: int
    end: int
    currency_named: bool
    per: str = ""
    """The period it is spent in, where it is named: "semanales"."""


@lru_cache(64)
def _currency_patterns(country: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What names a currency just before a number, and just behind it; the group's name is its code."""
    currency, slang = _SLANG.get(country, ("", ""))
    patterns = {code: f"{pattern}|{slang}" if code and code == currency else pattern for code, pattern in _CURRENCIES.items()}
    named = "|".join(f"(?P<{code or 'LOCAL'}>{pattern})" for code, pattern in patterns.items())
    return re.compile(rf"(?:^|(?<=[^a-z$/]))(?:{named}) ?$"), re.compile(rf" ?(?:de )?(?:{named})(?![a-z])")


def _amounts(text: str, ask: Ask) -> list[_Amount]:
    named_before, named_after = _currency_patterns(ask.country)
    amounts: list[_Amount] = []
    ends: list[Number] = [number for number in numbers(text, ask.language, ask.country, money=True) if not number.weak]
    at = 0
    while at < len(ends):
        high, low, start = ends[at], None, ends[at].start
        before = named_before.search(text, max(0, start - 12), start)
        following = ends[at + 1] if at + 1 < len(ends) else None
        if following is not None and _is_range(text, high, following, before.start() if before else start):
            low = high.value * following.scale if high.scale == 1 and following.scale > 1 and high.value < 1000 else high.value
            high = following
            at += 1
        after = named_after.match(text, high.end)
        named = before or after
        currency = _code(named.lastgroup, ask) if named else ask.currency
        if before and after and currency == ask.currency:
            currency = _code(after.lastgroup, ask)
        begin, end = (before.start() if before else start), (after.end() if after else high.end)
        per = _PERIOD.match(text, end)
        amounts.append(_Amount(high, low, currency, begin, per.end() if per else end, named is not None, per[1] if per else ""))
        at += 1
    return amounts


def _is_range(text: str, low: Number, high: Number, start: int) -> bool:
    between = text[low.end : high.start]
    bare = re.sub(r"(?:us)?\$|s/\.?|r\$|€|(?:dolares|soles|pesos|reais)", "", between)
    if not _RANGE.fullmatch(re.sub(" +", " ", bare)) or low.value >= high.value * (1 if low.scale >= high.scale else high.scale):
        return False
    joined_by_word = bare.strip() in ("-", "a", "to", "hasta", "ate", "o", "or", "ou")
    return joined_by_word or _RANGE_OPENS.search(text, 0, start) is not None


def _code(group: str | None, ask: Ask) -> str:
    if group != "LOCAL" and group is not None:
        return group
    return _PESOS.get(ask.country, ask.currency)


def _is_other(amount: _Amount, text: str) -> bool:
    """Whether the number counts or names something else: "3 años", "20 bultos", "mil gracias", "mi cédula es 1.020.304.050"."""
    if _A_PRICE.search(text, 0, amount.start):
        return True
    if not amount.currency_named and any(each.start <= amount.start < each.end for each in references(text)):
        return True
    return _NOT_MONEY.match(text, amount.end) is not None


def _stands_free(amount: _Amount, text: str) -> bool:
    """Whether a bare number is not part of something else: "unos 800" is free, "iphone 15 pro" and "calle 80" are not."""
    return amount.low is not None or (
        _BESIDE_BEFORE.search(text[max(0, amount.start - 20) : amount.start]) is not None
        and _BESIDE_AFTER.match(text, amount.end) is not None
    )


def _is_plain(amount: _Amount, text: str) -> bool:
    """Whether it is money beyond doubt: a currency, or a multiplier that counts nothing else ("500 mil unidades")."""
    rest = text[amount.end :]
    number = text[amount.high.start : amount.high.end]
    if amount.currency_named or _CUE.search(text, 0, amount.start):
        return True
    if amount.high.scale == 1 and amount.high.value >= 100_000 and re.search(r"\d[.,']\d{3}", number):
        return _GOES_ON.match(rest) is not None
    if amount.high.scale < 1000 or amount.high.unit in ("m", "mm") or (amount.high.unit == "k" and amount.high.value < 10_000):
        return False
    counts_time = re.search(r"(?:ano|hace|en|since) ?$", text[: amount.start]) is not None
    return _GOES_ON.match(rest) is not None and not counts_time


def _reading(amount: _Amount, ask: Ask) -> Reading | Miss:
    value, low = amount.high.value, amount.low
    same = amount.currency == ask.currency
    if value <= 0:
        return Miss("too_small")
    if value >= _MAXIMUM:
        return Miss("too_large")
    meant = _scaled(value, amount.currency, ask) if amount.high.scale == 1 else value
    reading = _made(value, low, amount, ask)
    if meant != value:
        factor = meant / value
        instead = _made(meant, low * factor if low is not None else None, amount, ask)
        if _misses(meant, ask, same=same) is None:
            return replace(reading, instead=instead)
    miss = _misses(value, ask, same=same)
    return Miss(miss) if miss else reading


def _misses(value: Decimal, ask: Ask, *, same: bool) -> str | None:
    if same and ask.minimum is not None and value < ask.minimum:
        return "too_small"
    if same and ask.maximum is not None and value > ask.maximum:
        return "too_large"
    return None


def _scaled(value: Decimal, currency: str, ask: Ask) -> Decimal:
    if currency not in _LARGE or value >= 10_000:
        return value
    return value * (1_000_000 if value < 100 else 1_000)


def _made(value: Decimal, low: Decimal | None, amount: _Amount, ask: Ask) -> Reading:
    stored: dict[str, Any] = {"amount": plain(value), "currency": amount.currency}
    if low is not None and low < value:
        stored["from"] = plain(low)
    if amount.per:
        stored["per"] = amount.per
    return Reading(stored, money_in_words(stored, ask), span=(amount.start, amount.end))


def money_in_words(stored: Mapping[str, Any], ask: Ask) -> str:
    """A stored amount, or both ends of a range, as the reader of `ask` writes it."""
    ends = [stored["from"], stored["amount"]] if "from" in stored else [stored["amount"]]
    amount = " – ".join(shown_money(Decimal(end), stored["currency"], ask) for end in ends)
    return f"{amount} {stored['per']}" if "per" in stored else amount


def shown_money(value: Decimal, currency: str, ask: Ask) -> str:
    """As it is written where the customer lives: "$ 2.000.000", "US$ 300", "S/ 1,500.50"."""
    own = _PESOS.get(ask.country) == currency
    symbol = "$" if own else _SYMBOLS.get(currency, currency)
    return f"{symbol} {shown_number(value, ask.language, ask.country, 0 if value == value.to_integral_value() else 2)}"

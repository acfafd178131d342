"""Numbers as Latin America writes them: "1.500.000", "1'500.000", "dos millones quinientos", "media docena", "15k"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from babel import UnknownLocaleError
from babel.numbers import get_decimal_symbol, get_group_symbol
from msgspec import Struct

from nlu.normalise import sound

_TOKEN = re.compile(
    r"(?P<spaced>\d{1,3}(?: \d{3})+(?![\d.,']*\d| ?\d))|(?P<fraction>(?<![\d/])\d{1,2} ?/ ?\d{1,2}(?![\d/]))"
    r"|(?P<digits>\d+(?:[.,']\d+)*)|(?P<word>[a-z]+|½)|(?P<other>\S)"
)
_SEPARATORS = re.compile(r"[.,']")

_UNITS = (
    "cero zero=0 uno un una um uma one=1 dos dois duas two=2 tres three=3 cuatro quatro four=4 cinco five=5 seis six=6 siete "
    "sete seven=7 "
    "ocho oito eight=8 nueve nove nine=9 diez dez ten=10 once onze eleven=11 doce doze twelve=12 trece treze thirteen=13 "
    "catorce quatorze fourteen=14 quince quinze fifteen=15 dieciseis dezesseis dezasseis sixteen=16 diecisiete dezessete "
    "seventeen=17 "
    "dieciocho dezoito eighteen=18 diecinueve dezenove nineteen=19 veinte vinte twenty=20 veintiuno veintiun veintiuna=21 "
    "veintidos=22 "
    "veintitres=23 veinticuatro=24 veinticinco=25 veintiseis=26 veintisiete=27 veintiocho=28 veintinueve=29 treinta trinta "
    "thirty=30 "
    "cuarenta quarenta forty=40 cincuenta sincuenta cinquenta fifty=50 sesenta sessenta sixty=60 setenta seventy=70 ochenta "
    "oitenta eighty=80 "
    "noventa ninety=90 cien cem ciento cento=100 doscientos doscientas duzentos duzentas=200 trescientos trescientas "
    "trecientos trezentos=300 "
    "cuatrocientos cuatrocientas quatrocentos=400 quinientos quinientas quinhentos quinhentas=500 seiscientos seiscientas "
    "seiscentos=600 "
    "setecientos setecientas setecentos=700 ochocientos ochocientas oitocentos=800 novecientos novecientas novecentos=900"
)
_SCALES = (
    "docena docenas dozen dozens duzia duzias=12 par pares pair pairs=2 decena decenas=10 gruesa gruesas=144 "
    "mil k thousand grand luca lucas luka lukas luquitas barra barras=1000 "
    "millon millones milones millone milliones milion milhao milhoes million millions mill mills mm m mdp mi melon melones "
    "milloncito milloncitos "
    "palo palos palito palitos=1000000 billion billions=1000000000"
)


def _table(lines: str) -> Mapping[str, Decimal]:
    return {
        word: Decimal(value) for line in re.findall(r"([a-z ]+)=(\d+)", lines) for word in line[0].split() for value in line[1:]
    }


SMALL = _table(_UNITS)
SCALES = _table(_SCALES)
_NOT_HEARD = frozenset({"siento", "sientos", "ase", "sena"})
"""Words that sound like a number and are none: "lo siento"."""
_BY_EAR = {sound(word): word for word in (*SMALL, *SCALES) if len(word) > 4 or word in ("diez", "doce", "once", "seis")}
_AFTER_DIGITS = frozenset({"k", "m", "mm", "mdp", "mi", "mill", "mills", "barra", "barras", "grand"})
_ONES = frozenset({"un", "uno", "una", "um", "uma", "one"})
_AND = frozenset({"y", "e", "and"})
_HALF = frozenset({"medio", "media", "meio", "meia", "half"})
_STARTERS = {*SMALL, *SCALES, *_HALF, "hundred", "½"}


@lru_cache(4096)
def _spelt(token: str) -> str:
    """ "miyones" → "millones": a number word as it is spelt; any other token stays itself."""
    if token in _STARTERS or len(token) < 4 or token in _NOT_HEARD:
        return token
    return _BY_EAR.get(sound(token), token)


_MILLION = Decimal(1_000_000)
_MOST = 24
"""Numbers looked at in one message: a list of hundreds is not an answer, and must not cost time."""


class Number(Struct, frozen=True):
    """A number and where it stands [start, end)."""

    value: Decimal
    start: int
    end: int
    scale: Decimal = Decimal(1)
    """The last multiplier that was said: 1000000 in "2 millones", 1 in "800"."""
    unit: str = ""
    """The word of that multiplier, as folded: "lucas", "k"."""
    weak: bool = False
    """A lone "un" or "una", which is more often an article."""


def digits_value(written: str) -> Decimal | None:
    """The value of digits with separators. Three digits behind a mark are thousands everywhere: nobody quotes mills."""
    groups = _SEPARATORS.split(written)
    if len(written) > 24:
        return None
    if len(groups) == 1:
        return Decimal(written) if len(written) <= 15 else None
    marks = _SEPARATORS.findall(written)
    thousands = all(len(group) == 3 for group in groups[1:]) and 1 <= len(groups[0]) <= 3 and groups[0].lstrip("0") != ""
    if thousands:
        return Decimal("".join(groups))
    head, tail = groups[:-1], groups[-1]
    if len(head) > 1 and (not all(len(group) == 3 for group in head[1:]) or len(tail) > 2 or marks[-1] == "'"):
        return None
    return Decimal("".join(head) + "." + tail)


@lru_cache(64)
def numbers(folded: str, language: str = "es", country: str = "CO", *, money: bool = False) -> tuple[Number, ...]:
    """Every number in a folded text. `money` also reads "dos millones quinientos" as two and a half million."""
    tokens = list(_TOKEN.finditer(folded))
    found: list[Number] = []
    at = 0
    while at < len(tokens) and len(found) < _MOST:
        if tokens[at].lastgroup in ("word", "other") and _spelt(tokens[at].group()) not in _STARTERS:
            at += 1
            continue
        number, after = _Parse(tokens, at, language, country, money=money).run()
        if number is not None:
            found.append(number)
        at = max(after, at + 1)
    return tuple(found)


class _Parse:
    """One number from tokens[at] on; `mark` is where it may end if what follows turns out to be another number."""

    def __init__(self, tokens: list[re.Match[str]], at: int, language: str, country: str, *, money: bool) -> None:
        self.tokens, self.start, self.at = tokens, at, at
        self.language, self.country, self.money = language, country, money
        self.total = Decimal(0)
        self.group: Decimal | None = None
        """What stands before the next multiplier."""
        self.last: Decimal | None = None
        self.unit = ""
        self.literal = False
        self.mark = at

    def word(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return _spelt(self.tokens[at].group()) if at < len(self.tokens) else ""

    def run(self) -> tuple[Number | None, int]:
        while self.at < len(self.tokens) and self._take():
            pass
        if self.group is not None:
            self._tail()
        if self.at == self.start:
            return None, self.at
        first, final = self.tokens[self.start], self.tokens[self.at - 1]
        weak = self.at - self.start == 1 and first.group() in _ONES
        value = Number(self.total, first.start(), final.end(), self.last or Decimal(1), self.unit, weak)
        return value, self.at

    def _tail(self) -> None:
        """What is left without a multiplier: the hundreds of "mil doscientos", or another number."""
        assert self.group is not None
        group = self.group
        if self.last is not None:
            if self.money and self.last >= _MILLION and 100 <= group < 1000:
                group *= 1000
            if group >= self.last or (self.literal and group < 100):
                self.at = self.mark
                return
        self.total += group

    def _take(self) -> bool:
        token = self.tokens[self.at]
        word = _spelt(token.group())
        if token.lastgroup in ("digits", "spaced", "fraction"):
            return self._digits(token)
        if word in SMALL and not (word == "dos" and self.language == "pt"):
            return self._small(SMALL[word])
        if word == "hundred" and (self.group or 1) < 100 and not self.literal:
            self.group = (self.group or Decimal(1)) * 100
            self.at += 1
            return True
        if word in SCALES and self._scale(word):
            return True
        if word in _HALF or word == "½":
            return self._half()
        if (word in _AND or word == "-") and self.at > self.start:
            return self._joined(word)
        return False

    def _digits(self, token: re.Match[str]) -> bool:
        if self.group is not None:
            return False
        text = token.group()
        value: Decimal | None
        if token.lastgroup == "fraction":
            over, under = (int(part) for part in text.replace(" ", "").split("/"))
            if self.at > self.start or not under or over >= under or under not in (2, 3, 4, 5):
                value = Decimal(over) if self.at == self.start else None
            else:
                value = Decimal(over) / Decimal(under)
        else:
            value = digits_value(text.replace(" ", "") if token.lastgroup == "spaced" else text)
        if value is None:
            return False
        self.group, self.literal = value, True
        self.at += 1
        return True

    def _small(self, value: Decimal) -> bool:
        group = self.group
        if group is None:
            self.group, self.literal = value, False
        elif not self.literal and _fits(group, value):
            self.group = group + value
        else:
            return False
        self.at += 1
        return True

    def _scale(self, word: str) -> bool:
        by = SCALES[word]
        if word.startswith(("par", "pair")) and self.group is None:
            return False
        if word in _AFTER_DIGITS and not (self.literal and self.group is not None):
            return False
        if word == "mi" and self.language != "pt":
            return False
        if word.startswith(("luca", "luka")) and self.country == "PE":
            by = Decimal(1)
        if self.group is None:
            if self.last is not None and by <= self.last:
                return False
            self.total = (self.total or Decimal(1)) * by
        elif self.last is None or by < self.last:
            self.total += self.group * by
        elif by > self.last:
            self.total = (self.total + self.group) * by
        else:
            self.at, self.group = self.mark, None
            return False
        self.group, self.last, self.unit = None, by, word
        self.at += 1
        half = 1 if self.word() in _AND and self.word(1) in _HALF else 2 if self.word(1) == "a" and self.word(2) == "half" else 0
        if half:
            self.total += by / 2
            self.at += half + 1
        self.mark = self.at
        return True

    def _half(self) -> bool:
        """ "medio millón", "half a million", "2 ½"."""
        article = 1 if self.word(1) == "a" else 0
        if self.group is None and self.last is None and self.word(1 + article) in SCALES:
            self.group, self.literal = Decimal("0.5"), False
            self.at += 1 + article
            return True
        if self.word() == "½" and self.last is None:
            self.group = (self.group or Decimal(0)) + Decimal("0.5")
            self.at += 1
            return True
        return False

    def _joined(self, word: str) -> bool:
        """ "treinta y dos", "cento e vinte", "twenty-five", "dos y medio"."""
        article = 1 if self.word(1) == "a" else 0
        following = self.word(1 + article)
        if following in _HALF and self.group is not None and word in _AND:
            self.group += Decimal("0.5")
            self.at += 2 + article
            return True
        value = SMALL.get(following)
        if value is None:
            return False
        if self.group is None:
            if word != "e" and word != "and":
                return False
        elif self.literal or not _fits(self.group, value):
            return False
        self.at += 1
        if self._small(value):
            return True
        self.at -= 1
        return False


def _fits(group: Decimal, value: Decimal) -> bool:
    """Whether a smaller number word goes on the one before it: "treinta (y) dos", "doscientos diez"."""
    rest = group % 100
    if value < 10:
        return value > 0 and group >= 20 and (rest == 0 or (rest >= 20 and rest % 10 == 0))
    return value < 100 and group >= 100 and rest == 0


def plain(value: Decimal) -> str:
    """A decimal without exponent or trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(256)
def _marks(language: str, country: str) -> tuple[str, str]:
    """(thousands, decimals): the country's own in Spanish, else the language's."""
    locale = f"es_{country}" if language == "es" else {"pt": "pt_BR"}.get(language, "en_US")
    try:
        return get_group_symbol(locale), get_decimal_symbol(locale)
    except (UnknownLocaleError, ValueError):
        return get_group_symbol("es_419"), get_decimal_symbol("es_419")


def shown_number(value: Decimal, language: str, country: str, decimals: int | None = None) -> str:
    thousands, point = _marks(language, country)
    text = f"{value:,.{decimals}f}" if decimals is not None else f"{Decimal(plain(value)):,f}"
    return text.replace(",", "\0").replace(".", point).replace("\0", thousands)

"""What in a draft somebody has to look at: numbers, links and addresses that the passages do not hold, prices that are not in the
books, and what is said about stock or an order, which only the books know. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from nlu.entities.numbers import numbers
from nlu.entities.words import clean, fold

Kind = Literal["absent", "price", "books"]
"""Not in the documents; an amount of money that no product has; stock or an order."""

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w.@])(?:[\w-]{2,}\.)+[a-z]{2,}(?:/[^\s<>\"']*)?(?!\w)",
    re.IGNORECASE,
)
_LONG = re.compile(r"\+?\(?\d(?:[\d()., /-]*\d)?")
_TIME = re.compile(r"(?<!\d)(\d{1,2}):([0-5]\d)(?!\d)")
_LONG_DIGITS = 7
"""From here on the digits of a run are one thing, such as a telephone, and are looked for as a whole."""
_SIGN = r"us\$|u\$s|[$€£₡₲]|s/\.?|\b(?:cop|usd|mxn|pen|clp|ars|brl|eur)\b"
_MONEY_BEFORE = re.compile(rf"(?:{_SIGN})\s*$")
_MONEY_AFTER = re.compile(
    rf"\s*(?:{_SIGN}|\b(?:de )?(?:pesos?|varos|bs|bolivares|colones|quetzales|soles|"
    r"sol|dolares|dolar|reais|real|euros?|dollars?|lucas|millones|millon|milhoes)\b)"
)
_PERCENT = re.compile(r"\s*(?:%|\b(?:por ciento|por cento|percent)\b)")
_FOR_LESS = re.compile(
    r"\b(?:gratis|gratuit[oa]s?|sin (?:ningun )?costo|sem custo|de graca|for free|free of charge|mitad de precio|half price|"
    r"metade do preco|(?:dos|2) (?:por|x) (?:uno|1)|2x1)\b"
)
"""A price without a number."""
_BOOKS = re.compile(
    r"\b(?:disponibilidad|quedan? (?:poc[oa]s?|\w+ unidad(?:es)?)|ultim[oa]s unidades|en existencia|existencias|en stock|"
    r"in stock|out of stock|em estoque|agotad[oa]s?|esgotad[oa]s?|disponibles?|available|"
    r"disponive(?:l|is)|(?:tu|su|your|seu) (?:pedido|orden|order) (?:ya |esta |llega|sale|is |has |ja |chega|foi ))"
)
_ENDS = ".,;:!?)]»\"'"


@dataclass(frozen=True, slots=True)
class Claim:
    """Where it stands [start, end), as it is written there, and what to compare it by."""

    start: int
    end: int
    words: str
    kind: Kind
    key: str


def claims(draft: str, sources: Iterable[str], prices: Collection[Decimal], language: str) -> list[Claim]:
    """What of `draft` is to be looked at, in its order; `prices` are those of the books."""
    held = {each.key for source in sources for each in found(source, language)}
    kept = []
    for each in found(draft, language):
        if each.kind == "price":
            if not any(each.key == _number_key(price, "$") for price in prices):
                kept.append(each)
        elif each.kind == "books" or each.key not in held:
            kept.append(each)
    return kept


def found(text: str, language: str) -> list[Claim]:
    """Every number, amount, link, address, and word about stock or an order, whether it is held by anything or not."""
    folded = fold(text)
    taken: list[Claim] = []
    for each in (
        *_links(text),
        *_times(folded),
        *_long(folded),
        *_for_less(folded),
        *_numbers(folded, language),
        *_of_the_books(folded),
    ):
        if not any(each.start < other.end and other.start < each.end for other in taken):
            taken.append(each)
    taken.sort(key=lambda each: each.start)
    return [Claim(each.start, each.end, text[each.start : each.end], each.kind, each.key) for each in taken]


def marked(text: str, words: Collection[str], language: str) -> list[tuple[str, str]]:
    """[(part, its kind)] of a text, "" for parts between what is marked; `words` are the keys of what is."""
    parts: list[tuple[str, str]] = []
    at = 0
    for each in found(text, language):
        if each.key in words:
            parts += [(text[at : each.start], ""), (each.words, each.kind)]
            at = each.end
    return [(part, kind) for part, kind in (*parts, (text[at:], "")) if part]


def without_new_links(text: str, sources: Iterable[str]) -> str:
    """An address that is in none of `sources` stays readable, and cannot be opened wherever the text is shown."""
    held = {each.key for source in sources for each in _links(source)}
    for each in reversed(list(_links(text))):
        if each.key not in held:
            text = text[: each.start] + each.words.replace("://", ": //") + text[each.end :]
    return text


def tidy(answer: str, longest: int) -> str:
    """What a model wrote, as a text for people: no control or direction marks, no braces (they would be filled in), no Markdown
    emphasis or headings, not longer than `longest`, cut at the end of a sentence where there is one."""
    answer = answer.rpartition("</think>")[2]  # where a server does not keep a model's thoughts apart
    text = re.sub(r"\n{3,}", "\n\n", clean(answer.replace("\r\n", "\n")))
    text = re.sub(r"[{}`]|^#+ +", "", text, flags=re.MULTILINE).replace("**", "*")
    if len(text) > longest:
        text = text[:longest]
        end = max(text.rfind(mark) for mark in (". ", "! ", "? ", "\n"))
        text = text[: end + 1] if end > longest // 2 else text
    return text.strip()


def _links(text: str) -> Iterator[Claim]:
    for match in _LINK.finditer(text):
        words = match.group().rstrip(_ENDS)
        key = re.sub(r"^(?:https?://)?(?:www\.)?", "", words.lower()).rstrip("/")
        yield Claim(match.start(), match.start() + len(words), words, "absent", f"link {key}")


def _times(folded: str) -> Iterator[Claim]:
    for match in _TIME.finditer(folded):
        hour, minute = int(match[1]), match[2]
        yield Claim(*match.span(), "", "absent", f"number {hour}" + (f":{minute}" if minute != "00" else ""))


def _long(folded: str) -> Iterator[Claim]:
    for match in _LONG.finditer(folded):
        digits = re.sub(r"\D", "", match.group())
        if len(digits) >= _LONG_DIGITS and not _is_money(folded, *match.span()):
            yield Claim(match.start(), match.end(), match.group(), "absent", f"digits {digits}")


def _numbers(folded: str, language: str) -> Iterator[Claim]:
    at = 0
    while batch := numbers(folded[at:], language):
        for number in batch:
            start, end = at + number.start, at + number.end
            percent = _PERCENT.match(folded, end)
            if percent:
                yield Claim(start, percent.end(), "", "absent", _number_key(number.value, "%"))
            elif _is_money(folded, start, end):
                before = _MONEY_BEFORE.search(folded[:start])
                after = _MONEY_AFTER.match(folded, end)
                span = (before.start() if before else start, after.end() if after else end)
                yield Claim(*span, "", "price", _number_key(number.value, "$"))
            elif not number.weak:
                yield Claim(start, end, "", "absent", _number_key(number.value, ""))
        at += batch[-1].end


def _for_less(folded: str) -> Iterator[Claim]:
    for match in _FOR_LESS.finditer(folded):
        yield Claim(match.start(), match.end(), "", "absent", f"for less {match.group()}")


def _of_the_books(folded: str) -> Iterator[Claim]:
    for match in _BOOKS.finditer(folded):
        yield Claim(match.start(), match.end(), "", "books", f"books {match.group()}")


def _is_money(folded: str, start: int, end: int) -> bool:
    return bool(_MONEY_BEFORE.search(folded[:start]) or _MONEY_AFTER.match(folded, end))


def _number_key(value: Decimal, unit: str) -> str:
    return f"number {value.normalize():f}{unit}"

"""What a person typed, brought to one spelling; the phonetic key stands beside it for Spanish written by ear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

WORDS = Path(__file__).parent / "corpus" / "words.yml"
LONGEST = 600
"""Characters that are read."""
_END = 250
"""How many of them are the last of a longer message: after a long story comes what it was told for."""

_TOKEN = re.compile(r"[^\s@]+@[^\s@]+\.\w+|(?:https?://|www\.)\S+|\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?|[^\w\s]", re.UNICODE)
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLED = re.compile(r"([^\W\d_])\1+")
_KEPT_SIGNS = frozenset("?$%#")
_SOUNDS = tuple(
    (letters, re.compile(pattern), sound)
    for letters, pattern, sound in (
        ("sh", r"sh", "ch"),
        ("h", r"(?<!c)h", ""),
        ("ph", r"ph", "f"),
        ("ll", r"ll", "y"),
        ("q", r"qu(?=[ei])|q", "k"),
        ("gu", r"gu(?=[ei])", "g"),
        ("g", r"g(?=[ei])", "j"),
        ("c", r"c(?=[ei])", "s"),
        ("c", r"c(?!h)", "k"),
        ("z", r"z", "s"),
        ("x", r"x", "s"),
        ("v", r"v", "b"),
        ("w", r"w", "gu"),
        ("n", r"n(?=[bp])", "m"),
        ("y", r"y$", "i"),
    )
)
"""(letters without which it does not apply, pattern, replacement), in the order they are applied."""


@dataclass(frozen=True)
class Normal:
    """One message in comparable form."""

    words: tuple[str, ...]
    """Lower case, no accents, abbreviations written out; "0"s for digits, "@" for an e-mail, "://" for a link, "?" and emoji."""
    marked: tuple[str, ...]
    """The words that carried accents or cedillas, as they were written: they tell Spanish from Portuguese."""

    @cached_property
    def plain(self) -> str:
        """The words without question marks: what makes two texts the same."""
        return " ".join(word for word in self.words if word != "?") or " ".join(self.words)


@cache
def lexicon() -> Mapping[str, Any]:
    """The word lists of corpus/words.yml."""
    loaded: Mapping[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return loaded


@cache
def _abbreviations() -> Mapping[str, tuple[str, ...]]:
    return {short: tuple(meant.split()) for short, meant in lexicon()["abbreviations"].items()}


def meant(word: str) -> str:
    """What a plain word of chat spelling stands for, where that is one word; else the word."""
    long = _abbreviations().get(word)
    return long[0] if long is not None and len(long) == 1 else word


def unaccent(text: str) -> str:
    """Without accents, tildes and cedillas."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """How a plain word sounds to a Latin American ear: "hacen" and "asen", "vale" and "bale" are one."""
    for letters, pattern, replacement in _SOUNDS:
        if letters in word:
            word = pattern.sub(replacement, word)
    return _DOUBLED.sub(r"\1", word)


@lru_cache(maxsize=50_000)
def _read(token: str) -> tuple[tuple[str, ...], str]:
    """(words, the token when it carried accents) for one token in lower case."""
    first = token[0]
    if first.isdigit():
        digits = sum(c.isdigit() for c in token)
        return ("0" * min(digits, 7),), ""
    if "@" in token[1:]:
        return ("@",), ""
    if len(token) > 4 and ((token.startswith("http") and "://" in token) or token.startswith("www.")):
        return ("://",), ""
    if not first.isalpha():
        if first == "¿":
            return ("?",), ""
        keep = first in _KEPT_SIGNS or unicodedata.category(first) == "So"
        return ((first,) if keep else ()), ""
    word = _REPEATED.sub(r"\1", token)
    if len(word) == 1 < len(token):  # "kkkk" is laughter, not "k"
        word = word * 2
    bare = unaccent(word).replace("'", "")
    return _abbreviations().get(bare) or (bare,), "" if word.isascii() else word


def shortened(text: str) -> str:
    """What is read of a text: how it begins, and how it ends."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - _END]} {text[-_END:]}"


def normalise(text: str) -> Normal:
    """Any text at all, as far as it is read (`shortened`); never raises."""
    lowered = unicodedata.normalize("NFKC", shortened(text)).lower()
    words: list[str] = []
    marked: list[str] = []
    for token in _TOKEN.findall(lowered):
        read, accented = _read(token)
        words += read
        if accented:
            marked.append(accented)
    return Normal(tuple(words), tuple(marked))

"""What a person typed, brought to one spelling; the phonetic key stands beside it for Spanish written by ear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

WORDS = Path(__file__).parent / "corpus" / "words.yml"
LONGEST = 600
"""Characters that are read; nobody's intent starts later."""

_TOKEN = re.compile(r"[^\s@]+@[^\s@]+\.\w+|(?:https?://|www\.)\S+|\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?|[^\w\s]", re.UNICODE)
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLED = re.compile(r"([^\W\d_])\1+")
_KEPT_SIGNS = frozenset("?$%#")
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"sh", "ch"),
        (r"(?<!c)h", ""),
        (r"ph", "f"),
        (r"ll", "y"),
        (r"qu(?=[ei])|q", "k"),
        (r"gu(?=[ei])", "g"),
        (r"g(?=[ei])", "j"),
        (r"c(?=[ei])", "s"),
        (r"c(?!h)", "k"),
        (r"[zx]", "s"),
        (r"v", "b"),
        (r"w", "gu"),
        (r"n(?=[bp])", "m"),
        (r"y$", "i"),
    )
)


@dataclass(frozen=True, slots=True)
class Normal:
    """One message in comparable form."""

    words: tuple[str, ...]
    """Lower case, no accents, abbreviations written out; "0"s for digits, "@" for an e-mail, "://" for a link, "?" and emoji."""
    marked: tuple[str, ...]
    """The words that carried accents or cedillas, as they were written: they tell Spanish from Portuguese."""

    @property
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


def unaccent(text: str) -> str:
    """Without accents, tildes and cedillas."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """How a plain word sounds to a Latin American ear: "hacen" and "asen", "vale" and "bale" are one."""
    for pattern, replacement in _SOUNDS:
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


def normalise(text: str) -> Normal:
    """Any text at all, of which the first `LONGEST` characters count; never raises."""
    lowered = unicodedata.normalize("NFKC", text[:LONGEST]).lower()
    words: list[str] = []
    marked: list[str] = []
    for token in _TOKEN.findall(lowered):
        read, accented = _read(token)
        words += read
        if accented:
            marked.append(accented)
    return Normal(tuple(words), tuple(marked))

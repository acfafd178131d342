"""The passages of a company's documents that are nearest to a question. Pure.

A passage is near when it holds more than half of the words that matter in one of the ways of asking; the near ones are ranked by
BM25 (Robertson and Zaragoza 2009) over all ways together. Words are compared by their stems, without accents.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import snowballstemmer

from nlu.normalise import lexicon, unaccent

LONGEST = 600
"""Characters of a passage."""
MOST = 4
"""Passages that a draft leans on."""
_NEAR = 0.5
_STEM = 5
"""Letters of a stem that are compared: "devolver" and "devoluciones" are about one thing."""
_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's k1 and b, at their usual values."""
_LANGUAGES = {"es": "spanish", "en": "english", "pt": "portuguese"}
_HEADING = 80
"""Characters of a piece that, without an end of a sentence, is a heading or a line of a list."""
_PARAGRAPH = re.compile(r"\n\s*\n|\n(?=\s*(?:#|[-*•]\s))")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Passage:
    document: int
    title: str
    words: str


def passages(document: int, title: str, text: str) -> list[Passage]:
    """A document in pieces of at most LONGEST characters: its paragraphs, long ones cut between sentences."""
    pieces: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        for sentence in _SENTENCE.split(paragraph):
            for part in (sentence[at : at + LONGEST].strip("# \t\r") for at in range(0, len(sentence), LONGEST)):
                if part and pieces and len(pieces[-1]) + len(part) < LONGEST:
                    pieces[-1] += (" " if _is_whole(pieces[-1]) else "\n") + part
                elif part:
                    pieces.append(part)
        if pieces and _is_whole(pieces[-1]):
            pieces.append("")
    return [Passage(document, title, piece.strip()) for piece in pieces if piece.strip()]


def _is_whole(piece: str) -> bool:
    """Whether what follows is about something else: a heading, or a line of a list, stays with the next."""
    last = piece.rpartition("\n")[2]
    return len(last) > _HEADING or last.endswith((".", "!", "?"))


def nearest(asks: Iterable[str], among: Sequence[Passage], language: str) -> list[Passage]:
    """Those near to a question that is asked in these ways, the nearest first; none when nothing is."""
    ways = [frozenset(_stem(word, language) for word in _words(way) if word not in idle()) for way in asks]
    wanted = Counter(stem for way in ways for stem in way)
    counts = [Counter(_stem(word, language) for word in _words(f"{passage.title} {passage.words}")) for passage in among]
    average = sum(map(Counter.total, counts)) / max(len(counts), 1)
    known = Counter(stem for count in counts for stem in wanted if stem in count)

    def score(count: Counter[str]) -> float:
        lengthy = _SATURATION * (1 - _LENGTH + _LENGTH * count.total() / average)
        rarity = {stem: math.log(1 + (len(counts) - known[stem] + 0.5) / (known[stem] + 0.5)) for stem in wanted if count[stem]}
        return sum(
            wanted[stem] * weight * count[stem] * (_SATURATION + 1) / (count[stem] + lengthy) for stem, weight in rarity.items()
        )

    near = [
        (score(count), passage)
        for count, passage in zip(counts, among, strict=True)
        if any(way and sum(stem in count for stem in way) > _NEAR * len(way) for way in ways)
    ]
    near.sort(key=lambda each: -each[0])
    return [passage for _, passage in near[:MOST]]


@cache
def idle() -> frozenset[str]:
    """Words that every question has, in any of the languages."""
    return frozenset(str(word) for row in lexicon()["function_words"].values() for word in row)


@cache
def _stemmer(language: str) -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer(_LANGUAGES.get(language, "spanish"))


def _words(text: str) -> list[str]:
    return _WORD.findall(unaccent(text.lower()))


@lru_cache(50_000)
def _stem(word: str, language: str) -> str:
    stem: str = _stemmer(language).stemWord(word)
    return stem[:_STEM]

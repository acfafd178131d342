"""How well a person's name fits what somebody calls them: in whole or in part, by a nickname, or with a slip. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz.distance import OSA

from nlu.entities.words import fold
from nlu.normalise import lexicon, sound

_WORD = re.compile(r"[a-z]+|\d+(?:[.,]\d+)?|[^\W\d_a-z]+")
_SHORTEST_SLIP, _LONG = 4, 8


@lru_cache(4096)
def tokens(said: str) -> tuple[str, ...]:
    """The words of a name or of what is said, folded; letters and digits apart ("s24" is "s", "24")."""
    return tuple(_WORD.findall(fold(said[:200])))


def likeness(wanted: Sequence[str], name: str) -> float:
    """How well a person's name fits what was asked for, from 0 (not at all) to 100: every word of it is one of the name's, its
    nickname, its start, or a slip of it; the whole name fits best."""
    there = tokens(name)
    if not there or not wanted:
        return 0.0
    total = 0.0
    for word in wanted:
        points = max(_fits(word, other) for other in there)
        if not points:
            return 0.0
        total += points
    return total / len(wanted) + (10.0 if len(wanted) == len(there) else 0.0)


def _fits(word: str, other: str) -> float:
    if word == other:
        return 90.0
    short_for = lexicon()["nicknames"]
    if other in short_for.get(word, ()) or word in short_for.get(other, ()):
        return 80.0
    if len(word) >= 3 and other.startswith(word):
        return 70.0
    if len(word) < _SHORTEST_SLIP:
        return 0.0
    slips = OSA.distance(word, other, score_cutoff=2)
    return 60.0 if sound(word) == sound(other) else 50.0 if slips <= (1 if len(word) < _LONG else 2) else 0.0

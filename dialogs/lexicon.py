"""Plain words and phrases by what they mean, and by what they begin with."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nlu.normalise import meant, sound

LONGEST = 4
"""Words of the longest phrase that is looked for."""
_SHORTEST_BY_EAR = 4
"""Letters from which a word may be known by its sound alone."""
_HELD = re.compile(r"(.)\1+")
"""A letter that was held down."""


class Lexicon(dict[str, frozenset[str]]):
    """{meaning: phrases}. Equal only to itself, so that what a text holds of it can be remembered."""

    def __init__(self, words: Mapping[str, frozenset[str]]) -> None:
        super().__init__(words)
        self.longest: dict[str, int] = {}
        """{first word: how many words a phrase that begins so has at most}"""
        self.meanings: dict[str, tuple[str, ...]] = {}
        """{phrase: what it means}"""
        for meaning, phrases in words.items():
            for phrase in phrases:
                first, length = phrase.partition(" ")[0], min(phrase.count(" ") + 1, LONGEST)
                self.longest[first] = max(length, self.longest.get(first, 0))
                self.meanings[phrase] = (*self.meanings.get(phrase, ()), meaning)
        known = {word for phrase in self.meanings for word in phrase.split()}
        self._by_ear = {sound(word): word for word in sorted(known) if len(word) >= _SHORTEST_BY_EAR}
        self._known = frozenset(known)

    def spelt(self, word: str) -> str:
        """The word as the phrases spell it: "bale" → "vale", "wenas" → "buenas", "holaaa" → "hola"."""
        if word in self._known:
            return word
        word = meant(word)
        if word in self._known or len(word) < _SHORTEST_BY_EAR:
            return word
        held = _HELD.sub(r"\1", word)
        return held if held in self._known else self._by_ear.get(sound(word), word)

    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]

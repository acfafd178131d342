"""Which language a text is written in, or None: names, e-mails, "hola" and "ok" belong to no language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from nlu.features import Floats
from nlu.normalise import Normal, lexicon

SURE = 0.8
"""The least probability for two or three words; longer texts need less."""


@cache
def _function_words() -> Mapping[str, frozenset[str]]:
    return {language: frozenset(words) for language, words in lexicon()["function_words"].items()}


@cache
def _alone() -> Mapping[str, frozenset[str]]:
    return {language: frozenset(words) for language, words in lexicon()["greetings"].items()}


def decide(text: Normal, languages: tuple[str, ...], logits: Floats) -> str | None:
    """The language that the model finds likeliest, when at least two words are there, one of them a function word of it;
    of a single word, the language that greets so."""
    words = [word for word in text.words if word.isalpha()]
    if len(words) == 1:
        said = {words[0], *text.marked}
        return next((language for language, alone in _alone().items() if not said.isdisjoint(alone)), None)
    if len(words) < 2 or not languages:
        return None
    scores = logits.tolist()
    most = max(scores)
    language = languages[scores.index(most)]
    if _function_words().get(language, frozenset()).isdisjoint(words):
        return None
    probability = 1 / sum(math.exp(score - most) for score in scores)
    return language if probability >= (SURE if len(words) < 4 else SURE - 0.15) else None

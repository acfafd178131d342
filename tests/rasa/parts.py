"""The held-out lines, and parts of them: by language, messy, misspelt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from nlu.noise import misspell
from nlu.rasa_yaml import LANGUAGES, Line

MESSY = "messy"
"""What the name of a file says whose lines are spelt as people spell."""


def parts_of(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """{title: lines}; a part that has no two intents is left out. The same lines always give the same parts."""
    parts = {"all": list(lines)}
    for language in LANGUAGES:
        parts[language] = [line for line in lines if line.language == language and MESSY not in line.where]
    parts["messy Spanish"] = [line for line in lines if MESSY in line.where]
    clean = [line for line in lines if MESSY not in line.where]
    for share in (20, 40):
        parts[f"{share} % of words misspelt"] = _spelt(clean, share)
    rng = Random(20)
    parts["20 % of words, letters swapped"] = [replace(line, text=swapped(line.text, rng, 0.2)) for line in clean]
    return {title: part for title, part in parts.items() if len({line.intent for line in part}) > 1}


def _spelt(lines: Sequence[Line], share: int) -> list[Line]:
    rng = Random(share)
    return [replace(line, text=misspell(line.text, rng, share / 100)) for line in lines]


def swapped(text: str, rng: Random, share: float) -> str:
    """`share` of the words of three letters or more, each with two neighbours swapped: nothing that our training is made for."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 2 and rng.random() < share:
            at = rng.randrange(len(word) - 1)
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)

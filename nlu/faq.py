"""The frequent questions of a dialog, found by how they are asked and by what they are about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from nlu.classifier import Model, softmax
from nlu.features import BUCKETS, Floats, Ids
from nlu.normalise import normalise

SURE = 0.5
"""The least confidence with which a question counts as asked."""
POLICIES = frozenset({
    "discount", "hours", "invoice", "job", "location", "order_status", "payment", "privacy", "repairs", "returns", "shipping",
    "trade_in", "trust", "warranty",
})  # fmt: skip
"""Intents with one answer a business: sharing one makes two texts the same question. Sharing `price` or `stock` does not, for
what matters there is the thing asked about."""
_SPELT, _MEANT, _ELSEWHERE, _START = 11.0, 8.0, -2.0, -6.5
"""Logistic of (cosine, agreement of intents, how much the question is about a policy that the text is not about), chosen on the
held-out lines against the questions of the shipped dialogs."""


class Questions:
    """{key: ways of asking it} as one matrix [1 + buckets met, ways of asking], whose row 0 stands for every other bucket, and
    what each key is about [intents, keys]."""

    def __init__(self, model: Model, questions: Mapping[str, Sequence[str]]) -> None:
        self._model = model
        asked = {key: [normalise(way) for way in ways] for key, ways in questions.items()}
        asked = {key: known for key, ways in asked.items() if (known := [way for way in ways if way.words])}
        vectors = [[model.vector(way) for way in ways] for ways in asked.values()]
        flat = [vector for of_key in vectors for vector in of_key]
        self._keys = list(asked)
        self._first_way = np.cumsum([0, *(len(of_key) for of_key in vectors)])[:-1]
        met = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *(ids for ids, _ in flat)]))
        self._rows: Ids = np.zeros(BUCKETS, dtype=np.int32)
        self._rows[met] = np.arange(1, len(met) + 1, dtype=np.int32)
        self._ways: Floats = np.zeros((len(met) + 1, len(flat)), dtype=np.float32)
        for column, (ids, values) in enumerate(flat):
            self._ways[self._rows[ids], column] = values
        policies = np.array([intent in POLICIES for intent in model.intents], dtype=np.float32)
        self._about: Floats = np.zeros((len(model.intents), len(asked)), dtype=np.float32)
        for column, of_key in enumerate(vectors):
            self._about[:, column] = policies * np.mean([softmax(model.scores(vector)[0]) for vector in of_key], axis=0)
        self._policy: Floats = self._about.sum(axis=0)

    def match(self, text: str) -> tuple[str | None, float]:
        """(the key of the question asked or None, the confidence of the nearest)."""
        vector = self._model.vector(normalise(text))
        return self.nearest(vector, softmax(self._model.scores(vector)[0]))

    def nearest(self, vector: tuple[Ids, Floats], intents: Floats) -> tuple[str | None, float]:
        """`match` for a message whose vector and intent probabilities are known already."""
        if not self._keys:
            return None, 0.0
        ids, values = vector
        rows = self._rows.take(ids)
        shared = rows.nonzero()[0]
        cosine = np.maximum.reduceat(values.take(shared) @ self._ways.take(rows.take(shared), axis=0), self._first_way)
        agreed = intents @ self._about
        evidence = _SPELT * cosine + _MEANT * np.sqrt(agreed) + _ELSEWHERE * (self._policy - agreed)
        best = int(evidence.argmax())
        confidence = 1 / (1 + math.exp(-(float(evidence[best]) + _START)))
        return (self._keys[best] if confidence >= SURE else None), round(confidence, 4)

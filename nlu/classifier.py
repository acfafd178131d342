"""A multinomial logistic regression over hashed n-grams, trained and served by numpy alone."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlu import meaning
from nlu.features import BUCKETS, Floats, Hasher, Ids
from nlu.meaning import Encoder, Head
from nlu.noise import misspell
from nlu.normalise import Normal, normalise

Numbers = NDArray[np.intp]
FORMAT = 1
_SUBLINEAR = np.concatenate(([0], 1 + np.log(np.arange(1, 4097), dtype=np.float32))).astype(np.float32)
"""What a feature weighs by how often it is there; beyond the last, as the last."""
EPOCHS = 5
FOLDS = 3
RATE = 1.2


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    intent: str
    language: str | None = None


class Model:
    """Intent and language of a message. Arrays: `table` int32 [buckets] → row (row 0 is the unseen feature), `idf` float32
    [rows], `weights` float32 [rows, intents + languages], `bias` float32 [intents + languages]. `head` is what it learnt over
    a sentence encoder, when it was trained with one."""

    def __init__(
        self,
        intents: tuple[str, ...],
        languages: tuple[str, ...],
        temperature: float,
        arrays: dict[str, Any],
        head: Head | None = None,
    ) -> None:
        self.intents = intents
        self.languages = languages
        self.temperature = temperature
        self.table: Ids = arrays["table"]
        self.idf: Floats = arrays["idf"]
        self.weights: Floats = arrays["weights"]
        self.bias: Floats = arrays["bias"]
        columns = len(intents) + len(languages)
        if self.table.shape != (BUCKETS,) or self.weights.shape != (len(self.idf), columns) or self.bias.shape != (columns,):
            raise ValueError("the model's arrays do not fit its labels")
        if head is not None and head.weights.shape[1] != len(intents):
            raise ValueError("the encoder's part does not fit the model's labels")
        self.head = head
        self._hasher = Hasher()

    def vector(self, text: Normal) -> tuple[Ids, Floats]:
        """(buckets, values): the message's features, L2-normalised; those that training never met count in the norm."""
        return _weighted(self._hasher.ids(text), self.table, self.idf)

    def scores(self, vector: tuple[Ids, Floats]) -> tuple[Floats, Floats]:
        """(intent logits at the calibrated temperature, language logits) of a `vector`."""
        buckets, values = vector
        logits = values @ self.weights.take(self.table.take(buckets), axis=0) + self.bias
        split = len(self.intents)
        return logits[:split] / np.float32(self.temperature), logits[split:]

    def thinks(self, text: Normal, logits: Floats, encoder: Encoder | None) -> Floats:
        """Intent probabilities: by letters, whose `logits` are `scores`; with the encoder's where those leave a doubt."""
        likely = softmax(logits)
        head = self.head
        if head is None or encoder is None or encoder.name != head.encoder or float(likely.max()) >= meaning.UNSURE:
            return likely
        return softmax((logits + head.scores(encoder, text)) / np.float32(head.temperature))

    def save(self, path: Path) -> None:
        """Write the model whole or not at all."""
        head = self.head
        meta: dict[str, Any] = {"format": FORMAT, "intents": self.intents, "languages": self.languages}
        meta["temperature"] = self.temperature
        if head is not None:
            meta["head"] = [head.encoder, head.temperature, dict(head.spellings), sorted(head.usual)]
        save_whole(
            path,
            meta=np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8),
            table=self.table,
            idf=self.idf,
            weights=self.weights,
            bias=self.bias,
            head=np.zeros(0) if head is None else head.weights,
        )

    @classmethod
    def load(cls, path: Path) -> Model:
        """The model in a file; OSError when there is no file, ValueError or what zipfile raises when there is no model in it."""
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            meta = json.loads(file["meta"].tobytes())
            if meta["format"] != FORMAT:
                raise ValueError("a model of another format")
            arrays = {name: file[name] for name in ("table", "idf", "weights", "bias")}
            head = None
            if "head" in meta:
                encoder, temperature, spellings, usual = meta["head"]
                head = Head(encoder, float(temperature), spellings, frozenset(usual), file["head"])
        return cls(tuple(meta["intents"]), tuple(meta["languages"]), float(meta["temperature"]), arrays, head)


def save_whole(path: Path, **arrays: Any) -> None:
    """Write named arrays to a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis."""
    powers: Floats = np.exp(logits - np.maximum.reduce(logits, axis=-1, keepdims=True, initial=-np.inf))
    powers /= np.add.reduce(powers, axis=-1, keepdims=True)
    return powers


def _weighted(ids: Ids, table: Ids, idf: Floats) -> tuple[Ids, Floats]:
    """(distinct buckets, sublinear tf-idf of unit length)."""
    ordered = np.sort(ids)  # np.unique with counts, at a third of its price
    edge = np.ones(len(ordered) + 1, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=edge[1:-1])
    edges = edge.nonzero()[0]
    buckets = ordered.take(edges[:-1])
    values = _SUBLINEAR.take(edges[1:] - edges[:-1], mode="clip") * idf.take(table.take(buckets))
    norm = float(values @ values) ** 0.5
    return buckets, (values / np.float32(norm) if norm else values)


def train(examples: Sequence[Example], seed: int = 7, encoder: Encoder | None = None) -> Model:
    """Learn from labelled lines, each also in misspelt forms; the same lines always give the same model. Over an `encoder` it
    learns them once more.

    One pass trains the model and, beside it in the same rows, `FOLDS` models that each leave a part of the lines out; what these
    say about the lines they never saw sets the temperature, so that a confidence of .8 is right about eight times in ten.
    """
    examples = list(dict.fromkeys(examples))  # a line that stands twice teaches nothing more
    rng = Random(seed)
    intents = tuple(sorted({e.intent for e in examples}))
    languages = tuple(sorted({e.language for e in examples if e.language}))
    hasher = Hasher()
    normal = [normalise(e.text) for e in examples]
    clean = [hasher.ids(text) for text in normal]
    noisy = [hasher.ids(normalise(misspell(e.text, rng, 0.35))) for e in examples]
    table, idf = _rows(clean, noisy)
    vectors = [[_weighted(ids, table, idf) for ids in both] for both in zip(clean, noisy, strict=True)]
    vectors = [[(table[buckets], values) for buckets, values in both] for both in vectors]
    intent_of = np.array([intents.index(e.intent) for e in examples])
    language_of = np.array([languages.index(e.language) if e.language else -1 for e in examples])
    fold_of = np.array([rng.randrange(FOLDS) for _ in examples])

    weights, bias = _descend(vectors, intent_of, language_of, fold_of, (len(idf), len(intents), len(languages)), rng)

    count = len(intents)
    unseen = np.empty((len(examples), count), dtype=np.float32)
    for i, ((rows, values), _) in enumerate(vectors):
        start = count * (1 + int(fold_of[i]))
        unseen[i] = values @ weights[rows, start : start + count] + bias[start : start + count]
    keep = np.r_[0:count, count * (1 + FOLDS) : len(bias)]
    arrays = {"table": table, "idf": idf, "weights": np.ascontiguousarray(weights[:, keep]), "bias": bias[keep]}
    temperature = _temperature(unseen, intent_of)
    head = None
    if encoder is not None:
        head = _head(encoder, normal, unseen / np.float32(temperature), intent_of, fold_of == 0)
    return Model(intents, languages, temperature, arrays, head)


def _head(encoder: Encoder, texts: Sequence[Normal], logits: Floats, intent_of: Numbers, apart: NDArray[np.bool_]) -> Head:
    """What is learnt over the encoder. Its temperature comes from the lines that stay `apart` at first, beside what the letters
    say of lines unseen, `logits`."""
    count = logits.shape[1]
    spellings, usual = meaning.spelling(texts)
    head = Head(encoder.name, 1.0, spellings, usual, np.zeros((encoder.size + 1, count), dtype=np.float32))
    vectors = encoder.encode([head.respelt(text) for text in texts])
    if not apart.any() or apart.all():
        return replace(head, weights=meaning.fit(vectors, intent_of, count))
    first = meaning.fit(vectors[~apart], intent_of[~apart], count)
    joined = logits[apart] + meaning.scores(first, vectors[apart])
    temperature = _temperature(joined, intent_of[apart])
    return replace(head, temperature=temperature, weights=meaning.fit(vectors, intent_of, count))


def _descend(
    vectors: Sequence[Sequence[tuple[Ids, Floats]]],
    intent_of: Numbers,
    language_of: Numbers,
    fold_of: Numbers,
    shape: tuple[int, int, int],
    rng: Random,
) -> tuple[Floats, Floats]:
    """(weights, bias) by stochastic gradient descent, one line at a time, with AdaGrad steps per feature.

    `shape` is (rows, intents, languages). The columns are: the intents of the whole model, those of each fold, the languages.
    """
    rows_count, count, languages = shape
    heads = 1 + FOLDS
    split = count * heads
    weights = np.zeros((rows_count, split + languages), dtype=np.float32)
    bias = np.zeros(split + languages, dtype=np.float32)
    steps = np.full(rows_count, 1e-2, dtype=np.float32)
    order = list(range(len(vectors)))
    for epoch in range(EPOCHS):
        rng.shuffle(order)
        rate = RATE * (1 - 0.9 * epoch / EPOCHS)
        for i in order:
            for rows, values in vectors[i]:
                mine = weights[rows]
                logits = values @ mine + bias
                delta = np.zeros_like(logits)
                by_head = softmax(logits[:split].reshape(heads, count))
                by_head[:, intent_of[i]] -= 1
                by_head[1 + fold_of[i]] = 0
                delta[:split] = by_head.ravel()
                if language_of[i] >= 0:
                    delta[split:] = softmax(logits[split:])
                    delta[split + language_of[i]] -= 1
                steps[rows] += values * values * float(by_head[0] @ by_head[0])
                mine -= (rate * values / np.sqrt(steps[rows]))[:, None] * delta
                weights[rows] = mine
                bias -= 0.02 * rate * delta
    return weights, bias


def _rows(clean: Sequence[Ids], noisy: Sequence[Ids]) -> tuple[Ids, Floats]:
    """(bucket → row, idf by row); row 0 stands for every feature that training has not met."""
    frequency = np.zeros(BUCKETS, dtype=np.int32)
    for ids in clean:
        frequency[np.unique(ids)] += 1
    met = frequency > 0
    for ids in noisy:
        met[ids] = True
    buckets = np.flatnonzero(met)
    table = np.zeros(BUCKETS, dtype=np.int32)
    table[buckets] = np.arange(1, len(buckets) + 1, dtype=np.int32)
    seen = np.concatenate([[0], frequency[buckets]])
    return table, (1 + np.log((1 + len(clean)) / (1 + seen))).astype(np.float32)


def _temperature(logits: Floats, truth: Numbers) -> float:
    """The one of a geometric grid under which the true labels were likeliest."""

    def loss(temperature: float) -> float:
        chosen = softmax(logits / np.float32(temperature))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, 1e-9)).mean())

    return min((float(t) for t in np.geomspace(0.1, 5, 60)), key=loss)

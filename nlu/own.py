"""A company's own labelled lines, learnt over the model that all share.

The lines themselves are known by heart, and those of a frequent question are ways to ask it. What they teach about texts like
them is a correction of the shared logits, for the features that they hold: half a second to learn, a megabyte to keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

import numpy as np

from nlu.classifier import Model, save_whole, softmax
from nlu.features import Floats, Ids
from nlu.noise import misspell
from nlu.normalise import normalise

_EPOCHS, _RATE = 20, 0.5
_OTHERS = 400
"""Lines of the shared corpus that are gone through besides, so that what is shared with them is not forgotten."""
_FAQ = "faq:"


@dataclass(frozen=True, slots=True)
class OwnLine:
    """`label` is an intent, or `faq:` and the key of a frequent question."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be learnt. `kind`: empty (no word in it), twice, conflict (the same text means two things), unknown (no
    such label any more)."""

    kind: str
    text: str
    labels: tuple[str, ...]


def faq_label(key: str) -> str:
    return _FAQ + key


def faq_of(label: str) -> str | None:
    """The key of the frequent question that a label names; None for an intent."""
    return label.removeprefix(_FAQ) if label.startswith(_FAQ) else None


def check(lines: Sequence[OwnLine], labels: frozenset[str]) -> list[Problem]:
    """What is wrong with the lines, in their order; `labels` are those that there are."""
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for line in lines:
        plain = normalise(line.text).plain
        if not plain.strip("? "):
            problems.append(Problem("empty", line.text, (line.label,)))
        elif line.label not in labels:
            problems.append(Problem("unknown", line.text, (line.label,)))
        elif plain in seen:
            kind = "twice" if seen[plain] == line.label else "conflict"
            problems.append(Problem(kind, line.text, (seen[plain], line.label)))
        else:
            seen[plain] = line.label
    return problems


def known_by_heart(lines: Sequence[OwnLine], intent_of: Mapping[str, str]) -> dict[str, str]:
    """{plain text: intent}; `intent_of` has the intents of the labels that there are, "" where a question has none."""
    return {normalise(line.text).plain: intent_of[line.label] or "out_of_scope" for line in lines if line.label in intent_of}


def taught_by(lines: Sequence[OwnLine], intent_of: Mapping[str, str]) -> dict[str, str]:
    """{text: intent} of the lines that tell one: what `learn` learns from."""
    return {line.text: intent_of[line.label] for line in lines if intent_of.get(line.label)}


def ways_of(lines: Sequence[OwnLine], questions: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The ways of asking each of these frequent questions, with the company's own."""
    own: dict[str, list[str]] = {}
    for line in lines:
        own.setdefault(faq_of(line.label) or "", []).append(line.text)
    return {key: (*ways, *own.get(key, ())) for key, ways in questions.items()}


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learnt: `buckets` int32 [n], ascending, and what they add to the logits, `weights` float32 [n, intents]."""

    buckets: Ids
    weights: Floats

    def save(self, path: Path) -> None:
        save_whole(path, buckets=self.buckets, weights=self.weights)

    @classmethod
    def load(cls, path: Path, model: Model) -> Lesson:
        """OSError when there is no file, ValueError or what zipfile raises when there is no lesson for this model in it."""
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            buckets, weights = file["buckets"], file["weights"]
        if weights.shape != (len(buckets), len(model.intents)):
            raise ValueError("a lesson for another model")
        return cls(buckets, weights)


class Taught(Model):
    """A model with a lesson on top; it shares the arrays of the one it is made from."""

    def __init__(self, base: Model, lesson: Lesson) -> None:
        arrays = {"table": base.table, "idf": base.idf, "weights": base.weights, "bias": base.bias}
        super().__init__(base.intents, base.languages, base.temperature, arrays, base.head)
        self._hasher = base._hasher
        self._lesson = lesson

    def scores(self, vector: tuple[Ids, Floats]) -> tuple[Floats, Floats]:
        logits, languages = super().scores(vector)
        rows, values = _known(vector, self._lesson.buckets)
        return logits + values @ self._lesson.weights.take(rows, axis=0), languages


def _known(vector: tuple[Ids, Floats], buckets: Ids) -> tuple[Ids, Floats]:
    """(places in `buckets`, values) of those features of a vector that are among them."""
    ids, values = vector
    places = np.minimum(buckets.searchsorted(ids), len(buckets) - 1)
    found = (buckets.take(places) == ids).nonzero()[0]
    return places.take(found), values.take(found)


def learn(base: Model, lines: Mapping[str, str], others: Mapping[str, str], seed: int = 7) -> Lesson:
    """Learn from `lines` {text: intent}, each also misspelt, so that what `base` says of `others` {text: intent} stays. The same
    lines always give the same lesson. ValueError where there are none, or an intent that `base` does not have."""
    if not lines or not set(lines.values()) <= set(base.intents):
        raise ValueError("nothing to learn from, or an intent that the model does not have")
    rng = Random(seed)
    taught = [(each, intent) for text, intent in sorted(lines.items()) for each in (text, misspell(text, rng, 0.35))]
    kept = rng.sample(sorted(others.items()), min(_OTHERS, len(others)))
    buckets = np.unique(np.concatenate([base.vector(normalise(text))[0] for text, _ in taught]))
    weights = np.zeros((len(buckets), len(base.intents)), dtype=np.float32)
    examples = []
    for text, intent in [*taught, *((text, intent) for text, intent in kept if intent in base.intents)]:
        vector = base.vector(normalise(text))
        examples.append((*_known(vector, buckets), base.scores(vector)[0], base.intents.index(intent)))
    for _ in range(_EPOCHS):
        rng.shuffle(examples)
        for rows, values, logits, meant in examples:
            slope = softmax(logits + values @ weights[rows])
            slope[meant] -= 1
            weights[rows] -= np.float32(_RATE) * values[:, None] * slope
    return Lesson(buckets, weights)


def fingerprint(base: Model, lines: Mapping[str, str]) -> str:
    """Of everything a lesson is made from."""
    digest = sha256(base.bias.tobytes() + repr((base.intents, base.temperature, sorted(lines.items()))).encode())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:16]

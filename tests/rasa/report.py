"""What was measured of two ways to understand, as figures and as the page docs/nlu-report.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares from 0 to 1. `auroc` is of telling out-of-scope lines from the rest; None when there are none of either."""

    messages: int
    accuracy: float
    macro_f1: float
    auroc: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    train_cpu_s: float
    """Of all cores: what else the machine does meanwhile is not in it."""
    train_mb: float
    start_s: float
    rss_mb: float
    ms: Sequence[float]
    """Of each message."""

    def quantile(self, share: float) -> float:
        return float(np.quantile(self.ms, share))


def quality(truth: Sequence[str], shares: NDArray[np.float32], intents: Sequence[str]) -> Quality:
    """Of the likeliest intent of each line; `shares` has a row for each line and a column for each intent."""
    guesses = [intents[place] if row[place] > 0 else "" for row, place in zip(shares, shares.argmax(axis=1), strict=True)]
    right = Counter(meant for meant, guess in zip(truth, guesses, strict=True) if meant == guess)
    meant, guessed = Counter(truth), Counter(guesses)
    f1 = sum(2 * right[intent] / (count + guessed[intent]) for intent, count in meant.items()) / len(meant)
    return Quality(len(truth), sum(right.values()) / len(truth), f1, _auroc(truth, shares, intents))


def _auroc(truth: Sequence[str], shares: NDArray[np.float32], intents: Sequence[str]) -> float | None:
    """Of 1 - the likeliest intent that is in scope."""
    outside = np.array([intent == "out_of_scope" for intent in truth])
    if outside.all() or not outside.any():
        return None
    strange = 1 - shares[:, [intent != "out_of_scope" for intent in intents]].max(axis=1)
    out, within = strange[outside][:, None], strange[~outside]
    return float((out > within).mean() + (out == within).mean() / 2)


_PAGE = """\
# How well it understands

Our engine and a real Rasa, trained on the same {lines} lines of {intents} intents in the same run, and asked the same lines,
which neither saw. Made by `{command}`.

| held-out lines | messages | accuracy, ours | Rasa | macro F1, ours | Rasa | out-of-scope AUROC, ours | Rasa |
|---|---|---|---|---|---|---|---|
{qualities}

| | ours | Rasa |
|---|---|---|
{costs}

Accuracy is of the likeliest intent alone: no thresholds, no context, no lines known by heart, and of Rasa's ranking without
`nlu_fallback`. Misspelt words are made by the generator that our training uses too (`nlu/noise.py`); the swapped letters and the
messy Spanish are not. The languages are without the messy lines. Rasa's messages go over HTTP on loopback, one after another;
ours are calls in the process, with everything that a turn asks for. Memory is of the whole process with its libraries.

| measured on | |
|---|---|
{about}
"""


def written(found: Mapping[str, Any], arguments: str) -> str:
    """The page. `arguments` are those that the command was given."""
    own, theirs = found["own_cost"], found["their_cost"]
    qualities = [
        (title, mine.messages, f"{mine.accuracy:.1%}", f"{other.accuracy:.1%}", f"{mine.macro_f1:.3f}", f"{other.macro_f1:.3f}",
         _or_dash(mine.auroc), _or_dash(other.auroc))
        for title, mine, other in ((title, mine, found["theirs"][title]) for title, mine in found["own"].items())
    ]  # fmt: skip
    costs = [
        ("to train, seconds of CPU", f"{own.train_cpu_s:.1f}", f"{theirs.train_cpu_s:.0f}"),
        ("to train, peak MB", f"{own.train_mb:.0f}", f"{theirs.train_mb:.0f}"),
        ("to start, seconds", f"{own.start_s:.2f}", f"{theirs.start_s:.1f}"),
        ("serving, MB", f"{own.rss_mb:.0f}", f"{theirs.rss_mb:.0f}"),
        ("a message, ms, p50", f"{own.quantile(0.5):.2f}", f"{theirs.quantile(0.5):.1f}"),
        ("a message, ms, p99", f"{own.quantile(0.99):.2f}", f"{theirs.quantile(0.99):.1f}"),
    ]
    return _PAGE.format(
        lines=found["lines"],
        intents=found["intents"],
        command=f'make nlu-report ARGS="{arguments}"' if arguments else "make nlu-report",
        qualities=_rows(qualities),
        costs=_rows(costs),
        about=_rows(found["about"].items()),
    )


def _rows(cells: Iterable[Sequence[object]]) -> str:
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in cells)


def _or_dash(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"

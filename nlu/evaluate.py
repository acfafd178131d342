"""How well it understands: on lines that training never saw, by language, under typos and misspelt as people do; and on any Rasa
NLU data."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from nlu import classifier, rasa_yaml
from nlu.classifier import Example, Model
from nlu.engine import CORPUS, STAFF
from nlu.features import Floats
from nlu.language import decide
from nlu.meaning import Encoder, installed
from nlu.noise import misspell
from nlu.normalise import normalise
from nlu.rasa_yaml import Line

HELD_OUT = CORPUS / "held_out"
MESSY = "_messy.yml"
"""How the name of a file ends whose lines are misspelt as people do."""


@dataclass(frozen=True, slots=True)
class Score:
    """Shares are 0 to 1. `auroc` is of telling out-of-scope lines from the rest; None when there are none of either."""

    messages: int
    accuracy: float
    macro_f1: float
    auroc: float | None
    acted_on: float
    """The share of messages understood with a confidence of .60 or more."""
    right_of_acted_on: float
    confusions: tuple[tuple[str, str, int], ...]
    """(meant, understood, how often), the most frequent first."""


@dataclass(frozen=True, slots=True)
class Report:
    trained_lines: int
    intents: int
    train_s: float
    p50_us: float
    p99_us: float
    """Microseconds that a message takes."""
    scores: dict[str, Score]
    """By part: all, each language, typos_20, typos_40, and messy, which stands apart from all."""
    language_right: float
    language_wrong: float
    """The rest of the held-out lines carry no language."""


def evaluate(corpus: Path = CORPUS, encoder: Encoder | None = None) -> Report:
    """Train on the lines of a folder, with the help of an encoder where one is given, and measure on its `held_out` part."""
    lines, held_out = rasa_yaml.read(corpus), rasa_yaml.read(corpus / "held_out")
    started = time.perf_counter()
    model = classifier.train(_examples(lines), encoder=encoder)
    train_s = time.perf_counter() - started
    messy = [line for line in held_out if MESSY in line.where]
    clean = [line for line in held_out if MESSY not in line.where]
    parts: dict[str, list[Line]] = {"all": clean}
    parts |= {language: [line for line in clean if line.language == language] for language in rasa_yaml.LANGUAGES}
    for share in (20, 40):
        rng = Random(share)
        parts[f"typos_{share}"] = [replace(line, text=misspell(line.text, rng, share / 100)) for line in clean]
    parts["messy"] = messy
    scores = {name: score(model, part, encoder) for name, part in parts.items() if part}
    took = []
    for line in held_out:
        started = time.perf_counter()
        probabilities(model, line, encoder)
        took.append((time.perf_counter() - started) * 1e6)
    told = [_language(model, line) for line in held_out]
    right = sum(guess == line.language for guess, line in zip(told, held_out, strict=True)) / len(held_out)
    wrong = sum(guess not in (None, line.language) for guess, line in zip(told, held_out, strict=True)) / len(held_out)
    p50, p99 = (round(float(each), 1) for each in np.percentile(took, (50, 99)))
    return Report(len(lines), len(model.intents), round(train_s, 2), p50, p99, scores, round(right, 4), round(wrong, 4))


def probabilities(model: Model, line: Line, encoder: Encoder | None) -> Floats:
    """Of the model's intents, by the classifier alone."""
    text = normalise(line.text)
    return model.thinks(text, model.scores(model.vector(text))[0], encoder)


def score(model: Model, lines: Sequence[Line], encoder: Encoder | None = None) -> Score:
    """The classifier alone, without context, shortcuts or thresholds. ValueError when there are no lines."""
    if not lines:
        raise ValueError("nothing to measure on")
    likely = np.array([probabilities(model, line, encoder) for line in lines])
    truth = [line.intent for line in lines]
    guesses = [model.intents[i] for i in likely.argmax(axis=1)]
    right = np.array([a == b for a, b in zip(truth, guesses, strict=True)])
    acted = likely.max(axis=1) >= 0.60
    confusions = Counter((a, b) for a, b in zip(truth, guesses, strict=True) if a != b).most_common(10)
    return Score(
        messages=len(lines),
        accuracy=round(float(right.mean()), 4),
        macro_f1=round(_macro_f1(truth, guesses), 4),
        auroc=_auroc(model, likely, truth),
        acted_on=round(float(acted.mean()), 4),
        right_of_acted_on=round(float(right[acted].mean()) if acted.any() else 0.0, 4),
        confusions=tuple((meant, understood, count) for (meant, understood), count in confusions),
    )


def train(data: Path, out: Path, *, base: bool = False) -> None:
    """Train on any Rasa NLU YAML file or folder and write the model to `out`; `base` adds the shipped corpus. CorpusError."""
    lines = [*rasa_yaml.read(data, strict=False), *(rasa_yaml.read(CORPUS) if base else ())]
    classifier.train(_examples(lines)).save(out)


def test(model: Path, data: Path) -> dict[str, Any]:
    """Measure the model file on any Rasa NLU YAML; the names of `Score` and the milliseconds a message took."""
    loaded, lines = Model.load(model), rasa_yaml.read(data, strict=False)
    started = time.perf_counter()
    scored = score(loaded, lines)
    return {**asdict(scored), "ms_per_message": round((time.perf_counter() - started) / len(lines) * 1e3, 4)}


def main(json: bool = False) -> None:
    """Print the reports of what prospects say and of what our own people say, without and with the encoder where one is
    installed: for people, or as one JSON object {name: report}."""
    encoder = installed()
    reports = {}
    for name, corpus in (("sales", CORPUS), ("staff", STAFF)):
        reports[name] = evaluate(corpus)
        if encoder is not None:
            reports[f"{name}_with_encoder"] = evaluate(corpus, encoder)
    if json:
        sys.stdout.write(jsonlib.dumps({name: asdict(report) for name, report in reports.items()}, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n\n".join(f"{name}: {_shown(report)}" for name, report in reports.items()) + "\n")


def _shown(report: Report) -> str:
    rows = [
        f"{report.trained_lines} lines, {report.intents} intents, {report.train_s} s to train",
        f"a message takes {report.p50_us} µs (p99 {report.p99_us})",
        f"language: {report.language_right:.1%} right, {report.language_wrong:.1%} wrong, the rest not told",
        f"{'':10}{'messages':>9}{'accuracy':>9}{'macro F1':>9}{'AUROC':>7}{'acted on':>9}{'right then':>11}",
    ]
    for name, s in report.scores.items():
        auroc = f"{s.auroc:.3f}" if s.auroc is not None else "-"
        rows.append(
            f"{name:10}{s.messages:9}{s.accuracy:9.1%}{s.macro_f1:9.3f}{auroc:>7}{s.acted_on:9.1%}{s.right_of_acted_on:11.1%}"
        )
    rows.append("most confused (meant → understood):")
    rows += [f"  {meant} → {understood}: {count}" for meant, understood, count in report.scores["all"].confusions]
    return "\n".join(rows)


def _examples(lines: Sequence[Line]) -> list[Example]:
    return [Example(line.text, line.intent, line.language) for line in lines]


def _language(model: Model, line: Line) -> str | None:
    text = normalise(line.text)
    return decide(text, model.languages, model.scores(model.vector(text))[1])


def _macro_f1(truth: Sequence[str], guesses: Sequence[str]) -> float:
    meant, understood = Counter(truth), Counter(guesses)
    both = Counter(a for a, b in zip(truth, guesses, strict=True) if a == b)
    return sum(2 * both[intent] / (count + understood[intent]) for intent, count in meant.items()) / len(meant)


def _auroc(model: Model, probabilities: Any, truth: Sequence[str]) -> float | None:
    """Of 1 - the likeliest intent that is in scope."""
    scope = np.array([intent != "out_of_scope" for intent in model.intents])
    strange = 1 - probabilities[:, scope].max(axis=1)
    outside = np.array([intent == "out_of_scope" for intent in truth])
    if outside.all() or not outside.any():
        return None
    out, within = strange[outside][:, None], strange[~outside]
    return round(float((out > within).mean() + (out == within).mean() / 2), 4)

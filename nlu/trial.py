"""Trying out what a company taught, before it is used: what it does to lines that nobody taught, and whether it was learnt.

It takes seconds of CPU, so it runs in a process of its own (`python -m nlu.trial`), which the service feeds and reads.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from nlu import engine, own, rasa_yaml
from nlu.engine import Engine
from nlu.evaluate import HELD_OUT, MESSY, probabilities
from nlu.meaning import Encoder, installed
from nlu.noise import misspell
from nlu.own import OwnLine, Taught
from nlu.rasa_yaml import Line
from nlu.understanding import Understanding

SURE = 0.6
"""The confidence from which an intent is acted on."""
_TYPOS = 0.3
MOST_SHOWN = 20

Faqs = Sequence[Mapping[str, Sequence[str]]]
"""The frequent questions of each dialog: {key: ways of asking it}."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A line that is not understood as it is labelled, but as `understood`."""

    text: str
    label: str
    understood: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a lesson does. `before` and `after` are the shares of held-out lines that are understood, by part (all, each language,
    messy); `lines` is how many those are."""

    lines: dict[str, int]
    before: dict[str, float]
    after: dict[str, float]
    better: int
    worse: int
    worsened: list[Missed]
    """The first MOST_SHOWN of the held-out lines that were understood and are not any more."""
    taught: int
    learnt: int
    """How many of the taught lines are understood as they are labelled."""
    by_ear: float
    """The share of them that is when they are misspelt."""
    missed: list[Missed]


@dataclass(frozen=True, slots=True)
class Task:
    """`lines` are (text, label) of a company; `intent_of` has the intents of their labels, "" where a question has none."""

    cache: str
    """The folder of the models."""
    lines: list[tuple[str, str]]
    intent_of: dict[str, str]
    faqs: list[dict[str, list[str]]]
    out: str
    """The file that the lesson goes to."""
    measure: bool


def run(base: Engine, task: Task, tell: Callable[[int], None], encoder: Encoder | None = None) -> Effect | None:
    """Learn the lines and write the lesson; the effect, where it is to be measured. `tell` hears the share that is done, 0 to
    100."""
    lines = [OwnLine(text, label) for text, label in task.lines]
    taught = own.taught_by(lines, task.intent_of)
    model = base.model
    if taught:
        lesson = own.learn(base.model, taught, base.by_heart)
        lesson.save(Path(task.out))
        model = Taught(base.model, lesson)
    tell(40)
    if not task.measure:
        return None
    engine = base.taught(own.known_by_heart(lines, task.intent_of), model)
    held_out = rasa_yaml.read(HELD_OUT)
    tell(55)
    old = _guesses(base, held_out, encoder)
    tell(75)
    new = _guesses(engine, held_out, encoder)
    tell(95)
    return _effect(held_out, old, new, *_learnt(engine, lines, task.faqs))


def _guesses(engine: Engine, lines: Sequence[Line], encoder: Encoder | None) -> list[str]:
    intents = engine.model.intents
    return [intents[int(probabilities(engine.model, line, encoder).argmax())] for line in lines]


def _effect(
    held_out: Sequence[Line], old: Sequence[str], new: Sequence[str], taught: int, missed: list[Missed], by_ear: float
) -> Effect:
    parts: dict[str, list[int]] = {"all": [], **{language: [] for language in rasa_yaml.LANGUAGES}, "messy": []}
    for place, line in enumerate(held_out):
        for part in ("messy",) if MESSY in line.where else ("all", line.language or "all"):
            parts[part].append(place)

    def shares(guesses: Sequence[str]) -> dict[str, float]:
        return {
            part: round(sum(guesses[each] == held_out[each].intent for each in places) / len(places), 4)
            for part, places in parts.items()
        }

    changed = [(line, was == line.intent, now) for line, was, now in zip(held_out, old, new, strict=True) if was != now]
    worse = [Missed(line.text, line.intent, now) for line, was_right, now in changed if was_right]
    return Effect(
        lines={part: len(places) for part, places in parts.items()},
        before=shares(old),
        after=shares(new),
        better=sum(now == line.intent for line, _, now in changed),
        worse=len(worse),
        worsened=worse[:MOST_SHOWN],
        taught=taught,
        learnt=taught - len(missed),
        by_ear=by_ear,
        missed=missed[:MOST_SHOWN],
    )


def _learnt(engine: Engine, lines: Sequence[OwnLine], faqs: Faqs) -> tuple[int, list[Missed], float]:
    """(how many, those that are not understood as labelled, the share that is when misspelt)."""
    indexes = [(questions, engine.faq_index(own.ways_of(lines, questions))) for questions in faqs]
    rng = Random(7)
    missed: list[Missed] = []
    heard = 0
    for line in lines:
        key = own.faq_of(line.label)
        asked = [index for questions, index in indexes if key in questions] if key is not None else [None]
        told = {_label(engine.understand(line.text, faq=index), key) for index in asked}
        if told != {line.label}:
            missed.append(Missed(line.text, line.label, next(iter(told - {line.label}), "")))
        typo = misspell(line.text, rng, _TYPOS)
        heard += {_label(engine.understand(typo, faq=index), key) for index in asked} == {line.label}
    return len(lines), missed, round(heard / len(lines), 4) if lines else 0.0


def _label(told: Understanding, key: str | None) -> str:
    """What was understood, as a label of the kind that is asked for; "" when it would not be acted on."""
    if key is not None:
        return own.faq_label(told.faq) if told.faq is not None else ""
    return told.intent if told.confidence >= SURE else ""


def main() -> None:
    """Read a Task as JSON, write what is done line by line: {"done": 40}, and last {"effect": …}. One at a time on a machine."""
    os.nice(10)
    task = Task(**json.load(sys.stdin))
    cache = Path(task.cache)
    cache.mkdir(parents=True, exist_ok=True)

    def say(told: Mapping[str, object]) -> None:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    def tell(done: int) -> None:
        say({"done": done})

    with (cache / "training.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        encoder = installed()
        base = engine.load(cache, encoder=encoder)
        tell(20)
        effect = run(base, task, tell, encoder)
    say({"effect": asdict(effect) if effect is not None else None})


if __name__ == "__main__":
    main()

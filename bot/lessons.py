"""What companies taught, on top of the understanding that all share: an engine for each company that has a lesson in use.

A lesson is tried and learnt in a process of its own, at a low priority: nobody's answer waits for it. What was learnt is a small
file beside the shared model, made anew where it is missing or damaged; until it is there, the lines are known by heart.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import structlog

from dialogs.loader import Dialog
from nlu import own
from nlu.classifier import Model
from nlu.engine import NO_WISH, Engine
from nlu.own import Lesson, OwnLine, Taught
from nlu.trial import Task

log = structlog.get_logger()

MODELS = Path("var/models")
"""Where what was learnt is kept, so that the next start is quick."""
_PATIENCE = 100.0
"""Seconds after which a trial is given up."""
_KEPT = 3
"""Lessons of a company that are kept as files besides the one in use: the one before it, and what was tried last."""
_read = msgspec.json.Decoder(dict[str, Any]).decode

Lines = Sequence[Sequence[str]]
"""(text, label)"""
Faqs = list[dict[str, list[str]]]
"""The frequent questions of each dialog: {key: ways of asking it}."""
Intents = Mapping[str, str]
"""{label: intent}; "" for a frequent question without one."""


class TrialFailed(Exception):
    """The process that learns ended without a word; the message is the end of what it wrote."""


def questions(dialogs: Iterable[Dialog]) -> Faqs:
    """The frequent questions of each dialog, as a trial asks them."""
    return [{key: list(ways) for key, ways in dialog.faq_questions().items()} for dialog in dialogs]


class Lessons:
    """Engines by company. `engine` is what all share; `models` the folder that its model is in."""

    def __init__(self, engine: Engine, models: Path = MODELS) -> None:
        self.shared = engine
        self._models = models
        self._engines: dict[int, tuple[Lines, Intents, Engine]] = {}
        self.missing: dict[int, tuple[Lines, Intents]] = {}
        """What is in use and was not to be had, by company."""
        self._learning = asyncio.Lock()
        self._at_it = False

    def intents(self, dialogs: Iterable[Dialog]) -> dict[str, str]:
        """Every label that a company with these dialogs may give."""
        labels = {intent: intent for intent in self.shared.model.intents if intent not in NO_WISH}
        for dialog in dialogs:
            for key, faq in dialog.faq.items():
                labels.setdefault(own.faq_label(key), faq.intent)
        return labels

    def of(self, company: int, lines: Lines, intents: Intents) -> Engine:
        """The engine of a company whose lesson in use has these `lines`; the same one while they are the same."""
        old = self._engines.get(company)
        if old is not None and old[:2] == (lines, intents) and company not in self.missing:
            return old[2]
        self.missing.pop(company, None)
        known = [OwnLine(text, label) for text, label in lines]
        model = self._model(company, lines, intents)
        if model is None:
            self.missing[company] = lines, intents
        engine = self.shared.taught(own.known_by_heart(known, intents), model)
        self._engines[company] = lines, intents, engine
        return engine

    def keep(self, companies: Iterable[int]) -> None:
        """Forget the engines of all others."""
        for gone in self._engines.keys() - set(companies):
            del self._engines[gone]
            self.missing.pop(gone, None)

    def _model(self, company: int, lines: Lines, intents: Intents) -> Model | None:
        """What was learnt from the lines; the shared model where they teach nothing; None where that is still to be done."""
        base = self.shared.model
        if not _taught(lines, intents):
            return base
        try:
            return Taught(base, Lesson.load(self._file(company, lines, intents), base))
        except Exception:  # whatever zipfile and numpy make of a damaged file, or of none
            return None

    def _file(self, company: int, lines: Lines, intents: Intents) -> Path:
        return self._models / f"company-{company}-{own.fingerprint(self.shared.model, _taught(lines, intents))}.npz"

    async def learn_missing(self, then: Callable[[], Awaitable[None]]) -> None:
        """Learn what is in use and was not to be had, and `then` read it; somebody may be at it already."""
        if self._at_it:
            return
        self._at_it = True
        try:
            while self.missing:
                company, (lines, intents) = next(iter(self.missing.items()))
                try:
                    await self._run(company, lines, intents, [], None)
                    await then()
                except (TrialFailed, TimeoutError, OSError) as error:
                    log.error("a lesson could not be learnt; its lines are known by heart", company=company, problem=str(error))
                finally:
                    self.missing.pop(company, None)  # once is enough
        finally:
            self._at_it = False

    async def try_out(
        self,
        company: int,
        lines: Lines,
        intents: Intents,
        faqs: Faqs,
        tell: Callable[[int], Awaitable[None]],
    ) -> dict[str, Any]:
        """Learn the lines and measure what that does: `nlu.trial.Effect`. `tell` hears the percent that is done. TrialFailed,
        TimeoutError, OSError."""
        effect: dict[str, Any] = await self._run(company, lines, intents, faqs, tell)
        return effect

    async def _run(
        self,
        company: int,
        lines: Lines,
        intents: Intents,
        faqs: Faqs,
        tell: Callable[[int], Awaitable[None]] | None,
    ) -> Any:
        pairs = [(text, label) for text, label in lines]
        task = Task(
            str(self._models), pairs, dict(intents), faqs, str(self._file(company, lines, intents)), measure=tell is not None
        )
        async with self._learning, asyncio.timeout(_PATIENCE):
            process = await asyncio.to_thread(_started)  # to start one holds a loop for as long as it has memory to share
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                await asyncio.to_thread(process.stdin.write, msgspec.json.encode(asdict(task)))
                await asyncio.to_thread(process.stdin.close)
                while line := await asyncio.to_thread(process.stdout.readline):
                    told = _read(line)
                    if "effect" in told:
                        with suppress(OSError):  # another process tidies up at the same moment
                            self._prune(company, Path(task.out))
                        return told["effect"]
                    if tell is not None:
                        await tell(told["done"])
                raise TrialFailed((await asyncio.to_thread(process.stderr.read))[-500:].decode(errors="replace"))
            finally:
                await asyncio.to_thread(_end, process)

    def _prune(self, company: int, newest: Path) -> None:
        """Delete what a company tried long ago, but not what is in use."""
        used = self._engines.get(company)
        kept = {newest, self._file(company, used[0], used[1]) if used is not None else newest}
        files = sorted(self._models.glob(f"company-{company}-*.npz"), key=lambda file: file.stat().st_mtime)
        for old in [file for file in files if file not in kept][:-_KEPT]:
            old.unlink(missing_ok=True)


def _started() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "nlu.trial"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)  # noqa: S603 - our own module


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:
        process.kill()


def _taught(lines: Lines, intents: Intents) -> dict[str, str]:
    return own.taught_by([OwnLine(text, label) for text, label in lines], intents)

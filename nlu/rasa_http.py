"""A real Rasa server says what a text wants; everything else stays the embedded engine's.

The server is asked ahead, before a turn's transaction is open (`foresee`), and what it told is kept for the turn, which asks the
memory (`understand`). Where nothing was told, because it came late, failed or was not asked, the embedded engine's own opinion
stands. Shapes: Rasa 3.6, `POST /model/parse`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np

from nlu.engine import Engine, Look, looked_at
from nlu.features import Floats
from nlu.normalise import shortened
from nlu.rasa_export import from_rasa

PATIENCE = 0.3
"""Seconds that what is asked together may take together."""
AT_ONCE = 8
"""Texts at the server at a time: it reads one after the other, some 10 ms each."""
KEPT = 60.0
"""Seconds that an answer is good for: another model may be there by then."""
FAILURES, REST = 3, 10.0
"""Askings on end without any answer, after which the server is left alone for so many seconds."""

Ask = Callable[[bytes], Awaitable[bytes]]
"""Posts a body to /model/parse and returns that of the answer; NoAnswer when there is none, or not of status 200."""
News = Literal["answered", "late", "failed", "unusable", "fallback", "resting", "back"]
"""What came of a text at the server (the first four); the engine's own opinion had to do; it is left alone, and asked again."""
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class NoAnswer(Exception):
    """The server could not be reached, was silent, or answered with an error."""


class _Guess(msgspec.Struct):
    name: str | None = None
    confidence: Share = 0.0


class _Answer(msgspec.Struct):
    intent: _Guess
    intent_ranking: list[_Guess] = []


_read = msgspec.json.Decoder(_Answer).decode


class _Told(NamedTuple):
    intents: Floats
    """Probabilities, in the order of the model's intents."""
    until: float


def question(text: str) -> bytes:
    """The body that asks about a text. To Rasa a text that begins with a slash names its intent: whoever writes to us may not."""
    return msgspec.json.encode({"text": shortened(text).lstrip("/ \n\t")})


def opinion(body: bytes, intents: tuple[str, ...]) -> Floats | None:
    """The probabilities of `intents` in an answer; None when it is none, or knows none of them."""
    try:
        answer = _read(body)
    except msgspec.DecodeError:
        return None
    told = {from_rasa(guess.name): guess.confidence for guess in (answer.intent, *answer.intent_ranking) if guess.name}
    shares = np.array([told.get(intent, 0.0) for intent in intents], dtype=np.float32)
    return shares if shares.any() else None


class Rasa(Engine):
    """`engine` with the intents of a server. `note` is told what comes of it; `clock` counts seconds."""

    def __init__(
        self,
        engine: Engine,
        ask: Ask,
        note: Callable[[News], None],
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(engine.model, engine.by_heart, engine.encoder)
        self._ask = ask
        self._note = note
        self._clock = clock
        self._patience = patience
        self._told: dict[str, _Told] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._failures = 0
        self._rests_until = 0.0

    async def foresee(self, texts: Iterable[str]) -> None:
        """Have an answer ready for each of these, as far as the server gives them in time; never raises."""
        now = self._clock()
        for text in [text for text, told in self._told.items() if told.until <= now]:
            del self._told[text]  # in its place: the engines of companies share it
        wanted = {part for text in texts for part in looked_at(text) if self._asks(part)} - self._told.keys()
        if not wanted or (self._failures >= FAILURES and now < self._rests_until):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience), asyncio.TaskGroup() as group:
                for text in wanted:
                    group.create_task(self._learn(text))
        self._judge(came=not wanted.isdisjoint(self._told))

    async def _learn(self, text: str) -> None:
        async with self._slots:
            try:
                told = opinion(await self._ask(question(text)), self.model.intents)
            except NoAnswer:
                self._note("failed")
                return
            except asyncio.CancelledError:
                self._note("late")
                raise
        if told is None:
            self._note("unusable")
        else:
            self._told[text] = _Told(told, self._clock() + KEPT)
            self._note("answered")

    def _judge(self, *, came: bool) -> None:
        """Leave the server alone after failures on end; the first answer after the rest ends them."""
        if came:
            if self._failures >= FAILURES:
                self._note("back")
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= FAILURES:
            self._rests_until = self._clock() + REST
            if self._failures == FAILURES:
                self._note("resting")

    def _asks(self, text: str) -> bool:
        """Whether the server is to be asked: not where there is no word in it, or where it is known by heart."""
        look = super().look(text)
        return look is not None and look.normal.plain not in self.by_heart

    def look(self, text: str) -> Look | None:
        look = super().look(text)
        if look is None or look.normal.plain in self.by_heart:
            return look
        told = self._told.get(text)
        if told is None:
            self._note("fallback")
            return look
        return look._replace(intents=told.intents, likely=told.intents.tolist())

"""How long the service keeps its loop from whoever else waits for it, and what of that is the understanding. Measured in the
serving process, when a bench asks for it, in CPU of its thread: what the machine gives to others meanwhile is not ours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from aiohttp import web

from nlu.engine import Engine, Look
from nlu.understanding import FaqIndex, Understanding

BEAT = 0.001
"""Seconds between two looks at the loop: what it does between them is done on end."""
PATH = "/bench/occupied"
TARGETS: Mapping[str, float] = {"understanding_cpu_ms_p50": 1.0, "understanding_blocked_ms_max": 20.0}
"""The most that each figure may be. How long a batch of turns may take as a whole is for `bot.turns.PROMPT` to say."""


class Meter(Engine):
    """An engine that counts what it costs. It remembers no text: the prospects of a bench all say the same lines."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.thread_time) -> None:
        super().__init__(engine.model, engine.by_heart, engine.encoder)
        self._clock = clock
        self._messages, self._spent = 0, 0.0
        self._looked = clock()
        self.batches: list[tuple[int, float]] = []
        """Messages that were understood on end, and the seconds that it took."""
        self.blocked: list[float] = []
        """Seconds that the loop was busy between two beats."""

    def understand(self, text: str, expected: str | None = None, faq: FaqIndex | None = None) -> Understanding:
        began = self._clock()
        try:
            return super().understand(text, expected, faq)
        finally:
            self._messages, self._spent = self._messages + 1, self._spent + self._clock() - began

    def look(self, text: str) -> Look | None:
        return self.look_anew(text)

    def beat(self) -> None:
        """The loop was free for others."""
        now = self._clock()
        self.blocked.append(now - self._looked)
        self._looked = now
        if self._messages:
            self.batches.append((self._messages, self._spent))
            self._messages, self._spent = 0, 0.0

    def setup(self, app: web.Application) -> None:
        """Beat while the application runs, and tell the figures since the last time under PATH."""

        async def told(_: web.Request) -> web.Response:
            found = figures(self.batches, self.blocked)
            self.batches.clear()
            self.blocked.clear()
            return web.json_response(found)

        async def beating(_: web.Application) -> Any:
            task = asyncio.create_task(self._run())
            yield
            task.cancel()

        app.router.add_get(PATH, told)
        app.cleanup_ctx.append(beating)

    async def _run(self) -> None:
        while True:
            self.beat()
            await asyncio.sleep(BEAT)


def figures(batches: Sequence[tuple[int, float]], blocked: Sequence[float]) -> dict[str, float]:
    """In milliseconds: the understanding's CPU a message, the median over batches, and the most of one batch; and how long the
    loop was busy on end. Without a batch nothing is known of either."""
    if not batches or not blocked:
        return {}
    ranked = sorted(blocked)
    return {
        "understanding_cpu_ms_p50": _ms(median(spent / messages for messages, spent in batches)),
        "understanding_blocked_ms_max": _ms(max(spent for _, spent in batches)),
        "messages_a_batch": round(sum(messages for messages, _ in batches) / len(batches), 1),
        "loop_blocked_ms_p99": _ms(ranked[min(int(len(ranked) * 0.99), len(ranked) - 1)]),
        "loop_blocked_ms_max": _ms(ranked[-1]),
    }


def missed(found: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What does not keep to its target, in words; a figure that is not there was not asked for."""
    return [
        f"{prefix}{name} is {found[prefix + name]}, and may be {most:g}"
        for name, most in TARGETS.items()
        if prefix + name in found and found[prefix + name] > most
    ]


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)

"""How fast we may send: a bucket of tokens that fills at a steady rate."""

from __future__ import annotations

import asyncio


class Bucket:
    """`rate` tokens a second, at most `burst` saved up. Those who wait are served in turn."""

    def __init__(self, rate: float, burst: float) -> None:
        self._every = 1 / rate
        self._slack = (burst - 1) * self._every
        self._full_at = 0.0
        """The loop's time at which the bucket is full again, were nothing more taken."""

    def reserve(self) -> float:
        """Take one token; returns the seconds until it is there (generic cell rate algorithm)."""
        now = asyncio.get_running_loop().time()
        full_at = max(self._full_at, now)
        self._full_at = full_at + self._every
        return max(0.0, full_at - self._slack - now)

    async def take(self) -> None:
        """Take one token, waiting for it where need be."""
        wait = self.reserve()
        if wait > 0:
            await asyncio.sleep(wait)

    def wait(self) -> float:
        """Seconds until the next token is there, without taking it."""
        now = asyncio.get_running_loop().time()
        return max(0.0, self._full_at - self._slack - now)

    def empty(self) -> None:
        """Begin with nothing saved up."""
        self.hold(0)

    def hold(self, seconds: float) -> None:
        """Let nothing out for this long: the messenger asked us to slow down."""
        self._full_at = max(self._full_at, asyncio.get_running_loop().time() + seconds + self._slack)

    def idle(self) -> bool:
        """Whether it is full: forgetting it changes nothing."""
        return self._full_at <= asyncio.get_running_loop().time()

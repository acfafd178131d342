"""Word from process to process over Redis: there is work for you, something changed on a page you show.

Nothing that matters travels here: whoever is told looks into the database, and whoever is not told finds the same by polling. So
Redis may be flushed, frozen or away; `up` tells whether it can be relied on to be quick.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from bot.metrics import BUS_UP

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()

PREFIX = "mostrador:"
PING = 0.5
"""Seconds between two words to ourselves."""
DEAF = 2.0
"""Seconds without hearing ourselves after which the bus counts as away."""
GATHER = 0.002
"""Seconds that words wait for others, to travel together."""
MOST = 5_000
"""Items kept for one process while Redis is slow; what is more is found by polling."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, list[Any]]).decode

Heard = Callable[[str, Sequence[Any]], None]


class Bus:
    """One channel a process. `tell` never waits and never fails; `heard(topic, items)` is called with what
    others told us, `on_up()` when we begin to hear."""

    def __init__(self, url: str, heard: Heard, on_up: Callable[[], None]) -> None:
        self._url = url
        self._on_up = on_up
        self._heard = heard
        self._words: defaultdict[int, defaultdict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        self._wake = asyncio.Event()
        self._last_heard = float("-inf")
        self.me = 0
        """Our process id. It changes when we are taken for dead and join anew: then we listen under the new one."""

    @property
    def up(self) -> bool:
        return bool(self._url) and asyncio.get_running_loop().time() - self._last_heard < DEAF

    def tell(self, process: int, topic: str, items: Sequence[Any]) -> None:
        """Tell `process` these `items` (JSON values); nothing is queued while the bus is away, nor for ourselves."""
        if process != self.me and self.up and len(waiting := self._words[process][topic]) < MOST:
            waiting.extend(items)
            self._wake.set()

    async def run(self) -> None:
        """Speak and listen until cancelled, through whatever Redis does."""
        if not self._url:
            return
        from redis.asyncio import Redis  # loaded by those who use it: it takes a fifth of a second
        from redis.exceptions import RedisError

        while True:
            redis = Redis.from_url(self._url, socket_timeout=DEAF, socket_connect_timeout=DEAF)
            try:
                async with redis.pubsub() as channel:
                    me = self.me
                    await channel.subscribe(f"{PREFIX}{me}")
                    parts = [asyncio.create_task(work) for work in (self._listen(channel, me), self._speak(redis))]
                    try:
                        await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        for part in parts:
                            part.cancel()
                        results = await asyncio.gather(*parts, return_exceptions=True)
                    if me != self.me:
                        continue
                    log.warning("Redis is away; looking into the database instead", problem=_problem(results))
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("Redis cannot be reached; looking into the database instead", problem=type(error).__name__)
            finally:
                with suppress(RedisError, OSError, TimeoutError):
                    await redis.aclose()
            self._words.clear()
            BUS_UP.set(0)
            await asyncio.sleep(1)

    async def _listen(self, channel: Any, me: int) -> None:
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while me == self.me:
            message = await channel.get_message(ignore_subscribe_messages=True, timeout=DEAF)
            if message is None:
                if loop.time() - heard >= DEAF:
                    raise TimeoutError("nothing heard, not even from ourselves")
                continue
            was_up, self._last_heard, heard = self.up, loop.time(), loop.time()
            if not was_up:
                BUS_UP.set(1)
                self._on_up()
            with suppress(msgspec.DecodeError):
                for topic, items in _decode(message["data"]).items():
                    self._heard(topic, items)

    async def _speak(self, redis: Redis) -> None:
        loop = asyncio.get_running_loop()
        next_ping = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, next_ping - loop.time())):
                    await self._wake.wait()
                    await asyncio.sleep(GATHER)
            self._wake.clear()
            words, self._words = self._words, defaultdict(lambda: defaultdict(list))
            async with redis.pipeline(transaction=False) as pipe:
                for process, topics in words.items():
                    pipe.publish(f"{PREFIX}{process}", _encode(topics))
                if loop.time() >= next_ping:
                    pipe.publish(f"{PREFIX}{self.me}", b"{}")
                    next_ping = loop.time() + PING
                await pipe.execute()


def _problem(results: Sequence[Any]) -> str:
    return ", ".join(type(each).__name__ for each in results if isinstance(each, Exception)) or "the connection ended"

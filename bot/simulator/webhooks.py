"""Meta's side of a webhook: signed, retried until it is answered 200, in order within one conversation."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections import deque
from collections.abc import Hashable
from typing import Any

import aiohttp

log = logging.getLogger(__name__)

Json = dict[str, Any]


def body(account: str, field: str, value: Json) -> bytes:
    """One update as Meta writes it: compact ASCII JSON, `{"object", "entry": [{"id", "changes": [{"value", "field"}]}]}`."""
    update = {"object": "whatsapp_business_account", "entry": [{"id": account, "changes": [{"value": value, "field": field}]}]}
    return json.dumps(update, separators=(",", ":")).encode()


def signature(secret: str, content: bytes) -> str:
    """The value of `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


class Webhooks:
    """Delivers updates to one address. Times are in real seconds, whatever the simulated clock says."""

    def __init__(
        self, url: str, secret: str, *, first_retry: float = 0.25, longest_retry: float = 30.0, timeout: float = 20.0
    ) -> None:
        self.url = url
        self.secret = secret
        self._first_retry = first_retry
        self._longest_retry = longest_retry
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._lanes: dict[Hashable, deque[tuple[bytes, asyncio.Future[int]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many updates have not been answered 200 yet."""
        return sum(map(len, self._lanes.values()))

    def send(self, lane: Hashable, content: bytes) -> asyncio.Future[int]:
        """Queue one update behind the others of its lane; the future has the first attempt's HTTP status, 0 for no answer."""
        first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._closed:
            first.cancel()
            return first
        queue = self._lanes.get(lane)
        if queue is None:
            queue = self._lanes[lane] = deque()
            task = asyncio.create_task(self._drain(lane, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.append((content, first))
        return first

    async def idle(self) -> None:
        """Wait until everything has been answered 200."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Stop trying; what was not delivered is dropped, and so is what a service says that ends later than we do."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for queue in self._lanes.values():
            for _, first in queue:
                first.cancel()
        self._lanes.clear()
        if self._session is not None:
            await self._session.close()

    async def _drain(self, lane: Hashable, queue: deque[tuple[bytes, asyncio.Future[int]]]) -> None:
        while queue:
            await self._deliver(*queue[0])
            queue.popleft()
        del self._lanes[lane]

    async def _deliver(self, content: bytes, first: asyncio.Future[int]) -> None:
        pause = self._first_retry
        while True:
            status = await self._post(content)
            if not first.done():
                first.set_result(status)
            if status == 200:
                return
            log.info("the webhook answered %s; trying again in %.2f s", status or "nothing", pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._longest_retry)

    async def _post(self, content: bytes) -> int:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": signature(self.secret, content),
        }
        try:
            async with self._session.post(self.url, data=content, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

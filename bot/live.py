"""What just changed, for the pages that are open: a small fan-out inside the process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """`topic` is conversation, lead, assignment (of a conversation), alert (of a user) or phrase; `id` the row that changed."""

    topic: str
    id: int


class Live:
    """Listeners get their own company's changes. One that falls behind loses the oldest: pages fetch what they show anew."""

    def __init__(self) -> None:
        self._listeners: defaultdict[int, set[asyncio.Queue[Change]]] = defaultdict(set)
        self.deaf: Callable[[], bool] = lambda: False
        """Whether other processes change things and cannot tell us."""

    @property
    def watched(self) -> bool:
        """Whether any page is open at all."""
        return bool(self._listeners)

    def publish(self, company: int, change: Change) -> None:
        for queue in self._listeners.get(company, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(change)

    @contextmanager
    def listen(self, company: int) -> Iterator[asyncio.Queue[Change]]:
        queue: asyncio.Queue[Change] = asyncio.Queue(maxsize=100)
        self._listeners[company].add(queue)
        try:
            yield queue
        finally:
            self._listeners[company].discard(queue)
            if not self._listeners[company]:
                del self._listeners[company]

"""Showing that a message was read and that an answer is being written, when there is little else to do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.channels.base import Channel, Recipient
from bot.numbers import OurNumber

MOST = 8
"""Courtesies under way at a time: one takes no message's place."""


class Courtesies:
    """`show` returns at once; `settled` before the answer leaves, so that nothing is typed after it; `close` at the end."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def show(self, conversation_id: int, number: OurNumber, recipient: Recipient, external_id: str) -> None:
        if len(self._tasks) < MOST and conversation_id not in self._tasks:
            channel = self._channels[number.row.channel]
            task = asyncio.create_task(channel.mark_read(number.account, recipient, external_id, typing=True))
            self._tasks[conversation_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(conversation_id, None))

    async def settled(self, conversation_id: int) -> None:
        """Until the courtesy for this conversation has ended; at most a second."""
        task = self._tasks.get(conversation_id)
        if task is not None:
            await asyncio.wait([task], timeout=1)

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

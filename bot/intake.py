"""From webhook bodies to stored messages: what waits together is stored together, in one commit, before anybody is told 200.

Each body is kept to the byte; its messages are split off in the same commit (those of a large one in several), under the
conversation they belong to (`bot/arrivals.py`). A message that is there already changes nothing. A body nobody can read, or for
a number nobody knows, is kept and reported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import structlog
from sqlalchemy.orm import Session

from bot.arrivals import PART, Batch, StandIn, Stored, recipient_of, store
from bot.channels.base import UNKNOWN_TIME, Channel, Inbound, Item, Notice, Parsed, Status
from bot.clock import Clock
from bot.numbers import Numbers
from data import inbox
from data.session import Database, is_away
from data.types import new_id

log = structlog.get_logger()

ROOM = 128 * 1024 * 1024
"""Bytes of bodies in memory, being received or waiting for their commit; more is refused."""
TRIES = 3
"""Of a body that could not be stored: another process may have stored the same person at the same moment."""
LINGER = 0.005
"""Seconds that a body waits for company before the commit."""


@dataclass(slots=True)
class _Waiting:
    channel: str
    body: bytes
    parsed: Parsed | None
    problem: str | None
    done: asyncio.Future[None]

    @property
    def large(self) -> bool:
        return self.parsed is not None and len(self.parsed.items) > PART


class Overloaded(Exception):
    """More is waiting than can be stored soon: the messenger is asked to come back."""


class Intake:
    """`accept` returns when the body is durable. `on_stored` is told, after each commit, what came; `late(number)` tells whether
    a number's messages wait too long already for more to be taken; `hears`: voice notes wait for their words."""

    def __init__(
        self,
        database: Database,
        numbers: Numbers,
        clock: Clock,
        stand_in: StandIn,
        on_stored: Callable[[Stored], None],
        late: Callable[[int], bool],
        limit: int = 5_000,
        room: int = ROOM,
        hears: bool = False,
    ) -> None:
        self._database = database
        self._numbers = numbers
        self._clock = clock
        self._stand_in = stand_in
        self._on_stored = on_stored
        self._late = late
        self._limit = limit
        self._room = room
        self._hears = hears
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._large: set[asyncio.Task[None]] = set()

    async def accept(self, channel: Channel, body: bytes) -> None:
        """Store a webhook body and what is in it; durable when this returns. Overloaded when too much waits already; statuses are
        always taken, since they are what messages wait for."""
        if len(self._waiting) >= self._limit or self._room < len(body):
            raise Overloaded
        parsed, problem = None, None
        try:
            parsed = channel.parse(body)
            problem = "; ".join(parsed.problems)[:2000] or None
        except ValueError as error:
            problem = str(error)[:2000] or "unreadable"
        if parsed is not None and any(self._is_late(item) for item in parsed.items if isinstance(item, Inbound)):
            raise Overloaded
        waiting = _Waiting(channel.name, body, parsed, problem, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._store_all())
        self._room -= len(body)
        try:
            await waiting.done
        finally:
            self._room += len(body)

    def _is_late(self, message: Inbound) -> bool:
        number = self._numbers.find(message.channel, message.number)
        return number is not None and self._late(number.row.id)

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Keep `size` bytes of memory for a body that is still coming. Overloaded when there is no room."""
        if self._room < size:
            raise Overloaded
        self._room -= size
        try:
            yield
        finally:
            self._room += size

    async def _store_all(self) -> None:
        try:
            await asyncio.sleep(LINGER)
            while self._waiting:
                batch = [one for one in self._waiting if not one.large]
                large = [one for one in self._waiting if one.large]
                self._waiting = []
                for one in large:  # its commits, and those of the others, take turns
                    task = asyncio.create_task(self._store_batch([one]))
                    self._large.add(task)
                    task.add_done_callback(self._large.discard)
                if batch:
                    await self._store_batch(batch)
        finally:
            self._task = asyncio.create_task(self._store_all()) if self._waiting else None

    async def _store_batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            rows = self._sorted(batch)
            for part in rows.parts() if batch[0].large else [rows]:  # what came in a small body is stored, and answered, together
                self._on_stored(await self._write(part, TRIES if len(batch) == 1 else 1))
        except Exception as error:
            if is_away(error):  # the messenger comes back
                self._refuse(batch, error)
                return
            if len(batch) > 1:  # one of them is poison: each gets a commit of its own
                for one in batch:
                    await self._store_batch([one])
                return
            await self._keep_unread(batch[0])
        for one in batch:
            if not one.done.done():
                one.done.set_result(None)

    async def _write(self, part: Batch, tries: int) -> Stored:
        try:
            return await self._database.write(partial(self._store, batch=part))
        except Exception as error:
            if tries == 1 or is_away(error):
                raise
            return await self._write(part, tries - 1)

    def _refuse(self, batch: Sequence[_Waiting], error: Exception) -> None:
        log.warning("webhook bodies could not be stored", bodies=len(batch), problem=type(error).__name__)
        for one in batch:
            if not one.done.done():
                one.done.set_exception(Overloaded())

    async def _keep_unread(self, one: _Waiting) -> None:
        """The body could not be taken apart: keep it whole. Its sender is told when not even that can be done (the disk)."""
        log.exception("webhook body could not be split", channel=one.channel, size=len(one.body))
        row = self._body_row(one, "unreadable", one.problem or "it could not be split; see the log")
        try:
            await self._database.write(lambda session: inbox.add_bodies(session, [row]))
        except Exception as error:
            one.done.set_exception(error)

    def _body_row(self, one: _Waiting, state: str, problem: str | None) -> dict[str, Any]:
        return {
            "id": new_id(),
            "channel": one.channel,
            "body": one.body,
            "state": state,
            "problem": problem,
            "received_at": self._clock.now(),
        }

    def _store(self, session: Session, batch: Batch) -> Stored:
        return store(session, self._database.dialect, batch, self._stand_in, self._clock.now(), hears=self._hears)

    def _sorted(self, waiting: Sequence[_Waiting]) -> Batch:
        batch = Batch()
        for one in waiting:
            if one.parsed is None:
                batch.bodies.append(self._body_row(one, "unreadable", one.problem))
                continue
            row = self._body_row(one, "split", one.problem)
            if one.problem:
                row["state"] = "unreadable"
            batch.bodies.append(row)
            nameless = [item for item in one.parsed.items if isinstance(item, Inbound) and not recipient_of(item.sender)]
            if nameless:
                row["state"], row["problem"] = "unreadable", f"{len(nameless)} messages without a sender"
            unknown = [item for item in one.parsed.items if item not in nameless and not self._sort(item, row["id"], batch)]
            if unknown:
                names = ", ".join(sorted({item.number or (item.account if isinstance(item, Notice) else "") for item in unknown}))
                row["state"], row["problem"] = "unknown_number", f"no number of ours: {names}"
                log.warning("webhook for an unknown number", channel=one.channel, number=names)
        return batch

    def _sort(self, item: Item, body_id: int, batch: Batch) -> bool:
        """Put one item where it belongs; False when it is for nobody we know."""
        if isinstance(item, Notice):
            number = self._numbers.find(item.channel, item.number) if item.number else None
            numbers = [number] if number else self._numbers.of_account(item.channel, item.account)
            batch.notices.append((item, numbers))
            return bool(numbers)
        number = self._numbers.find(item.channel, item.number)
        if number is None:
            return False
        if item.at == UNKNOWN_TIME:  # the messenger's own time was unreadable: ours is the next best
            item = msgspec.structs.replace(item, at=self._clock.now())
        if isinstance(item, Status):
            batch.statuses.append(item)
        else:
            batch.messages.append((body_id, item, number))
        return True

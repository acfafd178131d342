"""Which conversations are answered, and when: in fair rotation over companies and numbers, after the bubbles that belong together
have come, no faster than answers may be sent. Where one turn fails, its batch is made again one by one; it is parked after some
tries, and the next ones flow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.cluster import Cluster
from bot.conversation import Conversations
from bot.fair import FairQueue, Place
from bot.live import Change
from bot.numbers import Numbers
from bot.outbox import PAIR_BURST, PAIR_EVERY, PAIRS_KEPT
from bot.rates import Bucket
from bot.standin import Outgoing
from bot.written import Again
from data import dialog_state, inbox
from data.session import Database

log = structlog.get_logger()

FEWEST, BATCH = 8, 64
"""Conversations in one commit."""
PROMPT = 0.02
"""Seconds of CPU that the turns of a commit may cost: whoever comes meanwhile waits for them, and so does what is sent. How long
the database takes is no matter: it takes little longer for more."""
GATHER = 0.005
"""Seconds that ready conversations wait for others: a batch costs little more than one."""
ALBUM = 1.0
"""Seconds that a photo or file waits for the rest of its album."""
LOCKED = 0.05
"""Seconds after which a conversation that somebody else holds is looked at again."""
SILENCE = 10.0
"""Seconds between two looks for talks that have fallen silent."""


class Turns:
    """Makes the turns. `ready` when a message was stored; `run` until cancelled, which also finds what nobody told of."""

    def __init__(
        self,
        database: Database,
        numbers: Numbers,
        conversations: Conversations,
        clock: Clock,
        cluster: Cluster,
        on_said: Callable[[Sequence[Outgoing]], None],
        on_changed: Callable[[Sequence[tuple[int, Change]]], None],
        debounce: float = 0.1,
    ) -> None:
        self._database = database
        self._numbers = numbers
        self._conversations = conversations
        self._clock = clock
        self._cluster = cluster
        self._on_said = on_said
        self._on_changed = on_changed
        self._debounce = debounce
        self._queue = FairQueue()
        self._latest: dict[int, float] = {}
        """Waiting conversations with the loop's time beyond which no further bubble is waited for."""
        self._paces: dict[int, Bucket] = {}
        """How fast each conversation is answered: no faster than its answers may be sent, so that who floods us gets few."""
        self._quiet: set[int] = set()
        self._wake = asyncio.Event()
        self._missed = asyncio.Event()
        """Something could not be had now: look into the database again soon."""
        self._answering: frozenset[int] = frozenset()

    @property
    def waiting(self) -> int:
        """Conversations that are to be answered, with those that are being answered now."""
        return len(self._queue) + len(self._quiet) + len(self._answering)

    @property
    def busy(self) -> bool:
        """Whether more wait than are answered together."""
        return self.waiting > BATCH // 2

    # ------------------------------------------------------------------------------------------------ the queue
    def ready(self, conversation_id: int, number_id: int, body_id: int, media: bool = False) -> None:
        """A message came in a body: answer when the debounce window has passed without another (a photo waits for its album)."""
        number = self._numbers.get(number_id)
        if number is None:
            return  # a number added a moment ago: it is found when the numbers are read anew
        now = asyncio.get_running_loop().time()
        wait = max(self._debounce, ALBUM) if media and self._debounce else self._debounce
        latest = self._latest.setdefault(conversation_id, now + 5 * wait)
        self._put(Place(number.row.company_id, number_id, body_id), conversation_id, min(wait, max(latest - now, 0.0)))

    def _put(self, place: Place, conversation_id: int, wait: float) -> None:
        """Answer after `wait` seconds, or later where this person is answered too fast already."""
        pace = self._paces.get(conversation_id)
        if pace is not None:
            wait = max(wait, pace.wait())
        self._queue.put(place, conversation_id, asyncio.get_running_loop().time() + wait)
        self._wake.set()

    def silent(self, conversation_ids: Sequence[int]) -> None:
        """These have been quiet for as long as their dialog allows."""
        self._quiet.update(conversation_ids)
        self._wake.set()

    async def start(self) -> None:
        """Take up what was stored and not answered: an earlier process's, and now and then whatever was left lying."""
        now = self._clock.now()
        for conversation, number_id, last in await self._database.read(inbox.waiting):
            if conversation in self._answering or conversation in self._queue or not self._cluster.mine("worker", conversation):
                continue
            number = self._numbers.get(number_id)
            if number is not None:
                wait = min(max(0.0, self._debounce - (now - last).total_seconds()), self._debounce)
                self._put(Place(number.row.company_id, number_id, conversation), conversation, wait)

    def look_soon(self) -> None:
        """Others came or went: see what is ours to answer."""
        self._missed.set()

    async def answer_silence(self) -> None:
        now = self._clock.now()
        due = await self._database.read(lambda session: dialog_state.due(session, now))
        self.silent([conversation for conversation in due if self._cluster.mine("worker", conversation)])

    async def look(self, poll: Callable[[], float]) -> None:
        """Find what nobody told of: unanswered messages every `poll()` seconds, silent talks now and then."""
        loop = asyncio.get_running_loop()
        next_silence = loop.time() + SILENCE
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(poll()):
                    await self._missed.wait()
                    await asyncio.sleep(LOCKED)
            self._missed.clear()
            try:
                await self.start()
                if loop.time() >= next_silence:
                    next_silence = loop.time() + SILENCE
                    await self.answer_silence()
            except (SQLAlchemyError, OSError):
                log.warning("the database does not answer; looking again")
                await asyncio.sleep(1)

    async def drain(self, seconds: float) -> None:
        """Answer what waits, at most `seconds`; the rest is taken up by others or at the next start."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.waiting and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            most = min(max(int(PROMPT / self._conversations.cost), FEWEST), BATCH)
            if 0 < len(batch := self._queue.take(most)) < most:
                await asyncio.sleep(GATHER)
                batch = list(dict.fromkeys(batch + self._queue.take(most - len(batch))))  # one may have said more meanwhile
            if not batch and self._quiet:
                batch = [self._quiet.pop() for _ in range(min(most, len(self._quiet)))]
            if not batch:
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(max(self._queue.next_at() - loop.time(), 0.001), 60)):
                        await self._wake.wait()
                continue
            for talk in batch:
                self._latest.pop(talk, None)
            self._answering = frozenset(batch)
            try:
                await self._answer(batch)
            finally:
                self._answering = frozenset()

    async def _answer(self, batch: Sequence[int]) -> bool:
        """False when the database takes nothing: what is left of the batch is found there again."""
        try:
            await self._conversations.foresee(self._database, batch)
            written = await self._database.write(partial(self._conversations.answer, ids=batch))
        except Exception as error:
            if len(batch) > 1:  # one of them spoils the rest, and nothing was written: one by one
                for talk in batch:
                    if not await self._answer([talk]):
                        return False
                return True
            log.exception("a turn failed", conversation=batch[0])
            return await self._note(batch[0], f"{type(error).__name__}: {error}"[:500])
        for talk in written.turned:
            self._pace(talk)
        for again in written.again:
            self._again(again)
        if written.missed:
            self._missed.set()
        self._on_said(written.messages)
        self._on_changed(written.changed)
        return True

    def _again(self, again: Again) -> None:
        self._put(Place(again.company_id, again.number_id, again.conversation_id), again.conversation_id, again.wait)

    async def _note(self, talk: int, problem: str) -> bool:
        try:
            again = await self._database.write(partial(self._conversations.failed, talk_id=talk, error=problem))
        except Exception:
            log.exception("the database does not take anything; trying again", conversation=talk)
            self._missed.set()
            await asyncio.sleep(1)
            return False
        if again is not None:
            self._again(again)
        return True

    def _pace(self, conversation_id: int) -> None:
        pace = self._paces.get(conversation_id)
        if pace is None:
            if len(self._paces) >= 2 * PAIRS_KEPT:
                self._paces = {talk: each for talk, each in self._paces.items() if not each.idle()}
            pace = self._paces[conversation_id] = Bucket(1 / PAIR_EVERY, PAIR_BURST)
        pace.reserve()

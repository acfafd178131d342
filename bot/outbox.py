"""Sends what was committed: in order within a conversation, within the rates of number and pair, and never twice in sight.

A message leaves after its turn is durable, and only by the process that has claimed it (`sending`, with its holder). WhatsApp has
no idempotency key, so when no answer comes, or the holder died meanwhile, the lane waits for the status that carries our id and
only then sends again. What was only queued goes at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.channels.base import Action, Channel, Recipient, SendError, Template, UncertainSend
from bot.clock import Clock
from bot.cluster import Cluster
from bot.courtesy import Courtesies
from bot.metrics import REFUSED, SENT, UNCERTAIN
from bot.numbers import Numbers, OurNumber
from bot.rates import Bucket
from bot.standin import AGAIN, TRIES, Outgoing, from_row, report, stop_number, turn_into_template
from data import outbox
from data.session import Database

log = structlog.get_logger()

PAIR_BURST, PAIR_EVERY = 45, 6.0
"""WhatsApp lets 45 messages to one person go at once, borrowed from one every 6 seconds."""
PAIRS_KEPT = 10_000
UNCERTAIN_TRIES = 3
"""Sendings without an answer, each waited on for a status, after which a message is left to a person: it may have arrived."""
HELD, LOW = 1_000, 250
"""Messages of one number in memory; the rest of a long backlog stays in the database until only LOW of these are left."""
DENIED = 0.2
"""Seconds after which a message that was not ours to send is looked at again."""
RECORD_AFTER = 0.003
"""Seconds that the outcome of a sending waits for others, to be written together."""
ADOPT = 60.0
"""Seconds after which we look for what a process left that is gone, although none is known to have gone."""


@dataclass(slots=True)
class _Number:
    """The rates of one of our numbers. `slots`: calls at the same time, so that a slow number holds up no other."""

    rate: int
    bucket: Bucket
    slots: asyncio.Semaphore


class Sender:
    """`push` after the commit, or `look` where another process committed; `run` until cancelled; `drain` before the end."""

    def __init__(
        self,
        database: Database,
        numbers: Numbers,
        channels: Mapping[str, Channel],
        clock: Clock,
        cluster: Cluster,
        courtesies: Courtesies,
        reconcile: float,
        backoff: float = 1.0,
    ) -> None:
        self._database = database
        self._numbers = numbers
        self._channels = channels
        self._clock = clock
        self._cluster = cluster
        self._courtesies = courtesies
        self._reconcile = reconcile
        self._backoff = backoff
        self._lanes: dict[int, deque[Outgoing]] = {}
        self._ids: set[int] = set()
        """Of all messages in the lanes."""
        self._held: Counter[int] = Counter()
        """How many of them are each number's."""
        self._behind: set[int] = set()
        """Numbers that have more in the database, to be fetched when there is room, or at once when somebody told us."""
        self._looking = asyncio.Event()
        self._swept = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_number: dict[int, _Number] = {}
        self._pairs: dict[int, Bucket] = {}
        self._claims: dict[int, asyncio.Future[bool]] = {}
        self._results: list[dict[str, Any]] = []
        self._writing: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def waiting(self) -> int:
        return len(self._ids)

    @property
    def busy(self) -> bool:
        """Whether there is more to send than courtesies should stand beside."""
        return len(self._lanes) >= 8

    # ---------------------------------------------------------------------------------------------- the queue
    def push(self, messages: Sequence[Outgoing]) -> None:
        """Send these. Beyond what is held for a number they stay in the database until their turn."""
        for message in messages:
            number = message.number_id
            if message.id in self._ids or self._stopping:
                continue
            if self._held[number] >= HELD and not message.suspect:
                self._behind.add(number)
                continue
            self._ids.add(message.id)
            self._held[number] += 1
            lane = self._lanes.get(message.conversation_id)
            if lane is None:
                lane = self._lanes[message.conversation_id] = deque()
                self._spawn(self._run_lane(message.conversation_id, lane))
            lane.append(message)

    def look(self, numbers: Sequence[int]) -> None:
        """Another process has queued something for these numbers."""
        self._behind.update(numbers)
        self._looking.set()

    def look_soon(self) -> None:
        """Others came or went: see what of theirs is ours to send. A number that comes back later may have just been sent for at
        the full rate."""
        self._by_number = {number: each for number, each in self._by_number.items() if self._cluster.mine("sender", number)}
        self._swept = float("-inf")
        self._looking.set()

    def look_at_all(self) -> None:
        """Numbers or processes have changed: see what is ours to send."""
        self.look([number.row.id for number in self._numbers.all()])

    async def start(self) -> None:
        """Take up what a process left that is not there any more: what it was sending has its statuses asked first, what it had
        queued goes at once."""
        rows = await self._database.write(partial(outbox.adopt, holder=self._cluster.id))
        suspects = [replace(from_row(row), suspect=True, claimed=True) for row in rows]
        for message, row in zip(suspects, rows, strict=True):
            message.tries += row["state"] == "sending"  # its holder did not live to count that try
        self.push(suspects)
        self._behind.update(number.row.id for number in self._numbers.all())
        await self._fetch()

    async def run(self, poll: Any) -> None:
        """Look for what others have queued: when told, and every `poll()` seconds."""
        loop = asyncio.get_running_loop()
        self._swept = loop.time()
        while True:
            try:
                async with asyncio.timeout(poll()):
                    await self._looking.wait()
            except TimeoutError:
                self._behind.update(number.row.id for number in self._numbers.all())
            else:
                await asyncio.sleep(0.002)  # more will be told in a moment
            self._looking.clear()
            try:
                if loop.time() - self._swept > ADOPT:
                    self._swept = loop.time()
                    await self.start()
                else:
                    await self._fetch()
            except (SQLAlchemyError, OSError):
                log.warning("the database does not answer; looking again")
                await asyncio.sleep(self._backoff)

    async def _fetch(self) -> None:
        """Fill up from the database for the numbers that are ours and have room."""
        behind = {number for number in self._behind if self._held[number] < LOW}
        self._behind -= behind
        ours = [
            number.row.id
            for number in map(self._numbers.get, behind)
            if number is not None and not number.row.stopped and self._cluster.mine("sender", number.row.id)
        ]
        if ours:
            held = sum(self._held[number] for number in ours)
            rows = await self._database.read(partial(outbox.queued, numbers=ours, limit=HELD + held))
            fresh = [from_row(row) for row in rows if row["id"] not in self._ids]
            self.push(fresh)
            if len(fresh) >= HELD:
                self._behind.update(ours)

    async def drain(self, seconds: float) -> None:
        """Let what is on its way finish, at most `seconds`, and record it; the rest is taken up by others or later."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._lanes and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        self._stopping = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._writing is not None:  # a database that takes nothing ends the wait: the next start asks the statuses
            await asyncio.wait([self._writing], timeout=max(1.0, deadline - asyncio.get_running_loop().time()))

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_lane(self, conversation_id: int, lane: deque[Outgoing]) -> None:
        await self._courtesies.settled(conversation_id)
        number = lane[0].number_id
        while lane:
            try:
                ours = await self._deliver(lane[0])
            except (SQLAlchemyError, OSError):
                log.exception("the database did not answer; trying again", outbox=lane[0].id)
                lane[0].suspect = lane[0].tries > 0  # it may have left already: its statuses are asked first
                await asyncio.sleep(self._backoff)
                continue
            except Exception:
                log.exception("a message could not be sent", outbox=lane[0].id)
                self._record(outbox.result(lane[0].id, "parked", lane[0].tries, problem="it could not be sent; see the log"))
                ours = True
            for message in [lane.popleft()] if ours else list(lane):  # not ours: the rest of the lane stays in the database
                self._ids.discard(message.id)
                self._held[message.number_id] -= 1
            if not ours:
                asyncio.get_running_loop().call_later(DENIED, self.look, [number])
                break
        del self._lanes[conversation_id]
        if len(self._pairs) > PAIRS_KEPT:
            self._pairs = {talk: bucket for talk, bucket in self._pairs.items() if not bucket.idle()}
        if number in self._behind and self._held[number] < LOW:
            self._looking.set()

    def _of(self, number: OurNumber) -> _Number:
        found, rate = self._by_number.get(number.row.id), number.row.rate
        if found is None or found.rate != rate:
            bucket = Bucket(rate, rate)
            if not self._cluster.alone:  # another process may have just sent at the full rate
                bucket.empty()
            found = self._by_number[number.row.id] = _Number(rate, bucket, asyncio.Semaphore(min(512, max(16, rate // 2))))
        return found

    # ---------------------------------------------------------------------------------------------- one message
    async def _deliver(self, message: Outgoing) -> bool:
        """Send one message, however often it takes; True when its outcome is handed to the record. False when it is not ours to
        send (now): another process has it, it was cancelled, one before it is on its way, the number is stopped."""
        number = self._numbers.by_id(message.number_id)
        channel = self._channels.get(number.row.channel)
        if channel is None:
            self._record(outbox.result(message.id, "parked", message.tries, problem=f"no channel {number.row.channel}"))
            return True
        if message.suspect and channel.reports and await self._came_through(message):
            return True
        while True:
            number = self._numbers.by_id(message.number_id)
            limits = self._of(number)
            if number.row.stopped or not (message.claimed or self._cluster.mine("sender", number.row.id)):
                if message.claimed:
                    await self._database.write(partial(outbox.release, ids=[message.id], holder=self._cluster.id))
                return False
            pair = self._pairs.get(message.conversation_id)
            if pair is None:
                pair = self._pairs[message.conversation_id] = Bucket(1 / PAIR_EVERY, PAIR_BURST)
            if number.row.channel == "whatsapp":
                await pair.take()
            await limits.bucket.take()
            try:
                async with limits.slots:
                    if not message.claimed and not await self._claim(message):
                        return False
                    message.tries += 1
                    external_id = await channel.send(
                        number.account, Recipient(**message.recipient), message.message, str(message.id)
                    )
            except UncertainSend as error:
                UNCERTAIN.labels(number.row.channel).inc()
                self._record(outbox.result(message.id, "uncertain", message.tries, problem=str(error)))
                if channel.reports and await self._came_through(message):
                    return True
                if message.tries >= UNCERTAIN_TRIES or not channel.reports:
                    self._record(outbox.result(message.id, "parked", message.tries, problem=f"uncertain: {error}"))
                    return True
            except SendError as error:
                if not await self._after(error, message, number, pair, limits):
                    return True
            else:
                SENT.labels(number.row.channel).inc()
                self._record(outbox.result(message.id, "sent", message.tries, message=external_id, sent=self._clock.now()))
                return True

    async def _claim(self, message: Outgoing) -> bool:
        """Make a queued message ours, durably, before it leaves."""
        claimed = self._claims[message.id] = asyncio.get_running_loop().create_future()
        self._write_soon()
        message.claimed = await claimed
        return message.claimed

    async def _came_through(self, message: Outgoing) -> bool:
        """Wait for the status that says that a message of unknown fate was taken."""
        step = self._reconcile / 10
        for _ in range(10):
            await asyncio.sleep(step)
            if await self._database.read(partial(outbox.has_left, outbox_id=message.id)):
                return True
        return False

    async def _as_template(self, message: Outgoing, number: OurNumber, why: str) -> bool:
        name = number.row.template
        if name is None or isinstance(message.message, Template):
            self._record(
                outbox.result(message.id, "parked", message.tries, code=131047, problem=f"{why}, and the number has no template")
            )
            return False
        message.message = await self._database.write(lambda session: turn_into_template(session, message, number, name, why))
        return True

    async def _after(self, error: SendError, message: Outgoing, number: OurNumber, pair: Bucket, limits: _Number) -> bool:
        """Act on a refusal by the table; True to try again."""
        REFUSED.labels(number.row.channel, str(error.code)).inc()
        wait = error.retry_after or min(self._backoff * 2 ** (message.tries - 1), 300 * self._backoff)
        if error.action in AGAIN and message.tries < TRIES:
            if error.action is Action.SLOW_PAIR:
                pair.hold(wait)
            elif error.action is not Action.RETRY:
                for each in self._by_number.values() if error.action is Action.SLOW_APP else (limits,):
                    each.bucket.hold(wait)
            else:
                await asyncio.sleep(wait)
            return True
        if error.action is Action.USE_TEMPLATE and await self._as_template(message, number, str(error)):
            return True
        if error.action is Action.USE_TEMPLATE:
            return False
        if error.action is Action.STOP_NUMBER:
            message.tries -= 1
            await self._stop(number, error)
            return True
        state = "parked" if error.action in (Action.PARK, Action.STOP_TEMPLATE) or message.tries >= TRIES else "failed"
        self._record(outbox.result(message.id, state, message.tries, code=error.code, problem=str(error)))
        await self._database.write(lambda session: report(session, message.id, error.code, str(error), self._clock.now()))
        return False

    async def _stop(self, number: OurNumber, error: SendError) -> None:
        if number.row.stopped is None:
            log.error("number stopped", number=number.row.id, code=error.code)
            await self._database.write(lambda session: stop_number(session, number, error.code, str(error), self._clock.now()))
            await self._numbers.reload(self._database)

    # ------------------------------------------------------------------------------------------- the record
    def _record(self, result: dict[str, Any]) -> None:
        self._results.append(result)
        self._write_soon()

    def _write_soon(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        """What became of messages, and claims of the next ones, together: a claim looks whether the one before it has left."""
        try:
            if not self._claims:
                await asyncio.sleep(RECORD_AFTER)
            while self._results or self._claims:
                results, self._results = self._results, []
                claims, self._claims = self._claims, {}
                try:
                    won = await self._database.write(partial(self._write, results=results, claims=list(claims)))
                except Exception as error:
                    log.exception("results of sending could not be written; trying again")
                    self._results[:0] = results
                    for future in claims.values():
                        if not future.done():
                            future.set_exception(error)
                    await asyncio.sleep(self._backoff)
                else:
                    for message, future in claims.items():
                        if not future.done():
                            future.set_result(message in won)
        finally:
            self._writing = None

    def _write(self, session: Session, results: Sequence[dict[str, Any]], claims: Sequence[int]) -> set[int]:
        if results:
            outbox.record(session, results)
        return outbox.claim(session, claims, self._cluster.id) if claims else set()

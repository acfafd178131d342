"""Sends what was committed: in order within a conversation, within the rates of number and pair, and never twice in sight.

A message leaves after its turn is durable. WhatsApp has no idempotency key, so when no answer comes, or the process died with
messages on their way, the lane waits for the status that carries our id before it sends again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import structlog
from sqlalchemy import RowMapping
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.channels.base import Action, Channel, Outbound, Recipient, SendError, Template, UncertainSend
from bot.clock import Clock
from bot.metrics import REFUSED, SENT, UNCERTAIN
from bot.numbers import Numbers, OurNumber
from bot.rates import Bucket
from crm_bridge.events import NumberStopped, SendingFailed
from crm_bridge.journal import record
from data import outbox
from data.session import Database
from data.tables import Number, Person
from data.tables.conversations import Conversation
from data.types import new_id

log = structlog.get_logger()

PAIR_BURST, PAIR_EVERY = 45, 6.0
"""WhatsApp lets 45 messages to one person go at once, borrowed from one every 6 seconds."""
IN_FLIGHT = 64
"""Calls at the same time for one number, so that a slow number holds up no other."""
TRIES = 6
PAIRS_KEPT = 10_000
COURTESIES = 8
"""Read marks under way at a time, and lanes beyond which none is sent: a courtesy takes no message's place."""

_decode: msgspec.json.Decoder[Outbound] = msgspec.json.Decoder(Outbound)
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Outgoing:
    """A committed message on its way. `suspect`: it may have left before a crash."""

    id: int
    conversation_id: int
    number_id: int
    recipient: dict[str, str]
    message: Outbound
    window_until: datetime | None
    tries: int = 0
    suspect: bool = False


@dataclass(slots=True)
class _Number:
    """The rates of one of our numbers."""

    bucket: Bucket
    slots: asyncio.Semaphore
    resumed: asyncio.Event


class Sender:
    """`push` after the commit; `start` takes up what an earlier process left; `drain` before the end."""

    def __init__(
        self,
        database: Database,
        numbers: Numbers,
        channels: Mapping[str, Channel],
        clock: Clock,
        reconcile: float,
        backoff: float = 1.0,
    ) -> None:
        self._database = database
        self._numbers = numbers
        self._channels = channels
        self._clock = clock
        self._reconcile = reconcile
        self._backoff = backoff
        self._lanes: dict[int, deque[Outgoing]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_number: dict[int, _Number] = {}
        self._pairs: dict[int, Bucket] = {}
        self._courtesies: dict[int, asyncio.Task[None]] = {}
        self._results: list[dict[str, Any]] = []
        self._recording: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def waiting(self) -> int:
        return sum(map(len, self._lanes.values()))

    async def start(self) -> None:
        """Take up what was not sent for sure. Each may have left just before the end: statuses decide, then it is sent again."""
        rows = await self._database.read(outbox.waiting)
        self.push([replace(from_row(row), suspect=True) for row in rows])

    def push(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            lane = self._lanes.get(message.conversation_id)
            if lane is None:
                lane = self._lanes[message.conversation_id] = deque()
                self._spawn(self._run(message.conversation_id, lane))
            lane.append(message)

    def courtesy(self, conversation_id: int, number: OurNumber, recipient: Recipient, external_id: str) -> None:
        """Show that the message was read and an answer is being written; left out when there is much to send."""
        if len(self._courtesies) < COURTESIES and len(self._lanes) < COURTESIES and not self._stopping:
            channel = self._channels[number.row.channel]
            task = self._spawn(channel.mark_read(number.account, recipient, external_id, typing=True))
            self._courtesies[conversation_id] = task
            task.add_done_callback(lambda _: self._courtesies.pop(conversation_id, None))

    def resume(self) -> None:
        """Numbers may have changed: those that were stopped look again whether they may send."""
        for number in self._by_number.values():
            number.resumed.set()

    async def drain(self, seconds: float) -> None:
        """Let what is on its way finish, at most `seconds`, and record it; the rest is taken up at the next start."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._lanes and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        self._stopping = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._recording is not None:  # a database that takes nothing ends the wait: the next start asks the statuses
            await asyncio.wait([self._recording], timeout=max(1.0, deadline - asyncio.get_running_loop().time()))

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, conversation_id: int, lane: deque[Outgoing]) -> None:
        courtesy = self._courtesies.get(conversation_id)
        if courtesy is not None:
            await asyncio.wait([courtesy], timeout=1)
        while lane:
            try:
                await self._deliver(lane[0])
            except (SQLAlchemyError, OSError):
                log.exception("the database did not answer; trying again", outbox=lane[0].id)
                lane[0].suspect = lane[0].tries > 0  # it may have left already: its statuses are asked first
                await asyncio.sleep(self._backoff)
                continue
            except Exception:
                log.exception("a message could not be sent", outbox=lane[0].id)
                self._record(outbox.result(lane[0].id, "parked", lane[0].tries, problem="it could not be sent; see the log"))
            lane.popleft()
        del self._lanes[conversation_id]
        if len(self._pairs) > PAIRS_KEPT:
            self._pairs = {talk: bucket for talk, bucket in self._pairs.items() if not bucket.idle()}

    def _of(self, number_id: int) -> _Number:
        found = self._by_number.get(number_id)
        if found is None:
            rate = self._numbers.by_id(number_id).row.rate
            found = self._by_number[number_id] = _Number(Bucket(rate, rate), asyncio.Semaphore(IN_FLIGHT), asyncio.Event())
        return found

    async def _deliver(self, message: Outgoing) -> None:
        """Send one message, however often it takes; returns when its outcome is handed to the record."""
        number = self._numbers.by_id(message.number_id)
        if number.row.channel not in self._channels:
            self._record(outbox.result(message.id, "parked", message.tries, problem=f"no channel {number.row.channel}"))
            return
        channel = self._channels[number.row.channel]
        if message.suspect and channel.reports and await self._came_through(message):
            return
        while True:
            number = self._numbers.by_id(message.number_id)
            limits = self._of(message.number_id)
            while number.row.stopped:
                limits.resumed.clear()
                await limits.resumed.wait()
                number = self._numbers.by_id(message.number_id)
            if not await self._open_window(message, number):
                return
            pair = self._pairs.setdefault(message.conversation_id, Bucket(1 / PAIR_EVERY, PAIR_BURST))
            if number.row.channel == "whatsapp":
                await pair.take()
            await limits.bucket.take()
            message.tries += 1
            try:
                async with limits.slots:
                    external_id = await self._channels[number.row.channel].send(
                        number.account, Recipient(**message.recipient), message.message, str(message.id)
                    )
            except UncertainSend as error:
                UNCERTAIN.labels(number.row.channel).inc()
                self._record(outbox.result(message.id, "uncertain", message.tries, problem=str(error)))
                reports = self._channels[number.row.channel].reports
                if reports and await self._came_through(message):
                    return
                if message.tries >= 2 or not reports:
                    self._record(outbox.result(message.id, "parked", message.tries, problem=f"uncertain: {error}"))
                    return
            except SendError as error:
                if not await self._after(error, message, number, pair, limits):
                    return
            else:
                SENT.labels(number.row.channel).inc()
                self._record(outbox.result(message.id, "sent", message.tries, message=external_id, sent=self._clock.now()))
                return

    async def _came_through(self, message: Outgoing) -> bool:
        """Wait for the status that says that a message of unknown fate was taken."""
        step = self._reconcile / 10
        for _ in range(10):
            await asyncio.sleep(step)
            if await self._database.read(lambda session: outbox.has_left(session, message.id)):
                return True
        return False

    async def _open_window(self, message: Outgoing, number: OurNumber) -> bool:
        """Whether the message may go as it is; a closed 24-hour window turns it into the number's approved template."""
        if message.window_until is None or isinstance(message.message, Template) or self._clock.now() < message.window_until:
            return True
        last = await self._database.read(lambda session: _last_in(session, message.conversation_id))
        window = self._channels[number.row.channel].window
        if last is not None and window is not None and self._clock.now() < last + window:
            message.window_until = last + window
            return True
        return await self._as_template(message, number, "the 24-hour window is closed")

    async def _as_template(self, message: Outgoing, number: OurNumber, why: str) -> bool:
        if number.row.template is None or isinstance(message.message, Template):
            self._record(
                outbox.result(message.id, "parked", message.tries, code=131047, problem=f"{why}, and the number has no template")
            )
            return False
        template = number.row.template
        message.message = await self._database.write(lambda session: self._turn_into(session, message, number, template, why))
        return True

    def _turn_into(self, session: Session, message: Outgoing, number: OurNumber, template: str, why: str) -> Template:
        """The row becomes what is really sent."""
        made = _template(session, message.conversation_id, number, template)
        outbox.replace_payload(session, message.id, "template", made.name, _encode(made).decode(), why)
        return made

    async def _after(self, error: SendError, message: Outgoing, number: OurNumber, pair: Bucket, limits: _Number) -> bool:
        """Act on a refusal by the table; True to try again."""
        REFUSED.labels(number.row.channel, str(error.code)).inc()
        wait = error.retry_after or min(self._backoff * 2 ** (message.tries - 1), 300 * self._backoff)
        if error.action in (Action.RETRY, Action.SLOW_APP, Action.SLOW_NUMBER, Action.SLOW_PAIR) and message.tries < TRIES:
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
        await self._database.write(lambda session: _report(session, message.id, error.code, str(error), self._clock.now()))
        return False

    async def _stop(self, number: OurNumber, error: SendError) -> None:
        if number.row.stopped is None:
            log.error("number stopped", number=number.row.id, code=error.code)
            await self._database.write(lambda session: _stop_number(session, number, error.code, str(error), self._clock.now()))
            await self._numbers.reload(self._database)

    # ------------------------------------------------------------------------------------------- the record
    def _record(self, result: dict[str, Any]) -> None:
        self._results.append(result)
        if self._recording is None:
            self._recording = asyncio.create_task(self._write_results())

    async def _write_results(self) -> None:
        try:
            await asyncio.sleep(0.003)
            while self._results:
                results, self._results = self._results, []
                try:
                    await self._database.write(partial(outbox.record, results=results))
                except Exception:
                    log.exception("results of sending could not be written; trying again")
                    self._results[:0] = results
                    await asyncio.sleep(self._backoff)
        finally:
            self._recording = None

    def stand_in(self, session: Session, ids: Sequence[int]) -> list[Outgoing]:
        """Statuses told that these did not arrive: act by the same table. Where trying again makes sense, a message is queued in
        its place, to be pushed when the session is committed."""
        done = outbox.retried(session, ids)
        made = []
        for row in outbox.by_id(session, ids):
            if row["id"] in done or row["state"] != "failed":
                continue
            number = self._numbers.by_id(row["number_id"])
            action = self._channels[row["channel"]].action(row["error_code"] or 0)
            payload: Outbound | None = None
            if action in (Action.RETRY, Action.SLOW_APP, Action.SLOW_NUMBER, Action.SLOW_PAIR) and row["tries"] < TRIES:
                payload = _decode.decode(row["payload"])
            elif action is Action.USE_TEMPLATE and number.row.template and row["kind"] != "template":
                payload = _template(session, row["conversation_id"], number, number.row.template)
            if payload is None:
                _report(session, row["id"], row["error_code"] or 0, row["error"] or "", self._clock.now())
                continue
            words = payload.name if isinstance(payload, Template) else row["text"]
            kind = "template" if isinstance(payload, Template) else row["kind"]
            fresh = dict(row) | {
                "id": new_id(), "kind": kind, "text": words, "payload": _encode(payload).decode(),
                "state": "queued", "rank": 0, "external_id": None,
                "sent_at": None, "error_code": None, "error": None, "retry_of_id": row["id"], "created_at": self._clock.now(),
            }  # fmt: skip
            outbox.add(session, [fresh])
            made.append(from_row(fresh))
        return made


def from_row(row: RowMapping | Mapping[str, Any]) -> Outgoing:
    return Outgoing(
        id=row["id"],
        conversation_id=row["conversation_id"],
        number_id=row["number_id"],
        recipient=row["recipient"],
        message=_decode.decode(row["payload"]),
        window_until=row["window_until"],
        tries=row["tries"],
    )


def _last_in(session: Session, conversation_id: int) -> datetime | None:
    talk = session.get(Conversation, conversation_id)
    return talk.last_in_at if talk is not None else None


def _template(session: Session, conversation_id: int, number: OurNumber, name: str) -> Template:
    """The number's approved template with its one parameter: the person's name, as far as it is known."""
    talk = session.get(Conversation, conversation_id)
    person = session.get(Person, talk.person_id) if talk is not None else None
    called = (person.name or person.profile_name) if person is not None else None
    return Template(name=name, language=number.row.language, parameters=(called or number.company.name,))


def _report(session: Session, outbox_id: int, code: int, error: str, now: datetime) -> None:
    for row in outbox.by_id(session, [outbox_id]):
        talk = session.get(Conversation, row["conversation_id"])
        record(
            session,
            row["company_id"],
            SendingFailed(outbox_id=outbox_id, code=code, error=error),
            now,
            person=talk.person_id if talk is not None else None,
            conversation=row["conversation_id"],
        )


def _stop_number(session: Session, number: OurNumber, code: int, error: str, now: datetime) -> None:
    """Several messages may be refused before the first of them has stopped the number: it stops once."""
    row = session.get_one(Number, number.row.id, with_for_update=True)
    if row.stopped is None:
        row.stopped = f"{code}: {error}"[:300]
        record(session, row.company_id, NumberStopped(number_id=row.id, code=code, error=error), now)

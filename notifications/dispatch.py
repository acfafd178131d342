"""Sends what is due, each channel beside the others: a mail server that stalls keeps no push waiting.

A delivery is claimed, durably, before it leaves. One that was being sent when its process ended, or that got no answer, goes
again: the same mail has the same Message-ID, and a push replaces the one of the same tag. Those that go into a chat are written
into its outbox in the transaction that marks them sent, so they go once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from data.inbox import RANK
from data.session import Database
from data.tables import ContactPoint
from notifications import deliveries, render
from notifications.alerts import ALERTS, CHAT
from notifications.deliveries import Claimed, Outcome
from notifications.render import Message
from notifications.senders.email import Email, read_address
from notifications.senders.errors import Gone, NotSetUp, Refused, SendFailed, Trouble, TryAgain, Unsure
from notifications.senders.other import Other
from notifications.senders.webpush import WebPush

log = structlog.get_logger()

SLOTS: Mapping[str, int] = {"email": 16, "push": 32, "whatsapp": 16, "telegram": 16, "other": 4}
"""How many are sent at the same time on each channel."""
POLL = 1.0
"""Seconds between two looks for what is due; what was just raised is looked for at once."""
ADOPT = 10.0
"""Seconds between two looks for what processes that are gone were sending."""
PATIENCE = 60.0
"""Seconds after which a sender that ignores its own time-outs is given up."""
KEPT = timedelta(days=1)
"""How long a push service keeps an alert that has no end of its own for a phone that is off."""


class Queued(Protocol):
    """A chat message that was written into the outbox."""

    id: int


class Chat(Protocol):
    """The way into a user's own conversation with one of our numbers."""

    def queue(self, session: Session, point: ContactPoint, message: Message, now: datetime) -> Queued:
        """Write it into the outbox. Refused when it cannot go."""

    def queued(self, message: Queued) -> None:
        """It is committed, to be sent."""


@dataclass(frozen=True, slots=True)
class Senders:
    """The ways out. `email` None: no mail server is set up."""

    email: Email | None
    push: WebPush
    other: Other
    chat: Chat


class Dispatcher:
    """`wake` after an alert was committed; `run` until cancelled; `drain` at the end. `holder` tells this process's id, `now` the
    time; `base` is PUBLIC_URL, `secret` SECRET_KEY."""

    def __init__(
        self,
        database: Database,
        senders: Senders,
        base: str,
        secret: str,
        holder: Callable[[], int],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._senders = senders
        self._base = base
        self._secret = secret
        self._holder = holder
        self._now = now
        self._woken = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], int] = {}
        """What is on its way: the task, and its delivery."""
        self._busy: Counter[str] = Counter()
        self._full: set[str] = set()
        """Channels of which more may be due than there was room for."""

    @property
    def waiting(self) -> int:
        """How many are on their way."""
        return len(self._tasks)

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        next_adoption = loop.time()
        while True:
            try:
                if loop.time() >= next_adoption:
                    await self.adopt()
                    next_adoption = loop.time() + ADOPT
                await self.look()
            except (SQLAlchemyError, OSError):
                log.warning("the database does not answer; looking again")
                await asyncio.sleep(POLL)
            try:
                async with asyncio.timeout(POLL):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    async def adopt(self) -> None:
        """Give back what was being sent by nobody who is there."""
        held = list(self._tasks.values())
        given = await self._database.write(partial(deliveries.adopt, holder=self._holder(), held=held, now=self._now()))
        if given:
            log.warning("deliveries were left unfinished; sending them again", count=given)

    async def look(self) -> None:
        """Begin to send what is due, as far as there is room."""
        due = await self._database.read(partial(deliveries.channels_due, now=self._now())) & SLOTS.keys()
        room = {channel: most for channel in sorted(due) if (most := SLOTS[channel] - self._busy[channel]) > 0}
        self._full = due - set(room)
        if not room:
            return
        holder = self._holder()
        claimed, had = await self._database.write(partial(deliveries.claim, room=room, holder=holder, now=self._now()))
        for each in claimed:
            self._busy[each.row.channel] += 1
            task = asyncio.create_task(self._deliver(each, holder))
            self._tasks[task] = each.row.id
            task.add_done_callback(partial(self._ended, each.row.channel))
        if had >= min(room.values()):
            self._full |= set(room)
            if any(self._busy[channel] < SLOTS[channel] for channel in room):
                self._woken.set()

    async def drain(self, seconds: float) -> None:
        """Let what is on its way finish, at most `seconds`; the rest is taken up by others, or at the next start."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._senders.push.close()
        self._senders.other.close()

    def _ended(self, channel: str, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._busy[channel] -= 1
        if channel in self._full:
            self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a delivery was left unfinished", exc_info=error)

    # ------------------------------------------------------------------------------------------- one delivery
    async def _deliver(self, claimed: Claimed, holder: int) -> None:
        try:
            message = render.compose(claimed.alert, claimed.user, claimed.company, self._base, self._secret)
            if claimed.row.channel in CHAT:
                await self._into_chat(claimed, message, holder)
                return
            async with asyncio.timeout(PATIENCE):
                await self._send(claimed, message)
            outcome = Outcome("sent")
        except Exception as error:
            outcome = _outcome(error)
            where = {"delivery": claimed.row.id, "channel": claimed.row.channel}
            if not isinstance(error, SendFailed):
                log.exception("an alert could not be sent", **where)
            elif error.__cause__ is not None:
                log.warning("an alert did not leave", error=outcome.error, cause=repr(error.__cause__), **where)
        while True:  # until it is recorded nobody else may take it up
            try:
                await self._database.write(
                    partial(deliveries.record, claimed=claimed, holder=holder, outcome=outcome, now=self._now())
                )
            except (SQLAlchemyError, OSError):
                log.warning("the database does not answer; recording a delivery again", delivery=claimed.row.id)
                await asyncio.sleep(POLL)
            else:
                return

    async def _send(self, claimed: Claimed, message: Message) -> None:
        row, point, senders = claimed.row, claimed.point, self._senders
        match row.channel:
            case "email":
                if senders.email is None:
                    raise NotSetUp(Trouble.NOT_SET_UP)
                try:
                    to = read_address(point.address)
                except ValueError as error:
                    raise Gone(Trouble.NOT_AN_ADDRESS) from error
                await senders.email.send(render.email(message, senders.email.sender, to, row.id), point.address)
            case "push":
                now = self._now()
                ends = message.facts.expires_at or now + KEPT
                await senders.push.send(
                    point.address,
                    point.keys,
                    render.push(message),
                    topic=message.tag,
                    ttl=max(0, int((ends - now).total_seconds())),
                    urgent=ALERTS[claimed.alert.kind].buttons,
                    now=now,
                )
            case "other":
                await senders.other.send(point.address, *render.plain(message))
            case channel:
                raise AssertionError(channel)

    async def _into_chat(self, claimed: Claimed, message: Message, holder: int) -> None:
        """Written into the outbox and marked as sent in one commit; nothing when somebody else has taken it up."""
        now = self._now()

        def work(session: Session) -> Queued | None:
            row = deliveries.ours(session, claimed.row.id, holder)
            if row is None:
                return None
            queued = self._senders.chat.queue(session, claimed.point, message, now)
            row.state, row.rank, row.holder, row.error = "sent", RANK["sent"], None, None
            row.outbox_id, row.sent_at = queued.id, now
            return queued

        queued = await self._database.write(work)
        if queued is not None:
            self._senders.chat.queued(queued)


def _outcome(error: Exception) -> Outcome:
    """What an error on the way out means for the delivery."""
    words = render.one_line(str(error))[:500]
    match error:
        case TryAgain():
            return Outcome("queued", words, after=error.after or 0.0)
        case Unsure():
            return Outcome("uncertain", words)
        case NotSetUp():
            return Outcome("cancelled", words)
        case Gone():
            return Outcome("failed", words, gone=True)
        case Refused():
            return Outcome("failed", words)
        case TimeoutError():
            return Outcome("uncertain", Trouble.NO_ANSWER)
        case SQLAlchemyError() | OSError():
            return Outcome("queued", Trouble.INTERNAL)
    return Outcome("failed", Trouble.INTERNAL)

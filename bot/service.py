"""The parts of a running process, and how they tell each other, and the other processes, that there is work."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.alerting import Alerting
from bot.arrivals import Arrived, Stored, recipient_of
from bot.backlog import Backlog
from bot.bus import Bus
from bot.channels.base import Channel, Recipient
from bot.clock import Clock
from bot.cluster import Cluster
from bot.courtesy import Courtesies
from bot.handover import Handover
from bot.intake import Intake
from bot.live import Change, Live
from bot.media import Media
from bot.numbers import Numbers
from bot.outbox import Sender
from bot.settings import Settings
from bot.standin import Outgoing
from bot.turns import Turns
from data import outbox
from data.session import Database

log = structlog.get_logger()

POLL = 0.05
"""Seconds between two looks into the database where nobody can tell us that there is work, or not everybody knows of us yet."""
SURE = 2.0
"""Seconds between two looks where others tell us, in case a word was lost."""
ALONE = 5.0
"""The same where there are no others: then what was left lying is a failed turn's, or an earlier process's."""
CALM = 3
"""Messages in one commit up to which there is time to show that they are being read."""
_NO_ANSWER = ("echo", "system", "reaction", "edit", "revoke")


@dataclass(slots=True)
class Service:
    """`turns` and `sender` are idle in a process without those roles; `bus` is never up without REDIS_URL."""

    settings: Settings
    database: Database
    numbers: Numbers
    channels: dict[str, Channel]
    clock: Clock
    live: Live
    cluster: Cluster = field(init=False)
    bus: Bus = field(init=False)
    courtesies: Courtesies = field(init=False)
    intake: Intake = field(init=False)
    turns: Turns = field(init=False)
    handover: Handover = field(init=False)
    alerting: Alerting = field(init=False)
    sender: Sender = field(init=False)
    media: Media = field(init=False)
    backlog: Backlog = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def poll(self) -> float:
        """Seconds until the next look into the database for work that nobody told of."""
        if self.cluster.alone:
            return ALONE
        return SURE if self.bus.up and self.cluster.steady else POLL

    # ------------------------------------------------------------------------------------------- there is work
    def on_stored(self, stored: Stored) -> None:
        """New messages wake their conversations; statuses show on the pages, and failed ones are acted on."""
        others: defaultdict[int, list[tuple[int, int, int, bool]]] = defaultdict(list)
        for arrived in stored.arrived:
            if len(stored.arrived) <= CALM:
                self._show_reading(arrived)
            talk, number = arrived.conversation_id, arrived.number.row.id
            media = arrived.message.media is not None and arrived.message.kind != "voice"
            if self.cluster.mine("worker", talk):
                self.turns.ready(talk, number, arrived.body_id, media)
            else:
                others[self.cluster.owner("worker", talk)].append((talk, number, arrived.body_id, media))
        for process, told in others.items():
            self.bus.tell(process, "turns", told)
        if stored.moved and (self.live.watched or self.cluster.having("web")):
            self.later(self._show_moved(stored.moved))
        self.on_said(stored.stand_ins)
        if stored.notices:
            self.later(self.numbers_changed())

    def on_said(self, messages: Sequence[Outgoing]) -> None:
        """Messages that are committed: to the process that sends for their number."""
        if not messages:
            return
        others: defaultdict[int, set[int]] = defaultdict(set)
        ours = []
        for message in messages:
            if self.cluster.mine("sender", message.number_id):
                ours.append(message)
            else:
                others[self.cluster.owner("sender", message.number_id)].add(message.number_id)
        self.sender.push(ours)
        for process, numbers in others.items():
            self.bus.tell(process, "sends", list(numbers))

    def on_changed(self, changed: Sequence[tuple[int, Change]]) -> None:
        """(company, what of it the pages show anew): on our pages and on those of the other processes."""
        for company, change in changed:
            self.live.publish(company, change)
            if change.topic == "assignment":
                self.handover.wake()
            elif change.topic == "alert":
                self.alerting.wake()
        if not self.cluster.alone:
            told = [(company, change.topic, change.id) for company, change in changed]
            for process in self.cluster.having("web"):
                self.bus.tell(process, "live", told)
            if any(change.topic == "alert" for _, change in changed):
                for process in self.cluster.having("sender"):
                    self.bus.tell(process, "alerts", [1])

    def on_heard(self, topic: str, items: Sequence[Any]) -> None:
        """What another process told us (`bot/bus.py`)."""
        match topic:
            case "processes":
                self.cluster.look()
            case "turns":
                for talk, number, body, media in items:
                    self.turns.ready(talk, number, body, media)
            case "sends":
                self.sender.look(items)
            case "live":
                for company, what, row in items:
                    self.live.publish(company, Change(what, row))
            case "alerts":
                self.alerting.wake()
            case "numbers":
                self.later(self.read_numbers())

    def on_processes(self) -> None:
        """Others came or went: some of what was theirs is ours now."""
        self.bus.me = self.cluster.id
        self.turns.look_soon()
        self.sender.look_soon()

    def on_bus_up(self) -> None:
        """We can be told of work from here on: let the others know of us."""
        self._tell_others("processes")

    async def read_numbers(self) -> None:
        """Read all numbers anew; those that were stopped look again whether they may send."""
        await self.numbers.reload(self.database)
        self.sender.look_at_all()

    async def numbers_changed(self) -> None:
        """Somebody edited them: here now, and in the other processes as soon as they hear of it."""
        await self.read_numbers()
        self.tell_numbers()

    def tell_numbers(self) -> None:
        self._tell_others("numbers")

    def _tell_others(self, topic: str) -> None:
        for process in self.cluster.peers:
            if process != self.cluster.id:
                self.bus.tell(process, topic, [1])

    def _show_reading(self, arrived: Arrived) -> None:
        if arrived.owner == "bot" and arrived.message.kind not in _NO_ANSWER and not self.sender.busy:
            recipient = Recipient(**recipient_of(arrived.message.sender))
            self.courtesies.show(arrived.conversation_id, arrived.number, recipient, arrived.message.external_id)

    async def _show_moved(self, messages: Sequence[int]) -> None:
        """Ticks on the pages that are open."""
        rows = await self.database.read(lambda session: outbox.by_id(session, messages))
        self.on_changed([(row["company_id"], Change("conversation", row["conversation_id"])) for row in rows])

    # ------------------------------------------------------------------------------------------------- the rest
    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside everything else; what it raises is logged."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work that was put off failed", exc_info=error)

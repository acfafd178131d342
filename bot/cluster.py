"""The processes that serve this database: who lives, and whose is what.

Each conversation is one worker's and each number one sender's, dealt out by rendezvous hashing over the living. That saves work
and keeps a number's rates in one place; it is no lock. Order and once-ness are kept in SQL, by the row locks of a turn and the
claim of a message, so two processes that both think something theirs do no harm while they learn who has come or gone.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import psutil
import structlog
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.metrics import PROCESSES
from data import processes
from data.inbox import MESSAGES, OUTBOX
from data.session import Database
from data.types import new_id

log = structlog.get_logger()

ROLES = frozenset({"web", "worker", "sender", "scheduler"})
BEAT = 1.0
"""Seconds between two signs of life."""
MISSED = 3
"""Looks, and about as many seconds, in which a process showed no sign of life: then its work goes to the others. Not seconds
alone: neither a clock that jumps nor a database that stood still makes anybody dead."""
_RETIRE = update(processes.PROCESSES).where(processes.PROCESSES.c.id == bindparam("process")).values(roles="")
_MASK = (1 << 64) - 1


@dataclass(slots=True)
class Peer:
    """A process as we see it."""

    id: int
    roles: frozenset[str]
    host: str
    pid: int
    born: int
    beat: int
    missed: int = 0
    """Looks since its beat last moved."""
    moved_at: float = 0.0
    """The loop's time of that look."""


class Cluster:
    """`join` before anything else, `run` until the end, `leave` after it. `on_changed` is called when others came or went."""

    def __init__(self, database: Database, clock: Clock, roles: Collection[str], on_changed: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._roles = frozenset(roles)
        self._on_changed = on_changed
        self._look = asyncio.Event()
        self._changed_at = float("-inf")
        self._host = socket.gethostname()
        self._born = round(psutil.Process().create_time() * 1000)
        self.peers: dict[int, Peer] = {}
        """The living, ourselves among them, by id."""
        self.id = 0
        """Ours: the `holder` of what we send."""

    @property
    def alone(self) -> bool:
        return len(self.peers) <= 1

    @property
    def steady(self) -> bool:
        """Whether nobody has come or gone for so long that all know it."""
        return asyncio.get_running_loop().time() - self._changed_at > MISSED * BEAT

    def owner(self, role: str, key: int) -> int:
        """The process with this role that `key` falls to (highest random weight); ours where there is none."""
        having = [peer.id for peer in self.peers.values() if role in peer.roles]
        if len(having) <= 1:
            return having[0] if having else self.id
        return max(having, key=lambda process: _weight(key, process))

    def mine(self, role: str, key: int) -> bool:
        return (self.alone or self.owner(role, key) == self.id) and role in self._roles

    def having(self, role: str) -> list[int]:
        """The others with this role."""
        return [peer.id for peer in self.peers.values() if role in peer.roles and peer.id != self.id]

    def leads(self, role: str) -> bool:
        """Whether we are the one with this role that does what only one should do: whoever came first."""
        return role in self._roles and self.id == min((p.id for p in self.peers.values() if role in p.roles), default=self.id)

    async def join(self) -> None:
        """Make ourselves known, and bury those who died on this machine: what they left undone is taken up at once."""
        while True:
            try:
                self.id, node = await self._database.write(self._register)
            except IntegrityError:  # two processes started at the same moment and chose the same node
                await asyncio.sleep(0.05)
            else:
                break
        new_id.use(node)
        new_id.at_least(await self._database.read(_newest))
        await self._beat()

    def _register(self, session: Session) -> tuple[int, int]:
        roles = ",".join(sorted(self._roles))
        return processes.register(session, roles, self._host, os.getpid(), self._born, self._clock.now())

    async def run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    await self._look.wait()
            self._look.clear()
            try:
                await self._beat()
            except (SQLAlchemyError, OSError, sqlite3.Error):
                log.warning("the sign of life could not be written; trying again")

    def look(self) -> None:
        """Somebody came: see for ourselves now."""
        self._look.set()

    async def _beat(self) -> None:
        rows = await self._database.write(partial(processes.beat, process_id=self.id))
        if not rows:  # we stood still for so long that the others buried us: what we had is theirs by now
            log.warning("taken for dead by the others: joining anew")
            await self.join()
            return
        seen: dict[int, Peer] = {}
        now = asyncio.get_running_loop().time()
        for row in rows:
            peer = Peer(row.id, frozenset(row.roles.split(",")), row.host, row.pid, row.born, row.beat)
            old, peer.moved_at = self.peers.get(peer.id), now
            if old is not None and old.beat == peer.beat and peer.id != self.id:
                peer.missed, peer.moved_at = old.missed + 1, old.moved_at
            seen[peer.id] = peer
        silent = (peer for peer in seen.values() if peer.missed >= MISSED and now - peer.moved_at >= MISSED * BEAT * 0.9)
        dead = {peer.id for peer in (*silent, *filter(self._gone_here, seen.values()))}
        if dead:
            log.warning("processes are gone; their work is taken up", processes=len(dead))
            await self._database.write(partial(processes.remove, ids=sorted(dead)))
        living = {peer.id: peer for peer in seen.values() if peer.id not in dead}
        changed, self.peers = living.keys() != self.peers.keys(), living
        for role in ROLES:
            PROCESSES.labels(role).set(sum(role in peer.roles for peer in living.values()))
        if changed or dead:
            self._changed_at = asyncio.get_running_loop().time()
            self._on_changed()

    def _gone_here(self, peer: Peer) -> bool:
        """A process of this very machine that is not there any more: no need to wait for its signs of life."""
        if peer.host != self._host or peer.id == self.id:
            return False
        try:
            return abs(psutil.Process(peer.pid).create_time() * 1000 - peer.born) > 1000
        except psutil.Error:
            return True

    async def retire(self) -> None:
        """We are about to end: from here on everything new is for the others."""
        with suppress(Exception):  # whatever it is, it does not keep us from ending
            await self._database.write(lambda session: session.execute(_RETIRE, {"process": self.id}))

    async def leave(self) -> None:
        """The others need not wait for our silence."""
        with suppress(Exception):
            await self._database.write(partial(processes.remove, ids=[self.id]))


def _newest(session: Session) -> int:
    """The highest id of what processes write at the same time: after a clock that went back, ours are to be higher still."""
    return max(session.scalar(select(func.max(table.c.id))) or 0 for table in (MESSAGES, OUTBOX))


def _weight(key: int, process: int) -> int:
    """A number that looks drawn by lot for this pair, the same in every process (the finalizer of splitmix64)."""
    mixed = (key ^ process * 0x9E3779B97F4A7C15) & _MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
    return mixed ^ mixed >> 31


def roles_of(words: Iterable[str]) -> frozenset[str]:
    """Roles as given on the command line: names, also several with commas between. ValueError names what is not one."""
    given = {word.strip() for each in words for word in each.split(",") if word.strip()}
    if unknown := sorted(given - ROLES):
        raise ValueError(f"no role {unknown[0]!r}; there are {', '.join(sorted(ROLES))}")
    return frozenset(given) or ROLES

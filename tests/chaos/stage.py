"""The surroundings of a scenario: database, processes, the local WhatsApp and its prospects; and the counting at the end."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware
from sqlalchemy import make_url

from bot.bench.prospects import numbers as bench_numbers
from bot.clock import Clock
from bot.simulator import cloud_api
from data import schema
from data.session import Database, connect
from tests.chaos.books import Books, Line
from tests.chaos.processes import Postgres, Redis, Service, free_port
from tests.chaos.prospects import Crowd, Street
from tests.chaos.report import Outcome

SECRET, TOKEN = "chaos-secret", "chaos-token"
NUMBER, OTHER = bench_numbers(2)
RECONCILE = 5.0
"""Seconds that a message which may have left waits for its status, before it goes (again)."""
SETTLE = 90.0
"""Seconds within which everything that waits must have been answered, when all is well again."""

ONE: Mapping[str, str] = {"service": ""}
FLEET: Mapping[str, str] = {
    "web": "web",
    "worker-1": "worker",
    "worker-2": "worker",
    "sender-1": "sender",
    "sender-2": "sender",
    "scheduler": "scheduler",
}
"""Processes by name, with their roles."""
FEW: Mapping[str, str] = {"web": "web", "worker-1": "worker", "worker-2": "worker", "rest": "sender,scheduler"}

_one_migrates = asyncio.Lock()
"""Alembic's `op` is one for the whole process, and in the tests several scenarios are played at the same time."""

Progress = Callable[[str], None]


@dataclass
class Play:
    """One run of a scenario; a `brief` one is for the tests."""

    outcome: Outcome
    rounds: int
    chance: random.Random
    progress: Progress
    brief: bool = False

    @property
    def fleet(self) -> Mapping[str, str]:
        """A process for each role, and two of some."""
        return FEW if self.brief else FLEET

    @property
    def seats(self) -> int:
        """How many prospects write at the same time."""
        return 8 if self.brief else 24


@dataclass
class Stage:
    play: Play
    folder: Path
    books: Books
    street: Street
    services: dict[str, Service]
    postgres: Postgres | None = None
    redis: Redis | None = None
    crowds: list[Crowd] = field(default_factory=list)
    counted: bool = False

    @property
    def outcome(self) -> Outcome:
        return self.play.outcome

    @property
    def crowd(self) -> Crowd:
        return self.crowds[0]

    @property
    def url(self) -> str:
        return self.street.webhooks.url

    @property
    def port(self) -> int:
        """Where the webhooks go."""
        return make_url(self.url).port or 0

    def memory(self) -> float:
        """Resident megabytes of all processes."""
        return sum(service.memory() for service in self.services.values())

    async def rounds(self) -> AsyncIterator[int]:
        """Count the rounds, and show them. A process that ends by itself ends them."""
        for number in range(self.play.rounds):
            if gone := [name for name, service in self.services.items() if not service.running]:
                self.outcome.problems.append(f"ended by itself: {', '.join(gone)}")
                return
            heard = sum(len(crowd.answers) for crowd in self.crowds)
            self.play.progress(f"{self.outcome.name}: round {number + 1} of {self.play.rounds}, {heard:,} answers heard")
            yield number
            self.outcome.rounds += 1

    async def recovered(self, since: float, first: asyncio.Future[float], patience: float = 60.0) -> None:
        """Note how long after `since` the `first` waiting prospect was answered."""
        try:
            at = await asyncio.wait_for(first, patience)
        except TimeoutError:
            self.outcome.problems.append(f"round {self.outcome.rounds + 1}: no answer within {patience:.0f} s")
        else:
            self.outcome.recoveries.append(max(0.0, at - since))

    # ---------------------------------------------------------------------------------------------- the count
    async def count(self) -> None:
        """Let everybody finish, wait until nothing is on its way, and count what became of every message."""
        outcome, self.counted = self.outcome, True
        self.play.progress(f"{outcome.name}: letting everybody finish")
        for service in self.services.values():
            if not service.running:
                await service.start()
        await asyncio.gather(*(crowd.finish(SETTLE) for crowd in self.crowds))
        try:
            await asyncio.wait_for(self.street.settled(), SETTLE)
        except TimeoutError:
            outcome.problems.append(f"{self.street.webhooks.waiting} webhooks were never taken")
        talks = [talk for crowd in self.crowds for talk in crowd.talks]
        await self._nothing_under_way({talk.person.phone for talk in talks})
        await asyncio.sleep(0.3)  # what the last of the statements said may still be on its way to a phone
        stored, marked = await self.books.stored(), await self.books.marked()
        lost: set[Line] = set()
        for talk in talks:
            lines = dict(enumerate(talk.conversation.told, 1))
            lost |= {(talk.person.phone, step) for step, line in lines.items() if line not in stored or step in talk.unanswered}
            outcome.acknowledged += len(lines)
            outcome.processed += len(set(talk.heard))
            outcome.duplicated += talk.duplicated
            outcome.out_of_order += talk.out_of_order
        lost -= marked
        outcome.lost += len(lost)
        outcome.uncertain += len(marked)
        outcome.slowest = max([outcome.slowest, *(seconds for crowd in self.crowds for _, seconds in crowd.answers)])
        outcome.problems += [await self.books.about(line) for line in sorted(lost, key=str)[:3]]

    async def _nothing_under_way(self, phones: set[str | None]) -> None:
        """Wait until no turn, and no message to these people, is left."""
        until = asyncio.get_running_loop().time() + SETTLE
        while (left := await self.books.unanswered()) or (waiting := len(phones & await self.books.waiting())):
            if asyncio.get_running_loop().time() > until:
                what = f"{left} messages are not answered" if left else f"{waiting} people wait for a message"
                self.outcome.problems.append(f"after {SETTLE:.0f} s {what}")
                return
            await asyncio.sleep(0.1)


@asynccontextmanager
async def open_stage(
    play: Play,
    shape: Mapping[str, str] = ONE,
    *,
    postgres: bool = False,
    database_folder: Path | None = None,
    middlewares: tuple[Middleware, ...] = (),
    bursts: bool = True,
    pause: float = 0.2,
    count: int = 1,
    settings: Mapping[str, str] | None = None,
    sellers: int = 0,
) -> AsyncIterator[Stage]:
    """Everything started, and prospects on each of `count` numbers talking. A fleet gets PostgreSQL and Redis; one process SQLite
    (in `database_folder`), or PostgreSQL where asked. `sellers` work there, and hear by e-mail of what is handed over. What was
    counted is in `outcome` at the end."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(folder_of(play.outcome))
        server = redis = None
        database = f"sqlite:///{database_folder or folder}/chaos.db"
        if postgres or len(shape) > 1:
            server = Postgres(_made(folder / "postgres"))
            stack.push_async_callback(server.stop, server.END)
            await server.start()
            database = server.url
        if len(shape) > 1:
            redis = Redis(_made(folder / "redis"))
            stack.push_async_callback(redis.stop, redis.END)
            await redis.start()
        ports = {name: free_port() for name in shape}
        door, graph_port = next(iter(ports.values())), free_port()
        street = Street(
            clock=Clock(),
            webhook_url=f"http://127.0.0.1:{door}/webhooks/whatsapp",
            app_secret=SECRET,
            token=TOKEN,
            longest_retry=0.5,
        )
        await stack.enter_async_context(street)
        for number in (numbers := bench_numbers(count)):
            street.number(number, f"+51 {number}", "Chaos", "200000000000001", throughput=10_000)
        await _serve_graph(stack, street, graph_port, middlewares)
        environment = {
            "DATABASE_URL": database,
            "REDIS_URL": redis.url if redis else "",
            "SECRET_KEY": "chaos" * 10,
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_TOKEN": TOKEN,
            "WHATSAPP_GRAPH_URL": f"http://127.0.0.1:{graph_port}/graph",
            "MEDIA_DIR": str(folder / "media"),
            "RECONCILE_SECONDS": str(RECONCILE),
            "DEBOUNCE_MS": "0",
            **(settings or {}),
        }
        seeding = (f"--numbers={count}", f"--sellers={sellers}")
        services = {
            name: Service(name, {**environment, "PORT": str(ports[name])}, folder / f"{name}.log", roles, *seeding)
            for name, roles in shape.items()
        }
        stage = Stage(play, folder, Books(database), street, services, server, redis)
        for service in services.values():
            stack.push_async_callback(service.kill)
        play.progress(f"{play.outcome.name}: starting")
        first, *others = services.values()
        await first.start()
        await asyncio.gather(*(service.start() for service in others))
        for number in numbers:
            crowd = Crowd(street, number, play.seats, random.Random(play.chance.random()), bursts=bursts, pause=pause)
            stage.crowds.append(await stack.enter_async_context(crowd))
        await asyncio.wait_for(stage.crowds[0].first_answer(), SETTLE)
        yield stage
        if not stage.counted:
            await stage.count()


async def _serve_graph(stack: AsyncExitStack, street: Street, port: int, middlewares: tuple[Middleware, ...]) -> None:
    graph = web.Application(middlewares=middlewares)
    graph.add_subapp("/graph", cloud_api.application(street))
    runner = web.AppRunner(graph, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextmanager
def folder_of(outcome: Outcome) -> Iterator[Path]:
    """A folder for the scenario. It stays, with the logs, where something was wrong."""
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{outcome.name}-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    failed = True
    try:
        yield folder
        failed = bool(outcome.broken())
    finally:
        if failed:
            outcome.problems.append(f"logs: {folder}")
        else:
            shutil.rmtree(folder)


@asynccontextmanager
async def migrated(outcome: Outcome) -> AsyncIterator[tuple[Postgres, Database]]:
    """A PostgreSQL with our tables, for a scenario that needs no service."""
    with folder_of(outcome) as folder:
        server = Postgres(_made(folder / "postgres"))
        try:
            await server.start()
            database = connect(server.url)
            async with _one_migrates:
                await schema.upgrade(database)
            yield server, database
            await database.close()
        finally:
            await server.stop(server.END)

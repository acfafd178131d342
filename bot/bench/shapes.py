"""The service's processes in each of its shapes, and what they cost: started for a measurement, ended with it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil
from aiohttp import ClientSession
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.bench.occupied import PATH
from bot.bench.prospects import Load, Plan

SECRET = "bench-secret"  # noqa: S105 - of a service that lives for seconds
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """`processes` are the roles of each process, comma-separated; without any it does everything."""

    key: str
    title: str
    database: str
    processes: Sequence[str] = ("",)
    redis: bool = False


SQLITE = Shape("", "SQLite, one process", "sqlite")
SHAPES = (
    SQLITE,
    Shape("sqlite_two_", "SQLite, two processes", "sqlite", ("web", "worker,sender,scheduler")),
    Shape("postgresql_", "PostgreSQL, one process", "postgresql"),
    Shape(
        "cluster_",
        "PostgreSQL and Redis, five processes",
        "postgresql",
        ("web", "worker", "worker", "sender", "scheduler"),
        redis=True,
    ),
)


class Missing(Exception):
    """Something that a measurement needs is not on this machine; the message says what."""


@dataclass(slots=True)
class Running:
    """Processes that answer webhooks at `port` and send to a Graph API at `graph_port`."""

    commands: Sequence[Sequence[str]]
    environments: Sequence[Mapping[str, str]]
    port: int
    graph_port: int
    path: str = "/webhooks/whatsapp"
    folder: Path | None = None
    announces: bool = True
    """Whether a process prints a line when it is ready; else its port says so."""
    databases: Sequence[str] = ()
    """What the command lines of their database's server processes hold: the name of the database, the address of Redis."""
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self) -> None:
        """Start all, the first before the others: it makes the tables."""
        await self._start(0)
        await asyncio.gather(*(self._start(at) for at in range(1, len(self.commands))))

    async def _start(self, at: int) -> None:
        process = await asyncio.create_subprocess_exec(
            *self.commands[at],
            env={**os.environ, **self.environments[at]},
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE if self.announces else asyncio.subprocess.DEVNULL,
            stderr=None if self.announces else asyncio.subprocess.DEVNULL,
        )
        self.processes.append(process)
        async with asyncio.timeout(60):
            if process.stdout is None:
                await _listening(self.port, process)
            elif not (await process.stdout.readline()).startswith(b"ready"):
                raise SystemExit(f"did not start: {' '.join(self.commands[at])}")

    async def kill(self) -> None:
        """`kill -9` all of them at once."""
        for process in self.processes:
            if process.returncode is None:
                process.kill()
        await asyncio.gather(*(process.wait() for process in self.processes))
        self.processes.clear()

    async def stop(self) -> None:
        for process in self.processes:
            if process.returncode is None:
                process.terminate()
        try:
            async with asyncio.timeout(15):
                await asyncio.gather(*(process.wait() for process in self.processes))
        except TimeoutError:
            await self.kill()

    def cost(self) -> dict[str, float]:
        """CPU seconds so far, resident megabytes and open descriptors, of all processes together; and the CPU seconds of what
        serves their database on this machine."""
        found = [psutil.Process(process.pid) for process in self.processes if process.returncode is None]
        servers = _servers(self.databases) if self.databases else []
        return {
            "cpu": sum(sum(process.cpu_times()[:2]) for process in found),
            "databases": sum(sum(process.cpu_times()[:2]) for process in servers),
            "rss_mb": round(sum(process.memory_info().rss for process in found) / 1e6, 1),
            "descriptors": sum(process.num_fds() for process in found),
        }

    async def occupied(self) -> Figures:
        """What kept the loop of a metered process busy since this was asked last."""
        async with ClientSession() as http, http.get(f"http://127.0.0.1:{self.port}{PATH}") as answer:
            found: Figures = await answer.json()
            return found

    async def windows(self, loads: Sequence[Load], **plan: Any) -> AsyncIterator[list[Figures]]:
        """Let prospects write, and yield for each window the figures of each load; the first one's hold what the service cost."""
        whole = Plan(self.port, self.graph_port, SECRET, list(loads), self.path, **plan)
        command = (sys.executable, "-m", "bot.bench.prospects", msgspec.json.encode(whole).decode())
        crowd = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert crowd.stdout is not None
        try:
            await crowd.stdout.readline()
            before = self.cost()
            async for line in crowd.stdout:
                figures: list[Figures] = json.loads(line)
                now, turns = self.cost(), sum(one.pop("turns") for one in figures)
                for name, used in (("cpu_us_per_turn", "cpu"), ("databases_cpu_us_per_turn", "databases")):
                    if now[used]:
                        figures[0][name] = round((now[used] - before[used]) / max(turns, 1) * 1e6, 1)
                figures[0] |= {"rss_mb": now["rss_mb"], "descriptors": now["descriptors"]}
                before = now
                yield figures
            if await crowd.wait():
                raise SystemExit("the prospects failed")
        finally:
            if crowd.returncode is None:
                crowd.kill()
                await crowd.wait()

    async def measure(self, load: Load, windows: int = 1, **plan: Any) -> Figures:
        """One load; of several windows the mean of the turns, the worst of the times, and `last_turns_per_s`: some get slower."""
        found = [one async for (one,) in self.windows([load], windows=windows, **plan)]
        speeds = [one["turns_per_s"] for one in found]
        whole = {name: max(one[name] for one in found) for name in found[-1]}
        whole["turns_per_s"], whole["last_turns_per_s"] = round(sum(speeds) / len(speeds), 1), speeds[-1]
        for name in ("cpu_us_per_turn", "databases_cpu_us_per_turn"):
            if name in whole:
                used = sum(one[name] * one["turns_per_s"] for one in found)
                whole[name] = round(used / max(sum(speeds), 0.1), 1)
        return whole


@asynccontextmanager
async def serving(
    shape: Shape,
    companies: int = 1,
    numbers: int = 1,
    questions: int | None = None,
    database: str = "",
    sellers: int = 0,
    metered: bool = False,
    **environment: str,
) -> AsyncIterator[Running]:
    """The service in a shape, over an empty database or the one given; `sellers` of each company get its leads. `metered`, it
    counts what its loop is kept busy with. Missing."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mostrador-bench-")))
        if not database:
            database = await stack.enter_async_context(empty(shape.database, folder))
        redis = {"REDIS_URL": await stack.enter_async_context(fresh_redis())} if shape.redis else {}
        ports, graph_port = [free_port() for _ in shape.processes], free_port()
        common = {
            "DATABASE_URL": database,
            "SECRET_KEY": "bench" * 10,
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_TOKEN": "bench-token",
            "WHATSAPP_GRAPH_URL": f"http://127.0.0.1:{graph_port}",
            "MEDIA_DIR": str(folder / "media"),
            "DEBOUNCE_MS": "0",
            "RECONCILE_SECONDS": "3",
            **redis,
            **environment,
        }
        base = [sys.executable, "-m", "bot.bench.service", f"--companies={companies}", f"--numbers={numbers}"]
        base += [f"--questions={questions}"] if questions else []
        base += [f"--sellers={sellers}"] if sellers else []
        base += ["--metered"] if metered else []
        running = Running(
            [[*base, *([f"--role={roles}"] if roles else [])] for roles in shape.processes],
            [{**common, "PORT": str(port)} for port in ports],
            ports[0],
            graph_port,
        )
        if shape.database == "postgresql":
            running.databases = [str(make_url(url).database or make_url(url).port) for url in (database, *redis.values())]
        stack.push_async_callback(running.stop)
        await running.start()
        yield running


@asynccontextmanager
async def empty(database: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a new, empty database: `sqlite` or `postgresql`. Missing."""
    if database == "sqlite":
        yield f"sqlite:///{folder}/bench.db"
        return
    if not (url := os.environ.get("TEST_POSTGRES_URL")):
        raise Missing("no PostgreSQL: set TEST_POSTGRES_URL, or use `make bench`")
    async with fresh_postgres(url) as fresh:
        yield fresh


@asynccontextmanager
async def fresh_postgres(url: str) -> AsyncIterator[str]:
    """A new database on the server of `url`, dropped at the end."""
    parsed = make_url(url)
    name = f"mostrador_bench_{os.getpid()}"
    admin = create_async_engine(parsed.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield parsed.set(database=name).render_as_string(hide_password=False)
    finally:
        async with admin.connect() as connection:
            await connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        await admin.dispose()


@asynccontextmanager
async def fresh_redis() -> AsyncIterator[str]:
    """The URL of a Redis of our own, gone at the end. Missing."""
    if not (server := shutil.which("redis-server")):
        raise Missing("no redis-server")
    port = free_port()
    command = (server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(10):
            await _listening(port, process)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.returncode is not None:
                raise Missing(f"ended at once with {process.returncode}") from None
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def _servers(words: Sequence[str]) -> list[psutil.Process]:
    found = [one for one in psutil.process_iter(["name", "cmdline"]) if one.info["name"] in ("postgres", "redis-server")]
    return [one for one in found if any(word in " ".join(one.info["cmdline"] or ()) for word in words)]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

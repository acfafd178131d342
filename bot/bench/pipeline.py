"""The pipeline's figures in one run: turns a second, times, CPU a turn and memory, with SQLite and with PostgreSQL, beside the
raw limits of the machine. The prospects and their Graph API share its cores: their CPU is reported, and counted in nobody's
favour."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

SECRET = "bench-secret"  # noqa: S105 - of a service that lives for seconds
NUMBERS = ["100000000000001"]
_TIMES = ("webhook_to_reply_p50_ms", "webhook_to_reply_p99_ms", "ack_p50_ms", "ack_p99_ms")

console = Console(stderr=True)


async def run(name: str, *, as_json: bool, seconds: float) -> None:
    """Print the figures of bench `name`: a table, or one flat object. SystemExit when there is no such bench."""
    if name != "pipeline":
        raise SystemExit(f"no bench {name!r}; there is: pipeline")
    figures: dict[str, Any] = {}
    with console.status("") as status:
        status.update("the machine: aiohttp answering 200")
        figures["raw_http_requests_per_s"] = await _raw_http(min(seconds, 3))
        status.update("the machine: SQLite commits")
        figures |= await asyncio.to_thread(_raw_sqlite)
        status.update("the service on SQLite")
        with tempfile.TemporaryDirectory(prefix="mostrador-bench-") as folder:
            figures |= await _measure(f"sqlite:///{folder}/bench.db", Path(folder), seconds, "")
        if url := os.environ.get("TEST_POSTGRES_URL"):
            status.update("the service on PostgreSQL")
            with tempfile.TemporaryDirectory(prefix="mostrador-bench-") as folder:
                async with fresh_postgres(url) as database:
                    figures |= await _measure(database, Path(folder), seconds, "postgresql_")
    figures["share_of_raw_http"] = round(figures["turns_per_s"] / figures["raw_http_requests_per_s"], 3)
    if as_json:
        print(json.dumps(figures))  # noqa: T201
        return
    table = Table("figure", "SQLite", "PostgreSQL", title="Mostrador pipeline")
    for key, value in figures.items():
        if not key.startswith("postgresql_"):
            table.add_row(key, str(value), str(figures.get(f"postgresql_{key}", "")))
    Console().print(table)


async def _measure(database: str, folder: Path, seconds: float, prefix: str) -> dict[str, Any]:
    """As many turns as it takes at 64 prospects, then its times at 300 turns a second with three statuses a message."""
    port, graph_port = _free_port(), _free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "SECRET_KEY": "bench" * 10,
        "PORT": str(port),
        "WHATSAPP_APP_SECRET": SECRET,
        "WHATSAPP_TOKEN": "bench-token",
        "WHATSAPP_GRAPH_URL": f"http://127.0.0.1:{graph_port}",
        "MEDIA_DIR": str(folder / "media"),
        "DEBOUNCE_MS": "0",
    }
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.bench.service", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert service.stdout is not None
        if not (await asyncio.wait_for(service.stdout.readline(), 60)).startswith(b"ready"):
            raise SystemExit("the service did not start")
        process = psutil.Process(service.pid)
        load = {"port": port, "graph_port": graph_port, "secret": SECRET, "numbers": NUMBERS, "seconds": seconds}
        full, cpu = await _prospects(process, {**load, "prospects": 64})
        paced, paced_cpu = await _prospects(process, {**load, "rate": 300, "statuses": 3})
        figures = {key: value for key, value in full.items() if key not in ("began", "turns")}
        figures |= {"cpu_us_per_turn": cpu, "rss_mb": round(process.memory_info().rss / 1e6, 1)}
        figures |= {f"at_300_{key}": paced[key] for key in ("turns_per_s", "lost", "duplicated", *_TIMES)}
        figures["at_300_with_statuses_cpu_us_per_turn"] = paced_cpu
        return {f"{prefix}{key}": value for key, value in figures.items()}
    finally:
        if service.returncode is None:
            service.terminate()
        await service.wait()


async def _prospects(process: psutil.Process, load: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """Run the prospects in their own process; returns their figures, and the service's CPU in µs a turn over the whole run."""
    before = sum(process.cpu_times()[:2])
    crowd = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.bench.prospects", json.dumps({**load, "warm_up": 1}), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await crowd.communicate()
    figures: dict[str, Any] = json.loads(out)
    used = sum(process.cpu_times()[:2]) - before
    share = load["seconds"] / (load["seconds"] + 1)
    return figures, round(used * share / max(figures["turns"], 1) * 1e6, 1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


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


# ------------------------------------------------------------------------------------------------ raw limits
async def _raw_http(seconds: float) -> float:
    """Requests a second that aiohttp answers with an empty 200, asked by aiohttp's own client on the other core."""
    port = _free_port()
    code = (
        "import sys, uvloop, asyncio\nfrom aiohttp import web\n"
        "async def main():\n"
        "    app = web.Application()\n"
        "    async def answer(request):\n        await request.read()\n        return web.Response()\n"
        "    app.router.add_post('/', answer)\n"
        "    runner = web.AppRunner(app, access_log=None)\n    await runner.setup()\n"
        f"    await web.TCPSite(runner, '127.0.0.1', {port}).start()\n"
        "    await asyncio.sleep(600)\n"
        "uvloop.run(main())\n"
    )
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    from bot.bench.http import Pool

    try:
        async with aiohttp.ClientSession() as session:
            for _ in range(100):
                try:
                    await (await session.post(f"http://127.0.0.1:{port}/")).read()
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        body = b"x" * 700
        request = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        pool, answered, until = Pool("127.0.0.1", port, 64), 0, time.perf_counter() + seconds

        def again(_status: int) -> None:
            nonlocal answered
            answered += 1
            if time.perf_counter() < until:
                pool.post(request, again)

        for _ in range(64):
            pool.post(request, again)
        await asyncio.sleep(seconds)
        return round(answered / seconds, 1)
    finally:
        server.kill()
        await server.wait()


def _raw_sqlite() -> dict[str, Any]:
    """Commits a second of one small row, and rows a second at 50 a commit: WAL, synchronous FULL."""
    with tempfile.TemporaryDirectory(prefix="mostrador-bench-") as folder:
        connection = sqlite3.connect(Path(folder) / "raw.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB)")
        figures = {}
        for name, rows in (("raw_sqlite_commits_per_s", 1), ("raw_sqlite_rows_per_s_at_50", 50)):
            began, commits = time.perf_counter(), 0
            while time.perf_counter() < began + 1:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT INTO bodies (body) VALUES (?)", [(b"x" * 700,)] * rows)
                connection.execute("COMMIT")
                commits += 1
            figures[name] = round(commits * rows / (time.perf_counter() - began), 1)
        connection.close()
        return figures

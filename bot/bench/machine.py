"""The machine: what it can do at all, and the versions of everything that is measured on it."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import aiohttp
import psutil
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.bench.http import Pool
from bot.bench.shapes import free_port


async def about() -> dict[str, str]:
    """The machine and the versions; what is not there is left out."""
    found = {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("aiohttp", "uvloop", "SQLAlchemy", "asyncpg", "msgspec")},
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": await _postgres(),
        "Redis": await _said("redis-server", "--version"),
        "node": await _said("node", "--version"),
    }
    return {name: value for name, value in found.items() if value}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


async def _postgres() -> str:
    if not (url := os.environ.get("TEST_POSTGRES_URL")):
        return ""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        said = await connection.scalar(text("SHOW server_version"))
    await engine.dispose()
    return str(said).split(" ", 1)[0]


async def _said(*command: str) -> str:
    """The version that a program prints; empty when there is no such program."""
    if not shutil.which(command[0]):
        return ""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    words = (await process.communicate())[0].decode().split()
    return next((word.lstrip("v=") for word in words if word.lstrip("v=")[:1].isdigit()), "")


async def raw_http(seconds: float) -> float:
    """Requests a second that aiohttp answers with an empty 200, asked by the prospects' client."""
    port = free_port()
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

        def again(status: int) -> None:
            nonlocal answered
            answered += status == 200
            if time.perf_counter() < until:
                pool.post(request, again)

        for _ in range(64):
            pool.post(request, again)
        await asyncio.sleep(seconds)
        pool.close()
        return round(answered / seconds, 1)
    finally:
        server.kill()
        await server.wait()


def raw_sqlite() -> dict[str, float]:
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

"""`kill -9` under load, again and again: nothing that was acknowledged is lost, and nobody hears an answer twice."""

from __future__ import annotations

import asyncio
import os
import random
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot.bench.pipeline import fresh_postgres
from bot.bench.prospects import SCRIPT
from bot.clock import Clock
from bot.simulator import cloud_api
from bot.simulator.network import Network
from bot.simulator.people import Person

NUMBER = "100000000000001"
SECRET = "chaos-secret"
PROSPECTS = 24
KILLS = 5


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'chaos.db'}"
    else:
        async with fresh_postgres(os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")) as url:
            yield url


class Service:
    """The service as a process that is killed and started again."""

    def __init__(self, database: str, folder: Path, port: int, graph: str) -> None:
        self._environment = {
            **os.environ,
            "DATABASE_URL": database,
            "SECRET_KEY": "chaos" * 10,
            "PORT": str(port),
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_TOKEN": "chaos-token",
            "WHATSAPP_GRAPH_URL": graph,
            "MEDIA_DIR": str(folder),
            "RECONCILE_SECONDS": "5",
        }
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.bench.service", env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        ready = await asyncio.wait_for(self.process.stdout.readline(), 60)
        assert ready.startswith(b"ready")

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def killed_at_the_end(service: Service) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if service.process is not None and service.process.returncode is None:
            await service.kill()


async def fill_in(person: Person) -> None:
    """Say each line when the answer to the one before has come."""
    for step, line in enumerate(SCRIPT):
        await person.say(NUMBER, line)
        await person.wait_for(NUMBER, step + 1, timeout=90)


async def test_nothing_is_lost_and_nothing_is_answered_twice(database: str, tmp_path: Path) -> None:
    port, graph_port = free_port(), free_port()
    chance = random.Random(7)
    network = Network(
        clock=Clock(),
        webhook_url=f"http://127.0.0.1:{port}/webhooks/whatsapp",
        app_secret=SECRET,
        token="chaos-token",
        longest_retry=1.0,
    )
    async with network:
        network.number(NUMBER, "+57 601 555 0101", "Bench", "200000000000001", throughput=10_000)
        graph = web.Application()
        graph.add_subapp("/graph", cloud_api.application(network))
        runner = web.AppRunner(graph, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", graph_port).start()
        service = Service(database, tmp_path, port, f"http://127.0.0.1:{graph_port}/graph")
        async with killed_at_the_end(service):
            await service.start()
            people = [network.person(f"Ana {index}", f"+57 300 000 {index:04}") for index in range(PROSPECTS)]
            talks = asyncio.gather(*(fill_in(person) for person in people))
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.05, 0.4))
                await service.kill()
                await service.start()
            await talks
            await asyncio.sleep(6)  # whatever is still suspect would be sent again by now
        await runner.cleanup()

    for person in people:
        tags = [re.findall(r"\[(q\d|done)\]", message.text) for message in person.heard(NUMBER)]
        assert tags == [["q1"], ["q2"], ["q3"], ["q4"], ["q5"], ["q6"], ["done"]], person.name

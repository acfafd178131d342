"""The generator against the service, and against one that does wrong: it must see what went wrong, and nothing else."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.bench.http import Pool, Reply, Server
from bot.bench.prospects import SCRIPT, Load, Plan, numbers, run
from bot.bench.shapes import SQLITE, free_port, serving

FAULTS = ("lost", "duplicated", "out_of_order", "unexpected")
Answer = Callable[[str], list[str]]
"""The texts that a bot says to somebody's line."""


def right(line: str) -> list[str]:
    at = SCRIPT.index(line) + 1
    return [f"[q{at}] ¿Y?" if at < len(SCRIPT) else "[done] ¡Gracias!"]


class Bot:
    """A form bot that acknowledges everything and answers each line as it is told to."""

    def __init__(self, answer: Answer, graph_port: int) -> None:
        self.port = free_port()
        self._answer = answer
        self._graph = Pool("127.0.0.1", graph_port, 1)  # in order

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(lambda: Server(self._handle), "127.0.0.1", self.port)
        async with server:
            yield
            self._graph.close()
            await asyncio.sleep(0.01)  # connections end in the loop's next rounds

    def _handle(self, head: bytes, body: bytes) -> Reply:
        assert re.search(rb"X-Hub-Signature-256: sha256=[0-9a-f]{64}", head)
        message = json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]
        for text in self._answer(message["text"]["body"]):
            call = json.dumps({"to": message["from"], "type": "text", "text": {"body": text}}).encode()
            request = b"POST /v1.0/1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(call), call)
            self._graph.post(request, lambda _: None)
        return b"", None


async def counted(answer: Answer, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the prospects count in a fifth of a second with a bot that answers so."""
    graph_port = free_port()
    bot = Bot(answer, graph_port)
    load = Load(numbers(1), prospects=4, patience=0.1)
    async with bot.listening():
        await run(Plan(bot.port, graph_port, "secret", [load], warm_up=0, seconds=0.2))
    figures: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])[0]
    return figures


async def test_nothing_is_wrong_with_a_bot_that_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    figures = await counted(right, capsys)
    assert figures["turns"] > 20
    assert [figures[fault] for fault in FAULTS] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("lost", lambda line: [] if line == "5000" else right(line)),
        ("duplicated", lambda line: right(line) * (2 if line == "5000" else 1)),
        ("duplicated", lambda line: right(line) * (2 if line == SCRIPT[-1] else 1)),
        ("out_of_order", lambda line: ["[q6] ¿Y?"] if line == "Ana Torres" else right(line)),
        ("unexpected", lambda line: ["¿Cómo?", *right(line)]),
    ],
)
async def test_what_is_wrong_is_counted(fault: str, wrong: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    assert (await counted(wrong, capsys))[fault] > 0


async def test_a_refused_webhook_is_delivered_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens at first: what was not acknowledged is not lost."""
    graph_port = free_port()
    bot = Bot(right, graph_port)
    plan = Plan(bot.port, graph_port, "secret", [Load(numbers(1), prospects=2, patience=5)], warm_up=0, seconds=1)
    prospects = asyncio.create_task(run(plan))
    await asyncio.sleep(0.1)
    async with bot.listening():
        await prospects
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])[0]
    assert figures["refused"] >= 2
    assert figures["turns"] > 0
    assert figures["lost"] == 0


async def test_the_service_loses_doubles_and_confuses_nothing() -> None:
    """Albums, bursts, statuses by the ten, and everything twice, in one second or two."""
    async with serving(SQLITE, companies=2, numbers=3) as service:
        hard = Load(numbers(3), prospects=16, burst=3, photos=2, twice=True, statuses=3, statuses_a_body=10)
        figures = await service.measure(hard, warm_up=0.2, seconds=2)
        assert figures["turns_per_s"] > 0
        assert [figures[fault] for fault in FAULTS] == [0, 0, 0, 0]
        cost = service.cost()
        assert cost["cpu"] > 0
    assert [process.returncode for process in service.processes] == [0]

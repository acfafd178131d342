"""A local WhatsApp whose webhooks go to a listener that writes them down, and a client of its Graph API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import Clock
from bot.simulator import cloud_api
from bot.simulator.network import Network, Number
from bot.simulator.people import Person

Json = dict[str, Any]
SECRET, TOKEN = "app-secret", "local-token"


@dataclass
class Service:
    """What the webhook got. `answers` are the HTTP statuses of the next requests; 200 when there are none left."""

    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""
    react: Callable[[Json], Awaitable[None]] | None = None

    @property
    def values(self) -> list[Json]:
        """The `value` of every change that was answered 200."""
        return [json.loads(body)["entry"][0]["changes"][0]["value"] for body in self.bodies]

    @property
    def messages(self) -> list[Json]:
        return [message for value in self.values for message in value.get("messages", ())]

    @property
    def statuses(self) -> list[Json]:
        return [status for value in self.values for status in value.get("statuses", ())]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    got = Service()

    async def webhook(request: web.Request) -> web.Response:
        body = await request.read()
        status = got.answers.pop(0) if got.answers else 200
        if status == 200:
            got.bodies.append(body)
            got.headers.append(dict(request.headers))
            if got.react is not None:
                await got.react(json.loads(body)["entry"][0]["changes"][0]["value"])
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/webhooks/whatsapp", webhook)
    async with TestServer(app) as server:
        got.url = str(server.make_url("/webhooks/whatsapp"))
        yield got


@pytest.fixture
async def network(service: Service) -> AsyncIterator[Network]:
    async with Network(clock=Clock(), webhook_url=service.url, app_secret=SECRET, token=TOKEN, first_retry=0.01) as network:
        yield network


@pytest.fixture
def shop(network: Network) -> Number:
    return network.number("106540352242922", "+57 601 555 0100", "Electrónica Andina", "102290129340398")


@pytest.fixture
def ana(network: Network) -> Person:
    return network.person("Ana Ruiz", "+57 300 123 4567")


@pytest.fixture
async def graph(network: Network) -> AsyncIterator[TestServer]:
    app = web.Application()
    app.add_subapp("/graph", cloud_api.application(network))
    async with TestServer(app) as server:
        yield server


@dataclass(frozen=True)
class Graph:
    """Calls the Graph API as a business does."""

    session: aiohttp.ClientSession
    url: str

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        async with self.session.request(method, f"{self.url}/v26.0/{path}", json=body, **more) as answer:
            return answer.status, await answer.json(content_type=None)

    async def send(self, number: Number, message: Json, to: str = "573001234567") -> tuple[int, Any]:
        return await self.call("POST", f"{number.id}/messages", {"messaging_product": "whatsapp", "to": to} | message)


@pytest.fixture
async def client(graph: TestServer) -> AsyncIterator[Graph]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        yield Graph(session, str(graph.make_url("/graph")))

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="session")
def samples() -> Path:
    """The bodies that nobody of this project wrote: Meta's examples and pywa's test data."""
    folder = os.environ.get("MOSTRADOR_SAMPLES")
    if not folder:
        pytest.skip("MOSTRADOR_SAMPLES does not name the folder with the sample bodies")
    return Path(folder)


@dataclass
class Api:
    """A server that answers as the test says, and keeps what it was asked: (method, path, headers, body)."""

    url: str = ""
    answer: Answer | None = None
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def says(self, status: int, answer: Any, **headers: str) -> None:
        """Answer everything with this status, and JSON (or, given a str, text in HTML)."""
        is_text = isinstance(answer, str)
        body, kind = (answer, "text/html") if is_text else (json.dumps(answer), "application/json")

        async def reply(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text=body, content_type=kind, headers=headers)

        self.answer = reply

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path, dict(request.headers), await request.read()))
        assert self.answer is not None
        return await self.answer(request)


@pytest.fixture
async def api() -> Any:
    """An `Api` on a free port of the loopback."""
    api = Api()
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", api.handle)
    server = TestServer(app)
    await server.start_server()
    api.url = str(server.make_url("")).rstrip("/")
    yield api
    await server.close()

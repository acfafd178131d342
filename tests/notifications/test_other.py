"""Other services through Apprise, against a local JSON endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from notifications.senders.errors import Refused, TryAgain
from notifications.senders.other import Other

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise looks whether it is there


class Hook:
    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        return web.Response(status=self.status, headers={"Location": "/hook"} if self.status == 307 else {})


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    made = Hook()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    async with TestServer(app) as server:
        assert server.port is not None
        made.port = server.port
        yield made


@pytest.fixture
def other() -> Iterator[Other]:
    made = Other(private=True)
    yield made
    made.close()


async def test_it_arrives(hook: Hook, other: Other) -> None:
    await other.send(f"json://127.0.0.1:{hook.port}/hook", "Caliente: Ana", "¿Hola? " + "x" * 5000)
    (got,) = hook.got
    assert got["title"] == "Caliente: Ana"
    assert got["message"].startswith("¿Hola? xx")
    assert len(got["message"]) <= 1800


@pytest.mark.parametrize("status", [500, 404, 307])
async def test_what_is_not_taken_is_tried_again_and_no_redirect_is_followed(hook: Hook, other: Other, status: int) -> None:
    hook.status = status
    with pytest.raises(TryAgain):
        await other.send(f"json://127.0.0.1:{hook.port}/hook?redirect=yes&retry=3", "a", "b")
    assert len(hook.got) == 1


@pytest.mark.parametrize("url", ["syslog://", "mailto://a:b@c.co", "dbus://", "file:///etc/passwd", "json://", "", "nonsense"])
async def test_what_may_not_be_written(other: Other, url: str) -> None:
    with pytest.raises(Refused):
        await other.send(url, "a", "b")


async def test_nothing_of_our_own_network_is_written_to(hook: Hook) -> None:
    guarded = Other()
    for host in ("127.0.0.1", "localhost", "[::1]"):
        with pytest.raises(Refused, match="private network"):
            await guarded.send(f"json://{host}:{hook.port}/hook", "a", "b")
    guarded.close()
    assert hook.got == []

"""Other services through Apprise, against a local JSON endpoint."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from notifications.senders.errors import Refused, Trouble, TryAgain
from notifications.senders.other import TIMEOUT, Other, read_address

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise looks whether it is there


PUBLIC = "192.88.99.1"


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
    with pytest.raises(TryAgain, match=Trouble.NOT_TAKEN):
        await other.send(f"json://127.0.0.1:{hook.port}/hook?redirect=yes&retry=3", "a", "b")
    assert len(hook.got) == 1


@pytest.mark.parametrize(
    "url",
    [
        "syslog://", "mailto://a:b@c.co", "dbus://", "file:///etc/passwd", "json://", "", "nonsense", "json://[::1",
        # what is read from this machine, or from where its network reaches, and sent on
        f"discord://{'1' * 18}/{'a' * 68}?template=/etc/hosts",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=/etc/hosts",
        "workflows://example.com:443/workflow/signature?Template=http://127.0.0.1/",
        "fcm://project/device?keyfile=/etc/hosts",
    ],
)  # fmt: skip
async def test_what_may_not_be_written(other: Other, url: str) -> None:
    with pytest.raises(Refused, match=Trouble.NOT_AN_ADDRESS):
        await other.send(url, "a", "b")


async def test_nothing_of_our_own_network_is_written_to(hook: Hook) -> None:
    guarded = Other()
    for host in ("127.0.0.1", "localhost", "[::1]", "/127.0.0.1", "a:b@127.0.0.1"):
        with pytest.raises(Refused, match=Trouble.PRIVATE_NETWORK):
            await guarded.send(f"json://{host}:{hook.port}/hook", "a", "b")
    with pytest.raises(Refused, match=Trouble.PRIVATE_NETWORK):
        await guarded.send("json://a:b@127.0.0.1@example.com/hook", "a", "b")
    guarded.close()
    assert hook.got == []


async def test_a_name_that_means_another_address_a_moment_later(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for once, and what was checked is connected to."""
    answers, connected = [PUBLIC, "127.0.0.1", "127.0.0.1"], []
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def rebind(host: str, *more: Any, **named: Any) -> Any:
        return look_up(answers.pop(0) if host == "rebinds.example" else host, *more, **named)

    def watch(self: socket.socket, address: Any) -> None:
        connected.append(address[0])
        if address[0] == PUBLIC:
            raise ConnectionRefusedError
        connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    monkeypatch.setattr(socket.socket, "connect", watch)
    guarded = Other()
    with pytest.raises(TryAgain, match=Trouble.NOT_TAKEN):
        await guarded.send(f"json://rebinds.example:{hook.port}/hook", "a", "b")
    assert connected == [PUBLIC]
    with pytest.raises(Refused, match=Trouble.PRIVATE_NETWORK):
        await guarded.send(f"jsons://rebinds.example:{hook.port}/hook", "a", "b")
    guarded.close()
    assert (connected, hook.got) == ([PUBLIC], [])


async def test_a_proxy_of_the_installation_looks_names_up_itself(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{hook.port}")
    guarded = Other()
    await guarded.send("json://hooks.example/hook", "a", "b")
    guarded.close()
    assert len(hook.got) == 1


def test_what_an_address_may_not_ask_for() -> None:
    service = read_address("matrixs://user:word@example.com/room?rto=100000&cto=100000&retry=9&redirect=yes&discovery=yes")
    assert service.request_timeout == (TIMEOUT, TIMEOUT)
    assert (service.retry, service.redirects, service.discovery) == (0, False, False)

"""Web push, against an endpoint that decrypts it and verifies the signature."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from notifications.senders import webpush
from notifications.senders.errors import Gone, Refused, SendFailed, Trouble, TryAgain
from notifications.senders.webpush import WebPush, WrongEndpoint, check_endpoint, public_key
from tests.notifications import push_service
from tests.notifications.conftest import NOW, SECRET
from tests.notifications.push_service import PushService


@pytest.fixture
async def browser() -> AsyncIterator[PushService]:
    async with push_service.running() as service:
        yield service


@pytest.fixture
async def sender() -> AsyncIterator[WebPush]:
    made = WebPush(SECRET, "mailto:alertas@andina.co", private=True, timeout=2)
    yield made
    await made.close()


async def send(sender: WebPush, browser: PushService, payload: bytes = b'{"title":"Ana"}', url: str = "") -> None:
    where = url or browser.url
    await sender.send(where, browser.keys, payload, topic="alert-1", ttl=180, urgent=True, now=NOW)


async def test_it_arrives_for_this_browser_and_from_us(sender: WebPush, browser: PushService) -> None:
    await send(sender, browser, '{"title":"¿Añó?"}'.encode())
    ((payload, headers, claims),) = browser.got
    assert payload == {"title": "¿Añó?"}
    assert (headers["TTL"], headers["Topic"], headers["Urgency"]) == ("180", "alert-1", "high")
    assert headers["Authorization"].endswith(f"k={public_key(SECRET)}"), "the key that browsers subscribe with"
    assert claims["sub"] == "mailto:alertas@andina.co"
    assert browser.url.startswith(claims["aud"])
    assert claims["exp"] == int((NOW + timedelta(hours=12)).timestamp())


async def test_the_largest_payload_is_taken(sender: WebPush, browser: PushService) -> None:
    await send(sender, browser, b'{"a":"' + b"x" * 3792 + b'"}')
    assert len(browser.got[0][0]["a"]) == 3792


@pytest.mark.parametrize(
    ("status", "means"),
    [(404, Gone), (410, Gone), (429, TryAgain), (503, TryAgain), (400, Refused), (403, Refused), (413, Refused), (302, Refused)],
)
async def test_what_an_answer_means(sender: WebPush, browser: PushService, status: int, means: type[SendFailed]) -> None:
    browser.answer, browser.more = status, {"Retry-After": "7", "Location": "/elsewhere"}
    with pytest.raises(SendFailed, match=str(status)) as told:
        await send(sender, browser)
    assert type(told.value) is means
    assert browser.elsewhere == 0, "no redirect is followed"
    if isinstance(told.value, TryAgain):
        assert told.value.after == 7


async def test_keys_that_are_none_and_servers_that_are_not_there(
    sender: WebPush, browser: PushService, unused_tcp_port: int
) -> None:
    for keys in ({}, {"p256dh": "AAAA", "auth": "AAAA"}, {"p256dh": "ñ", "auth": 5}):
        with pytest.raises(Gone, match=Trouble.WRONG_KEYS):
            await sender.send(browser.url, keys, b"{}", topic="a", ttl=1, urgent=False, now=NOW)
    with pytest.raises(TryAgain, match=Trouble.NO_CONNECTION):
        await send(sender, browser, url=f"http://127.0.0.1:{unused_tcp_port}/")


async def test_the_event_loop_goes_on_while_a_push_is_encrypted(
    sender: WebPush, browser: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encrypt(*given: Any) -> bytes:
        time.sleep(0.3)
        return real(*given)

    real = webpush._encrypt
    monkeypatch.setattr(webpush, "_encrypt", encrypt)
    sending, ticks = asyncio.create_task(send(sender, browser)), 0
    while not sending.done():
        await asyncio.sleep(0.01)
        ticks += 1
    await sending
    assert ticks > 10


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/1", "https://127.0.0.1/1", "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest", "https://localhost/", "https://printer.local/", "https://intranet/", "ftp://a.example",
        "https://user@push.example/", "", "nonsense", "https://push.example/" + "x" * 2048, "https://100.64.0.1/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://0.0.0.0/", "https://[::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/", "https://[::1", "https://push.example:99999/",
    ],
)  # fmt: skip
def test_endpoints_that_no_browser_has(endpoint: str) -> None:
    with pytest.raises(WrongEndpoint):
        check_endpoint(endpoint)


@pytest.mark.parametrize("endpoint", ["https://8.8.8.8/1", "https://[64:ff9b::808:808]/", "https://[2002:808:808::]/"])
def test_addresses_of_the_public_internet_in_every_wrapping(endpoint: str) -> None:
    check_endpoint(endpoint)


async def test_nothing_of_our_own_network_is_written_to(browser: PushService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by its address nor by a name that leads to it."""

    async def resolve(self: object, host: str, port: int, family: int) -> list[dict[str, object]]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    guarded = WebPush(SECRET, "https://andina.co", timeout=2)
    try:
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(Refused, match=Trouble.NOT_AN_ADDRESS):
                await send(guarded, browser, url=f"https://{host}/push/1")
        # a name that looks public is looked up at the moment of connecting
        monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)
        monkeypatch.setattr("aiohttp.resolver.AsyncResolver.resolve", resolve)
        with pytest.raises(Refused, match=Trouble.PRIVATE_NETWORK):
            await send(guarded, browser, url="https://push.example/push/1")
    finally:
        await guarded.close()
    assert browser.got == []


def test_the_key_comes_from_the_secret_alone() -> None:
    assert re.fullmatch(r"B[\w-]{86}", public_key(SECRET)), "an uncompressed point"
    assert public_key("j" * 40) != public_key(SECRET)


@pytest.mark.parametrize("contact", ["http://127.0.0.1:8080", "", "mailto:nobody", "https://andina.co", "mailto:a@b.co"])
async def test_whoever_runs_it_can_be_told(browser: PushService, contact: str) -> None:
    made = WebPush(SECRET, contact, private=True)
    await send(made, browser)
    await made.close()
    assert browser.got[0][2]["sub"] == (contact if contact.startswith(("https:", "mailto:a")) else "mailto:alerts@localhost")

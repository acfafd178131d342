from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.http import Answer, Client, NoAnswer, NotReached

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"


async def post(client: Client, body: bytes = b"{}") -> Answer:
    return await client.post(client.head("/x", {}), body)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)


@pytest.fixture
def secure(serve: Any, certificate: Path) -> Any:
    server = serve(FINE, ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
    server.tls.load_cert_chain(certificate)
    server.tls.set_alpn_protocols(["h2", "http/1.1"])
    return server


@pytest.mark.usefixtures("trusted")
async def test_over_tls(secure: Any) -> None:
    names = []
    secure.tls.sni_callback = lambda _, name, __: names.append(name)
    async with secure.serving():
        client = Client(f"https://localhost:{secure.port}")
        for _ in range(3):
            assert (await post(client, b"x" * 300_000)).body == b"fine"
        assert names == ["localhost"]
        assert secure.talks[0].writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        secure.talks[0].writer.close()
        await until(lambda: client.connections == 0)
        await asyncio.gather(*(post(client) for _ in range(10)))
        await client.close()


async def test_a_certificate_that_nobody_vouches_for(secure: Any) -> None:
    async with secure.serving():
        client = Client(f"https://localhost:{secure.port}")
        with pytest.raises(NotReached, match="Cert"):
            await post(client)
        assert client.connections == 0


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_for_another(secure: Any) -> None:
    async with secure.serving():
        client = Client(f"https://127.0.0.1:{secure.port}")
        with pytest.raises(NotReached, match="Cert"):
            await post(client)
        assert client.connections == 0


@pytest.mark.usefixtures("trusted")
async def test_a_body_to_the_end_of_the_connection_over_tls(secure: Any) -> None:
    async def script(talk: Any) -> None:
        await talk.asked()
        talk.writer.write(b"HTTP/1.1 200 OK\r\n\r\nto the")
        await talk.writer.drain()
        talk.writer.write(b" end")

    secure.script = script
    async with secure.serving():
        client = Client(f"https://localhost:{secure.port}")
        assert (await post(client)).body == b"to the end"
        await client.close()


@pytest.mark.usefixtures("trusted")
async def test_no_tls_where_there_should_be(serve: Any) -> None:
    async def script(talk: Any) -> None:
        talk.writer.write(b"220 smtp.example ready\r\n")
        await talk.ended()

    server = serve(script)
    async with server.serving():
        client = Client(f"https://localhost:{server.port}")
        with pytest.raises(NotReached):
            await post(client)
        assert client.connections == 0


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("said", [HALF, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"])
async def test_the_connection_ends_too_early_over_tls(secure: Any, said: bytes) -> None:
    async def script(talk: Any) -> None:
        await talk.asked()
        talk.writer.write(said)
        await talk.writer.drain()
        talk.abort()

    secure.script = script
    async with secure.serving():
        client = Client(f"https://localhost:{secure.port}")
        with pytest.raises(NoAnswer):
            await post(client)
        await until(lambda: client.connections == 0)

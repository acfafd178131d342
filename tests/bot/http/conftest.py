from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop

from bot.http import Client


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Each test here runs on both loops, for their transports differ where connections end."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass
class Talk:
    """The server's side of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The script has come to its end, as it does when the client closes under it."""

    async def asked(self) -> bytes:
        """The body of the next request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.split(b"Content-Length: ")[1].split(b"\r\n")[0]
        return await self.reader.readexactly(int(length))

    async def ended(self) -> bool:
        """Whether the client closed without another word."""
        with contextlib.suppress(ConnectionError):
            return await self.reader.read() == b""
        return True

    def abort(self) -> None:
        self.writer.transport.abort()


Script = Callable[[Talk], Awaitable[None]]


def says(answer: bytes) -> Script:
    """Answer every request with these bytes."""

    async def script(talk: Talk) -> None:
        while True:
            await talk.asked()
            talk.writer.write(answer)

    return script


@dataclass
class Server:
    """A raw server on the loopback that talks as the test's script says; `talks` are its connections."""

    script: Script
    tls: ssl.SSLContext | None = None
    talks: list[Talk] = field(default_factory=list)
    port: int = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = Talk(reader, writer, len(self.talks))
        self.talks.append(talk)
        try:
            await self.script(talk)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            talk.over.set()
            writer.close()

    @contextlib.asynccontextmanager
    async def serving(self, **options: Any) -> AsyncIterator[Client]:
        """A client of this server."""
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        client = Client(f"http://127.0.0.1:{self.port}", **options)
        try:
            yield client
        finally:
            await client.close()
            server.close()
            for _ in range(10):  # whoever was let in a moment ago is among the talks then
                await asyncio.sleep(0)
            for talk in self.talks:
                talk.abort()
            await server.wait_closed()


@pytest.fixture
def serve() -> Callable[..., Server]:
    """`serve(script)`, or `serve(answer)` to answer every request with these bytes."""

    def make(said: Script | bytes, tls: ssl.SSLContext | None = None) -> Server:
        return Server(says(said) if isinstance(said, bytes) else said, tls)

    return make

"""A lean HTTP/1.1 client for one origin: what sending a message costs, less what a general client adds to it.

Only POST, without redirects, cookies, proxies or compression. Nothing is ever sent twice: the caller learns whether a request can
have been taken, and decides.

    HttpError
      ├── NotReached   nothing was sent
      └── NoAnswer     it was sent, in whole or in part, and no whole answer came: it may or may not have been taken
"""

from __future__ import annotations

import asyncio
import math
import re
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from typing import cast

from aiohappyeyeballs import start_connection
from yarl import URL

from bot.http_answer import Answer, AnswerReader, BadAnswer

__all__ = ["Answer", "Client", "HttpError", "NoAnswer", "NotReached"]

_EYEBALLS = 0.25
"""Seconds before the next of a host's addresses is tried beside the first (RFC 8305)."""
_TARGET = re.compile(r"/[!-~]*")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t -~]*")


class HttpError(Exception):
    """A request that has no answer."""


class NotReached(HttpError):
    """Nothing was sent."""


class NoAnswer(HttpError):
    """It was sent, in whole or in part, and no whole answer came."""


class Client:
    """Keep-alive connections to `origin` (`https://host[:port]`), at most `size`; further requests wait their turn.

    `connect` is for having a connection, `total` for the whole request, `idle` is how long an unused connection is kept: seconds,
    by a timer that may be a twentieth late. `limit` is of an answer's body, in bytes. ValueError when `origin` is none."""

    def __init__(
        self,
        origin: str,
        *,
        connect: float = 5.0,
        total: float = 15.0,
        idle: float = 30.0,
        size: int = 256,
        limit: int = 1_000_000,
    ) -> None:
        url = URL(origin)
        if url.scheme not in ("http", "https") or not url.raw_host or not url.port or not url.host_port_subcomponent:
            raise ValueError("not the origin of an HTTP server")
        self._host, self._port, self._authority = url.raw_host, url.port, url.host_port_subcomponent
        self._tls = _tls() if url.scheme == "https" else None
        self._connect, self._total, self._idle = min(connect, total), total, idle
        self._every = min(total, idle) / 20
        self._size, self._limit = size, limit
        self._connections: set[_Connection] = set()
        """All that are open, opening, or promised to a request that waits."""
        self._free: list[_Connection] = []
        """Those without a request, the longest unused first."""
        self._waiting: deque[asyncio.Future[_Connection]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def head(self, target: str, headers: Mapping[str, str]) -> bytes:
        """The part of a request that stays the same from one to the next. ValueError when it would break out of its line."""
        fields = {"Host": self._authority, "Accept-Encoding": "identity", "User-Agent": "Mostrador", **headers}
        if not _TARGET.fullmatch(target):
            raise ValueError("not a request target")
        for name, value in fields.items():
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError(f"not a header: {name!r}")
        lines = (f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "Content-Length: ")
        return "\r\n".join(lines).encode()

    async def post(self, head: bytes, body: bytes) -> Answer:
        """Send what `head` made with this body, and return the answer, whatever its status. NotReached, NoAnswer."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._total
        while self._free:
            connection = self._free.pop()
            if connection.alive():
                break
        else:
            connection = await self._reach()
        answer = loop.create_future()
        connection.ask(b"%b%d\r\n\r\n%b" % (head, len(body), body), answer, until)
        try:
            return cast(Answer, await answer)
        except asyncio.CancelledError:
            connection.give_up(answer)
            raise

    async def close(self) -> None:
        """End every connection, and with it what is on its way; returns when they are closed."""
        self._closed = True
        while (waiter := self._next()) is not None:
            waiter.set_exception(NotReached("closed"))
        opened = [connection for connection in self._connections if connection.transport is not None]
        for connection in opened:
            connection.drop("closed")
        await asyncio.gather(*(connection.gone for connection in opened))

    @property
    def connections(self) -> int:
        """How many are open or being opened."""
        return len(self._connections)

    # ------------------------------------------------------------------------------------------- the pool
    async def _reach(self) -> _Connection:
        """A new connection or, when there are as many as may be, the next that comes free. NotReached."""
        try:
            async with asyncio.timeout(self._connect):
                while not self._closed:
                    connection = self._promise() if len(self._connections) < self._size else await self._turn()
                    if connection.transport is None:
                        await self._open(connection)
                    if connection.alive():
                        return connection
        except TimeoutError as error:
            raise NotReached("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise NotReached(type(error).__name__) from error
        raise NotReached("closed")

    async def _turn(self) -> _Connection:
        """Wait, first come, first served."""
        waiter: asyncio.Future[_Connection] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.exception() is None:  # our turn has just come
                connection = waiter.result()
                self.released(connection) if connection.alive() else self.lost(connection)
            raise

    async def _open(self, connection: _Connection) -> None:
        loop = asyncio.get_running_loop()
        try:
            addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            sock = await start_connection(addresses, happy_eyeballs_delay=_EYEBALLS, loop=loop)
            server = self._host if self._tls is not None else None
            await loop.create_connection(lambda: connection, sock=sock, ssl=self._tls, server_hostname=server)
        except BaseException:
            self.lost(connection)
            raise
        if self._closed or not connection.alive():
            connection.drop("closed")
            raise NotReached("closed as soon as it was open")
        if self._timer is None:
            self._timer = loop.call_later(self._every, self._sweep)

    def _promise(self) -> _Connection:
        connection = _Connection(self, AnswerReader(self._limit))
        self._connections.add(connection)
        return connection

    def _next(self) -> asyncio.Future[_Connection] | None:
        """The first request that still waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def released(self, connection: _Connection) -> None:
        """It is without a request now."""
        connection.until = asyncio.get_running_loop().time() + self._idle
        if (waiter := self._next()) is not None:
            waiter.set_result(connection)
        else:
            self._free.append(connection)

    def lost(self, connection: _Connection) -> None:
        """It is closed, or was never opened: there is room for another. May be told twice."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        if (waiter := self._next()) is not None:
            waiter.set_result(self._promise())

    def _sweep(self) -> None:
        """One timer for all: it ends the requests and the unused connections whose time is over."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._connections):
            if connection.until <= now and connection.transport is not None:
                connection.drop("no answer in time")
        self._timer = loop.call_later(self._every, self._sweep) if self._connections else None


class _Connection(asyncio.Protocol):
    """One connection, with at most one request at a time."""

    __slots__ = ("_answer", "_client", "_open", "_reader", "gone", "transport", "until")

    def __init__(self, client: Client, reader: AnswerReader) -> None:
        self._client = client
        self._reader = reader
        self._answer: asyncio.Future[Answer] | None = None
        self._open = False
        self.transport: asyncio.Transport | None = None
        self.gone: asyncio.Future[None]
        self.until = 0.0
        """When the answer must be there; without a request, until when the connection is kept. The loop's time."""

    def alive(self) -> bool:
        return self._open and self.transport is not None and not self.transport.is_closing()

    def ask(self, request: bytes, answer: asyncio.Future[Answer], until: float) -> None:
        assert self.transport is not None
        self._answer, self.until = answer, until
        self.transport.write(request)

    def give_up(self, answer: asyncio.Future[Answer]) -> None:
        """Nobody waits for this answer any more; a connection that still owes it is of no use."""
        if self._answer is answer:
            self.drop("cancelled")
        elif not answer.cancelled():
            answer.exception()  # looked at, or the loop reports it as never heard

    def drop(self, why: str) -> None:
        """Close at once; a request that is on its way has no answer."""
        self._open = False
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(NoAnswer(why))
        if self.transport is not None:
            self.transport.abort()

    def _answered(self, whole: Answer) -> None:
        assert self._answer is not None
        assert self.transport is not None
        answer, self._answer = self._answer, None
        if not answer.done():
            answer.set_result(whole)
        if self._reader.reusable and not self.transport.get_write_buffer_size():
            self._client.released(self)
        else:
            self.drop("done")

    # ------------------------------------------------------------------------------------------- told by the loop
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.gone = asyncio.get_running_loop().create_future()
        self.until = math.inf
        self._open = True

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.drop("nothing was asked")
            return
        try:
            whole = self._reader.feed(data)
        except BadAnswer as error:
            self.drop(str(error))
            return
        if whole is not None:
            self._answered(whole)

    def eof_received(self) -> None:
        self._open = False
        if self._answer is None:
            return
        try:
            self._answered(self._reader.end())
        except BadAnswer as error:
            self.drop(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        self.drop(f"lost: {type(exc).__name__}")
        self.gone.set_result(None)
        self._client.lost(self)


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context

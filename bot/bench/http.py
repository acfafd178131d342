"""Just enough HTTP/1.1 for a load generator that must not be what is measured: keep-alive, content-length, no chunks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

Answered = Callable[[int], None]
"""Told the status of an answer; 0 when the connection was lost."""
Reply = tuple[bytes, Callable[[], None] | None]


def split(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Take one whole message off the buffer: (head, body); None while it is incomplete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end])
    at = head.lower().find(b"content-length:")
    size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    if len(buffer) < end + 4 + size:
        return None
    body = bytes(buffer[end + 4 : end + 4 + size])
    del buffer[: end + 4 + size]
    return head, body


class _Connection(asyncio.Protocol):
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._buffer = bytearray()
        self._answered: Answered | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def close(self) -> None:
        """Nobody is told of an answer any more."""
        self._answered = None
        self._transport.close()

    def send(self, request: bytes, answered: Answered) -> None:
        self._answered = answered
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._answered is not None and (message := split(self._buffer)) is not None:
            answered, self._answered = self._answered, None
            answered(int(message[0].split(b" ", 2)[1]))
            self._pool.release(self)

    def connection_lost(self, exc: Exception | None) -> None:
        answered, self._answered = self._answered, None
        self._pool.lost(self)
        if answered is not None:
            answered(0)


class Pool:
    """Keep-alive connections to one address; a request waits for a free one. A lost connection answers 0."""

    def __init__(self, host: str, port: int, size: int) -> None:
        self._host, self._port, self._size = host, port, size
        self._idle: list[_Connection] = []
        self._connected: set[_Connection] = set()
        self._open = 0
        self._waiting: deque[tuple[bytes, Answered]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, request: bytes, answered: Answered) -> None:
        if self._idle:
            self._idle.pop().send(request, answered)
        elif self._open < self._size:
            self._open += 1
            task = asyncio.ensure_future(self._connect(request, answered))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._waiting.append((request, answered))

    async def _connect(self, request: bytes, answered: Answered) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(lambda: _Connection(self), self._host, self._port)
        except OSError:
            self._open -= 1
            answered(0)
        else:
            self._connected.add(connection)
            connection.send(request, answered)

    def close(self) -> None:
        """Let all connections go; what waits is not sent."""
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        for connection in self._connected:
            connection.close()

    def release(self, connection: _Connection) -> None:
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: _Connection) -> None:
        self._open -= 1
        self._connected.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._waiting:
            self.post(*self._waiting.popleft())


class Server(asyncio.Protocol):
    """Hands each request to `handle(head, body)`; its answer, the body of a 200, is written after `delay` seconds, and what comes
    with it is called then."""

    def __init__(self, handle: Callable[[bytes, bytes], Reply], delay: float = 0) -> None:
        self._handle, self._delay = handle, delay
        self._buffer = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (message := split(self._buffer)) is not None:
            body, written = self._handle(*message)
            answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._answer, answer, written)
            else:
                self._answer(answer, written)

    def _answer(self, answer: bytes, written: Callable[[], None] | None) -> None:
        self._transport.write(answer)
        if written is not None:
            written()

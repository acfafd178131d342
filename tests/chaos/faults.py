"""What is done to the service from outside: its disk fills, its clock jumps, its Graph API fails, clients are slow."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tests.chaos.processes import CannotRun


class Disk:
    """A small disk in memory, to be filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave not a byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@asynccontextmanager
async def small_disk(megabytes: int) -> AsyncIterator[Disk]:
    """Mounted for a while. CannotRun where mounting is not allowed."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-disk-"))
    made = await _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "chaos", str(folder))
    if made.returncode:
        raise CannotRun(f"a small tmpfs is needed, and only root may mount one: {made.stderr.decode().strip()}")
    try:
        yield Disk(folder)
    finally:
        await _run("umount", "--lazy", str(folder))
        await asyncio.to_thread(folder.rmdir)


async def _run(*command: str) -> subprocess.CompletedProcess[bytes]:
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)


class FakeClock:
    """The wall clock of the processes that are started with `environment`; their monotonic clock goes on as it is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
        if not found:
            raise CannotRun("libfaketime is needed: apt-get install faketime")
        self.environment = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.jump(0)

    def jump(self, seconds: float) -> None:
        """Be this far from the real time, from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+.1f}\n")
        fresh.replace(self._file)


class Trouble:
    """What the Graph API does with the messages of one number, instead of taking them at once.

    slow    answers after `seconds`, as if nothing were wrong
    error   500
    reset   cuts the connection; the message was not taken
    silent  takes the message and cuts the connection instead of answering
    """

    KINDS = ("slow", "error", "reset", "silent")

    def __init__(self, number: str, seconds: float = 5.0) -> None:
        self._path = f"/{number}/messages"
        self._seconds = seconds
        self.kind = ""

    def middleware(self) -> Middleware:
        """For the application that holds the Graph API."""

        @web.middleware
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._act(request, handler)

        return act

    async def _act(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self.kind or not request.path.endswith(self._path):
            return await handler(request)
        match self.kind:
            case "slow":
                await asyncio.sleep(self._seconds)
                return await handler(request)
            case "error":
                return web.json_response({"error": {"code": 1, "message": "An unknown error occurred"}}, status=500)
            case "silent":
                await request.read()
                await handler(request)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


class SlowClients:
    """Connections that take up room: some say nothing, some send a head a byte at a time, some a body."""

    HEAD = b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    BODY = HEAD + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused = 0

    def __len__(self) -> int:
        return len(self._writers)

    @property
    def open(self) -> int:
        """How many the service has not hung up on."""
        return sum(not task.done() for task in self._tasks)

    async def connect(self, count: int) -> None:
        for number in range(count):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                self.refused += 1
                continue
            self._writers.append(writer)
            start = (b"", self.HEAD, self.BODY)[number % 3]
            self._tasks.add(asyncio.create_task(self._dribble(reader, writer, start)))

    async def _dribble(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes) -> None:
        """Until the service hangs up, or answers."""
        hung_up = asyncio.create_task(reader.read(1))
        try:
            writer.write(start)
            while not hung_up.done():
                await asyncio.wait([hung_up], timeout=1)
                if start:
                    writer.write(b"x")
                    await writer.drain()
        except OSError:
            pass
        finally:
            hung_up.cancel()

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()

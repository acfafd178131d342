"""The service, PostgreSQL and Redis as processes of our own, which are killed, stopped, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil

PATIENCE = 60.0
"""Seconds that a process may take to start."""


class CannotRun(Exception):
    """Something that the scenario needs is not there; the message says what to do."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def freeze(pid: int) -> None:
    """SIGSTOP a process and all its children."""
    parent = psutil.Process(pid)
    for process in (parent, *parent.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.suspend()


def thaw(pid: int) -> None:
    parent = psutil.Process(pid)
    for process in (*parent.children(recursive=True), parent):
        with suppress(psutil.NoSuchProcess):
            process.resume()


class Service:
    """One process of the service with these `roles` (comma-separated; all when empty). What it logs is in `log`."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path, roles: str = "", *more: str) -> None:
        self.name = name
        self.log = log
        self.began = 0.0
        """When it was last started, in the loop's time."""
        self._environment = {**os.environ, **environment}
        self._arguments = ["-m", "bot.bench.service", *([f"--role={roles}"] if roles else []), *more]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, and return when it is ready. CannotRun with the end of its log."""
        self.began = asyncio.get_running_loop().time()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self._arguments, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        except TimeoutError:
            line = b""
        if not line.startswith(b"ready"):
            await self.kill()
            raise CannotRun(f"{self.name} did not start: {self.log.read_text(errors='replace')[-600:]}")

    async def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def terminate(self) -> tuple[int, float]:
        """SIGTERM; its exit code and how many seconds it took. One that does not end is killed."""
        assert self._process is not None
        began = asyncio.get_running_loop().time()
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE / 2)
        except TimeoutError:
            await self.kill()
        return self._process.returncode or 0, asyncio.get_running_loop().time() - began

    def memory(self) -> float:
        """Resident megabytes."""
        return float(psutil.Process(self.pid).memory_info().rss) / 1e6


class _Server:
    """A server of our own: a command, a port, and whether it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.began = 0.0
        self._user: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def _command(self) -> list[str]:
        raise NotImplementedError

    async def _answers(self) -> bool:
        raise NotImplementedError

    async def start(self) -> None:
        self.began = asyncio.get_running_loop().time()
        self._process = self._popen(self._command())
        until = self.began + PATIENCE
        while not await self._answers():
            if self._process.poll() is not None or asyncio.get_running_loop().time() > until:
                raise CannotRun((self.folder / "server.log").read_text(errors="replace")[-600:])
            await asyncio.sleep(0.02)

    def _popen(self, command: list[str]) -> subprocess.Popen[bytes]:
        groups: list[str] | None = [] if self._user else None
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                command, cwd=self.folder, stdout=log, stderr=log, user=self._user, group=self._user, extra_groups=groups
            )

    async def stop(self, how: signal.Signals) -> None:
        """Send it a signal, and wait until it is gone."""
        if self._process is not None and self._process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                thaw(self._process.pid)
            self._process.send_signal(how)
            await asyncio.to_thread(self._process.wait)

    def freeze(self) -> None:
        assert self._process is not None
        freeze(self._process.pid)

    def thaw(self) -> None:
        assert self._process is not None
        thaw(self._process.pid)


class Postgres(_Server):
    """PostgreSQL. Stop it with SIGINT (fast) or SIGQUIT (immediate: it recovers at the next start)."""

    END = signal.SIGQUIT

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        initdb = found[-1] if found else Path(shutil.which("initdb") or "")
        if not initdb.is_file():
            raise CannotRun("PostgreSQL's programs are needed: apt-get install postgresql")
        self._tools = initdb.parent
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = "postgres"
            shutil.chown(folder, "postgres")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _command(self) -> list[str]:
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "max_connections": 200,
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self._tools / "postgres"), "-D", str(self.folder / "data"), *settings]

    async def start(self) -> None:
        if not (self.folder / "data").exists():
            make = [str(self._tools / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres", "--auth=trust", "--no-sync"]
            await asyncio.to_thread(self._popen(make).wait)
        await super().start()

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=5)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return False
        await connection.close()
        return True


class Redis(_Server):
    """Redis, which keeps nothing on disk."""

    END = signal.SIGKILL

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> list[str]:
        program = shutil.which("redis-server")
        if program is None:
            raise CannotRun("redis-server is needed: apt-get install redis-server")
        return [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]

    async def _answers(self) -> bool:
        return await self._ask(b"PING\r\n") == b"+PONG\r\n"

    async def flush(self) -> None:
        await self._ask(b"FLUSHALL\r\n")

    async def _ask(self, command: bytes) -> bytes:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return b""
        writer.write(command)
        answer = await reader.readline()
        writer.close()
        return answer

"""One process serves a database: two would answer the same conversation. The lease ends with the process, however it ends."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

_KEY = 0x6D6F7374
"""The advisory lock's: "most"."""


class AlreadyServed(Exception):
    """Another process serves this database; stop it first."""


@asynccontextmanager
async def only_server(
    url: str, on_lost: Callable[[], None], patience: float = 5.0, look_every: float = 2.0
) -> AsyncIterator[None]:
    """Hold the lease on the database of `url`. One that is just ending is waited for, `patience` seconds; then AlreadyServed.
    On PostgreSQL the lease goes with its connection, at which we look every `look_every` seconds: it is taken anew, and `on_lost`
    is called when somebody else was faster."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(f"{parsed.database}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:  # noqa: ASYNC230 - once, at the start

            async def lock_file() -> bool:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return True

            await _wait_for(lock_file, str(parsed.database), patience)
            yield
        return
    engine = create_async_engine(parsed.set(drivername="postgresql+asyncpg"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    lease = _PostgresLease(engine)
    try:
        await _wait_for(lease.take, f"{parsed.database} on {parsed.host}", patience)
        watch = asyncio.create_task(lease.keep(on_lost, look_every))
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
    finally:
        await lease.release()
        await engine.dispose()


class _PostgresLease:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None

    async def take(self) -> bool:
        connection = await self._engine.connect()
        if await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}):
            self._connection = connection
            return True
        await connection.close()
        return False

    async def keep(self, on_lost: Callable[[], None], look_every: float) -> None:
        while True:
            await asyncio.sleep(look_every)
            try:
                if self._connection is None and not await self.take():
                    on_lost()
                    return
                assert self._connection is not None
                await self._connection.execute(text("SELECT 1"))
            except (SQLAlchemyError, OSError):
                await self.release()

    async def release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, OSError):
                await connection.close()


async def _wait_for(taken: Callable[[], Awaitable[bool]], name: str, patience: float) -> None:
    deadline = asyncio.get_running_loop().time() + patience
    while not await taken():
        if asyncio.get_running_loop().time() >= deadline:
            raise AlreadyServed(f"another process serves {name}; stop it first")
        await asyncio.sleep(0.1)

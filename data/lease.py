"""One process serves a database: two would answer the same conversation. The lease ends with the process, however it ends."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_LOCK = 0x6D6F7374
"""The advisory lock's key: "most"."""


class AlreadyServed(Exception):
    """Another process serves this database; stop it first."""


@asynccontextmanager
async def only_server(url: str, patience: float = 5.0) -> AsyncIterator[None]:
    """Hold the lease on the database of `url`. One that is just ending is waited for, `patience` seconds; then AlreadyServed."""
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
    try:
        async with engine.connect() as connection:

            async def lock_row() -> bool:
                return bool(await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}))

            await _wait_for(lock_row, f"{parsed.database} on {parsed.host}", patience)
            yield
    finally:
        await engine.dispose()


async def _wait_for(taken: Callable[[], Awaitable[bool]], name: str, patience: float) -> None:
    deadline = asyncio.get_running_loop().time() + patience
    while not await taken():
        if asyncio.get_running_loop().time() >= deadline:
            raise AlreadyServed(f"another process serves {name}; stop it first")
        await asyncio.sleep(0.1)

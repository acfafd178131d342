"""PostgreSQL: each write has its own transaction, and none waits for ever, whichever side stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from data.scope import T, Work, run_work
from data.types import from_json, to_json

PATIENCE = 10.0
"""Seconds that work may take, the wait for a connection included; then it fails."""
SERVER = {
    "idle_in_transaction_session_timeout": "5s",  # ours stand still: the locks of a frozen process go to the others
    "lock_timeout": "5s",
    "tcp_keepalives_idle": "5",  # ours are gone without a word, with their machine or the network
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
    "enable_seqscan": "off",  # a plan made while the tables were empty is kept, and would read them whole when they are full
    "jit": "off",  # to compile a plan takes 10 ms, and each that has to read a table whole after all would be compiled
}
"""What the server is asked to do in our sessions."""
WRITING = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
"""A list of rows to change is looked up row by row, in its order: never by reading the table beside it."""
READING = {"default_transaction_isolation": "repeatable read", "default_transaction_read_only": "on"}


class PostgresDatabase:
    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self._writers, self._readers = _engine(url, WRITING), _engine(url, READING)

    async def write(self, work: Work[T], company: int | None = None, patience: float = PATIENCE) -> T:
        async with self._connection(self._writers, patience) as connection, connection.begin():
            return await connection.run_sync(run_work, work, company)

    async def read(self, work: Work[T], company: int | None = None) -> T:
        async with self._connection(self._readers, PATIENCE) as connection:
            return await connection.run_sync(run_work, work, company)

    @asynccontextmanager
    async def _connection(self, engine: AsyncEngine, patience: float) -> AsyncIterator[AsyncConnection]:
        """A connection that breaks after `patience`, the wait for it included: to ask a server that stands still to cancel would
        be one more wait."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        async with AsyncExitStack() as stack:
            async with asyncio.timeout_at(until):
                connection = await stack.enter_async_context(engine.connect())
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            timer = loop.call_at(until, driver.terminate)
            try:
                yield connection
            finally:
                timer.cancel()

    async def close(self) -> None:
        await self._writers.dispose()
        await self._readers.dispose()


def _engine(url: str, settings: dict[str, str]) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=6,
        max_overflow=4,
        connect_args={
            "timeout": PATIENCE / 2,
            "server_settings": SERVER | settings,
            "prepared_statement_cache_size": 500,  # beside the pages' the hot ones must not be prepared again and again
        },
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=from_json,
    )

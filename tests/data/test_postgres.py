"""A PostgreSQL that stands still or starts anew holds up nobody for long, and is used again as soon as it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from data.session import Database, connect


class Network:
    """The way to a server, which may be cut so that neither side hears of it."""

    def __init__(self, url: str) -> None:
        self._to = make_url(url)
        self._open = asyncio.Event()
        self._open.set()
        self._lines: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Network:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = self._to.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open.set()
        self._server.close()
        for line in self._lines:
            line.close()

    def cut(self) -> None:
        self._open.clear()

    def mend(self) -> None:
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, back = await asyncio.open_connection(self._to.host, self._to.port or 5432)
            self._lines |= {writer, back}
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._open.wait()
                target.write(data)
        target.close()


@pytest.fixture
async def network(postgres_url: str) -> AsyncIterator[Network]:
    async with Network(postgres_url) as network:
        yield network


@pytest.fixture
async def database(network: Network) -> AsyncIterator[Database]:
    opened = connect(network.url)
    yield opened
    await opened.close()


def one(session: Session) -> int | None:
    return session.scalar(text("SELECT 1"))


async def test_a_server_that_stands_still_fails_writes_and_serves_again_when_it_goes_on(
    network: Network, database: Database
) -> None:
    """Also those that wait for a connection: there are more of them than connections."""
    assert await database.write(one) == 1
    network.cut()
    async with asyncio.timeout(5):
        done = await asyncio.gather(*(database.write(one, patience=0.2) for _ in range(40)), return_exceptions=True)
    assert all(isinstance(each, SQLAlchemyError | OSError) for each in done)
    network.mend()
    assert await database.write(one) == 1


async def test_connections_that_broke_are_made_anew(database: Database, postgres_url: str) -> None:
    """All of the pool at the first that is found to be broken, as after a restart of the server."""
    assert await asyncio.gather(*(database.write(one) for _ in range(6))) == [1] * 6
    server = await asyncpg.connect(postgres_url)
    await server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await server.close()
    with pytest.raises(DBAPIError):
        await database.write(one)
    assert await asyncio.gather(*(database.write(one) for _ in range(6))) == [1] * 6


async def test_the_server_takes_the_locks_from_a_process_that_stands_still(database: Database) -> None:
    def look(session: Session) -> list[str | None]:
        names = ("idle_in_transaction_session_timeout", "lock_timeout", "tcp_user_timeout", "tcp_keepalives_idle")
        return [session.scalar(text(f"SHOW {name}")) for name in names]

    assert await database.read(look) == ["5s", "5s", "10000", "5"]

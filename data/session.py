"""The database: one `write` and one `read`, the same on SQLite and PostgreSQL.

Work is a plain function of a Session. On SQLite all writes go through one connection: its statements run on the event loop
(each is microseconds), and one COMMIT, in a thread because it waits for the disk, serves all the work that was waiting; each
piece of work stands in a savepoint, so that it fails alone. On PostgreSQL each write has its own transaction.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool, StaticPool

from data.scope import open_session

T = TypeVar("T")
Work = Callable[[Session], T]


class Database(Protocol):
    dialect: str

    async def write(self, work: Work[T], company: int | None = None) -> T:
        """Run `work` in a transaction; when this returns, its changes are durable. What it raises undoes it."""

    async def read(self, work: Work[T], company: int | None = None) -> T:
        """Run `work` against a consistent view; whatever it writes is thrown away."""

    async def close(self) -> None: ...


def connect(url: str) -> Database:
    """Open the database of a `DATABASE_URL`: sqlite:///path or postgresql://…  ValueError for any other."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database:
            raise ValueError("DATABASE_URL: give SQLite a file, such as sqlite:///var/mostrador.db")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return SqliteDatabase(parsed.database)
    if parsed.get_backend_name() == "postgresql":
        return PostgresDatabase(parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False))
    raise ValueError(f"DATABASE_URL: {parsed.get_backend_name()} is not supported; use sqlite:///… or postgresql://…")


def _sqlite_engine(path: str, **pool: Any) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": 10, "cached_statements": 512},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def _tune(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "cache_size=-32000"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


class SqliteDatabase:
    """One writer on the loop, readers in threads (WAL lets them see a consistent view meanwhile)."""

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        self._writer = _sqlite_engine(path, poolclass=StaticPool)
        event.listen(self._writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        self._readers = _sqlite_engine(path, poolclass=QueuePool, pool_size=4, max_overflow=4)
        event.listen(self._readers, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        self._disk = ThreadPoolExecutor(1, "commit")
        self._threads = ThreadPoolExecutor(4, "read")
        self._waiting: deque[tuple[Work[Any], int | None, asyncio.Future[Any]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def write(self, work: Work[T], company: int | None = None) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, company, done))
        if self._running is None:
            self._running = asyncio.create_task(self._commit_all())
        return await done

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch: list[tuple[asyncio.Future[Any], Any]] = []
                try:
                    with self._writer.connect() as connection:
                        connection.begin()
                        while self._waiting:
                            work, company, done = self._waiting.popleft()
                            try:
                                batch.append((done, _run(connection, work, company, savepoint=True)))
                            except Exception as error:
                                _fail(done, error)
                        try:
                            await loop.run_in_executor(self._disk, connection.commit)
                        except (
                            BaseException
                        ):  # SQLAlchemy leaves SQLite's transaction open then, and the connection is used again
                            connection.rollback()
                            raise
                except BaseException as error:  # nothing was written: the file cannot be opened, it is locked, the disk is full
                    for done in [done for done, _ in batch] or [self._waiting.popleft()[2] for _ in range(len(self._waiting))]:
                        _fail(done, error)
                    if not isinstance(error, Exception):
                        raise
                    continue
                for done, result in batch:
                    if not done.done():
                        done.set_result(result)
        finally:
            self._running = None

    async def read(self, work: Work[T], company: int | None = None) -> T:
        def run() -> T:
            with self._readers.connect() as connection, connection.begin() as transaction:
                result = _run(connection, work, company)
                transaction.rollback()
                return result

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    async def close(self) -> None:
        if self._running is not None:
            await self._running
        self._threads.shutdown()
        self._disk.shutdown()
        self._readers.dispose()
        with self._writer.connect() as connection:
            connection.exec_driver_sql("PRAGMA optimize")
        self._writer.dispose()


def _run(connection: Connection, work: Work[T], company: int | None, savepoint: bool = False) -> T:
    with open_session(connection, company, savepoint=savepoint) as session:
        result = work(session)
        session.commit()
        return result


def _fail(done: asyncio.Future[Any], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)


class PostgresDatabase:
    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self._engine: AsyncEngine = create_async_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=False)

    async def write(self, work: Work[T], company: int | None = None) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(_run, work, company)

    async def read(self, work: Work[T], company: int | None = None) -> T:
        async with self._engine.connect() as connection:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            return await connection.run_sync(_run, work, company)

    async def close(self) -> None:
        await self._engine.dispose()

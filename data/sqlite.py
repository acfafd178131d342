"""SQLite: one writer a process, readers in threads (WAL lets them see a consistent view meanwhile).

All writes go through one connection. Its statements run on the event loop (each is microseconds), and one COMMIT, in a thread
because it waits for the disk, serves all the work that was waiting; each piece of work stands in a savepoint, so that it fails
alone. Other processes may write to the same file: who finds it locked tries again in a moment, and never holds up its loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import Connection, Engine, FromClause, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool, StaticPool

from data.prepared import run
from data.scope import T, Work, run_work

PATIENCE = 10.0
"""Seconds to wait for the file while another process writes."""
LONGEST = 0.025
"""Seconds of statements after which a transaction takes no more work: those that are in it wait for its commit."""
POLITE = 0.003
"""Seconds the file is left alone after a commit while others want it too: they look for it every millisecond or two."""

_Waiting = tuple[Work[Any], int | None, asyncio.Future[Any]]


class SqliteDatabase:
    dialect = "sqlite"

    def __init__(self, path: str, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._writer = _engine(path, poolclass=StaticPool)
        self._readers = _engine(path, poolclass=QueuePool, pool_size=4, max_overflow=4)
        event.listen(self._readers, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        self._disk = ThreadPoolExecutor(1, "commit")
        self._threads = ThreadPoolExecutor(4, "read")
        self._connection: Connection | None = None
        self._waiting: deque[_Waiting] = deque()
        self._running: asyncio.Task[None] | None = None
        self._shared_until = 0.0
        """The loop's time until when we count on other processes that write."""

    async def write(self, work: Work[T], company: int | None = None, patience: float = PATIENCE) -> T:
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
                    await self._transaction(batch)
                except BaseException as error:  # nothing was written: the file cannot be opened, it is locked, the disk is full
                    lost = [done for done, _ in batch] or [self._waiting.popleft()[2] for _ in range(len(self._waiting))]
                    _fail(lost, error)
                    if not isinstance(error, Exception):
                        raise
                else:
                    for done, result in batch:
                        if not done.done():
                            done.set_result(result)
                # whoever was told goes on before the next ones are written
                await asyncio.sleep(POLITE if loop.time() < self._shared_until else 0)
        finally:
            self._running = None

    async def _transaction(self, batch: list[tuple[asyncio.Future[Any], Any]]) -> None:
        """Do what waits, in the order it came, and commit it; `batch` becomes what stands or falls with the commit."""
        loop = asyncio.get_running_loop()
        if self._connection is None:
            self._connection = await loop.run_in_executor(self._disk, self._writer.connect)
        connection, file = self._connection, _driver(self._connection)
        await self._begin(file)
        transaction = connection.begin()
        try:
            until = time.monotonic() + LONGEST  # the loop's own time may stand still while its callbacks run
            while self._waiting and time.monotonic() < until:
                work, company, done = self._waiting.popleft()
                try:
                    result = _alone(connection, work, company)
                except BaseException as error:
                    if isinstance(error, Exception) and file.in_transaction:
                        _fail([done], error)
                        continue
                    batch.append((done, None))  # SQLite undid everything: the disk is full, or broken
                    raise
                batch.append((done, result))
            await loop.run_in_executor(self._disk, transaction.commit)
        except Exception:
            self._undo(connection)
            raise

    async def _begin(self, file: sqlite3.Connection) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        while True:
            try:
                file.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or loop.time() > until:
                    raise OperationalError("BEGIN IMMEDIATE", None, error) from error
                self._shared_until = loop.time() + 1
                await asyncio.sleep(0.001)
            else:
                return

    def _undo(self, connection: Connection) -> None:
        """Whatever became of the transaction, the next one starts anew."""
        try:
            with suppress(OperationalError):  # SQLite may have rolled back already
                connection.rollback()
            _driver(connection).rollback()
        except Exception:
            connection.invalidate()
            self._connection = None

    async def read(self, work: Work[T], company: int | None = None) -> T:
        def look() -> T:
            with self._readers.connect() as connection, connection.begin() as transaction:
                result = run_work(connection, work, company)
                transaction.rollback()
                return result

        return await asyncio.get_running_loop().run_in_executor(self._threads, look)

    async def close(self) -> None:
        if self._running is not None:
            await self._running
        self._threads.shutdown()
        self._disk.shutdown()
        self._readers.dispose()
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OperationalError):  # another process writes
                connection.exec_driver_sql("PRAGMA optimize")
            connection.close()
        self._writer.dispose()


class _Compiler(SQLiteCompiler):
    """With hints: SQLite keeps no statistics that would tell it which of two indexes is the small one."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def _engine(path: str, **pool: Any) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": PATIENCE, "cached_statements": 512},
        hide_parameters=True,
        **pool,
    )

    engine.dialect.statement_compiler = _Compiler

    @event.listens_for(engine, "connect")
    def _tune(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000", "wal_autocheckpoint=4000"):
            connection.execute(f"PRAGMA {pragma}")
        if pool["poolclass"] is StaticPool:  # the writer is on the loop, and waits there
            connection.execute("PRAGMA busy_timeout=0")

    return engine


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)


def _alone(connection: Connection, work: Work[T], company: int | None) -> T:
    run(connection, "SAVEPOINT work")
    try:
        result = run_work(connection, work, company, savepoint=True)
    except BaseException:
        if _driver(connection).in_transaction:
            run(connection, "ROLLBACK TO work")
            run(connection, "RELEASE work")
        raise
    run(connection, "RELEASE work")
    return result


def _fail(waiting: Iterable[asyncio.Future[Any]], error: BaseException) -> None:
    for done in waiting:
        if not done.done():
            done.set_exception(error)

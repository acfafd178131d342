"""SQLite as one file of several processes, on a disk that is full, under more work than a moment holds."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session

from data import inbox
from data.session import Database, connect
from data.sqlite import SqliteDatabase
from data.types import new_id

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def store(session: Session, size: int = 10) -> int:
    row: dict[str, Any] = {"id": new_id(), "channel": "whatsapp", "body": b"x" * size, "state": "split", "received_at": NOW}
    inbox.add_bodies(session, [row])
    return int(row["id"])


def stored(session: Session) -> list[int]:
    return list(session.scalars(text("SELECT id FROM webhook_bodies ORDER BY id")))


async def test_another_process_that_writes_is_waited_for_and_the_loop_goes_on(database: Database, sqlite_url: str) -> None:
    other = sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)
    await database.write(store)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(database.write(store))
    await asyncio.wait([writing], timeout=0.05)
    assert not writing.done()
    other.execute("COMMIT")  # which a loop that stood still would never come to
    await asyncio.wait_for(writing, 5)
    other.close()


async def test_several_processes_write_to_one_file(database: Database, sqlite_url: str) -> None:
    others = [connect(sqlite_url) for _ in range(3)]
    made = await asyncio.gather(*(each.write(store) for each in (database, *others) for _ in range(30)))
    assert await database.read(stored) == sorted(made)
    for each in others:
        await each.close()


async def test_a_full_disk_undoes_what_it_cannot_hold_and_later_writes_work(database: Database) -> None:
    def limit(session: Session, more: int) -> None:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {(pages or 0) + more}"))

    first = await database.write(store)
    await database.write(lambda session: limit(session, 30))
    sizes = (10, 10, 1_000_000, 10)
    done = await asyncio.gather(*(database.write(lambda s, size=size: store(s, size)) for size in sizes), return_exceptions=True)
    assert isinstance(done[2], OperationalError)
    assert "full" in str(done[2])
    kept = [each for each in done if isinstance(each, int)]
    assert await database.read(stored) == [first, *kept]
    await database.write(lambda session: limit(session, 10_000))
    later = await asyncio.gather(*(database.write(lambda s, size=size: store(s, size)) for size in sizes))
    assert await database.read(stored) == [first, *kept, *later]


async def test_when_sqlite_undoes_everything_nobody_is_told_that_it_is_written(database: Database) -> None:
    """As it may when the disk is full or breaks in the middle of a statement."""
    first = await database.write(store)

    def broken(session: Session) -> None:
        session.execute(text(f"INSERT OR ROLLBACK INTO webhook_bodies SELECT * FROM webhook_bodies WHERE id = {first}"))

    done = await asyncio.gather(*(database.write(work) for work in (store, broken, store)), return_exceptions=True)
    assert isinstance(done[0], DatabaseError)
    assert isinstance(done[1], DatabaseError)
    assert await database.read(stored) == [first, done[2]]


async def test_a_transaction_does_not_grow_for_ever(database: Database) -> None:
    """Who was served waits for the commit; whatever else has come meanwhile waits for the next one."""
    seen: list[str] = []

    def work(session: Session, number: int) -> None:
        time.sleep(0.03)
        seen.append(f"written {number}")

    async def write(number: int) -> None:
        await database.write(lambda session: work(session, number))
        seen.append(f"durable {number}")

    await asyncio.gather(*(write(number) for number in range(3)))
    assert seen == [f"{what} {number}" for number in range(3) for what in ("written", "durable")]


async def test_a_file_that_stays_locked_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    database = SqliteDatabase(str(file), patience=0.05)
    await database.write(lambda session: session.execute(text("CREATE TABLE t (a)")) and None)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    done = await asyncio.gather(*(database.write(lambda session: None) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(each, OperationalError) for each in done)
    other.execute("ROLLBACK")
    await database.write(lambda session: session.execute(text("INSERT INTO t VALUES (1)")) and None)
    other.close()
    await database.close()

"""`write` and `read`: what fails fails alone, what returns is durable, what reads changes nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from data.session import Database, connect, is_away
from data.tables import Company, User

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def add(session: Session, name: str) -> str:
    session.add(Company(name=name, country="CO", currency="COP", timezone="America/Bogota", created_at=NOW))
    session.flush()
    return name


def names(session: Session) -> list[str]:
    return sorted(session.scalars(select(Company.name)))


async def test_one_that_fails_among_twenty_fails_alone(database: Database) -> None:
    def work(session: Session, number: int) -> str:
        name = add(session, f"{number:02}")
        if number == 7:
            raise LookupError(name)
        if number == 9:
            session.execute(text("INSERT INTO companies (id) VALUES (1)"))
        return name

    done = await asyncio.gather(
        *(database.write(lambda session, number=number: work(session, number)) for number in range(20)), return_exceptions=True
    )
    wanted = [f"{number:02}" for number in range(20) if number not in (7, 9)]
    assert [each for each in done if isinstance(each, str)] == wanted
    assert isinstance(done[7], LookupError)
    assert isinstance(done[9], DatabaseError)
    assert await database.read(names) == wanted


async def test_what_was_written_is_there_for_the_next_reader_and_after_the_end(database_url: str) -> None:
    database = connect(database_url)
    await database.write(lambda session: add(session, "Una"))
    assert await database.read(names) == ["Una"]
    await database.close()
    again = connect(database_url)
    assert await again.read(names) == ["Una"]
    await again.close()


async def test_reading_changes_nothing(database: Database) -> None:
    try:
        await database.read(lambda session: add(session, "Una"))
    except DBAPIError:
        assert database.dialect == "postgresql"
    assert await database.read(names) == []


async def test_a_reader_sees_one_moment(database: Database) -> None:
    """On PostgreSQL by its isolation; on SQLite a transaction's first read fixes what it sees."""
    if database.dialect == "postgresql":
        level = await database.read(lambda session: session.scalar(text("SHOW transaction_isolation")))
        assert level == "repeatable read"
        return
    loop = asyncio.get_running_loop()

    def look(session: Session) -> tuple[list[str], list[str]]:
        before = names(session)
        asyncio.run_coroutine_threadsafe(database.write(lambda inner: add(inner, "Una")), loop).result(5)
        return before, names(session)

    assert await database.read(look) == ([], [])


async def test_a_commit_that_fails_is_told_to_all_who_shared_it(sqlite_url: str) -> None:
    """A foreign key that is checked at the commit."""
    database = connect(sqlite_url)

    def broken(session: Session) -> None:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.add(User(company_id=99, email="a", name="A", role="seller", password_hash="", created_at=NOW))

    done = await asyncio.gather(
        database.write(lambda session: add(session, "Una")), database.write(broken), return_exceptions=True
    )
    assert all(isinstance(each, DatabaseError) for each in done)
    assert await database.read(names) == []
    assert await database.write(lambda session: add(session, "Dos")) == "Dos"
    assert await database.read(names) == ["Dos"]
    await database.close()


async def test_a_database_that_cannot_be_opened_says_so_at_once(tmp_path: Path) -> None:
    """Nobody waits for ever, and the loop is not kept busy."""
    database = connect(f"sqlite:///{tmp_path}")
    done = await asyncio.wait_for(
        asyncio.gather(*(database.write(lambda session: add(session, "Una")) for _ in range(3)), return_exceptions=True), 5
    )
    assert all(isinstance(each, OperationalError) for each in done)


async def test_a_file_that_is_no_database_says_so_at_once(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database" * 1000)
    database = connect(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(DatabaseError):
        await asyncio.wait_for(database.write(lambda session: add(session, "Una")), 5)


async def test_the_databases_own_trouble_is_told_from_that_of_the_work(database: Database, unused_tcp_port: int) -> None:
    async def failing(on: Database, statement: str) -> Exception:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, is the question
            await on.write(lambda session: session.execute(text(statement)))
        assert isinstance(caught.value, Exception)
        return caught.value

    of_the_work = ("INSERT INTO companies (id) VALUES (1)", "INSERT INTO nowhere VALUES (1)")
    if database.dialect == "postgresql":
        assert is_away(await failing(database, "SELECT pg_terminate_backend(pg_backend_pid())"))
        nobody = connect(f"postgresql://postgres@127.0.0.1:{unused_tcp_port}/nobody")
        assert is_away(await failing(nobody, "SELECT 1"))
        await nobody.close()
        of_the_work += ("SELECT 1 / 0",)
        assert not any([is_away(await failing(database, statement)) for statement in of_the_work])
    else:
        assert not is_away(await failing(database, of_the_work[0]))
    assert not is_away(KeyError("a body's"))

"""Another company's rows are not there: read, changed, deleted or added in a session of one company."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Engine, Integer, String, delete, event, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from crm_bridge.companies import queries as companies
from crm_bridge.leads import queries as leads
from crm_bridge.people import queries as people
from data.scope import ForeignCompany, company_of
from data.session import Database
from data.tables import Base, Company, OfCompany
from data.types import Json, UtcDateTime, new_id

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
TABLES: list[Any] = sorted(
    (mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, OfCompany)),
    key=lambda each: each.__tablename__,
)
Rows = dict[str, int]


def _fill(session: Session, name: str) -> Rows:
    """A company with a row in each of its tables; the ids by table."""
    ids: Rows = {}
    for table in Base.metadata.sorted_tables:
        row: dict[str, Any] = {"id": new_id()}
        for column in table.columns:
            if column.primary_key or column.nullable:
                continue
            target = next((key.column.table.name for key in column.foreign_keys), None)
            row[column.name] = ids[target] if target else _value(column.type, name, table.name)
        session.execute(insert(table), [row])
        ids[table.name] = row["id"]
    return ids


def _value(kind: Any, name: str, table: str) -> Any:
    match kind:
        case UtcDateTime():
            return NOW
        case Json():
            return {} if table not in ("conversations", "leads") else []
        case Boolean():
            return True
        case BigInteger() | Integer():
            return len(name)  # another one for each company
        case String():
            return f"{name} {table}"
        case _:
            return name.encode()


@pytest.fixture
async def ids(database: Database) -> tuple[Rows, Rows]:
    return await database.write(lambda session: _fill(session, "Una")), await database.write(
        lambda session: _fill(session, "Otra")
    )


async def test_no_table_shows_another_companys_rows(database: Database, ids: tuple[Rows, Rows]) -> None:
    mine, other = ids

    def look(session: Session) -> None:
        assert company_of(session) == mine["companies"]
        assert session.scalars(select(Company.id)).all() == [mine["companies"]]
        for table in TABLES:
            own, foreign = mine[table.__tablename__], other[table.__tablename__]
            assert session.scalars(select(table.id)).all() == [own], table
            assert session.scalar(select(func.count(table.id))) == 1, table
            assert session.scalars(select(aliased(table).id)).all() == [own], table
            assert session.get(table, foreign) is None, table
            assert session.scalar(select(table).where(table.id == foreign)) is None, table

    await database.read(look, company=mine["companies"])


async def test_no_table_takes_changes_of_another_companys_rows(database: Database, ids: tuple[Rows, Rows]) -> None:
    mine, other = ids

    def change(session: Session) -> None:
        for table in TABLES:
            foreign = other[table.__tablename__]
            same = update(table).where(table.id == foreign).values(company_id=mine["companies"])
            assert session.execute(same, execution_options={"synchronize_session": False}).rowcount == 0, table
            gone = delete(table).where(table.id == foreign)
            assert session.execute(gone, execution_options={"synchronize_session": False}).rowcount == 0, table
            with pytest.raises(ForeignCompany):
                session.execute(insert(table), [{"company_id": other["companies"]}])
            with session.no_autoflush:
                for row in (table(company_id=other["companies"]), session.get_one(table, mine[table.__tablename__])):
                    row.company_id = other["companies"]
                    session.add(row)
                    with pytest.raises(ForeignCompany):
                        session.flush()
                    session.expunge_all()

    await database.write(change, company=mine["companies"])

    def count(session: Session) -> list[int]:
        return [session.scalar(select(func.count()).select_from(table.__table__)) or 0 for table in TABLES]

    assert await database.read(count) == [2] * len(TABLES)


@contextmanager
def statements() -> Iterator[list[str]]:
    """All SQL that any engine is given meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_what_the_pages_read_names_the_company_in_every_statement(database: Database, ids: tuple[Rows, Rows]) -> None:
    mine, _ = ids
    reads: list[Any] = [
        lambda session, at: companies.account(session, at["users"]),
        lambda session, _: companies.users(session),
        lambda session, at: companies.open_sessions(session, at["users"], NOW),
        lambda session, _: companies.number_lines(session),
        lambda session, _: companies.numbers(session),
        lambda session, at: companies.number(session, at["numbers"]),
        lambda session, at: companies.versions(session, at["numbers"]),
        lambda session, _: leads.leads(session, leads.LeadFilter(words="una", stage=""), 10),
        lambda session, at: leads.lead(session, at["leads"]),
        lambda session, _: people.talks(session, people.TalkFilter(words="una"), 10),
        lambda session, at: people.talk(session, at["conversations"]),
        lambda session, at: people.said(session, [at["conversations"]], 10, person_id=at["people"]),
        lambda session, at: people.card(session, at["people"]),
        lambda session, at: people.media_file(session, at["media_files"]),
    ]
    named = {table.__tablename__ for table in TABLES}
    for read in reads:
        with statements() as seen:
            await database.read(lambda session, read=read: read(session, mine), company=mine["companies"])
        touching = [sql for sql in seen if named & set(sql.replace("\n", " ").replace(",", " ").split())]
        assert touching, "the hook sees nothing"
        for sql in touching:
            assert "company_id =" in sql, sql

"""Prepared statements do what SQLAlchemy's own execution does: the same values, the same errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import String, Table, bindparam, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from data.prepared import Prepared, among, insert_new
from data.session import Database
from data.tables import Company, Event, Lead
from data.types import UtcDateTime, new_id

NOW = datetime(2026, 11, 24, 15, 0, 0, 7, tzinfo=UTC)
COMPANIES = cast(Table, Company.__table__)
EVENTS = cast(Table, Event.__table__)
LEADS = cast(Table, Lead.__table__)

ADD = Prepared(insert(COMPANIES))
ADD_NEW = Prepared(insert_new(COMPANIES))
ADD_EVENTS = Prepared(insert(EVENTS))
NAMED = Prepared(select(COMPANIES).where(among(COMPANIES.c.name, "names")).order_by(COMPANIES.c.id))
BY_ID = Prepared(select(COMPANIES.c.id).where(among(COMPANIES.c.id, "ids")))
RENAME = Prepared(
    update(COMPANIES)
    .where(COMPANIES.c.name == bindparam("old"))
    .values(name=bindparam("new"), currency="EUR")
    .returning(COMPANIES)
)
CHANGE = Prepared(
    update(COMPANIES)
    .where(COMPANIES.c.id == bindparam("new_company"))
    .values(
        name=bindparam("new_name"),
        language=func.coalesce(bindparam("new_language", type_=String()), COMPANIES.c.language),
        currency="EUR",
        created_at=bindparam("at", NOW.replace(year=2027), type_=UtcDateTime),
    )
)


def company(name: str, **more: Any) -> dict[str, Any]:
    return {"id": new_id(), "name": name, "country": "CO", "currency": "COP", "timezone": "UTC", "created_at": NOW} | more


async def test_values_come_back_as_sqlalchemy_reads_them(database: Database) -> None:
    values: list[Any] = [{"a": [1, "ñ 🙌", None]}, {}]

    def work(session: Session) -> None:
        una = company("Una")
        ADD.many(session, [una])
        rows = [
            {"id": new_id(), "company_id": una["id"], "kind": "x", "payload": value, "at": NOW, "person_id": None}
            for value in values
        ]
        ADD_EVENTS.many(session, rows)
        by_orm = [(event.payload, event.at, event.person_id) for event in session.scalars(select(Event).order_by(Event.id))]
        assert by_orm == [(value, NOW, None) for value in values]
        found = Prepared(select(EVENTS).order_by(EVENTS.c.id)).dicts(session, {})
        assert [dict(row) for row in session.execute(select(EVENTS).order_by(EVENTS.c.id)).mappings()] == found

    await database.write(work)


async def test_what_a_row_leaves_out_is_the_columns_default(database: Database) -> None:
    def work(session: Session) -> list[str]:
        ADD.many(session, [company("Una"), company("Dos", language="en")])
        return [row["language"] for row in NAMED.dicts(session, {"names": ["Una", "Dos"]})]

    assert await database.write(work) == ["es", "en"]


async def test_an_absent_json_is_null_in_sql(database: Database) -> None:
    """So that COALESCE takes the other value; JSON has a null of its own."""
    kind = LEADS.c.referral.type
    absent = Prepared(select(bindparam("referral", type_=kind).is_(None)))
    assert [bool(found) for (found,) in await database.read(lambda session: absent.tuples(session, {"referral": None}))] == [True]


async def test_any_number_of_values_is_one_statement(database: Database) -> None:
    """More than either database takes as binds."""

    def work(session: Session) -> list[tuple[Any, ...]]:
        rows = [company("Una"), company("Dos")]
        ADD.many(session, rows)
        assert BY_ID.tuples(session, {"ids": []}) == []
        return BY_ID.tuples(session, {"ids": [*range(70_000), rows[1]["id"]]}) == [(rows[1]["id"],)]

    assert await database.write(work)


async def test_an_update_may_return_its_rows(database: Database) -> None:
    def work(session: Session) -> list[tuple[str, str, datetime]]:
        ADD.many(session, [company("Una"), company("Dos")])
        found = RENAME.dicts(session, {"old": "Una", "new": "Tres"})
        return [(row["name"], row["currency"], row["created_at"]) for row in found]

    assert await database.write(work) == [("Tres", "EUR", NOW)]


async def test_changes_of_many_rows_are_each_rows_own_and_in_order(database: Database) -> None:
    def work(session: Session) -> list[tuple[Any, ...]]:
        una, dos = company("Una"), company("Dos", language="en")
        ADD.many(session, [una, dos])
        rows = [
            {"company": una["id"], "name": "Tres", "language": "pt"},
            {"company": dos["id"], "name": "Cuatro", "language": None},
            {"company": una["id"], "name": "Cinco", "language": None},
        ]
        CHANGE.many(session, [{f"new_{key}": value for key, value in row.items()} for row in rows], by="new_company")
        found = NAMED.dicts(session, {"names": ["Una", "Dos", "Tres", "Cuatro", "Cinco"]})
        return [(row["name"], row["language"], row["currency"], row["created_at"]) for row in found]

    after = [("Cinco", "pt", "EUR", NOW.replace(year=2027)), ("Cuatro", "en", "EUR", NOW.replace(year=2027))]
    assert await database.write(work) == after, "what comes later for one stands; what is not told stays"


async def test_postgresql_takes_all_rows_in_one_execution(database: Database) -> None:
    """And looks them up one by one, in their order: whoever changes the same ones waits, and never in a ring."""
    if database.dialect != "postgresql":
        pytest.skip("SQLite runs a statement for each row")

    def work(session: Session) -> list[str]:
        sql = CHANGE._for(session.connection().dialect).at_once
        plan = session.connection().exec_driver_sql(f"EXPLAIN {sql}", (["a"], ["es"], ["EUR"], [NOW], [1]))
        return [line for (line,) in plan]

    plan = await database.write(work)
    assert [line.split("(")[0].strip(" ->") for line in plan if "cost" in line] == [
        "Update on companies",
        "Nested Loop",
        "Function Scan on given",
        "Index Scan using pk_companies on companies",
    ]


async def test_rows_that_are_there_are_passed_over(database: Database) -> None:
    def work(session: Session) -> list[str]:
        una = company("Una")
        ADD.many(session, [una])
        ADD_NEW.many(session, [una | {"name": "Otra"}, company("Dos")])
        ADD_NEW.many(session, [])
        return [row["name"] for row in NAMED.dicts(session, {"names": ["Una", "Otra", "Dos"]})]

    assert await database.write(work) == ["Una", "Dos"]


async def test_errors_are_sqlalchemys_and_tell_no_values(database: Database) -> None:
    def twice(session: Session) -> None:
        una = company("secret")
        ADD.many(session, [una, una])

    with pytest.raises(IntegrityError) as caught:
        await database.write(twice)
    assert "secret" not in str(caught.value)
    with pytest.raises((DBAPIError, StatementError)):
        await database.write(lambda session: ADD.many(session, [company("Una", created_at=None)]))
    with pytest.raises(KeyError):
        await database.write(lambda session: ADD.many(session, [company("Una", nonsense=1)]))
    with pytest.raises(KeyError):
        await database.write(lambda session: NAMED.tuples(session, {}))


async def test_it_is_undone_with_the_rest_of_its_work(database: Database) -> None:
    def work(session: Session) -> None:
        session.execute(text("UPDATE companies SET country = 'ES'"))
        ADD.many(session, [company("Una")])
        raise LookupError

    def alone(session: Session) -> None:
        ADD.many(session, [company("Una")])
        raise LookupError

    for each in (work, alone):
        with pytest.raises(LookupError):
            await database.write(each)
    assert await database.read(lambda session: NAMED.tuples(session, {"names": ["Una"]})) == []

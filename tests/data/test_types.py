"""Values come back as they were given, on both databases; ids are never the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from data.session import Database
from data.tables import Company, Event
from data.types import Ids

TIMES = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1969, 7, 20, 20, 17, 40, 123456, tzinfo=UTC),
    datetime(2026, 11, 24, 10, 30, 0, 1, tzinfo=timezone(timedelta(hours=-5))),
    datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]
VALUES: list[dict[str, Any]] = [
    {},
    {"text": "ñ 🙌 \u202eאבג", "number": 2**62, "half": 0.5, "yes": True, "none": None, "list": [1, [2, {"a": []}]]},
    {"": "", "a'b\"c\\d": "\n\t"},
]


async def test_times_and_json_come_back(database: Database) -> None:
    def work(session: Session) -> list[tuple[datetime, Any]]:
        company = Company(name="Una", country="CO", currency="COP", timezone="America/Bogota", created_at=TIMES[0])
        session.add(company)
        session.flush()
        for at in TIMES:
            for value in VALUES:
                session.add(Event(company_id=company.id, kind="x", payload=value, at=at))
        session.flush()
        session.expire_all()
        return [(row.at, row.payload) for row in session.execute(select(Event.at, Event.payload).order_by(Event.at, Event.id))]

    found = await database.write(work)
    assert found == [(at, value) for at in sorted(TIMES) for value in VALUES]
    assert all(at.tzinfo is UTC for at, _ in found)


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = Company(name="Una", country="CO", currency="COP", timezone="America/Bogota", created_at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(StatementError, match="without a zone"):
        await database.write(lambda session: session.add(naive))


def test_ids_grow_and_differ_between_processes() -> None:
    first, second = Ids(1), Ids(2)
    made = [(first(), second()) for _ in range(20_000)]
    ones, others = [one for one, _ in made], [other for _, other in made]
    assert ones == sorted(set(ones))
    assert others == sorted(set(others))
    assert not set(ones) & set(others)
    assert max(ones + others) < 2**63


def test_ids_of_a_process_that_joins_are_its_own_and_still_grow() -> None:
    ids = Ids(4095)
    before = [ids() for _ in range(100)]
    ids.use(3)
    after = [ids() for _ in range(5_000)]
    assert before + after == sorted({*before, *after})
    assert {made >> 10 & 4095 for made in after} == {3}


def test_ids_are_larger_than_what_is_stored_though_the_clock_went_back() -> None:
    """A day in the future, from another node."""
    ids = Ids(3)
    stored = ids() + (86_400_000 << 22) | 4095 << 10
    ids.at_least(stored)
    after = [ids() for _ in range(5_000)]
    assert after == sorted(set(after))
    assert after[0] > stored
    assert {made >> 10 & 4095 for made in after} == {3}
    ids.at_least(1)
    assert ids() > after[-1]


def test_unregistered_processes_keep_off_the_nodes_of_the_registered() -> None:
    assert all(Ids()() >> 10 & 4095 >= 2048 for _ in range(100))

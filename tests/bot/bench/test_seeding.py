"""A seeded database is one that the service could have written."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select, text

from bot.bench.prospects import known_phone
from bot.bench.seeding import seed
from bot.bench.service import seed as numbers_of
from bot.bench.shapes import empty
from crm_bridge.people.service import Contact, resolve
from data import inbox, schema
from data.session import connect
from data.tables import Base, Conversation, DeliveryStatus, Identity, InboxMessage, OutboxMessage, Person

COUNTS = {Person: 1, Identity: 2, Conversation: 1, InboxMessage: 2, OutboxMessage: 2, DeliveryStatus: 4}
"""Rows for each talk."""


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
async def test_talks_are_stored_whole(dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_POSTGRES_URL", os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"))
    async with empty(dialect, tmp_path) as url:
        database = connect(url)
        await schema.upgrade(database)
        await database.write(lambda session: numbers_of(session, 1, 1))
        await database.close()
        await seed(url, 0, 5)
        await seed(url, 5, 30)
        database = connect(url)
        for table, each in COUNTS.items():
            count = await database.read(lambda session, table=table: session.scalar(select(func.count()).select_from(table)))
            assert count == 30 * each, table
        assert await database.read(inbox.waiting) == []
        if dialect == "sqlite":
            wrong = await database.read(lambda session: session.execute(text("PRAGMA foreign_key_check")).all())
            assert wrong == []
        talk = await database.read(lambda session: session.scalars(select(Conversation).order_by(Conversation.id)).first())
        contact = Contact(talk.company_id, (("phone", str(known_phone(0))),), None)
        found = await database.write(lambda session: resolve(session, [contact], talk.created_at + timedelta(days=1)))
        assert found[contact] == talk.person_id
        await database.close()


def test_no_column_that_must_be_there_is_forgotten() -> None:
    from bot.bench.seeding import COLUMNS

    for name, columns in COLUMNS.items():
        table = Base.metadata.tables[name]
        needed = {column.name for column in table.columns if not column.nullable and column.server_default is None}
        assert needed <= set(columns.split()), name
    assert inspect(Person).local_table.name in COLUMNS

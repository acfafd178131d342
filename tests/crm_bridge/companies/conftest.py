"""A company with an administrator, in a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from crm_bridge.companies import service
from data.session import Database, connect
from data.tables import Base, Company, Number

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Office:
    database: Database
    company: int
    other: int
    admin: int
    number: int
    now: datetime


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    address = f"sqlite:///{tmp_path}/test.db"
    engine = create_engine(address)
    Base.metadata.create_all(engine)
    engine.dispose()
    database = connect(address)

    def seed(session: Session) -> tuple[int, int]:
        companies = [
            Company(name=name, country="CO", currency="COP", timezone="America/Bogota", created_at=NOW)
            for name in ("Una", "Otra")
        ]
        session.add_all(companies)
        session.flush()
        return companies[0].id, companies[1].id

    company, other = await database.write(seed)

    def people(session: Session) -> tuple[int, int]:
        admin = service.add_user(session, name="Ana", email="Ana@Una.co", role="admin", password_hash="hash", now=NOW)
        number = Number(
            channel="whatsapp",
            external_id="1",
            display="+57 301 555 0101",
            name="Tienda",
            bot_name="Sofía",
            dialog="electronics",
            hours={},
            created_at=NOW,
        )
        session.add(number)
        session.flush()
        return admin.id, number.id

    admin, number = await database.write(people, company=company)
    yield Office(database, company, other, admin, number, NOW)
    await database.close()

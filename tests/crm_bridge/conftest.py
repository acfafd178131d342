"""A company with a manager, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from data.session import Database, connect
from data.tables import Company, User

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Managed:
    database: Database
    company: int
    manager: int


@pytest.fixture
async def managed(database_url: str) -> AsyncIterator[Managed]:
    database = connect(database_url)

    def fill(session: Session) -> tuple[int, int]:
        company = Company(name="una", country="CO", currency="COP", timezone="America/Bogota", created_at=NOW)
        session.add(company)
        session.flush()
        user = User(company_id=company.id, email="a@una.co", name="A", role="manager", password_hash="", created_at=NOW)
        session.add(user)
        session.flush()
        return company.id, user.id

    yield Managed(database, *await database.write(fill))
    await database.close()

"""A company's hour of drafts, whoever asks at once, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from crm_bridge.writing import rules, service
from data.session import connect
from data.tables import Company, Draft, User

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


async def test_no_two_take_the_last_one(database_url: str) -> None:
    database = connect(database_url)

    def fill(session: Any) -> tuple[int, int]:
        company = Company(name="una", country="CO", currency="COP", timezone="America/Bogota", created_at=NOW)
        session.add(company)
        session.flush()
        user = User(company_id=company.id, email="a@una.co", name="A", role="manager", password_hash="", created_at=NOW)
        session.add(user)
        session.flush()
        rows = [Draft(company_id=company.id, author_id=user.id, claims=[], passages=[], created_at=NOW) for _ in range(28)]
        session.add_all(rows)
        return company.id, user.id

    company, user = await database.write(fill)

    async def ask(at: datetime) -> bool:
        try:
            await database.write(lambda session: service.ask(session, author=user, now=at), company=company)
        except rules.TooManyDrafts:
            return False
        return True

    assert sum(await asyncio.gather(*(ask(NOW + timedelta(minutes=1)) for _ in range(8)))) == rules.AN_HOUR - 28
    assert await ask(NOW + timedelta(minutes=62)), "an hour later there is room"
    assert await ask(NOW + rules.KEPT + timedelta(minutes=30))
    count = await database.read(lambda session: session.scalar(select(func.count(Draft.id))), company=company)
    assert count == 2, "what is older than a month is forgotten"
    await database.close()

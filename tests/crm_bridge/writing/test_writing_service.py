"""A company's hour of drafts, whoever asks at once, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from crm_bridge.writing import rules, service
from data.tables import Draft

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


async def test_no_two_take_the_last_one(managed: Any) -> None:
    database, company, user = managed.database, managed.company, managed.manager
    row = {"company_id": company, "author_id": user, "claims": [], "passages": [], "created_at": NOW}
    await database.write(lambda session: session.add_all(Draft(**row) for _ in range(28)))

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

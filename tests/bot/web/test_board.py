"""The board of today: the company's day in its own zone, for managers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.keys import CLOCK
from crm_bridge.assignment import sellers, service
from crm_bridge.assignment.queries import day_of
from data.tables import Assignment, Offer, Rating

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=ZoneInfo("UTC"))
"""21:30 of the day before in Bogotá."""


@pytest.fixture
def address(database_url: str) -> str:
    return database_url


def test_a_day_is_the_companys_and_may_have_an_hour_less() -> None:
    assert [each.isoformat() for each in day_of(NOW, ZoneInfo("America/Bogota"))] == [
        "2026-11-24T05:00:00+00:00", "2026-11-25T05:00:00+00:00",
    ]  # fmt: skip
    begins, ends = day_of(datetime(2026, 3, 29, 12, tzinfo=ZoneInfo("UTC")), ZoneInfo("Europe/Madrid"))
    assert ends - begins == timedelta(hours=23)


async def test_the_board_tells_how_today_goes(site: Any) -> None:
    ids = site.ids["una"]
    manager = await site.browser("manager@una.co")
    page = await manager.get("/board")
    for shown in ("nadie espera", "aún no hay datos", "nadie ha calificado hoy", "Tienda una", "Aún no hay vendedores"):
        assert shown in page
    now = site.app[CLOCK].now()
    begins, _ = day_of(now, ZoneInfo("America/Bogota"))

    def arrange(session: Any, company: str) -> None:
        own = site.ids[company]
        team = sellers.first_team(session, own["company"], now)
        row = Assignment(
            conversation_id=own["talk"], person_id=own["person"], number_id=own["number"], team_id=team, user_id=own["seller"],
            state="accepted", reason="finished", priority="hot", interest="electronics", language="es", created_at=begins,
            accepted_at=begins + timedelta(seconds=75), first_reply_at=begins + timedelta(hours=2, minutes=5), warned=False,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(
            Offer(
                assignment_id=row.id, user_id=own["seller"], state="expired", cost=1, offered_at=begins, expires_at=begins,
                answered_at=begins,
            )
        )  # fmt: skip
        session.add(
            Rating(
                conversation_id=own["talk"],
                assignment_id=row.id,
                user_id=own["seller"],
                score=4,
                asked_at=begins,
                answered_at=now,
            )
        )

    for company in ("una", "otra"):
        await site.write(lambda session, company=company: arrange(session, company), company)
    page = await manager.get("/board/now")
    for shown in ("1 min 15 s", "2 h 5 min", "1 sin aceptar", "4,0", "1 aceptada", "1 respondida", "seller una"):
        assert shown in page
    for hidden in ("seller otra", "Tienda otra", "0 tarde"):
        assert hidden not in page

    def wait(session: Any) -> None:
        done = service.close(session, ids["talk"], now)
        assert done
        session.add(
            Assignment(
                conversation_id=ids["talk"], person_id=ids["person"], number_id=ids["number"], team_id=done.team_id,
                state="waiting", reason="asked", priority="hot", interest="x", language="es",
                created_at=now - timedelta(minutes=9), warned=False,
            )
        )  # fmt: skip

    await site.write(wait)
    page = await manager.get("/board/now")
    assert "el más antiguo, hace 9 min · 1 caliente" in page


async def test_a_seller_has_no_board(site: Any) -> None:
    browser = await site.browser("seller@una.co")
    for path in ("/board", "/board/now"):
        await browser.get(path, status=403)
    assert 'href="/board"' not in await browser.get("/team")

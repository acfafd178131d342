"""A conversation that is offered to a seller, for the tests of alerts and of their links."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from bot.keys import CLOCK
from crm_bridge.assignment import opening, sellers
from data.tables import Conversation
from notifications import alerts
from tests.crm_bridge.assignment.conftest import decide


async def offer(site: Any) -> tuple[int, int]:
    """The conversation is offered to the company's only seller: (alert, offer)."""
    ids, now = site.ids["una"], site.app[CLOCK].now()

    def work(session: Any) -> tuple[int, int]:
        talk = session.scalar(select(Conversation).where(Conversation.id == ids["talk"]))
        talk.owner = "queued"
        row = {name: getattr(talk, name) for name in ("id", "company_id", "person_id", "number_id", "priority")}
        opened = opening.opened(
            row,
            team_id=sellers.first_team(session, ids["company"], now),
            reason="finished",
            interest="electronics",
            language="es",
            now=now,
        ) | {"lead_id": ids["lead"]}
        opening.open_all(session, [opened])
        decision = decide(session, opened["id"], now)
        assert decision is not None
        assert decision.offer is not None
        facts = alerts.facts_of(session, decision.assignment, offer=decision.offer)
        alert = alerts.raise_alert(
            session, kind="lead_offered", user_id=decision.offer.user_id, company_id=ids["company"], facts=facts, now=now,
            conversation_id=ids["talk"], lead_id=ids["lead"], assignment_id=opened["id"], offer_id=decision.offer.id,
        )  # fmt: skip
        return alert.id, decision.offer.id

    found: tuple[int, int] = await site.write(work)
    return found


async def rows(site: Any, table: Any, company: str = "una") -> list[Any]:
    found: list[Any] = await site.read(lambda session: list(session.scalars(select(table).order_by(table.id))), company)
    return found

"""A company with a team of sellers, and conversations to hand over, on both databases."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_bridge.assignment import decisions, opening, sellers
from data.session import Database, connect
from data.tables import Assignment, Company, Conversation, Number, Person, TeamMember, User

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
T = TypeVar("T")


def decide(session: Session, assignment_id: int, now: datetime) -> decisions.Decision | None:
    """`decide_all` of one; None when it is left out."""
    return next(iter(decisions.decide_all(session, [assignment_id], now)), None)


@dataclass
class Desk:
    """`do` runs work in a transaction of the company's; `hand_over` opens one for a new prospect."""

    database: Database
    company: int
    number: int
    team: int = 0
    sellers: list[int] = field(default_factory=list)
    now: datetime = NOW
    _serial: Any = field(default_factory=itertools.count)

    async def do(self, work: Callable[..., T], *given: Any, **named: Any) -> T:
        return await self.database.write(lambda session: work(session, *given, **named), company=self.company)

    async def hand_over(self, priority: str = "warm", person: int | None = None, **given: Any) -> int:
        """Returns the hand-over's id."""
        return await self.do(self._open, priority, person, given)

    def _open(self, session: Session, priority: str, person: int | None, given: dict[str, Any]) -> int:
        number = given.pop("number", self.number)
        if person is None:
            row = Person(company_id=self.company, name=f"P{next(self._serial)}", created_at=self.now)
            session.add(row)
            session.flush()
            person = row.id
        talk = Conversation(
            company_id=self.company, number_id=number, person_id=person, recipient={}, reasons=[], owner="queued",
            priority=priority, created_at=self.now,
        )  # fmt: skip
        session.add(talk)
        session.flush()
        return self.hand(session, talk, **given)

    def hand(self, session: Session, talk: Conversation, **given: Any) -> int:
        columns = {column.key: getattr(talk, column.key) for column in talk.__table__.columns}
        wanted = {"reason": "finished", "interest": "electronics", "language": "es", "now": self.now, **given}
        lead = wanted.pop("lead_id", None)
        opened = opening.opened(columns, team_id=self.team, **wanted) | {"lead_id": lead}
        opening.open_all(session, [opened])
        return int(opened["id"])

    async def open_again(self, talk_id: int, priority: str = "warm") -> int:
        """The same conversation once more."""

        def work(session: Session) -> int:
            talk = session.scalars(select(Conversation).where(Conversation.id == talk_id)).one()
            talk.priority = priority
            session.flush()
            return self.hand(session, talk)

        return await self.do(work)

    async def decide(self, row: int) -> decisions.Decision | None:
        return await self.do(decide, row, self.now)

    async def row(self, row: int) -> Assignment:
        found = await self.do(lambda session: session.scalar(select(Assignment).where(Assignment.id == row)))
        assert found is not None
        return found

    async def served(self) -> dict[int, int]:
        """The ledger, by seller."""
        return await self.do(lambda session: dict(session.execute(select(TeamMember.user_id, TeamMember.served)).all()))


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    """Three sellers, one number."""
    database = connect(database_url)

    def seed(session: Session) -> tuple[int, int]:
        company = Company(name="Una", country="CO", currency="COP", timezone="America/Bogota", created_at=NOW)
        session.add(company)
        session.flush()
        number = Number(
            company_id=company.id, channel="whatsapp", external_id="1", display="+57 1", name="Tienda", bot_name="Sol",
            dialog="electronics", hours={}, created_at=NOW,
        )  # fmt: skip
        session.add(number)
        session.flush()
        return company.id, number.id

    made = Desk(database, *await database.write(seed))

    def people(session: Session) -> tuple[int, list[int]]:
        rows = [
            User(company_id=made.company, email=f"{name}@una.co", name=name, role="seller", password_hash="x", created_at=NOW)
            for name in ("Ana", "Beto", "Carla")
        ]
        session.add_all(rows)
        session.flush()
        return sellers.first_team(session, made.company, NOW), [row.id for row in rows]

    made.team, made.sellers = await made.do(people)
    yield made
    await database.close()

"""One of several processes that hand leads over: `python -m tests.crm_bridge.assignment.rotation JSON`.

It opens leads, decides about what is due (its own and the others'), answers offers as sellers do (accept, pass, be silent),
closes conversations, and sends sellers away and back. In each decision it checks that nobody absent or full was asked.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_bridge.assignment import opening, rules, sellers, service
from data.session import Database, connect
from data.tables import Assignment, Conversation, Offer, Person, Seller, Team, TeamMember
from data.types import new_id

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


class Process:
    def __init__(self, database: Database, company: int, number: int, team: int, leads: int, seed: int) -> None:
        self._database = database
        self._company, self._number, self._team = company, number, team
        self._leads = leads
        self._chance = random.Random(seed)
        self._now = START
        self.wrong: list[str] = []

    async def run(self) -> None:
        opened = 0
        while opened < self._leads or await self._waiting():
            if opened < self._leads:
                some = min(self._chance.randrange(1, 6), self._leads - opened)
                await self._write(self._open, some)
                opened += some
            self._now += timedelta(seconds=self._chance.choice((1, 5, 60, 200)))
            for _, row in await self._database.read(lambda session: service.due(session, self._now, 10)):
                await self._write(self._decide, row)
            for offer in self._some(await self._find(select(Offer.id).where(Offer.state == "offered")), 4):
                await self._write(self._answer, offer)
            for talk in self._some(await self._find(select(Assignment.conversation_id).where(Assignment.state == "accepted")), 3):
                await self._write(service.close, talk, self._now)
            if self._chance.random() < 0.2:
                await self._write(self._come_and_go)

    async def _write(self, work: Any, *given: Any) -> Any:
        return await self._database.write(lambda session: work(session, *given), company=self._company)

    async def _find(self, query: Any) -> list[int]:
        return await self._database.read(lambda session: list(session.scalars(query.limit(20))))

    def _some(self, rows: list[int], most: int) -> list[int]:
        return self._chance.sample(rows, min(most, len(rows)))

    async def _waiting(self) -> bool:
        return bool(await self._find(select(Assignment.id).where(Assignment.state.in_(("waiting", "offered")))))

    def _open(self, session: Session, some: int) -> None:
        people = [Person(id=new_id(), company_id=self._company, created_at=self._now) for _ in range(some)]
        session.add_all(people)
        session.flush()
        talks = [
            Conversation(
                id=new_id(),
                company_id=self._company,
                number_id=self._number,
                person_id=person.id,
                recipient={},
                reasons=[],
                owner="queued",
                priority=self._chance.choice(list(rules.LOAD)),
                created_at=self._now,
            )
            for person in people
        ]
        session.add_all(talks)
        session.flush()
        given: dict[str, Any] = {"lead_id": None, "reason": "finished", "interest": "electronics", "language": "es"}
        columns = [
            {key: getattr(talk, key) for key in ("id", "company_id", "person_id", "number_id", "priority")} for talk in talks
        ]
        opening.open_all(session, [opening.opened(each, team_id=self._team, now=self._now, **given) for each in columns])

    def _decide(self, session: Session, row: int) -> None:
        decision = service.decide(session, row, self._now)
        if decision is None or decision.offer is None:
            return
        chosen = decision.offer.user_id
        away = session.scalar(select(Seller.away).where(Seller.user_id == chosen).execution_options(populate_existing=True))
        (seen,) = [each for each in decision.choice.considered if each.user_id == chosen]
        if away or seen.load + rules.LOAD[decision.assignment.priority] > seen.capacity:
            self.wrong.append(f"{chosen} was asked: away {away}, load {seen.load} of {seen.capacity}")

    def _answer(self, session: Session, offer_id: int) -> None:
        does = self._chance.random()
        offer, talk = session.execute(
            select(Offer, Assignment.conversation_id)
            .join(Assignment, Assignment.id == Offer.assignment_id)
            .where(Offer.id == offer_id)
        ).one()
        try:
            if does < 0.7:
                service.answer(session, offer.id, offer.user_id, self._now)
                service.accept(session, talk, offer.user_id, "page", self._now)
            elif does < 0.85:
                service.decline(session, offer.id, offer.user_id, "page", self._now)
        except rules.AssignmentRefusal:
            pass  # somebody else was faster

    def _come_and_go(self, session: Session) -> None:
        session.scalars(select(Team.id).with_for_update()).all()  # in no decision's middle, so that the check above holds
        members = list(session.scalars(select(TeamMember.user_id)))
        sellers.set_away(session, self._chance.choice(members), away=self._chance.random() < 0.3, now=self._now)


async def main(given: dict[str, Any]) -> dict[str, Any]:
    new_id.use(given.pop("node"))
    database = connect(given.pop("url"))
    process = Process(database, **given)
    try:
        await process.run()
    finally:
        await database.close()
    return {"wrong": process.wrong}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))

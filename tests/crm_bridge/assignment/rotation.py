"""One of several processes that hand leads over: `python -m tests.crm_bridge.assignment.rotation JSON`.

It opens leads, decides about what is due (its own and the others'), answers offers as sellers do (accept, pass, be silent),
closes conversations, and sends sellers away, on leave, out of the company, and back. In each decision it checks, by reads of its
own, that nobody absent or full was asked, and nobody before their turn.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from crm_bridge.assignment import absence, decisions, ledger, opening, overlooked, rules, sellers, service
from crm_bridge.companies import service as companies
from crm_bridge.events import TakenOver
from crm_bridge.journal import record
from data.session import Database, connect
from data.tables import Assignment, Conversation, Leave, Offer, Person, Seller, User
from data.types import new_id

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SPEED = 200
"""Their clocks, which all show the same, are so much faster than ours: an offer stands for a second."""
OVERLOOKED = timedelta(minutes=6)


class Crew(TypedDict):
    """What a process works with. `teams` are (number, team); `steady` sellers are always there, have room and accept at once;
    the `moody` come and go, pass and are silent; of these the `leavers` are removed now and then, and come back."""

    url: str
    company: int
    teams: list[tuple[int, int]]
    steady: list[int]
    moody: list[int]
    leavers: list[int]
    origin: float


def clock(origin: float) -> datetime:
    return START + (time.time() - origin) * SPEED * timedelta(seconds=1)


class Process:
    def __init__(self, database: Database, crew: Crew, leads: int, seed: int) -> None:
        self._database = database
        self._crew = crew
        self._leads = leads
        self._chance = random.Random(seed)
        self.wrong: list[str] = []
        self.did: Counter[str] = Counter()

    @property
    def _now(self) -> datetime:
        return clock(self._crew["origin"])

    async def run(self) -> None:
        opened, seen, next_overlooked = 0, 0, self._now
        while opened < self._leads or await self._waiting():
            if opened < self._leads:
                some = min(self._chance.randrange(1, 6), self._leads - opened)
                await self._write(self._open, some)
                opened += some
            if self._now >= next_overlooked:
                next_overlooked = self._now + OVERLOOKED
                found, seen = await self._database.read(lambda session, seen=seen: overlooked.find(session, self._now, seen))
                if found:
                    await self._write(overlooked.look_again, found, self._now)
                    self.did["overlooked"] += len(found)
            due = await self._database.read(lambda session: decisions.due(session, self._now, 20))
            for _, rows in due:
                for offered in await self._write(self._decide, self._some(rows, 8)):
                    await self._write(self._answer, offered)
            offers, taken = await self._database.read(_standing)
            for offer in self._some(offers, 6):
                await self._write(self._answer, offer)
            for talk in self._some(taken, 6):
                await self._write(done, talk, self._now)
            if self._chance.random() < 0.2:
                await self._write(self._come_and_go)

    async def _write(self, work: Any, *given: Any) -> Any:
        return await self._database.write(lambda session: work(session, *given), company=self._crew["company"])

    def _some(self, rows: list[int], most: int) -> list[int]:
        """Few of them, so that two processes are at the same one now and then, and not always."""
        return self._chance.sample(rows, min(most, (len(rows) + 1) // 2))

    async def _waiting(self) -> bool:
        left = ledger.among_open(select(Assignment.id)).where(Assignment.state.in_(("waiting", "offered"))).limit(1)
        return await self._database.read(lambda session: session.scalar(left)) is not None

    def _open(self, session: Session, some: int) -> None:
        for _ in range(some):
            number, team = self._chance.choice(self._crew["teams"])
            hand_over(session, self._crew["company"], number, team, self._chance.choice(list(rules.LOAD)), self._now)

    # ----------------------------------------------------------------------------------------------- decisions
    def _decide(self, session: Session, rows: list[int]) -> list[int]:
        """The new offers that are for somebody who accepts at once."""
        offers = []
        for decision in decisions.decide_all(session, rows, self._now):
            self.did["decisions"] += 1
            if decision.offer is None:
                self.did["nobody"] += 1
                continue
            chosen = decision.offer.user_id
            self.wrong += [f"{chosen} was asked, and {why}" for why in self._unfit(session, chosen)]
            if early := self._before_their_turn(session, decision):
                self.wrong.append(early)
            if chosen in self._crew["steady"]:
                offers.append(decision.offer.id)
        return offers

    def _unfit(self, session: Session, chosen: int) -> list[str]:
        """As the books stand now: no other decision and nobody's coming and going is in between."""
        today = f"{self._now:%Y-%m-%d}"
        on_leave = exists().where(Leave.user_id == chosen, Leave.first_day <= today, Leave.last_day >= today)
        theirs = Assignment.user_id == chosen, Assignment.state.in_(("offered", "accepted"))
        load = select(func.sum(ledger.LOAD)).where(*theirs).scalar_subquery()
        active, away, capacity, absent, has = session.execute(
            select(User.active, Seller.away, Seller.capacity, on_leave, load)
            .join(Seller, Seller.user_id == User.id)
            .where(User.id == chosen)
        ).one()
        checks = {"is gone": not active, "is busy": away, "is on leave": absent, f"has {has} of {capacity}": has > capacity}
        return [why for why, holds in checks.items() if holds]

    def _before_their_turn(self, session: Session, decision: decisions.Decision) -> str:
        """Whoever has had least is asked, but after those who were not asked yet."""
        assert decision.offer is not None
        row, chosen = decision.assignment.id, decision.offer.user_id
        ahead = {each.user_id: each.ahead for each in decision.choice.considered if not each.left_out}
        if ahead[chosen] == min(ahead.values()):
            return ""
        let_pass = select(Offer.user_id).where(Offer.assignment_id == row, Offer.state.in_(("declined", "expired")))
        asked = set(session.scalars(let_pass))
        least = min(turns for user, turns in ahead.items() if user not in asked or chosen in asked)
        return f"{chosen} was asked {ahead[chosen]} turns ahead, with {least} there" if ahead[chosen] > least else ""

    def _answer(self, session: Session, offer_id: int) -> None:
        offer, talk = session.execute(
            select(Offer, Assignment.conversation_id)
            .join(Assignment, Assignment.id == Offer.assignment_id)
            .where(Offer.id == offer_id)
        ).one()
        does = 0.0 if offer.user_id in self._crew["steady"] else self._chance.random()
        try:
            if does < 0.7:
                _, row = service.answer(session, offer.id, offer.user_id, self._now)
                if row.state == "waiting" and not self._has_room(session, offer.user_id, row):
                    return  # they let it pass, and would now take more than is wanted of them
                take(session, self._crew["company"], talk, offer.user_id, self._now)
            elif does < 0.8:
                service.decline(session, offer.id, offer.user_id, "page", self._now)
        except rules.AssignmentRefusal:
            self.did["too late"] += 1

    def _has_room(self, session: Session, user: int, row: Assignment) -> bool:
        ledger.hold(session, self._crew["company"])
        capacity = session.scalars(select(Seller.capacity).where(Seller.user_id == user)).one()
        return ledger.loads(session, [user]).get(user, 0) + rules.LOAD[row.priority] <= capacity

    # ------------------------------------------------------------------------------------------- come and go
    def _come_and_go(self, session: Session) -> None:
        user = self._chance.choice(self._crew["moody"])
        does = self._chance.random()
        if user in self._crew["leavers"] and does < 0.5:
            gone = not session.scalars(select(User.active).where(User.id == user)).one()
            self.did["removed" if not gone else "hired again"] += 1
            companies.change_user(session, user, by=0, role="seller", active=gone, now=self._now)
            return
        ledger.hold(session, self._crew["company"])  # in no decision's middle, so that the checks above hold
        leave = session.scalar(select(Leave.id).where(Leave.user_id == user).limit(1))
        if leave is not None:
            absence.remove_leave(session, leave, self._now)
        elif does < 0.6 and session.scalar(select(User.active).where(User.id == user)):
            self.did["leaves"] += 1
            day = f"{self._now:%Y-%m-%d}"
            absence.add_leave(session, user, day, f"{self._now + timedelta(days=2):%Y-%m-%d}")
        else:
            away = self._chance.random() < 0.4
            self.did["absences"] += away
            sellers.set_away(session, user, away=away, now=self._now)


def _standing(session: Session) -> tuple[list[int], list[int]]:
    """Offers that stand, and conversations that somebody has."""
    rows = session.execute(
        ledger.among_open(select(Assignment.state, Assignment.conversation_id, Offer.id))
        .outerjoin(Offer, (Offer.assignment_id == Assignment.id) & (Offer.state == "offered"))
        .where(Assignment.user_id.is_not(None))
        .limit(40)
    ).all()
    offers = [offer for state, _, offer in rows if state == "offered" and offer is not None]
    return offers, [talk for state, talk, _ in rows if state == "accepted"]


def take(session: Session, company: int, talk_id: int, user_id: int, now: datetime) -> None:
    """Accept, and keep in the journal who did."""
    standing = select(Assignment.state).where(Assignment.conversation_id == talk_id, Assignment.state != "closed")
    before = session.scalar(standing)
    service.accept(session, talk_id, user_id, "page", now)
    if before != "accepted":
        record(session, company, TakenOver(by=""), now, conversation=talk_id, user=user_id)


def done(session: Session, talk_id: int, now: datetime) -> None:
    """Whoever has it gives it back to the bot."""
    session.execute(select(Conversation.id).where(Conversation.id == talk_id).with_for_update(key_share=True))
    hand = service.current(session, talk_id, lock=True)
    if hand is not None and hand.state == "accepted":
        service.close(session, talk_id, now)


def hand_over(session: Session, company: int, number: int, team: int, priority: str, now: datetime) -> int:
    """Open one for a new prospect; its id."""
    person = Person(id=new_id(), company_id=company, created_at=now)
    session.add(person)
    session.flush()
    talk = Conversation(
        id=new_id(), company_id=company, number_id=number, person_id=person.id, recipient={}, reasons=[], owner="queued",
        priority=priority, created_at=now,
    )  # fmt: skip
    session.add(talk)
    session.flush()
    columns = {key: getattr(talk, key) for key in ("id", "company_id", "person_id", "number_id", "priority")}
    given: dict[str, Any] = {"reason": "finished", "interest": "electronics", "language": "es"}
    opened = opening.opened(columns, team_id=team, now=now, **given)
    opening.open_all(session, [opened])
    return int(opened["id"])


async def main(given: dict[str, Any]) -> dict[str, Any]:
    new_id.use(given["node"])
    database = connect(given["crew"]["url"])
    process = Process(database, given["crew"], given["leads"], given["seed"])
    try:
        await process.run()
    finally:
        await database.close()
    return {"wrong": process.wrong, "did": process.did}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))

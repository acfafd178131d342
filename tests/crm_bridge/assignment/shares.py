"""Four processes hand leads over at the same time (rotation.py), and what came of it is counted: who got how many, and whether
each has one owner."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_bridge.assignment import absence, ledger, rules, sellers
from crm_bridge.companies import service as companies
from data.session import Database
from data.tables import Assignment, Company, Event, Leave, Number, Seller, Team, TeamMember, User
from tests.crm_bridge.assignment import rotation
from tests.crm_bridge.assignment.conftest import decide
from tests.crm_bridge.assignment.rotation import Crew

PROCESSES = 4
ROOMY = 1_000
_TEAMS: tuple[dict[str, tuple[str, int, int]], ...] = (
    {
        "Ana": ("steady", 1, ROOMY), "Beto": ("steady", 1, ROOMY), "Carla": ("moody", 1, 30), "Dora": ("moody", 1, 6),
        "Eva": ("leaver", 1, 30), "Sol": ("moody", 1, 5),
    },
    {
        "Fabio": ("steady", 3, ROOMY), "Gina": ("steady", 1, ROOMY), "Hugo": ("moody", 2, 4), "Iris": ("leaver", 4, 30),
        "Sol": ("moody", 1, 5),
    },
)  # fmt: skip
"""Each team's sellers: how they are, their share, and their capacity. Sol is in both, and often full."""


@dataclass
class Shares:
    """`problems` are promises that were not kept; `notes` the figures."""

    leads: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def drive(database: Database, url: str, leads: int, seed: int, progress: Callable[[str], None] = lambda _: None) -> Shares:
    """Hand over this many leads, and count."""
    began, origin = time.monotonic(), time.time()
    crew = await database.write(lambda session: _hire(session, url, origin))
    found = Shares(leads // PROCESSES * PROCESSES)
    given = {"crew": crew, "leads": leads // PROCESSES}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.crm_bridge.assignment.rotation",
            json.dumps({**given, "node": node, "seed": seed + node}), stdout=asyncio.subprocess.PIPE,
        )
        for node in range(1, PROCESSES + 1)
    ]  # fmt: skip
    watching = asyncio.create_task(_watch(database, found, progress))
    try:
        outs = await asyncio.gather(*(process.communicate() for process in processes))
    finally:
        watching.cancel()
        for process in processes:
            if process.returncode is None:
                process.kill()
    took = time.monotonic() - began
    if ended := [process.returncode for process in processes if process.returncode]:
        found.problems.append(f"{len(ended)} processes failed")
        return found
    told = [json.loads(out) for out, _ in outs]
    found.problems += [wrong for each in told for wrong in each["wrong"]][:5]
    did = sum((Counter(each["did"]) for each in told), Counter[str]())
    found.notes.append(f"{found.leads:,} leads in {took:.0f} s: " + ", ".join(f"{n:,} {what}" for what, n in sorted(did.items())))
    await database.read(lambda session: _count(session, crew, found))
    await _even_out(database, crew, random.Random(seed))
    await database.read(lambda session: _compare(session, crew, found))
    return found


def _hire(session: Session, url: str, origin: float) -> Crew:
    now = rotation.START
    company = Company(name="Una", country="CO", currency="COP", timezone="UTC", created_at=now)
    session.add(company)
    session.flush()
    crew = Crew(url=url, company=company.id, teams=[], steady=[], moody=[], leavers=[], origin=origin)
    known: dict[str, int] = {}
    for at, members in enumerate(_TEAMS):
        number = Number(
            company_id=company.id, channel="whatsapp", external_id=str(at), display=str(at), name="Una", bot_name="Sol",
            dialog="electronics", hours={}, created_at=now,
        )  # fmt: skip
        team = Team(company_id=company.id, name=str(at), created_at=now)
        session.add_all([number, team])
        session.flush()
        crew["teams"].append((number.id, team.id))
        for name, (kind, weight, capacity) in members.items():
            if name not in known:
                user = User(
                    company_id=company.id, email=f"{name}@una.co", name=name, role="seller", password_hash="x", created_at=now
                )
                session.add(user)
                session.flush()
                known[name] = user.id
                crew["steady" if kind == "steady" else "moody"].append(user.id)
                crew["leavers"] += [user.id] if kind == "leaver" else []
                sellers.seller(session, user.id).capacity = capacity
            sellers.join(session, team.id, known[name], weight)
    session.flush()
    return crew


async def _watch(database: Database, found: Shares, progress: Callable[[str], None]) -> None:
    """Nobody ever has more than they can take."""
    load = func.sum(ledger.LOAD)
    over = (
        select(User.name, load, Seller.capacity)
        .join(Assignment, Assignment.user_id == User.id)
        .join(Seller, Seller.user_id == User.id)
        .where(Assignment.state.in_(("offered", "accepted")))
        .group_by(User.id, User.name, Seller.capacity)
        .having(load > Seller.capacity)
    )
    states = select(Assignment.state, func.count()).group_by(Assignment.state).order_by(Assignment.state)
    while True:
        for name, has, capacity in await database.read(lambda session: session.execute(over).all()):
            found.problems.append(f"{name} has {has} of {capacity}")
        counts = await database.read(lambda session: session.execute(states).all())
        progress("rotation: " + ", ".join(f"{many:,} {state}" for state, many in counts))
        await asyncio.sleep(0.5)


def _count(session: Session, crew: Crew, found: Shares) -> None:
    """None lost, and one owner each: of two who accepted, the first one was removed in between."""
    many, unowned = session.execute(
        select(func.count(), func.count().filter(Assignment.user_id.is_(None) | Assignment.state.in_(("waiting", "offered"))))
    ).one()
    if (many, unowned) != (found.leads, 0):
        found.problems.append(f"{many} of {found.leads} leads are there, {unowned} of them nobody's")
    owners: dict[int, list[int]] = {}
    for talk, user in session.execute(
        select(Event.conversation_id, Event.user_id).where(Event.kind == "TakenOver").order_by(Event.id)
    ):
        owners.setdefault(talk, []).append(user)
    for talk, owner in session.execute(select(Assignment.conversation_id, Assignment.user_id)):
        had = owners.get(talk, [None])
        if had[-1] != owner or any(user not in crew["leavers"] for user in had[:-1]):
            found.problems.append(f"conversation {talk} is {owner}'s and was taken by {had}")


async def _even_out(database: Database, crew: Crew, chance: random.Random) -> None:
    """Everybody is there and accepts: what was owed to those who let one pass at the very end is made up for."""
    company, now = crew["company"], rotation.clock(crew["origin"])

    def all_back(session: Session) -> None:
        for talk in list(session.scalars(select(Assignment.conversation_id).where(Assignment.state == "accepted"))):
            rotation.done(session, talk, now)
        for leave in list(session.scalars(select(Leave.id))):
            absence.remove_leave(session, leave, now)
        for user in crew["moody"]:
            companies.change_user(session, user, by=0, role="seller", active=True, now=now)
            sellers.set_away(session, user, away=False, now=now)

    def one(session: Session, number: int, team: int) -> None:
        row = rotation.hand_over(session, company, number, team, chance.choice(list(rules.LOAD)), now)
        decision = decide(session, row, now)
        assert decision is not None
        assert decision.offer is not None
        talk = decision.assignment.conversation_id
        rotation.take(session, company, talk, decision.offer.user_id, now)
        rotation.done(session, talk, now)

    await database.write(all_back, company=company, patience=60)
    for number, team in crew["teams"] * 40:
        await database.write(lambda session, number=number, team=team: one(session, number, team), company=company)


def _compare(session: Session, crew: Crew, found: Shares) -> None:
    """Of those who were always there, each got what their share asks for, within a turn; and so stand all in the ledger."""
    rows = session.execute(
        select(Assignment.team_id, Event.user_id, func.count())
        .join(Event, Event.conversation_id == Assignment.conversation_id)
        .where(Event.kind == "TakenOver")
        .group_by(Assignment.team_id, Event.user_id)
    )
    turns = {(team, user): many for team, user, many in rows}
    for _, team in crew["teams"]:
        members = session.execute(
            select(TeamMember, User.name).join(User, User.id == TeamMember.user_id).where(TeamMember.team_id == team)
        ).all()
        longest = max(rules.cost_of(row.weight) for row, _ in members)
        steady = [
            turns.get((team, row.user_id), 0) * rules.cost_of(row.weight) for row, _ in members if row.user_id in crew["steady"]
        ]
        for what, places in (("turns", steady), ("the ledger", [row.served for row, _ in members])):
            if max(places) - min(places) > longest:
                apart = (max(places) - min(places)) / rules.TURN
                found.problems.append(f"shares are {apart:.2f} turns apart by {what}, and one costs {longest / rules.TURN:.2f}")
        got = (f"{name} {turns.get((team, row.user_id), 0):,} (share {row.weight})" for row, name in members)
        found.notes.append(", ".join(got))

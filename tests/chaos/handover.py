"""Hand-overs under strain: two who accept at once, and alerts over killed processes."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP

from bot import takeover
from crm_bridge.assignment.rules import Taken
from data.session import Database
from data.tables import Company, Conversation, Number, Person, User
from data.types import new_id
from tests.chaos.processes import free_port
from tests.chaos.stage import Play, migrated, open_stage

SELLERS = 4
RETRIES = 300.0
"""Seconds in which a mail that was refused a few times has been tried again."""


async def acceptance(play: Play) -> None:
    """Two sellers accept the same lead at once, over PostgreSQL: one has it, the other is told who."""
    async with migrated(play.outcome) as (_, database):
        await _race(play, database)


async def _race(play: Play, database: Database) -> None:
    now, outcome = datetime.now(UTC), play.outcome

    def seed(session: Any) -> tuple[int, list[int], int]:
        company = Company(name="Una", country="CO", currency="COP", timezone="America/Bogota", created_at=now)
        session.add(company)
        session.flush()
        number = Number(
            company_id=company.id, channel="whatsapp", external_id="1", display="+57 1", name="Una", bot_name="Sol",
            dialog="electronics", hours={}, created_at=now,
        )  # fmt: skip
        users = [
            User(company_id=company.id, email=f"{at}@una.co", name=f"V{at}", role="seller", password_hash="x", created_at=now)
            for at in range(SELLERS)
        ]
        session.add_all([number, *users])
        session.flush()
        return company.id, [user.id for user in users], number.id

    company, users, number = await database.write(seed)

    def prospect(session: Any) -> int:
        person = Person(company_id=company, created_at=now)
        session.add(person)
        session.flush()
        talk = Conversation(
            id=new_id(), company_id=company, number_id=number, person_id=person.id, recipient={}, reasons=[], created_at=now
        )
        session.add(talk)
        session.flush()
        return talk.id

    async def take(talk: int, user: int) -> str:
        try:
            await database.write(lambda session: takeover.take(session, talk, user, now), company=company)
        except Taken as refusal:
            return f"taken by {refusal.by}"
        return "won"

    for number_of in range(play.rounds):
        play.progress(f"{outcome.name}: race {number_of + 1} of {play.rounds}")
        talk = await database.write(prospect)
        racers = play.chance.sample(users, 2)
        said = await asyncio.gather(*(take(talk, user) for user in racers))
        winner = await database.read(lambda session, talk=talk: session.get(Conversation, talk).owner_id)
        names = dict(zip(users, (f"V{at}" for at in range(SELLERS)), strict=True))
        expected = sorted(["won", f"taken by {names.get(winner, 'nobody')}"])
        outcome.rounds += 1
        outcome.acknowledged += 2
        outcome.processed += 1
        if sorted(said) != expected:
            outcome.problems.append(f"race {number_of + 1}: {said}")


class _Mailbox:
    """A mail server that keeps what it is given, and stalls or refuses now and then."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.mails: list[str] = []
        """The Message-IDs, in the order in which they came."""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self._play.chance.random() < 0.02:
            return "451 try again"
        self.mails.append(str(message_from_bytes(envelope.content)["Message-ID"]))
        return "250 OK"


async def alerts(play: Play) -> None:
    """kill -9 of any process while leads are handed over: each alert leaves, and whoever reads it sees it once."""
    mailbox, port = _Mailbox(play), free_port()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", port)
    settings = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "ALERTS_FROM": "avisos@chaos.example"}
    try:
        async with open_stage(play, play.fleet, settings=settings, sellers=SELLERS) as stage:
            async for _ in stage.rounds():
                await asyncio.sleep(play.chance.uniform(0.05, 1.0))
                victim = play.chance.choice(list(stage.services.values()))
                await victim.kill()
                first = stage.crowd.first_answer(await stage.books.doubtful())
                await victim.start()
                await stage.recovered(victim.began, first)
            await stage.count()
            await _count_alerts(play, stage.books, mailbox)
    finally:
        server.close()


async def _count_alerts(play: Play, books: Any, mailbox: _Mailbox) -> None:
    """Every hand-over has one offer that stands or was answered; every delivery that was not silenced has arrived."""
    until = asyncio.get_running_loop().time() + RETRIES
    while await books.rows("SELECT 1 FROM deliveries WHERE rank < 20 LIMIT 1"):
        if asyncio.get_running_loop().time() > until:
            play.outcome.problems.append(f"alerts are still unsent after {RETRIES:.0f} s")
            break
        await asyncio.sleep(0.2)
    rows = await books.rows("SELECT id, state FROM deliveries")
    states = Counter(state for _, state in rows)
    arrived = Counter(mailbox.mails)
    ids = {name.strip("<>").split("@")[0].removeprefix("delivery-") for name in arrived}
    missing = [row for row, state in rows if state in ("sent", "failed") and str(row) not in ids]
    again = sum(count - 1 for count in arrived.values())
    waiting = await books.rows(
        "SELECT count(*) FROM assignments a WHERE a.state = 'offered' AND NOT EXISTS"
        " (SELECT 1 FROM alerts WHERE alerts.assignment_id = a.id AND alerts.kind = 'lead_offered')"
    )
    play.outcome.notes.append(f"alerts {dict(states)}; {len(arrived)} mails, {again} sent again with the same Message-ID")
    if missing:
        play.outcome.problems.append(f"{len(missing)} alerts never arrived")
    if waiting[0][0]:
        play.outcome.problems.append(f"{waiting[0][0]} offers that nobody was told of")
    if not arrived:
        play.outcome.problems.append("no alert arrived at all")

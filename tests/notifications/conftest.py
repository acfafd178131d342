"""A company with a seller, a prospect who is offered to them, and the servers that alerts leave by, all of them real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import inbox
from data.session import Database, connect
from data.tables import (
    Alert,
    Assignment,
    Company,
    ContactPoint,
    Conversation,
    Delivery,
    Lead,
    Number,
    Offer,
    Person,
    Team,
    User,
)
from data.types import new_id
from notifications import alerts

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
"""15:00 in Bogotá."""
SECRET = "k" * 40


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    """For what no database makes a difference to."""
    opened = connect(sqlite_url)
    yield opened
    await opened.close()


@dataclass
class Stage:
    """Ids of one company's rows, and what tests do with them."""

    company: int
    seller: int
    manager: int
    talk: int
    lead: int
    assignment: int
    offer: int

    def point(self, session: Session, channel: str, address: str, user: int | None = None, **more: Any) -> int:
        row = ContactPoint(
            company_id=self.company,
            user_id=user or self.seller,
            channel=channel,
            address=address,
            keys=more.pop("keys", {}),
            created_at=NOW,
            **more,
        )
        session.add(row)
        session.flush()
        return row.id

    def offered(self, session: Session, now: datetime = NOW, **more: Any) -> Alert:
        """The alert of the offer."""
        offer = session.get_one(Offer, self.offer)
        given: dict[str, Any] = {
            "kind": "lead_offered", "user_id": self.seller, "company_id": self.company, "now": now,
            "facts": alerts.facts_of(session, session.get_one(Assignment, self.assignment), offer=offer),
            "conversation_id": self.talk, "lead_id": self.lead, "assignment_id": self.assignment, "offer_id": self.offer,
        }  # fmt: skip
        return alerts.raise_alert(session, **given | more)


def seed(session: Session) -> Stage:
    company = Company(name="Andina", country="CO", currency="COP", timezone="America/Bogota", created_at=NOW)
    session.add(company)
    session.flush()
    mine = {"company_id": company.id, "created_at": NOW}
    people = [
        User(email=f"{name.lower()}@andina.co", name=f"{name} Torres", role=role, password_hash="-", totp_last_step=0, **mine)
        for name, role in (("Camilo", "seller"), ("Valeria", "manager"))
    ]
    number = Number(
        channel="whatsapp", external_id="1", display="+57 601 1", name="Andina Bogotá", bot_name="Luna", dialog="electronics",
        hours={}, alert_template="aviso", **mine,
    )  # fmt: skip
    person = Person(name="Ana Ruiz", phone="+573001234567", language="es", **mine)
    team = Team(name="Ventas", **mine)
    session.add_all([*people, number, person, team])
    session.flush()
    reasons = [{"points": 40, "because": "lo necesita hoy"}, {"points": 30, "because": "presupuesto alto"}]
    talk = Conversation(number_id=number.id, person_id=person.id, recipient={"phone": "573001234567"}, reasons=[], **mine)
    session.add(talk)
    session.flush()
    lead = Lead(
        person_id=person.id, conversation_id=talk.id, number_id=number.id, interest="electronics", stage="new", complete=True,
        answers=[{"question": "need", "label": "Busca", "value": "10", "shown": "10 portátiles"}], score=70, priority="hot",
        reasons=reasons, source="organic", updated_at=NOW, **mine,
    )  # fmt: skip
    session.add(lead)
    session.flush()
    hand = Assignment(
        conversation_id=talk.id, person_id=person.id, number_id=number.id, team_id=team.id, lead_id=lead.id,
        user_id=people[0].id, state="offered", reason="finished", priority="hot", interest="electronics", language="es",
        why={"because": "next"}, **mine,
    )  # fmt: skip
    session.add(hand)
    session.flush()
    offer = Offer(
        company_id=company.id, assignment_id=hand.id, user_id=people[0].id, state="offered", cost=1, offered_at=NOW,
        expires_at=NOW + timedelta(minutes=3),
    )  # fmt: skip
    session.add(offer)
    body = {"id": new_id(), "channel": "whatsapp", "body": b"", "state": "split", "received_at": NOW}
    inbox.add_bodies(session, [body])
    session.flush()
    said = [
        {
            "id": new_id(), "company_id": company.id, "body_id": body["id"], "conversation_id": talk.id, "channel": "whatsapp",
            "external_id": words, "kind": "text", "text": words, "payload": "{}", "at": NOW, "received_at": NOW, "state": "done",
        }
        for words in ("Hola", "¿Tienen <b>portátiles</b> hoy?")
    ]  # fmt: skip
    inbox.add_messages(session, session.get_bind().dialect.name, said)
    return Stage(company.id, people[0].id, people[1].id, talk.id, lead.id, hand.id, offer.id)


@pytest.fixture
async def stage(database: Database) -> Stage:
    return await database.write(seed)


@pytest.fixture
async def small(sqlite: Database) -> Stage:
    return await sqlite.write(seed)


async def deliveries_of(database: Database) -> list[Delivery]:
    return await database.read(lambda session: list(session.scalars(select(Delivery).order_by(Delivery.id))))


@dataclass
class MailHost:
    """A mail server that can be told to refuse or to stall."""

    port: int = 0
    got: list[Envelope] = field(default_factory=list)
    log_ins: list[Any] = field(default_factory=list)
    lets_in: bool = True
    at_rcpt: Callable[[str], str] = lambda _: "250 OK"
    at_data: str = "250 OK"
    stalls: asyncio.Event | None = None
    """Set it to let a stalled server go on."""
    keeps: bool = True
    """Whether a stalled message is kept before the stall: taken, but never answered."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        answer = self.at_rcpt(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.at_data.startswith("250") and (self.stalls is None or self.keeps):
            self.got.append(envelope)
        if self.stalls is not None:
            await self.stalls.wait()
        return self.at_data


@pytest.fixture
async def mail_host() -> AsyncIterator[MailHost]:
    host = MailHost()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(host, hostname="localhost"), "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    yield host
    if host.stalls is not None:
        host.stalls.set()
    server.close()
    await server.wait_closed()

"""A company whose people chat with the bot: two sellers, a manager, prospects; and a player of their transcripts.

`> ` somebody of ours writes (`> [Title]` presses the newest such button, `> (Ana Ruiz) words` answers the alert about her), `< `
what they are told (`<   ` goes on, `< [Title | description]` are buttons and rows), `! ` what a prospect is sent, `# ` a comment;
`@ carla` whose phone it is from here on, `@ +20m` time passes, `@ offer Ana Ruiz` a lead is offered to them, `@ Ana Ruiz: words`
a prospect writes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import staff_chat
from bot.channels.base import Choices, Inbound, Sender
from bot.staff.desk import Reply
from bot.staff.ear import Ear
from crm_bridge.assignment import opening, sellers, service
from data.inbox import RANK
from data.session import Database, connect
from data.tables import (
    Alert,
    Assignment,
    Company,
    ContactPoint,
    Conversation,
    Delivery,
    InboxMessage,
    Lead,
    Number,
    Offer,
    OutboxMessage,
    Person,
    User,
    WebhookBody,
)
from notifications import alerts

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
"""A Tuesday, ten in the morning in Bogotá."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
BUTTONS = {"accept": "Acepto", "pass": "Paso"}
"""Of an alert, as bot/alerting.py shows them."""
STAFF = {"carla": ("Carla Mejía", "seller"), "camilo": ("Camilo Duarte", "seller"), "german": ("Germán Rojas", "manager")}


@dataclass
class Chat:
    """The rows by name, and one turn at a time."""

    database: Database
    ear: Ear
    now: datetime = START
    company: int = 0
    other: int = 0
    number: int = 0
    users: dict[str, int] = field(default_factory=dict)
    talks: dict[str, int] = field(default_factory=dict)
    """Conversations, of our own people and of prospects, by name."""
    shown: dict[tuple[str, str], str] = field(default_factory=dict)
    """The id of a button by whom it was shown to and its title."""
    _serial: Any = field(default_factory=lambda: count(1))

    async def do(self, work: Callable[[Session], Any], company: int | None = None) -> Any:
        return await self.database.write(work, company=company or self.company)

    async def rows(self, table: Any, *where: Any) -> Any:
        """The company's, unless another's is asked for by its id."""
        mine = [] if where else [table.company_id == self.company]
        return await self.database.read(
            lambda session: list(session.scalars(select(table).where(*mine, *where).order_by(table.id)))
        )

    # ------------------------------------------------------------------------------------------------------- rows
    def seed(self, session: Session) -> None:
        companies = [
            Company(name=name, country="CO", currency="COP", timezone="America/Bogota", created_at=START)
            for name in ("Andina", "Boreal")
        ]
        session.add_all(companies)
        session.flush()
        self.company, self.other = (company.id for company in companies)
        numbers = [
            Number(
                company_id=company.id, channel="whatsapp", external_id=f"10{company.id}", display="+57 301",
                name=f"Tecno {company.name}", bot_name="Luna", dialog="electronics", hours={}, created_at=START,
            )
            for company in companies
        ]  # fmt: skip
        session.add_all(numbers)
        session.add(WebhookBody(channel="whatsapp", body=b"{}", state="split", received_at=START))
        session.flush()
        self.number = numbers[0].id
        for name, (full, role) in STAFF.items():
            user = User(
                company_id=self.company,
                email=f"{name}@{self.company}.co",
                name=full,
                role=role,
                password_hash="x",
                created_at=START,
            )
            session.add(user)
            session.flush()
            self.users[name] = user.id
            self.talks[name] = self._talk(session, full, f"57310000000{user.id % 10}", user_id=user.id).id
        sellers.first_team(session, self.company, START)
        for name, phone, priority, score in (
            ("Ana Ruiz", "573001234567", "hot", 80),
            ("Ana Torres", "573009876543", "warm", 40),
            ("Luis Ñáñez", "573005550000", "cold", 10),
        ):
            self.prospect(session, name, phone, priority, score)
        foreign = Person(company_id=self.other, name="Pedro Ajeno", created_at=START)
        session.add(foreign)
        session.flush()
        talk = Conversation(
            company_id=self.other,
            number_id=numbers[1].id,
            person_id=foreign.id,
            recipient={},
            reasons=[],
            last_in_at=START,
            created_at=START,
        )
        session.add(talk)
        session.flush()
        self.talks["Pedro Ajeno"] = talk.id

    def _talk(self, session: Session, name: str, phone: str, user_id: int | None = None, **given: Any) -> Conversation:
        person = Person(company_id=self.company, name=name, phone=f"+{phone}", user_id=user_id, created_at=START)
        session.add(person)
        session.flush()
        talk = Conversation(
            company_id=self.company, number_id=self.number, person_id=person.id, recipient={"phone": phone}, reasons=[],
            created_at=START, **given,
        )  # fmt: skip
        session.add(talk)
        session.flush()
        return talk

    def prospect(self, session: Session, name: str, phone: str = "573000000001", priority: str = "warm", score: int = 40) -> None:
        talk = self._talk(
            session, name, phone, priority=priority, score=score, last_in_at=START - timedelta(minutes=5), owner="queued"
        )
        session.add(
            Lead(
                company_id=self.company, person_id=talk.person_id, conversation_id=talk.id, number_id=self.number,
                interest="electronics", stage="new", complete=True, score=score, priority=priority, source="organic",
                answers=[{"question": "need", "label": "Necesita", "value": "x", "shown": "20 portátiles"}],
                reasons=[{"points": score, "because": "lo necesita hoy"}], created_at=START, updated_at=START,
            )
        )  # fmt: skip
        session.flush()
        self.talks[name] = talk.id
        row = {column.key: getattr(talk, column.key) for column in talk.__table__.columns}
        team = sellers.first_team(session, self.company, START)
        wanted = {"reason": "finished", "interest": "electronics", "language": "es"}
        opening.open_all(session, [opening.opened(row, team_id=team, now=START, **wanted)])

    async def offer(self, name: str, to: str) -> int:
        """A prospect's lead is offered to one of ours, who is alerted in their chat; returns the alert."""
        return await self.do(partial(self._offer, name=name, to=to))

    def _offer(self, session: Session, name: str, to: str) -> int:
        row = service.current(session, self.talks[name])
        assert row is not None
        offer = Offer(
            company_id=self.company, assignment_id=row.id, user_id=self.users[to], state="offered", cost=0, offered_at=self.now,
            expires_at=self.now + timedelta(minutes=3),
        )  # fmt: skip
        row.state, row.user_id, row.due_at, row.offered_at = "offered", self.users[to], offer.expires_at, self.now
        session.add(offer)
        session.flush()
        point = self._point(session, to)
        alert = alerts.raise_alert(
            session, kind="lead_offered", user_id=self.users[to], company_id=self.company, facts=alerts.Facts(name=name),
            now=self.now, conversation_id=row.conversation_id, assignment_id=row.id, offer_id=offer.id,
        )  # fmt: skip
        sent = OutboxMessage(
            company_id=self.company, number_id=self.number, conversation_id=self.talks[to], channel="whatsapp", recipient={},
            kind="choices", text=name, payload="{}", state="sent", rank=RANK["sent"], due_at=self.now,
            external_id=f"wamid.alert.{self.company}.{name}", created_at=self.now,
        )  # fmt: skip
        session.add(sent)
        session.flush()
        told = session.scalars(select(Delivery).where(Delivery.alert_id == alert.id, Delivery.contact_point_id == point.id)).one()
        told.outbox_id, told.state, told.rank = sent.id, "sent", RANK["sent"]
        session.flush()
        self.shown |= {(to, title): f"alert:{alert.id}:{action}" for action, title in BUTTONS.items()}
        return alert.id

    def _point(self, session: Session, to: str) -> ContactPoint:
        point = session.scalar(
            select(ContactPoint).where(ContactPoint.user_id == self.users[to], ContactPoint.channel == "whatsapp")
        )
        if point is None:
            point = ContactPoint(
                company_id=self.company, user_id=self.users[to], channel="whatsapp", address=f"{self.users[to]}", keys={},
                conversation_id=self.talks[to], created_at=START,
            )  # fmt: skip
            session.add(point)
            session.flush()
        return point

    async def writes(self, name: str, words: str) -> None:
        """A prospect writes."""

        def work(session: Session) -> None:
            talk = session.get_one(Conversation, self.talks[name])
            talk.last_in_at, talk.unread, talk.preview = self.now, talk.unread + 1, words
            self._store(
                session,
                talk.id,
                Inbound("whatsapp", "1", f"in.{self.company}.{next(self._serial)}", Sender(), self.now, "text", words),
            )

        await self.do(work)

    def _store(self, session: Session, talk: int, message: Inbound) -> int:
        body = session.scalars(select(WebhookBody.id)).first()
        row = InboxMessage(
            company_id=self.company, body_id=body, conversation_id=talk, channel="whatsapp", external_id=message.external_id,
            kind=message.kind, text=message.text, payload="{}", at=self.now, received_at=self.now, state="done",
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id

    # ------------------------------------------------------------------------------------------------------- turns
    async def say(
        self, who: str, words: str = "", *, choice: str | None = None, about: str | None = None, kind: Any = "text"
    ) -> str:
        """What they are told, as a transcript has it."""
        turn = await self.turn(who, words, choice=choice, about=about, kind=kind)
        if turn is None:
            return "-"
        for reply in turn.replies:
            self.shown |= {(who, each.title): each.id for each in (reply.options if isinstance(reply, Choices) else ())}
        return "\n".join(_told(reply) for reply in turn.replies)

    async def turn(
        self, who: str, words: str, *, choice: str | None = None, about: str | None = None, kind: Any = "text"
    ) -> staff_chat.StaffTurn | None:
        kind = "button" if choice else kind
        message = Inbound(
            "whatsapp", "1", f"in.{self.company}.{next(self._serial)}", Sender(), self.now, kind, words, choice, about=about
        )
        turn: staff_chat.StaffTurn | None = await self.database.write(partial(self._turn, who=who, message=message))
        return turn

    def _turn(self, session: Session, who: str, message: Inbound) -> staff_chat.StaffTurn | None:
        talk = session.get_one(Conversation, self.talks[who])
        row = {c.key: getattr(talk, c.key) for c in talk.__table__.columns}
        row["user_id"] = session.scalars(select(Person.user_id).where(Person.id == talk.person_id)).one()
        source = self._store(session, talk.id, message)
        turn = staff_chat.hear(session, row, [(source, message)], self.now, self.ear)
        if turn is not None:
            session.execute(update(Conversation).where(Conversation.id == talk.id).values(turn.row or {"unread": 0}))
            session.flush()
        return turn

    async def press(self, who: str, title: str) -> str:
        return await self.say(who, title, choice=self.shown[who, title])

    async def owner(self, name: str) -> tuple[str, int | None]:
        (talk,) = await self.rows(Conversation, Conversation.id == self.talks[name])
        return talk.owner, talk.owner_id

    async def hand(self, name: str) -> Assignment:
        found = await self.rows(Assignment, Assignment.conversation_id == self.talks[name])
        return found[-1]

    async def play(self, transcript: str) -> str:
        who, lines, sent = "carla", [], 0
        for line in transcript.splitlines():
            mark, rest = line[:2].strip(), line[2:]
            if mark in ("<", "!"):
                continue
            lines.append(line)
            if mark == "@":
                if passed := re.fullmatch(r"\+(\d+)([mhd])", rest):
                    self.now += timedelta(**{_UNITS[passed[2]]: int(passed[1])})
                elif rest in STAFF:
                    who = rest
                elif rest.startswith("offer "):
                    await self.offer(rest.removeprefix("offer "), who)
                else:
                    await self.writes(*rest.split(": ", 1))
            if mark == ">":
                quoted = re.fullmatch(r"\((.+?)\) (.+)", rest)
                pressed = re.fullmatch(r"\[(.+)\]", rest)
                if pressed:
                    told = await self.press(who, pressed[1])
                elif quoted:
                    told = await self.say(who, quoted[2], about=f"wamid.alert.{self.company}.{quoted[1]}")
                else:
                    told = await self.say(who, rest.replace("\\n", "\n"))
                lines += told.splitlines()
                written = await self.rows(OutboxMessage, OutboxMessage.author_id.in_(self.users.values()))
                names = {talk: name for name, talk in self.talks.items()}
                for row in written[sent:]:
                    lines += f"! {names[row.conversation_id]}: {row.text}".replace("\n", "\n!   ").splitlines()
                sent = len(written)
        return "\n".join(lines) + "\n"


def _told(reply: Reply) -> str:
    first, *more = reply.body.split("\n")
    lines = [f"< {first}", *(f"<   {line}".rstrip() for line in more)]
    if isinstance(reply, Choices):
        lines += [f"< [{' | '.join(filter(None, (option.title, option.description)))}]" for option in reply.options]
    return "\n".join(lines)


async def _open(url: str, ear: Ear) -> AsyncIterator[Chat]:
    database = connect(url)
    made = Chat(database, ear)
    await database.write(made.seed)
    yield made
    await database.close()


@pytest.fixture
async def chat(sqlite_url: str, ear: Ear) -> AsyncIterator[Chat]:
    """For what no database makes a difference to."""
    async for made in _open(sqlite_url, ear):
        yield made


@pytest.fixture
async def any_chat(database_url: str, ear: Ear) -> AsyncIterator[Chat]:
    """On SQLite and on PostgreSQL."""
    async for made in _open(database_url, ear):
        yield made


@pytest.fixture
async def chats(postgres_url: str, ear: Ear) -> AsyncIterator[Callable[[], Any]]:
    """Companies of the same people, all in one database."""
    database = connect(postgres_url)

    async def another() -> Chat:
        made = Chat(database, ear)
        await database.write(made.seed)
        return made

    yield another
    await database.close()


@pytest.fixture
def alert_of(any_chat: Chat) -> Callable[[int], Any]:
    async def find(alert_id: int) -> Alert:
        (row,) = await any_chat.rows(Alert, Alert.id == alert_id)
        return row

    return find

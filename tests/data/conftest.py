"""Databases as the tests of this folder want them, and a company that talks with people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from data import inbox, outbox
from data.session import Database, connect
from data.tables import Company, Number, Person
from data.types import new_id

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = connect(database_url)
    yield opened
    await opened.close()


@dataclass
class Shop:
    """A company with two numbers; people who write to them are made as they are wanted."""

    company: int
    numbers: list[int]

    def talk(self, session: Session, number: int = 0) -> int:
        """A new person's conversation with one of the numbers."""
        person = Person(company_id=self.company, created_at=NOW)
        session.add(person)
        session.flush()
        row = {
            "id": new_id(), "company_id": self.company, "number_id": self.numbers[number], "person_id": person.id,
            "recipient": {"phone": "57300"}, "reasons": [], "referral": None, "created_at": NOW,
        }  # fmt: skip
        inbox.add_conversations(session, session.get_bind().dialect.name, [row])
        return row["id"]

    def hears(self, session: Session, talk: int, count: int) -> list[int]:
        """Unanswered messages in a conversation."""
        body = {"id": new_id(), "channel": "whatsapp", "body": b"", "state": "split", "received_at": NOW}
        inbox.add_bodies(session, [body])
        rows = [
            {
                "id": new_id(), "company_id": self.company, "body_id": body["id"], "conversation_id": talk, "channel": "whatsapp",
                "external_id": f"{talk}.{new_id()}", "kind": "text", "text": "", "payload": "{}", "at": NOW, "received_at": NOW,
                "state": "new",
            }
            for _ in range(count)
        ]  # fmt: skip
        inbox.add_messages(session, session.get_bind().dialect.name, rows)
        return [row["id"] for row in rows]

    def says(self, session: Session, talks: Sequence[int], number: int = 0, **more: Any) -> list[int]:
        """A queued message to each of these conversations."""
        row = {
            "company_id": self.company, "number_id": self.numbers[number], "channel": "whatsapp", "recipient": {}, "kind": "text",
            "text": "", "payload": "{}", "state": "queued", "rank": 0, "due_at": NOW, "created_at": NOW,
        }  # fmt: skip
        rows = [row | {"id": new_id(), "conversation_id": talk} | more for talk in talks]
        outbox.add(session, rows)
        return [row["id"] for row in rows]


@pytest.fixture
async def shop(database: Database) -> Shop:
    def seed(session: Session) -> Shop:
        company = Company(name="Una", country="CO", currency="COP", timezone="America/Bogota", created_at=NOW)
        session.add(company)
        session.flush()
        numbers = [
            Number(
                company_id=company.id, channel="whatsapp", external_id=str(each), display="1", name="Una", bot_name="Luna",
                dialog="form", hours={}, created_at=NOW,
            )
            for each in range(2)
        ]  # fmt: skip
        session.add_all(numbers)
        session.flush()
        return Shop(company.id, [number.id for number in numbers])

    return await database.write(seed)

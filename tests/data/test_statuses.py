"""What became of a message: the same in the end, whatever order it is told in, and however often."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from data import inbox, outbox
from data.session import Database, connect
from data.tables import Company, Conversation, DeliveryStatus, Number, Person
from data.types import new_id

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
WAMID = "wamid.1"
Told = tuple[str, ...]


@dataclass
class Talk:
    """A loop and a database of its own, as Hypothesis calls plain functions."""

    runner: asyncio.Runner
    database: Database
    row: dict[str, Any]

    def after(self, told: Told) -> dict[str, Any]:
        """What the row of a new message says after these: a status, `+` one without our own id, or our own `record: …`."""

        def work(session: Session) -> dict[str, Any]:
            message = self.row | {"id": new_id()}
            wamid = f"{WAMID}.{message['id']}"
            outbox.add(session, [message])
            for what in told:
                if what.startswith("record: "):
                    state = what.removeprefix("record: ")
                    accepted = {"message": wamid, "sent": NOW} if state == "sent" else {"problem": "no answer"}
                    outbox.record(session, [outbox.result(message["id"], state, 1, **accepted)])
                else:
                    inbox.merge_statuses(session, self.database.dialect, [_status(message["id"], wamid, what)])
            (found,) = outbox.by_id(session, [message["id"]])
            kept = {name: found[name] for name in ("state", "rank", "external_id", "error_code", "error", "sent_at", "tries")}
            count = session.query(DeliveryStatus).where(DeliveryStatus.external_id == wamid).count()
            return kept | {"external_id": found["external_id"] and WAMID, "statuses": count}

        return self.runner.run(self.database.write(work))


def _status(outbox_id: int, wamid: str, name: str) -> dict[str, Any]:
    known, failed = not name.startswith("+"), name.endswith("failed")
    return {
        "id": new_id(), "channel": "whatsapp", "external_id": wamid, "status": name.removeprefix("+"),
        "outbox_id": outbox_id if known else None, "code": 131026 if failed else None, "detail": "no" if failed else None,
        "at": NOW,
    }  # fmt: skip


@pytest.fixture
def talk(database_url: str) -> Iterator[Talk]:
    def seed(session: Session) -> dict[str, Any]:
        company = Company(name="Una", country="CO", currency="COP", timezone="America/Bogota", created_at=NOW)
        session.add(company)
        session.flush()
        number = Number(
            company_id=company.id, channel="whatsapp", external_id="1", display="1", name="Una", bot_name="Luna", dialog="form",
            hours={}, created_at=NOW,
        )  # fmt: skip
        person = Person(company_id=company.id, created_at=NOW)
        session.add_all([number, person])
        session.flush()
        talk = Conversation(
            company_id=company.id, number_id=number.id, person_id=person.id, recipient={}, reasons=[], created_at=NOW
        )
        session.add(talk)
        session.flush()
        return {
            "company_id": company.id, "number_id": number.id, "conversation_id": talk.id, "channel": "whatsapp", "recipient": {},
            "kind": "text", "text": "", "payload": "{}", "state": "queued", "rank": 0, "tries": 0, "due_at": NOW,
            "created_at": NOW,
        }  # fmt: skip

    with asyncio.Runner() as runner:
        database = connect(database_url)
        yield Talk(runner, database, runner.run(database.write(seed)))
        runner.run(database.close())


NAMES = ("sent", "delivered", "read", "played", "failed")
ORDERS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=ORDERS, data=st.data())
def test_any_order_of_statuses_ends_the_same(talk: Talk, told: list[str], data: st.DataObject) -> None:
    """Also with our own record of the sending anywhere among them, and with statuses that came twice."""
    rising = tuple(sorted(set(told), key=inbox.RANK.__getitem__))
    wanted = talk.after(("record: sent", *rising))
    assert wanted["state"] == rising[-1]
    assert wanted["statuses"] == len(rising)
    mixed = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told), max_size=3)), "record: sent"]))
    assert talk.after(tuple(mixed)) == wanted


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=ORDERS, data=st.data())
def test_a_sending_without_an_answer_is_settled_by_its_statuses(talk: Talk, told: list[str], data: st.DataObject) -> None:
    """ "Uncertain" may be written after the status that settled it."""
    rising = tuple(sorted(set(told), key=inbox.RANK.__getitem__))
    wanted = talk.after(("record: uncertain", *rising))
    mixed = data.draw(st.permutations([*told, "record: uncertain"]))
    assert talk.after(tuple(mixed)) == wanted
    assert wanted["error"] == ("no" if rising[-1] == "failed" else None)


def test_a_status_without_our_id_is_known_by_the_message(talk: Talk) -> None:
    assert talk.after(("record: sent", "+delivered"))["state"] == "delivered"
    assert talk.after(("+delivered",))["state"] == "queued"

"""Two companies with people, talks and leads, and a browser to look at their pages with."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient
from sqlalchemy.orm import Session

import bot.web
from bot.alerting import Alerting
from bot.channels.base import Inbound, Media, Sender, Text
from bot.clock import Clock
from bot.cluster import Cluster
from bot.handover import Handover
from bot.keys import CLOCK, DATABASE, FLOWS, LIVE, NUMBERS, SERVICE, SETTINGS, WRITER
from bot.live import Live
from bot.numbers import Numbers
from bot.service import Service
from bot.settings import load as load_settings
from bot.web import preview
from bot.webhook import LIMIT
from bot.writer import Writer
from crm_bridge.companies import rules
from data.session import connect
from data.tables import (
    Company,
    Consent,
    Conversation,
    Event,
    Identity,
    InboxMessage,
    Lead,
    MediaFile,
    Number,
    OutboxMessage,
    Person,
    User,
    WebhookBody,
)
from dialogs import engine
from dialogs.loader import load_folder
from dialogs.model import Answer, State
from nlu.engine import load as load_nlu
from nlu.understanding import Nlu

PASSWORD = "un café con leche"
HASH = rules.hash_password(PASSWORD)


@dataclass
class Site:
    """The application with its rows' ids: `ids[company][what]`."""

    app: web.Application
    client: Callable[[], Awaitable[TestClient[web.Request, web.Application]]]
    media: Path
    ids: dict[str, dict[str, int]] = field(default_factory=dict)

    async def browser(self, email: str | None = None) -> Browser:
        """A browser of its own, logged in as somebody."""
        browser = Browser(await self.client())
        if email is not None:
            answer = await browser.log_in(email)
            assert answer.status == 200, await answer.text()
        return browser

    async def write(self, work: Callable[[Session], Any], company: str = "una") -> Any:
        return await self.app[DATABASE].write(work, company=self.ids[company]["company"])

    async def read(self, work: Callable[[Session], Any], company: str = "una") -> Any:
        return await self.app[DATABASE].read(work, company=self.ids[company]["company"])


@dataclass
class Browser:
    client: TestClient[web.Request, web.Application]
    token: str = ""

    async def get(self, path: str, status: int = 200, **options: Any) -> str:
        answer = await self.client.get(path, **options)
        text = await answer.text()
        assert answer.status == status, (path, answer.status, text[:300])
        if found := re.search(r'"X-CSRF-Token": "(\w+)"', text):
            self.token = found[1]
        return text

    async def post(self, path: str, form: Any = None, **options: Any) -> ClientResponse:
        return await self.client.post(path, data=form or {}, headers={"X-CSRF-Token": self.token}, **options)

    async def log_in(self, email: str, password: str = PASSWORD) -> ClientResponse:
        await self.get("/login")
        answer = await self.post("/login", {"email": email, "password": password})
        if found := re.search(r'"X-CSRF-Token": "(\w+)"', await answer.text()):
            self.token = found[1]
        return answer


@pytest.fixture(scope="session")
def understanding() -> Nlu:
    return load_nlu()


@pytest.fixture
def address(sqlite_url: str) -> str:
    """The database; test_web_pages.py, where the queries are, takes both kinds."""
    return sqlite_url


@pytest.fixture
def writer() -> Writer | None:
    """The writing assistant; test_writing.py, where it is asked, has a real one."""
    return Mute()


class Mute:
    host = "writer.example"

    async def write(self, instruction: str, data: str) -> str:
        raise AssertionError("nobody asked for a draft")


@pytest.fixture
async def site(
    address: str, tmp_path: Path, aiohttp_client: AiohttpClient, understanding: Nlu, writer: Writer | None
) -> AsyncIterator[Site]:
    app = web.Application(client_max_size=LIMIT)
    if writer is not None:
        app[WRITER] = writer
    app[SETTINGS] = load_settings(_env_file=None, database_url=address, secret_key="s" * 40, media_dir=tmp_path)
    app[DATABASE] = connect(address)
    app[CLOCK], app[LIVE], app[FLOWS] = Clock(), Live(), load_folder()
    app[NUMBERS] = Numbers(app[FLOWS], understanding, "")
    app[preview.NLU] = understanding
    app[SERVICE] = service = Service(app[SETTINGS], app[DATABASE], app[NUMBERS], {}, app[CLOCK], app[LIVE])
    service.cluster = Cluster(app[DATABASE], app[CLOCK], (), lambda: None)
    service.alerting = Alerting(app[SETTINGS], app[DATABASE], app[CLOCK], service.cluster, service.on_said)
    service.handover = Handover(app[DATABASE], app[NUMBERS], app[CLOCK], service.on_said, service.on_changed)
    bot.web.setup(app)
    server = (await aiohttp_client(app)).server

    async def client() -> Any:
        return await aiohttp_client(server)

    site = Site(app, client, tmp_path)
    site.ids = await app[DATABASE].write(lambda session: {name: seed(session, name, app[CLOCK]) for name in ("una", "otra")})
    await app[NUMBERS].reload(app[DATABASE])
    yield site
    await service.alerting.drain(0)
    await app[DATABASE].close()


def seed(session: Session, name: str, clock: Clock) -> dict[str, int]:
    """One company: a user of each role (admin@una.co …), a number, a person who wrote, and a lead."""
    now = clock.now()

    def add(row: Any) -> int:
        session.add(row)
        session.flush()
        return int(row.id)

    company = add(Company(name=name, country="CO", currency="COP", timezone="America/Bogota", writer=True, created_at=now))
    of = {"company_id": company}
    users = {
        role: add(User(**of, email=f"{role}@{name}.co", name=f"{role} {name}", role=role, password_hash=HASH, created_at=now))
        for role in rules.ROLES
    }
    number = add(
        Number(
            **of,
            channel="whatsapp",
            external_id=f"id-{name}",
            display="+57 301 555 0101",
            name=f"Tienda {name}",
            bot_name="Sofía",
            dialog="electronics",
            hours={},
            created_at=now,
        )
    )
    person = add(Person(**of, name=f"Ana de {name}", phone="+573001112233", profile_name="Ana", created_at=now))
    add(Identity(**of, person_id=person, kind="phone", value="573001112233", created_at=now))
    add(Consent(**of, person_id=person, purpose="marketing", granted=True, words="ALTA", source="whatsapp:1", at=now))
    state = State(dialog="electronics", answers={"need": Answer("un portátil", "un portátil")}, asked="buyer")
    talk = add(
        Conversation(
            **of,
            number_id=number,
            person_id=person,
            recipient={"phone": "573001112233"},
            state=engine.state_to_json(state),
            score=70,
            priority="hot",
            reasons=[{"points": 70, "because": "lo necesita hoy"}],
            preview="¿lo tienen?",
            unread=1,
            last_in_at=now - timedelta(hours=1),
            created_at=now,
        )
    )
    body = add(WebhookBody(channel="whatsapp", body=b"{}", state="split", received_at=now))
    received = Inbound(
        channel="whatsapp",
        number=f"id-{name}",
        external_id=f"in-{name}",
        sender=Sender(phone="573001112233"),
        at=now,
        kind="image",
        text=f"secreto de {name} <b>",
        media=Media(id="m"),
    )
    message = add(
        InboxMessage(
            **of,
            body_id=body,
            conversation_id=talk,
            channel="whatsapp",
            external_id=received.external_id,
            kind="image",
            text=received.text,
            payload=msgspec.json.encode(received).decode(),
            at=now,
            received_at=now,
            state="done",
        )
    )
    media = add(
        MediaFile(
            **of,
            message_id=message,
            number_id=number,
            external_id="m",
            mime="image/png",
            path="a.png",
            state="fetched",
            due_at=now,
        )
    )
    sent = Text("¡Hola!")
    add(
        OutboxMessage(
            **of,
            number_id=number,
            conversation_id=talk,
            channel="whatsapp",
            recipient={"phone": "573001112233"},
            kind="text",
            text=sent.body,
            payload=msgspec.json.encode(sent).decode(),
            state="failed",
            rank=4,
            error_code=131047,
            due_at=now,
            external_id=f"out-{name}",
            created_at=now,
        )
    )
    lead = add(
        Lead(
            **of,
            person_id=person,
            conversation_id=talk,
            number_id=number,
            interest="electronics",
            stage="new",
            complete=True,
            answers=[{"question": "need", "label": "Busca", "value": "x", "shown": "un portátil"}],
            score=70,
            priority="hot",
            reasons=[{"points": 70, "because": "lo necesita hoy"}],
            source="ad",
            referral={"headline": "Portátiles"},
            created_at=now,
            updated_at=now,
        )
    )
    add(
        Event(
            **of,
            kind="LeadRegistered",
            person_id=person,
            lead_id=lead,
            payload={"interest": "electronics", "priority": "hot"},
            at=now,
        )
    )
    return {"company": company, "number": number, "person": person, "talk": talk, "media": media, "lead": lead, **users}

"""The whole service with a local WhatsApp before it: real HTTP, real signatures, a real database."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.app import MODELS, make_app
from bot.clock import Clock
from bot.cluster import roles_of
from bot.keys import SERVICE
from bot.service import Service
from bot.settings import load as load_settings
from bot.simulator import cloud_api
from bot.simulator.network import Network
from bot.simulator.people import Person
from bot.simulator.webhooks import body, signature
from bot.staff.ear import Ear
from bot.transcription import Transcriber
from data import outbox
from data.session import Database, connect
from data.tables import Base, Company, Number, WebhookBody
from dialogs.loader import Dialog, load_folder
from nlu.engine import Engine
from nlu.engine import load as load_nlu

Json = dict[str, Any]
Row = TypeVar("Row", bound=Base)
SECRET, TOKEN = "app-secret", "local-token"
WABA, OTHER_WABA = "200000000000001", "200000000000002"
FIRST, SECOND, FOREIGN = "100000000000001", "100000000000002", "100000000000003"
"""Two numbers of one company, with two dialogs, and a number of another company."""
_message_ids = count(1)


def seed(session: Session) -> None:
    """Two companies, three numbers."""
    now = Clock().now()
    companies = [
        Company(name=name, country="CO", currency="COP", timezone="America/Bogota", created_at=now)
        for name in ("Andina", "Boreal")
    ]
    session.add_all(companies)
    session.flush()
    for company, external, account, dialog in (
        (companies[0], FIRST, WABA, "form"),
        (companies[0], SECOND, WABA, "quote"),
        (companies[1], FOREIGN, OTHER_WABA, "form"),
    ):
        number = Number(
            company_id=company.id, channel="whatsapp", external_id=external, account=account, display=f"+57 601 {external}",
            name=f"{company.name} {dialog}", bot_name="Luna", dialog=dialog, hours={}, rate=1000, template="seguimos",
            created_at=now,
        )  # fmt: skip
        session.add(number)


@dataclass
class Shop:
    """A running service, the WhatsApp around it, and a look at its rows."""

    service: Service
    database: Database
    network: Network
    http: aiohttp.ClientSession
    url: str
    first: str = FIRST
    second: str = SECOND
    foreign: str = FOREIGN

    def person(self, name: str = "Ana Ruiz", phone: str | None = "+57 300 123 4567", bsuid: str | None = None) -> Person:
        return self.network.person(name, phone, bsuid)

    async def post(self, content: bytes | Json, secret: str = SECRET, **headers: str) -> int:
        """Post a webhook body with its signature; the HTTP status."""
        raw = content if isinstance(content, bytes) else body(WABA, "messages", content)
        headers = {"X-Hub-Signature-256": signature(secret, raw), "Content-Type": "application/json"} | headers
        async with self.http.post(self.url, data=io.BytesIO(raw), headers=headers) as answer:
            return answer.status

    async def rows(self, table: type[Row], *where: Any) -> list[Row]:
        return await self.database.read(lambda session: list(session.scalars(select(table).where(*where).order_by(table.id))))

    async def bodies(self, words: str = "") -> list[WebhookBody]:
        """The stored bodies with messages, not those with statuses."""
        return [row for row in await self.rows(WebhookBody) if b'"statuses"' not in row.body and words.encode() in row.body]

    async def run_sql(self, *statements: str) -> None:
        for statement in statements:
            await self.database.write(lambda session, sql=statement: session.connection().exec_driver_sql(sql))

    def refusing(self, table: str, column: str, wanted: str) -> tuple[str, str]:
        """SQL that makes the database refuse new rows with this value, and SQL that ends it."""
        if self.database.dialect == "postgresql":
            check = f"CHECK ({column} <> '{wanted}') NOT VALID"
            return f"ALTER TABLE {table} ADD CONSTRAINT refused {check}", f"ALTER TABLE {table} DROP CONSTRAINT refused"
        when = f"WHEN NEW.{column} = '{wanted}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        return f"CREATE TRIGGER refused BEFORE INSERT ON {table} {when}", "DROP TRIGGER refused"

    async def number(self, external_id: str = FIRST) -> Number:
        return (await self.rows(Number, Number.external_id == external_id))[0]

    async def settled(self) -> None:
        """Until all is answered, sent and told: no turn, no message and no webhook is on its way."""
        while True:
            await self.network.settled()
            await self.service.turns.drain(10)
            await asyncio.sleep(0.01)
            if self.service.tasks or self.service.sender.waiting or self.network.webhooks.waiting or self.service.turns.waiting:
                continue
            if not await self.database.read(outbox.waiting):
                return

    async def talk(self, person: Person, number: str, *said: str) -> list[str]:
        """Say one thing after the other, each when the last was answered; everything heard."""
        for text in said:
            before = len(person.heard(number))
            await person.say(number, text)
            await person.wait_for(number, before + 1)
        await self.settled()
        return [message.text for message in person.heard(number)]


OpenShop = Callable[..., Awaitable[Shop]]


@pytest.fixture(scope="session")
def nlu() -> Engine:
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory(), processors=[structlog.stdlib.render_to_log_kwargs])
    return load_nlu(MODELS)


@pytest.fixture(scope="session")
def ear() -> Ear:
    """What understands our own people beyond the rules, as `make_app` has it."""
    learnt = Ear(MODELS)
    learnt.learn()
    return learnt


@pytest.fixture(scope="session")
def flows() -> dict[str, Dialog]:
    return dict(load_folder(Path(__file__).parent / "flows"))


@pytest.fixture
async def open_shop(nlu: Engine, flows: dict[str, Dialog], tmp_path: Path) -> AsyncIterator[OpenShop]:
    """Open a shop on the database of an address, empty or already in use; settings as asked."""
    async with AsyncExitStack() as stack:

        async def open_one(
            database_url: str,
            *,
            backoff: float = 0.02,
            graph: str | None = None,
            roles: str = "",
            transcriber: Transcriber | None = None,
            **settings: Any,
        ) -> Shop:
            database = connect(database_url)
            if not await database.read(lambda session: session.scalar(select(Company.id).limit(1))):
                await database.write(seed)
            port = unused_port()
            home = f"http://127.0.0.1:{port}"
            given = {
                "database_url": database_url, "secret_key": "k" * 40, "public_url": home, "port": port, "debounce_ms": 20,
                "whatsapp_app_secret": SECRET, "whatsapp_verify_token": "verify-me", "whatsapp_token": TOKEN,
                "whatsapp_graph_url": graph or f"{home}/graph", "media_dir": tmp_path / "media", "reconcile_seconds": 0.3,
            }  # fmt: skip
            clock = Clock()
            network = Network(
                clock=clock, webhook_url=f"{home}/webhooks/whatsapp", app_secret=SECRET, token=TOKEN, first_retry=0.02
            )
            for number in await database.read(lambda session: list(session.scalars(select(Number)))):
                network.number(number.external_id, number.display, number.name, number.account, throughput=1000)
            for account in (WABA, OTHER_WABA):
                text = {"type": "BODY", "text": "[template] Hola {{1}}, ¿seguimos?"}
                network.templates.create(account, {"name": "seguimos", "language": "es", "components": [text]})

            def mount(app: web.Application) -> None:
                app.add_subapp("/graph", cloud_api.application(network))

            app = await make_app(
                load_settings(_env_file=None, **given | settings),
                clock,
                mount,
                backoff=backoff,
                flows=flows,
                engine=nlu,
                roles=roles_of([roles]),
                transcriber=transcriber,
            )
            stack.push_async_callback(database.close)
            await stack.enter_async_context(TestServer(app, port=port))
            await stack.enter_async_context(network)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            return Shop(app[SERVICE], database, network, http, f"{home}/webhooks/whatsapp")

        yield open_one


@pytest.fixture
async def shop(open_shop: OpenShop, sqlite_url: str) -> Shop:
    """For what no database makes a difference to."""
    return await open_shop(sqlite_url)


@pytest.fixture
async def any_shop(open_shop: OpenShop, database_url: str) -> Shop:
    """On SQLite and on PostgreSQL."""
    return await open_shop(database_url)


@pytest.fixture
def value() -> Callable[..., Json]:
    """The `value` of a webhook with messages of one person for one of our numbers."""

    def make(
        *messages: str | Json, phone: str | None = "573001234567", bsuid: str | None = None, number: str = FIRST, **more: Any
    ) -> Json:
        wire: Sequence[Json] = [
            {"id": f"wamid.{next(_message_ids)}", "timestamp": str(int(Clock().now().timestamp()))}
            | ({"from": phone} if phone else {})
            | ({"from_user_id": bsuid} if bsuid else {})
            | ({"type": "text", "text": {"body": message}} if isinstance(message, str) else message)
            for message in messages
        ]
        metadata = {"display_phone_number": "576015550101", "phone_number_id": number}
        return {"messaging_product": "whatsapp", "metadata": metadata, "messages": wire} | more

    return make

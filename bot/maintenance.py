"""What the operator asks for on the command line: migrate, seed, replay, stats, doctor, users."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import phonenumbers
from aiohttp import ClientError, ClientSession, ClientTimeout
from babel.numbers import list_currencies
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bot import rasa
from bot.channels.base import Channel
from bot.channels.rest import Rest
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.clock import Clock
from bot.intake import Intake
from bot.numbers import Numbers
from bot.settings import Settings
from bot.transcription import NoModel, whisper
from bot.writer import ChatCompletions
from crm_bridge.companies import rules, service
from data import schema
from data.inbox import BODIES, MESSAGES, OUTBOX, STATUSES
from data.seeds import seed_demo
from data.session import Database, connect
from data.tables import Company, Conversation, Lead, Number, Person, WebhookBody
from dialogs.loader import Dialog, load_folder
from nlu.engine import load as load_nlu
from nlu.meaning import installed
from nlu.rasa_http import NoAnswer, opinion, question
from nlu.understanding import Nlu

console = Console(stderr=True)


_WHY: dict[type[rules.Refusal], str] = {
    rules.EmailTaken: "somebody has this e-mail address already",
    rules.NotAnEmail: "this cannot be an e-mail address",
    rules.NameMissing: "--name: a name is needed",
    rules.WrongRole: "--role: there is admin, manager, seller",
}


class Refused(Exception):
    """What was asked cannot be done as it was asked; the message says why and what to do."""


@asynccontextmanager
async def open_database(settings: Settings, *, at_head: bool = True) -> AsyncIterator[Database]:
    """The settings' database, closed at the end. Refused when it is not at the revision that this version works with."""
    database = connect(settings.database_url)
    try:
        if at_head and await schema.current(database) != schema.wanted():
            raise Refused("the database is not at this version's revision: run `mostrador migrate`")
        yield database
    finally:
        await database.close()


async def migrate(settings: Settings) -> None:
    async with open_database(settings, at_head=False) as database:
        before = await schema.current(database)
        with console.status("migrating the database"):
            await schema.upgrade(database)
        console.print(f"database at revision {schema.wanted()}" + ("" if before != schema.wanted() else " already"))


async def seed(settings: Settings, password: str) -> None:
    password = password or secrets.token_urlsafe(9)
    async with open_database(settings) as database:
        with console.status("writing the demo company"):
            written = await database.write(lambda session: seed_demo(session, rules.hash_password, password, Clock().now()))
    console.print(f"demo company written; its users' password: {password}" if written else "the demo company is there already")


async def replay(settings: Settings, flows: Mapping[str, Dialog] | None = None, nlu: Nlu | None = None) -> None:
    """Split again what could not be split; a stored message changes nothing. A running service answers what comes."""
    async with open_database(settings) as database, ClientSession() as http:
        nlu = nlu or load_nlu(cache=Path("var/models"), encoder=installed())
        numbers = Numbers(flows or load_folder(), nlu, settings.whatsapp_token.get_secret_value())
        await numbers.reload(database)
        channels: dict[str, Channel] = {
            "whatsapp": WhatsApp(http, str(settings.whatsapp_graph_url), settings.whatsapp_graph_version),
            "webchat": Rest(),
        }
        if token := settings.telegram_token.get_secret_value():
            channels["telegram"] = Telegram(token, str(settings.telegram_api_url), Clock(), settings.media_dir)
        intake = Intake(database, numbers, Clock(), lambda session, ids: [], lambda stored: None, lambda number: False)
        ids = await database.read(_unread)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            for body_id in progress.track(ids, description="replaying"):
                body = await database.read(partial(_body, body_id=body_id))
                await intake.accept(channels[body.channel], body.body)
                await database.write(partial(_replayed, body_id=body_id))
        console.print(f"{len(ids)} bodies replayed; see `mostrador stats`")


def _unread(session: Session) -> list[int]:
    trouble = select(WebhookBody.id).where(text("state <> 'split'"), WebhookBody.state != "replayed")
    return list(session.scalars(trouble.order_by(WebhookBody.id)))


def _body(session: Session, body_id: int) -> WebhookBody:
    return session.get_one(WebhookBody, body_id)


def _replayed(session: Session, body_id: int) -> None:
    session.execute(update(WebhookBody).where(WebhookBody.id == body_id).values(state="replayed"))


async def stats(settings: Settings) -> dict[str, Any]:
    async with open_database(settings) as database:
        now = Clock().now()
        return await database.read(partial(count, now=now))


def count(session: Session, now: Any) -> dict[str, Any]:
    """Flat counts of the whole installation; the ages are seconds."""
    counted: dict[str, Any] = {
        "companies": session.scalar(select(func.count(Company.id))),
        "numbers": session.scalar(select(func.count(Number.id))),
        "people": session.scalar(select(func.count(Person.id)).where(Person.merged_into_id.is_(None))),
        "conversations": session.scalar(select(func.count(Conversation.id))),
        "statuses": session.scalar(select(func.count()).select_from(STATUSES)),
    }
    for name, table in (("webhook_bodies", BODIES), ("messages_in", MESSAGES), ("messages_out", OUTBOX)):
        counted[name] = 0
        for state, rows in session.execute(select(table.c.state, func.count()).group_by(table.c.state)):
            counted[f"{name}_{state}"] = rows
            counted[name] += rows
    for level in ("hot", "warm", "cold"):
        counted[f"leads_{level}"] = session.scalar(select(func.count(Lead.id)).where(Lead.priority == level))
    oldest_in = session.scalar(select(func.min(MESSAGES.c.received_at)).where(text("state = 'new'")))
    oldest_out = session.scalar(select(func.min(OUTBOX.c.created_at)).where(text("rank < 20")))
    counted["parked"] = counted.get("messages_in_parked", 0) + counted.get("messages_out_parked", 0)
    counted["oldest_waiting_in_s"] = round((now - oldest_in).total_seconds(), 1) if oldest_in else 0
    counted["oldest_waiting_out_s"] = round((now - oldest_out).total_seconds(), 1) if oldest_out else 0
    return counted


async def add_company(settings: Settings, *, name: str, country: str, currency: str, timezone: str) -> str:
    """Add a company. Refused when there is one of this name, or the country, currency or zone is not one."""
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused(f"--country: {country!r} is not an ISO 3166 code such as CO")
    if currency not in list_currencies():
        raise Refused(f"--currency: {currency!r} is not an ISO 4217 code such as COP")
    if timezone not in available_timezones():
        raise Refused(f"--timezone: {timezone!r} is not a zone such as America/Bogota")

    def add(session: Session) -> None:
        if session.scalar(select(Company.id).where(Company.name == name)) is not None:
            raise Refused(f"there is a company {name} already")
        session.add(Company(name=name, country=country, currency=currency, timezone=timezone, created_at=Clock().now()))

    async with open_database(settings) as database:
        await database.write(add)
    return f"{name} is there; add somebody with `mostrador user add` and a number with `mostrador number add`"


async def set_number(settings: Settings, external_id: str, channel: str, company: str, fields: dict[str, Any]) -> str:
    """Add a number, or change the one with this id and let it send again. Refused when the channel, the dialog or the company is
    not there."""
    flows = load_folder()
    if channel not in ("whatsapp", "telegram", "webchat"):
        raise Refused("--channel: there is whatsapp, telegram, webchat")
    if fields["dialog"] is not None and fields["dialog"] not in flows:
        raise Refused(f"--dialog: there is {', '.join(sorted(flows))}")
    given = {name: value for name, value in fields.items() if value is not None}

    def write(session: Session, company_id: int) -> str:
        row = session.scalar(select(Number).where(Number.channel == channel, Number.external_id == external_id))
        if row is None:
            missing = [name for name in ("display", "name", "dialog") if name not in given]
            if missing:
                raise Refused(f"a new number needs {', '.join('--' + name for name in missing)}")
            row = Number(company_id=company_id, channel=channel, external_id=external_id, hours={}, created_at=Clock().now())
            row.bot_name = given["name"]
            session.add(row)
        elif row.company_id != company_id:
            raise Refused(f"the number {row.display} is another company's")
        for name, value in given.items():
            setattr(row, name, value)
        row.stopped = None
        return row.display

    async with open_database(settings) as database:
        company_id = await _company(database, company)
        display = await database.write(partial(write, company_id=company_id))
    return f"{display} is set; a running service notices within seconds"


async def _company(database: Database, name: str) -> int:
    """The company of this name, or the only one. Refused otherwise."""
    companies = await database.read(lambda session: {row.name: row.id for row in session.scalars(select(Company))})
    if not companies:
        raise Refused("there is no company yet: run `mostrador company add`, or `mostrador seed` for the demo's")
    if name not in companies and (name or len(companies) > 1):
        raise Refused(f"--company: name one of {', '.join(sorted(companies))}")
    return companies[name] if name else next(iter(companies.values()))


async def add_user(settings: Settings, *, email: str, name: str, role: str, company: str) -> str:
    """Add somebody, and return the sentence with their first password. Refused when company, role or e-mail do not do."""
    password = secrets.token_urlsafe(9)
    hashed = rules.hash_password(password)

    def add(session: Session) -> None:
        service.add_user(session, name=name, email=email, role=role, password_hash=hashed, now=Clock().now())

    async with open_database(settings) as database:
        company_id = await _company(database, company)
        try:
            await database.write(add, company=company_id)
        except rules.Refusal as error:
            raise Refused(_WHY[type(error)]) from None
    return f"{email} may log in with the password {password}"


async def doctor(settings: Settings) -> bool:
    """Check every part that the service needs; True when all is well. Settings were right already when this runs."""
    checks: list[tuple[bool, str]] = []
    try:
        async with open_database(settings, at_head=False) as database:
            at = await schema.current(database)
            checks.append((at == schema.wanted(), f"database: revision {at}, wanted {schema.wanted()} (`mostrador migrate`)"))
            numbers = await database.read(lambda session: list(session.scalars(select(Number)))) if at == schema.wanted() else []
    except Exception as error:
        numbers = []
        checks.append((False, f"database: {error}"))
    checks.append((bool(load_folder()), "dialogs: all valid"))
    checks.append((bool(settings.app_secrets), "WHATSAPP_APP_SECRET: needed to take webhooks"))
    checks.append((bool(settings.whatsapp_verify_token.get_secret_value()), "WHATSAPP_VERIFY_TOKEN: needed when Meta subscribes"))
    if settings.whisper_model is not None:
        checks.append(_ear(settings.whisper_model))
    if settings.nlu_backend == "rasa":
        checks.append(await _rasa(settings.rasa_url.get_secret_value()))
    async with ClientSession(timeout=ClientTimeout(total=10)) as http:
        if url := settings.writer_url:
            writer = ChatCompletions(http, url, settings.writer_model, settings.writer_key.get_secret_value(), patience=10)
            checks.append(await _writer(writer, settings.writer_model))
        for number in numbers:
            if number.channel == "whatsapp":
                checks.append(await _reach(http, settings, number))
            if number.stopped:
                checks.append((False, f"{number.display}: stopped: {number.stopped}"))
    for fine, what in checks:
        console.print(("[green]✓[/green] " if fine else "[red]✗[/red] ") + what, highlight=False)
    return all(fine for fine, _ in checks)


def _ear(model: Path) -> tuple[bool, str]:
    try:
        whisper(model)
    except NoModel as error:
        return False, f"WHISPER_MODEL: {error}"
    return True, f"WHISPER_MODEL: voice notes are heard with {model.name}"


async def _rasa(url: str) -> tuple[bool, str]:
    server, engine = rasa.Server(url, patience=5), load_nlu(cache=Path("var/models"))
    try:
        told = opinion(await server.ask(question("hola")), engine.model.intents)
    except NoAnswer as error:
        return False, f"RASA_URL: no answer: {error}"
    finally:
        await server.close()
    return told is not None, "RASA_URL: it knows our intents" if told is not None else (
        "RASA_URL: it answers, and with none of our intents: train it from `mostrador nlu export-rasa`"
    )


async def _writer(writer: ChatCompletions, model: str) -> tuple[bool, str]:
    try:
        status, models = await writer.models()
    except (ClientError, TimeoutError) as error:
        return False, f"WRITER_URL: {writer.host} cannot be reached: {error}"
    if status in (401, 403):
        return False, f"WRITER_KEY: {writer.host} does not take it ({status})"
    if models and model not in models:
        return False, f"WRITER_MODEL: {writer.host} does not list {model}; it has {', '.join(sorted(models)[:10])}"
    return status < 500, f"WRITER_URL: {writer.host} answers {status}"


async def _reach(http: ClientSession, settings: Settings, number: Number) -> tuple[bool, str]:
    url = f"{str(settings.whatsapp_graph_url).rstrip('/')}/{settings.whatsapp_graph_version}/{number.external_id}"
    token = number.token or settings.whatsapp_token.get_secret_value()
    try:
        async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status == 200, f"{number.display}: the Graph API answers {answer.status}"
    except (ClientError, TimeoutError) as error:
        return False, f"{number.display}: the Graph API cannot be reached: {error}"

"""The composition root: builds every part once, starts them in order, and lets them finish before the end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from aiohttp import ClientSession, TCPConnector, web

from bot import health, scheduler
from bot import web as pages
from bot.channels.base import Channel, Recipient, SendError
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.clock import Clock
from bot.conversation import Turns
from bot.intake import Intake, Stored, recipient_of
from bot.keys import CLOCK, DATABASE, FLOWS, LIVE, NUMBERS, SERVICE, SETTINGS
from bot.live import Change, Live
from bot.media import Media
from bot.numbers import Numbers
from bot.outbox import Sender
from bot.settings import Settings
from bot.web.preview import NLU
from bot.webhook import LIMIT, telegram_routes, whatsapp_routes
from data import outbox, schema
from data.lease import only_server
from data.session import Database, connect
from dialogs.loader import Dialog, load_folder
from nlu.engine import load as load_nlu
from nlu.understanding import Nlu

log = structlog.get_logger()

DRAIN = 8.0
"""Seconds at the end for what is on its way; SIGTERM is done within 10."""


class WrongSchema(Exception):
    """The database is not at the revision that this code works with: run `mostrador migrate`."""


@dataclass(slots=True)
class Service:
    """The parts of a running service."""

    settings: Settings
    database: Database
    numbers: Numbers
    channels: dict[str, Channel]
    intake: Intake
    turns: Turns
    sender: Sender
    media: Media
    live: Live
    clock: Clock
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def on_stored(self, stored: Stored) -> None:
        """New messages wake their conversations; statuses show on the pages, and failed ones are acted on."""
        for arrived in stored.arrived:
            if arrived.owner == "bot" and arrived.message.kind not in ("echo", "system", "reaction", "edit", "revoke"):
                recipient = Recipient(**recipient_of(arrived.message.sender))
                self.sender.courtesy(arrived.conversation_id, arrived.number, recipient, arrived.message.external_id)
            self.turns.ready(arrived.conversation_id, arrived.message.media is not None and arrived.message.kind != "voice")
        if stored.moved and self.live.watched:
            self.later(self.show_moved(stored.moved))
        self.sender.push(stored.stand_ins)
        if stored.notices:
            self.later(self.numbers.reload(self.database))

    def on_changed(self, changed: Sequence[tuple[int, Change]]) -> None:
        for company, change in changed:
            self.live.publish(company, change)

    async def show_moved(self, messages: Sequence[int]) -> None:
        """Ticks on the pages that are open."""
        for row in await self.database.read(lambda session: outbox.by_id(session, messages)):
            self.live.publish(row["company_id"], Change("conversation", row["conversation_id"]))

    def later(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work that was put off failed", exc_info=error)


def telegram_secret(settings: Settings) -> str:
    """What Telegram shows us at every webhook; made from SECRET_KEY, so that nobody has to choose one."""
    return hmac.new(settings.secret_key.get_secret_value().encode(), b"telegram webhook", hashlib.sha256).hexdigest()


async def make_app(
    settings: Settings,
    clock: Clock | None = None,
    extra: Callable[[web.Application], None] | None = None,
    flows: Mapping[str, Dialog] | None = None,
    nlu: Nlu | None = None,
    backoff: float = 1.0,
) -> web.Application:
    """The whole service as one aiohttp application. `extra` adds what only some run (the simulator); `backoff` is the seconds
    before a failed message is sent again. Loads the dialogs and the understanding where they are not given, here, so that what is
    broken stops the start (DialogError)."""
    clock = clock or Clock()
    flows = flows or load_folder()
    nlu = nlu or load_nlu(cache=Path("var/models"))
    app = web.Application(client_max_size=LIMIT)
    database = connect(settings.database_url)
    numbers = Numbers(flows, nlu, settings.whatsapp_token.get_secret_value())
    live = Live()
    channels: dict[str, Channel] = {}
    sender = Sender(database, numbers, channels, clock, reconcile=settings.reconcile_seconds, backoff=backoff)
    turns = Turns(
        database,
        numbers,
        nlu,
        channels,
        clock,
        sender.push,
        lambda changed: service.on_changed(changed),
        settings.debounce_ms / 1000,
    )
    intake = Intake(database, numbers, clock, sender.stand_in, lambda stored: service.on_stored(stored), turns.lag)
    media = Media(database, numbers, channels, clock, settings.media_dir)
    service = Service(settings, database, numbers, channels, intake, turns, sender, media, live, clock)
    app[SETTINGS], app[DATABASE], app[CLOCK], app[LIVE], app[NUMBERS], app[FLOWS] = (
        settings,
        database,
        clock,
        live,
        numbers,
        flows,
    )
    app[SERVICE], app[NLU] = service, nlu

    http = ClientSession(connector=TCPConnector(limit=0))
    whatsapp = WhatsApp(http, str(settings.whatsapp_graph_url), settings.whatsapp_graph_version)
    channels["whatsapp"] = whatsapp
    app.add_routes(whatsapp_routes(intake, whatsapp, settings.app_secrets, settings.whatsapp_verify_token.get_secret_value()))
    if token := settings.telegram_token.get_secret_value():
        telegram = Telegram(token, str(settings.telegram_api_url), clock)
        channels["telegram"] = telegram
        app.add_routes(telegram_routes(intake, telegram, telegram_secret(settings)))
    app.add_routes(health.routes(service))
    pages.setup(app)
    if extra is not None:
        extra(app)
    app.cleanup_ctx.append(lambda _: _running(service, http))
    return app


async def _running(service: Service, http: ClientSession) -> AsyncIterator[None]:
    async with http, only_server(service.settings.database_url, _lost):
        at, wanted = await schema.current(service.database), schema.wanted()
        if at != wanted:
            raise WrongSchema(f"the database is at revision {at or 'none'}, this version needs {wanted}: run `mostrador migrate`")
        await service.numbers.reload(service.database)
        jobs = scheduler.build(service.database, service.clock, service.numbers, service.turns, service.sender, service.media)
        turning = asyncio.create_task(service.turns.run())
        await service.turns.start()
        await service.sender.start()
        jobs.start()
        telegram = service.channels.get("telegram")
        if isinstance(telegram, Telegram):
            service.later(_connect_telegram(service, telegram))
        try:
            yield
        finally:
            jobs.shutdown(wait=False)
            await service.turns.drain(DRAIN / 2)
            for task in (turning, *service.tasks):
                task.cancel()
            await asyncio.gather(turning, *service.tasks, return_exceptions=True)
            await service.sender.drain(DRAIN / 2)
            if isinstance(telegram, Telegram):
                await telegram.close()
            await service.database.close()


def _lost() -> None:
    """Another process serves our database: two would answer the same people, so this one ends, in order."""
    log.error("another process serves this database now")
    os.kill(os.getpid(), signal.SIGTERM)


async def _connect_telegram(service: Service, telegram: Telegram) -> None:
    """Telegram may be down when we start; WhatsApp does not wait for it."""
    url = str(service.settings.public_url).rstrip("/") + "/webhooks/telegram"
    wait = 1.0
    while (problem := await telegram.start()) is not None:
        log.warning("Telegram is not to be had; trying again", problem=problem, seconds=wait)
        await asyncio.sleep(wait)
        wait = min(wait * 2, 300)
    if url.startswith("https:"):
        try:
            await telegram.subscribe(url, telegram_secret(service.settings))
        except SendError as error:
            log.error("Telegram refuses the webhook", problem=str(error))

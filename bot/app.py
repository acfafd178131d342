"""The composition root: builds every part once, starts them in order, and lets them finish before the end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import signal
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiohttp import ClientSession, TCPConnector, web

from bot import health, scheduler
from bot import web as pages
from bot.alerting import Alerting
from bot.backlog import Backlog
from bot.bus import Bus
from bot.channels.base import SendError
from bot.channels.rest import Rest
from bot.channels.whatsapp import WhatsApp
from bot.clock import Clock
from bot.cluster import ROLES, Cluster
from bot.conversation import Conversations
from bot.courtesy import Courtesies
from bot.handover import Handover
from bot.intake import Intake
from bot.keys import CLOCK, DATABASE, FLOWS, LESSONS, LIVE, NUMBERS, SERVICE, SETTINGS, WRITER
from bot.lessons import MODELS, Lessons
from bot.live import Live
from bot.media import Media
from bot.numbers import Numbers
from bot.outbox import Sender
from bot.rest import rest_routes
from bot.service import Service
from bot.settings import Settings
from bot.staff.ear import Ear
from bot.standin import StandIns
from bot.transcription import Transcriber, whisper
from bot.turns import Turns
from bot.webhook import LIMIT, telegram_routes, whatsapp_routes
from data import schema
from data.session import connect
from dialogs.loader import Dialog, load_folder
from nlu.engine import Engine
from nlu.engine import load as load_engine
from nlu.meaning import installed

if TYPE_CHECKING:
    from bot.channels.telegram import Telegram

log = structlog.get_logger()

DRAIN = 8.0
"""Seconds at the end for what is on its way; SIGTERM is done within 10."""


CONNECTIONS = 2048
"""To the Graph API, for all numbers together: far more than a few slow numbers take up."""


class WrongSchema(Exception):
    """The database is not at the revision that this code works with: run `mostrador migrate`."""


def telegram_secret(settings: Settings) -> str:
    """What Telegram shows us at every webhook; made from SECRET_KEY, so that nobody has to choose one."""
    return hmac.new(settings.secret_key.get_secret_value().encode(), b"telegram webhook", hashlib.sha256).hexdigest()


async def make_app(
    settings: Settings,
    clock: Clock | None = None,
    extra: Callable[[web.Application], None] | None = None,
    flows: Mapping[str, Dialog] | None = None,
    engine: Engine | None = None,
    backoff: float = 1.0,
    roles: Collection[str] = ROLES,
    private: bool = False,
    transcriber: Transcriber | None = None,
) -> web.Application:
    """The whole service as one aiohttp application, or those `roles` of it. `extra` adds what only some run (the simulator);
    `backoff` is the seconds before a failed message is sent again; `private` lets alerts go to servers of our own network.
    Loads the dialogs, the `engine` of understanding and the `transcriber` where they are not given, here, so that what is broken
    stops the start (DialogError, NoModel)."""
    clock = clock or Clock()
    flows = flows or load_folder()
    engine = engine or load_engine(cache=MODELS, encoder=installed())
    nlu = engine
    transcriber = transcriber or (whisper(settings.whisper_model) if settings.whisper_model else None)
    app = web.Application(client_max_size=LIMIT)
    if settings.nlu_backend == "rasa":
        from bot import rasa  # loaded by those who use it: a start is to be quick
        from nlu.rasa_http import Rasa

        server = rasa.Server(settings.rasa_url.get_secret_value())
        app.cleanup_ctx.append(server.running)
        nlu = Rasa(engine, server.ask, rasa.note)
    database = connect(settings.database_url)
    lessons = Lessons(nlu)
    numbers = Numbers(flows, nlu, settings.whatsapp_token.get_secret_value(), lessons)
    service = Service(settings, database, numbers, {}, clock, Live())
    channels = service.channels
    cluster = service.cluster = Cluster(database, clock, roles, service.on_processes)
    service.bus = Bus(settings.redis_url.get_secret_value(), service.on_heard, service.on_bus_up)
    service.live.deaf = lambda: not (cluster.alone or service.bus.up)
    service.courtesies = Courtesies(channels)
    service.backlog = Backlog(database, clock)
    service.sender = Sender(
        database, numbers, channels, clock, cluster, service.courtesies, reconcile=settings.reconcile_seconds, backoff=backoff
    )
    service.turns = Turns(
        database,
        numbers,
        Conversations(numbers, nlu, Ear(MODELS, installed()), clock, one_by_one=settings.debounce_ms == 0),
        clock,
        cluster,
        service.on_said,
        service.on_changed,
        settings.debounce_ms / 1000,
    )
    service.handover = Handover(database, numbers, clock, service.on_said, service.on_changed, lambda: service.turns.busy)
    service.alerting = Alerting(settings, database, clock, cluster, service.on_said, private=private)
    stand_ins = StandIns(numbers, channels, clock)
    service.intake = Intake(
        database, numbers, clock, stand_ins.make, service.on_stored, service.backlog.late, hears=transcriber is not None
    )
    numbers.on_edited = service.tell_numbers
    numbers.on_missing = lambda: service.later(lessons.learn_missing(partial(numbers.reload, database)))
    service.media = Media(database, numbers, channels, clock, settings.media_dir, service.on_stored, transcriber)
    app[SETTINGS], app[DATABASE], app[CLOCK], app[LIVE], app[NUMBERS] = settings, database, clock, service.live, numbers
    app[FLOWS], app[SERVICE], app[LESSONS] = flows, service, lessons

    http = ClientSession(connector=TCPConnector(limit=0))
    whatsapp = WhatsApp(http, str(settings.whatsapp_graph_url), settings.whatsapp_graph_version, connections=CONNECTIONS)
    channels["whatsapp"] = whatsapp
    channels["webchat"] = rest = Rest()
    telegram = None
    if token := settings.telegram_token.get_secret_value():
        from bot.channels.telegram import Telegram  # the same

        channels["telegram"] = telegram = Telegram(token, str(settings.telegram_api_url), clock, settings.media_dir)
    if url := settings.writer_url:
        from bot.writer import ChatCompletions  # the same

        key = settings.writer_key.get_secret_value()
        app[WRITER] = ChatCompletions(http, url, settings.writer_model, key, settings.writer_seconds)
    app.add_routes(health.routes(service))
    if "web" in roles:
        verify_token = settings.whatsapp_verify_token.get_secret_value()
        app.add_routes(whatsapp_routes(service.intake, whatsapp, settings.app_secrets, verify_token))
        if telegram is not None:
            app.add_routes(telegram_routes(service.intake, telegram, telegram_secret(settings)))
        app.add_routes(rest_routes(service, rest))
        pages.setup(app)
    if extra is not None:
        extra(app)
    app.cleanup_ctx.append(lambda _: _running(service, http, roles))
    return app


async def _running(service: Service, http: ClientSession, roles: Collection[str]) -> AsyncIterator[None]:
    async with http:
        at = await schema.current(service.database)
        if schema.behind(at):
            wanted = schema.wanted()
            raise WrongSchema(f"the database is at revision {at or 'none'}, this version needs {wanted}: run `mostrador migrate`")
        await service.cluster.join()
        await service.numbers.reload(service.database)
        service.bus.me = service.cluster.id
        jobs = scheduler.build(service, roles)
        work: list[Coroutine[Any, Any, None]] = [service.cluster.run(), service.bus.run()]
        if "worker" in roles:
            await service.turns.start()
            work += [service.turns.run(), service.turns.look(service.poll), service.handover.run()]
        if "sender" in roles:
            await service.sender.start()
            work += [service.sender.run(service.poll), service.alerting.run()]
        running = [asyncio.create_task(each) for each in work]
        for task in running:
            task.add_done_callback(_died)
        jobs.start()
        telegram = cast("Telegram | None", service.channels.get("telegram"))
        if telegram is not None:
            service.later(_connect_telegram(service, telegram, subscribe="web" in roles))
        try:
            yield
        finally:
            jobs.shutdown(wait=False)
            await service.cluster.retire()
            await service.turns.drain(DRAIN / 2)
            for task in (*running, *service.tasks):
                task.cancel()
            await asyncio.wait([*running, *service.tasks], timeout=2)
            await asyncio.gather(service.sender.drain(DRAIN / 2), service.alerting.drain(DRAIN / 2))
            await service.courtesies.close()
            await service.media.close()
            if isinstance(whatsapp := service.channels["whatsapp"], WhatsApp):
                await whatsapp.close()
            await service.cluster.leave()
            if telegram is not None:
                await telegram.close()
            await service.database.close()


def _died(task: asyncio.Task[None]) -> None:
    """A part that ended by itself takes the process with it, in order: whoever watches it starts it anew."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a part of the service failed: the process ends", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


async def _connect_telegram(service: Service, telegram: Telegram, *, subscribe: bool) -> None:
    """Telegram may be down when we start; WhatsApp does not wait for it."""
    url = str(service.settings.public_url).rstrip("/") + "/webhooks/telegram"
    wait = 1.0
    while (problem := await telegram.start()) is not None:
        log.warning("Telegram is not to be had; trying again", problem=problem, seconds=wait)
        await asyncio.sleep(wait)
        wait = min(wait * 2, 300)
    if subscribe and url.startswith("https:"):
        try:
            await telegram.subscribe(url, telegram_secret(service.settings))
        except SendError as error:
            log.error("Telegram refuses the webhook", problem=str(error))

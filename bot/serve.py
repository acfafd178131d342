"""Running the service until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Collection

import structlog
from aiohttp import web

from bot.app import make_app
from bot.cluster import ROLES
from bot.settings import Settings


def set_up_logging(form: str) -> None:
    """Structured lines on standard error, for people (console) or machines (json). No message text or phone is ever logged."""
    if form == "json":
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info if form == "json" else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


IDLE = 30.0
"""Seconds that a connection may be open without a whole request head."""


SWITCH = 0.0005
"""Seconds after which a thread that is back from the disk gets its turn, however busy the loop is. Python's own 5 ms cost a third
of all turns."""


GARBAGE = 10_000
"""New objects after which Python looks for rings among them: a batch of turns makes thousands, and few are in rings. Its own 700
cost a fiftieth of all CPU."""


class CannotListen(Exception):
    """The address is taken or not ours; the message says which and what to do."""


async def run_until_stopped(app: web.Application, host: str, port: int, on_ready: Callable[[], None]) -> None:
    """Serve `app` until SIGINT or SIGTERM; then take nothing more, finish what is on its way, and return. CannotListen."""
    _allow_files()
    sys.setswitchinterval(SWITCH)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2, keepalive_timeout=IDLE)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port, backlog=1024).start()
        except OSError as error:
            why = os.strerror(error.errno or 0).lower()
            raise CannotListen(f"cannot listen on {host}:{port}: {why}; choose another PORT") from None
        stopped = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
        gc.set_threshold(GARBAGE, 10, 10)
        gc.collect()
        gc.freeze()  # what was loaded stays: looking through it now and then held up the loop for 50 ms and more
        on_ready()
        await stopped.wait()
    finally:
        await runner.cleanup()


def _allow_files() -> None:
    """As many connections and files as the system lets us have: its default is made for a shell."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536) if most != resource.RLIM_INFINITY else 65_536, most))


async def serve(settings: Settings, roles: Collection[str] = ROLES) -> None:
    """The service as the settings describe it, or those `roles` of it."""
    set_up_logging(settings.log_format)
    log = structlog.get_logger()
    app = await make_app(settings, roles=roles)
    address = f"http://{settings.host}:{settings.port}"
    await run_until_stopped(app, settings.host, settings.port, lambda: log.info("ready", address=address, roles=sorted(roles)))

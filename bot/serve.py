"""Running the service until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable

import structlog
from aiohttp import web

from bot.app import make_app
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


class CannotListen(Exception):
    """The address is taken or not ours; the message says which and what to do."""


async def run_until_stopped(app: web.Application, host: str, port: int, on_ready: Callable[[], None]) -> None:
    """Serve `app` until SIGINT or SIGTERM; then take nothing more, finish what is on its way, and return. CannotListen."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port, backlog=1024).start()
        except OSError as error:
            why = os.strerror(error.errno or 0).lower()
            raise CannotListen(f"cannot listen on {host}:{port}: {why}; choose another PORT") from None
        on_ready()
        stopped = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
        await stopped.wait()
    finally:
        await runner.cleanup()


async def serve(settings: Settings) -> None:
    """The service as the settings describe it."""
    set_up_logging(settings.log_format)
    log = structlog.get_logger()
    app = await make_app(settings)
    await run_until_stopped(app, settings.host, settings.port, lambda: log.info("ready", address=str(settings.public_url)))

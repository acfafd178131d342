"""The parts that request handlers find on the aiohttp application, typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from bot.clock import Clock
    from bot.live import Live
    from bot.numbers import Numbers
    from bot.service import Service
    from bot.settings import Settings
    from bot.writer import Writer
    from data.session import Database
    from dialogs.loader import Dialog

SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
DATABASE: web.AppKey[Database] = web.AppKey("database")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
LIVE: web.AppKey[Live] = web.AppKey("live")
NUMBERS: web.AppKey[Numbers] = web.AppKey("numbers")
"""Our business numbers in memory, each with its dialog as edited; `await numbers.edited(database)` after an edit."""
FLOWS: web.AppKey[Mapping[str, Dialog]] = web.AppKey("flows")
"""The dialogs as shipped, by name."""
WRITER: web.AppKey[Writer] = web.AppKey("writer")
"""The writing assistant; not there where none is set."""
SERVICE: web.AppKey[Service] = web.AppKey("service")
"""All running parts: for the command line and the tests."""

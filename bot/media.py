"""Received files: fetched after their message was stored, off the way of the webhook; a failed fetch never drops the message."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.channels.base import Channel, MediaError
from bot.clock import Clock
from bot.numbers import Numbers
from data.session import Database
from data.tables import MediaFile

log = structlog.get_logger()

LIMIT = 100 * 1024 * 1024
"""Bytes: the largest document that WhatsApp carries."""
TRIES = 8
TOGETHER = 4


class Media:
    """Fetches what is due. WhatsApp keeps a file for 7 days; the waits double from 5 seconds to about 10 minutes."""

    def __init__(self, database: Database, numbers: Numbers, channels: Mapping[str, Channel], clock: Clock, folder: Path) -> None:
        self._database = database
        self._numbers = numbers
        self._channels = channels
        self._clock = clock
        self._folder = folder

    async def fetch_due(self) -> int:
        """Fetch every file that is due; returns how many were tried."""
        now = self._clock.now()
        due = await self._database.read(partial(_due, now=now))
        slots = asyncio.Semaphore(TOGETHER)
        await asyncio.gather(*(self._fetch(file, slots) for file in due))
        return len(due)

    async def _fetch(self, file: MediaFile, slots: asyncio.Semaphore) -> None:
        now = self._clock.now()
        async with slots:
            try:
                number = self._numbers.by_id(file.number_id)
                fetched = await self._channels[number.row.channel].fetch(number.account, file.external_id, LIMIT)
                path = Path(str(file.company_id)) / f"{now:%Y-%m}" / str(file.id)
                await asyncio.to_thread(_write, self._folder / path, fetched.content)
                change: dict[str, Any] = {
                    "state": "fetched",
                    "path": str(path),
                    "mime": fetched.mime or file.mime,
                    "size": len(fetched.content),
                    "sha256": hashlib.sha256(fetched.content).hexdigest(),
                    "error": None,
                }
            except Exception as error:
                final = (isinstance(error, MediaError) and error.final) or file.tries + 1 >= TRIES
                if not isinstance(error, MediaError):
                    log.exception("a file could not be fetched", media=file.id)
                change = {
                    "state": "failed" if final else "waiting",
                    "tries": file.tries + 1,
                    "due_at": now + timedelta(seconds=5 * 2**file.tries),
                    "error": str(error)[:500],
                }
        await self._database.write(lambda session: _save(session, file, change))


def _due(session: Session, now: datetime) -> list[MediaFile]:
    return list(
        session.scalars(
            select(MediaFile).where(MediaFile.state == "waiting", MediaFile.due_at <= now).order_by(MediaFile.due_at).limit(100)
        )
    )


def _save(session: Session, file: MediaFile, change: dict[str, Any]) -> None:
    session.execute(update(MediaFile).where(MediaFile.company_id == file.company_id, MediaFile.id == file.id).values(change))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)

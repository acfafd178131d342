"""Received files: fetched after their message was stored, off the way of the webhook; a failed fetch never drops the message.

A voice note that somebody will listen to is held (`bot/arrivals.py`): its message is answered when its words are there, or when
they cannot be had in time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import structlog
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from bot.arrivals import Arrived, Stored
from bot.channels.base import Channel, Inbound, MediaError
from bot.clock import Clock
from bot.numbers import Numbers
from bot.transcription import PATIENCE, Transcriber, Unheard
from data.session import Database
from data.tables import InboxMessage, MediaFile

log = structlog.get_logger()

LIMIT = 100 * 1024 * 1024
"""Bytes: the largest document that WhatsApp carries."""
TRIES = 8
TOGETHER = 4
LEASE = timedelta(seconds=PATIENCE + 15)
"""After which a note that nobody has finished listening to, such as a process that was killed, is answered without its words."""


class Media:
    """Fetches what is due. WhatsApp keeps a file for 7 days; the waits double from 5 seconds to about 10 minutes. `on_stored` is
    told of messages that may be answered now."""

    def __init__(
        self,
        database: Database,
        numbers: Numbers,
        channels: Mapping[str, Channel],
        clock: Clock,
        folder: Path,
        on_stored: Callable[[Stored], None],
        transcriber: Transcriber | None = None,
    ) -> None:
        self._database = database
        self._numbers = numbers
        self._channels = channels
        self._clock = clock
        self._folder = folder
        self._on_stored = on_stored
        self._transcriber = transcriber
        self._listening: set[asyncio.Task[None]] = set()

    async def fetch_due(self) -> int:
        """Fetch every file that is due; returns how many were tried. Voice notes are listened to beside it."""
        now = self._clock.now()
        due = await self._database.read(partial(_due, now=now))
        slots = asyncio.Semaphore(TOGETHER)
        await asyncio.gather(*(self._take(file, held, slots) for file, held in due))
        return len(due)

    async def close(self) -> None:
        """Stop listening; what was held is due again later."""
        for task in self._listening:
            task.cancel()
        if self._transcriber is not None:
            await self._transcriber.close()

    async def _take(self, file: MediaFile, held: bool, slots: asyncio.Semaphore) -> None:
        if file.path is not None:  # nobody finished listening to it
            await self._finish(file, {"state": "fetched"}, "")
            return
        change = await self._fetch(file, slots)
        if not held:
            await self._database.write(lambda session: _save(session, file, change))
        elif self._transcriber is not None and change["state"] == "fetched":
            await self._listen(file, change, self._transcriber)
        else:
            await self._finish(file, change, "")

    async def _listen(self, file: MediaFile, change: dict[str, Any], transcriber: Transcriber) -> None:
        leased = change | {"state": "waiting", "due_at": self._clock.now() + LEASE}
        await self._database.write(lambda session: _save(session, file, leased))
        task = asyncio.create_task(self._hear(file, self._folder / change["path"], transcriber))
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)

    async def _hear(self, file: MediaFile, path: Path, transcriber: Transcriber) -> None:
        try:
            words = await transcriber.text(path, self._numbers.by_id(file.number_id).row.language)
        except Unheard as error:
            log.warning("a voice note could not be turned into words", media=file.id, problem=str(error))
            words = ""
        await self._finish(file, {"state": "fetched"}, words)

    async def _finish(self, file: MediaFile, change: dict[str, Any], words: str) -> None:
        """Its message is answered: by its words, or by asking for them in writing."""

        def write(session: Session) -> tuple[int, int, Inbound] | None:
            _save(session, file, change)
            return _release(session, file, words, self._clock.now())

        released = await self._database.write(write)
        if released is not None:
            talk, body, message = released
            number = self._numbers.by_id(file.number_id)
            self._on_stored(Stored((Arrived(talk, "bot", number, body, message),)))

    async def _fetch(self, file: MediaFile, slots: asyncio.Semaphore) -> dict[str, Any]:
        """The file, written to the disk; returns what of its row changes."""
        now = self._clock.now()
        async with slots:
            try:
                number = self._numbers.by_id(file.number_id)
                fetched = await self._channels[number.row.channel].fetch(number.account, file.external_id, LIMIT)
                path = Path(str(file.company_id)) / f"{now:%Y-%m}" / str(file.id)
                await asyncio.to_thread(_write, self._folder / path, fetched.content)
                return {
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
                return {
                    "state": "failed" if final else "waiting",
                    "tries": file.tries + 1,
                    "due_at": now + timedelta(seconds=5 * 2**file.tries),
                    "error": str(error)[:500],
                }


def _due(session: Session, now: datetime) -> list[tuple[MediaFile, bool]]:
    """(file, whether its message is held)"""
    rows = session.execute(
        select(MediaFile, InboxMessage.state)
        .join(InboxMessage, InboxMessage.id == MediaFile.message_id)
        .where(MediaFile.state == "waiting", MediaFile.due_at <= now)
        .order_by(MediaFile.due_at)
        .limit(100)
    )
    return [(file, state == "held") for file, state in rows]


def _save(session: Session, file: MediaFile, change: dict[str, Any]) -> None:
    session.execute(update(MediaFile).where(MediaFile.company_id == file.company_id, MediaFile.id == file.id).values(change))


def _release(session: Session, file: MediaFile, words: str, now: datetime) -> tuple[int, int, Inbound] | None:
    """(conversation, body, message) when it was held until now. It counts as received now: nobody was late with the answer."""
    message = session.get(InboxMessage, file.message_id)
    if message is None or message.company_id != file.company_id:
        return None
    inbound = msgspec.structs.replace(msgspec.json.decode(message.payload, type=Inbound), text=words)
    released = session.execute(
        update(InboxMessage)
        .where(InboxMessage.company_id == file.company_id, InboxMessage.id == message.id, InboxMessage.state == "held")
        .values(state="new", received_at=now, text=words, payload=msgspec.json.encode(inbound).decode())
    )
    return (message.conversation_id, message.body_id, inbound) if cast(CursorResult[Any], released).rowcount else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)

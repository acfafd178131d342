"""Files inside the local WhatsApp: kept in memory, bounded, with Meta's lifetimes by the simulated clock."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import Clock

RECEIVED = timedelta(days=7)
UPLOADED = timedelta(days=30)
URL_LIFE = timedelta(minutes=5)
KEPT_BYTES = 256 * 1024 * 1024

_STATIC = Path(__file__).parent / "static"


def sample(name: str) -> bytes:
    """A packaged file: voice.ogg, photo.jpg or sticker.webp."""
    return (_STATIC / name).read_bytes()


@dataclass(frozen=True, slots=True)
class MediaFile:
    id: str
    number: str
    content: bytes
    mime: str
    kind: str
    expires: datetime
    filename: str = ""

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.content).digest()

    @property
    def sha256_hex(self) -> str:
        """As in the answer of `GET /{media_id}`."""
        return self.digest.hex()

    @property
    def sha256_base64(self) -> str:
        """As in a webhook."""
        return base64.b64encode(self.digest).decode()


class MediaStore:
    """The newest files, up to KEPT_BYTES in all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: OrderedDict[str, MediaFile] = OrderedDict()
        self._urls: OrderedDict[str, tuple[str, datetime]] = OrderedDict()
        self._size = 0

    def keep(self, number: str, content: bytes, mime: str, kind: str, *, life: timedelta, filename: str = "") -> MediaFile:
        media_id = str(secrets.randbelow(9 * 10**15) + 10**15)
        file = MediaFile(media_id, number, content, mime, kind, self._clock.now() + life, filename)
        self._files[file.id] = file
        self._size += len(content)
        while self._size > KEPT_BYTES and len(self._files) > 1:
            self._size -= len(self._files.popitem(last=False)[1].content)
        return file

    def get(self, media_id: str) -> MediaFile | None:
        """The file, unless it has expired."""
        file = self._files.get(media_id)
        return file if file is not None and file.expires > self._clock.now() else None

    def remove(self, media_id: str) -> bool:
        file = self._files.pop(media_id, None)
        if file is not None:
            self._size -= len(file.content)
        return file is not None

    def ticket(self, file: MediaFile) -> str:
        """A secret that opens the file's download address for five minutes."""
        ticket = secrets.token_urlsafe(24)
        self._urls[ticket] = (file.id, self._clock.now() + URL_LIFE)
        while len(self._urls) > 10_000:
            self._urls.popitem(last=False)
        return ticket

    def by_ticket(self, ticket: str) -> MediaFile | None:
        media_id, expires = self._urls.get(ticket, ("", self._clock.now()))
        return self.get(media_id) if expires > self._clock.now() else None

"""A file: a photo, a document, a voice note."""

from __future__ import annotations

from typing import Final

from dialogs.model import Attachment
from dialogs.readers.base import Ask, Heard, Miss, Reading
from nlu.entities.words import clean

_SIGNS: Final = {"image": "📷", "document": "📎", "video": "🎬", "audio": "🎵", "voice": "🎤"}


class FileReader:
    """The first file of the message."""

    misses = frozenset({"empty", "not_a_file"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        files = [attachment for attachment in heard.attachments if attachment.kind in _SIGNS]
        if files:
            return _reading(files[0])
        return Miss("not_a_file" if heard.text.strip() or heard.attachments else "empty")

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """A document or picture is an answer even when something else was asked; a voice note is talk."""
        files = [attachment for attachment in heard.attachments if attachment.kind in ("document", "image")]
        return _reading(files[0]) if files else None


def _reading(attachment: Attachment) -> Reading:
    shown = f"{_SIGNS[attachment.kind]} {clean(attachment.name)}".strip()
    return Reading({"kind": attachment.kind, "file": attachment.file}, shown)

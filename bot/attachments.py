"""Files that people send to prospects: what each is by its own bytes, whether WhatsApp carries it, and where it is kept. Telegram
carries all of these too.

Source: Meta's Cloud API reference, "Supported media types". What a browser says a file is counts for little: the bytes decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.channels.base import File
from bot.voice import NotRecorded, is_webm, to_ogg
from crm_bridge.companies.rules import Refusal

MB = 1024 * 1024
MOST: Mapping[str, int] = {"image": 5 * MB, "audio": 16 * MB, "video": 16 * MB, "document": 16 * MB}
"""Bytes of each kind. WhatsApp takes documents of up to 100 MB; ours go through memory."""
BIGGEST = max(MOST.values())
LONGEST_NAME = 120
_OFFICE = "application/vnd.openxmlformats-officedocument."
_DOCUMENTS: Mapping[str, tuple[str, bytes]] = {
    ".pdf": ("application/pdf", b"%PDF"),
    ".docx": (_OFFICE + "wordprocessingml.document", b"PK\x03\x04"),
    ".xlsx": (_OFFICE + "spreadsheetml.sheet", b"PK\x03\x04"),
    ".pptx": (_OFFICE + "presentationml.presentation", b"PK\x03\x04"),
    ".doc": ("application/msword", b"\xd0\xcf\x11\xe0"),
    ".xls": ("application/vnd.ms-excel", b"\xd0\xcf\x11\xe0"),
    ".ppt": ("application/vnd.ms-powerpoint", b"\xd0\xcf\x11\xe0"),
}
_TEXTS = (".txt", ".csv")
_MP3 = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")

Kind = Literal["image", "audio", "video", "document"]


class WrongFile(Refusal):
    """WhatsApp does not carry such a file, or it is not what its name says."""


class FileTooBig(Refusal):
    """More bytes than its kind may have (MOST)."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that WhatsApp carries."""

    content: bytes
    kind: Kind
    mime: str
    name: str


def attachment(content: bytes, name: str, claimed: str = "") -> Attachment:
    """What somebody wants to send; a voice note recorded as WebM becomes what WhatsApp plays. `claimed`, the content type their
    browser gave, only tells sound from pictures in an MP4. WrongFile, FileTooBig."""
    name = Path(name.replace("\\", "/")).name[-LONGEST_NAME:]
    if is_webm(content):
        try:
            content, name = to_ogg(content), Path(name).stem + ".ogg"
        except NotRecorded:
            raise WrongFile from None
    found = _media(content[:64], claimed) or _document(content, Path(name).suffix.lower())
    if found is None:
        raise WrongFile
    kind, mime = found
    if len(content) > MOST[kind]:
        raise FileTooBig
    return Attachment(content, kind, mime, name or kind)


def _media(head: bytes, claimed: str) -> tuple[Kind, str] | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image", "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image", "image/png"
    if head.startswith(b"OggS"):
        return ("audio", "audio/ogg") if b"OpusHead" in head else None
    if head.startswith(_MP3):
        return "audio", "audio/mpeg"
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "audio", "audio/aac"
    if head.startswith(b"#!AMR"):
        return "audio", "audio/amr"
    if head[4:8] == b"ftyp":
        if head[8:11] == b"M4A" or claimed.startswith("audio/"):
            return "audio", "audio/mp4"
        return "video", "video/3gpp" if head[8:10] == b"3g" else "video/mp4"
    return None


def _document(content: bytes, suffix: str) -> tuple[Kind, str] | None:
    if suffix in _TEXTS:
        return ("document", "text/plain") if content and b"\0" not in content else None
    mime, magic = _DOCUMENTS.get(suffix, ("", b""))
    return ("document", mime) if mime and content.startswith(magic) else None


def sent_path(company_id: int, key: str) -> Path:
    """Where a sent file is kept, under the media folder. `key`: the messenger's id of it, or one of ours."""
    return Path(str(company_id)) / "sent" / hashlib.sha256(key.encode()).hexdigest()


def kept_path(company_id: int, message: File) -> Path | None:
    """Where the file of this message is kept, under the media folder; None: it is not ours."""
    if message.path is not None:
        return Path(message.path)
    return sent_path(company_id, message.media_id) if message.media_id is not None else None


def keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


def shown_as(path: Path, kind: str) -> str | None:
    """The content type that a page may show a kept file with; None: it is only downloaded. OSError when it is gone."""
    with path.open("rb") as file:
        found = _media(file.read(64), "audio/" if kind == "audio" else "")
    return found[1] if found else None

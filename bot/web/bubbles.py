"""Stored messages and events as they are shown: one bubble each, with the edits, deletions and reactions that came later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from bot.attachments import kept_path
from bot.channels.base import Card, Choices, File, Inbound, OrderItem, Outbound, Place, Reaction, Template
from bot.channels.errors import explain, telegram_action, texts
from bot.web.pages import word
from crm_bridge.people.queries import Said
from data.tables import Event, InboxMessage, MediaFile, Note, OutboxMessage

INLINE: Mapping[str, str] = {
    "image/jpeg": "image", "image/png": "image", "image/webp": "image", "image/gif": "image",
    "audio/ogg": "audio", "audio/mpeg": "audio", "audio/mp4": "audio", "audio/aac": "audio", "audio/amr": "audio",
    "video/mp4": "video", "video/3gpp": "video",
}  # fmt: skip
"""The content types that a page shows itself, and how; all others are only downloaded."""
_ABOUT_ANOTHER = ("reaction", "edit", "revoke")


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message. `state` is of delivery, for ours; `trouble` says why it failed or waits."""

    id: int
    talk: int
    ours: bool
    at: datetime
    kind: str
    text: str
    state: str = ""
    trouble: str = ""
    options: tuple[str, ...] = ()
    file: str = ""
    """The address of its file, once it can be had; `file_state` is fetched then, waiting or failed before."""
    file_state: str = ""
    file_name: str = ""
    show: str = ""
    """image, audio or video for a file shown inline."""
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    order: tuple[OrderItem, ...] = ()
    quoted: str = ""
    product: str = ""
    referral: Mapping[str, Any] | None = None
    reactions: tuple[str, ...] = ()
    edited: bool = False
    revoked: bool = False
    by: str = ""
    """Who wrote it, where it is ours but not the bot's."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A note to colleagues; the prospect never sees it. `parts` are its words, each with whether it names somebody."""

    id: int
    talk: int
    at: datetime
    by: str
    author: int
    words: str
    parts: tuple[tuple[str, bool], ...]
    edited: bool = False
    kind: str = "note"


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the timeline."""

    id: int
    at: datetime
    kind: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """Bubbles by the message id of the messenger, so that later messages can change them."""

    bubbles: dict[str, Bubble] = field(default_factory=dict)

    def change(self, about: str | None, **changes: Any) -> None:
        if about is not None and about in self.bubbles:
            self.bubbles[about] = replace(self.bubbles[about], **changes)


Item = Bubble | Remark | Happening


def items(said: Said) -> list[Item]:
    """Everything in the order it happened. A message about one that is not shown any more is left out."""
    talk = Talk()
    rows: list[InboxMessage | OutboxMessage] = [*said.received, *said.sent]
    for row in sorted(rows, key=lambda each: each.id):
        if isinstance(row, OutboxMessage):
            _ours(talk, row, said.authors)
        else:
            _theirs(talk, row, said.media.get(row.id))
    happened = (_happening(row) for row in said.events)
    remarks = (remark(row, said.authors) for row in said.notes)
    return sorted([*talk.bubbles.values(), *remarks, *happened], key=lambda each: each.id)


def _theirs(talk: Talk, row: InboxMessage, file: MediaFile | None) -> None:
    message = msgspec.json.decode(row.payload, type=Inbound)
    if row.kind in _ABOUT_ANOTHER:
        target = talk.bubbles.get(message.about or "")
        if row.kind == "edit":
            talk.change(message.about, text=message.text, edited=True)
        elif row.kind == "revoke":
            talk.change(message.about, revoked=True)
        elif target is not None:
            talk.change(message.about, reactions=(message.text,) if message.text else ())
        return
    quoted = talk.bubbles.get(message.about or "")
    talk.bubbles[row.external_id] = Bubble(
        id=row.id,
        talk=row.conversation_id,
        ours=row.kind == "echo",
        by=word("by", "somebody") if row.kind == "echo" else "",
        at=row.at,
        kind=row.kind,
        text=row.text,
        trouble=row.error or "" if row.state == "parked" else "",
        file=f"/media/{file.id}" if file and file.state == "fetched" else "",
        file_state=file.state if file else "",
        file_name=(file.filename or "") if file else "",
        show=INLINE.get(_plain_type(file), "") if file else "",
        place=message.place,
        cards=message.cards,
        order=message.order,
        quoted=(quoted.text or word("kind", quoted.kind))[:120] if quoted and row.kind not in ("button", "list") else "",
        product=message.product or "",
        referral=message.referral,
    )


def _why(row: OutboxMessage) -> str:
    """Why a message of ours did not arrive, and what to do, with the messenger's code where it gave one."""
    if not row.error_code:
        return word("failure", "other")
    action = telegram_action(row.error_code) if row.channel == "telegram" else None
    return f"{texts()[explain(row.error_code, action)]['es']} ({row.error_code})"


def _ours(talk: Talk, row: OutboxMessage, authors: Mapping[int, str]) -> None:
    message: Outbound = msgspec.json.decode(row.payload, type=Outbound)
    if isinstance(message, Reaction):
        talk.change(message.to_message, reactions=(message.emoji,) if message.emoji else ())
        return
    trouble = ""
    if row.state in ("failed", "parked"):
        trouble = _why(row)
    kept = isinstance(message, File) and kept_path(row.company_id, message) is not None and row.author_id is not None
    talk.bubbles[row.external_id or f"outbox:{row.id}"] = Bubble(
        id=row.id,
        talk=row.conversation_id,
        ours=True,
        by=authors.get(row.author_id, word("by", "somebody")) if row.author_id is not None else "",
        at=row.sent_at or row.created_at,
        kind="template" if isinstance(message, Template) else message.kind if isinstance(message, File) else "text",
        text=message.caption if isinstance(message, File) else row.text,
        file=f"/sent/{row.id}" if kept else "",
        file_state="fetched" if kept else "",
        file_name=(message.filename or "") if isinstance(message, File) else "",
        show=message.kind if kept and isinstance(message, File) and message.kind != "document" else "",
        state=row.state,
        trouble=trouble,
        options=tuple(option.title for option in message.options) if isinstance(message, Choices) else (),
    )


def remark(row: Note, names: Mapping[int, str]) -> Remark:
    """`names` of its author and of those it names, by id."""
    named = [names[user] for user in row.mentions if user in names]
    wanted = "|".join(re.escape(name) for name in (*named, *(name.split()[0] for name in named)) if name)
    pieces = re.split(rf"(?<!\w)(@(?:{wanted}))(?!\w)", row.words, flags=re.IGNORECASE) if wanted else [row.words]
    parts = tuple((piece, bool(index % 2)) for index, piece in enumerate(pieces) if piece)
    return Remark(
        id=row.id,
        talk=row.conversation_id,
        at=row.created_at,
        by=names.get(row.author_id, word("by", "somebody")),
        author=row.author_id,
        words=row.words,
        parts=parts,
        edited=row.edited_at is not None,
    )


def _happening(row: Event) -> Happening:
    payload = row.payload
    details: list[str] = []
    if row.kind in ("LeadRegistered", "LeadUpdated"):
        details = [_small("interest", payload.get("interest")), _small("priority", payload.get("priority"))]
    elif row.kind == "HandoffRequested":
        details = [_small("handoff", payload.get("reason"))]
    elif row.kind == "TakenOver":
        details = [word("by", payload.get("by"))]
    elif row.kind == "LeadAssigned":
        details = [str(payload.get("to", ""))]
    elif row.kind == "LeadPassed":
        details = [str(payload.get("by", ""))]
    elif row.kind == "AttentionRated":
        details = [f"{payload.get('score')}/5"]
    elif row.kind == "HandedBack" and payload.get("last"):
        details = [f"«{payload['last']}»"]
    elif row.kind == "ConsentChanged":
        details = [_small("purpose", payload.get("purpose")), _small("consent", "yes" if payload.get("granted") else "no")]
    elif row.kind == "IdentityChanged":
        details = [_small("identity", payload.get("kind")), f"{payload.get('old')} → {payload.get('new')}"]
    return Happening(row.id, row.at, row.kind, tuple(details))


def _small(group: str, key: object) -> str:
    """A word of the catalogue in the middle of a sentence."""
    return word(group, key).lower()


def _plain_type(file: MediaFile) -> str:
    return file.mime.split(";")[0].strip().lower()


def inline_type(file: MediaFile) -> str | None:
    """The content type to serve a file with when a page may show it; None: it is only downloaded."""
    kind = _plain_type(file)
    return kind if kind in INLINE else None


def by_day(shown: Iterable[Item], zone: Any) -> list[tuple[datetime, list[Item]]]:
    """Grouped by the company's own days, in order; the day is told by its first instant shown."""
    days: list[tuple[datetime, list[Item]]] = []
    for item in shown:
        if not days or days[-1][0].astimezone(zone).date() != item.at.astimezone(zone).date():
            days.append((item.at, []))
        days[-1][1].append(item)
    return days

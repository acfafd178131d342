"""Stored messages and events as they are shown: one bubble each, with the edits, deletions and reactions that came later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from bot.channels.base import Card, Choices, File, Inbound, OrderItem, Outbound, Place, Reaction, Template
from bot.channels.errors import explain, telegram_action, texts
from bot.web.pages import word
from crm_bridge.people.queries import Said
from data.tables import Event, InboxMessage, MediaFile, OutboxMessage

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
    file: MediaFile | None = None
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


def items(said: Said) -> list[Bubble | Happening]:
    """Everything in the order it happened. A message about one that is not shown any more is left out."""
    talk = Talk()
    rows: list[InboxMessage | OutboxMessage] = [*said.received, *said.sent]
    for row in sorted(rows, key=lambda each: each.id):
        if isinstance(row, OutboxMessage):
            _ours(talk, row, said.authors)
        else:
            _theirs(talk, row, said.media.get(row.id))
    happened = (_happening(row) for row in said.events)
    return sorted([*talk.bubbles.values(), *happened], key=lambda each: each.id)


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
        file=file,
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
    talk.bubbles[row.external_id or f"outbox:{row.id}"] = Bubble(
        id=row.id,
        talk=row.conversation_id,
        ours=True,
        by=authors.get(row.author_id, word("by", "somebody")) if row.author_id is not None else "",
        at=row.sent_at or row.created_at,
        kind="template" if isinstance(message, Template) else message.kind if isinstance(message, File) else "text",
        text=row.text,
        state=row.state,
        trouble=trouble,
        options=tuple(option.title for option in message.options) if isinstance(message, Choices) else (),
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


def by_day(shown: Iterable[Bubble | Happening], zone: Any) -> list[tuple[datetime, list[Bubble | Happening]]]:
    """Grouped by the company's own days, in order; the day is told by its first instant shown."""
    days: list[tuple[datetime, list[Bubble | Happening]]] = []
    for item in shown:
        if not days or days[-1][0].astimezone(zone).date() != item.at.astimezone(zone).date():
            days.append((item.at, []))
        days[-1][1].append(item)
    return days

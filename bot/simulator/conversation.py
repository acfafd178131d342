"""What one person's phone shows of one business number: messages both ways, ticks, reactions, the 24-hour window."""

from __future__ import annotations

import base64
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Json = dict[str, Any]

WINDOW = timedelta(hours=24)
TYPING = timedelta(seconds=25)

_ORDER = ("sending", "sent", "delivered", "read")


def new_wamid(person: str, *, outgoing: bool) -> str:
    """A message id in Meta's shape: base64 of a little header, the person's id and a random part."""
    name, token = person.encode(), uuid.uuid4().hex[:20].upper().encode()
    head = bytes((0x1C, 0x18, len(name))) + name + bytes((0x15, 0x02, 0x00, 0x11 if outgoing else 0x12, 0x18, len(token)))
    return "wamid." + base64.b64encode(head + token + b"\0").decode()


@dataclass(frozen=True, slots=True)
class Choice:
    """A button or a list row that can be pressed. `kind` is the reply that it makes."""

    id: str
    title: str
    description: str = ""
    kind: Literal["button_reply", "list_reply", "button"] = "button_reply"


@dataclass(slots=True)
class Message:
    """One bubble. `content` is the part of the JSON on the wire that is named like its type
    (for contacts, under the key `contacts`)."""

    id: str
    type: str
    content: Json
    at: datetime
    mine: bool
    """Written by the person; False: by the business."""
    about: str | None = None
    status: str = "sending"
    error: str = ""
    reactions: dict[str, str] = field(default_factory=dict)
    """Emoji by who reacted: person, business."""
    edited: bool = False
    deleted: bool = False
    referral: Json | None = None

    @property
    def text(self) -> str:
        """The words that the phone shows."""
        match self.type:
            case "text":
                return str(self.content["body"])
            case "template":
                return str(self.content["rendered"]["body"])
            case "interactive" if self.mine:
                return str(self.content[self.content["type"]].get("title") or self.content[self.content["type"]].get("body", ""))
            case "interactive":
                return str(self.content.get("body", {}).get("text", ""))
            case "button":
                return str(self.content["text"])
            case "image" | "video" | "document":
                return str(self.content.get("caption") or "")
            case "location":
                return str(self.content.get("name") or "")
            case _:
                return ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What can be pressed in it."""
        if self.mine:
            return ()
        if self.type == "template":
            return tuple(Choice(b["payload"], b["text"], kind="button") for b in self.content["rendered"]["buttons"])
        if self.type != "interactive":
            return ()
        action = self.content.get("action", {})
        if self.content["type"] == "button":
            return tuple(Choice(b["reply"]["id"], b["reply"]["title"]) for b in action["buttons"])
        if self.content["type"] == "list":
            rows = [row for section in action["sections"] for row in section["rows"]]
            return tuple(Choice(r["id"], r["title"], r.get("description") or "", "list_reply") for r in rows)
        return ()

    def advance(self, status: str) -> bool:
        """Set the ticks, which never go back. True when they changed."""
        if self.status == "failed" or status == self.status:
            return False
        if status != "failed" and _ORDER.index(status) < _ORDER.index(self.status):
            return False
        self.status = status
        return True

    def view(self) -> Json:
        """For the phone's page."""
        return {
            "id": self.id,
            "mine": self.mine,
            "type": self.type,
            "content": self.content,
            "text": self.text,
            "at": self.at.isoformat(),
            "about": self.about,
            "status": self.status,
            "error": self.error,
            "reactions": self.reactions,
            "edited": self.edited,
            "deleted": self.deleted,
            "referral": self.referral,
        }


@dataclass(slots=True)
class Conversation:
    """One person and one business number; only the newest `limit` messages are kept."""

    number: str
    person: str
    limit: int
    messages: OrderedDict[str, Message] = field(default_factory=OrderedDict)
    told: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """The ids of everything that the person sent: messages, and reactions, edits and the like, which are no bubbles."""
    wrote_at: datetime | None = None
    """When the person last wrote: the 24-hour window counts from it."""
    typing_until: datetime | None = None

    def add(self, message: Message) -> None:
        self.messages[message.id] = message
        if message.mine:
            self.wrote_at = message.at
        else:
            self.typing_until = None
        while len(self.messages) > self.limit:
            self.messages.popitem(last=False)

    def remember(self, wamid: str) -> None:
        self.told[wamid] = None
        while len(self.told) > self.limit:
            self.told.popitem(last=False)

    def open(self, now: datetime) -> bool:
        """Whether the business may write anything but a template."""
        return self.wrote_at is not None and now - self.wrote_at <= WINDOW

    def typing(self, now: datetime) -> bool:
        return self.typing_until is not None and now < self.typing_until

"""Between a messenger's messages and a dialog's turns: what was said becomes a Turn, what is to be said an Outbound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.channels.base import Choices, Inbound, Option, Outbound, Text
from bot.numbers import OurNumber
from crm_bridge.people.rules import clean_name
from dialogs import engine
from dialogs.model import Attachment, Language, Say, State, Turn
from nlu.understanding import NOTHING

PREVIEW = 120
"""Characters that a conversation's row keeps of its last message."""
Said = Sequence[tuple[int, Inbound]]
"""Messages with the ids of their inbox rows."""


def to_turn(talk: Mapping[str, Any], number: OurNumber, said: Said, state: State, now: datetime) -> Turn:
    """Everything a person said since our last word, with what the dialog needs to know around it."""
    text = written(said)
    is_open = number.is_open(now)
    known = {"name": talk["name"], "email": talk["email"], "phone": talk["phone"], "company": talk["organisation"]}
    return Turn(
        text=text,
        choice=next((message.choice for _, message in reversed(said) if message.choice), None),
        attachments=tuple(attachment for row_id, message in said for attachment in _attachments(row_id, message)),
        understanding=number.nlu.understand(text, engine.expected(number.dialog, state), number.faq) if text else NOTHING,
        now=number.local(now),
        country=number.company.country,
        currency=number.company.currency,
        open=is_open,
        opens={} if is_open else number.opens(now),
        known={fact: value for fact, value in known.items() if value},
        returning=bool(talk["has_lead"] or (talk["name"] and talk["state"] is None)),
        voice=number.voice,
    )


def written(said: Said) -> str:
    """What they wrote; bubbles become lines."""
    return "\n".join(message.text for _, message in said if message.text and message.choice is None)


def language_of(code: str) -> Language:
    """A stored language code as one that dialogs are written in."""
    return "en" if code == "en" else "pt" if code == "pt" else "es"


def to_outbound(say: Say) -> Outbound:
    if not say.choices:
        return Text(say.text)
    options = tuple(Option(choice.id, choice.title, choice.description) for choice in say.choices)
    return Choices(say.text, options, say.button) if say.button else Choices(say.text, options)


def _attachments(row_id: int, message: Inbound) -> list[Attachment]:
    """What a message brought besides its words. `file` names the inbox message, where the file itself is found later."""
    file = str(row_id)
    match message.kind:
        case "voice" if message.text:  # what it says is in the text
            return []
        case "image" | "audio" | "voice" | "video" | "document" | "sticker" as kind:
            return [Attachment(kind, file=file, name=(message.media.filename or "") if message.media else "")]
        case "location" if message.place is not None:
            place = message.place
            name = place.name or place.address or ""
            return [Attachment("location", file=file, name=name, latitude=place.latitude, longitude=place.longitude)]
        case "contacts":
            return [
                Attachment("contact", file, clean_name(card.name) or "", next(iter(card.phones), ""), next(iter(card.emails), ""))
                for card in message.cards
            ]
        case "order":
            return [
                Attachment("order", file=file, detail=", ".join(f"{item.quantity} × {item.product}" for item in message.order))
            ]
        case "unsupported":
            return [Attachment("unsupported", file=file)]
        case _:
            return []

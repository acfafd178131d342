"""What a WhatsApp message says: from its typed part on the wire to the fields of `Inbound`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import DecodeError
from msgspec.json import Decoder

from bot.channels import whatsapp_wire as wire
from bot.channels.base import Card, Media, OrderItem, Place
from bot.channels.clean import clean_json, clean_text, clean_value

Content = dict[str, Any]
"""Keyword arguments of `Inbound`: `kind`, and what else that kind has."""

_any = Decoder()


def content_of(message: wire.Message) -> Content:
    """The content by its `type`, or by the part that is there when there is no type. What cannot be read is `unsupported`."""
    kind = message.type or next((name for name in _READERS if getattr(message, name, None) is not None), "")
    reader = _READERS.get(kind)
    content = reader(message) if reader else None
    if content is not None:
        return content
    reason = error_text(message.errors[0]) if message.errors else f"{clean_text(kind, 64) or 'message'}: not readable"
    return {"kind": "unsupported", "error": reason}


def id_text(value: str | float | None) -> str | None:
    """An id as text, whether it came as text or as a number; None when it is empty."""
    if value is None:
        return None
    return clean_text(value if isinstance(value, str) else str(value), 512) or None


def error_text(error: wire.Error) -> str:
    """`131051 Message type unknown: Message type is currently not supported.`"""
    data = error.error_data
    details = data.get("details") if isinstance(data, dict) else data
    parts = [part for part in (error.title or error.message, details or error.details or error.message) if isinstance(part, str)]
    return clean_text(f"{id_text(error.code) or ''} {': '.join(dict.fromkeys(parts))}".strip(), 1024)


def _number(value: str | float | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


# ------------------------------------------------------------------------------------------- a reader per type
def _text(message: wire.Message) -> Content | None:
    return {"kind": "text", "text": clean_text(message.text.body)} if message.text else None


def _button(message: wire.Message) -> Content | None:
    button = message.button
    return {"kind": "button", "text": clean_text(button.text), "choice": id_text(button.payload)} if button else None


def _interactive(message: wire.Message) -> Content | None:
    part = message.interactive
    if part is None:
        return None
    if part.button_reply:
        return {"kind": "button", "text": clean_text(part.button_reply.title), "choice": id_text(part.button_reply.id)}
    if part.list_reply:
        return {"kind": "list", "text": clean_text(part.list_reply.title), "choice": id_text(part.list_reply.id)}
    if part.nfm_reply:
        return {"kind": "flow", "text": clean_text(part.nfm_reply.body or ""), "form": _form(part.nfm_reply.response_json)}
    if part.call_permission_reply:
        return {"kind": "system", "system": {"type": part.type} | clean_value(part.call_permission_reply)}
    return None


def _form(response: Any) -> dict[str, Any] | None:
    """The fields of a finished Flow: a JSON text that need not hold an object."""
    if isinstance(response, str):
        try:
            response = _any.decode(clean_json(response.encode()))
        except (DecodeError, RecursionError):
            return None
    return clean_value(response) if isinstance(response, dict) else None


def _media(kind: str) -> Callable[[wire.Message], Content | None]:
    def read(message: wire.Message) -> Content | None:
        part: wire.Media | None = getattr(message, kind)
        if part is None or (media_id := id_text(part.id)) is None:
            return None
        size = _number(part.file_size)
        media = Media(
            media_id,
            clean_text(part.mime_type or "", 128),
            id_text(part.sha256),
            clean_text(part.filename, 256) if part.filename else None,
            int(size) if size is not None and 0 <= size < 2**40 else None,
            bool(part.animated),
        )
        return {"kind": "voice" if part.voice else kind, "text": clean_text(part.caption or ""), "media": media}

    return read


def _location(message: wire.Message) -> Content | None:
    part = message.location
    latitude, longitude = (_number(part.latitude), _number(part.longitude)) if part else (None, None)
    if part is None or latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    name, address = (clean_text(each, 1024) if each else None for each in (part.name, part.address))
    return {"kind": "location", "place": Place(latitude, longitude, name, address)}


def _contacts(message: wire.Message) -> Content | None:
    return {"kind": "contacts", "cards": tuple(map(_card, message.contacts))} if message.contacts else None


def _card(card: wire.Card) -> Card:
    name = card.name or wire.CardName()
    words = name.formatted_name or " ".join(filter(None, (name.first_name, name.last_name)))
    phones = (clean_text(str(each.phone or each.wa_id or ""), 64) for each in card.phones or ())
    emails = (clean_text(each.email or "", 320) for each in card.emails or ())
    company = clean_text(card.org.company or "", 256) if card.org else ""
    return Card(clean_text(words, 256), tuple(filter(None, phones)), tuple(filter(None, emails)), company or None)


def _order(message: wire.Message) -> Content | None:
    if message.order is None or not message.order.product_items:
        return None
    items = []
    for item in message.order.product_items:
        product, quantity, price = id_text(item.product_retailer_id), _number(item.quantity), _number(item.item_price)
        if product is None or quantity is None or price is None or not 0 < quantity < 10**9 or quantity % 1:
            return None
        items.append(OrderItem(product, int(quantity), str(item.item_price), clean_text(item.currency, 8)))
    return {"kind": "order", "text": clean_text(message.order.text or ""), "order": tuple(items)}


def _reaction(message: wire.Message) -> Content | None:
    part = message.reaction
    return {"kind": "reaction", "text": clean_text(part.emoji or "", 64), "about": id_text(part.message_id)} if part else None


def _edit(message: wire.Message) -> Content | None:
    part = message.edit
    if part is None or part.message is None or part.message.edit is not None:
        return None
    return content_of(part.message) | {"kind": "edit", "about": id_text(part.original_message_id)}


def _revoke(message: wire.Message) -> Content | None:
    return {"kind": "revoke", "about": id_text(message.revoke.original_message_id)} if message.revoke else None


def _system(message: wire.Message) -> Content | None:
    if message.system is None:
        return None
    system = clean_value(message.system)
    if "new_wa_id" in system:  # until v12
        system.setdefault("wa_id", system["new_wa_id"])
    return {"kind": "system", "text": system["body"] if isinstance(system.get("body"), str) else "", "system": system}


def _welcome(message: wire.Message) -> Content | None:
    return {"kind": "system", "system": {"type": message.type}}


_MEDIA: Sequence[str] = ("image", "audio", "voice", "video", "document", "sticker")
_READERS: dict[str, Callable[[wire.Message], Content | None]] = {
    "text": _text,
    "button": _button,
    "interactive": _interactive,
    **{kind: _media(kind) for kind in _MEDIA},
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
    "request_welcome": _welcome,
}

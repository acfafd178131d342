"""Meta's limits on one outgoing message, checked as Meta checks them.

Source: developers.facebook.com/docs/whatsapp/cloud-api/messages (one page for each type).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from bot.simulator.graph_errors import GraphError

Json = dict[str, Any]

MB = 1024 * 1024
MEDIA_TYPES: dict[str, tuple[re.Pattern[str], int]] = {
    "sticker": (re.compile(r"image/webp"), 500 * 1024),
    "image": (re.compile(r"image/(jpeg|png)"), 5 * MB),
    "audio": (re.compile(r"audio/(aac|mp4|mpeg|amr|ogg|opus)"), 16 * MB),
    "video": (re.compile(r"video/(mp4|3gpp)"), 16 * MB),
    "document": (re.compile(r"text/plain|application/(pdf|msword|vnd\.(ms-|openxmlformats-officedocument\.)[\w.-]+)"), 100 * MB),
}
"""What each kind of media may be, and its greatest size in bytes."""
STATIC_STICKER = 100 * 1024
BIGGEST = max(most for _, most in MEDIA_TYPES.values())

_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


def kind_of(mime: str) -> str | None:
    """image, audio, video, document or sticker; None for a file that WhatsApp does not take."""
    plain = mime.partition(";")[0].strip().lower()
    return next((kind for kind, (pattern, _) in MEDIA_TYPES.items() if pattern.fullmatch(plain)), None)


def check_file(mime: str, content: bytes) -> str:
    """Return the kind of an uploaded file. GraphError when its type is not taken or it is too big."""
    kind = kind_of(mime)
    if kind is None:
        raise GraphError(
            100, message=f"(#100) Param file must be a file with one of the supported types. Received file of type '{mime}'."
        )
    size = MEDIA_TYPES[kind][1] if kind != "sticker" or b"ANIM" in content[:64] else STATIC_STICKER
    if len(content) > size:
        raise GraphError(100, f"Media file size too big. Max file size we currently support: {size} bytes for {kind}.")
    return kind


async def read_all(chunks: AsyncIterator[bytes], most: int) -> bytes:
    """Put a file together; what is over `most` bytes is read only far enough to be refused by `check_file`."""
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > most:
            break
    return bytes(content)


def check(message: Json) -> None:
    """Raise GraphError when Meta would refuse this body of `POST /{phone_number_id}/messages`."""
    if message.get("messaging_product") != "whatsapp":
        raise GraphError(100, message="(#100) The parameter messaging_product is required.")
    if len(str(message.get("biz_opaque_callback_data", ""))) > 512:
        raise GraphError(100, "biz_opaque_callback_data must be at most 512 characters long.")
    _recipient(message)
    if not isinstance(message.get("context", {}), dict):
        raise GraphError(100, "Parameter 'context' must be an object.")
    kind = str(message.get("type", "text"))
    rule = _RULES.get(kind)
    if rule is None:
        raise GraphError(131051, f"Message type {kind!r} is not supported.")
    part = message.get(kind)
    if not isinstance(part, list if kind == "contacts" else dict) or not part:
        raise GraphError(131008, f"Parameter '{kind}' is required for messages of type {kind}.")
    try:
        rule(part)
    except (AttributeError, KeyError, TypeError) as error:
        raise GraphError(100, f"Parameter '{kind}' does not have the expected shape ({error}).") from None


def _recipient(message: Json) -> None:
    to, bsuid = message.get("to"), message.get("recipient")
    if not to and not bsuid:
        raise GraphError(131008, "One of the parameters 'to' and 'recipient' is required.")
    if to and not 5 <= len(re.sub(r"\D", "", str(to))) <= 15:
        raise GraphError(131009, "Parameter 'to' is not a valid phone number.")
    if not to and not _BSUID.fullmatch(str(bsuid)):
        raise GraphError(131009, "Parameter 'recipient' is not a valid business-scoped user id.")


def _length(name: str, value: object, most: int, code: int = 131009) -> None:
    if not isinstance(value, str) or not value.strip():
        raise GraphError(131008, f"{name} is required.")
    if len(value) > most:
        if code == 100:
            raise GraphError(100, message=f"(#100) Param {name} must be at most {most} characters long.")
        raise GraphError(code, f"{name} length invalid. Min length: 1, Max length: {most}")


def _distinct(name: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise GraphError(131009, f"Duplicated {name}")


def _text(part: Json) -> None:
    _length("text['body']", part.get("body"), 4096, 100)


def _media(part: Json) -> None:
    if bool(part.get("id")) == bool(part.get("link")):
        raise GraphError(131008, "Exactly one of 'id' and 'link' is required.")
    if part.get("id") and not isinstance(part["id"], str | int):
        raise GraphError(131009, "Parameter 'id' is not a valid media id.")
    if "caption" in part:
        _length("caption", part["caption"], 1024)
    if part.get("link") and not str(part["link"]).startswith(("http://", "https://")):
        raise GraphError(131009, "Parameter 'link' is not a valid URL.")


def _location(part: Json) -> None:
    try:
        inside = abs(float(part["latitude"])) <= 90 and abs(float(part["longitude"])) <= 180
    except (KeyError, ValueError):
        inside = False
    if not inside:
        raise GraphError(131009, "Parameters 'latitude' and 'longitude' are required, in degrees.")


def _contacts(part: list[Json]) -> None:
    for contact in part:
        _length("contacts.name.formatted_name", contact["name"].get("formatted_name"), 1024)


def _reaction(part: Json) -> None:
    _length("reaction.message_id", part.get("message_id"), 512)
    if not isinstance(part.get("emoji"), str):
        raise GraphError(131008, "reaction.emoji is required.")


def _template(part: Json) -> None:
    _length("template.name", part.get("name"), 512)
    _length("template.language.code", part.get("language", {}).get("code"), 16)
    for component in part.get("components", ()):
        most = {"header": 60, "body": 1024}.get(str(component.get("type", "")).lower())
        for parameter in component.get("parameters", ()):
            if most and parameter.get("type") == "text":
                _length("Template parameter", parameter.get("text"), most, 132005)


def _interactive(part: Json) -> None:
    kind = part.get("type")
    rule = _INTERACTIVE.get(str(kind))
    if rule is None:
        raise GraphError(131009, f"Interactive type {kind!r} is not supported.")
    if kind != "product":
        _length("Body text", part.get("body", {}).get("text"), 1024)
    if part.get("footer"):
        _length("Footer text", part["footer"].get("text"), 60)
    if part.get("header", {}).get("type") == "text":
        _length("Header text", part["header"].get("text"), 60)
    rule(part, part.get("action") or {})


def _buttons(_: Json, action: Json) -> None:
    buttons = action.get("buttons") or []
    if not 1 <= len(buttons) <= 3:
        raise GraphError(131009, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
    for button in buttons:
        _length("Button title", button["reply"].get("title"), 20)
        _length("Button id", button["reply"].get("id"), 256)
    _distinct("button titles", [button["reply"]["title"] for button in buttons])
    _distinct("button ids", [button["reply"]["id"] for button in buttons])


def _sections(action: Json, items: str, most: int) -> Iterator[Json]:
    sections = action.get("sections") or []
    if not 1 <= len(sections) <= 10:
        raise GraphError(131009, "Invalid sections count. Min allowed sections: 1, Max allowed sections: 10")
    for section in sections:
        if len(sections) > 1 or section.get("title"):
            _length("Section title", section.get("title"), 24)
        if not section.get(items):
            raise GraphError(131009, f"Section {items} are required.")
    count = sum(len(section[items]) for section in sections)
    if count > most:
        raise GraphError(131009, f"Total {items} count exceed max allowed count: {most}")
    for section in sections:
        yield from section[items]


def _list(_: Json, action: Json) -> None:
    _length("List button", action.get("button"), 20)
    rows = list(_sections(action, "rows", 10))
    for row in rows:
        _length("Row title", row.get("title"), 24)
        _length("Row id", row.get("id"), 200)
        if row.get("description"):
            _length("Row description", row["description"], 72)
    _distinct("row ids", [row["id"] for row in rows])


def _product(_: Json, action: Json) -> None:
    _length("catalog_id", action.get("catalog_id"), 256)
    _length("product_retailer_id", action.get("product_retailer_id"), 256)


def _products(part: Json, action: Json) -> None:
    _length("catalog_id", action.get("catalog_id"), 256)
    _length("Header text", part.get("header", {}).get("text"), 60)
    for item in _sections(action, "product_items", 30):
        _length("product_retailer_id", item.get("product_retailer_id"), 256)


def _named(name: str, *needed: str) -> Callable[[Json, Json], None]:
    def rule(_: Json, action: Json) -> None:
        if action.get("name") != name:
            raise GraphError(131009, f"Action name must be {name}.")
        for parameter in needed:
            _length(f"action.parameters.{parameter}", (action.get("parameters") or {}).get(parameter), 2000)
        if "display_text" in needed:
            _length("Button text", action["parameters"]["display_text"], 20)

    return rule


_INTERACTIVE: dict[str, Callable[[Json, Json], None]] = {
    "button": _buttons,
    "list": _list,
    "product": _product,
    "product_list": _products,
    "catalog_message": _named("catalog_message"),
    "cta_url": _named("cta_url", "display_text", "url"),
    "flow": _named("flow", "flow_cta"),
    "location_request_message": _named("send_location"),
}

_RULES: dict[str, Callable[[Any], None]] = {
    "text": _text,
    "image": _media,
    "audio": _media,
    "video": _media,
    "document": _media,
    "sticker": _media,
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "template": _template,
    "interactive": _interactive,
}

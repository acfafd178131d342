"""Our messages → the Cloud API's request bodies, with its limits enforced here and nowhere else.

Source: Meta's Cloud API message reference, v26.0 (`POST /{version}/{phone_number_id}/messages`). Lengths are in characters.
"""

from __future__ import annotations

from typing import Any, Literal, assert_never

from bot.channels.base import Choices, File, Outbound, Reaction, Recipient, Template, Text

Body = dict[str, Any]


class TooLong(ValueError):
    """A part of a message is longer than WhatsApp takes; the message names the part and its limit."""

    def __init__(self, part: str, limit: int, got: int) -> None:
        super().__init__(f"{part}: {got}, and WhatsApp takes at most {limit}")
        self.part = part
        self.limit = limit


TEXT = 4096
INTERACTIVE_BODY = 1024
FOOTER = 60
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
LIST_BUTTON, ROWS, ROW_TITLE, ROW_ID, ROW_DESCRIPTION = 20, 10, 24, 200, 72
TEMPLATE_NAME, PARAMETER = 512, 1024
TEMPLATE_BUTTONS, PAYLOAD = 10, 128
CAPTION = 1024
CALLBACK = 512
_CAPTIONED = ("image", "video", "document")


def check(message: Outbound) -> None:
    """TooLong when a part exceeds its limit, ValueError when the message lacks something: before it is sent, or at start."""
    match message:
        case Text():
            _fits("text body", message.body, TEXT)
        case Choices():
            _check_choices(message)
        case Template():
            _fits("template name", message.name, TEMPLATE_NAME)
            _fits("template language", message.language, 16)
            for parameter in message.parameters:
                _fits("template parameter", _one_line(parameter), PARAMETER)
            if len(message.buttons) > TEMPLATE_BUTTONS:
                raise TooLong("template buttons", TEMPLATE_BUTTONS, len(message.buttons))
            for payload in message.buttons:
                _fits("template button payload", payload, PAYLOAD)
        case File():
            _check_file(message)
        case Reaction():
            _fits("reaction message id", message.to_message, 512)
        case _:
            assert_never(message)


def to_json(message: Outbound, recipient: Recipient, callback: str) -> Body:
    """The request body. `callback` comes back in the statuses as `biz_opaque_callback_data`. ValueError as in `check`."""
    check(message)
    if len(callback) > CALLBACK:
        raise TooLong("callback", CALLBACK, len(callback))
    kind, part = _part(message)
    body: Body = {"messaging_product": "whatsapp", "recipient_type": "individual", "type": kind, kind: part}
    if recipient.phone:
        body["to"] = recipient.phone
    elif recipient.bsuid:
        body["recipient"] = recipient.bsuid
    else:
        raise ValueError("neither a phone nor a BSUID to send to")
    if callback:
        body["biz_opaque_callback_data"] = callback
    return body


def form_of(choices: Choices) -> Literal["button", "list", "numbered"]:
    """How options are shown: reply buttons, a list, or numbers in the text."""
    options = choices.options
    titles = [option.title for option in options]
    plain = not any(option.description for option in options)
    if len(options) <= BUTTONS and plain and len(set(titles)) == len(titles) and all(len(t) <= BUTTON_TITLE for t in titles):
        return "button"
    return "list" if len(options) <= ROWS else "numbered"


# ------------------------------------------------------------------------------------------- checks
def _fits(part: str, text: str, limit: int, *, empty: bool = False) -> None:
    if len(text) > limit:
        raise TooLong(part, limit, len(text))
    if not empty and not text.strip():
        raise ValueError(f"{part}: empty")


def _check_choices(message: Choices) -> None:
    ids = [option.id for option in message.options]
    if not ids:
        raise ValueError("choices: none")
    if len(set(ids)) < len(ids):
        raise ValueError("choices: two have the same id")
    form = form_of(message)
    if form == "numbered":
        return _fits("text body", message.numbered(), TEXT)
    _fits("interactive body", message.body, INTERACTIVE_BODY)
    _fits("footer", message.footer, FOOTER, empty=True)
    if form == "list":
        _fits("list button", message.button, LIST_BUTTON)
    for option in message.options:
        if form == "button":
            _fits("button title", option.title, BUTTON_TITLE)
            _fits("button id", option.id, BUTTON_ID)
        else:
            _fits("row title", option.title, ROW_TITLE)
            _fits("row id", option.id, ROW_ID)
            _fits("row description", option.description, ROW_DESCRIPTION, empty=True)
    return None


def _check_file(message: File) -> None:
    if bool(message.link) == bool(message.media_id):
        raise ValueError("file: exactly one of link and media_id")
    if message.link and not message.link.startswith(("https://", "http://")):
        raise ValueError("file: the link is neither http nor https")
    if message.caption and message.kind not in _CAPTIONED:
        raise ValueError(f"file: {message.kind} takes no caption")
    _fits("caption", message.caption, CAPTION, empty=True)


# ------------------------------------------------------------------------------------------- parts
def _part(message: Outbound) -> tuple[str, Body]:
    match message:
        case Text():
            return "text", {"preview_url": message.preview, "body": message.body}
        case Choices():
            return _choices(message)
        case Template():
            part: Body = {"name": message.name, "language": {"code": message.language}}
            values = [{"type": "text", "text": _one_line(parameter)} for parameter in message.parameters]
            components: list[Body] = [{"type": "body", "parameters": values}] if values else []
            components += [
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": str(index),
                    "parameters": [{"type": "payload", "payload": payload}],
                }
                for index, payload in enumerate(message.buttons)
            ]
            if components:
                part["components"] = components
            return "template", part
        case File():
            part = {"id": message.media_id} if message.media_id else {"link": message.link}
            if message.caption:
                part["caption"] = message.caption
            if message.filename and message.kind == "document":
                part["filename"] = message.filename
            return message.kind, part
        case Reaction():
            return "reaction", {"message_id": message.to_message, "emoji": message.emoji}
    assert_never(message)


def _choices(message: Choices) -> tuple[str, Body]:
    form = form_of(message)
    if form == "numbered":
        return "text", {"preview_url": False, "body": message.numbered()}
    action: Body
    if form == "button":
        replies = [{"id": option.id, "title": option.title} for option in message.options]
        action = {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}
    else:
        rows = [
            {"id": option.id, "title": option.title} | ({"description": option.description} if option.description else {})
            for option in message.options
        ]
        action = {"button": message.button, "sections": [{"rows": rows}]}
    part: Body = {"type": form, "body": {"text": message.body}, "action": action}
    if message.footer:
        part["footer"] = {"text": message.footer}
    return "interactive", part


def _one_line(parameter: str) -> str:
    """Meta refuses line ends, tabs and runs of spaces inside a template's parameter (132018)."""
    return " ".join(parameter.split())

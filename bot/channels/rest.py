"""Rasa's REST channel, so that chat widgets made for Rasa can talk to Mostrador. Source: Rasa 3.6, rasa/core/channels/rest.py.

A widget asks and gets the answers in the same breath: nothing is pushed. To send is therefore to lay ready; `bot/rest.py` hands
it to whoever asks next as that sender.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

import msgspec

from bot.channels.base import (
    Account,
    Action,
    Choices,
    Fetched,
    File,
    Inbound,
    MediaError,
    Option,
    Outbound,
    Parsed,
    Recipient,
    Sender,
    SendError,
    Text,
)
from bot.channels.clean import clean_json, clean_text

NAME = "webchat"
LONGEST = 4_096
"""Characters of a message, as on WhatsApp."""
_BUTTON = re.compile(r'/(.{1,256})(\{"title":.*\})', re.DOTALL)


class NotAMessage(ValueError):
    """What was posted is no message of Rasa's REST channel; the message says what it has to be."""


class Post(msgspec.Struct):
    """What a widget posts. `message_id` is ours: with it, a message that is posted again is the same one."""

    sender: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    message: Annotated[str, msgspec.Meta(max_length=LONGEST)]
    message_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None


class Envelope(msgspec.Struct):
    """A post as it is kept, with what came beside it: the number it is for, its id, and when it came."""

    number: str
    id: str
    at: datetime
    post: Post


class _Title(msgspec.Struct):
    title: str


_read = msgspec.json.Decoder(Post).decode
_open = msgspec.json.Decoder(Envelope).decode
_title = msgspec.json.Decoder(_Title).decode


def read(body: bytes) -> Post:
    """A posted body, with texts that any store takes. NotAMessage."""
    try:
        post = _read(clean_json(body))
    except msgspec.DecodeError as error:
        raise NotAMessage(f'{error}; post {{"sender": "…", "message": "…"}}') from None
    post = Post(
        clean_text(post.sender).strip(), clean_text(post.message).strip(), post.message_id and clean_text(post.message_id)
    )
    if not post.sender or not post.message:
        raise NotAMessage("sender and message may not be empty")
    return post


class Rest:
    """A Channel whose messages are fetched."""

    name = NAME
    reports = False

    def parse(self, body: bytes) -> Parsed:
        """The message of an Envelope. ValueError."""
        try:
            envelope = _open(body)
        except msgspec.DecodeError as error:
            raise ValueError(str(error)) from None
        said = envelope.post.message
        pressed = _pressed(said)
        message = Inbound(
            channel=NAME,
            number=envelope.number,
            external_id=envelope.id,
            sender=Sender(webchat=envelope.post.sender),
            at=envelope.at,
            kind="button" if pressed else "text",
            text=pressed.title if pressed else said,
            choice=pressed.id if pressed else None,
        )
        return Parsed((message,))

    async def send(self, account: Account, to: Recipient, message: Outbound, callback: str) -> str:
        """Lay it ready under our own id. SendError when a widget could not show it."""
        show(message, to.webchat or "")
        return callback

    def action(self, code: int) -> Action:
        return Action.PARK

    async def mark_read(self, account: Account, to: Recipient, external_id: str, typing: bool) -> None:
        """A widget that waits for the answer knows that it was read."""

    async def fetch(self, account: Account, media_id: str, limit: int) -> Fetched:
        raise MediaError("a widget sends no files", final=True)


def show(message: Outbound, recipient: str) -> dict[str, Any]:
    """A message as Rasa answers it. SendError for what it has no form for."""
    match message:
        case Text(body):
            return {"recipient_id": recipient, "text": body}
        case Choices(body, options, _, footer):
            buttons = [{"title": option.title, "payload": _payload(option)} for option in options]
            return {"recipient_id": recipient, "text": "\n\n".join(filter(None, (body, footer))), "buttons": buttons}
        case File("image", link=str(link), caption=caption):
            return {"recipient_id": recipient, "image": link} | ({"text": caption} if caption else {})
        case File(link=str(link), caption=caption):
            return {"recipient_id": recipient, "text": f"{caption}\n{link}".strip()}
    raise SendError("a chat widget has no form for this", action=Action.PARK)


def _payload(option: Option) -> str:
    """What a widget posts for a pressed button. In Rasa's own form (/intent{entities}), so that none shows it to the person."""
    return f"/{option.id}{msgspec.json.encode(_Title(option.title)).decode()}"


def _pressed(said: str) -> Option | None:
    """The option behind a payload of ours; None when it is something that was written."""
    found = _BUTTON.fullmatch(said)
    if found is None:
        return None
    try:
        return Option(found[1], clean_text(_title(found[2]).title))
    except msgspec.DecodeError:
        return None

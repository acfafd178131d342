"""Telegram's updates → messages and notices. One update a body; only private chats are talks.

Source: Bot API 9, `Update`. Ids are `bot:chat:message`, since Telegram counts messages per chat; an update that is no new
message of its own is `bot:update:number` or, for a pressed button, `bot:callback:id`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from bot.channels.base import UNKNOWN_TIME, Card, Inbound, Kind, Media, Notice, Parsed, Place, Sender
from bot.channels.clean import clean_json, clean_value

CHANNEL = "telegram"
UPDATES = ("message", "edited_message", "callback_query", "message_reaction", "my_chat_member")
"""The updates to subscribe to; every other one becomes a Notice."""

_decode = msgspec.json.Decoder().decode


class _User(Struct):
    id: int
    first_name: str = ""
    last_name: str = ""
    is_bot: bool = False


class _Chat(Struct):
    id: int
    type: str = "private"


class _File(Struct):
    file_id: str
    mime_type: str = ""
    file_name: str | None = None
    file_size: int | None = None
    is_animated: bool = False
    is_video: bool = False


class _Location(Struct):
    latitude: float
    longitude: float


class _Venue(Struct):
    location: _Location
    title: str | None = None
    address: str | None = None


class _Contact(Struct):
    phone_number: str
    first_name: str = ""
    last_name: str = ""


class _Button(Struct):
    text: str = ""
    callback_data: str | None = None


class _Keyboard(Struct):
    inline_keyboard: list[list[_Button]] = []


class _Reply(Struct):
    message_id: int


class _Message(Struct):
    message_id: int
    chat: _Chat
    date: int = 0
    edit_date: int = 0
    sender: _User | None = field(default=None, name="from")
    text: str | None = None
    caption: str = ""
    photo: list[_File] | None = None
    voice: _File | None = None
    audio: _File | None = None
    video: _File | None = None
    video_note: _File | None = None
    animation: _File | None = None
    document: _File | None = None
    sticker: _File | None = None
    location: _Location | None = None
    venue: _Venue | None = None
    contact: _Contact | None = None
    reply_to_message: _Reply | None = None
    forward_origin: dict[str, Any] | None = None
    reply_markup: _Keyboard | None = None


class _Press(Struct):
    id: str
    sender: _User = field(name="from")
    message: _Message | None = None
    data: str | None = None


class _Emoji(Struct):
    emoji: str = ""


class _Reacted(Struct):
    chat: _Chat
    message_id: int
    date: int = 0
    user: _User | None = None
    new_reaction: list[_Emoji] = []


_FILES: tuple[tuple[str, Kind], ...] = (
    ("voice", "voice"),
    ("audio", "audio"),
    ("video", "video"),
    ("video_note", "video"),
    ("animation", "video"),  # before `document`, which repeats it
    ("document", "document"),
    ("sticker", "sticker"),
)


def parse(body: bytes, bot: str, now: datetime) -> Parsed:
    """One update. `bot` is our bot's id; `now` the time of a pressed button, which Telegram does not tell.
    ValueError when it is not a JSON object with an `update_id`."""
    try:
        try:
            update = _decode(body)
        except msgspec.DecodeError:  # half of a surrogate pair, perhaps
            update = _decode(clean_json(body))
        update = clean_value(update)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not an update: {error}") from None
    number = update.get("update_id") if isinstance(update, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError("not an update: no update_id")
    unique = f"{bot}:update:{number}"
    kind = next((name for name in update if name != "update_id"), "")
    value = update.get(kind)
    try:
        inbound = _inbound(kind, value, bot, unique, now)
    except (msgspec.ValidationError, ValueError, OverflowError, OSError) as error:
        return Parsed((), (f"{kind}: {error}",))
    if inbound is not None:
        return Parsed((inbound,))
    value = value if isinstance(value, dict) else {kind: value}
    return Parsed((Notice(CHANNEL, kind, bot, value, bot),))


def _inbound(kind: str, value: Any, bot: str, unique: str, now: datetime) -> Inbound | None:
    """The message in it; None when it is none, or not from a person in a private chat."""
    if kind in ("message", "edited_message"):
        message = msgspec.convert(value, _Message)
        if not _is_private(message.chat, message.sender):
            return None
        own = f"{bot}:{message.chat.id}:{message.message_id}"
        sender, content = _sender(message.chat, message.sender), _content(message)
        if kind == "edited_message":
            content |= {"kind": "edit", "about": own}
            return Inbound(CHANNEL, bot, unique, sender, _time(message.edit_date), **content)
        if message.reply_to_message:
            content["about"] = f"{bot}:{message.chat.id}:{message.reply_to_message.message_id}"
        content["forwarded"] = message.forward_origin is not None
        return Inbound(CHANNEL, bot, own, sender, _time(message.date), **content)
    if kind == "callback_query":
        press = msgspec.convert(value, _Press)
        shown = press.message
        if shown is None or not _is_private(shown.chat, press.sender):
            return None
        buttons = [button for row in (shown.reply_markup or _Keyboard()).inline_keyboard for button in row]
        title = next((button.text for button in buttons if button.callback_data == press.data), "")
        about = f"{bot}:{shown.chat.id}:{shown.message_id}"
        sender = _sender(shown.chat, press.sender)
        return Inbound(CHANNEL, bot, f"{bot}:callback:{press.id}", sender, now, "button", title, press.data, about=about)
    if kind == "message_reaction":
        reacted = msgspec.convert(value, _Reacted)
        if not _is_private(reacted.chat, reacted.user):
            return None
        emoji = reacted.new_reaction[-1].emoji if reacted.new_reaction else ""
        about = f"{bot}:{reacted.chat.id}:{reacted.message_id}"
        sender = _sender(reacted.chat, reacted.user)
        return Inbound(CHANNEL, bot, unique, sender, _time(reacted.date), "reaction", emoji, about=about)
    return None


def _is_private(chat: _Chat, user: _User | None) -> bool:
    return chat.type == "private" and (user is None or not user.is_bot)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else UNKNOWN_TIME


def _sender(chat: _Chat, user: _User | None) -> Sender:
    name = f"{user.first_name} {user.last_name}".strip()[:256] if user else ""
    return Sender(telegram=str(chat.id), name=name or None)


def _content(message: _Message) -> dict[str, Any]:
    """Keyword arguments of `Inbound`: `kind`, and what else that kind has."""
    if message.text is not None:
        command, _, payload = message.text.partition(" ")
        if command == "/start" and payload:  # a t.me/bot?start=… link was followed
            return {"kind": "text", "text": command, "referral": {"source_type": "telegram_link", "start": payload.strip()}}
        return {"kind": "text", "text": message.text}
    if message.photo:
        return {
            "kind": "image",
            "text": message.caption,
            "media": _media(message.photo[-1], "image/jpeg"),
        }  # the largest comes last
    for name, kind in _FILES:
        if (file := getattr(message, name)) is not None:
            return {"kind": kind, "text": message.caption, "media": _media(file, "image/webp" if kind == "sticker" else "")}
    if message.venue:
        at, venue = message.venue.location, message.venue
        return {"kind": "location", "place": Place(at.latitude, at.longitude, venue.title, venue.address)}
    if message.location:
        return {"kind": "location", "place": Place(message.location.latitude, message.location.longitude)}
    if message.contact:
        name = f"{message.contact.first_name} {message.contact.last_name}".strip()
        return {"kind": "contacts", "cards": (Card(name, (message.contact.phone_number,)),)}
    return {"kind": "unsupported", "error": "no content that we read"}


def _media(file: _File, mime: str) -> Media:
    animated = file.is_animated or file.is_video
    return Media(file.file_id, file.mime_type or mime, None, file.file_name, file.file_size, animated)

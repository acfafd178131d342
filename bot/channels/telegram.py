"""Telegram through the Bot API; python-telegram-bot is the transport and nothing more.

Source: Bot API 9. Nothing here retries: it says what happened, the outbox decides.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import mimetypes
import os
import re
from datetime import timedelta
from pathlib import Path

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message
from telegram.constants import ChatAction, ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.channels import telegram_parse
from bot.channels.base import (
    Account,
    Action,
    Choices,
    Fetched,
    File,
    MediaError,
    Outbound,
    Parsed,
    Reaction,
    Recipient,
    SendError,
    Template,
    Text,
    UncertainSend,
)
from bot.channels.errors import telegram_action
from bot.clock import Clock

os.environ.setdefault("PTB_TIMEDELTA", "true")  # the library's way to ask for its future types; else it warns at every 429

CALLBACK_DATA = 64
"""Bytes behind an inline button."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_GONE = re.compile("chat not found|user is deactivated|PEER_ID_INVALID|user not found", re.IGNORECASE)
_NO_PHOTO = re.compile("PHOTO_INVALID_DIMENSIONS|IMAGE_PROCESS_FAILED|PHOTO_(EXT|SAVE_FILE)_INVALID", re.IGNORECASE)
"""Telegram shows no such picture (a very long one, one that it cannot read), but takes it as a file."""
_BOLD = re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])")


def secret_matches(expected: str, header: str | None) -> bool:
    """Whether `X-Telegram-Bot-Api-Secret-Token` is ours; in a time that tells nothing. No secret of ours: never."""
    return bool(expected) and hmac.compare_digest(expected.encode(), (header or "").encode("utf-8", "replace"))


class Telegram:
    """A Channel for one bot. `folder`: where our files are kept. Times are in seconds; `start` before use, `close` after."""

    name = telegram_parse.CHANNEL
    reports = False

    def __init__(
        self, token: str, base_url: str, clock: Clock, folder: Path, *, connect: float = 5.0, total: float = 15.0
    ) -> None:
        base_url = base_url.rstrip("/")
        request = HTTPXRequest(connect_timeout=connect, pool_timeout=connect, read_timeout=total, write_timeout=total)
        self._request = request
        self._bot = Bot(token, f"{base_url}/bot", f"{base_url}/file/bot", request)
        self._token = token
        self._clock = clock
        self._folder = folder
        self.number = token.partition(":")[0]
        """The bot's id, which stands for the business number."""

    async def start(self) -> str | None:
        """Connect, and ask who we are. When Telegram is down or refuses the token: why, and the service goes on without it."""
        try:
            await self._bot.initialize()
        except TelegramError as error:
            return str(error).replace(self._token, "…")
        return None

    async def subscribe(self, url: str, secret: str) -> None:
        """Have updates posted to `url`, with `secret` in their header. SendError when refused."""
        try:
            await self._bot.set_webhook(url, allowed_updates=telegram_parse.UPDATES, secret_token=secret)
        except TelegramError as error:
            raise _refusal(error) from error

    async def close(self) -> None:
        await self._bot.shutdown()
        await self._request.shutdown()  # a bot that could not be initialised does not close it

    def parse(self, body: bytes) -> Parsed:
        return telegram_parse.parse(body, self.number, self._clock.now())

    def action(self, code: int) -> Action:
        return telegram_action(code)

    async def send(self, account: Account, to: Recipient, message: Outbound, callback: str) -> str:
        """As in Channel. Telegram has no statuses: what comes back here is all there is of `callback`."""
        if to.telegram is None:
            raise SendError("no Telegram chat to send to", action=Action.PARK)
        try:
            sent = await self._send(to.telegram, message)
        except TelegramError as error:
            raise _refusal(error) from error
        return f"{self.number}:{to.telegram}:{sent}"

    async def _send(self, chat: str, message: Outbound) -> int:
        bot = self._bot
        match message:
            case Text():
                sent = await bot.send_message(
                    chat, to_html(message.body), ParseMode.HTML, disable_web_page_preview=not message.preview
                )
            case Choices():
                keyboard = _keyboard(message)
                body = message.numbered() if keyboard is None else "\n\n".join(filter(None, (message.body, message.footer)))
                sent = await bot.send_message(chat, to_html(body), ParseMode.HTML, reply_markup=keyboard)
            case File():
                sent = await self._send_file(chat, message)
            case Reaction():
                target = _message_id(message.to_message)
                await bot.set_message_reaction(chat, target, message.emoji or None)
                return target
            case Template():
                raise SendError("Telegram has no templates, and no window that asks for one", action=Action.PARK)
        return sent.message_id

    async def _send_file(self, chat: str, message: File) -> Message:
        source = message.media_id or message.link or await self._content(message.path)
        bot, caption, name = self._bot, to_html(message.caption) or None, message.filename
        match message.kind:
            case "image":
                try:
                    return await bot.send_photo(chat, source, caption, parse_mode=ParseMode.HTML, filename=name)
                except BadRequest as error:
                    if not _NO_PHOTO.search(str(error)):
                        raise
                return await bot.send_document(chat, source, caption, parse_mode=ParseMode.HTML, filename=name)
            case "audio" if isinstance(source, bytes) and source.startswith(b"OggS"):
                return await bot.send_voice(chat, source, caption=caption, parse_mode=ParseMode.HTML, filename=name)
            case "audio":
                return await bot.send_audio(chat, source, caption=caption, parse_mode=ParseMode.HTML, filename=name)
            case "video":
                return await bot.send_video(chat, source, caption=caption, parse_mode=ParseMode.HTML, filename=name)
            case "document":
                return await bot.send_document(chat, source, caption, parse_mode=ParseMode.HTML, filename=name)
            case "sticker":
                return await bot.send_sticker(chat, source)

    async def _content(self, path: str | None) -> bytes:
        """A kept file. SendError when there is none."""
        if path is None:
            raise SendError("file: one of link, media_id and path", action=Action.PARK)
        try:
            return await asyncio.to_thread((self._folder / path).read_bytes)
        except OSError as error:
            raise SendError(f"the file is gone: {error}", action=Action.PARK) from error

    async def mark_read(self, account: Account, to: Recipient, external_id: str, typing: bool) -> None:
        """Answer a pressed button, which otherwise keeps turning, and show that we are typing."""
        _, _, query = external_id.partition(":callback:")
        try:
            if query:
                await self._bot.answer_callback_query(query)
            if typing and to.telegram is not None:
                await self._bot.send_chat_action(to.telegram, ChatAction.TYPING)
        except TelegramError:
            return

    async def fetch(self, account: Account, media_id: str, limit: int) -> Fetched:
        try:
            file = await self._bot.get_file(media_id)
            if (file.file_size or 0) > limit:
                raise MediaError(f"larger than {limit} bytes", final=True)
            content = bytes(await file.download_as_bytearray())
        except TelegramError as error:
            raise MediaError(str(error).replace(self._token, "…"), final=isinstance(error, BadRequest)) from error
        if len(content) > limit:
            raise MediaError(f"larger than {limit} bytes", final=True)
        return Fetched(content, mimetypes.guess_type(file.file_path or "")[0] or "")


def to_html(text: str) -> str:
    """Our texts as Telegram's HTML: `*bold*` as WhatsApp writes it, all else as it stands."""
    return _BOLD.sub(r"<b>\1</b>", html.escape(text, quote=False))


def _keyboard(message: Choices) -> InlineKeyboardMarkup | None:
    """A button a line; None when an id does not fit behind one."""
    if any(len(option.id.encode()) > CALLBACK_DATA for option in message.options):
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(each.title, callback_data=each.id)] for each in message.options])


def _message_id(external_id: str) -> int:
    try:
        return int(external_id.rpartition(":")[2])
    except ValueError:
        raise SendError("not a Telegram message id", action=Action.PARK) from None


def _refusal(error: TelegramError) -> SendError:
    """What an error of the transport means; the library keeps httpx's own error as the cause."""
    words, cause = str(error), error.__cause__
    match error:
        case RetryAfter():
            return SendError(words, code=429, action=telegram_action(429), retry_after=_seconds(error))
        case Forbidden():
            return SendError(words, code=403, action=telegram_action(403))
        case InvalidToken():
            return SendError("the token was refused", code=401, action=telegram_action(401))
        case Conflict():
            return SendError(words, code=409, action=telegram_action(409))
        case ChatMigrated():
            return SendError(words, code=400, action=Action.PERMANENT)
        case BadRequest():
            return SendError(words, code=400, action=Action.PERMANENT if _GONE.search(words) else telegram_action(400))
        case TimedOut() | NetworkError() if isinstance(cause, _NOT_SENT):
            return SendError(f"not reached: {type(cause).__name__}")
        case NetworkError() if cause is None and not isinstance(error, TimedOut):
            return SendError(words, code=500)
    return UncertainSend(f"no answer: {type(cause or error).__name__}")


def _seconds(error: RetryAfter) -> float:
    value = error.retry_after
    return value.total_seconds() if isinstance(value, timedelta) else float(value)

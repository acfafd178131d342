"""The messengers' door: verify the signature, store the raw body, answer 200; nothing else."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import structlog
from aiohttp import web

from bot.channels.base import Channel
from bot.channels.whatsapp import signed_by
from bot.intake import Intake, Overloaded
from bot.metrics import WEBHOOKS

log = structlog.get_logger()

LIMIT = 4 * 1024 * 1024
"""Bytes of a body; Meta sends up to 3 MB."""
SMALL = 64 * 1024
"""Bytes that a connection holds anyway."""
DEADLINE = 20.0
"""Seconds that a client may take to send its body."""

Verify = Callable[[web.Request, bytes], bool]


def whatsapp_routes(
    intake: Intake, channel: Channel, secrets: tuple[bytes, ...], verify_token: str, deadline: float = DEADLINE
) -> list[web.RouteDef]:
    """`GET /webhooks/whatsapp` (Meta's subscription check) and `POST /webhooks/whatsapp`."""

    async def subscribe(request: web.Request) -> web.Response:
        shown, token = request.query.get("hub.verify_token", ""), verify_token
        right = bool(token) and hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), token.encode())
        if request.query.get("hub.mode") != "subscribe" or not right:
            return web.Response(status=403, text="the verify token is not ours (WHATSAPP_VERIFY_TOKEN)")
        return web.Response(text=request.query.get("hub.challenge", ""))

    def verify(request: web.Request, body: bytes) -> bool:
        return signed_by(secrets, body, request.headers.get("X-Hub-Signature-256", ""))

    return [
        web.get("/webhooks/whatsapp", subscribe),
        web.post("/webhooks/whatsapp", _door(intake, channel, verify, deadline)),
    ]


def telegram_routes(intake: Intake, channel: Channel, secret: str) -> list[web.RouteDef]:
    """`POST /webhooks/telegram`, whose header carries the secret that we gave to setWebhook."""
    from bot.channels.telegram import secret_matches  # loaded by those who use it, as in bot/app.py

    def verify(request: web.Request, _body: bytes) -> bool:
        return secret_matches(secret, request.headers.get("X-Telegram-Bot-Api-Secret-Token"))

    return [web.post("/webhooks/telegram", _door(intake, channel, verify))]


def _door(
    intake: Intake, channel: Channel, verify: Verify, deadline: float = DEADLINE
) -> Callable[[web.Request], Awaitable[web.Response]]:
    taken = WEBHOOKS.labels(channel.name, "200")

    async def receive(request: web.Request) -> web.Response:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return _refuse(channel, 415, "send the body as it is, without compression")
        length = request.content_length
        if (length or 0) > LIMIT:
            return _refuse(channel, 413, "the body is larger than 4 MiB")
        try:
            if request.content.is_eof():  # nearly always: it came with its head
                body = await request.read()
            else:
                async with asyncio.timeout(deadline):
                    body = await (request.read() if (length or LIMIT) <= SMALL else _read_large(request, intake))
        except TimeoutError:
            return _refuse(channel, 408, "the body did not come in time")
        except web.HTTPRequestEntityTooLarge:
            return _refuse(channel, 413, "the body is larger than 4 MiB")
        except Overloaded:
            return _refuse(channel, 503, "too much is waiting; send it again later")
        if not verify(request, body):
            return _refuse(channel, 401, "the signature is not ours")
        try:
            await intake.accept(channel, body)
        except Overloaded:
            return _refuse(channel, 503, "too much is waiting; send it again later")
        except Exception:
            log.exception("a webhook could not be stored")
            return _refuse(channel, 503, "it could not be stored; send it again later")
        taken.inc()
        return web.Response()

    return receive


async def _read_large(request: web.Request, intake: Intake) -> bytes:
    """A body of many pieces, which takes room only as it comes: a promise of 4 MiB is cheap to make."""
    body = bytearray()
    with ExitStack() as held:
        async for piece in request.content.iter_any():
            held.enter_context(intake.room(len(piece)))
            body += piece
            if len(body) > LIMIT:
                raise web.HTTPRequestEntityTooLarge(max_size=LIMIT, actual_size=len(body))
    return bytes(body)


def _refuse(channel: Channel, status: int, why: str) -> web.Response:
    WEBHOOKS.labels(channel.name, str(status)).inc()
    return web.Response(status=status, text=why)

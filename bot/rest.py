"""The door for Rasa's chat widgets: `POST /webhooks/rest/webhook`, which answers with the replies.

A post is stored before anything, makes its turn like any message, and its replies leave through the outbox; the request waits
until they lie ready, and takes them along. What comes later (a seller's words, a reminder) goes with the sender's next post.

Rasa asks nobody who they are, so this door does not either, unless its number has a token. What is limited: it is shut unless
there is a number for it; a sender is an identity of its own kind, never a telephone, nor one of our own people; bodies are small;
each sender has a pace, and all of them together have the number's.
"""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.orm import Session

from bot.channels.rest import NAME, Envelope, NotAMessage, Post, Rest, read, show
from bot.intake import Overloaded
from bot.live import Change
from bot.metrics import WEBHOOKS
from bot.numbers import OurNumber
from bot.rates import Bucket
from bot.service import Service
from bot.standin import from_row
from bot.webhook import DEADLINE
from data import inbox, outbox
from data.types import new_id

log = structlog.get_logger()

LIMIT = 32 * 1024
"""Bytes of a body: a message of 4,096 characters, however it is escaped."""
WAIT = 10.0
"""Seconds that a request waits for its replies; those that come later go with the next one."""
LOOK, LONGEST_LOOK = 0.02, 0.25
"""Seconds between two looks whether they are there: the first, and the longest."""
PACE, BURST = 1, 30
"""Messages a second of one sender, and how many at once. All senders of a number together, since anybody may be many, have the
rate at which it may send."""
SENDERS_KEPT = 10_000
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
    "Access-Control-Max-Age": "86400",
}
"""A widget lives on the shop's own site. No cookie is looked at here, so a foreign page can do no more than anybody."""


class Refused(Exception):
    """Not taken: the HTTP status, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def rest_routes(service: Service, channel: Rest, wait: float = WAIT) -> list[web.RouteDef]:
    door = _Door(service, channel, wait)
    return [web.post("/webhooks/rest/webhook", door.receive), web.options("/webhooks/rest/webhook", _preflight)]


async def _preflight(_: web.Request) -> web.Response:
    return web.Response(status=204, headers=CORS)


class _Door:
    def __init__(self, service: Service, channel: Rest, wait: float) -> None:
        self._service = service
        self._channel = channel
        self._wait = wait
        self._doors: dict[int, Bucket] = {}
        self._senders: dict[tuple[int, str], Bucket] = {}

    async def receive(self, request: web.Request) -> web.Response:
        try:
            number = self._number(request)
            post = read(await _body(request))
            self._keep_pace(number, post.sender)
            answer = await self._replies(request, await self._store(number, post))
        except NotAMessage as error:
            return _refuse(400, str(error))
        except Refused as refused:
            return _refuse(refused.status, str(refused))
        WEBHOOKS.labels(NAME, "200").inc()
        return web.json_response(answer, headers=CORS)

    def _number(self, request: web.Request) -> OurNumber:
        """The number that the widget talks to: the one there is, or the one it names."""
        wanted = request.query.get("number")
        numbers = [number for number in self._service.numbers.all() if number.row.channel == NAME]
        if wanted is not None:
            numbers = [number for number in numbers if number.row.external_id == wanted]
        if not numbers:
            raise Refused(404, "there is no such chat here")
        if len(numbers) > 1:
            raise Refused(400, "there are several chats here: say which with ?number=…")
        token = numbers[0].row.token
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.query.get("token", "")
        if token and not hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), token.encode()):
            raise Refused(401, "the token is not ours: send Authorization: Bearer … or ?token=…")
        return numbers[0]

    def _keep_pace(self, number: OurNumber, sender: str) -> None:
        if len(self._senders) >= SENDERS_KEPT:
            self._senders = {who: bucket for who, bucket in self._senders.items() if not bucket.idle()}
        door = self._doors.setdefault(number.row.id, Bucket(number.row.rate, number.row.rate))
        pace = self._senders.setdefault((number.row.id, sender), Bucket(PACE, BURST))
        if max(pace.wait(), door.wait()) > 0:
            raise Refused(429, "too many messages; send it again in a moment")
        pace.reserve()
        door.reserve()

    async def _store(self, number: OurNumber, post: Post) -> str:
        """Durable when this returns; the message's id."""
        outer = number.row.external_id
        own = msgspec.json.encode([outer, post.sender, post.message_id or new_id()]).decode()
        body = msgspec.json.encode(Envelope(outer, own, self._service.clock.now(), post))
        try:
            await self._service.intake.accept(self._channel, body)
        except Overloaded:
            raise Refused(503, "too much is waiting; send it again later") from None
        except Exception:
            log.exception("a chat widget's message could not be stored")
            raise Refused(503, "it could not be stored; send it again later") from None
        return own

    async def _replies(self, request: web.Request, message: str) -> list[dict[str, Any]]:
        """What lies ready for the sender once this message is answered, or the time is over."""
        database, look = self._service.database, LOOK
        with suppress(TimeoutError):
            async with asyncio.timeout(self._wait):
                while await database.read(partial(_is_waited_for, message=message)):
                    await asyncio.sleep(look)
                    look = min(look * 1.5, LONGEST_LOOK)
        if request.transport is None:  # nobody is there any more: it goes with the next post
            return []
        rows = await database.write(partial(_fetch, message=message))
        self._service.on_changed([(row["company_id"], Change("conversation", row["conversation_id"])) for row in rows[:1]])
        return [show(from_row(row).message, row["recipient"]["webchat"]) for row in rows]


def _is_waited_for(session: Session, message: str) -> bool:
    found = inbox.where_it_stands(session, NAME, message)
    return found is not None and (found[1] == "new" or outbox.leaves(session, found[0]))


def _fetch(session: Session, message: str) -> list[dict[str, Any]]:
    found = inbox.where_it_stands(session, NAME, message)
    return outbox.fetch(session, found[0]) if found is not None else []


async def _body(request: web.Request) -> bytes:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "send the body as it is, without compression")
    if request.content_length is None:
        raise Refused(411, "send Content-Length")
    if request.content_length > LIMIT:
        raise Refused(413, "the body is larger than 32 KiB")
    try:
        async with asyncio.timeout(DEADLINE):
            return await request.read()
    except TimeoutError:
        raise Refused(408, "the body did not come in time") from None


def _refuse(status: int, why: str) -> web.Response:
    WEBHOOKS.labels(NAME, str(status)).inc()
    headers = CORS | ({"Retry-After": "2"} if status in (429, 503) else {})
    return web.json_response({"status": "failure", "code": status, "message": why}, status=status, headers=headers)

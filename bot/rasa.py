"""The way to the Rasa server of `RASA_URL`, and what is counted and logged of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from aiohttp import web
from yarl import URL

from bot.http import Client, HttpError
from bot.metrics import RASA_CALLS, RASA_FALLBACKS, RASA_RESTING
from nlu.rasa_http import AT_ONCE, PATIENCE, REST, News, NoAnswer

log = structlog.get_logger()

LIMIT = 256 * 1024
"""Bytes of an answer; Rasa's are some 4 KB."""


class Server:
    """`ask` posts to /model/parse; `running` ends its connections with the application."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        address = URL(url)
        target = (address / "model" / "parse").with_query(address.query).raw_path_qs
        self._client = Client(str(address.origin()), connect=patience, total=patience, size=AT_ONCE, limit=LIMIT)
        self._head = self._client.head(target, {"Content-Type": "application/json"})

    async def ask(self, body: bytes) -> bytes:
        try:
            answer = await self._client.post(self._head, body)
        except HttpError as error:
            raise NoAnswer(str(error)) from error
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        return answer.body

    async def close(self) -> None:
        await self._client.close()

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        RASA_RESTING.set(0)
        yield
        await self.close()


def note(news: News) -> None:
    match news:
        case "fallback":
            RASA_FALLBACKS.inc()
        case "resting":
            RASA_RESTING.set(1)
            log.warning("Rasa does not answer: the embedded engine understands meanwhile", seconds=REST)
        case "back":
            RASA_RESTING.set(0)
            log.info("Rasa answers again")
        case _:
            RASA_CALLS.labels(news).inc()

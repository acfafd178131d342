"""As much of a Rasa 3.6 server as is called: POST /model/parse, well, slowly, or with every kind of failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web


class FakeRasa:
    """`intent` decides what a text wants; `mood` is well, slow, failing or garbage. A token is asked for where there is one."""

    def __init__(self, intent: Callable[[str], str], token: str = "") -> None:
        self._intent = intent
        self._token = token
        self.mood = "well"
        self.asked: list[str] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/rasa/model/parse", self._parse)
        return app

    async def _parse(self, request: web.Request) -> web.Response:
        if request.query.get("token", "") != self._token:
            return web.json_response({"status": "failure", "code": 401, "reason": "NotAuthenticated"}, status=401)
        told: dict[str, Any] = await request.json()
        if not isinstance(text := told.get("text"), str):
            return web.json_response({"status": "failure", "code": 500, "reason": "ParsingError"}, status=500)
        self.asked.append(text)
        match self.mood:
            case "slow":
                await asyncio.sleep(30)
            case "failing":
                return web.json_response({"status": "failure", "code": 500, "reason": "ParsingError"}, status=500)
            case "garbage":
                return web.Response(text="<html>502 Bad Gateway</html>")
        name = self._intent(text) if text else "nlu_fallback"
        guess = {"name": name, "confidence": 0.97}
        tokens = [[0, len(text)]]
        return web.json_response(
            {"text": text, "intent": guess, "entities": [], "text_tokens": tokens, "intent_ranking": [guess]}
        )

"""As much of an OpenAI-compatible server as is called: it answers well, badly, late or never, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY, MODEL = "sk-secret", "small"


@dataclass
class FakeOpenAI:
    """`says` is what its model writes. `mood`: well, slow, cut, html, garbage, empty, huge, moved, newer (takes only
    max_completion_tokens), or a status."""

    says: str = "Hola."
    mood: str = "well"
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/elsewhere", self._complete)
        app.router.add_get("/v1/models", self._models)
        return app

    @property
    def heard(self) -> str:
        """All that ever came, as one text."""
        return json.dumps(self.asked, ensure_ascii=False)

    def data(self) -> Any:
        """What it was asked about last."""
        return json.loads(self.asked[-1]["messages"][1]["content"])

    async def _models(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"code": "invalid_api_key"}}, status=401)
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("Authorization", ""))
        if self.mood.isdecimal():
            return web.json_response({"error": {"message": "no", "code": "no"}}, status=int(self.mood))
        match self.mood:
            case "slow":
                await asyncio.sleep(30)
            case "cut":
                assert request.transport is not None
                request.transport.close()
            case "html":
                return web.Response(text="<html>502 Bad Gateway</html>", content_type="text/html")
            case "garbage":
                return web.json_response({"choices": [{"message": {"content": 5}}]})
            case "empty":
                return web.json_response({"choices": []})
            case "huge":
                return web.json_response({"choices": [{"message": {"content": "x" * 2_000_000}}]})
            case "moved":
                raise web.HTTPTemporaryRedirect("/elsewhere") if len(self.asked) == 1 else web.HTTPGone
            case "newer" if "max_tokens" in self.asked[-1]:
                said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
                return web.json_response({"error": {"message": said, "param": "max_tokens"}}, status=400)
        message = {"role": "assistant", "content": self.says}
        return web.json_response(
            {"id": "c", "object": "chat.completion", "model": MODEL, "choices": [{"index": 0, "message": message}]}
        )

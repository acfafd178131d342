"""A browser and its push service: an endpoint that decrypts what comes (RFC 8291) and verifies who sent it (RFC 8292)."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class PushService:
    """`answer`: the status of each answer, `says` its words; a redirect leads to `/elsewhere`."""

    url: str = ""
    got: list[tuple[dict[str, Any], dict[str, str], dict[str, Any]]] = field(default_factory=list)
    """(payload, headers, claims) of each message that was taken."""
    answer: int = 201
    more: dict[str, str] = field(default_factory=dict)
    says: str = "said the push service"
    elsewhere: int = 0

    def __post_init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self._auth = secrets.token_bytes(16)

    @property
    def keys(self) -> dict[str, str]:
        """As the browser tells them."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": _text(point), "auth": _text(self._auth)}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert len(body) <= 4096, "a push service takes no more"
        authorization = request.headers["Authorization"]
        assert Vapid02.verify(authorization), "not signed by the key it names"
        claims = authorization.partition("t=")[2].split(".")[1]
        if self.answer == 201:
            plain = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
            decoded = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
            self.got.append((json.loads(plain), dict(request.headers), decoded))
        return web.Response(status=self.answer, headers=self.more, text=self.says)

    async def wander(self, request: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.Response()


@asynccontextmanager
async def running() -> AsyncIterator[PushService]:
    service = PushService()
    app = web.Application()
    app.router.add_post("/push/{id}", service.take)
    app.router.add_route("*", "/elsewhere", service.wander)
    async with TestServer(app) as server:
        service.url = str(server.make_url("/push/1"))
        yield service

"""Web push to browsers and phones: encrypted for one browser (RFC 8291), and signed as ours (VAPID, RFC 8292)."""

from __future__ import annotations

import asyncio
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from notifications.senders.addresses import PrivateAddress, PublicOnly, is_public
from notifications.senders.errors import Gone, Refused, Trouble, TryAgain

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ENDPOINT = 2048
"""Characters of an endpoint."""
PAYLOAD = 3800
"""Bytes of a payload: push services take 4,096, what the encryption adds included."""
_SIGNED_FOR = timedelta(hours=12)
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256."""
_MAILTO = re.compile(r"mailto:[^@\s]+@[\w-]+(\.[\w-]+)+")


class WrongEndpoint(ValueError):
    """Not an address that a browser's push service may have."""


def public_key(secret: str) -> str:
    """What a browser subscribes with (`applicationServerKey`): 65 bytes, base64url. Made from SECRET_KEY, so that nobody has to
    make one; with another SECRET_KEY every browser has to subscribe anew."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = _private_key(secret).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def check_endpoint(endpoint: str, *, private: bool = False) -> None:
    """WrongEndpoint unless it is https on a host of the public internet. `private` lets any through: for tests."""
    if len(endpoint) > ENDPOINT:
        raise WrongEndpoint("too long")
    try:
        parts = urlsplit(endpoint)
        _ = parts.port  # ValueError when it is none
    except ValueError as error:
        raise WrongEndpoint(str(error)) from error
    if not parts.hostname or parts.scheme not in (("https", "http") if private else ("https",)) or parts.username:
        raise WrongEndpoint("not an https address")
    if private:
        return
    try:
        public = is_public(parts.hostname)
    except ValueError:
        public = "." in parts.hostname and not parts.hostname.endswith((".local", ".localhost", ".internal"))
    if not public:
        raise WrongEndpoint("not on the public internet")


class WebPush:
    """`contact`: mailto: or https: of whoever runs this, for the push services. `timeout` in seconds; `close` at the end."""

    def __init__(self, secret: str, contact: str, *, private: bool = False, timeout: float = 10.0) -> None:
        self._secret = secret
        self._contact = contact if contact.startswith("https://") or _MAILTO.fullmatch(contact) else "mailto:alerts@localhost"
        self._private = private
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, endpoint: str, keys: Mapping[str, Any], payload: bytes, *, topic: str, ttl: int, urgent: bool, now: datetime
    ) -> None:
        """Hand a payload to the browser's push service. `topic`: a waiting message of the same one is replaced by this; `ttl`:
        seconds it is kept for a phone that is off. TryAgain, Refused, Gone."""
        try:
            check_endpoint(endpoint, private=self._private)
        except WrongEndpoint as error:
            raise Refused(Trouble.NOT_AN_ADDRESS) from error
        body = await asyncio.to_thread(_encrypt, endpoint, keys, payload)
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(ttl),
            "Topic": topic,
            "Urgency": "high" if urgent else "normal",
            "Authorization": self._authorization(endpoint, now),
        }
        try:
            async with self._client().post(
                URL(endpoint, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer:
                words = f"{answer.status} {(await answer.content.read(200)).decode('utf-8', 'replace')}".strip()
                after = answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, PrivateAddress) or isinstance(error, PrivateAddress):
                raise Refused(Trouble.PRIVATE_NETWORK) from error
            raise TryAgain(Trouble.NO_CONNECTION) from error
        if 200 <= answer.status < 300:
            return
        if answer.status in (404, 410):
            raise Gone(words)
        if answer.status == 429 or answer.status >= 500:
            raise TryAgain(words, float(after) if after.isdecimal() else None)
        raise Refused(words)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = None if self._private else PublicOnly()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, resolver=resolver), timeout=self._timeout
            )
        return self._session

    def _authorization(self, endpoint: str, now: datetime) -> str:
        from py_vapid import Vapid02

        claims = {
            "sub": self._contact,
            "aud": str(URL(endpoint).origin()),
            "exp": int((now + _SIGNED_FOR).timestamp()),
        }
        return str(Vapid02(_private_key(self._secret)).sign(claims)["Authorization"])


@lru_cache(4)
def _private_key(secret: str) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    raw = HKDF(SHA256(), 48, salt=None, info=b"web push: the key of VAPID").derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(raw) % (_ORDER - 1) + 1, ec.SECP256R1())


def _encrypt(endpoint: str, keys: Mapping[str, Any], payload: bytes) -> bytes:
    """Gone when the keys are none. Loads a lot the first time, so not on the event loop."""
    from pywebpush import WebPusher

    try:
        subscription = {"endpoint": endpoint, "keys": {"p256dh": keys["p256dh"], "auth": keys["auth"]}}
        return bytes(WebPusher(subscription).encode(payload, "aes128gcm")["body"])
    except Exception as error:  # the keys came from a browser, and each library fails in its own way
        raise Gone(Trouble.WRONG_KEYS) from error

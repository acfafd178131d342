"""WhatsApp through Meta's Cloud API: our client of the Graph API, over aiohttp.

Source: Meta's Cloud API reference, v26.0. Nothing here retries: it says what happened, the outbox decides.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from bot.channels import whatsapp_parse
from bot.channels.base import Account, Action, Fetched, MediaError, Outbound, Parsed, Recipient, SendError, UncertainSend
from bot.channels.errors import whatsapp_action
from bot.channels.whatsapp_build import to_json

_CHUNK = 65_536
_GATEWAY = (502, 504)
"""What a gateway answers when it lost the server behind it: the message may have been taken."""
_ANSWER_LIMIT = 1_000_000
_NO_SUCH_MEDIA = (100, 131052)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def signature(secret: bytes, body: bytes) -> str:
    """The `X-Hub-Signature-256` header of a body: `sha256=` and the HMAC in hex."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def signed_by(secrets: Sequence[bytes], body: bytes, header: str | None) -> bool:
    """Whether one of our secrets signed exactly these bytes; in a time that tells nothing. No secrets: never."""
    given = (header or "").encode("utf-8", "replace")
    matches = [hmac.compare_digest(signature(secret, body).encode(), given) for secret in secrets if secret]
    return any(matches)


class WhatsApp:
    """A Channel. The session is the caller's (keep-alive, TLS); times are seconds, `download` is for a whole file."""

    name = whatsapp_parse.CHANNEL
    window: timedelta | None = timedelta(hours=24)
    reports = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        version: str,
        *,
        connect: float = 5.0,
        total: float = 15.0,
        download: float = 120.0,
    ) -> None:
        self._session = session
        self._root = f"{base_url.rstrip('/')}/{version}"
        self._secure = base_url.startswith("https:")
        self._timeout = aiohttp.ClientTimeout(total=total, connect=connect)
        self._download = aiohttp.ClientTimeout(total=download, connect=connect)

    def parse(self, body: bytes) -> Parsed:
        return whatsapp_parse.parse(body)

    def action(self, code: int) -> Action:
        return whatsapp_action(code)

    async def send(self, account: Account, to: Recipient, message: Outbound, callback: str) -> str:
        try:
            body = _encode(to_json(message, to, callback))
        except ValueError as error:
            raise SendError(str(error), action=Action.PARK) from error
        answer = await self._post(account, "messages", body, {"Content-Type": "application/json"})
        match answer:
            case {"messages": [{"id": str(message_id)}, *_]}:
                return message_id
        raise UncertainSend("accepted, but the answer holds no message id")

    async def mark_read(self, account: Account, to: Recipient, external_id: str, typing: bool) -> None:
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": external_id}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        try:
            await self._post(account, "messages", _encode(body), {"Content-Type": "application/json"})
        except SendError:
            return

    async def upload(self, account: Account, content: bytes, mime: str, filename: str) -> str:
        """Give Meta a file to send, and return its media id (good for 30 days). SendError as in `send`."""
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime})
        form.add_field("file", content, content_type=mime, filename=filename)
        match await self._post(account, "media", form, {}):
            case {"id": str(media_id)}:
                return media_id
        raise SendError("accepted, but the answer holds no media id")

    async def fetch(self, account: Account, media_id: str, limit: int) -> Fetched:
        if not re.fullmatch(r"[\w.=-]+", media_id) or not media_id.strip("."):
            raise MediaError("not a media id", final=True)
        headers = _bearer(account)
        try:
            url = f"{self._root}/{media_id}"
            async with self._session.get(url, headers=headers, timeout=self._timeout, allow_redirects=False) as response:
                about = _json(await _read(response, _ANSWER_LIMIT))
                if response.status != 200:
                    error = _refusal(response, about)
                    raise MediaError(str(error), final=error.code in _NO_SUCH_MEDIA or response.status in (404, 410))
            link = self._link(about.get("url"))
            async with self._session.get(link, headers=headers, timeout=self._download, allow_redirects=False) as response:
                if response.status != 200:
                    raise MediaError(f"the file answered {response.status}", final=response.status == 410)
                content = await _read(response, limit)
                mime = about.get("mime_type") or response.headers.get("Content-Type", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise MediaError(f"{type(error).__name__}: {error}") from error
        if not _is_whole(content, about.get("sha256")):
            raise MediaError("the file does not match its sha256")
        return Fetched(content, str(mime))

    def _link(self, given: Any) -> URL:
        """Where Graph says the file is: http or https, and never in the clear when Graph itself is reached by https."""
        try:
            link = URL(given if isinstance(given, str) else "", encoded=True)
        except ValueError:
            link = URL()
        if link.scheme not in (("https",) if self._secure else ("https", "http")) or not link.host:
            raise MediaError("Graph gave no address for the file")
        return link

    async def _post(self, account: Account, path: str, data: bytes | aiohttp.FormData, headers: Mapping[str, str]) -> Any:
        url = f"{self._root}/{account.external_id}/{path}"
        try:
            async with self._session.post(
                url, data=data, headers={**_bearer(account), **headers}, timeout=self._timeout, allow_redirects=False
            ) as response:
                answer = _json(await _read(response, _ANSWER_LIMIT))
                if response.status == 200:
                    return answer
                raise _refusal(response, answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise SendError(f"not reached: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError, MediaError, OSError) as error:
            raise UncertainSend(f"no answer: {type(error).__name__}") from error


def _bearer(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.token}"}


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    if (response.content_length or 0) > limit:
        raise MediaError(f"larger than {limit} bytes", final=True)
    content = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise MediaError(f"larger than {limit} bytes", final=True)
    return bytes(content)


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(response: aiohttp.ClientResponse, answer: Mapping[str, Any]) -> SendError:
    """What an answer other than 200 means. Graph's own: `{"error": {"code", "message", "error_data": {"details"}, …}}`."""
    error = answer.get("error")
    if not isinstance(error, dict):
        error = {}
    code, subcode, data = error.get("code"), error.get("error_subcode"), error.get("error_data")
    code = code if isinstance(code, int) else None
    if code is None and response.status in _GATEWAY:
        return UncertainSend(f"HTTP {response.status} from a gateway")
    details = data.get("details") if isinstance(data, dict) else None
    words = ": ".join(part for part in (error.get("message"), details) if isinstance(part, str)) or f"HTTP {response.status}"
    action = whatsapp_action(code, response.status, subcode if isinstance(subcode, int) else None)
    return SendError(words[:1024], code=code or 0, action=action, retry_after=_retry_after(response))


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds to wait, from `Retry-After`: a number, or a date counted from the answer's own `Date`."""
    given = response.headers.get("Retry-After", "").strip()
    if given.isdecimal() and len(given) < 7:
        return float(given)
    try:
        until, now = parsedate_to_datetime(given), parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _is_whole(content: bytes, sha256: Any) -> bool:
    """Meta gives the hash in hex or in base64; no hash, or something that is none, proves nothing."""
    if not isinstance(sha256, str) or len(sha256) not in (44, 64):
        return True
    digest = hashlib.sha256(content)
    return sha256.lower() == digest.hexdigest() or sha256 == base64.b64encode(digest.digest()).decode()

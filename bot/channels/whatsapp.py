"""WhatsApp through Meta's Cloud API: our client of the Graph API.

Source: Meta's Cloud API reference, v26.0. Nothing here retries: it says what happened, the outbox decides.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from bot.channels import whatsapp_parse
from bot.channels.base import Account, Action, Fetched, MediaError, Outbound, Parsed, Recipient, SendError, UncertainSend
from bot.channels.errors import whatsapp_action
from bot.channels.whatsapp_build import to_json
from bot.channels.whatsapp_templates import FIELDS, Approved, approved
from bot.http import Client, NoAnswer, NotReached

_CHUNK = 65_536
_GATEWAY = (502, 504)
"""What a gateway answers when it lost the server behind it: the message may have been taken."""
_ANSWER_LIMIT = 1_000_000
_PAGES = 10
"""Of a list, at most."""
_NO_SUCH_MEDIA = (100, 131052)
_HEADS = 4096
"""Accounts whose request heads are kept."""


class _Taken(msgspec.Struct):
    id: str


class _Sent(msgspec.Struct):
    """The answer to a message that was taken; of a file, `_Taken` alone."""

    messages: tuple[_Taken, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_decode_sent = msgspec.json.Decoder(_Sent).decode
_decode_taken = msgspec.json.Decoder(_Taken).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def signature(secret: bytes, body: bytes) -> str:
    """The `X-Hub-Signature-256` header of a body: `sha256=` and the HMAC in hex."""
    return "sha256=" + hmac.digest(secret, body, "sha256").hex()


def signed_by(secrets: Sequence[bytes], body: bytes, header: str | None) -> bool:
    """Whether one of our secrets signed exactly these bytes; in a time that tells nothing. No secrets: never."""
    given = (header or "").encode("utf-8", "replace")
    matches = [hmac.compare_digest(signature(secret, body).encode(), given) for secret in secrets if secret]
    return any(matches)


class WhatsApp:
    """A Channel. The session is the caller's, and fetches files; messages have a client of their own, with at most `connections`,
    until `close`. Times are seconds, `download` is for a whole file."""

    name = whatsapp_parse.CHANNEL
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
        connections: int = 256,
    ) -> None:
        url = URL(base_url)
        self._client = Client(str(url.origin()), connect=connect, total=total, size=connections, limit=_ANSWER_LIMIT)
        self._path = f"{url.raw_path.rstrip('/')}/{version}"
        self._message_head = lru_cache(_HEADS)(lambda account: self._head(account, "messages", "application/json"))
        self._session = session
        self._root = f"{base_url.rstrip('/')}/{version}"
        self._secure = base_url.startswith("https:")
        self._timeout = aiohttp.ClientTimeout(total=total, connect=connect)
        self._download = aiohttp.ClientTimeout(total=download, connect=connect)

    async def close(self) -> None:
        """End the connections for messages; one that is on its way becomes uncertain."""
        await self._client.close()

    def parse(self, body: bytes) -> Parsed:
        return whatsapp_parse.parse(body)

    def action(self, code: int) -> Action:
        return whatsapp_action(code)

    async def send(self, account: Account, to: Recipient, message: Outbound, callback: str) -> str:
        try:
            body = _encode(to_json(message, to, callback))
        except ValueError as error:
            raise SendError(str(error), action=Action.PARK) from error
        answer = await self._post(self._message_head(account), body)
        try:
            return _decode_sent(answer).messages[0].id
        except (*_UNREADABLE, IndexError) as error:
            raise UncertainSend("accepted, but the answer holds no message id") from error

    async def mark_read(self, account: Account, to: Recipient, external_id: str, typing: bool) -> None:
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": external_id}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        try:
            await self._post(self._message_head(account), _encode(body))
        except SendError:
            return

    async def upload(self, account: Account, content: bytes, mime: str, filename: str) -> str:
        """Give Meta a file to send, and return its media id (good for 30 days). SendError as in `send`."""
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime})
        form.add_field("file", content, content_type=mime, filename=filename)
        payload = form()
        answer = await self._post(self._head(account, "media", payload.headers["Content-Type"]), await payload.as_bytes())
        try:
            return _decode_taken(answer).id
        except _UNREADABLE as error:
            raise SendError("accepted, but the answer holds no media id") from error

    async def templates(self, account: Account, waba: str) -> list[Approved]:
        """The account's approved templates that a person can fill in. SendError when they are not to be had."""
        url: URL | None = URL(f"{self._root}/{quote(waba, safe='')}/message_templates").with_query(
            status="APPROVED", fields=FIELDS, limit=100
        )
        listed: list[Any] = []
        try:
            for _ in range(_PAGES):
                if url is None:
                    break
                async with self._session.get(
                    url, headers=_bearer(account), timeout=self._timeout, allow_redirects=False
                ) as response:
                    answer = _json(await _read(response, _ANSWER_LIMIT))
                    if response.status != 200:
                        raise _refusal(response.status, response.headers, answer)
                listed += answer.get("data") or ()
                url = _following(url, answer.get("paging"))
        except (aiohttp.ClientError, TimeoutError, OSError, MediaError) as error:
            raise SendError(f"{type(error).__name__}: {error}") from error
        return approved(listed)

    async def fetch(self, account: Account, media_id: str, limit: int) -> Fetched:
        if not re.fullmatch(r"[\w.=-]+", media_id) or not media_id.strip("."):
            raise MediaError("not a media id", final=True)
        headers = _bearer(account)
        try:
            url = f"{self._root}/{media_id}"
            async with self._session.get(url, headers=headers, timeout=self._timeout, allow_redirects=False) as response:
                about = _json(await _read(response, _ANSWER_LIMIT))
                if response.status != 200:
                    error = _refusal(response.status, response.headers, about)
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

    def _head(self, account: Account, path: str, kind: str) -> bytes:
        try:
            target = f"{self._path}/{quote(account.external_id, safe='')}/{path}"
            return self._client.head(target, {**_bearer(account), "Content-Type": kind})
        except ValueError:
            raise SendError("the number's token cannot be one", action=Action.STOP_NUMBER) from None

    async def _post(self, head: bytes, body: bytes) -> bytes:
        """The body of an answer that says 200."""
        try:
            answer = await self._client.post(head, body)
        except NotReached as error:
            raise SendError(f"not reached: {error}") from error
        except NoAnswer as error:
            raise UncertainSend(f"no answer: {error}") from error
        if answer.status != 200:
            raise _refusal(answer.status, answer.headers, _json(answer.body))
        return answer.body


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


def _following(url: URL, paging: Any) -> URL | None:
    """The next page of a list: on our own way to Graph, whatever address it names."""
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return url.update_query(after=after) if isinstance(after, str) else None


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = _decode(body)
    except _UNREADABLE:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(status: int, headers: Mapping[str, str], answer: Mapping[str, Any]) -> SendError:
    """What an answer other than 200 means. Graph's own: `{"error": {"code", "message", "error_data": {"details"}, …}}`."""
    error = answer.get("error")
    if not isinstance(error, dict):
        error = {}
    code, subcode, data = error.get("code"), error.get("error_subcode"), error.get("error_data")
    code = code if isinstance(code, int) else None
    if code is None and status in _GATEWAY:
        return UncertainSend(f"HTTP {status} from a gateway")
    details = data.get("details") if isinstance(data, dict) else None
    words = ": ".join(part for part in (error.get("message"), details) if isinstance(part, str)) or f"HTTP {status}"
    action = whatsapp_action(code, status, subcode if isinstance(subcode, int) else None)
    return SendError(words[:1024], code=code or 0, action=action, retry_after=_retry_after(headers))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after`: a number, or a date counted from the answer's own `date`."""
    given = headers.get("retry-after", "").strip()
    if given.isdecimal() and len(given) < 7:
        return float(given)
    try:
        until, now = parsedate_to_datetime(given), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _is_whole(content: bytes, sha256: Any) -> bool:
    """Meta gives the hash in hex or in base64; no hash, or something that is none, proves nothing."""
    if not isinstance(sha256, str) or len(sha256) not in (44, 64):
        return True
    digest = hashlib.sha256(content)
    return sha256.lower() == digest.hexdigest() or sha256 == base64.b64encode(digest.digest()).decode()

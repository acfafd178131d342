"""The fake Graph API that the prospects hear through: it takes messages, tells their statuses and hands out one photo."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence

import msgspec

from bot.bench.http import Pool, Reply, Server
from bot.bench.webhooks import Webhooks

Heard = Callable[[bytes, str], Callable[[], None] | None]
"""Told the phone and the text of a message; returns what to do once it is answered."""
_STATUSES = (b"sent", b"delivered", b"read")
_TOGETHER = 0.02
"""Seconds that statuses wait for company where several go into a body."""
AGAIN = 0.5
"""Seconds until a refused webhook is delivered again."""
_DONE = b'{"success":true}'
_TAKEN = b'{"messaging_product":"whatsapp","contacts":[{"input":"%b","wa_id":"%b"}],"messages":[{"id":"%b"}]}'
_PHOTO = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_ABOUT = b'{"messaging_product":"whatsapp","url":"http://127.0.0.1:%d/photo","mime_type":"image/gif","id":"1"}'


class _Text(msgspec.Struct):
    body: str = ""


class _Body(msgspec.Struct):
    text: str = ""


class _Interactive(msgspec.Struct):
    body: _Body


class _Call(msgspec.Struct):
    to: str = ""
    recipient: str = ""
    text: _Text | None = None
    interactive: _Interactive | None = None
    biz_opaque_callback_data: str | None = None

    @property
    def words(self) -> str:
        return self.text.body if self.text else self.interactive.body.text if self.interactive else ""


_call = msgspec.json.Decoder(_Call).decode


class Graph:
    """`statuses` are told of each message, up to `a_body` in one webhook; `name` makes the id of a message to a phone."""

    def __init__(
        self, pool: Pool, webhooks: Webhooks, statuses: int, a_body: int, heard: Heard, name: Callable[[bytes], bytes]
    ) -> None:
        self.ending = False
        self._pool, self._webhooks, self._heard, self._name = pool, webhooks, heard, name
        self._statuses, self._a_body = _STATUSES[:statuses], a_body
        self._waiting: dict[bytes, list[bytes]] = {}
        self._about = b""

    async def listen(self, port: int, delay: float = 0) -> asyncio.Server:
        """Answer on a port of this machine, each call after `delay` seconds."""
        self._about = _ABOUT % port
        return await asyncio.get_running_loop().create_server(
            lambda: Server(self._handle, delay), "127.0.0.1", port, backlog=1024, reuse_address=True
        )

    def _handle(self, head: bytes, body: bytes) -> Reply:
        verb, path, _ = head.split(b" ", 2)
        if verb == b"GET":
            return (_PHOTO if path == b"/photo" else self._about), None
        call = _call(body)
        if not call.words:
            return _DONE, None
        phone = (call.to or call.recipient.rpartition(".")[2]).lstrip("+").encode()
        message, answer = self._name(phone), self._heard(phone, call.words)
        if not self._statuses:
            return _TAKEN % (phone, phone, message), answer
        number, callback = path.rsplit(b"/", 2)[1], msgspec.json.encode(call.biz_opaque_callback_data)

        def written() -> None:
            self._report(number, [self._webhooks.status(name, message, phone, callback) for name in self._statuses])
            if answer is not None:
                answer()

        return _TAKEN % (phone, phone, message), written

    def _report(self, number: bytes, statuses: Sequence[bytes]) -> None:
        if self._a_body == 1:
            for status in statuses:
                self._post(self._webhooks.statuses(number, [status]))
            return
        if not (waiting := self._waiting.setdefault(number, [])):
            asyncio.get_running_loop().call_later(_TOGETHER, self._flush, number)
        waiting += statuses

    def _flush(self, number: bytes) -> None:
        waiting = self._waiting.pop(number)
        for at in range(0, len(waiting), self._a_body):
            self._post(self._webhooks.statuses(number, waiting[at : at + self._a_body]))

    def _post(self, request: bytes) -> None:
        def answered(status: int) -> None:
            if status != 200 and not self.ending:
                asyncio.get_running_loop().call_later(AGAIN, self._post, request)

        self._pool.post(request, answered)

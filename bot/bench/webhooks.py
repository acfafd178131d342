"""Webhooks of Meta's shape, filled into templates that are made once: signing them is most of what they cost."""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence

_BODY = (
    b'{"object":"whatsapp_business_account","entry":[{"id":"WABA","changes":[{"field":"messages","value":{"messaging_product":'
    b'"whatsapp","metadata":{"display_phone_number":"5115550101","phone_number_id":"%b"},%b}}]}]}'
)
_MESSAGES = b'"contacts":[{"profile":{"name":"Ana"},"wa_id":"%b","user_id":"PE.%b"}],"messages":[%b]'
_TEXT = b'{"from":"%b","from_user_id":"PE.%b","id":"%b","timestamp":"%d","type":"text","text":{"body":%b}}'
_PHOTO = (
    b'{"from":"%b","from_user_id":"PE.%b","id":"%b","timestamp":"%d","type":"image",'
    b'"image":{"mime_type":"image/jpeg","sha256":"","id":"%d"}}'
)
_STATUS = b'{"id":"%b","status":"%b","timestamp":"%d","recipient_id":"%b","biz_opaque_callback_data":%b}'


class Webhooks:
    """Whole signed requests to one address. Phones, ids and numbers are ASCII bytes; `text` is a JSON string."""

    def __init__(self, secret: str, path: str = "/webhooks/whatsapp") -> None:
        self._secret = secret.encode()
        self._head = (
            b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"X-Hub-Signature-256: sha256=%%b\r\nContent-Length: %%d\r\n\r\n%%b" % path.encode()
        )

    def text(self, phone: bytes, message: bytes, text: bytes) -> bytes:
        return _TEXT % (phone, phone, message, time.time(), text)

    def photo(self, phone: bytes, message: bytes, media: int) -> bytes:
        return _PHOTO % (phone, phone, message, time.time(), media)

    def messages(self, number: bytes, phone: bytes, messages: Sequence[bytes]) -> bytes:
        """The request that brings messages of one person."""
        return self._signed(_BODY % (number, _MESSAGES % (phone, phone, b",".join(messages))))

    def status(self, name: bytes, message: bytes, phone: bytes, callback: bytes) -> bytes:
        return _STATUS % (message, name, time.time(), phone, callback)

    def statuses(self, number: bytes, statuses: Sequence[bytes]) -> bytes:
        """The request that brings statuses of one number's messages."""
        return self._signed(_BODY % (number, b'"statuses":[%b]' % b",".join(statuses)))

    def _signed(self, body: bytes) -> bytes:
        return self._head % (hmac.digest(self._secret, body, "sha256").hex().encode(), len(body), body)

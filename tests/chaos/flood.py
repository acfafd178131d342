"""A flood of webhooks from a process of its own: `python -m tests.chaos.flood JSON`; prints what was answered, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import uvloop

from bot.bench.http import Pool
from bot.simulator.webhooks import body, signature

KINDS = ("signatures", "statuses", "person", "body")
PHONE = "573990000000"
"""The one person who writes without end."""
_BIG = 3_000_000


def bodies(kind: str, amount: int, number: str) -> Iterator[bytes]:
    """The bodies of a flood: `amount` requests, or messages (`person`, 20 a body; `body`, all in one of 3 MB)."""
    serial, run = count(), time.time_ns()

    def message(phone: str, text: str) -> dict[str, Any]:
        told = {"id": f"wamid.flood.{kind}.{run}.{next(serial)}", "timestamp": str(int(time.time())), "type": "text"}
        return {"from": phone, "from_user_id": f"CO.{phone}", **told, "text": {"body": text}}

    def value(**items: Any) -> bytes:
        metadata = {"display_phone_number": "5115550101", "phone_number_id": number}
        return body("200000000000001", "messages", {"messaging_product": "whatsapp", "metadata": metadata, **items})

    match kind:
        case "signatures":
            content = value(messages=[message(PHONE, "hola")])
            yield from (content for _ in range(amount))
        case "statuses":
            for _ in range(amount):
                told = {"id": f"wamid.unknown.{run}.{next(serial)}", "status": "delivered", "timestamp": str(int(time.time()))}
                yield value(statuses=[{**told, "recipient_id": PHONE, "biz_opaque_callback_data": str(next(serial))}])
        case "person":
            for start in range(0, amount, 20):
                yield value(messages=[message(PHONE, "hola") for _ in range(min(20, amount - start))])
        case "body":
            words = "busco precios " * 1000
            text = words[: _BIG // amount - 250]
            yield value(messages=[message(str(573_980_000_000 + each), text) for each in range(amount)])


async def flood(kind: str, amount: int, rate: float, port: int, number: str, secret: str) -> dict[str, int]:
    """Post them, at most `rate` a second; what is refused with 5xx or not answered is posted again, as Meta does."""
    path = "/webhooks/whatsapp"
    pool, answers, posted, loop = Pool("127.0.0.1", port, 32), Counter[int](), 0, asyncio.get_running_loop()

    def post(request: bytes) -> None:
        pool.post(request, partial(answered, request))

    def answered(request: bytes, status: int) -> None:
        answers[status] += 1
        if again(status):
            loop.call_later(1, post, request)

    began = loop.time()
    for content in bodies(kind, amount, number):
        signed = "sha256=" + "0" * 64 if kind == "signatures" else signature(secret, content)
        head = f"POST {path} HTTP/1.1\r\nHost: flood\r\nX-Hub-Signature-256: {signed}\r\nContent-Length: {len(content)}\r\n\r\n"
        await asyncio.sleep(began + posted / rate - loop.time())
        post(head.encode() + content)
        posted += 1
    while sum(many for status, many in answers.items() if not again(status)) < posted:
        await asyncio.sleep(0.05)
    return {str(status): many for status, many in answers.items()}


def again(status: int) -> bool:
    return status == 0 or status >= 500


if __name__ == "__main__":
    print(json.dumps(uvloop.run(flood(**json.loads(sys.argv[1])))))

"""Simulated prospects: each says the next line of a script when the service's answer has reached the fake Graph API.

Webhooks are signed and of Meta's shape; answers are matched by the recipient's number and by the tag `[qN]` or `[done]` in
their text, so that a lost, a doubled and a disordered answer are all seen. It runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import uvloop

from bot.bench.http import Pool, Server

SCRIPT = ("hola", "Ana Torres", "Ferretería Norte", "un sistema de ventas", "5000", "Lima", "este mes")
_TAG = re.compile(r"\[(?:q(\d+)|done)\]")
_now = time.perf_counter


@dataclass(slots=True)
class Load:
    """What to do: `rate` turns a second, or as fast as answers come when 0; times in seconds."""

    port: int
    graph_port: int
    secret: str
    numbers: list[str]
    prospects: int = 64
    rate: float = 0
    seconds: float = 6
    warm_up: float = 2
    statuses: int = 0
    patience: float = 10


@dataclass(slots=True, eq=False)
class _Prospect:
    phone: str = ""
    number: str = ""
    step: int = 0
    sent: float = 0
    answered: bool = True
    acknowledged: bool = False


@dataclass(slots=True)
class _Counts:
    turns: int = 0
    talks: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    refused: int = 0
    graph_calls: int = 0
    replies: list[float] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)


class Crowd:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._pool = Pool("127.0.0.1", load.port, 64)
        self._serial = count(int(time.time()) % 100_000 * 10_000)
        self._message = count()
        self._by_phone: dict[str, _Prospect] = {}
        self._all: list[_Prospect] = []
        self._free: list[_Prospect] = []
        self._counts = _Counts()
        self._measuring = self._ending = False

    async def run(self) -> dict[str, Any]:
        load = self._load
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Server(self._graph), "127.0.0.1", load.graph_port, backlog=1024)
        tasks = [loop.create_task(self._give_up())]
        if load.rate:
            tasks.append(loop.create_task(self._pace()))
        else:
            for _ in range(load.prospects):
                self._next(self._new())
        await asyncio.sleep(load.warm_up)
        self._counts, self._measuring = _Counts(), True
        began, cpu = _now(), time.process_time()
        await asyncio.sleep(load.seconds)
        self._measuring = False
        took, cpu = _now() - began, time.process_time() - cpu
        counts, self._ending = self._counts, True
        until = _now() + 2
        while _now() < until and not all(prospect.answered for prospect in self._all):
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        server.close()
        return {
            "turns_per_s": round(counts.turns / took, 1),
            "webhook_to_reply_p50_ms": _quantile(counts.replies, 0.5),
            "webhook_to_reply_p99_ms": _quantile(counts.replies, 0.99),
            "ack_p50_ms": _quantile(counts.acks, 0.5),
            "ack_p99_ms": _quantile(counts.acks, 0.99),
            "turns": counts.turns,
            "lost": counts.lost + sum(prospect.acknowledged and not prospect.answered for prospect in self._all),
            "duplicated": counts.duplicated,
            "out_of_order": counts.out_of_order,
            "refused": counts.refused,
            "graph_calls": counts.graph_calls,
            "generator_cpu_share": round(cpu / took, 2),
            "began": began,
        }

    # ------------------------------------------------------------------------------------------- prospects
    def _new(self) -> _Prospect:
        prospect = _Prospect()
        self._all.append(prospect)
        self._rename(prospect)
        return prospect

    def _rename(self, prospect: _Prospect) -> None:
        """The next person starts over in this one's place."""
        self._by_phone.pop(prospect.phone, None)
        prospect.phone = str(51_900_000_000 + next(self._serial))
        prospect.number = self._load.numbers[int(prospect.phone) % len(self._load.numbers)]
        prospect.step, prospect.answered = 0, True
        self._by_phone[prospect.phone] = prospect

    def _next(self, prospect: _Prospect) -> None:
        if self._ending:
            return
        if self._load.rate:
            self._free.append(prospect)
        else:
            self._say(prospect, _now())

    def _say(self, prospect: _Prospect, since: float) -> None:
        prospect.sent, prospect.answered, prospect.acknowledged = since, False, False
        began = _now()

        def answered(status: int) -> None:
            if status == 200:
                prospect.acknowledged = True
                if self._measuring:
                    self._counts.acks.append(_now() - began)
            else:
                self._counts.refused += 1

        message = {
            "from": prospect.phone,
            "from_user_id": f"PE.{prospect.phone}",
            "id": f"wamid.{prospect.phone}.{next(self._message)}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": SCRIPT[prospect.step]},
        }
        contact = {"profile": {"name": "Ana"}, "wa_id": prospect.phone, "user_id": f"PE.{prospect.phone}"}
        self._pool.post(self._webhook(prospect.number, {"contacts": [contact], "messages": [message]}), answered)

    def _webhook(self, number: str, value: dict[str, Any]) -> bytes:
        metadata = {"display_phone_number": "5115550101", "phone_number_id": number}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        entry = [{"id": "WABA", "changes": [{"field": "messages", "value": value}]}]
        body = json.dumps({"object": "whatsapp_business_account", "entry": entry}, separators=(",", ":")).encode()
        signature = hmac.new(self._load.secret.encode(), body, hashlib.sha256).hexdigest().encode()
        return (
            b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"X-Hub-Signature-256: sha256=%b\r\nContent-Length: %d\r\n\r\n%b" % (signature, len(body), body)
        )

    # ------------------------------------------------------------------------------------- the fake Graph API
    def _graph(self, head: bytes, body: bytes) -> bytes:
        call = json.loads(body) if body else {}
        text = call.get("text", {}).get("body") or call.get("interactive", {}).get("body", {}).get("text")
        self._counts.graph_calls += 1
        if text is None:
            return b'{"success":true}'
        to, wamid = call.get("to") or call["recipient"].split(".")[-1], f"wamid.out{next(self._message)}"
        asyncio.get_running_loop().call_soon(self._hear, to.lstrip("+"), text)
        if self._load.statuses:
            asyncio.get_running_loop().call_soon(self._report, head, to, wamid, call.get("biz_opaque_callback_data"))
        return b'{"messaging_product":"whatsapp","contacts":[{"input":"%b","wa_id":"%b"}],"messages":[{"id":"%b"}]}' % (
            to.encode(),
            to.encode(),
            wamid.encode(),
        )

    def _report(self, head: bytes, to: str, wamid: str, callback: str | None) -> None:
        number = head.split(b" ", 2)[1].split(b"/")[-2].decode()
        for status in ("sent", "delivered", "read")[: self._load.statuses]:
            told = {"id": wamid, "status": status, "timestamp": str(int(time.time())), "recipient_id": to}
            self._pool.post(self._webhook(number, {"statuses": [{**told, "biz_opaque_callback_data": callback}]}), lambda _: None)

    def _hear(self, to: str, text: str) -> None:
        prospect, counts, tag = self._by_phone.get(to), self._counts, _TAG.search(text)
        step = (int(tag[1]) if tag[1] else len(SCRIPT)) if tag else -1
        if prospect is None or prospect.answered or step == prospect.step:
            counts.duplicated += 1
            return
        counts.out_of_order += step != prospect.step + 1
        prospect.answered = True
        prospect.step += 1
        counts.turns += 1
        if self._measuring:
            counts.replies.append(_now() - prospect.sent)
        if prospect.step >= len(SCRIPT):
            counts.talks += 1
            self._rename(prospect)
        self._next(prospect)

    # -------------------------------------------------------------------------------------------------- time
    async def _pace(self) -> None:
        """An open loop: latency counts from the time at which a prospect wanted to write."""
        gap, due = 1 / self._load.rate, _now()
        while not self._ending:
            while due <= _now():
                self._say(self._free.pop(0) if self._free else self._new(), due)
                due += gap
            await asyncio.sleep(max(0.0005, due - _now()))

    async def _give_up(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            for prospect in self._all:
                if not prospect.answered and _now() > prospect.sent + self._load.patience:
                    self._counts.lost += prospect.acknowledged
                    self._rename(prospect)
                    self._next(prospect)


def _quantile(values: Sequence[float], share: float) -> float:
    return round(1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))], 2) if values else 0.0


if __name__ == "__main__":
    print(json.dumps(uvloop.run(Crowd(Load(**json.loads(sys.argv[1]))).run())))  # noqa: T201

"""The door: what is refused, what is stored, and what of bad input is shown again."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from bot.arrivals import Stored
from bot.backlog import LONGEST, MANY, Backlog
from bot.intake import Intake
from bot.maintenance import replay
from bot.simulator.webhooks import body, signature
from bot.standin import StandIns
from bot.webhook import LIMIT, whatsapp_routes
from data.tables import InboxMessage, Number, OutboxMessage, Person, WebhookBody

Value = Callable[..., dict[str, Any]]
WABA = "200000000000001"


async def test_a_body_that_is_not_signed_is_not_stored(shop: Any, value: Value) -> None:
    for header in (None, "", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "sha256=ñ"):
        headers = {} if header is None else {"X-Hub-Signature-256": header}
        async with shop.http.post(shop.url, data=body(WABA, "messages", value("hola")), headers=headers) as answer:
            assert answer.status == 401, header
    assert await shop.rows(WebhookBody) == []


async def test_two_secrets_hold_while_they_are_rotated(open_shop: Any, sqlite_url: str, value: Value) -> None:
    shop = await open_shop(sqlite_url, whatsapp_app_secret="new-secret, old-secret")
    assert [await shop.post(value("hola"), secret) for secret in ("new-secret", "old-secret", "app-secret")] == [200, 200, 401]
    assert len(await shop.rows(WebhookBody)) == 2


async def test_no_secret_lets_nobody_in(open_shop: Any, sqlite_url: str, value: Value) -> None:
    shop = await open_shop(sqlite_url, whatsapp_app_secret="")
    assert await shop.post(value("hola"), "") == 401


async def test_meta_subscribes_with_our_token(shop: Any) -> None:
    right = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "1158201444"}
    for wrong in ({}, {"hub.verify_token": "wrong"}, {"hub.verify_token": "ñ"}, {"hub.verify_token": ""}, {"hub.mode": "ask"}):
        async with shop.http.get(shop.url, params=right | wrong) as answer:
            assert answer.status == (403 if wrong else 200), wrong
            assert (await answer.text() == "1158201444") == (not wrong)


NOT_OURS = {
    "no JSON": b"hola",
    "nothing": b"",
    "not UTF-8": b'{"object": "\xff"}',
    "a list": b"[]",
    "another product": b'{"object": "page", "entry": []}',
    "a bottomless nest": b'{"object":"whatsapp_business_account","entry":' + b"[" * 200_000,
    "entries of a wrong type": b'{"object":"whatsapp_business_account","entry":[7,"x",{"changes":7}]}',
}


async def test_a_signed_body_that_cannot_be_read_is_kept_and_reported(shop: Any) -> None:
    for raw in NOT_OURS.values():
        assert await shop.post(raw) == 200
    rows = await shop.rows(WebhookBody)
    assert [(row.body, row.state) for row in rows] == [(raw, "unreadable") for raw in NOT_OURS.values()]
    assert all(row.problem for row in rows)


async def test_a_body_over_4_mib_is_refused(shop: Any) -> None:
    raw = b" " * (4 * 1024 * 1024 + 1)
    assert await shop.post(raw) == 413

    async def in_pieces() -> Any:
        for start in range(0, len(raw), 1 << 18):
            yield raw[start : start + (1 << 18)]

    headers = {"X-Hub-Signature-256": signature("app-secret", raw)}
    async with shop.http.post(shop.url, data=in_pieces(), headers=headers) as answer:
        assert answer.status == 413
    assert await shop.rows(WebhookBody) == []


async def test_a_compressed_body_is_refused_before_it_grows(shop: Any) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    headers = {"X-Hub-Signature-256": signature("app-secret", bomb), "Content-Encoding": "gzip"}
    async with shop.http.post(shop.url, data=bomb, headers=headers) as answer:
        assert answer.status == 415
    assert await shop.rows(WebhookBody) == []


async def test_a_body_that_does_not_come_is_not_waited_for(shop: Any) -> None:
    app = web.Application()
    app.add_routes(whatsapp_routes(shop.service.intake, shop.service.channels["whatsapp"], (b"s",), "", deadline=0.1))
    async with TestServer(app) as server:
        address = urlsplit(str(server.make_url("/")))
        reader, writer = await asyncio.open_connection(address.hostname, address.port, family=socket.AF_INET)
        writer.write(b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in await asyncio.wait_for(reader.readline(), 2)
        writer.close()


@asynccontextmanager
async def a_door(shop: Any, stored: list[Stored], **limits: int) -> AsyncIterator[None]:
    """The shop's webhook with a backlog of its own, which the service's scheduler does not look at, and with nobody behind it."""
    parts = shop.service
    late = Backlog(shop.database, parts.clock)
    stand_ins = StandIns(parts.numbers, parts.channels, parts.clock)
    intake = Intake(shop.database, parts.numbers, parts.clock, stand_ins.make, stored.append, late.late, **limits)
    app = web.Application(client_max_size=LIMIT)
    app.add_routes(whatsapp_routes(intake, parts.channels["whatsapp"], (b"app-secret",), "verify-me"))
    async with TestServer(app) as server:
        shop.url, shop.backlog = str(server.make_url("/webhooks/whatsapp")), late
        yield


async def test_what_cannot_be_stored_is_asked_for_again(open_shop: Any, sqlite_url: str, value: Value) -> None:
    """503 tells Meta to come back. The service beside it has a database of its own, and goes on."""
    shop = await open_shop(sqlite_url)
    async with a_door(shop, []):
        await shop.database.close()
        assert await shop.post(value("hola")) == 503


async def test_a_number_past_its_capacity_asks_the_messenger_to_come_back_and_no_other_does(
    open_shop: Any, database_url: str, value: Value
) -> None:
    """Many talks of one number have waited longer than they should, since no worker runs: its statuses are taken, and the other
    number's messages."""
    shop = await open_shop(database_url, roles="web")
    stored: list[Stored] = []
    async with a_door(shop, stored):
        for person in range(MANY - 1):
            assert await shop.post(value("hola", phone=f"57300200{person:04}")) == 200
        shop.service.clock.advance(timedelta(seconds=LONGEST + 1))
        await shop.backlog.look()
        assert shop.backlog.age > LONGEST
        assert await shop.post(value("hola")) == 200, "not so many yet"
        shop.service.clock.advance(timedelta(seconds=LONGEST + 1))
        await shop.backlog.look()
        assert await shop.post(value("¿hola?")) == 503
        assert await shop.post(value("hola", number=shop.second)) == 200
        told = {"id": "wamid.x", "status": "read", "timestamp": "1795000000", "recipient_id": "573001234567"}
        assert await shop.post(value(statuses=[told])) == 200
        await shop.database.write(lambda session: session.execute(update(InboxMessage).values(state="done")))
        await shop.backlog.look()
        assert (shop.backlog.age, await shop.post(value("¿hola?"))) == (0.0, 200), "they were answered"
    assert sum(len(each.arrived) for each in stored) == MANY + 2


async def test_bodies_take_no_more_memory_than_there_is_room_for(shop: Any, value: Value) -> None:
    """Only what has really come counts: who promises much and sends little shuts out nobody."""
    large = value(*["x" * 60_000 for _ in range(4)])
    async with a_door(shop, [], room=300_000):
        address = urlsplit(shop.url)
        promised = []
        for _ in range(20):
            _, writer = await asyncio.open_connection(address.hostname, address.port, family=socket.AF_INET)
            writer.write(b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n{")
            promised.append(writer)
        for _ in range(3):
            assert await shop.post(large) == 200, "one after the other"
        assert await shop.post(value(*["x" * 60_000 for _ in range(6)])) == 503
        assert await shop.post(value("hola")) == 200
        for writer in promised:
            writer.close()


async def test_numbers_too_large_and_deep_parts_harm_nobody(any_shop: Any, value: Value) -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    odd = value(
        "buenas",
        {"type": "order", "order": {"product_items": [{"product_retailer_id": 10**40, "quantity": 10**40, "item_price": 1}]}},
        {"type": "text", "text": {"body": "de un aviso"}, "referral": {"source_id": 10**30, "deep": {"a": [1, 2]}}},
        {"type": "text", "text": {"body": "demasiado hondo"}, "referral": {"deep": deep}},
        {"type": "text", "text": {"body": "sin hora"}, "timestamp": 10**30},
        {"type": "document", "document": {"id": "1", "filename": "a", "file_size": 10**30}},
    )
    assert await any_shop.post(odd) == 200
    await any_shop.settled()
    assert {row.text for row in await any_shop.rows(InboxMessage)} >= {"buenas", "de un aviso", "sin hora"}
    assert all(row.state == "done" for row in await any_shop.rows(InboxMessage))
    assert await any_shop.rows(OutboxMessage)


async def test_a_number_nobody_knows_is_reported_and_replayed_once_it_is_known(
    any_shop: Any, value: Value, flows: Any, nlu: Any
) -> None:
    shop = any_shop
    for number in ("999", "99\0\ud8009"):
        assert await shop.post(value("¿hay alguien?", number=number)) == 200
    assert await shop.rows(InboxMessage) == []
    assert [row.state for row in await shop.rows(WebhookBody)] == ["unknown_number"] * 2
    assert "999" in (await shop.rows(WebhookBody))[0].problem

    known = await shop.number(shop.first)
    row = Number(
        company_id=known.company_id, channel="whatsapp", external_id="999", display="+57 999", name="Nueva", bot_name="Sol",
        dialog="form", hours={}, created_at=known.created_at,
    )  # fmt: skip
    await shop.database.write(lambda session: session.add(row))
    await replay(shop.service.settings, flows, nlu)
    assert [row.text for row in await shop.rows(InboxMessage)] == ["¿hay alguien?"]
    assert [row.state for row in await shop.rows(WebhookBody)] == ["replayed", "replayed", "split", "unknown_number"]
    await replay(shop.service.settings, flows, nlu)
    assert len(await shop.rows(InboxMessage)) == 1


async def test_an_unknown_type_missing_contacts_and_a_missing_phone(shop: Any, value: Value) -> None:
    bsuid = "CO.13491208655302741918"
    shop.person("Sin teléfono", None, bsuid)
    shop.network.conversation(shop.first, shop.network.people[bsuid]).wrote_at = shop.service.clock.now()
    assert await shop.post(value({"type": "hologram", "hologram": {"x": 1}}, phone=None, bsuid=bsuid)) == 200
    await shop.settled()
    (message,) = await shop.rows(InboxMessage)
    assert (message.kind, message.state) == ("unsupported", "done")
    (reply,) = await shop.rows(OutboxMessage)
    assert (reply.recipient, reply.state) == ({"bsuid": bsuid}, "read")
    (person,) = await shop.rows(Person)
    assert person.phone is None


ODD = {
    "NUL": ("ho\0la", "hola"),
    "half a surrogate": ("x\ud83dy", "x\ufffdy"),
    "64 kB": ("ñ" * 70_000, "ñ" * 65_536),
    "right to left": ("\u202eאבג\u202c \u200fhola", "\u202eאבג\u202c \u200fhola"),
}


async def test_odd_text_is_stored_and_shown_again(any_shop: Any, value: Value) -> None:
    for index, (said, kept) in enumerate(ODD.values()):
        phone = f"57300000000{index}"
        person = any_shop.person("Ana", phone)
        any_shop.network.conversation(any_shop.first, person).wrote_at = any_shop.service.clock.now()
        names = [{"profile": {"name": said[:300]}, "wa_id": phone}]
        for words in (said, "Ana Ruiz", said):
            assert await any_shop.post(value(words, phone=phone, contacts=names)) == 200
            await any_shop.settled()
        messages = (await any_shop.rows(InboxMessage))[-3:]
        assert [row.text for row in messages] == [kept, "Ana Ruiz", kept]
        body_of = (await any_shop.rows(WebhookBody, WebhookBody.id == messages[0].body_id))[0].body
        assert json.loads(body_of)["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] == said
    assert {row.state for row in await any_shop.rows(InboxMessage)} == {"done"}
    replies = await any_shop.rows(OutboxMessage)
    assert {row.state for row in replies} == {"read"}
    assert len(replies) == 3 * len(ODD)


async def test_the_watchers_see_that_it_is_well(shop: Any) -> None:
    home = shop.url.removesuffix("/webhooks/whatsapp")
    async with aiohttp.ClientSession() as http:
        for path, expected in (("/healthz", '"ok"'), ("/readyz", '"problems": []'), ("/metrics", "mostrador_webhooks_total")):
            async with http.get(home + path) as answer:
                assert answer.status == 200
                assert expected in await answer.text()

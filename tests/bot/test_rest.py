"""Rasa's REST channel as a door: the same tables, turns and outbox as any messenger, and the answers in the same breath."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from sqlalchemy import update

from bot import rest
from bot.clock import Clock
from bot.maintenance import Refused, set_number
from bot.settings import load
from data.tables import Company, ContactPoint, Identity, InboxMessage, Lead, LinkCode, Number, OutboxMessage, User, WebhookBody

Replies = list[dict[str, Any]]


async def open_chat(open_shop: Any, database_url: str, **number: Any) -> Any:
    """A shop with a number for chat widgets."""
    shop = await open_shop(database_url)
    await add_number(shop, **number)
    return shop


async def add_number(shop: Any, external_id: str = "web", **fields: Any) -> None:
    def add(session: Any) -> None:
        (company,) = session.query(Company.id).order_by(Company.id).limit(1).one()
        given = {"display": "Chat web", "name": "Andina", "bot_name": "Luna", "dialog": "form", "hours": {}} | fields
        row = Number(company_id=company, channel="webchat", external_id=external_id, created_at=Clock().now(), **given)
        session.add(row)

    await shop.database.write(add)
    await shop.service.numbers.reload(shop.database)


async def post(shop: Any, body: Any, query: str = "", **headers: str) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | headers
    url = shop.url.replace("whatsapp", "rest/webhook") + query
    async with shop.http.post(url, data=raw, headers=headers) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return answer.status, await answer.json()


async def say(shop: Any, message: str, sender: str = "visitor-1", **more: Any) -> Replies:
    status, replies = await post(shop, {"sender": sender, "message": message} | more)
    assert status == 200, replies
    return list(replies)


async def test_a_talk_over_the_rest_channel_becomes_a_lead(open_shop: Any, database_url: str) -> None:
    shop = await open_chat(open_shop, database_url)
    assert [reply["text"].split("]")[0] for reply in await say(shop, "hola")] == ["[first"]
    assert [reply["text"].split("]")[0] for reply in await say(shop, "Ana Ruiz")] == ["[need"]
    (asked,) = await say(shop, "un portátil")
    assert asked["recipient_id"] == "visitor-1"
    today = next(button for button in asked["buttons"] if button["title"] == "Hoy mismo")
    (done,) = await say(shop, today["payload"])
    assert done["text"].startswith("[done")
    (lead,) = await shop.rows(Lead)
    assert (lead.priority, lead.complete) == ("hot", True)
    assert [row.text for row in await shop.rows(InboxMessage)] == ["hola", "Ana Ruiz", "un portátil", "Hoy mismo"]
    assert {row.state for row in await shop.rows(OutboxMessage)} == {"delivered"}
    assert [(row.kind, row.value) for row in await shop.rows(Identity)] == [("webchat", "visitor-1")]
    assert {(row.channel, row.state) for row in await shop.rows(WebhookBody)} == {("webchat", "split")}


async def test_the_door_is_shut_where_no_number_talks_there(shop: Any) -> None:
    status, answer = await post(shop, {"sender": "a", "message": "hola"})
    assert (status, answer["status"]) == (404, "failure")
    assert await shop.rows(WebhookBody) == []


async def test_two_chats_are_told_apart(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    await add_number(shop, "other", dialog="quote")
    assert (await post(shop, {"sender": "a", "message": "hola"}))[0] == 400
    assert (await post(shop, {"sender": "a", "message": "hola"}, "?number=nobody"))[0] == 404
    assert (await post(shop, {"sender": "a", "message": "hola"}, "?number=other"))[0] == 200
    (row,) = await shop.rows(OutboxMessage)
    assert row.number_id == (await shop.number("other")).id


async def test_a_number_with_a_token_asks_for_it(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url, token="s3cret")
    body = {"sender": "a", "message": "hola"}
    for query, headers in (("", {}), ("?token=x", {}), ("", {"Authorization": "Bearer ñ"})):
        assert (await post(shop, body, query, **headers))[0] == 401
    assert await shop.rows(WebhookBody) == []
    assert (await post(shop, body, "?token=s3cret"))[0] == 200
    assert (await post(shop, body, Authorization="Bearer s3cret"))[0] == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b"", 400), (b'"hola"', 400), ({"message": "hola"}, 400), ({"sender": "a"}, 400),
        ({"sender": "a", "message": ""}, 400),
        ({"sender": "a", "message": "x" * 5_000}, 400), ({"sender": "a", "message": "x" * rest.LIMIT}, 413),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_refused_and_said(open_shop: Any, sqlite_url: str, body: Any, status: int) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    answered, answer = await post(shop, body)
    assert (answered, answer["code"]) == (status, status)
    assert answer["message"]
    assert await shop.rows(WebhookBody) == []


async def test_compressed_and_endless_bodies_are_refused(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    assert (await post(shop, b"x", **{"Content-Encoding": "gzip"}))[0] == 415

    async def pieces() -> Any:
        yield b'{"sender": "a", "message": "hola"}'

    async with shop.http.post(shop.url.replace("whatsapp", "rest/webhook"), data=pieces()) as answer:
        assert answer.status == 411


async def test_a_browser_may_ask_from_another_site(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    headers = {"Origin": "https://tienda.example", "Access-Control-Request-Method": "POST"}
    async with shop.http.options(shop.url.replace("whatsapp", "rest/webhook"), headers=headers) as answer:
        assert answer.status == 204
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]


async def test_the_same_message_again_changes_nothing(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    assert len(await say(shop, "hola", message_id="1")) == 1
    assert await say(shop, "hola", message_id="1") == []
    assert len(await say(shop, "hola", sender="visitor-2", message_id="1")) == 1
    assert len(await shop.rows(InboxMessage)) == 2
    assert len(await say(shop, "Ana Ruiz", message_id="2")) == 1


async def test_nobody_reads_anothers_answers(open_shop: Any, sqlite_url: str) -> None:
    """Names that would make one id of two, were they only put together."""
    shop = await open_chat(open_shop, sqlite_url)
    await say(shop, "hola", sender='a","b', message_id="c")
    await shop.run_sql("UPDATE outbox_messages SET state = 'sent', rank = 30")
    (own,) = await say(shop, "hola", sender="a", message_id='b","c')
    assert own["recipient_id"] == "a"
    assert len(await shop.rows(InboxMessage)) == 2


async def test_two_messages_at_once_are_answered_in_order_and_once(open_shop: Any, database_url: str) -> None:
    shop = await open_chat(open_shop, database_url)
    await say(shop, "hola")
    heard = await asyncio.gather(say(shop, "Ana Ruiz"), say(shop, "un portátil"))
    texts = [reply["text"] for replies in heard for reply in replies]
    assert len(texts) == len(set(texts))
    assert [row.state for row in await shop.rows(InboxMessage)] == ["done"] * 3
    assert {row.state for row in await shop.rows(OutboxMessage)} == {"delivered"}


async def test_what_comes_later_goes_with_the_next_message(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    await say(shop, "hola")
    await shop.run_sql("UPDATE conversations SET owner = 'human'")
    assert await say(shop, "¿hay alguien?") == [], "a person answers, and has not yet"
    await shop.run_sql("UPDATE outbox_messages SET state = 'queued', rank = 0")  # as when a seller writes
    shop.service.sender.look_at_all()
    await shop.settled()
    assert [row.state for row in await shop.rows(OutboxMessage)] == ["sent"], "it lies ready"
    assert [reply["text"][:6] for reply in await say(shop, "¿hola?")] == ["[first"]
    assert await say(shop, "gracias") == []


async def test_whoever_does_not_wait_gets_it_with_the_next_message(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    async with door(shop) as url:
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(0.015), shop.http.post(url, json={"sender": "visitor-1", "message": "hola"}):
                pass
        await shop.settled()
        await asyncio.sleep(0.3)  # longer than the door looks
    assert [row.state for row in await shop.rows(OutboxMessage)] == ["sent"]
    heard = await say(shop, "Ana Ruiz")
    assert [reply["text"].split("]")[0] for reply in heard] == ["[first", "[need"]


async def test_an_answer_that_does_not_come_is_not_waited_for(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    await shop.run_sql("UPDATE numbers SET stopped = 'x' WHERE channel = 'webchat'")
    await shop.service.numbers.reload(shop.database)
    async with door(shop, wait=0.2) as url:
        began = time.monotonic()
        async with shop.http.post(url, json={"sender": "a", "message": "hola"}) as answer:
            assert await answer.json() == []
        assert 0.2 <= time.monotonic() - began < 1


@asynccontextmanager
async def door(shop: Any, wait: float = rest.WAIT) -> AsyncIterator[str]:
    """The door alone, as it is served: aiohttp's test server ends a handler whose client is gone, the real one does not."""
    app = web.Application()
    app.add_routes(rest.rest_routes(shop.service, shop.service.channels["webchat"], wait))
    runner = web.AppRunner(app)
    await runner.setup()
    port = unused_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/webhooks/rest/webhook"
    finally:
        await runner.cleanup()


async def test_a_flood_is_slowed_and_others_are_not(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(post(shop, {"sender": "flood", "message": f"hola {n}"})) for n in range(rest.BURST + 5)]
    statuses = [task.result()[0] for task in tasks]
    assert statuses.count(200) in (rest.BURST, rest.BURST + 1)
    assert set(statuses) == {200, 429}
    assert len(await say(shop, "hola", sender="other")) == 1


async def test_many_senders_have_one_pace_together(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url, rate=5)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(post(shop, {"sender": f"s{n}", "message": "hola"})) for n in range(20)]
    statuses = [task.result()[0] for task in tasks]
    assert 5 <= statuses.count(200) <= 8
    assert set(statuses) == {200, 429}


async def test_nobody_becomes_one_of_our_people_by_a_widget(open_shop: Any, sqlite_url: str) -> None:
    """A code that somebody looked over a shoulder would give a sender, whoever that is, a seller's commands."""
    shop = await open_chat(open_shop, sqlite_url)

    def add(session: Any) -> None:
        now = Clock().now()
        company = session.query(Company).order_by(Company.id).first()
        user = User(company_id=company.id, name="Sofía", email="s@a.co", role="admin", password_hash="x", created_at=now)
        session.add(user)
        session.flush()
        digest = hashlib.sha256(b"ABCDEFGH").hexdigest()
        session.add(LinkCode(company_id=company.id, user_id=user.id, code_hash=digest, expires_at=now + timedelta(hours=1)))

    await shop.database.write(add)
    await say(shop, "VINCULAR ABCDEFGH")
    assert await shop.rows(ContactPoint) == []
    ana = shop.person()
    await shop.talk(ana, shop.first, "VINCULAR ABCDEFGH")
    assert len(await shop.rows(ContactPoint)) == 1, "the code was good"


async def test_a_database_that_takes_nothing_is_said(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_chat(open_shop, sqlite_url)
    refuse, allow = shop.refusing("webhook_bodies", "channel", "webchat")
    await shop.run_sql(refuse)
    assert (await post(shop, {"sender": "a", "message": "hola"}))[0] == 503
    await shop.run_sql(allow)
    assert len(await say(shop, "hola", sender="a")) == 1


async def test_the_number_is_set_on_the_command_line(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url)
    settings = load(_env_file=None, secret_key="k" * 40, database_url=sqlite_url)
    fields = {"display": "Chat web", "name": "Andina", "dialog": "electronics", "token": None}
    with pytest.raises(Refused, match="webchat"):
        await set_number(settings, "web", "webchatt", "Andina", fields)
    await set_number(settings, "web", "webchat", "Andina", fields)
    await shop.database.write(lambda session: session.execute(update(Number).values(dialog="form")))
    await shop.service.numbers.reload(shop.database)
    assert len(await say(shop, "hola")) == 1

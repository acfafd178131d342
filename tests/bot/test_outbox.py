"""Sending: in order, at the pace that is allowed, never twice in sight, and by the table of error codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import asyncpg
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from bot.outbox import HELD
from bot.simulator.faults import Fault
from bot.standin import from_row
from data.inbox import RANK
from data.tables import Event, Number, OutboxMessage
from data.types import new_id

Value = Callable[..., dict[str, Any]]
GONE = 7
"""A process that is not there."""
HELLO, NAME, NEED = "hola", "Ana Ruiz", "un portátil"


def tags(person: Any, number: str) -> list[str]:
    return [message.text.split("]")[0].removeprefix("[") for message in person.heard(number)]


async def outcome(shop: Any) -> list[tuple[str, int | None, int]]:
    return [(row.state, row.error_code, row.tries) for row in await shop.rows(OutboxMessage)]


async def events(shop: Any) -> list[tuple[str, int]]:
    kinds = ("SendingFailed", "NumberStopped")
    return [(row.kind, row.payload["code"]) for row in await shop.rows(Event, Event.kind.in_(kinds))]


async def test_the_order_within_a_talk_holds_whatever_each_sending_takes(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, debounce_ms=0)
    people = [shop.person(f"Ana {n}", f"+57 300 000 00{n:02}") for n in range(8)]
    shop.network.faults.add(Fault(http=500, times=20, probability=0.4))
    for text in (HELLO, NAME, NEED, "hoy mismo"):
        await asyncio.gather(*(person.say(shop.first, text) for person in people))
    await shop.settled()
    assert [tags(person, shop.first) for person in people] == [["first", "need", "timing", "done"]] * 8


async def test_passing_refusals_are_tried_again(shop: Any) -> None:
    for fault in (Fault(http=429), Fault(http=500), Fault(http=503), Fault(code=131056), Fault(code=130429), Fault(code=4)):
        shop.network.faults.add(fault)
        person = shop.person("Ana", f"+57 300 000 {1000 + len(await shop.rows(OutboxMessage))}")
        await shop.talk(person, shop.first, HELLO)
        assert len(person.heard(shop.first)) == 1
    assert [(state, tries) for state, _, tries in await outcome(shop)] == [("read", 2)] * 6
    assert await events(shop) == []


async def test_what_never_passes_is_parked_and_reported(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, backoff=0.001)
    shop.network.faults.add(Fault(http=500, times=6))
    ana = shop.person()
    await ana.say(shop.first, HELLO)
    await shop.settled()
    assert await outcome(shop) == [("parked", 0, 6)]
    await shop.talk(ana, shop.first, NAME)
    assert tags(ana, shop.first) == ["need"]
    assert await events(shop) == [("SendingFailed", 0)]


async def test_what_cannot_reach_somebody_is_failed_and_reported_once(any_shop: Any, value: Value) -> None:
    """131026 comes as a status; the status may come again."""
    shop = any_shop
    assert await shop.post(value(HELLO, phone="573009998877")) == 200, "a phone that the network does not know"
    await shop.settled()
    (row,) = await shop.rows(OutboxMessage)
    assert (row.state, row.error_code) == ("failed", 131026)
    again = {"id": row.external_id, "status": "failed", "timestamp": "1795000000", "biz_opaque_callback_data": str(row.id)}
    statuses = [again | {"errors": [{"code": 131026, "title": "Message undeliverable"}]}]
    assert await shop.post(value() | {"statuses": statuses}) == 200
    await shop.settled()
    assert await events(shop) == [("SendingFailed", 131026)]


async def test_a_failed_message_has_one_stand_in_however_often_it_is_told(any_shop: Any, value: Value) -> None:
    shop = any_shop
    shop.network.faults.add(Fault(code=131047))
    ana = shop.person()
    await ana.say(shop.first, HELLO)
    await shop.settled()
    first, second = await shop.rows(OutboxMessage)
    assert (first.state, first.error_code) == ("failed", 131047)
    assert (second.state, second.retry_of_id, "seguimos" in second.payload) == ("read", first.id, True)
    again = {"id": first.external_id, "status": "failed", "timestamp": "1795000000", "biz_opaque_callback_data": str(first.id)}
    raw = value() | {"statuses": [again | {"errors": [{"code": 131047, "title": "Re-engagement message"}]}]}
    assert [await shop.post(raw), await shop.post(raw)] == [200, 200]
    await shop.settled()
    assert tags(ana, shop.first) == ["template"]
    assert len(await shop.rows(OutboxMessage)) == 2


async def test_a_closed_window_turns_an_answer_into_the_template(open_shop: Any, sqlite_url: str, value: Value) -> None:
    """The message was written 25 hours before it came."""
    shop = await open_shop(sqlite_url)
    people = [shop.person(f"Ana {n}", f"+57 300 000 000{n}") for n in range(2)]
    old = str(int((shop.service.clock.now() - timedelta(hours=25)).timestamp()))
    late = {"type": "text", "text": {"body": HELLO}, "timestamp": old}
    await shop.post(value(late, phone=people[0].phone))
    await shop.settled()
    assert tags(people[0], shop.first) == ["template"]
    await shop.database.write(lambda session: session.execute(update(Number).values(template=None)))
    await shop.service.numbers.reload(shop.database)
    await shop.post(value(late, phone=people[1].phone))
    await shop.settled()
    assert [(row.state, row.error_code) for row in await shop.rows(OutboxMessage)] == [
        ("failed", 131047),
        ("read", None),
        ("failed", 131047),
    ]
    assert people[1].heard(shop.first) == []


async def test_a_number_without_permission_stops_alone_until_it_is_resumed(shop: Any) -> None:
    shop.network.faults.add(Fault(number=shop.first, code=190, times=3))
    people = [shop.person(f"Ana {n}", f"+57 300 000 000{n}") for n in range(3)]
    await asyncio.gather(*(person.say(shop.first, HELLO) for person in people))
    for _ in range(300):
        if (await shop.number(shop.first)).stopped and not shop.service.turns.waiting:
            break
        await asyncio.sleep(0.01)
    assert (await shop.number(shop.first)).stopped.startswith("190")
    await people[0].say(shop.second, HELLO)
    await people[0].wait_for(shop.second, 1)
    assert [person.heard(shop.first) for person in people] == [[], [], []]
    assert await events(shop) == [("NumberStopped", 190)]

    shop.network.faults.clear()
    await shop.database.write(lambda session: session.execute(update(Number).values(stopped=None)))
    await shop.service.read_numbers()
    await shop.settled()
    assert [tags(person, shop.first) for person in people] == [["first"]] * 3


async def test_a_send_without_an_answer_that_came_through_is_not_sent_again(any_shop: Any) -> None:
    any_shop.network.faults.add(Fault(drop_reply=True))
    ana = any_shop.person()
    await any_shop.talk(ana, any_shop.first, HELLO, NAME)
    assert tags(ana, any_shop.first) == ["first", "need"]
    first, second = await any_shop.rows(OutboxMessage)
    assert (first.state, first.tries, first.error, bool(first.external_id)) == ("read", 1, None, True)
    assert (second.state, second.tries) == ("read", 1)


async def test_a_send_of_unknown_fate_is_sent_again_and_then_said_to_be_uncertain(shop: Any) -> None:
    ana = shop.person()
    shop.network.faults.add(Fault(timeout=0.01))
    await shop.talk(ana, shop.first, HELLO)
    assert tags(ana, shop.first) == ["first"]
    shop.network.faults.add(Fault(timeout=0.01, times=3))
    await ana.say(shop.first, NAME)
    await shop.settled()
    one, other = await shop.rows(OutboxMessage)
    assert (one.state, one.tries, one.error) == ("read", 2, None)
    assert (other.state, other.tries, other.error.split(":")[0]) == ("parked", 3, "uncertain")


async def test_a_database_that_goes_away_meanwhile_parks_nothing(open_shop: Any, postgres_url: str) -> None:
    """Its connections break while the fate of a message is looked up: it is looked up again, and the message sent once more."""
    shop = await open_shop(postgres_url)
    ana = shop.person()
    await shop.talk(ana, shop.first, HELLO)
    shop.network.faults.add(Fault(timeout=0.01))
    await ana.say(shop.first, NAME)
    while not (await shop.rows(OutboxMessage, OutboxMessage.state == "uncertain")):
        await asyncio.sleep(0.01)
    server = await asyncpg.connect(postgres_url)
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await server.execute(others)
    await server.close()
    await ana.wait_for(shop.first, 2)
    await shop.database.close()
    await shop.settled()
    assert tags(ana, shop.first) == ["first", "need"]
    assert [row.state for row in await shop.rows(OutboxMessage)] == ["read", "read"]


async def test_what_an_earlier_process_left_is_taken_up(open_shop: Any, database_url: str) -> None:
    """What it was sending may have left just before its end: it is sent when no status says that it did, and before what was
    queued behind it."""
    shop = await open_shop(database_url)
    ana = shop.person()
    await shop.talk(ana, shop.first, HELLO)
    await shop.database.write(lambda session: _left(session, 1, "sending", GONE))
    await shop.database.write(lambda session: _left(session, 2))
    await shop.service.sender.start()
    await shop.settled()
    assert tags(ana, shop.first) == ["first", "first", "first"]
    _, sent, queued = await shop.rows(OutboxMessage)
    assert (sent.tries, queued.tries) == (2, 1)
    assert sent.sent_at < queued.sent_at
    assert sent.holder == queued.holder == shop.service.cluster.id


async def test_what_was_only_queued_goes_at_once(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, reconcile_seconds=600)
    ana = shop.person()
    await shop.talk(ana, shop.first, HELLO)
    await shop.database.write(lambda session: _left(session, 1))
    await shop.service.sender.start()
    await ana.wait_for(shop.first, 2)
    await shop.settled()


async def test_what_a_living_process_sends_is_not_taken_up(any_shop: Any) -> None:
    ana = any_shop.person()
    await any_shop.talk(ana, any_shop.first, HELLO)
    here = any_shop.service.cluster.id
    await any_shop.database.write(lambda session: _left(session, 1, "sending", here))
    await any_shop.service.sender.start()
    assert any_shop.service.sender.waiting == 0


async def test_nothing_is_sent_that_somebody_else_has_claimed_or_that_was_cancelled(any_shop: Any) -> None:
    ana = any_shop.person()
    await any_shop.talk(ana, any_shop.first, HELLO)
    for extra, state, rank in ((1, "cancelled", 20), (2, "sent", 30)):
        await any_shop.database.write(lambda session, extra=extra: _left(session, extra))
        queued = await any_shop.rows(OutboxMessage, OutboxMessage.state == "queued")
        change = update(OutboxMessage).where(OutboxMessage.state == "queued").values(state=state, rank=rank)
        await any_shop.database.write(lambda session, change=change: session.execute(change))
        any_shop.service.sender.push([from_row({c.name: getattr(row, c.name) for c in row.__table__.columns}) for row in queued])
        while any_shop.service.sender.waiting:
            await asyncio.sleep(0.01)
    assert tags(ana, any_shop.first) == ["first"]


async def test_a_long_backlog_stays_in_the_database_and_leaves_in_order(open_shop: Any, sqlite_url: str) -> None:
    """More than is held in memory, of one number: memory holds its share, and each person hears it in order."""
    shop = await open_shop(sqlite_url)
    people = [shop.person(f"Ana {n}", f"+57 300 000 000{n}") for n in range(5)]
    for ana in people:
        await shop.talk(ana, shop.first, HELLO)
    firsts = await shop.rows(OutboxMessage)
    copies = 1 + HELD // len(people)
    most = 0

    def copy(session: Any) -> None:
        for number in range(copies):
            for row in firsts:
                values = {column.name: getattr(row, column.name) for column in OutboxMessage.__table__.columns}
                fresh = {"id": new_id(), "state": "queued", "rank": 0, "external_id": None, "sent_at": None, "tries": 0}
                session.add(OutboxMessage(**values | fresh | {"payload": json.dumps({"type": "text", "body": f"[{number}]"})}))

    await shop.database.write(lambda session: session.execute(update(Number).values(stopped="for now")))
    await shop.service.read_numbers()
    await shop.database.write(copy)
    await shop.service.sender.start()
    assert shop.service.sender.waiting == 0, "the number stands"
    await shop.database.write(lambda session: session.execute(update(Number).values(stopped=None)))
    await shop.service.read_numbers()
    shop.service.sender._pairs.clear()
    while any(len(ana.heard(shop.first)) < 40 for ana in people):
        most = max(most, shop.service.sender.waiting)
        await asyncio.sleep(0.005)
    assert HELD // 2 < most <= HELD
    for ana in people:
        assert tags(ana, shop.first)[1:40] == [str(number) for number in range(39)]


async def test_what_had_left_before_the_end_is_not_sent_again(open_shop: Any, sqlite_url: str, value: Value) -> None:
    """The process died between the call and its record; the status that carries our id comes to the next one."""
    shop = await open_shop(sqlite_url, reconcile_seconds=1)
    ana = shop.person()
    await shop.talk(ana, shop.first, HELLO)
    await shop.database.write(lambda session: _left(session, 1, "sending", GONE))
    (_, left) = await shop.rows(OutboxMessage)
    await shop.service.sender.start()
    told = {"id": "wamid.left", "status": "sent", "timestamp": "1790000000", "recipient_id": "573001234567"}
    assert await shop.post(value(statuses=[told | {"biz_opaque_callback_data": str(left.id)}])) == 200
    await shop.settled()
    assert tags(ana, shop.first) == ["first"]
    assert [(row.state, row.external_id) for row in await shop.rows(OutboxMessage, OutboxMessage.id == left.id)] == [
        ("sent", "wamid.left")
    ]


def _left(session: Any, extra: int, state: str = "queued", holder: int | None = None) -> None:
    row = session.query(OutboxMessage).order_by(OutboxMessage.id).first()
    copied = {column.name: getattr(row, column.name) for column in OutboxMessage.__table__.columns}
    copied |= {"id": row.id + extra, "state": state, "rank": RANK[state], "holder": holder}
    copied |= {"external_id": None, "sent_at": None, "tries": 0}
    session.add(OutboxMessage(**copied))


async def test_statuses_in_any_order_end_the_same(shop: Any, value: Value) -> None:
    ana = shop.network.person("Ana Ruiz", "+57 300 123 4567", reports=())
    await shop.talk(ana, shop.first, HELLO)
    (row,) = await shop.rows(OutboxMessage)
    assert row.state == "sent"
    for order in permutations(("delivered", "read", "sent")):
        for status in order:
            told = {"id": row.external_id, "status": status, "timestamp": "1795000000", "biz_opaque_callback_data": str(row.id)}
            assert await shop.post(value() | {"statuses": [told]}) == 200
        assert [each.state for each in await shop.rows(OutboxMessage)] == ["read"]


async def test_what_shows_that_we_read_it_holds_up_no_answer(open_shop: Any, sqlite_url: str) -> None:
    """A Graph API that never answers a read receipt."""
    sent: list[dict[str, Any]] = []
    end = asyncio.Event()

    async def messages(request: web.Request) -> web.Response:
        told = json.loads(await request.read())
        if "status" in told:
            await end.wait()
        sent.append(told)
        return web.json_response({"messages": [{"id": f"wamid.{len(sent)}"}]})

    graph = web.Application()
    graph.router.add_post("/v26.0/{id}/messages", messages)
    async with TestServer(graph) as server:
        shop = await open_shop(sqlite_url, graph=str(server.make_url("")).rstrip("/"))
        await shop.person().say(shop.first, HELLO)
        async with asyncio.timeout(3):
            while not sent:
                await asyncio.sleep(0.02)
        assert sent[0]["type"] == "text"
        end.set()
        await asyncio.sleep(0.05)

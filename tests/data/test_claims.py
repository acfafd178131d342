"""Who sends a message: one process, in order, and somebody else when that one is gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from data import outbox, processes
from data.session import Database

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
US, OTHERS = 1, 2


@pytest.fixture
async def talks(database: Database, shop: Any) -> list[int]:
    return await database.write(lambda session: [shop.talk(session, number) for number in (0, 0, 1)])


async def test_a_message_is_had_by_one_process_and_only_when_none_before_it_waits(
    database: Database, shop: Any, talks: list[int]
) -> None:
    one, two, other = await database.write(lambda session: shop.says(session, [talks[0], talks[0], talks[1]]))
    assert await database.write(lambda session: outbox.claim(session, [one, two, other], US)) == {one, other}
    assert await database.write(lambda session: outbox.claim(session, [one, two, other], OTHERS)) == set()
    assert await database.write(lambda session: outbox.claim(session, [one, two, other], US)) == {one, other}, "ours already"
    assert await database.read(lambda session: outbox.rank_of(session, [one, two, other, 7])) == {one: 5, two: 0, other: 5}
    for state in ("uncertain", "sent"):
        assert await database.write(lambda session: outbox.claim(session, [two], US)) == set()
        result = outbox.result(one, state, 1)
        await database.write(lambda session, result=result: outbox.record(session, [result]))
    assert await database.write(lambda session: outbox.claim(session, [two], OTHERS)) == {two}
    (row,) = await database.read(lambda session: outbox.by_id(session, [two]))
    assert (row["state"], row["rank"], row["holder"]) == ("sending", 5, OTHERS)


async def test_many_who_claim_the_same_share_it(database: Database, shop: Any) -> None:
    """On PostgreSQL at the same time, each in its own order."""
    talks = await database.write(lambda session: [shop.talk(session) for _ in range(40)])
    ids = await database.write(lambda session: shop.says(session, talks))
    wishes = [ids, ids[::-1], ids[20:] + ids[:20], ids[::2] + ids[1::2]]
    got = await asyncio.gather(
        *(
            database.write(lambda session, wish=wish, holder=holder: outbox.claim(session, wish, holder))
            for holder, wish in enumerate(wishes)
        )
    )
    assert sorted(message for each in got for message in each) == sorted(ids)


async def test_only_its_holder_gives_a_message_back(database: Database, shop: Any, talks: list[int]) -> None:
    one, two = await database.write(lambda session: shop.says(session, talks[:2]))
    await database.write(lambda session: outbox.claim(session, [one, two], US))
    await database.write(lambda session: outbox.record(session, [outbox.result(two, "uncertain", 1)]))
    await database.write(lambda session: outbox.release(session, [one, two], OTHERS))
    assert await database.read(lambda session: outbox.rank_of(session, [one, two])) == {one: 5, two: 10}
    await database.write(lambda session: outbox.release(session, [one, two], US))
    rows = await database.read(lambda session: outbox.by_id(session, [one, two]))
    assert {(row["id"], row["state"], row["holder"]) for row in rows} == {(one, "queued", None), (two, "queued", None)}


async def test_what_a_process_that_is_gone_was_sending_is_adopted_once(database: Database, shop: Any) -> None:
    def work(session: Session) -> tuple[int, list[int]]:
        living, _ = processes.register(session, "sender", "here", 1, 1, NOW)
        talks = [shop.talk(session) for _ in range(6)]
        mine, gone, uncertain, nobodys, _queued, sent = shop.says(session, talks)
        outbox.claim(session, [mine], living)
        outbox.claim(session, [gone, uncertain, sent], OTHERS)
        unsure = [outbox.result(message, "uncertain", 1) for message in (uncertain, nobodys)]
        outbox.record(session, [*unsure, outbox.result(sent, "sent", 1, message="wamid", sent=NOW)])
        return living, [gone, uncertain, nobodys]

    living, orphans = await database.write(work)
    rows = await database.write(lambda session: outbox.adopt(session, living))
    assert [row["id"] for row in rows] == orphans
    assert [(row["holder"], row["state"], row["recipient"], row["created_at"]) for row in rows] == [
        (living, state, {}, NOW) for state in ("sending", "uncertain", "uncertain")
    ]
    assert await database.write(lambda session: outbox.adopt(session, living)) == []


async def test_the_queue_of_some_numbers_oldest_first(database: Database, shop: Any, talks: list[int]) -> None:
    first, second = shop.numbers

    def work(session: Session) -> tuple[list[int], list[int]]:
        ones = shop.says(session, talks[:2] * 3)
        others = shop.says(session, talks[2:] * 2, number=1)
        outbox.claim(session, ones[:1], US)
        return ones[1:], others

    ones, others = await database.write(work)

    def look(session: Session, numbers: list[int], limit: int) -> list[int]:
        return [row["id"] for row in outbox.queued(session, numbers, limit)]

    assert await database.read(partial(look, numbers=[first], limit=10)) == ones
    assert await database.read(partial(look, numbers=[first], limit=2)) == ones[:2]
    assert await database.read(partial(look, numbers=[first, second], limit=6)) == [*ones, others[0]]
    assert await database.read(partial(look, numbers=[second, 7], limit=1)) == others[:1]
    assert await database.read(partial(look, numbers=[], limit=1)) == []


async def test_which_failed_messages_have_a_stand_in(database: Database, shop: Any, talks: list[int]) -> None:
    one, two = await database.write(lambda session: shop.says(session, talks[:2]))
    await database.write(lambda session: shop.says(session, talks[:1], retry_of_id=one))
    assert await database.read(lambda session: outbox.retried(session, [one, two])) == {one}

"""What a turn is given to answer: every conversation's first messages, and none that somebody else is answering."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from data import dialog_state, inbox
from data.session import Database


async def test_a_flood_of_one_takes_nobodys_place(database: Database, shop: Any) -> None:
    def work(session: Session) -> tuple[int, int, list[int], list[int]]:
        flooded, other = shop.talk(session), shop.talk(session)
        return flooded, other, shop.hears(session, flooded, dialog_state.MOST_NEW + 200), shop.hears(session, other, 2)

    flooded, other, many, few = await database.write(work)
    news = await database.read(partial(dialog_state.new_messages, ids=[flooded, other]))
    assert [row["id"] for row in news[other]] == few
    assert [row["id"] for row in news[flooded]] == many[: dialog_state.MOST_NEW - 2]
    await database.write(partial(dialog_state.done, messages=many[:1] + few))
    news = await database.read(partial(dialog_state.new_messages, ids=[flooded, other]))
    assert list(news) == [flooded]
    assert news[flooded][0]["id"] == many[1]


async def test_what_waits_longest_comes_first(database: Database, shop: Any) -> None:
    def work(session: Session) -> tuple[int, int]:
        late, early = shop.talk(session), shop.talk(session, 1)
        shop.hears(session, early, 2)
        shop.hears(session, late, 1)
        return early, late

    early, late = await database.write(work)
    waiting = await database.read(inbox.waiting)
    assert [row[:2] for row in waiting] == [(early, shop.numbers[1]), (late, shop.numbers[0])]
    assert await database.read(partial(inbox.waiting, limit=1)) == waiting[:1]


async def test_a_conversation_that_somebody_else_answers_is_left_out(database: Database, shop: Any) -> None:
    """And its lock holds up nobody who stores a message of it. SQLite has one writer at a time."""
    if database.dialect == "sqlite":
        return
    one, two = await database.write(lambda session: [shop.talk(session), shop.talk(session)])
    loop, loaded, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    def turn(session: Session) -> list[int]:
        found = list(dialog_state.load(session, [one]))
        loop.call_soon(loaded.set)
        await_only(go_on.wait())
        return found

    turning = asyncio.create_task(database.write(turn))
    async with asyncio.timeout(5):
        await loaded.wait()
        assert list(await database.write(lambda session: dialog_state.load(session, [one, two]))) == [two]
        await database.write(lambda session: shop.hears(session, one, 1))
        go_on.set()
        assert await turning == [one]
        assert set(await database.write(lambda session: dialog_state.load(session, [one, two]))) == {one, two}

"""Two processes do the same thing at the same moment, or are about to wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from crm_bridge.assignment import reminders, sellers, service, targets, teams
from crm_bridge.people import service as people
from data.session import is_away
from data.tables import Conversation, Event, Identity, Reminder, Seller, Team, TeamMember, User
from tests.crm_bridge.assignment.conftest import decide

AT_ONCE = 6


@asynccontextmanager
async def somebody_at(url: str, talk: int) -> AsyncIterator[Any]:
    """Another process holds the conversation's row, as a turn or a page does."""
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            await other.execute("SELECT id FROM conversations WHERE id = $1 FOR NO KEY UPDATE", talk)
            yield other
    finally:
        await other.close()


async def at_once(desk: Any, work: Any, *given: Any, **named: Any) -> list[Any]:
    """What each of several processes gets; all of them have their connection before."""
    await asyncio.gather(*(desk.do(lambda session: session.execute(select(1))) for _ in range(AT_ONCE)))
    return await asyncio.gather(*(desk.do(work, *given, **named) for _ in range(AT_ONCE)), return_exceptions=True)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_happens_by_itself_waits_for_no_conversation(desk: Any, database_url: str) -> None:
    """Or it would hold the hand-over, for which whoever holds the conversation waits."""
    waits, has = await desk.hand_over(), await desk.hand_over()
    for row, work in ((waits, decide), (has, targets.step)):
        talk = (await desk.row(row)).conversation_id
        if row == has:
            await desk.do(service.accept, talk, desk.sellers[0], "page", desk.now)
            await desk.do(targets.step, has, desk.now)
            desk.now += timedelta(hours=1)
        async with somebody_at(database_url, talk):
            async with asyncio.timeout(3):
                assert await desk.do(work, row, desk.now) is None
        assert await desk.do(work, row, desk.now) is not None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("work", ["remove", "decline"])
async def test_people_wait_for_the_conversation_before_they_hold_the_hand_over(desk: Any, database_url: str, work: str) -> None:
    row = await desk.hand_over()
    offer = (await desk.decide(row)).offer
    does = {
        "remove": (service.remove_seller, offer.user_id, desk.now),
        "decline": (service.decline, offer.id, offer.user_id, "whatsapp", desk.now),
    }
    async with somebody_at(database_url, (await desk.row(row)).conversation_id) as other:
        waiting = asyncio.create_task(desk.do(*does[work]))
        async with asyncio.timeout(5):
            while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await other.execute("SELECT id FROM assignments WHERE id = $1 FOR NO KEY UPDATE NOWAIT", row)
    await waiting
    assert (await desk.row(row)).state == "waiting"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_offered_to_a_seller_while_they_are_removed_waits_for_another(desk: Any, database_url: str) -> None:
    row, ana = await desk.hand_over(), desk.sellers[0]
    async with somebody_at(database_url, (await desk.row(row)).conversation_id) as deciding:
        await deciding.execute("SELECT id FROM companies WHERE id = $1 FOR NO KEY UPDATE", desk.company)
        removing = asyncio.create_task(desk.do(service.remove_seller, ana, desk.now))
        async with asyncio.timeout(5):
            while not await deciding.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await deciding.execute("UPDATE assignments SET state = 'offered', user_id = $1 WHERE id = $2", ana, row)
    await removing
    stored = await desk.row(row)
    assert (stored.state, stored.user_id) == ("waiting", None)


def known(session: Any, desk: Any, talk: int, *values: str) -> int:
    """Give the person of a conversation these phones."""
    person = session.get_one(Conversation, talk).person_id
    session.add_all(
        Identity(company_id=desk.company, kind="phone", value=value, person_id=person, created_at=desk.now) for value in values
    )
    session.flush()
    return int(person)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_who_become_one_are_held_by_their_conversations_first(desk: Any, database_url: str) -> None:
    """New messages wait for them; a turn, which holds its own conversation, waits for no other."""
    rows = [await desk.hand_over() for _ in range(2)]
    talks = [(await desk.row(row)).conversation_id for row in rows]
    for talk, phone in zip(talks, ("571", "572"), strict=True):
        await desk.do(known, desk, talk, phone)
    both = people.Contact(desk.company, (("phone", "571"), ("phone", "572")))
    for talk in talks:
        async with somebody_at(database_url, talk):
            async with asyncio.timeout(3):
                with pytest.raises(DBAPIError) as refused:
                    await desk.do(people.change_identity, desk.company, "phone", "571", "572", desk.now)
            assert is_away(refused.value), "it is tried again"
    async with somebody_at(database_url, talks[1]) as other:
        waiting = asyncio.create_task(desk.do(people.resolve, [both], desk.now))
        async with asyncio.timeout(5):
            while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await other.execute("SELECT id FROM assignments FOR NO KEY UPDATE NOWAIT")
        assert not waiting.done()
    assert len(set((await waiting).values())) == 1
    assert sorted([(await desk.row(row)).state for row in rows]) == ["closed", "waiting"]


async def test_several_who_are_merged_at_once_by_several_become_one_each(desk: Any) -> None:
    """In whatever order the messages name them."""
    contacts = []
    for pair in (("1", "2"), ("3", "4"), ("5", "6")):
        for phone in pair:
            await desk.do(known, desk, (await desk.row(await desk.hand_over())).conversation_id, phone)
        contacts.append(people.Contact(desk.company, tuple(("phone", phone) for phone in pair)))
    orders = [contacts, contacts[::-1], [contacts[1], contacts[2], contacts[0]]]
    await asyncio.gather(*(desk.do(lambda session: session.execute(select(1))) for _ in orders))
    found = await asyncio.gather(*(desk.do(people.resolve, order, desk.now) for order in orders))
    assert found[0] == found[1] == found[2]
    merged = select(func.count(Event.id)).where(Event.kind == "PeopleMerged")
    assert await desk.do(lambda session: session.scalar(merged)) == 3, "each is told once"
    assert await desk.do(lambda session: session.scalar(select(func.count(Conversation.id)))) == 3


async def test_a_seller_of_two_teams_is_not_asked_by_both_at_once(desk: Any) -> None:
    """Carla is in both, and has room for one."""
    first, (*away, carla) = desk.team, desk.sellers
    for user in away:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    await desk.do(lambda session: setattr(sellers.seller(session, carla), "capacity", 2))
    second = (await desk.do(teams.add_team, "Carga", desk.now)).id
    await desk.do(sellers.join, second, carla)
    await asyncio.gather(*(desk.do(lambda session: session.execute(select(1))) for _ in range(AT_ONCE)))
    for _ in range(5):
        rows = []
        for desk.team in (first, second):
            rows.append(await desk.hand_over())
        decided = await asyncio.gather(*map(desk.decide, rows))
        (asked,) = [decision for decision in decided if decision.offer is not None]
        await desk.do(service.close, asked.assignment.conversation_id, desk.now)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("way", ["take", "transfer"])
async def test_what_somebody_gets_without_a_decision_waits_for_those_at_work(desk: Any, database_url: str, way: str) -> None:
    """Or a decision would not see that they have no room any more. Who accepts what was offered to them waits for nobody."""
    asked, unasked = await desk.hand_over(), await desk.hand_over()
    chosen = (await desk.decide(asked)).offer.user_id
    one, other = [(await desk.row(row)).conversation_id for row in (asked, unasked)]
    deciding = await asyncpg.connect(database_url)
    try:
        async with deciding.transaction():
            await deciding.execute("SELECT id FROM companies WHERE id = $1 FOR NO KEY UPDATE", desk.company)
            async with asyncio.timeout(3):
                await desk.do(service.accept, one, chosen, "page", desk.now)
            work = {
                "take": (service.accept, other, chosen, "page", desk.now),
                "transfer": (service.transfer, one, next(user for user in desk.sellers if user != chosen), chosen, desk.now),
            }[way]
            getting = asyncio.create_task(desk.do(*work))
            await asyncio.sleep(0.2)
            assert not getting.done()
        await getting
    finally:
        await deciding.close()


async def test_who_joins_twice_at_once_is_there_once(desk: Any) -> None:
    def hire(session: Any) -> int:
        user = User(company_id=desk.company, email="d@una.co", name="Dora", role="seller", password_hash="x", created_at=desk.now)
        session.add(user)
        session.flush()
        return user.id

    dora = await desk.do(hire)
    assert {type(each) for each in await at_once(desk, sellers.join, desk.team, dora)} == {TeamMember}
    assert await desk.do(lambda session: session.scalar(select(func.count(TeamMember.id)))) == 4


async def test_who_says_twice_at_once_that_they_are_busy_is_busy(desk: Any) -> None:
    assert set(await at_once(desk, sellers.set_away, desk.sellers[0], away=True, now=desk.now)) == {None}
    assert await desk.do(lambda session: [row.away for row in session.scalars(select(Seller))]) == [True]


async def test_a_name_is_taken_once(desk: Any) -> None:
    answers = await at_once(desk, teams.add_team, "Mayoristas", desk.now)
    assert sorted(type(answer).__name__ for answer in answers) == ["Team", *["TeamNameTaken"] * (AT_ONCE - 1)]
    assert await desk.do(lambda session: session.scalar(select(func.count(Team.id)))) == 2


async def test_a_rule_reminds_once_whoever_looks(desk: Any) -> None:
    talk = (await desk.row(await desk.hand_over())).conversation_id
    window = reminders.Window(talk, desk.sellers[0], f"window:{talk}:1")
    assert sorted(await at_once(desk, reminders.by_rule, window, desk.now)) == [False] * (AT_ONCE - 1) + [True]
    assert await desk.do(lambda session: session.scalar(select(func.count(Reminder.id)))) == 1

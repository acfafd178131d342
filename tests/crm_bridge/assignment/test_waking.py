"""Those who wait are looked at again as soon as somebody is there or has room, whatever made it so, on both databases."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from crm_bridge.assignment import absence, decisions, overlooked, sellers, service, teams
from crm_bridge.companies import service as companies
from data.tables import Assignment, Conversation, Holiday, Leave, Number, Person, Seller
from data.types import new_id

_WORK: dict[str, Any] = {"capacity": 30, "skills": [], "languages": [], "hours": {}}
_CLOSED = {"mon": ["09:00-10:00"]}
"""On a Tuesday."""


@pytest.mark.parametrize("how", ["declines", "is silent", "hands it on", "never writes", "is relieved", "is done", "was slower"])
async def test_who_was_full_and_has_room_again_is_asked_at_once(desk: Any, how: str) -> None:
    ana, beto, carla = desk.sellers

    def alone(session: Any) -> None:
        sellers.seller(session, ana).capacity = 2
        for user in (beto, carla):
            sellers.set_away(session, user, away=True, now=desk.now)

    await desk.do(alone)
    first = await desk.hand_over()
    offer = (await desk.decide(first)).offer
    talk = (await desk.row(first)).conversation_id
    if how not in ("declines", "is silent", "was slower"):
        await desk.do(service.accept, talk, ana, "page", desk.now)
    second = await desk.hand_over()
    desk.now += timedelta(seconds=170)
    assert (await desk.decide(second)).offer is None, "she is full"
    desk.now += timedelta(seconds=10)
    match how:
        case "declines":
            await desk.do(service.decline, offer.id, ana, "page", desk.now)
        case "is silent":
            decision = await desk.decide(first)
            assert decision.assignment.due_at > desk.now, "what was just looked at is not looked at again"
        case "hands it on":
            await desk.do(service.transfer, talk, beto, ana, desk.now)
        case "never writes":
            await desk.do(lambda session: service.give_up(session, service.current(session, talk, lock=True), desk.now))
        case "is relieved":
            await desk.do(service.accept, talk, beto, "page", desk.now, over=True)
        case "is done":
            await desk.do(service.close, talk, desk.now)
        case "was slower":
            await desk.do(service.accept, talk, beto, "page", desk.now)
    assert (await desk.decide(second)).offer.user_id == ana


@pytest.mark.parametrize(
    "how",
    ["hired", "switched on", "capacity", "skills", "languages", "shift", "share", "team", "back", "leave", "holiday", "hours"],
)
async def test_whoever_is_there_by_any_change_is_asked_at_once(desk: Any, how: str) -> None:
    ana, *others = desk.sellers
    for user in others:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    work = partial(teams.change_seller, user_id=ana, now=desk.now)
    user = partial(companies.change_user, user_id=ana, by=0, role="seller", now=desk.now)
    voice = {"bot_name": "Sol", "tone": "tu", "alert_template": ""}
    number = partial(companies.change_number, number_id=desk.number, now=desk.now, **voice)
    away = partial(sellers.set_away, user_id=ana, now=desk.now)
    name = {"name": "Dora", "email": "dora@una.co", "role": "seller", "password_hash": "x", "now": desk.now}
    today = "2026-11-24"
    changes: dict[str, tuple[Any, Any]] = {
        "hired": (partial(away, away=True), partial(companies.add_user, **name)),
        "switched on": (partial(user, active=False), partial(user, active=True)),
        "capacity": (partial(work, **_WORK | {"capacity": 1}), partial(work, **_WORK)),
        "skills": (partial(work, **_WORK | {"skills": ["freight"]}), partial(work, **_WORK)),
        "languages": (partial(work, **_WORK | {"languages": ["pt"]}), partial(work, **_WORK)),
        "shift": (partial(work, **_WORK | {"hours": _CLOSED}), partial(work, **_WORK)),
        "share": (partial(sellers.join, team_id=desk.team, user_id=ana, weight=0),
                  partial(teams.set_share, team_id=desk.team, user_id=ana, weight=1, now=desk.now)),
        "team": (partial(sellers.leave_team, team_id=desk.team, user_id=ana),
                 partial(teams.set_share, team_id=desk.team, user_id=ana, weight=1, now=desk.now)),
        "back": (partial(away, away=True), partial(away, away=False)),
        "leave": (partial(absence.add_leave, user_id=ana, first=today, last=""),
                  lambda session: absence.remove_leave(session, session.scalars(select(Leave.id)).one(), desk.now)),
        "holiday": (partial(absence.add_holiday, day=today, name="Fiesta"),
                    lambda session: absence.remove_holiday(session, session.scalars(select(Holiday.id)).one(), desk.now)),
        "hours": (partial(number, hours=_CLOSED), partial(number, hours={"tue": ["09:00-18:00"]})),
    }  # fmt: skip
    before, change = changes[how]
    await desk.do(before)
    row = await desk.hand_over()
    assert (await desk.decide(row)).offer is None
    assert await desk.decide(row) is None, "it is looked at later"
    await desk.do(change)
    asked = (await desk.decide(row)).offer.user_id
    assert (asked == ana) == (how != "hired")


async def test_what_waits_goes_with_its_number_to_another_team(desk: Any) -> None:
    first, second = desk.team, (await desk.do(teams.add_team, "Carga", desk.now)).id
    asked = await desk.hand_over()
    assert (await desk.decide(asked)).offer
    desk.team = second
    waits = await desk.hand_over()
    assert (await desk.decide(waits)).offer is None, "nobody is in it"
    await desk.do(teams.give_numbers, {desk.number: first}, desk.now)
    assert (await desk.decide(waits)).offer
    await desk.do(teams.give_numbers, {desk.number: second}, desk.now)
    assert (await desk.row(asked)).team_id == first, "who is asked there may still answer"


async def test_whoever_says_until_when_they_are_busy_is_asked_then(desk: Any) -> None:
    for user in desk.sellers:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    row = await desk.hand_over()
    await desk.decide(row)
    desk.now += timedelta(hours=2)
    assert (await desk.decide(row)).assignment.due_at == desk.now + decisions.LOOK_SELDOM
    until = desk.now + timedelta(minutes=10)
    await desk.do(sellers.set_away, desk.sellers[0], away=True, now=desk.now, until=until)
    assert (await desk.decide(row)).assignment.due_at == until


async def test_who_gets_room_wakes_the_first_of_those_who_wait_and_not_all(desk: Any) -> None:
    for user in desk.sellers:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    rows = []
    for priority in ("cold", *["warm"] * sellers.MOST_WOKEN, "hot"):
        rows.append(await desk.hand_over(priority))
        await desk.decide(rows[-1])
    await desk.do(sellers.set_away, desk.sellers[0], away=False, now=desk.now)
    woken = select(Assignment.id).where(Assignment.due_at <= desk.now)
    assert set(await desk.database.read(lambda session: session.scalars(woken).all())) == {rows[-1], *rows[1:-2]}
    due = await desk.database.read(lambda session: decisions.due(session, desk.now))
    assert due == [(desk.company, [rows[-1], *rows[1 : decisions.GROUP]])], "as many as are decided together"


async def test_what_was_not_woken_is_found_where_somebody_could_take_it(desk: Any) -> None:
    """As when the word is lost: nothing is told of these changes."""
    ana, beto, _ = desk.sellers

    async def found() -> list[int]:
        hands, after = await desk.database.read(lambda session: overlooked.find(session, desk.now))
        assert after == 0
        return hands

    async def silently(statement: Any) -> None:
        await desk.do(lambda session: session.execute(statement))

    assert await found() == []
    for user in desk.sellers:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    rows = [await desk.hand_over("cold"), await desk.hand_over("hot")]
    assert await found() == [], "they are looked at now anyway"
    for row in rows:
        assert (await desk.decide(row)).offer is None
    assert await found() == []
    await silently(update(Seller).where(Seller.user_id == ana).values(away=False, capacity=2))
    assert await found() == rows[:1], "she has no room for a hot one"
    for values in ({"skills": ["freight"]}, {"languages": ["pt"]}, {"hours": _CLOSED}, {"away": True}, {"capacity": 0}):
        await silently(update(Seller).where(Seller.user_id == ana).values(**values))
        assert await found() == [], values
        await silently(
            update(Seller).where(Seller.user_id == ana).values(skills=[], languages=[], hours={}, away=False, capacity=2)
        )
    await silently(update(Number).values(hours=_CLOSED))
    assert await found() == []
    await silently(update(Number).values(hours={}))
    leave = await desk.do(absence.add_leave, ana, "2026-11-24", "")
    assert await found() == []
    await silently(delete(Leave).where(Leave.id == leave.id))
    holiday = await desk.do(absence.add_holiday, "2026-11-24", "Fiesta")
    assert await found() == []
    await silently(delete(Holiday).where(Holiday.id == holiday.id))
    assert await found() == rows[:1]

    await desk.database.write(lambda session: overlooked.look_again(session, rows[:1], desk.now))
    assert await found() == []
    offer = (await desk.decide(rows[0])).offer
    assert offer.user_id == ana
    await desk.do(service.decline, offer.id, ana, "page", desk.now)
    assert (await desk.decide(rows[0])).everybody
    assert await found() == [], "she let it pass a moment ago"
    await silently(update(Seller).where(Seller.user_id == beto).values(away=False))
    assert await found() == rows[:1], "beto did not; the hot one is looked at now, as she had no room beside the other"


async def test_many_who_wait_are_looked_through_in_pages(desk: Any) -> None:
    for user in desk.sellers:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    row = await desk.hand_over()
    await desk.decide(row)

    def copies(session: Any) -> None:
        like = session.get_one(Assignment, row)
        talk = session.get_one(Conversation, like.conversation_id)
        people = [Person(id=new_id(), company_id=desk.company, created_at=desk.now) for _ in range(overlooked.PAGE)]
        session.add_all(people)
        session.flush()
        for person in people:
            own = _copy(talk, Conversation, person_id=person.id)
            session.add(own)
            session.flush()
            session.add(_copy(like, Assignment, person_id=person.id, conversation_id=own.id))

    await desk.do(copies)
    await desk.do(lambda session: session.execute(update(Seller).where(Seller.user_id == desk.sellers[0]).values(away=False)))
    first, after = await desk.database.read(lambda session: overlooked.find(session, desk.now))
    assert (len(first), after, first[0]) == (overlooked.PAGE, first[-1], row)
    rest, after = await desk.database.read(lambda session: overlooked.find(session, desk.now, first[-1]))
    assert (len(rest), after) == (1, 0)


def _copy(row: Any, table: Any, **given: Any) -> Any:
    return table(**{each.key: getattr(row, each.key) for each in row.__table__.columns} | {"id": new_id()} | given)

"""Those who wait are looked at again as soon as somebody is there or has room, whatever made it so, on both databases."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from crm_bridge.assignment import absence, sellers, service, teams
from crm_bridge.companies import service as companies
from data.tables import Holiday, Leave

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
    number = partial(companies.change_number, number_id=desk.number, bot_name="Sol", tone="tu", now=desk.now)
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


async def test_whoever_says_until_when_they_are_busy_is_asked_then(desk: Any) -> None:
    for user in desk.sellers:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    row = await desk.hand_over()
    desk.now += timedelta(hours=2)
    assert (await desk.decide(row)).assignment.due_at == desk.now + service.LOOK_SELDOM
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
    due = await desk.database.read(lambda session: service.due(session, desk.now, 100))
    assert [row for _, row in due] == [rows[-1], *rows[1:-2]]

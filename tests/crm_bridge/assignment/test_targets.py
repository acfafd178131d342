"""Targets, silence and closing windows of what is somebody's, and who hears when something goes wrong, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from crm_bridge.assignment import opening, reminders, sellers, service, targets
from data.tables import Assignment, Conversation, Leave, Number, Team, User

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


async def accepted(desk: Any, user: int) -> tuple[int, int]:
    """A new hand-over that somebody took, and its conversation."""
    row = await desk.hand_over()
    talk = (await desk.row(row)).conversation_id
    await desk.do(service.accept, talk, user, "page", desk.now)
    return row, talk


async def values(desk: Any, table: Any, **given: Any) -> None:
    await desk.do(lambda session: session.execute(update(table).values(**given)))


# ------------------------------------------------------------------------------------------------------- targets
async def test_no_minutes_are_no_target(desk: Any) -> None:
    await values(desk, Team, first_reply_minutes=0)
    row, _ = await accepted(desk, desk.sellers[0])
    assert (await desk.do(targets.step, row, desk.now)).what == "begun"
    stored = await desk.row(row)
    assert (stored.state, stored.due_at, stored.deadline_at) == ("accepted", None, None)


async def test_who_takes_over_owes_a_first_word_of_their_own(desk: Any) -> None:
    ana, beto, _ = desk.sellers
    row, talk = await accepted(desk, ana)
    await desk.do(service.wrote, talk, ana, desk.now)
    await desk.do(service.accept, talk, beto, "page", desk.now, over=True)
    await desk.do(targets.step, row, desk.now)
    assert (await desk.row(row)).deadline_at == desk.now + 15 * MINUTE
    desk.now += 15 * MINUTE
    step = await desk.do(targets.step, row, desk.now)
    assert (step.what, step.user_id) == ("passed_on", beto)


async def test_the_first_word_stays_the_first(desk: Any) -> None:
    ana = desk.sellers[0]
    row, talk = await accepted(desk, ana)
    for _ in range(2):
        await desk.do(service.wrote, talk, ana, desk.now)
        desk.now += HOUR
    stored = await desk.row(row)
    assert (stored.first_reply_at, stored.touched_at) == (desk.now - 2 * HOUR, desk.now - HOUR)


async def test_a_second_message_neither_puts_a_target_off_nor_warns_anew(desk: Any) -> None:
    ana = desk.sellers[0]
    row, talk = await accepted(desk, ana)
    await desk.do(service.wrote, talk, ana, desk.now)
    await desk.do(opening.heard, [talk], desk.now)
    await desk.do(targets.step, row, desk.now)
    begun = await desk.row(row)
    assert begun.deadline_at == desk.now + 4 * HOUR
    desk.now += MINUTE
    await desk.do(opening.heard, [talk], desk.now)
    assert ((await desk.row(row)).due_at, (await desk.row(row)).touched_at) == (begun.due_at, desk.now)
    desk.now = begun.due_at
    assert (await desk.do(targets.step, row, desk.now)).what == "warned"
    await desk.do(opening.heard, [talk], desk.now)
    assert (await desk.row(row)).warned
    assert await desk.do(targets.step, row, desk.now) is None


async def test_silence_counts_from_the_last_word_in_the_time_of_the_team(desk: Any) -> None:
    ana, beto, _ = desk.sellers
    _, talk = await accepted(desk, ana)

    def patient(session: Any) -> int:
        team = Team(company_id=desk.company, name="Carga", return_hours=72, created_at=desk.now)
        session.add(team)
        session.flush()
        return team.id

    desk.team = await desk.do(patient)
    await accepted(desk, ana)
    desk.now += 10 * HOUR
    await desk.do(service.wrote, talk, ana, desk.now)
    for hours, idle in ((47, []), (1, [(desk.company, talk)])):
        desk.now += hours * HOUR
        assert await desk.database.read(lambda session: targets.idle(session, desk.now)) == idle
    await desk.do(service.transfer, talk, beto, ana, desk.now)
    assert await desk.database.read(lambda session: targets.idle(session, desk.now)) == [], "it is offered anew"
    desk.now += 14 * HOUR
    assert len(await desk.database.read(lambda session: targets.idle(session, desk.now))) == 1
    await values(desk, Team, return_hours=0)
    assert await desk.database.read(lambda session: targets.idle(session, desk.now)) == [], "never"


async def test_what_is_put_off_is_not_idle_until_that_has_ended_for_as_long(desk: Any) -> None:
    _, talk = await accepted(desk, desk.sellers[0])
    began = desk.now
    await values(desk, Conversation, snoozed_until=began + 72 * HOUR)
    for hours, idle in ((49, []), (72, []), (119, []), (120, [(desk.company, talk)])):
        desk.now = began + hours * HOUR
        assert await desk.database.read(lambda session: targets.idle(session, desk.now)) == idle, hours
        assert await desk.database.read(lambda session: targets.idle(session, desk.now, talk=talk)) == idle, hours
        assert await desk.database.read(lambda session: targets.idle(session, desk.now, talk=talk + 1)) == []


# ------------------------------------------------------------------------------------------------------- windows
@pytest.mark.parametrize(
    ("table", "given"),
    [
        (Conversation, {"unread": 0}), (Number, {"channel": "telegram"}), (User, {"active": False}),
        (Assignment, {"state": "offered"}), (Assignment, {"state": "closed"}),
    ],
)  # fmt: skip
async def test_a_window_is_told_of_where_an_answer_is_owed_and_it_closes(desk: Any, table: Any, given: dict[str, Any]) -> None:
    _, talk = await accepted(desk, desk.sellers[0])

    async def found() -> list[int]:
        windows = await desk.database.read(lambda session: reminders.closing_windows(session, desk.now))
        return [window.conversation_id for _, window in windows]

    for hours, told in ((21, []), (22, [talk]), (24, []), (23, [talk])):
        await values(desk, Conversation, unread=1, last_in_at=desk.now - hours * HOUR)
        assert await found() == told, hours
    await values(desk, table, **given)
    assert await found() == []


# ------------------------------------------------------------------------------------------------ who hears of it
async def test_managers_who_are_there_hear_of_it_then_administrators_and_everybody_where_nobody_is(desk: Any) -> None:
    def hire(session: Any) -> list[int]:
        rows = [
            User(company_id=desk.company, email=f"{name}@una.co", name=name, role=role, password_hash="x", created_at=desk.now)
            for name, role in (("Gina", "manager"), ("Mara", "manager"), ("Ada", "admin"))
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]

    gina, mara, ada = await desk.do(hire)

    async def hear(*told: int) -> list[int]:
        found: list[int] = await desk.do(sellers.supervisors, desk.company, desk.now, told)
        return found

    def leave(user: int, first: str, last: str) -> Any:
        return lambda session: session.add(Leave(company_id=desk.company, user_id=user, first_day=first, last_day=last, note=""))

    assert await hear() == [gina, mara]
    assert [await hear(gina), await hear(gina, mara), await hear(gina, mara, ada)] == [[mara], [ada], []]
    await desk.do(leave(gina, "2026-11-24", "2026-11-24"))
    await desk.do(leave(mara, "2026-11-25", "2026-11-25"))
    assert await hear() == [mara], "leave counts on its days"
    await desk.do(sellers.set_away, mara, away=True, now=desk.now)
    assert await hear() == [ada]
    await desk.do(sellers.set_away, ada, away=True, now=desk.now)
    assert await hear() == [gina, mara], "somebody has to"
    await desk.do(lambda session: session.execute(update(User).where(User.id != ada).values(active=False)))
    assert await hear() == [ada]


async def test_who_joins_is_placed_among_those_who_share(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    for user in (ana, beto):
        await desk.do(sellers.join, desk.team, user, 0)
    for _ in range(3):
        await desk.decide(await desk.hand_over())
    await desk.do(sellers.leave_team, desk.team, ana)
    await desk.do(sellers.join, desk.team, ana)
    served = await desk.served()
    assert served[ana] == served[carla] > served[beto]


async def test_what_waits_at_another_company_is_not_looked_at(desk: Any) -> None:
    row = await desk.hand_over()
    later = desk.now + HOUR
    await values(desk, Assignment, due_at=later)
    await desk.do(sellers.wake, desk.company + 1, desk.now)
    assert (await desk.row(row)).due_at == later
    await desk.do(sellers.wake, desk.company, desk.now)
    assert (await desk.do(lambda session: session.scalar(select(Assignment.due_at)))) == desk.now

"""Hand-overs of a team that are decided together: as if it had been one after the other, for the price of one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from crm_bridge.assignment import decisions, rules, sellers, service


async def together(desk: Any, rows: list[int]) -> list[decisions.Decision]:
    found: list[decisions.Decision] = await desk.do(decisions.decide_all, rows, desk.now)
    return found


async def test_they_go_round_as_one_by_one(desk: Any) -> None:
    alone = [(await desk.decide(await desk.hand_over())).offer.user_id for _ in range(5)]
    rows = [await desk.hand_over() for _ in range(4)]
    decided = await together(desk, rows)
    assert [decision.assignment.id for decision in decided] == rows
    order = [*alone, *(decision.offer.user_id for decision in decided)]
    assert order == [order[0], order[1], order[2]] * 3, "each has a turn before anybody has a second one"
    assert set((await desk.served()).values()) == {3 * rules.TURN}
    assert [decision.choice.considered[0].ahead for decision in decided] == [1.0, 0.0, 1.0, 1.0], "as the books stood then"


async def test_hot_ones_come_first_and_nobody_gets_more_than_they_have_room_for(desk: Any) -> None:
    def tired(session: Session) -> None:
        for user in desk.sellers[1:]:
            sellers.set_away(session, user, away=True, now=desk.now)
        sellers.seller(session, desk.sellers[0]).capacity = 5

    await desk.do(tired)
    warm, other, hot = [await desk.hand_over(priority) for priority in ("warm", "warm", "hot")]
    decided = await together(desk, [warm, other, hot])
    assert [(decision.assignment.id, decision.offer is not None) for decision in decided] == [
        (hot, True),
        (warm, True),
        (other, False),
    ]
    assert decided[2].choice.considered[0].load == 5, "with what was given a moment ago"


async def test_an_offer_that_ran_out_gives_its_seller_room_for_those_beside_it(desk: Any) -> None:
    ana, *others = desk.sellers

    def only_ana(session: Session) -> None:
        for user in others:
            sellers.set_away(session, user, away=True, now=desk.now)
        sellers.seller(session, ana).capacity = 2

    await desk.do(only_ana)
    silent = await desk.hand_over()
    assert (await desk.decide(silent)).offer.user_id == ana
    waits = await desk.hand_over()
    desk.now += timedelta(minutes=3)
    decided = {decision.assignment.id: decision for decision in await together(desk, [silent, waits])}
    assert decided[silent].expired.user_id == ana
    assert decided[silent].everybody
    assert decided[waits].offer.user_id == ana
    assert (await desk.served())[ana] == rules.TURN, "the one she let pass cost her nothing"


async def test_what_is_not_due_and_another_teams_is_left_out(desk: Any) -> None:
    first, second = await desk.hand_over(), await desk.hand_over()
    await desk.decide(first)
    await desk.do(service.close, (await desk.row(second)).conversation_id, desk.now)
    assert await together(desk, [first, second]) == []


@pytest.mark.parametrize("away", [False, True])
async def test_it_costs_as_many_reads_as_one(desk: Any, away: bool) -> None:
    for user in desk.sellers if away else ():
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    reads: dict[int, int] = {}

    def count(session: Session, rows: list[int]) -> None:
        def note(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
            reads[len(rows)] = reads.get(len(rows), 0) + sql.startswith("SELECT")

        event.listen(session.connection(), "before_cursor_execute", note)
        assert len(decisions.decide_all(session, rows, desk.now)) == len(rows)
        event.remove(session.connection(), "before_cursor_execute", note)

    for many in (1, 12):
        await desk.do(count, [await desk.hand_over() for _ in range(many)])
    assert reads[12] == reads[1]

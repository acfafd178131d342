"""A hand-over from its opening to its end: offers, refusals, absences, shares, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from crm_bridge.assignment import decisions, rules, sellers, service, targets, teams
from crm_bridge.assignment.rules import TURN
from data.tables import Assignment, Conversation, Event, Lead, Leave, Number, Offer, TeamMember, User

MINUTE = timedelta(minutes=1)


async def accept(desk: Any, row: int, user: int, **given: Any) -> list[Offer]:
    talk = (await desk.row(row)).conversation_id
    found: list[Offer] = await desk.do(service.accept, talk, user, "page", desk.now, **given)
    return found


async def kinds(desk: Any) -> list[str]:
    return await desk.do(lambda session: list(session.scalars(select(Event.kind).order_by(Event.id))))


async def test_leads_go_round_and_why_is_kept(desk: Any) -> None:
    order = []
    for _ in range(6):
        decision = await desk.decide(await desk.hand_over())
        order.append(decision.offer.user_id)
    assert order == desk.sellers * 2
    why = decision.assignment.why
    assert (why["because"], why["user_id"]) == ("next", desk.sellers[2])
    assert [(each["name"], each["left_out"], each["load"], each["ahead"]) for each in why["considered"]] == [
        ("Ana", "", 4, 1.0),
        ("Beto", "", 4, 1.0),
        ("Carla", "", 2, 0.0),
    ]
    assert await kinds(desk) == ["LeadAssigned"] * 6


async def test_an_offer_let_pass_costs_nothing_and_goes_on(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    row = await desk.hand_over()
    first = (await desk.decide(row)).offer
    await desk.do(service.decline, first.id, ana, "whatsapp", desk.now)
    await desk.do(service.decline, first.id, ana, "whatsapp", desk.now)  # pressed twice
    second = (await desk.decide(row)).offer
    assert second.user_id == beto
    desk.now += timedelta(seconds=179)
    assert await desk.decide(row) is None, "it stands for three minutes"
    desk.now += timedelta(seconds=1)
    decision = await desk.decide(row)
    assert (decision.expired.id, decision.offer.user_id) == (second.id, carla)
    assert await desk.served() == {ana: 0, beto: 0, carla: TURN}
    with pytest.raises(rules.OfferPassed) as passed:
        await desk.do(service.answer, second.id, beto, desk.now)
    assert passed.value.by == "Carla"
    with pytest.raises(rules.OfferPassed):
        await desk.do(service.answer, first.id, ana, desk.now)
    with pytest.raises(rules.NotYours):
        await desk.do(service.answer, second.id, ana, desk.now)
    with pytest.raises(LookupError):
        await desk.do(service.answer, 7, ana, desk.now)
    assert await kinds(desk) == ["LeadAssigned", "LeadPassed", "LeadAssigned", "LeadPassed", "LeadAssigned"]


async def test_when_everybody_lets_it_pass_it_waits_and_they_are_asked_again_later(desk: Any) -> None:
    row = await desk.hand_over()
    decided = []
    for _ in desk.sellers:
        decision = await desk.decide(row)
        decided.append(decision.offer.id)
        await desk.do(service.decline, decision.offer.id, decision.offer.user_id, "page", desk.now)
    decision = await desk.decide(row)
    assert (decision.offer, decision.everybody, decision.assignment.state, decision.assignment.user_id) == (
        None,
        True,
        "waiting",
        None,
    )
    late, _ = await desk.do(service.answer, decided[0], desk.sellers[0], desk.now)
    assert late.state == "declined", "while nobody else is asked they may still change their mind"
    desk.now += rules.SOONEST
    assert (await desk.decide(row)).offer.user_id == desk.sellers[0]


async def test_who_let_it_pass_is_asked_after_those_who_were_not_asked(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    for user in (beto, carla):
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    row = await desk.hand_over()
    await desk.do(service.decline, (await desk.decide(row)).offer.id, ana, "page", desk.now)
    desk.now += rules.SOONEST
    await desk.do(sellers.set_away, carla, away=False, now=desk.now)
    assert (await desk.decide(row)).offer.user_id == carla


async def test_who_accepts_has_it_and_owns_the_leads(desk: Any) -> None:
    ana, beto, _ = desk.sellers
    row = await desk.hand_over()
    offer = (await desk.decide(row)).offer
    person = (await desk.row(row)).person_id
    talk = (await desk.row(row)).conversation_id

    await desk.do(lambda session: session.add(lead(desk, person, talk, "electronics")))
    assert [each.id for each in await accept(desk, row, ana)] == [offer.id]
    assert await accept(desk, row, ana) == [], "a second time changes nothing"
    assert await desk.decide(row) is None, "whoever still saw it as an offer comes too late"
    with pytest.raises(rules.Taken) as taken:
        await accept(desk, row, beto)
    assert taken.value.by == "Ana"
    with pytest.raises(rules.OfferOver):
        await desk.do(service.decline, offer.id, ana, "page", desk.now)
    stored = await desk.row(row)
    assert (stored.state, stored.user_id, stored.accepted_at) == ("accepted", ana, desk.now)
    (mine,) = await desk.do(lambda session: list(session.scalars(select(Lead))))
    assert (mine.owner_id, mine.stage) == (ana, "working")


async def test_who_takes_it_unasked_pays_the_turn_of_whoever_was_asked(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    row = await desk.hand_over()
    offer = (await desk.decide(row)).offer
    await accept(desk, row, beto)
    assert await desk.served() == {ana: 0, beto: TURN, carla: 0}
    with pytest.raises(rules.Taken):
        await desk.do(service.answer, offer.id, ana, desk.now)
    assert (await desk.row(row)).why["because"] == "taken"
    assert (await desk.decide(await desk.hand_over())).offer.user_id == ana


async def test_who_has_no_share_pays_for_nothing_that_they_take(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    await desk.do(sellers.join, desk.team, ana, 0)
    await accept(desk, await desk.hand_over(), ana)
    assert await desk.served() == {ana: 0, beto: 0, carla: 0}


async def test_nobody_there_waits_for_the_first_who_comes(desk: Any) -> None:
    hours = ({"tue": ["14:00-18:00"]}, {"wed": ["08:00-12:00"]}, {"tue": ["11:00-12:00"]})

    def shifts(session: Any) -> None:
        for user, shift in zip(desk.sellers, hours, strict=True):
            sellers.seller(session, user).hours = shift

    await desk.do(shifts)
    row = await desk.hand_over()  # it is ten o'clock on a Tuesday
    decision = await desk.decide(row)
    assert (decision.offer, decision.everybody) == (None, False)
    assert decision.opens_at == desk.now + timedelta(hours=1)
    assert [each["left_out"] for each in decision.assignment.why["considered"]] == ["shift"] * 3
    hot = await desk.hand_over("hot")
    await desk.decide(hot)
    desk.now += timedelta(hours=1)
    due = await desk.database.read(lambda session: decisions.due(session, desk.now))
    assert due == [(desk.company, [hot, row])], "hot ones first, then whoever waits longest"
    assert (await desk.decide(hot)).offer.user_id == desk.sellers[2]


async def test_a_full_seller_gets_no_more_until_there_is_room(desk: Any) -> None:
    ana, *others = desk.sellers

    def alone(session: Any) -> None:
        session.execute(update(User).where(User.id.in_(others)).values(active=False))
        sellers.seller(session, ana).capacity = 5

    await desk.do(alone)
    hot, warm, third = [await desk.hand_over(priority) for priority in ("hot", "warm", "warm")]
    assert [(await desk.decide(row)).offer is not None for row in (hot, warm, third)] == [True, True, False]
    assert (await desk.row(third)).why["considered"][0]["left_out"] == "full"
    talk = (await desk.row(warm)).conversation_id
    desk.now += MINUTE
    await desk.do(service.close, talk, desk.now)
    assert (await desk.decide(third)).offer.user_id == ana


async def test_a_returning_prospect_meets_their_seller_again(desk: Any) -> None:
    row = await desk.hand_over()
    await desk.decide(row)
    ana = desk.sellers[0]
    await accept(desk, row, ana)
    person = (await desk.row(row)).person_id
    await desk.do(service.close, (await desk.row(row)).conversation_id, desk.now)
    for _ in range(2):
        await desk.decide(await desk.hand_over())
    await desk.do(
        lambda session: session.execute(update(Conversation).where(Conversation.person_id == person).values(owner="bot"))
    )
    talk = (await desk.row(row)).conversation_id
    await desk.open_again(talk)
    await desk.do(service.close, talk, desk.now)  # one that nobody accepted
    decision = await desk.decide(await desk.open_again(talk))
    assert (decision.offer.user_id, decision.choice.because) == (ana, "former")


async def test_who_is_asked_and_has_not_answered_is_not_their_seller(desk: Any) -> None:
    row = await desk.hand_over()
    await desk.decide(row)
    ana = desk.sellers[0]
    await accept(desk, row, ana)
    person, talk = (await desk.row(row)).person_id, (await desk.row(row)).conversation_id
    await desk.do(service.close, talk, desk.now)
    await desk.do(sellers.set_away, ana, away=True, now=desk.now)
    asked = await desk.decide(await desk.hand_over(person=person, number=await number(desk, "2")))
    assert asked.offer.user_id != ana
    await desk.do(sellers.set_away, ana, away=False, now=desk.now)
    decision = await desk.decide(await desk.hand_over(person=person, number=await number(desk, "3")))
    assert (decision.offer.user_id, decision.choice.because) == (ana, "former")


async def test_on_leave_away_and_back(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    await desk.do(
        lambda session: session.add(
            Leave(company_id=desk.company, user_id=ana, first_day="2026-11-20", last_day="2026-11-24", note="")
        )
    )
    await desk.do(sellers.set_away, beto, away=True, now=desk.now)
    for _ in range(4):
        assert (await desk.decide(await desk.hand_over())).offer.user_id == carla
    await desk.do(sellers.set_away, beto, away=False, now=desk.now)
    order = [(await desk.decide(await desk.hand_over())).offer.user_id for _ in range(4)]
    assert sorted(map(order.count, (beto, carla))) == [1, 3], "one turn more than the others, and no flood"


async def test_transfer_goes_to_one_and_comes_back_to_the_team(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    row = await desk.hand_over()
    await desk.decide(row)
    await accept(desk, row, ana)
    talk = (await desk.row(row)).conversation_id
    with pytest.raises(rules.UnknownSeller):
        await desk.do(service.transfer, talk, ana, ana, desk.now)
    await desk.do(lambda session: session.execute(update(User).where(User.id == carla).values(active=False)))
    for nobody in (7, carla):
        with pytest.raises(rules.UnknownSeller):
            await desk.do(service.transfer, talk, nobody, ana, desk.now)
    _, offer = await desk.do(service.transfer, talk, beto, ana, desk.now)
    stored = await desk.row(row)
    assert (stored.state, stored.accepted_at, offer.user_id) == ("offered", None, beto)
    desk.now += timedelta(minutes=3)
    assert (await desk.decide(row)).offer.user_id not in (beto,)


async def test_a_seller_who_leaves_leaves_nothing_behind(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    rows = [await desk.hand_over() for _ in range(3)]
    for row in rows:
        await desk.decide(row)
    await accept(desk, rows[0], ana)
    await desk.do(targets.step, rows[0], desk.now)
    await desk.do(lambda session: session.execute(update(Conversation).values(snoozed_until=desk.now + timedelta(days=1))))
    talks = await desk.do(service.remove_seller, ana, desk.now)
    stored = await desk.row(rows[0])
    assert talks == [stored.conversation_id]
    assert (stored.state, stored.user_id, stored.due_at, stored.deadline_at) == ("waiting", None, desk.now, None)
    talk = await desk.do(lambda session: session.get_one(Conversation, talks[0]))
    assert (talk.owner, talk.owner_id, talk.snoozed_until) == ("queued", None, None), "what she put off is there for the others"
    await desk.do(lambda session: session.execute(update(User).where(User.id == ana).values(active=False)))
    assert (await desk.decide(rows[0])).offer.user_id in (beto, carla)


async def test_one_open_hand_over_a_conversation_whose_priority_only_rises(desk: Any) -> None:
    row = await desk.hand_over("cold")
    talk, person = (await desk.row(row)).conversation_id, (await desk.row(row)).person_id
    made = await desk.do(lambda session: _add(session, lead(desk, person, talk, "electronics")))
    for priority in ("hot", "warm"):
        await desk.open_again(talk, priority)
    assert (await desk.row(row)).lead_id is None
    await desk.do(lambda session: desk.hand(session, session.get_one(Conversation, talk), lead_id=made))
    await desk.open_again(talk)
    assert (await desk.row(row)).lead_id == made, "the lead that came of it later, and is not lost again"
    assert await desk.do(lambda session: session.scalar(select(func.count(Assignment.id)))) == 1
    assert (await desk.row(row)).priority == "hot"


async def test_a_new_seller_begins_in_the_middle(desk: Any) -> None:
    for _ in range(9):
        await desk.decide(await desk.hand_over())

    def hire(session: Any) -> int:
        user = User(company_id=desk.company, email="d@una.co", name="Dora", role="seller", password_hash="x", created_at=desk.now)
        session.add(user)
        session.flush()
        return sellers.join(session, desk.team, user.id, weight=2).user_id

    dora = await desk.do(hire)
    assert (await desk.served())[dora] == 3 * TURN
    for weight in (-1, 11):
        with pytest.raises(rules.WrongShare):
            await desk.do(sellers.join, desk.team, dora, weight)
    order = [(await desk.decide(await desk.hand_over())).offer.user_id for _ in range(5)]
    assert order.count(dora) == 2
    turns = await desk.do(lambda session: dict(session.execute(select(TeamMember.user_id, TeamMember.turns)).all()))
    assert sum(turns.values()) == 14


async def test_who_is_asked_for_more_than_before_is_not_flooded(desk: Any) -> None:
    """Who had only leads that nobody brought is far behind; the day they learn to sell the rest too, they share it."""
    carla = desk.sellers[2]
    work: dict[str, Any] = {"user_id": carla, "capacity": 90, "hours": {}, "languages": []}
    await desk.do(teams.change_seller, **work, skills=["freight"], now=desk.now)
    for _ in range(8):
        assert (await desk.decide(await desk.hand_over())).offer.user_id != carla
    assert (await desk.served())[carla] == 0
    await desk.do(teams.change_seller, **work, skills=["freight"], now=desk.now)
    assert (await desk.served())[carla] == 0, "nothing has changed"
    await desk.do(teams.change_seller, **work, skills=["freight", "electronics"], now=desk.now)
    order = [(await desk.decide(await desk.hand_over())).offer.user_id for _ in range(6)]
    assert order.count(carla) == 2
    await desk.do(teams.change_seller, **work, skills=["electronics"], now=desk.now)
    assert len(set((await desk.served()).values())) == 1, "fewer kinds of leads change nothing"


async def test_without_a_shift_of_their_own_sellers_work_when_the_number_is_open(desk: Any) -> None:
    hours = {"tue": ["11:00-18:00"]}
    await desk.do(lambda session: session.execute(update(Number).values(hours=hours)))
    row = await desk.hand_over()
    decision = await desk.decide(row)
    assert (decision.offer, decision.opens_at) == (None, desk.now + timedelta(hours=1))
    await desk.do(lambda session: setattr(sellers.seller(session, desk.sellers[1]), "hours", {"tue": ["08:00-12:00"]}))
    desk.now += MINUTE
    assert (await desk.decide(row)).offer.user_id == desk.sellers[1], "theirs goes before the number's"


async def test_who_could_not_take_it_does_not_count_when_all_let_it_pass_and_that_is_told_once(desk: Any) -> None:
    ana, beto, carla = desk.sellers

    def elsewhere(session: Any) -> None:
        sellers.seller(session, beto).skills = ["freight"]
        session.execute(update(User).where(User.id == carla).values(active=False))

    await desk.do(elsewhere)
    row = await desk.hand_over()
    offer = (await desk.decide(row)).offer
    await desk.do(service.decline, offer.id, ana, "page", desk.now)
    for _ in range(2):
        decision = await desk.decide(row)
        assert (decision.offer, decision.everybody) == (None, True)
        desk.now += MINUTE
    assert (await kinds(desk)).count("LeadWaits") == 1
    await desk.do(sellers.set_away, ana, away=True, now=desk.now)
    desk.now += timedelta(hours=9)
    assert (await desk.decide(row)).assignment.due_at == desk.now + decisions.LOOK_SELDOM, "however long it has waited"


async def test_what_nobody_can_take_is_looked_at_once_soon_and_then_seldom(desk: Any) -> None:
    for user in desk.sellers:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    row = await desk.hand_over()
    waits = []
    for _ in range(4):
        due = (await desk.decide(row)).assignment.due_at
        waits.append(due - desk.now)
        desk.now = due
    assert waits == [decisions.LOOK_AGAIN, *3 * [decisions.LOOK_SELDOM]]


async def test_who_took_it_unasked_and_never_wrote_is_not_asked_again_at_once(desk: Any) -> None:
    ana, *others = desk.sellers
    for user in others:
        await desk.do(sellers.set_away, user, away=True, now=desk.now)
    row = await desk.hand_over()
    await accept(desk, row, ana)
    await desk.do(targets.step, row, desk.now)
    desk.now += timedelta(minutes=15)
    step = await desk.do(targets.step, row, desk.now)
    assert (step.what, step.user_id) == ("passed_on", ana)
    decision = await desk.decide(row)
    assert (decision.offer, decision.everybody) == (None, True)
    desk.now += rules.SOONEST
    assert (await desk.decide(row)).offer.user_id == ana


def lead(desk: Any, person: int, talk: int, interest: str, **given: Any) -> Lead:
    return Lead(
        company_id=desk.company, person_id=person, conversation_id=talk, number_id=desk.number, interest=interest, stage="new",
        complete=True, answers=[], score=50, priority="warm", reasons=[], source="organic", created_at=desk.now,
        updated_at=desk.now, **given,
    )  # fmt: skip


def _add(session: Any, row: Any) -> int:
    session.add(row)
    session.flush()
    return int(row.id)


async def owners(desk: Any) -> dict[str, int | None]:
    return await desk.do(lambda session: {row.interest: row.owner_id for row in session.scalars(select(Lead))})


async def number(desk: Any, external_id: str) -> int:
    """One more number of the company."""
    row = Number(
        company_id=desk.company, channel="whatsapp", external_id=external_id, display="+57 2", name="Carga", bot_name="Sol",
        dialog="freight", hours={}, created_at=desk.now,
    )  # fmt: skip
    await desk.do(lambda session: session.add(row))
    return row.id


async def test_an_offer_of_another_conversation_leaves_a_lead_with_whoever_answers_its_own(desk: Any) -> None:
    ana, beto, carla = desk.sellers
    row = await desk.hand_over()
    person, talk = (await desk.row(row)).person_id, (await desk.row(row)).conversation_id
    await desk.do(lambda session: session.add(lead(desk, person, talk, "electronics")))
    await accept(desk, row, ana)
    await desk.do(sellers.set_away, ana, away=True, now=desk.now)

    other = await desk.hand_over(person=person, number=await number(desk, "2"), interest="freight")
    freight = (await desk.row(other)).conversation_id
    await desk.do(lambda session: session.add(lead(desk, person, freight, "freight")))
    offer = (await desk.decide(other)).offer
    assert (offer.user_id, await owners(desk)) == (beto, {"electronics": ana, "freight": beto})
    await desk.do(service.decline, offer.id, beto, "page", desk.now)
    assert await owners(desk) == {"electronics": ana, "freight": None}
    await desk.do(service.close, freight, desk.now)
    await desk.do(service.transfer, talk, carla, ana, desk.now)
    assert await owners(desk) == {"electronics": carla, "freight": carla}, "where nobody else answers they go together"


async def test_a_lead_that_is_done_stays_with_whoever_did_it(desk: Any) -> None:
    ana, beto, _ = desk.sellers
    row = await desk.hand_over()
    person, talk = (await desk.row(row)).person_id, (await desk.row(row)).conversation_id
    await desk.do(lambda session: session.add(lead(desk, person, talk, "electronics", owner_id=beto)))
    await desk.do(lambda session: session.execute(update(Lead).values(stage="converted")))
    await desk.do(service.close, talk, desk.now)
    await desk.do(service.accept, talk, ana, "page", desk.now)
    assert await owners(desk) == {"electronics": beto}
    assert await desk.do(lambda session: session.scalars(select(Lead.stage)).all()) == ["converted"]
    taken = await desk.do(service.current, talk)
    assert (taken.user_id, taken.lead_id) == (ana, None)


async def test_what_is_closed_before_anybody_accepted_it_is_nobodys(desk: Any) -> None:
    row = await desk.hand_over()
    person, talk = (await desk.row(row)).person_id, (await desk.row(row)).conversation_id
    await desk.do(lambda session: session.add(lead(desk, person, talk, "electronics")))
    await desk.decide(row)
    assert await owners(desk) == {"electronics": desk.sellers[0]}
    await desk.do(service.close, talk, desk.now)
    assert ((await desk.row(row)).user_id, await owners(desk)) == (None, {"electronics": None})


async def test_a_target_does_not_run_on_while_a_conversation_is_handed_on(desk: Any) -> None:
    ana, beto, _ = desk.sellers
    row = await desk.hand_over()
    await accept(desk, row, ana)
    await desk.do(targets.step, row, desk.now)
    assert (await desk.row(row)).deadline_at is not None
    await desk.do(service.transfer, (await desk.row(row)).conversation_id, beto, ana, desk.now)
    assert (await desk.row(row)).deadline_at is None

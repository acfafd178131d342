"""From "ready" to a seller: offered, alerted, accepted, missed, given back; and the prospect is told the truth."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy import text as sql

from bot import takeover, workplace
from crm_bridge.assignment import decisions, reminders, sellers, service, targets, teams
from crm_bridge.assignment.rules import AskedAnother
from data.tables import Alert, Assignment, Conversation, Event, Holiday, Lead, Number, Offer, Reminder, Seller, Team, User

FORM = ("hola", "Ana Ruiz", "un portátil", "hoy mismo")


async def staff(shop: Any, **roles: str) -> dict[str, int]:
    """People of the first number's company, by name."""
    company, now = (await shop.number()).company_id, shop.service.clock.now()

    def add(session: Any) -> dict[str, int]:
        rows = [
            User(company_id=company, email=f"{name}@una.co", name=name, role=role, password_hash="x", created_at=now)
            for name, role in roles.items()
        ]
        session.add_all(rows)
        session.flush()
        sellers.first_team(session, company, now)
        return {row.name: row.id for row in rows}

    return await shop.database.write(add)


async def look(shop: Any) -> None:
    """Let what is due be done: by us, or by the service's own loop, which may have been faster."""

    def due(session: Any) -> list[Any]:
        now = shop.service.clock.now()
        return [*decisions.due(session, now), *targets.due(session, now), *reminders.due(session, now)]

    async with asyncio.timeout(10):
        while await shop.database.read(due):
            await shop.service.handover.look()
    await shop.settled()


async def alerts(shop: Any) -> list[tuple[str, int, str]]:
    return [(row.kind, row.user_id, row.state) for row in await shop.rows(Alert)]


async def do(shop: Any, work: Any, *given: Any, **named: Any) -> Any:
    company = (await shop.number()).company_id
    return await shop.database.write(lambda session: work(session, *given, **named), company=company)


async def test_a_lead_is_of_the_team_that_its_number_has(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    await staff(shop, beto="seller")
    now, number = shop.service.clock.now(), await shop.number()
    second = await do(shop, teams.add_team, "Carga", now)
    await do(shop, teams.give_numbers, {number.id: second.id}, now)
    await shop.service.read_numbers()
    await shop.talk(ana, shop.first, *FORM)
    assert [row.team_id for row in await shop.rows(Assignment)] == [second.id]


async def test_a_ready_lead_is_offered_and_accepted_and_the_alerts_fall_silent(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", carla="seller")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (row,) = await shop.rows(Assignment)
    (lead,) = await shop.rows(Lead)
    assert (row.state, row.user_id, row.reason, row.lead_id) == ("offered", people["beto"], "finished", lead.id)
    assert lead.owner_id == people["beto"]
    assert await alerts(shop) == [("lead_offered", people["beto"], "open")]
    (alert,) = await shop.rows(Alert)
    assert alert.facts["name"] == "Ana Ruiz"
    await do(shop, takeover.take, row.conversation_id, people["carla"], shop.service.clock.now())
    assert await alerts(shop) == [("lead_offered", people["beto"], "withdrawn")], "a colleague was faster"
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, talk.owner_id) == ("human", people["carla"])
    kinds = [event.kind for event in await shop.rows(Event)]
    assert kinds[-2:] == ["LeadAssigned", "TakenOver"]


async def test_what_is_offered_to_another_is_theirs_to_answer_but_for_a_manager(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", carla="seller", gina="manager")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (talk,), now = await shop.rows(Conversation), shop.service.clock.now()
    beto, carla, gina = people["beto"], people["carla"], people["gina"]
    for work, given in ((takeover.give_back, (carla,)), (workplace.transfer, (gina, carla, ""))):
        with pytest.raises(AskedAnother):
            await do(shop, work, talk.id, *given, now)
    assert [(row.state, row.user_id) for row in await shop.rows(Assignment)] == [("offered", beto)]
    await do(shop, workplace.transfer, talk.id, carla, beto, "", now)
    assert [(row.state, row.user_id) for row in await shop.rows(Assignment)] == [("offered", carla)]
    await do(shop, takeover.give_back, talk.id, gina, now, over=True)
    assert [talk.owner for talk in await shop.rows(Conversation)] == ["bot"]


async def test_an_offer_runs_out_and_then_the_managers_hear(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", gina="manager", ada="admin")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    shop.network.advance(timedelta(minutes=3))
    await look(shop)
    told = await alerts(shop)
    assert told == [("lead_offered", people["beto"], "withdrawn"), ("lead_unclaimed", people["gina"], "open")]
    shop.network.advance(timedelta(minutes=10))
    await look(shop)
    assert (await alerts(shop))[2:] == [("lead_unclaimed", people["ada"], "open")], "the next level"
    shop.network.advance(timedelta(minutes=10))
    await look(shop)
    assert len(await alerts(shop)) == 3, "and that is all"
    (talk,) = await shop.rows(Conversation)
    assert talk.owner == "queued"
    assert "[done" in ana.heard(shop.first)[-1].text, "she was told that somebody comes, and is not told otherwise"


async def test_a_manager_hears_of_each_lead_that_waits_and_again_when_all_let_it_pass(any_shop: Any) -> None:
    shop, ana, eva = any_shop, any_shop.person(), any_shop.person("Eva", "+57 300 5550001")
    people = await staff(shop, beto="seller", gina="manager", ada="admin")
    await do(shop, sellers.set_away, people["beto"], away=True, now=shop.service.clock.now())
    for person in (ana, eva):
        await shop.talk(person, shop.first, *FORM)
        await look(shop)
    assert await alerts(shop) == [("lead_waiting", people["gina"], "open")] * 2
    await do(shop, sellers.set_away, people["beto"], away=False, now=shop.service.clock.now())
    await look(shop)
    shop.network.advance(timedelta(minutes=3))
    await look(shop)
    told = [(kind, user) for kind, user, _ in await alerts(shop)]
    assert told[2:4] == [("lead_offered", people["beto"])] * 2
    assert told[4:] == [("lead_unclaimed", people["gina"])] * 2


async def test_the_administrators_hear_after_a_minute_however_often_it_is_looked_at(any_shop: Any) -> None:
    """A seller who comes back, and has no room for it, has it looked at again."""
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", gina="manager", ada="admin")
    await do(shop, lambda session: setattr(sellers.seller(session, people["beto"]), "capacity", 1))
    await shop.talk(ana, shop.first, *FORM)
    for _ in range(3):
        await do(shop, sellers.set_away, people["beto"], away=False, now=shop.service.clock.now())
        await look(shop)
        assert await alerts(shop) == [("lead_waiting", people["gina"], "open")]
    shop.network.advance(timedelta(minutes=1))
    await look(shop)
    assert await alerts(shop) == [("lead_waiting", people[name], "open") for name in ("gina", "ada")]


async def test_nobody_there_is_told_once_and_served_when_somebody_comes(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", gina="manager")
    now = shop.service.clock.now()
    await do(shop, sellers.set_away, people["beto"], away=True, now=now, until=now + timedelta(hours=1))
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    for _ in range(2):
        shop.network.advance(timedelta(minutes=1))
        await look(shop)
    said = [message.text for message in ana.heard(shop.first)]
    assert "todo el equipo está ocupado" in said[-1]
    assert sum("todo el equipo" in each for each in said) == 1
    assert await alerts(shop) == [("lead_waiting", people["gina"], "open")]
    shop.network.advance(timedelta(hours=1))
    await look(shop)
    assert (await alerts(shop))[-1] == ("lead_offered", people["beto"], "open")


async def test_where_nobody_sells_the_owners_hear_of_it_and_the_prospect_no_more_than_the_dialog_said(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, ada="admin")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (row,) = await shop.rows(Assignment)
    assert (row.state, row.user_id) == ("waiting", None)
    assert "[done" in [message.text for message in ana.heard(shop.first)][-1]
    assert await alerts(shop) == [("lead_waiting", people["ada"], "open")]
    await do(shop, takeover.take, row.conversation_id, people["ada"], shop.service.clock.now())
    await look(shop)
    shop.network.advance(timedelta(minutes=15))
    await look(shop)
    assert [kind for kind, _, _ in await alerts(shop)].count("reply_late") == 1, "hers, and once"


async def test_when_nobody_knows_when_the_prospect_is_in_the_queue(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller")
    await do(shop, sellers.set_away, people["beto"], away=True, now=shop.service.clock.now())
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    assert "en la fila" in [message.text for message in ana.heard(shop.first)][-1]


async def test_while_the_number_is_closed_its_dialog_alone_says_so_and_no_manager_is_alerted(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", gina="manager")
    now, number = shop.service.clock.now(), await shop.number()
    await do(shop, sellers.set_away, people["beto"], away=True, now=now)
    opens = shop.service.numbers.by_id(number.id).local(now) + timedelta(days=2)
    hours = {opens.strftime("%a").lower(): ["00:00-24:00"]}
    await do(shop, lambda session: session.execute(update(Number).where(Number.id == number.id).values(hours=hours)))
    await shop.service.read_numbers()
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    assert "[done" in ana.heard(shop.first)[-1].text
    assert await alerts(shop) == []
    shop.network.advance(timedelta(days=2))
    await look(shop)
    assert await alerts(shop) == [("lead_waiting", people["gina"], "open")]
    assert "[done" in ana.heard(shop.first)[-1].text, "told once is enough"


async def test_a_first_word_that_never_comes_passes_the_lead_on(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", carla="seller", gina="manager")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (row,) = await shop.rows(Assignment)
    await do(shop, takeover.take, row.conversation_id, people["beto"], shop.service.clock.now())
    await look(shop)
    shop.network.advance(timedelta(minutes=10))
    await look(shop)
    assert (await alerts(shop))[-1] == ("reply_due", people["beto"], "open"), "warned at two thirds of a quarter of an hour"
    shop.network.advance(timedelta(minutes=5))
    await look(shop)
    told = sorted((await alerts(shop))[1:])
    assert told == sorted(
        [
            ("reply_due", people["beto"], "withdrawn"),
            ("reply_late", people["beto"], "open"),
            ("reply_late", people["gina"], "open"),
            ("lead_offered", people["carla"], "open"),
        ]
    )
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, talk.owner_id) == ("queued", None)


async def test_a_later_answer_that_is_late_is_the_managers_to_see(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", gina="manager")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (row,) = await shop.rows(Assignment)
    message = await do(shop, takeover.reply, row.conversation_id, people["beto"], "Hola Ana", shop.service.clock.now())
    shop.service.on_said([message])
    await look(shop)
    (row,) = await shop.rows(Assignment)
    assert row.first_reply_at is not None
    assert (row.due_at, row.deadline_at) == (None, None)
    await ana.say(shop.first, "¿y el precio?")
    await shop.settled()
    await look(shop)
    (row,) = await shop.rows(Assignment)
    assert abs(row.deadline_at - shop.service.clock.now() - timedelta(hours=4)) < timedelta(seconds=5)
    shop.network.advance(timedelta(hours=4))
    await look(shop)
    await look(shop)
    late = [(kind, user) for kind, user, _ in await alerts(shop) if kind == "reply_late"]
    assert late == [("reply_late", people["beto"]), ("reply_late", people["gina"])]
    (talk,) = await shop.rows(Conversation)
    assert talk.owner_id == people["beto"], "they know each other"


async def test_long_silence_gives_the_bot_its_turn_back_with_a_summary(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller")
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    (talk,) = await shop.rows(Conversation)
    message = await do(shop, takeover.reply, talk.id, people["beto"], "Hola Ana", shop.service.clock.now())
    shop.service.on_said([message])
    await shop.settled()
    await ana.say(shop.first, "listo, gracias")
    await shop.settled()
    shop.network.advance(timedelta(hours=47))
    await shop.service.handover.look_idle()
    assert (await shop.rows(Conversation))[0].owner == "human"
    shop.network.advance(timedelta(hours=2))
    await shop.service.handover.look_idle()
    await shop.service.handover.look_idle()
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, talk.owner_id) == ("bot", None)
    (event,) = [each for each in await shop.rows(Event) if each.kind == "HandedBack"]
    assert event.user_id is None
    assert event.payload == {"received": 1, "sent": 1, "last": "listo, gracias"}
    await ana.say(shop.first, "un portátil")
    await shop.settled()
    assert "[timing" in ana.heard(shop.first)[-1].text, "it goes on where it was"


async def test_an_answer_from_the_phone_ends_the_waiting(any_shop: Any, value: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    echo = {"from": "57601", "to": ana.phone, "id": "wamid.echo", "timestamp": "1795000000", "type": "text"}
    assert await shop.post(value() | {"message_echoes": [echo | {"text": {"body": "Hola Ana, soy Beto"}}]}) == 200
    await shop.settled()
    (row,) = await shop.rows(Assignment)
    assert row.state == "closed"
    assert await alerts(shop) == [("lead_offered", people["beto"], "withdrawn")]


async def test_reminders_fire_once_whoever_looks_and_whatever_the_clock(any_shop: Any) -> None:
    shop = any_shop
    people = await staff(shop, beto="seller")
    now = shop.service.clock.now()
    for minutes in (5, 60):
        await do(
            shop, reminders.add, user_id=people["beto"], conversation_id=None, words=f"en {minutes}",
            at=now + timedelta(minutes=minutes), now=now,
        )  # fmt: skip
    shop.network.advance(timedelta(minutes=5))
    await asyncio.gather(*(shop.service.handover.look() for _ in range(4)))
    assert [row.facts["words"] for row in await shop.rows(Alert)] == ["en 5"]
    await look(shop)
    assert len(await shop.rows(Alert)) == 1
    assert [row.state for row in await shop.rows(Reminder)] == ["fired", "waiting"]


async def test_a_window_about_to_close_is_told_once(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller")
    await shop.talk(ana, shop.first, "hola")
    (talk,) = await shop.rows(Conversation)
    await do(shop, takeover.take, talk.id, people["beto"], shop.service.clock.now())
    await ana.say(shop.first, "¿están?")
    await shop.settled()
    await do(shop, lambda session: session.execute(update(Team).values(first_reply_minutes=0)))
    shop.network.advance(timedelta(hours=21))
    await shop.service.handover.look_idle()
    assert await shop.rows(Reminder) == []
    shop.network.advance(timedelta(hours=1, minutes=1))
    for _ in range(2):
        await shop.service.handover.look_idle()
        await look(shop)
    assert [kind for kind, _, _ in await alerts(shop) if kind == "window_closing"] == ["window_closing"]


@pytest.mark.parametrize("ends", ["", "wrote", "taken", "given back", "put off again", "ended"])
async def test_what_is_put_off_is_reminded_of_unless_that_ended_before(any_shop: Any, ends: str) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", carla="seller")
    await shop.talk(ana, shop.first, "hola")
    (talk,) = await shop.rows(Conversation)
    now, beto, carla = shop.service.clock.now(), people["beto"], people["carla"]
    await do(shop, takeover.take, talk.id, beto, now)
    await do(shop, workplace.snooze, talk.id, beto, now + timedelta(hours=50), "Retoma con Ana", now)
    await do(shop, lambda session: session.execute(update(Team).values(first_reply_minutes=0)))
    match ends:
        case "wrote":
            await ana.say(shop.first, "¿hola?")
            await shop.settled()
        case "taken" | "put off again":
            await do(shop, takeover.take, talk.id, carla, now, over=True)
        case "given back":
            await do(shop, takeover.give_back, talk.id, beto, now)
        case "ended":
            await do(shop, workplace.snooze, talk.id, beto, None, "", now)
    if ends == "put off again":
        await do(shop, workplace.snooze, talk.id, carla, now + timedelta(hours=51), "Lo mío", now)
    left = await do(shop, reminders.waiting, beto)
    assert [row.words for row in left] == ([] if ends else ["Retoma con Ana"])
    shop.network.advance(timedelta(hours=50, minutes=1))
    await look(shop)
    await shop.service.handover.look_idle()
    told = [(alert.kind, alert.user_id, alert.facts["words"]) for alert in await shop.rows(Alert) if alert.facts.get("words")]
    assert told == ([] if ends else [("reminder", beto, "Retoma con Ana")])
    if not ends:
        assert (await shop.rows(Conversation))[0].owner_id == beto, "it is not idle yet"


async def test_what_was_idle_and_is_so_no_more_is_not_given_back(any_shop: Any) -> None:
    """The seller writes between the look and the lock."""
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller")
    await shop.talk(ana, shop.first, "hola")
    (talk,) = await shop.rows(Conversation)
    await do(shop, takeover.take, talk.id, people["beto"], shop.service.clock.now())
    shop.network.advance(timedelta(hours=49))

    def write(session: Any) -> None:
        takeover.reply(session, talk.id, people["beto"], "Sigo aquí", shop.service.clock.now())
        if shop.database.dialect == "postgresql":
            session.execute(select(func.pg_sleep(0.3)))

    await do(shop, lambda session: session.execute(update(Conversation).values(last_in_at=shop.service.clock.now())))
    await asyncio.gather(do(shop, write), shop.service.handover.look_idle())
    assert (await shop.rows(Conversation))[0].owner == "human"


async def test_a_word_that_was_lost_is_made_up_for_in_seconds(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller")
    await do(shop, sellers.set_away, people["beto"], away=True, now=shop.service.clock.now())
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    assert [row.state for row in await shop.rows(Assignment)] == ["waiting"]
    await do(shop, lambda session: session.execute(update(Seller).values(away=False)))
    async with asyncio.timeout(10):
        while (await shop.rows(Assignment))[0].state == "waiting":
            await asyncio.sleep(0.1)


async def test_races_for_an_offer_have_one_winner_each(any_shop: Any) -> None:
    """Twenty here; `python -m tests.chaos --only acceptance` runs a thousand."""
    shop = any_shop
    people = await staff(shop, beto="seller", carla="seller")
    for number in range(20):
        ana = shop.person(f"P{number}", f"+57 300 55{number:05}")
        await shop.talk(ana, shop.first, "hola")
    talks = [row.id for row in await shop.rows(Conversation)]
    now = shop.service.clock.now()
    for talk in talks:
        take = partial(do, shop, takeover.take, talk)
        answers = await asyncio.gather(
            *(take(user, now, via=via) for user, via in zip(people.values(), ("whatsapp", "page"), strict=True)),
            return_exceptions=True,
        )
        (loser,) = [answer for answer in answers if isinstance(answer, BaseException)]
        assert isinstance(loser, takeover.Taken)
        assert loser.by in people
    assert all(row.owner_id in people.values() for row in await shop.rows(Conversation))
    accepted = await shop.rows(Assignment)
    assert [row.state for row in accepted] == ["accepted"] * 20
    assert sorted(row.conversation_id for row in accepted) == sorted(talks)


async def test_holidays_and_a_removed_seller(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", carla="seller")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (row,) = await shop.rows(Assignment)
    await do(shop, takeover.take, row.conversation_id, people["beto"], shop.service.clock.now())
    (number,) = [each for each in await shop.rows(Number) if each.id == row.number_id]
    today = shop.service.numbers.by_id(number.id).local(shop.service.clock.now())
    holiday = Holiday(company_id=number.company_id, day=f"{today:%Y-%m-%d}", name="Fiesta")
    await do(shop, lambda session: session.add(holiday))
    await do(shop, lambda session: session.execute(update(User).where(User.id == people["beto"]).values(active=False)))
    await do(shop, service.remove_seller, people["beto"], shop.service.clock.now())
    await look(shop)
    (row,) = await shop.rows(Assignment)
    assert row.state == "waiting"
    assert [each["left_out"] for each in row.why["considered"]] == ["inactive", "holiday"]
    shop.network.advance(timedelta(days=1))
    await look(shop)
    offers = await do(shop, lambda session: session.scalars(select(Offer.user_id).where(Offer.state == "offered")).all())
    assert offers == [people["carla"]]


async def test_one_that_fails_is_put_off_and_the_others_go_on(any_shop: Any, caplog: Any) -> None:
    shop, ana, eva = any_shop, any_shop.person(), any_shop.person("Eva", "+57 300 5550001")
    people = await staff(shop, beto="seller")
    await do(shop, sellers.set_away, people["beto"], away=True, now=shop.service.clock.now())
    for person in (ana, eva):
        await shop.talk(person, shop.first, *FORM)
        await look(shop)
    first, second = await shop.rows(Assignment)
    await do(shop, lambda session: session.execute(update(Assignment).where(Assignment.id == first.id).values(priority="?")))
    await do(shop, sellers.set_away, people["beto"], away=False, now=shop.service.clock.now())
    await look(shop)
    first, second = await shop.rows(Assignment)
    assert (first.state, second.state) == ("waiting", "offered")
    assert first.due_at > shop.service.clock.now()
    assert "a hand-over failed" in caplog.text
    await do(shop, lambda session: session.execute(update(Assignment).where(Assignment.id == first.id).values(priority="hot")))
    shop.network.advance(timedelta(minutes=2))
    await look(shop)
    assert (await shop.rows(Assignment))[0].state == "offered"


async def test_one_that_fails_is_not_tried_again_at_once_although_somebody_could_take_it(any_shop: Any, caplog: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    await staff(shop, beto="seller")
    refuse = {
        "sqlite": "CREATE TRIGGER refused BEFORE INSERT ON offers BEGIN SELECT RAISE(ABORT, 'refused'); END",
        "postgresql": "ALTER TABLE offers ADD CONSTRAINT refused CHECK (cost < 0)",
    }
    await shop.database.write(lambda session: session.execute(sql(refuse[shop.database.dialect])))
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    for times in (1, 2):
        await shop.service.handover.look_overlooked()
        await look(shop)
        assert caplog.text.count("a hand-over failed") == times
        shop.network.advance(timedelta(minutes=1, seconds=5))
        await look(shop)


async def test_one_that_fails_but_was_settled_meanwhile_keeps_its_own_time(
    any_shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, ana = any_shop, any_shop.person()
    await staff(shop, beto="seller")
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (row,) = await shop.rows(Assignment)
    tried: list[int] = []

    def fails(session: Any, rows: list[int], now: Any) -> None:
        tried.extend(rows)
        raise RuntimeError

    monkeypatch.setattr(decisions, "due", lambda session, now: [] if tried else [(row.company_id, [row.id])])
    monkeypatch.setattr(decisions, "decide_all", fails)
    await look(shop)
    assert tried
    assert (await shop.rows(Assignment))[0].due_at == row.due_at

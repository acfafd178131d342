"""One owner at a time: bot, nobody yet, or one person; while a person has it the bot is silent."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot import takeover
from bot.standin import Outgoing
from bot.takeover import NothingWritten, Taken, TooLong, WindowClosed
from data.tables import Conversation, Event, Lead, OutboxMessage, Person, User


async def _sellers(shop: Any, *names: str) -> list[int]:
    company = (await shop.number()).company_id
    now = shop.service.clock.now()

    def add(session: Any) -> list[int]:
        rows = [
            User(company_id=company, email=f"{name}@una.co", name=name, role="seller", password_hash="x", created_at=now)
            for name in names
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]

    return await shop.database.write(add)


async def _does(shop: Any, work: Any, user: int, *words: str, **options: Any) -> Any:
    (talk,) = await shop.rows(Conversation)
    now = shop.service.clock.now()
    return await shop.database.write(lambda session: work(session, talk.id, user, *words, now, **options))


async def _writes(shop: Any, user: int, words: str) -> None:
    message: Outgoing = await _does(shop, takeover.reply, user, words)
    shop.service.on_said([message])
    await shop.settled()


async def test_a_seller_answers_the_bot_is_silent_and_goes_on_where_it_was(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    (carla,) = await _sellers(shop, "Carla")
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    await _writes(shop, carla, "Hola Ana, soy Carla")
    (talk,) = await shop.rows(Conversation)
    assert (talk.unread, talk.preview) == (0, "Hola Ana, soy Carla")
    await ana.say(shop.first, "¿tienen portátiles?")
    await shop.settled()
    heard = [message.text.split("]")[0] for message in ana.heard(shop.first)]
    assert heard == ["[first", "[need", "Hola Ana, soy Carla"]
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, talk.owner_id, talk.unread, talk.due_at) == ("human", carla, 1, None)
    assert [row.author_id for row in await shop.rows(OutboxMessage)] == [None, None, carla]
    await _does(shop, takeover.give_back, carla)
    await ana.say(shop.first, "un portátil")
    await shop.settled()
    assert [message.text.split("]")[0] for message in ana.heard(shop.first)][3:] == ["[timing"], "asked on, not anew"
    events = [(row.kind, row.user_id) for row in await shop.rows(Event)]
    assert events == [("TakenOver", carla), ("HandedBack", carla)]


async def test_what_a_seller_was_told_is_not_asked_again(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    (carla,) = await _sellers(shop, "Carla")
    await shop.run_sql("UPDATE numbers SET dialog = 'contact'")
    await shop.service.numbers.reload(shop.database)
    assert "[budget]" in (await shop.talk(ana, shop.first, "hola"))[-1]
    await _writes(shop, carla, "Hola Ana, ¿cuánto quieres gastar, y a qué correo te escribo?")
    for words in ("unos 4 millones", "a ana@ruiz.co, gracias", "¿o prefieres a compras@ruiz.co?"):
        await ana.say(shop.first, words)
    await shop.settled()
    assert (await shop.rows(Person))[0].email == "ana@ruiz.co", "the seller sees it at once"
    await _does(shop, takeover.give_back, carla)
    assert "[timing]" in (await shop.talk(ana, shop.first, "listo"))[-1]
    await shop.talk(ana, shop.first, "hoy mismo")
    (lead,) = await shop.rows(Lead)
    assert [each["shown"] for each in lead.answers] == ["$ 4.000.000", "ana@ruiz.co", "Hoy mismo"]


async def test_who_takes_a_lead_owns_it_and_the_bot_does_not_end_the_talk_twice(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    (carla,) = await _sellers(shop, "Carla")
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz", "un portátil", "hoy mismo")
    await _does(shop, takeover.take, carla)
    (lead,) = await shop.rows(Lead)
    assert (lead.owner_id, lead.stage) == (carla, "working")
    await _does(shop, takeover.take, carla)
    assert [row.kind for row in await shop.rows(Event)].count("TakenOver") == 1


async def test_of_two_who_take_it_at_once_one_has_it(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    sellers = await _sellers(shop, *(f"v{n}" for n in range(6)))
    await shop.talk(ana, shop.first, "hola")
    answers = await asyncio.gather(*(_does(shop, takeover.take, seller) for seller in sellers), return_exceptions=True)
    (talk,) = await shop.rows(Conversation)
    assert sum(isinstance(answer, Taken) for answer in answers) == len(sellers) - 1
    assert talk.owner_id == next(s for s, a in zip(sellers, answers, strict=True) if not isinstance(a, Exception))
    (event,) = await shop.rows(Event)
    assert event.user_id == talk.owner_id


async def test_another_ones_conversation_is_left_alone_but_for_a_manager(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    carla, beto = await _sellers(shop, "Carla", "Beto")
    await shop.talk(ana, shop.first, "hola")
    await _does(shop, takeover.take, carla)
    with pytest.raises(Taken):
        await _does(shop, takeover.reply, beto, "yo también")
    with pytest.raises(Taken):
        await _does(shop, takeover.give_back, beto)
    assert not [row for row in await shop.rows(OutboxMessage) if row.author_id]
    await _does(shop, takeover.take, beto, over=True)
    (talk,) = await shop.rows(Conversation)
    assert talk.owner_id == beto
    await _does(shop, takeover.give_back, carla, over=True)
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, talk.owner_id) == ("bot", None)


async def test_what_cannot_be_sent_is_refused_and_takes_nothing(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    (carla,) = await _sellers(shop, "Carla")
    await shop.talk(ana, shop.first, "hola")
    for words, refusal in (("", NothingWritten), ("a" * 4097, TooLong)):
        with pytest.raises(refusal):
            await _does(shop, takeover.reply, carla, words)
    shop.network.advance(timedelta(hours=24, minutes=1))
    with pytest.raises(WindowClosed):
        await _does(shop, takeover.reply, carla, "Hola Ana")
    with pytest.raises(LookupError):
        await shop.database.write(partial(takeover.take, talk_id=1, user_id=carla, now=shop.service.clock.now()))
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, len(await shop.rows(OutboxMessage)), await shop.rows(Event)) == ("bot", 1, [])


async def test_what_the_bot_had_not_begun_to_send_is_taken_back_and_nothing_else(any_shop: Any) -> None:
    shop, ana, eva = any_shop, any_shop.person(), any_shop.person("Eva", "+57 300 5550001")
    carla, beto = await _sellers(shop, "Carla", "Beto")
    await shop.talk(ana, shop.first, "hola")
    number = await shop.number()
    await shop.run_sql(f"UPDATE numbers SET stopped = 'probando' WHERE id = {number.id}")
    await shop.service.read_numbers()
    await ana.say(shop.first, "Ana Ruiz")
    while len(await shop.rows(OutboxMessage)) < 2:
        await asyncio.sleep(0.01)
    message = await _does(shop, takeover.reply, carla, "Hola Ana")
    await eva.say(shop.first, "hola")
    while len(await shop.rows(OutboxMessage)) < 4:
        await asyncio.sleep(0.01)
    take = partial(takeover.take, talk_id=message.conversation_id, user_id=beto, now=shop.service.clock.now(), over=True)
    await shop.database.write(take)
    assert [row.state for row in await shop.rows(OutboxMessage)][1:] == ["cancelled", "queued", "queued"]
    await shop.run_sql(f"UPDATE numbers SET stopped = NULL WHERE id = {number.id}")
    await shop.service.read_numbers()
    await shop.settled()
    assert [message.text.split("]")[0] for message in ana.heard(shop.first)] == ["[first", "Hola Ana"]
    assert [message.text.split("]")[0] for message in eva.heard(shop.first)] == ["[first"]

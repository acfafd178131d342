"""How a prospect rates the attention: asked once, answered with a button, a bad one told to the managers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

from bot import takeover
from data.tables import Alert, Conversation, Event, Rating
from tests.bot.test_handover import FORM, do, look, staff


async def finished(shop: Any, ana: Any, seller: int) -> None:
    """The seller writes, and is done."""
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (talk,) = await shop.rows(Conversation)
    shop.service.on_said([await do(shop, takeover.reply, talk.id, seller, "Hola Ana", shop.service.clock.now())])
    await shop.settled()
    await end(shop, talk.id, seller)


async def end(shop: Any, talk: int, seller: int) -> None:
    number = shop.service.numbers.all()[0]
    finish = partial(takeover.finish, number=number, now=shop.service.clock.now())
    shop.service.on_said(await do(shop, finish, talk, seller))
    await shop.settled()


async def test_a_prospect_is_asked_once_and_thanked(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", gina="manager")
    await finished(shop, ana, people["beto"])
    assert ana.heard(shop.first)[-1].text == "¿Cómo te atendimos?"
    await ana.press(shop.first, "⭐⭐⭐⭐⭐ Excelente")
    await shop.settled()
    assert ana.heard(shop.first)[-1].text == "¡Gracias por contarnos!"
    (row,) = await shop.rows(Rating)
    assert (row.score, row.user_id) == (5, people["beto"])
    (talk,) = await shop.rows(Conversation)
    before = len(ana.heard(shop.first))
    await end(shop, talk.id, people["beto"])
    assert len(ana.heard(shop.first)) == before, "nothing is closed twice"
    kinds = [event.kind for event in await shop.rows(Event)]
    assert (kinds.count("AttentionRated"), kinds.count("HandedBack")) == (1, 1)
    assert [alert.kind for alert in await shop.rows(Alert)] == ["lead_offered"]


async def test_two_who_finish_it_at_once_ask_once(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    (beto,) = (await staff(shop, beto="seller")).values()
    await shop.talk(ana, shop.first, "hola")
    (talk,) = await shop.rows(Conversation)
    await do(shop, takeover.take, talk.id, beto, shop.service.clock.now())
    await asyncio.gather(*(end(shop, talk.id, beto) for _ in range(6)))
    assert [message.text for message in ana.heard(shop.first)][1:] == ["¿Cómo te atendimos?"]
    assert len(await shop.rows(Rating)) == 1


async def test_nobody_is_asked_about_what_nobody_accepted(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    (beto,) = (await staff(shop, beto="seller")).values()
    await shop.talk(ana, shop.first, *FORM)
    await look(shop)
    (talk,) = await shop.rows(Conversation)
    await end(shop, talk.id, beto)
    assert (await shop.rows(Conversation))[0].owner == "bot"
    assert await shop.rows(Rating) == []


async def test_nobody_answers_what_another_was_asked_or_what_was_not_to_choose(any_shop: Any, value: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", gina="manager")
    await finished(shop, ana, people["beto"])
    (asked,) = await shop.rows(Rating)
    for phone, score in (("573005550001", 1), ("573001234567", 9)):
        pressed = {"type": "button_reply", "button_reply": {"id": f"rate:{asked.id}:{score}", "title": "⭐ Muy mal"}}
        assert await shop.post(value({"type": "interactive", "interactive": pressed}, phone=phone)) == 200
        await shop.settled()
    assert [row.score for row in await shop.rows(Rating)] == [None]
    assert [row.kind for row in await shop.rows(Alert)] == ["lead_offered"]


async def test_a_bad_rating_reaches_the_managers(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    people = await staff(shop, beto="seller", gina="manager")
    await finished(shop, ana, people["beto"])
    await ana.press(shop.first, "⭐ Muy mal")
    await shop.settled()
    assert "ya le avisé" in ana.heard(shop.first)[-1].text
    told = [(alert.kind, alert.user_id, alert.facts["words"]) for alert in await shop.rows(Alert) if alert.kind == "bad_rating"]
    assert told == [("bad_rating", people["gina"], "1")]


async def test_nobody_is_asked_when_the_window_is_closed(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    (beto,) = (await staff(shop, beto="seller")).values()
    await shop.talk(ana, shop.first, "hola")
    (talk,) = await shop.rows(Conversation)
    await do(shop, takeover.take, talk.id, beto, shop.service.clock.now())
    shop.network.advance(timedelta(hours=25))
    await end(shop, talk.id, beto)
    assert await shop.rows(Rating) == []
    assert (await shop.rows(Conversation))[0].owner == "bot"

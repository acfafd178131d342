"""What a turn does not understand becomes a row to label, in the turn's own commit; what people tell of themselves never does."""

from __future__ import annotations

import asyncio
from typing import Any

from data.tables import Conversation, Phrase

ODD = "¿será que por allá hay campo pa la cicla?"


async def test_an_unclear_text_waits_with_what_was_asked_and_guessed(open_shop: Any, database_url: str) -> None:
    shop = await open_shop(database_url)
    await shop.talk(shop.person(), shop.first, "hola", "me llamo Ana Ruiz", ODD)
    await shop.talk(shop.person("Beto Díaz", "+57 300 765 4321"), shop.first, "hola", "soy Beto Díaz", ODD.upper())
    (row,) = await shop.rows(Phrase)
    assert (row.text, row.asked, row.times, row.state) == (ODD, "Necesidad", 2, "new")
    assert len(row.guesses) == 3
    talks = await shop.rows(Conversation)
    assert (row.company_id, row.number_id, row.conversation_id) == (talks[1].company_id, talks[1].number_id, talks[1].id)


async def test_many_at_once_say_the_same(open_shop: Any, database_url: str) -> None:
    """One batch, or several: each is counted, on PostgreSQL too, where one statement may not touch a row twice."""
    shop = await open_shop(database_url, debounce_ms=30)
    people = [shop.person(f"Ana {n}", f"+57 300 000 00{n:02}") for n in range(8)]
    for text in ("hola", "soy Ana Ruiz", ODD):
        await asyncio.gather(*(person.say(shop.first, text) for person in people))
        await shop.settled()
    (row,) = await shop.rows(Phrase)
    assert row.times == 8


async def test_what_people_tell_of_themselves_is_no_row(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url)
    ana = shop.person()
    said = ("hola", "@@@", "¿Ana Ruiz, 300 111 22 33?", "Ana Ruiz", "¿le escriben a ana@ruiz.co?", "¿y lo de Ana Ruiz?")
    await shop.talk(ana, shop.first, *said)
    assert await shop.rows(Phrase) == []


async def test_a_prospect_puts_us_right(open_shop: Any, database_url: str) -> None:
    shop = await open_shop(database_url)
    await shop.talk(shop.person(), shop.first, "hola", "me llamo Ana Ruiz", "algo prontico pa la casa", "no me entendiste")
    rows = {row.text: row for row in await shop.rows(Phrase)}
    assert "algo prontico pa la casa" in rows
    assert rows["algo prontico pa la casa"].asked == ""
    beto = shop.person("Beto Díaz", "+57 300 765 4321")
    await shop.talk(beto, shop.first, "hola", "Beto Díaz", "no me entendiste")
    assert not {"Beto Díaz", "hola"} & {row.text for row in await shop.rows(Phrase)}, "a name stays a name"


async def test_a_button_was_not_misheard(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz", "un portátil")
    await ana.press(shop.first, "Más adelante")
    await shop.settled()
    await shop.talk(ana, shop.first, "no me entendiste")
    assert "Más adelante" not in {row.text for row in await shop.rows(Phrase)}


async def test_what_is_understood_and_answers_nothing_is_no_row(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url)
    await shop.talk(shop.person(), shop.first, "hola", "Ana Ruiz", "un portátil", "ok", ODD)
    assert [row.text for row in await shop.rows(Phrase)] == [ODD]

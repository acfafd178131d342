"""Turns: what was said together is answered together, in order, and nothing that fails takes others with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from crm_bridge.people.consent import allowed
from data.tables import Consent, Conversation, Event, Identity, InboxMessage, Lead, MediaFile, OutboxMessage, Person

Value = Callable[..., dict[str, Any]]


async def test_a_talk_becomes_a_lead(any_shop: Any) -> None:
    ana = any_shop.person()
    heard = await any_shop.talk(ana, any_shop.first, "hola", "Ana Ruiz", "un portátil", "hoy mismo")
    assert [text.split("]")[0] for text in heard] == ["[first", "[need", "[timing", "[done"]
    (lead,) = await any_shop.rows(Lead)
    assert (lead.priority, lead.score, lead.interest, lead.complete) == ("hot", 60, "form", True)
    (talk,) = await any_shop.rows(Conversation)
    assert (talk.status, talk.owner, talk.priority, talk.unread, talk.preview) == ("done", "queued", "hot", 4, "hoy mismo")
    assert [row.kind for row in await any_shop.rows(Event)] == ["LeadRegistered", "HandoffRequested"]
    assert [row.state for row in await any_shop.rows(OutboxMessage)] == ["read"] * 4
    assert all(row.sent_at >= row.created_at for row in await any_shop.rows(OutboxMessage))


async def test_bubbles_on_end_are_one_turn(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, debounce_ms=150)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    for bubble in ("un portátil", "de 14 pulgadas", "para estudiar"):
        await ana.say(shop.first, bubble)
    await shop.settled()
    assert len(ana.heard(shop.first)) == 3
    await shop.talk(ana, shop.first, "hoy mismo")
    assert (await shop.rows(Lead))[0].answers[1]["value"].count("\n") == 2


async def test_somebody_who_never_stops_writing_is_answered_too(open_shop: Any, sqlite_url: str) -> None:
    """The window moves with each bubble, but not for ever."""
    shop = await open_shop(sqlite_url, debounce_ms=100)
    ana = shop.person()
    for number in range(12):
        await ana.say(shop.first, f"y otra cosa {number}")
        await asyncio.sleep(0.06)
    assert ana.heard(shop.first)


async def test_without_a_window_each_bubble_is_answered_in_order(open_shop: Any, database_url: str) -> None:
    shop = await open_shop(database_url, debounce_ms=0)
    ana = shop.person()
    for bubble in ("hola", "Ana Ruiz", "un portátil", "hoy mismo"):
        await ana.say(shop.first, bubble)
    await shop.settled()
    assert [message.text.split("]")[0] for message in ana.heard(shop.first)] == ["[first", "[need", "[timing", "[done"]


async def test_an_album_is_one_turn(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, debounce_ms=20)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    for caption in ("este portátil", "", ""):
        await ana.send_image(shop.first, caption=caption)
        await asyncio.sleep(0.1)
    await shop.settled()
    assert len(ana.heard(shop.first)) == 3
    assert len(await shop.rows(MediaFile)) == 3


async def test_what_was_changed_or_taken_back_counts_as_it_is_now(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, debounce_ms=150)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    name = await ana.say(shop.first, "Anna Ruis")
    wrong = await ana.say(shop.first, "Pedro Paz")
    await ana.edit(shop.first, name.id, "Ana Ruiz")
    await ana.delete(shop.first, wrong.id)
    await shop.settled()
    await shop.talk(ana, shop.first, "un portátil", "hoy mismo")
    assert (await shop.rows(Person))[0].name == "Ana Ruiz"


async def test_what_wants_no_answer_gets_none(shop: Any) -> None:
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    mine, theirs = ana.screen(shop.first)
    await ana.react(shop.first, theirs.id, "👍")
    await ana.react(shop.first, theirs.id, "")
    await ana.edit(shop.first, mine.id, "hola!")
    await ana.delete(shop.first, mine.id)
    await shop.settled()
    assert len(ana.heard(shop.first)) == 1
    assert [(row.kind, row.state) for row in await shop.rows(InboxMessage)] == [
        ("text", "done"), ("reaction", "done"), ("reaction", "done"), ("edit", "done"), ("revoke", "done"),
    ]  # fmt: skip


async def test_every_kind_is_stored_answered_and_its_file_fetched(shop: Any, tmp_path: Path) -> None:
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    acts: dict[str, Callable[[], Any]] = {
        "voice": lambda: ana.send_voice(shop.first),
        "sticker": lambda: ana.send_sticker(shop.first),
        "document": lambda: ana.send_file(shop.first, b"%PDF-1.4 x", "application/pdf", filename="plano.pdf"),
        "location": lambda: ana.send_location(shop.first, 4.66, -74.05, name="Casa"),
        "contacts": lambda: ana.send_contact(shop.first, "Luis Gil", "+57 310 222 3344"),
        "order": lambda: ana.send_order(
            shop.first, "1", [{"product_retailer_id": "LAP", "quantity": 2, "item_price": 9, "currency": "COP"}]
        ),
        "unsupported": lambda: ana.send_unsupported(shop.first),
    }
    for act in acts.values():
        before = len(ana.heard(shop.first))
        await act()
        await ana.wait_for(shop.first, before + 1)
    await shop.settled()
    rows = await shop.rows(InboxMessage)
    assert [(row.kind, row.state) for row in rows[2:]] == [(kind, "done") for kind in acts]
    await shop.service.media.fetch_due()
    files = await shop.rows(MediaFile)
    assert [file.state for file in files] == ["fetched"] * 3
    assert all((tmp_path / "media" / file.path).stat().st_size == file.size > 0 for file in files)
    assert (files[2].filename, files[2].mime) == ("plano.pdf", "application/pdf")


async def test_a_file_that_cannot_be_fetched_is_tried_again_and_its_message_stays(shop: Any, value: Value) -> None:
    photo = {"type": "image", "image": {"id": "999", "mime_type": "image/jpeg", "caption": "mira"}}
    await shop.post(value(photo, phone="573009990000"))
    (file,) = await shop.rows(MediaFile)
    shop.network.token = "another"
    await shop.service.media.fetch_due()
    (file,) = await shop.rows(MediaFile)
    assert (file.state, file.tries, bool(file.error)) == ("waiting", 1, True)
    assert file.due_at > shop.service.clock.now()
    assert await shop.service.media.fetch_due() == 0
    shop.network.token = "local-token"
    shop.network.advance(timedelta(seconds=10))
    await shop.service.media.fetch_due()
    (file,) = await shop.rows(MediaFile)
    assert (file.state, file.tries) == ("failed", 2), "there is no such file"
    await shop.settled()
    assert [(row.text, row.state) for row in await shop.rows(InboxMessage)] == [("mira", "done")]


async def test_a_seller_who_answers_from_the_phone_takes_over(any_shop: Any, value: Value) -> None:
    shop = any_shop
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    echo = {"from": "57601", "to": ana.phone, "id": "wamid.echo", "timestamp": "1795000000", "type": "text"}
    assert await shop.post(value() | {"message_echoes": [echo | {"text": {"body": "Hola Ana, soy Pedro"}}]}) == 200
    await ana.say(shop.first, "Ana Ruiz")
    await shop.settled()
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, talk.preview) == ("human", "Ana Ruiz")
    assert [row.kind for row in await shop.rows(Event)] == ["TakenOver"]
    assert len(ana.heard(shop.first)) == 1
    shop.network.advance(timedelta(hours=3))
    await silence(shop)
    assert (await shop.rows(Conversation))[0].due_at is None, "nobody reminds in a seller's stead, nor looks again every 10 s"
    assert len(ana.heard(shop.first)) == 1


async def test_a_seller_who_takes_over_during_a_turn_is_not_overruled(open_shop: Any, postgres_url: str) -> None:
    """PostgreSQL, where the panel writes beside the turn; on SQLite there is one writer."""
    shop = await open_shop(postgres_url)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    panel = await asyncpg.connect(postgres_url)
    async with panel.transaction():
        await panel.execute("UPDATE conversations SET owner = 'human'")
        await ana.say(shop.first, "Ana Ruiz")
        await asyncio.sleep(0.2)
    await panel.close()
    await shop.settled()
    assert [talk.owner for talk in await shop.rows(Conversation)] == ["human"]
    assert len(ana.heard(shop.first)) == 1


async def test_a_new_phone_is_the_same_person(any_shop: Any) -> None:
    shop = any_shop
    rosa = shop.person("Rosa Paz", "+52 1 55 1234 5678")
    await shop.talk(rosa, shop.first, "hola", "Rosa Paz")
    await shop.talk(rosa, shop.second, "hola")
    await rosa.change_phone("5215587654321")
    await shop.settled()
    assert {row.value for row in await shop.rows(Identity, Identity.kind == "phone")} == {"525587654321"}
    assert (await shop.rows(Person))[0].phone == "+525587654321"
    assert {talk.recipient["phone"][-10:] for talk in await shop.rows(Conversation)} == {"5587654321"}
    await shop.talk(rosa, shop.first, "un portátil", "hoy mismo")
    assert len(await shop.rows(Person)) == len(await shop.rows(Lead)) == 1


def poison(session: Any, of: str, tries: int) -> int:
    """A message that cannot be read, in the conversation of another one."""
    row = session.query(InboxMessage).filter_by(external_id=of).one()
    fields = {name: getattr(row, name) for name in ("company_id", "body_id", "conversation_id", "channel", "kind", "at")}
    bad = InboxMessage(**fields, external_id="poison", text="", payload="no JSON", received_at=row.at, state="new", tries=tries)
    session.add(bad)
    session.flush()
    return bad.id


async def test_a_turn_that_fails_is_parked_and_the_next_ones_flow(any_shop: Any) -> None:
    shop = any_shop
    ana, luis = shop.person(), shop.person("Luis Gil", "+57 310 222 3344")
    hello = await ana.say(shop.first, "hola")
    await shop.settled()
    poisoned = await shop.database.write(lambda session: poison(session, hello.id, 2))
    await asyncio.gather(ana.say(shop.first, "Ana Ruiz"), luis.say(shop.first, "hola"))
    await shop.settled()
    (parked,) = await shop.rows(InboxMessage, InboxMessage.state == "parked")
    assert (parked.id, parked.tries) == (poisoned, 3)
    assert "JSON" in parked.error
    events = await shop.rows(Event, Event.kind == "TurnParked")
    assert [row.payload["message_id"] for row in events] == [poisoned]
    assert "[need]" in ana.heard(shop.first)[-1].text
    assert "[first]" in luis.heard(shop.first)[-1].text


async def test_of_a_burst_only_the_one_that_fails_is_parked(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, debounce_ms=200)
    ana = shop.person()
    good = [await ana.say(shop.first, words) for words in ("hola", "Ana Ruiz")]
    poisoned = await shop.database.write(lambda session: poison(session, good[0].id, 2))
    await ana.say(shop.first, "un portátil")
    await shop.settled()
    assert [row.id for row in await shop.rows(InboxMessage, InboxMessage.state == "parked")] == [poisoned]
    assert [row.text for row in await shop.rows(InboxMessage, InboxMessage.state == "done")] == [
        "hola",
        "Ana Ruiz",
        "un portátil",
    ]
    assert "[timing]" in ana.heard(shop.first)[-1].text


async def test_books_and_reply_stand_or_fall_together(any_shop: Any) -> None:
    """The database refuses the lead: nothing is said, nothing is kept; when it takes it, all happens once."""
    shop = any_shop
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz", "un portátil")
    refuse, allow = shop.refusing("leads", "interest", "form")
    await shop.run_sql(refuse)
    last = await ana.say(shop.first, "hoy mismo")
    for _ in range(200):
        (row,) = await shop.rows(InboxMessage, InboxMessage.external_id == last.id)
        if row.tries:
            break
        await asyncio.sleep(0.01)
    assert (row.state, row.tries) == ("new", 1)
    assert await shop.rows(Event) == []
    assert len(await shop.rows(OutboxMessage)) == 3
    await shop.run_sql(allow)
    await shop.settled()
    assert [message.text.split("]")[0] for message in ana.heard(shop.first)][3:] == ["[done"]
    assert len(await shop.rows(Lead)) == 1
    assert [row.kind for row in await shop.rows(Event)] == ["LeadRegistered", "HandoffRequested"]


async def silence(shop: Any) -> None:
    """What happens every ten seconds."""
    await shop.service.turns.answer_silence()
    await shop.settled()


async def test_silence_is_answered_once_and_then_ends_the_talk(shop: Any) -> None:
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    await silence(shop)
    assert len(ana.heard(shop.first)) == 2
    shop.network.advance(timedelta(hours=2, minutes=1))
    await silence(shop)
    await silence(shop)
    assert len(ana.heard(shop.first)) == 3
    shop.network.advance(timedelta(hours=18))
    await silence(shop)
    (talk,) = await shop.rows(Conversation)
    assert (talk.status, talk.due_at) == ("expired", None)
    (lead,) = await shop.rows(Lead)
    assert (lead.complete, (await shop.rows(Person))[0].name) == (False, "Ana Ruiz")
    assert len(ana.heard(shop.first)) == 3
    heard = await shop.talk(ana, shop.first, "un portátil")
    assert "[timing]" in heard[-1]


async def test_a_known_person_is_greeted_by_name_and_not_asked_again(shop: Any) -> None:
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz", "un portátil", "hoy mismo")
    heard = await shop.talk(ana, shop.second, "buenas tardes")
    assert "[returning] Hola, Ana." in heard[0]
    assert "[need]" in heard[0]
    assert "[first] Hola." in (await shop.talk(ana, shop.foreign, "hola"))[0], "another company knows nothing of her"
    await shop.talk(ana, shop.second, "diez cajas", "hoy mismo")
    assert [(lead.interest, lead.stage) for lead in await shop.rows(Lead)] == [("form", "new"), ("quote", "new")]
    await shop.talk(ana, shop.first, "ahora quiero comprar un televisor")
    await shop.talk(ana, shop.first, "hoy mismo")
    assert len(await shop.rows(Lead, Lead.interest == "form", Lead.stage == "new")) == 1


async def test_consent_is_kept_with_its_words_and_where_they_came_from(any_shop: Any) -> None:
    shop = any_shop
    ana = shop.person()
    said = [await ana.say(shop.first, "hola")]
    await ana.wait_for(shop.first, 1)
    for word in ("STOP", "ALTA", "BAJA"):
        before = len(ana.heard(shop.first))
        said.append(await ana.say(shop.first, word))
        await ana.wait_for(shop.first, before + 1)
    await shop.settled()
    rows = await shop.rows(Consent)
    assert [(row.purpose, row.granted, row.words) for row in rows] == [
        ("marketing", False, "STOP"), ("marketing", True, "ALTA"), ("marketing", False, "BAJA"),
    ]  # fmt: skip
    assert [row.source for row in rows] == [f"whatsapp:{message.id}" for message in said[1:]]
    company, person = rows[0].company_id, rows[0].person_id
    assert await shop.database.read(lambda session: allowed(session, company, person, "marketing")) is False
    assert await shop.database.read(lambda session: allowed(session, company, person, "calls")) is None


async def test_somebody_who_asks_for_a_person_is_queued(shop: Any) -> None:
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "quiero hablar con una persona")
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, talk.due_at) == ("queued", None)
    (event,) = await shop.rows(Event, Event.kind == "HandoffRequested")
    assert (event.payload["reason"], event.conversation_id, event.person_id) == ("asked", talk.id, talk.person_id)


@pytest.mark.parametrize("kind", ["stop", "resume"])
async def test_whatsapps_own_switch_for_marketing_is_kept(shop: Any, kind: str) -> None:
    preference = {"wa_id": "573001234567", "user_id": "CO.1", "detail": "User requested", "category": "marketing_messages"}
    metadata = {"display_phone_number": "1", "phone_number_id": shop.first}
    change = {"metadata": metadata, "user_preferences": [preference | {"value": kind}]}
    raw = {"object": "whatsapp_business_account"}
    raw["entry"] = [{"id": "200000000000001", "changes": [{"field": "user_preferences", "value": change}]}]
    assert await shop.post(json.dumps(raw).encode()) == 200
    (consent,) = await shop.rows(Consent)
    assert (consent.granted, consent.words, consent.source) == (kind == "resume", "User requested", "whatsapp:user_preferences")
    assert [row.kind for row in await shop.rows(Event)] == ["ConsentChanged", "AccountNotice"]

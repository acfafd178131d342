"""From bodies to rows: nothing twice, nothing lost, everybody one person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

from bot.intake import Intake
from bot.simulator.webhooks import body
from bot.standin import StandIns
from data.tables import Conversation, Event, Identity, InboxMessage, Lead, Number, OutboxMessage, Person, WebhookBody

Value = Callable[..., dict[str, Any]]
WABA = "200000000000001"


async def test_a_message_that_comes_again_is_one_row_and_one_reply(any_shop: Any, value: Value) -> None:
    """Redelivered, written another way, and many at once."""
    ana = any_shop.person()
    any_shop.network.conversation(any_shop.first, ana).wrote_at = any_shop.service.clock.now()
    raw = body(WABA, "messages", value("hola"))
    spaced = json.dumps(json.loads(raw), indent=2, sort_keys=True, ensure_ascii=False).encode()
    answers = await asyncio.gather(*(any_shop.post(copy) for copy in [raw, spaced] * 6))
    await any_shop.settled()
    answers += [await any_shop.post(raw), await any_shop.post(spaced)]
    await any_shop.settled()
    assert set(answers) == {200}
    assert len(await any_shop.rows(InboxMessage)) == 1
    assert len(ana.heard(any_shop.first)) == len(await any_shop.rows(OutboxMessage)) == 1
    assert len(await any_shop.bodies()) == 14


async def test_one_body_with_300_messages_of_three_numbers(any_shop: Any, value: Value) -> None:
    numbers = (any_shop.first, any_shop.foreign, "555")
    values = [
        value(f"hola {n}", phone=f"5730000{n % 30:05}", number=numbers[n % 3]) | {"contacts": [{"wa_id": "1"}]}
        for n in range(300)
    ]
    changes = [{"value": each, "field": "messages"} for each in values]
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": changes}]}).encode()
    assert await any_shop.post(raw) == 200
    await any_shop.settled()
    rows = await any_shop.rows(InboxMessage)
    assert [row.text for row in rows] == [f"hola {n}" for n in range(300) if n % 3 < 2]
    known = {(await any_shop.number(number)).id: (await any_shop.number(number)).company_id for number in numbers[:2]}
    talks = {talk.id: talk for talk in await any_shop.rows(Conversation)}
    assert len(talks) == 20
    assert all(talk.company_id == known[talk.number_id] for talk in talks.values())
    assert all(row.company_id == talks[row.conversation_id].company_id for row in rows)
    assert all(row.company_id == talks[row.conversation_id].company_id for row in await any_shop.rows(OutboxMessage))
    (stored,) = await any_shop.bodies()
    assert (stored.state, "555" in stored.problem) == ("unknown_number", True)


async def test_webhooks_at_the_same_time_share_a_commit(shop: Any, value: Value) -> None:
    commits: list[Connection] = []

    def count(connection: Connection) -> None:
        commits.append(connection)

    event.listen(Engine, "commit", count)
    try:
        await asyncio.gather(*(shop.service.intake.accept(shop.service.channels["whatsapp"], raw) for raw in _bodies(value, 50)))
    finally:
        event.remove(Engine, "commit", count)
    assert len(await shop.rows(InboxMessage)) == 50
    assert len(commits) <= 3
    await shop.settled()


async def test_small_bodies_are_stored_whole_and_a_large_one_in_parts(shop: Any, value: Value) -> None:
    """What a person wrote in one body is there at once, to be answered together; what comes beside a large body has its turn."""
    parts, commits = shop.service, []
    stand_ins = StandIns(parts.numbers, parts.channels, parts.clock)
    intake = Intake(shop.database, parts.numbers, parts.clock, stand_ins.make, commits.append, lambda _number: False)
    small = [body(WABA, "messages", value("hola", "busco", "precios", phone=f"57300111{n:04}")) for n in range(30)]
    await asyncio.gather(*(intake.accept(parts.channels["whatsapp"], raw) for raw in small))
    assert [len(stored.arrived) for stored in commits] == [90]
    commits.clear()
    await intake.accept(parts.channels["whatsapp"], body(WABA, "messages", value(*(f"hola {n}" for n in range(120)))))
    assert [len(stored.arrived) for stored in commits] == [50, 50, 20]
    assert len(await shop.rows(InboxMessage)) == 210


async def test_a_body_that_the_database_refuses_harms_no_other(any_shop: Any, value: Value) -> None:
    """The books refuse one person for a while: that body is kept whole and reported, the others are stored as ever."""
    refuse, allow = any_shop.refusing("identities", "value", "573009999999")
    await any_shop.run_sql(refuse)
    poison = body(WABA, "messages", value("veneno", phone="573009999999"))
    good = _bodies(value, 5)
    answers = await asyncio.gather(*(any_shop.post(raw) for raw in [*good[:2], poison, *good[2:]]))
    assert answers == [200] * 6
    assert sorted(row.text for row in await any_shop.rows(InboxMessage)) == [f"hola {n}" for n in range(5)]
    (kept,) = await any_shop.rows(WebhookBody, WebhookBody.state == "unreadable")
    assert kept.body == poison
    await any_shop.run_sql(allow)
    assert await any_shop.post(poison) == 200
    assert len(await any_shop.rows(InboxMessage, InboxMessage.text == "veneno")) == 1
    await any_shop.settled()


async def test_what_the_database_refuses_in_a_large_body_harms_none_that_came_before(any_shop: Any, value: Value) -> None:
    """It takes several commits; the messenger posts it again, and nothing is stored twice."""
    refuse, allow = any_shop.refusing("identities", "value", "573009999999")
    phones = [f"5730000{n:05}" for n in range(119)] + ["573009999999"]
    values = [value(f"hola {n}", phone=phone) | {"contacts": [{"wa_id": "1"}]} for n, phone in enumerate(phones)]
    changes = [{"value": each, "field": "messages"} for each in values]
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": changes}]}).encode()
    await any_shop.run_sql(refuse)
    assert await any_shop.post(raw) == 200
    assert [row.text for row in await any_shop.rows(InboxMessage)] == [f"hola {n}" for n in range(100)]
    assert [row.state for row in await any_shop.bodies()] == ["split", "unreadable"]
    await any_shop.run_sql(allow)
    assert await any_shop.post(raw) == 200
    await any_shop.settled()
    assert [row.text for row in await any_shop.rows(InboxMessage)] == [f"hola {n}" for n in range(120)]
    assert len(await any_shop.rows(OutboxMessage)) == 120


def _bodies(value: Value, count: int) -> list[bytes]:
    return [body(WABA, "messages", value(f"hola {n}", phone=f"57300111{n:04}")) for n in range(count)]


async def test_one_person_whatever_the_spelling_of_the_phone(any_shop: Any, value: Value) -> None:
    spellings = (("5215512345678", "525512345678"), ("541123456789", "5491123456789"), ("551187654321", "5511987654321"))
    for first, second in spellings:
        assert await any_shop.post(value("hola", phone=first)) == 200
        assert await any_shop.post(value("hola", phone=second, number=any_shop.second)) == 200
    await any_shop.settled()
    assert len(await any_shop.rows(Person)) == 3
    assert len(await any_shop.rows(Conversation)) == 6
    recipients = [row.recipient["phone"] for row in await any_shop.rows(OutboxMessage)]
    assert sorted(recipients) == sorted(sum(spellings, ()))


async def test_a_bsuid_and_a_phone_that_turn_out_to_be_one_person_are_one_lead(any_shop: Any, value: Value) -> None:
    """First by BSUID alone, then by phone alone, then with both: the two become one, with all that was said and told."""
    bsuid, phone = "CO.1349120865", "573001234567"

    async def says(*words: str, **who: Any) -> None:
        for each in words:
            assert await any_shop.post(value(each, **who)) == 200
            await any_shop.settled()

    await says("hola", "Ana Ruiz", "un portátil", "hoy mismo", phone=None, bsuid=bsuid)
    await says("hola", "Ana Ruiz", "un celular", "hoy mismo", phone=phone)
    assert len(await any_shop.rows(Lead, Lead.stage == "new")) == 2
    await says("gracias", phone=phone, bsuid=bsuid)

    (person,) = await any_shop.rows(Person, Person.merged_into_id.is_(None))
    assert {(row.kind, row.value, row.person_id) for row in await any_shop.rows(Identity)} == {
        ("bsuid", bsuid, person.id),
        ("phone", phone, person.id),
    }
    (lead,) = await any_shop.rows(Lead, Lead.stage == "new")
    assert (lead.person_id, lead.answers[1]["value"]) == (person.id, "un celular")
    (talk,) = await any_shop.rows(Conversation)
    assert {row.conversation_id for row in await any_shop.rows(InboxMessage)} == {talk.id}
    assert len(await any_shop.rows(InboxMessage)) == 9


async def test_what_brought_somebody_stays_with_the_talk_and_the_lead(shop: Any, value: Value) -> None:
    ad = {
        "source_url": "https://fb.me/x",
        "source_id": "120",
        "source_type": "ad",
        "ctwa_clid": "ARAk-x",
        "headline": "Portátiles",
    }
    ana, luis = shop.person(), shop.person("Luis Gil", "+57 310 222 3344")
    await ana.say(shop.first, "hola", referral=ad)
    await luis.say(shop.first, "Hola, quiero más información ref:AB12CD")
    await shop.settled()
    for person in (ana, luis):
        await shop.talk(person, shop.first, person.name, "un portátil", "hoy mismo")
    assert [talk.referral for talk in await shop.rows(Conversation)] == [ad, {"form": "AB12CD"}]
    assert [(lead.source, lead.referral) for lead in await shop.rows(Lead)] == [("ad", ad), ("form", {"form": "AB12CD"})]


async def test_what_is_told_of_a_number_or_a_person_is_acted_on_and_kept(any_shop: Any, value: Value) -> None:
    shop = any_shop

    async def tells(field: str, change: dict[str, Any]) -> None:
        assert await shop.post(body(WABA, field, change)) == 200
        await shop.settled()

    await shop.post(value("hola", phone=None, bsuid="CO.1"))
    await shop.settled()
    await tells(
        "user_id_update", {"user_id_update": [{"user_id": {"previous": "CO.1", "current": "CO.2"}}], "metadata": _of(shop)}
    )
    await tells("phone_number_quality_update", {"event": "DOWNGRADE", "current_limit": "TIER_1K", "metadata": _of(shop)})
    await tells("message_template_status_update", {"event": "REJECTED", "message_template_name": "x\0"})
    await tells("account_update", {"event": "DISABLED_UPDATE"})
    assert {row.value for row in await shop.rows(Identity)} == {"CO.1", "CO.2"}
    assert (await shop.number(shop.first)).quality == "TIER_1K"
    stopped = {row.external_id: row.stopped for row in await shop.rows(Number)}
    assert stopped == {shop.first: "DISABLED_UPDATE", shop.second: "DISABLED_UPDATE", shop.foreign: None}
    assert shop.service.numbers.find("whatsapp", shop.first).row.stopped == "DISABLED_UPDATE"
    kept = [row.payload["field"] for row in await shop.rows(Event, Event.kind == "AccountNotice")]
    assert sorted(set(kept)) == [
        "account_update", "message_template_status_update", "phone_number_quality_update", "user_id_update",
    ]  # fmt: skip


def _of(shop: Any) -> dict[str, str]:
    return {"display_phone_number": "1", "phone_number_id": shop.first}

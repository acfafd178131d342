"""What the service's webhook gets: signatures, retries, order, statuses, and every kind of message that a person sends."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import Clock
from bot.simulator.conversation import Message
from bot.simulator.delivery import Profile
from bot.simulator.network import Network, Number
from bot.simulator.people import NoSuchChoice, Person
from bot.simulator.webhooks import Webhooks

HELLO = {"type": "text", "text": {"body": "Hola"}}
BUTTONS = {
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "¿Compras para…?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "buyer:empresa", "title": "Una empresa"}}]},
    },
}
LIST = {
    "type": "interactive",
    "interactive": {
        "type": "list",
        "body": {"text": "¿Para cuándo?"},
        "action": {"button": "Ver", "sections": [{"rows": [{"id": "timing:hoy", "title": "Hoy", "description": "Urgente"}]}]},
    },
}


async def test_the_body_is_metas_and_signed_over_its_raw_bytes(ana: Person, shop: Number, service: Any, network: Network) -> None:
    message = await ana.say(shop, "¿Tienen portátiles? \ud83d")
    assert message.status == "delivered"
    [raw], [headers] = service.bodies, service.headers
    assert headers["X-Hub-Signature-256"] == "sha256=" + hmac.new(b"app-secret", raw, hashlib.sha256).hexdigest()
    assert raw.isascii()
    assert json.loads(raw) == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "102290129340398",
                "changes": [
                    {
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {"display_phone_number": "576015550100", "phone_number_id": "106540352242922"},
                            "contacts": [{"profile": {"name": "Ana Ruiz"}, "user_id": ana.bsuid, "wa_id": "573001234567"}],
                            "messages": [
                                {
                                    "from": "573001234567",
                                    "from_user_id": ana.bsuid,
                                    "id": message.id,
                                    "timestamp": str(int(message.at.timestamp())),
                                    "type": "text",
                                    "text": {"body": "¿Tienen portátiles? \ud83d"},
                                }
                            ],
                        },
                        "field": "messages",
                    }
                ],
            }
        ],
    }


async def test_refused_webhooks_come_again_and_in_order(ana: Person, shop: Number, service: Any, network: Network) -> None:
    service.answers = [500, 401, 302, 503]
    first = await ana.say(shop, "uno")
    assert first.status == "sending"
    await asyncio.gather(*(ana.say(shop, word) for word in ("dos", "tres", "cuatro")))
    await network.settled()
    assert [m["text"]["body"] for m in service.messages] == ["uno", "dos", "tres", "cuatro"]
    assert service.answers == []


async def test_nothing_is_lost_while_nobody_listens(network: Network, shop: Number, ana: Person, service: Any) -> None:
    url, network.webhooks.url = network.webhooks.url, "http://127.0.0.1:9/webhooks/whatsapp"
    await ana.say(shop, "¿hay alguien?")
    assert network.webhooks.waiting == 1
    network.webhooks.url = url
    await network.settled()
    assert [m["text"]["body"] for m in service.messages] == ["¿hay alguien?"]


async def test_once_closed_it_sends_nothing_more(service: Any) -> None:
    hooks = Webhooks(service.url, "app-secret", first_retry=0.01)
    service.answers = [500] * 100
    tried = hooks.send("ana", b"{}")
    assert await tried == 500
    await hooks.close()
    late = hooks.send("ana", b"{}")
    assert late.cancelled()
    assert hooks.waiting == 0
    await asyncio.sleep(0.05)
    assert len(service.answers) == 99


async def test_a_refused_person_does_not_hold_up_another(network: Network, shop: Number, ana: Person, service: Any) -> None:
    beto = network.person("Beto", "573007654321")
    service.answers = [500]
    await ana.say(shop, "hola")
    await beto.say(shop, "buenas")
    await network.settled()
    assert sorted(m["text"]["body"] for m in service.messages) == ["buenas", "hola"]


async def test_statuses_come_in_order_and_carry_our_data(
    client: Any, ana: Person, shop: Number, service: Any, network: Network
) -> None:
    await ana.say(shop, "hola")
    _, body = await client.send(shop, HELLO | {"biz_opaque_callback_data": "outbox-9"})
    await network.settled()
    assert [s["status"] for s in service.statuses] == ["sent", "delivered", "read"]
    assert {(s["id"], s["biz_opaque_callback_data"], s["recipient_id"]) for s in service.statuses} == {
        (body["messages"][0]["id"], "outbox-9", "573001234567")
    }
    assert service.values[-1]["contacts"] == [ana.contact()]
    assert service.statuses[0]["pricing"] == {"billable": False, "pricing_model": "PMP", "type": "regular", "category": "service"}


async def test_a_phone_that_reports_little_or_nothing(client: Any, network: Network, shop: Number, service: Any) -> None:
    for phone, reports in (("573000000001", ("sent",)), ("573000000002", ())):
        await network.person(phone, phone, reports=reports).say(shop, "hola")
        await client.send(shop, HELLO, to=phone)
    await network.settled()
    assert [(s["recipient_id"], s["status"]) for s in service.statuses] == [("573000000001", "sent")]


async def test_a_lively_network_skips_swaps_and_repeats(service: Any) -> None:
    lively = Profile(sent=(0.001, 0.01), delivered=(0.02, 0.03), read=(0.05, 0.06), skip=0.1, swap=0.1, twice=0.1)
    async with Network(clock=Clock(), webhook_url=service.url, app_secret="s", token="t", profile=lively, seed=7) as network:
        number = network.number("1", "+57 601 555 0100", "Andina", "2")
        people = [network.person(f"P{n}", f"5730000000{n:02}") for n in range(60)]
        await asyncio.gather(*(person.say(number, "hola") for person in people))
        for person in people:
            network.delivery.accept(number, {"to": person.phone} | HELLO)
        await network.settled()
    by_message: dict[str, list[str]] = {}
    for status in service.statuses:
        by_message.setdefault(status["id"], []).append(status["status"])
    assert len(by_message) == 60
    assert any("delivered" not in seen for seen in by_message.values())
    assert any(seen.index("read") < seen.index("delivered") for seen in by_message.values() if {"read", "delivered"} <= set(seen))
    assert any(len(seen) > len(set(seen)) for seen in by_message.values())
    assert all(seen.count("read") >= 1 for seen in by_message.values())


async def test_buttons_rows_and_quick_replies_are_pressed(client: Any, ana: Person, shop: Number, service: Any) -> None:
    await ana.say(shop, "hola")
    sent = [(await client.send(shop, message))[1]["messages"][0]["id"] for message in (BUTTONS, LIST)]
    await ana.press(shop, "Una empresa")
    await ana.press(shop, "timing:hoy")
    button, row = [m for m in service.messages if m["type"] == "interactive"]
    assert button["interactive"] == {"type": "button_reply", "button_reply": {"id": "buyer:empresa", "title": "Una empresa"}}
    assert row["interactive"]["list_reply"] == {"id": "timing:hoy", "title": "Hoy", "description": "Urgente"}
    assert [button["context"], row["context"]] == [{"from": "576015550100", "id": wamid} for wamid in sent]
    with pytest.raises(NoSuchChoice):
        await ana.press(shop, "Mañana")


async def test_every_other_kind(client: Any, ana: Person, shop: Number, service: Any) -> None:
    referral = {"source_id": "120", "source_type": "ad", "headline": "Oferta", "ctwa_clid": "AR1"}
    said = await ana.say(shop, "hola", referral=referral)
    _, body = await client.send(shop, HELLO)
    answer = body["messages"][0]["id"]
    await ana.say(shop, "ese", about=answer)
    await ana.say(shop, "mira", forwarded=True)
    await ana.send_voice(shop)
    await ana.send_image(shop, caption="este")
    await ana.send_sticker(shop)
    await ana.send_file(shop, b"%PDF", "application/pdf", filename="rut.pdf")
    await ana.send_file(shop, b"....", "video/mp4")
    await ana.send_location(shop, 4.67, -74.04, name="Parque de la 93")
    await ana.send_contact(shop, "Marta Rojas", "+57 310 555 0199")
    await ana.send_order(shop, "9", [{"product_retailer_id": "P1", "quantity": 2, "item_price": 10, "currency": "COP"}])
    await ana.finish_form(shop, answer, '{"nit": "900"}')
    await ana.react(shop, answer, "👍")
    await ana.react(shop, answer, "")
    await ana.edit(shop, said.id, "hola!")
    await ana.delete(shop, said.id)
    await ana.send_unsupported(shop)
    await ana.change_phone("573019999999")
    got = service.messages
    kinds = "text text text audio image sticker document video location contacts order interactive reaction reaction edit revoke"
    assert [m["type"] for m in got] == [*kinds.split(), "unsupported", "system"]
    assert got[0]["referral"] == referral
    assert got[1]["context"] == {"from": "576015550100", "id": answer}
    assert got[2]["context"] == {"forwarded": True}
    assert got[3]["audio"]["voice"] is True
    assert got[3]["audio"]["mime_type"] == "audio/ogg; codecs=opus"
    assert (got[4]["image"]["caption"], got[6]["document"]["filename"]) == ("este", "rut.pdf")
    assert got[9]["contacts"][0]["name"] == {"formatted_name": "Marta Rojas", "first_name": "Marta", "last_name": "Rojas"}
    assert got[11]["interactive"]["nfm_reply"]["response_json"] == '{"nit": "900"}'
    assert [m["reaction"]["emoji"] for m in got[12:14]] == ["👍", ""]
    assert got[14]["edit"]["original_message_id"] == said.id
    assert got[14]["edit"]["message"]["text"] == {"body": "hola!"}
    assert got[15]["revoke"] == {"original_message_id": said.id}
    assert got[16]["errors"][0]["code"] == 131051
    assert (got[17]["from"], got[17]["system"]["wa_id"], got[17]["system"]["type"]) == (
        "573001234567",
        "573019999999",
        "user_changed_number",
    )
    assert (said.text, said.edited, said.deleted) == ("hola!", True, True)


async def test_waiting_for_an_answer(client: Any, ana: Person, shop: Number, service: Any) -> None:
    async def echo(value: dict[str, Any]) -> None:
        for message in value.get("messages", ()):
            await client.send(shop, {"type": "text", "text": {"body": f"eco: {message['text']['body']}"}})

    service.react = echo
    await ana.say(shop, "hola")
    assert [m.text for m in await ana.wait_for(shop, 1)] == ["eco: hola"]
    with pytest.raises(TimeoutError, match="eco: hola"):
        await ana.wait_for(shop, lambda heard: any(m.text == "adiós" for m in heard), timeout=0.01)


async def test_the_clock_is_in_the_timestamps(ana: Person, shop: Number, service: Any, network: Network) -> None:
    await ana.say(shop, "hoy")
    network.advance(timedelta(days=1))
    await ana.say(shop, "mañana")
    first, second = (int(m["timestamp"]) for m in service.messages)
    assert 86_400 <= second - first <= 86_402


async def test_only_the_newest_messages_are_kept(service: Any) -> None:
    async with Network(clock=Clock(), webhook_url=service.url, app_secret="s", token="t", history=3) as network:
        number, person = network.number("1", "+57 1", "Andina", "2"), network.person("Ana", "573001234567")
        for n in range(5):
            await person.say(number, str(n))
        assert [m.text for m in person.screen(number)] == ["2", "3", "4"]


def test_ticks_never_go_back(ana: Person, network: Network) -> None:
    message = Message("wamid.1", "text", {"body": "x"}, network.clock.now(), mine=False)
    assert [message.advance(status) for status in ("delivered", "sent", "read", "delivered", "failed", "read")] == [
        True,
        False,
        True,
        False,
        True,
        False,
    ]

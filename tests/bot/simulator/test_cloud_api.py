"""The local Graph API as a business sees it: answers, refusals, rates, the window, media, templates, the account."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.simulator.media import sample
from bot.simulator.network import Network, Number
from bot.simulator.people import Person

HELLO = {"type": "text", "text": {"body": "Hola, Ana"}}


def error(code: int, message: str, details: str | None = None, **more: Any) -> dict[str, Any]:
    """The body that Meta documents, without its trace id."""
    data = {} if details is None else {"error_data": {"messaging_product": "whatsapp", "details": details}}
    return {"error": {"message": message, "type": "OAuthException", "code": code} | data | more}


def untraced(body: dict[str, Any]) -> dict[str, Any]:
    assert body["error"].pop("fbtrace_id")
    return body


async def test_a_message_is_answered_with_its_id_and_shown(
    client: Any, shop: Number, ana: Person, service: Any, network: Network
) -> None:
    asked = await ana.say(shop, "hola")
    status, body = await client.send(shop, HELLO | {"context": {"message_id": asked.id}}, to="+57 300 123-4567")
    assert status == 200
    wamid = body["messages"][0]["id"]
    assert wamid.startswith("wamid.")
    contacts = [{"input": "+57 300 123-4567", "wa_id": "573001234567"}]
    assert body == {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]}
    [heard] = ana.heard(shop)
    assert (heard.id, heard.text, heard.about) == (wamid, "Hola, Ana", asked.id)


async def test_a_person_without_a_phone_is_written_to_by_bsuid(client: Any, shop: Number, network: Network, service: Any) -> None:
    luz = network.person("Luz", bsuid="CO.13491208655302741918")
    await luz.say(shop, "hola")
    assert "from" not in service.messages[0]
    assert service.messages[0]["from_user_id"] == luz.bsuid
    assert service.values[0]["contacts"] == [{"profile": {"name": "Luz"}, "user_id": luz.bsuid}]
    body = {"messaging_product": "whatsapp", "recipient": luz.bsuid} | HELLO
    status, answer = await client.call("POST", f"{shop.id}/messages", body)
    assert (status, answer["contacts"]) == (200, [{"input": luz.bsuid, "user_id": luz.bsuid}])
    await network.settled()
    assert {(s["recipient_user_id"], s.get("recipient_id")) for s in service.statuses} == {(luz.bsuid, None)}
    assert luz.heard(shop)[0].status == "read"


async def test_one_line_in_every_national_spelling(client: Any, shop: Number, network: Network) -> None:
    for phone, written in (
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
        ("5511987654321", "551187654321"),
    ):
        person = network.person(phone, phone)
        await person.say(shop, "hola")
        _, body = await client.send(shop, HELLO, to=written)
        assert body["contacts"] == [{"input": written, "wa_id": phone}]
        assert len(person.heard(shop)) == 1


@pytest.mark.parametrize(
    ("path", "message", "status", "expected"),
    [
        (
            "{shop}/messages",
            {"to": "573001234567", "type": "text", "text": {"body": "x" * 4097}},
            400,
            error(100, "(#100) Param text['body'] must be at most 4096 characters long."),
        ),
        (
            "{shop}/messages",
            {"to": "hola"} | HELLO,
            400,
            error(131009, "(#131009) Parameter value is not valid", "Parameter 'to' is not a valid phone number."),
        ),
        (
            "{shop}/messages",
            {"to": "573001234567", "type": "template", "template": {"name": "nada", "language": {"code": "es"}}},
            404,
            error(
                132001, "(#132001) Template name does not exist in the translation", "template name (nada) does not exist in es"
            ),
        ),
        (
            "{shop}/messages",
            {"to": "576015550100"} | HELLO,
            400,
            error(131021, "(#131021) Recipient cannot be sender", "The recipient phone number is the sender phone number."),
        ),
    ],
    ids=["too long", "not a phone", "no template", "to itself"],
)
async def test_refusals_have_metas_body(
    path: str, message: dict[str, Any], status: int, expected: dict[str, Any], client: Any, shop: Number, ana: Person
) -> None:
    got = await client.call("POST", path.format(shop=shop.id), {"messaging_product": "whatsapp"} | message)
    assert (got[0], untraced(got[1])) == (status, expected)


async def test_an_unknown_number_is_100_with_subcode_33(client: Any, shop: Number) -> None:
    status, body = await client.call("POST", "999/messages", {"messaging_product": "whatsapp", "to": "573001234567"} | HELLO)
    assert (status, body["error"]["code"], body["error"]["error_subcode"]) == (400, 100, 33)
    assert body["error"]["type"] == "GraphMethodException"
    assert body["error"]["message"].startswith("Unsupported post request. Object with ID '999' does not exist")


async def test_a_wrong_token_and_a_body_that_is_not_json(client: Any, shop: Number) -> None:
    status, body = await client.call("GET", shop.id, headers={"Authorization": "Bearer other"})
    assert (status, body["error"]["code"], body["error"]["type"]) == (401, 190, "OAuthException")
    status, body = await client.call("POST", f"{shop.id}/messages", data=b"{", headers={"Content-Type": "application/json"})
    assert (status, body["error"]["code"]) == (400, 100)


async def test_outside_24_hours_only_a_template_arrives(
    client: Any, shop: Number, ana: Person, service: Any, network: Network
) -> None:
    await ana.say(shop, "hola")
    network.advance(timedelta(hours=23, minutes=59))
    await client.send(shop, HELLO)
    network.advance(timedelta(hours=1))
    status, body = await client.send(shop, HELLO | {"biz_opaque_callback_data": "77"})
    assert status == 200
    await network.settled()
    late = [s for s in service.statuses if s["id"] == body["messages"][0]["id"]]
    assert [(s["status"], s["errors"][0]["code"], s["biz_opaque_callback_data"]) for s in late] == [("failed", 131047, "77")]
    assert late[0]["errors"][0]["title"] == "Re-engagement message"
    network.templates.create(
        shop.waba, {"name": "hola", "language": "es", "components": [{"type": "BODY", "text": "Hola {{1}}, ¿seguimos?"}]}
    )
    parameters = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    template = {"type": "template", "template": {"name": "hola", "language": {"code": "es"}, "components": parameters}}
    status, body = await client.send(shop, template)
    assert (status, body["messages"][0]["message_status"]) == (200, "accepted")
    assert [m.text for m in ana.heard(shop)] == ["Hola, Ana", "Hola Ana, ¿seguimos?"]
    await ana.say(shop, "sí")
    await client.send(shop, HELLO)
    assert len(ana.heard(shop)) == 3


async def test_a_phone_without_whatsapp_fails_later(client: Any, shop: Number, service: Any, network: Network) -> None:
    status, _ = await client.send(shop, HELLO, to="573009999999")
    await network.settled()
    assert (status, service.statuses[0]["status"], service.statuses[0]["errors"][0]["code"]) == (200, "failed", 131026)
    assert service.statuses[0]["recipient_id"] == "573009999999"


async def test_45_messages_to_one_person_at_once_and_then_one_in_six_seconds(
    client: Any, shop: Number, ana: Person, network: Network
) -> None:
    await ana.say(shop, "hola")
    assert [(await client.send(shop, HELLO))[0] for _ in range(45)] == [200] * 45
    status, body = await client.send(shop, HELLO)
    assert (status, body["error"]["code"]) == (429, 131056)
    network.advance(timedelta(seconds=6))
    assert (await client.send(shop, HELLO))[0] == 200
    assert (await client.send(shop, HELLO))[0] == 429


async def test_a_number_is_held_to_its_throughput(client: Any, network: Network) -> None:
    slow = network.number("55", "+57 601 555 0199", "Lenta", "1", throughput=1)
    got = await asyncio.gather(*(client.send(slow, HELLO, to=f"57300000000{n}") for n in range(3)))
    assert sorted(status for status, _ in got) == [200, 429, 429]
    assert [body["error"]["code"] for status, body in got if status == 429] == [130429, 130429]


async def test_read_and_typing(client: Any, shop: Number, ana: Person, network: Network, service: Any) -> None:
    asked = await ana.say(shop, "hola")
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": asked.id, "typing_indicator": {"type": "text"}}
    assert await client.call("POST", f"{shop.id}/messages", read) == (200, {"success": True})
    conversation = network.conversation(shop.id, ana)
    assert (asked.status, conversation.typing(network.clock.now())) == ("read", True)
    await client.send(shop, HELLO)
    assert not conversation.typing(network.clock.now())
    await ana.react(shop, asked.id, "👍")
    assert (await client.call("POST", f"{shop.id}/messages", read | {"message_id": service.messages[-1]["id"]}))[0] == 200
    status, body = await client.call("POST", f"{shop.id}/messages", read | {"message_id": "wamid.other"})
    assert (status, body["error"]["code"]) == (400, 131009)


def form(content: bytes, mime: str) -> aiohttp.FormData:
    data = aiohttp.FormData()
    data.add_field("messaging_product", "whatsapp")
    data.add_field("file", content, filename="a", content_type=mime)
    return data


async def test_media_goes_up_is_sent_and_comes_down(client: Any, shop: Number, ana: Person, network: Network) -> None:
    photo = sample("photo.jpg")
    status, uploaded = await client.call("POST", f"{shop.id}/media", data=form(photo, "image/jpeg"))
    assert (status, list(uploaded)) == (200, ["id"])
    await ana.say(shop, "hola")
    await client.send(shop, {"type": "image", "image": {"id": uploaded["id"], "caption": "La oferta"}})
    assert ana.heard(shop)[0].text == "La oferta"
    _, about = await client.call("GET", uploaded["id"])
    digest = hashlib.sha256(photo).hexdigest()
    assert (about["mime_type"], about["sha256"], about["file_size"], about["id"]) == (
        "image/jpeg",
        digest,
        len(photo),
        uploaded["id"],
    )
    async with client.session.get(about["url"]) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", photo)
    async with aiohttp.ClientSession() as stranger, stranger.get(about["url"]) as answer:
        assert answer.status == 401
    network.advance(timedelta(minutes=6))
    async with client.session.get(about["url"]) as answer:
        assert answer.status == 404
    assert await client.call("DELETE", uploaded["id"]) == (200, {"success": True})
    assert (await client.call("GET", uploaded["id"]))[1]["error"]["error_subcode"] == 33


async def test_a_received_file_lives_seven_days(client: Any, shop: Number, ana: Person, network: Network) -> None:
    note = await ana.send_voice(shop)
    network.advance(timedelta(days=7, seconds=-5))
    assert (await client.call("GET", note.content["id"]))[0] == 200
    network.advance(timedelta(seconds=10))
    assert (await client.call("GET", note.content["id"]))[0] == 400


async def test_a_file_of_another_kind_or_a_dead_link_fails_later(
    client: Any, shop: Number, ana: Person, service: Any, network: Network
) -> None:
    await ana.say(shop, "hola")
    _, uploaded = await client.call("POST", f"{shop.id}/media", data=form(b"%PDF", "application/pdf"))
    assert (await client.send(shop, {"type": "image", "image": {"id": uploaded["id"]}}))[0] == 200
    assert (await client.send(shop, {"type": "image", "image": {"link": service.url}}))[0] == 200
    await network.settled()
    assert [(s["status"], s["errors"][0]["code"]) for s in service.statuses] == [("failed", 131053)] * 2
    status, body = await client.send(shop, {"type": "image", "image": {"id": "1"}})
    assert (status, body["error"]["code"]) == (400, 131009)
    assert ana.heard(shop) == []


async def test_a_link_is_fetched_as_meta_does(
    client: Any, shop: Number, ana: Person, network: Network, aiohttp_server: Any
) -> None:
    app = aiohttp.web.Application()
    app.router.add_get("/a.png", _picture)
    site = await aiohttp_server(app)
    await ana.say(shop, "hola")
    await client.send(shop, {"type": "image", "image": {"link": str(site.make_url("/a.png"))}})
    [picture] = await ana.wait_for(shop, 1)
    kept = network.media.get(picture.content["id"])
    assert kept is not None
    assert kept.content == b"\x89PNG"


async def _picture(_: aiohttp.web.Request) -> aiohttp.web.Response:
    return aiohttp.web.Response(body=b"\x89PNG", content_type="image/png")


async def test_templates_are_listed_and_checked(client: Any, shop: Number, ana: Person) -> None:
    created = {
        "name": "cotizacion",
        "language": "es",
        "category": "UTILITY",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Cotización {{1}}"},
            {"type": "BODY", "text": "Hola {{1}}, tu total es {{2}}."},
            {"type": "FOOTER", "text": "Electrónica Andina"},
            {
                "type": "BUTTONS",
                "buttons": [{"type": "QUICK_REPLY", "text": "Aceptar"}, {"type": "URL", "text": "Ver", "url": "https://a.co"}],
            },
        ],
    }
    status, made = await client.call("POST", f"{shop.waba}/message_templates", created)
    assert (status, made["status"], made["category"]) == (200, "APPROVED", "UTILITY")
    assert (await client.call("POST", f"{shop.waba}/message_templates", created))[1]["error"]["error_subcode"] == 2388024
    _, listed = await client.call("GET", f"{shop.waba}/message_templates?name=cotizacion&fields=name,status")
    assert listed["data"] == [{"name": "cotizacion", "status": "APPROVED", "id": made["id"]}]

    def sent(*body: str) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [{"type": "header", "parameters": [{"type": "text", "text": "12"}]}]
        parts.append({"type": "body", "parameters": [{"type": "text", "text": word} for word in body]})
        parts.append(
            {"type": "button", "sub_type": "quick_reply", "index": 0, "parameters": [{"type": "payload", "payload": "ok:12"}]}
        )
        return {"type": "template", "template": {"name": "cotizacion", "language": {"code": "es"}, "components": parts}}

    status, body = await client.send(shop, sent("Ana"))
    assert (status, body["error"]["code"]) == (400, 132000)
    assert (await client.send(shop, sent("Ana", "$ 5.000")))[0] == 200
    [heard] = ana.heard(shop)
    assert (heard.content["rendered"]["header"], heard.text) == ("Cotización 12", "Hola Ana, tu total es $ 5.000.")
    assert (await ana.press(shop, "Aceptar")).content == {"payload": "ok:12", "text": "Aceptar"}


async def test_the_account(client: Any, shop: Number) -> None:
    _, number = await client.call("GET", shop.id)
    assert (number["display_phone_number"], number["verified_name"]) == ("+57 601 555 0100", "Electrónica Andina")
    _, numbers = await client.call("GET", f"{shop.waba}/phone_numbers")
    assert numbers["data"] == [number]
    assert (await client.call("POST", f"{shop.waba}/subscribed_apps"))[1] == {"success": True}
    assert (await client.call("GET", f"{shop.waba}/subscribed_apps"))[1]["data"][0]["whatsapp_business_api_data"]["id"]
    profile = {"messaging_product": "whatsapp", "about": "Portátiles", "websites": ["https://andina.example"]}
    assert (await client.call("POST", f"{shop.id}/whatsapp_business_profile", profile))[1] == {"success": True}
    _, got = await client.call("GET", f"{shop.id}/whatsapp_business_profile?fields=about,websites")
    assert got["data"] == [profile]
    assert (await client.call("GET", "1/phone_numbers"))[1]["error"]["error_subcode"] == 33


SAMPLES = Path(os.environ.get("MOSTRADOR_SAMPLES", "no samples")) / "meta-postman" / "response"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="MOSTRADOR_SAMPLES does not name the folder of Meta's examples")
async def test_answers_have_every_key_of_metas_examples(client: Any, shop: Number, ana: Person) -> None:
    def keys(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: keys(inner) for key, inner in value.items()}
        return [keys(value[0])] if isinstance(value, list) and value else None

    def covered(example: Any, ours: Any) -> bool:
        if isinstance(example, dict):
            return all(key in ours and covered(inner, ours[key]) for key, inner in example.items())
        return not isinstance(example, list) or not example or covered(example[0], ours[0])

    await ana.say(shop, "hola")
    _, uploaded = await client.call("POST", f"{shop.id}/media", data=form(b"\x89PNG", "image/png"))
    for name, (_, ours) in {
        "cloud_messages_send_reply_button_200.json": await client.send(shop, HELLO),
        "cloud_media_upload_image_200.json": (200, uploaded),
        "cloud_media_retrieve_media_url_200.json": await client.call("GET", uploaded["id"]),
        "cloud_get_started_get_phone_number_id_200.json": await client.call("GET", f"{shop.waba}/phone_numbers"),
        "cloud_phone_numbers_get_phone_number_by_id_200.json": await client.call("GET", shop.id),
        "cloud_whatsapp_business_accounts_wabas_get_waba_200.json": await client.call("GET", shop.waba),
    }.items():
        assert covered(keys(json.loads((SAMPLES / name).read_text("utf-8"))), keys(ours)), name

"""A real client that somebody else wrote (pywa) against the local Graph API, both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pywa_async import WhatsApp, errors, types
from pywa_async.types import Button, Section, SectionList, SectionRow
from pywa_async.types.templates import BodyText, Template, TemplateCategory, TemplateLanguage

from bot.simulator.media import sample
from bot.simulator.network import Network, Number
from bot.simulator.people import Person


class _ToLocal(httpx.AsyncHTTPTransport):
    """Sends what is meant for graph.facebook.com to the local Graph API."""

    def __init__(self, local: httpx.URL) -> None:
        super().__init__()
        self._local = local

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "graph.facebook.com":
            path = self._local.raw_path + request.url.raw_path
            request.url = request.url.copy_with(scheme="http", host=self._local.host, port=self._local.port, raw_path=path)
            request.headers["Host"] = f"{self._local.host}:{self._local.port}"
        return await super().handle_async_request(request)


@pytest.fixture
async def wa(graph: Any, shop: Number) -> AsyncIterator[WhatsApp]:
    session = httpx.AsyncClient(transport=_ToLocal(httpx.URL(str(graph.make_url("/graph")))))
    yield WhatsApp(
        phone_id=shop.id,
        token="local-token",
        session=session,
        waba_id=shop.waba,
        app_secret="app-secret",
        verify_token="v",
        server=None,
    )
    await session.aclose()


@pytest.fixture
async def asked(ana: Person, shop: Number) -> str:
    return (await ana.say(shop, "hola")).id


async def test_it_sends_text_buttons_and_lists(
    wa: WhatsApp, ana: Person, shop: Number, asked: str, network: Network, service: Any
) -> None:
    sent = await wa.send_message("573001234567", "Hola *Ana*", reply_to_message_id=asked, tracker="outbox-1")
    await wa.send_message(
        "573001234567", "¿Compras para…?", footer="Andina", buttons=[Button("Una empresa", "b:e"), Button("Para mí", "b:p")]
    )
    rows = SectionList(
        "Ver opciones", [Section("Cuándo", [SectionRow("Hoy", "t:hoy", "Urgente"), SectionRow("Este mes", "t:mes")])]
    )
    await wa.send_message(ana.bsuid, "¿Para cuándo?", buttons=rows)
    text, buttons, options = ana.heard(shop)
    assert (text.id, text.text, text.about) == (sent.id, "Hola *Ana*", asked)
    assert [(c.id, c.title) for c in buttons.choices] == [("b:e", "Una empresa"), ("b:p", "Para mí")]
    assert [(c.id, c.title, c.description) for c in options.choices] == [("t:hoy", "Hoy", "Urgente"), ("t:mes", "Este mes", "")]
    await network.settled()
    assert {s["biz_opaque_callback_data"] for s in service.statuses if s["id"] == sent.id} == {"outbox-1"}


async def test_it_sends_files_places_contacts_and_reactions(
    wa: WhatsApp, ana: Person, shop: Number, asked: str, network: Network
) -> None:
    to = "573001234567"
    await wa.send_image(to, sample("photo.jpg"), caption="La oferta", mime_type="image/jpeg")
    await wa.send_voice(to, sample("voice.ogg"), mime_type="audio/ogg; codecs=opus")
    await wa.send_document(to, b"%PDF-1.7", filename="cotizacion.pdf", mime_type="application/pdf")
    await wa.send_sticker(to, sample("sticker.webp"), mime_type="image/webp")
    await wa.send_location(to, 4.67, -74.04, "Tienda", "Calle 93")
    await wa.send_contact(to, types.Contact(name=types.Contact.Name("Marta Rojas", first_name="Marta")))
    await wa.send_reaction(to, "👍", asked)
    await network.settled()
    assert [m.type for m in ana.heard(shop)] == ["image", "audio", "document", "sticker", "location", "contacts"]
    picture = network.media.get(ana.heard(shop)[0].content["id"])
    assert picture is not None
    assert picture.content == sample("photo.jpg")
    assert ana.screen(shop)[0].reactions == {"business": "👍"}


async def test_it_reads_types_and_downloads(wa: WhatsApp, ana: Person, shop: Number, network: Network) -> None:
    note = await ana.send_voice(shop)
    assert (await wa.mark_message_as_read(note.id)).success
    assert (await wa.indicate_typing(note.id)).success
    assert network.conversation(shop.id, ana).typing(network.clock.now())
    where = await wa.get_media_url(note.content["id"])
    assert where.mime_type == "audio/ogg; codecs=opus"
    assert await wa.get_media_bytes(where.url) == sample("voice.ogg")
    media = await wa.upload_media(b"\x89PNG", mime_type="image/png", filename="a.png")
    assert (await wa.delete_media(media.id)).success


async def test_it_makes_and_sends_a_template(wa: WhatsApp, ana: Person, shop: Number) -> None:
    body = BodyText("Hola {{1}}, tu pedido {{2}} está listo.", "Ana", "12")
    template = Template(
        name="pedido_listo", language=TemplateLanguage.SPANISH, category=TemplateCategory.UTILITY, components=[body]
    )
    assert (await wa.create_template(template)).status == "APPROVED"
    assert [found.name for found in await wa.get_templates()] == ["pedido_listo"]
    await wa.send_template("573001234567", "pedido_listo", TemplateLanguage.SPANISH, [body.params("Ana", "33")])
    assert [m.text for m in ana.heard(shop)] == ["Hola Ana, tu pedido 33 está listo."]
    with pytest.raises(errors.TemplateNotExists):
        await wa.send_template("573001234567", "otra", TemplateLanguage.SPANISH, [])


async def test_it_sees_the_account(wa: WhatsApp, shop: Number) -> None:
    assert (await wa.update_business_profile(about="Portátiles en Bogotá", websites=["https://andina.example"])).success
    profile = await wa.get_business_profile()
    assert (profile.about, profile.websites) == ("Portátiles en Bogotá", ("https://andina.example",))
    assert (await wa.get_business_phone_number()).verified_name == "Electrónica Andina"
    assert [number.id for number in await wa.get_business_phone_numbers()] == [shop.id]


async def test_it_knows_our_refusals(wa: WhatsApp, asked: str) -> None:
    with pytest.raises(errors.InvalidParameter) as refused:
        await wa.send_message("573001234567", "¿?", buttons=[Button("x" * 21, "a")])
    assert (refused.value.code, refused.value.status_code) == (131009, 400)
    assert refused.value.details == "Button title length invalid. Min length: 1, Max length: 20"
    for _ in range(45):
        await wa.send_message("573001234567", "hola")
    with pytest.raises(errors.TooManyMessages):
        await wa.send_message("573001234567", "hola")


async def test_it_parses_what_we_tell(wa: WhatsApp, ana: Person, shop: Number, service: Any, network: Network) -> None:
    got: list[Any] = []

    async def keep(_: WhatsApp, update: Any) -> None:
        got.append(update)

    for register in (wa.on_message, wa.on_callback_button, wa.on_callback_selection, wa.on_message_status):
        register(keep)
    await ana.say(
        shop, "hola", referral={"source_url": "https://fb.me/1", "source_id": "1", "source_type": "ad", "ctwa_clid": "AR1"}
    )
    await wa.send_message("573001234567", "¿?", buttons=[Button("Una empresa", "b:e")])
    await wa.send_message(
        "573001234567", "¿?", buttons=SectionList("Ver", [Section("s", [SectionRow("Hoy", "t:hoy", "Urgente")])])
    )
    await ana.press(shop, "Una empresa")
    await ana.press(shop, "Hoy")
    await ana.send_image(shop, caption="este")
    await network.settled()
    for body, headers in zip(service.bodies, service.headers, strict=True):
        assert await wa.webhook_update_validator(body, headers["X-Hub-Signature-256"]) is None
        assert await wa.webhook_update_validator(body + b" ", headers["X-Hub-Signature-256"]) == ("Forbidden", 403)
        assert await wa.webhook_update_handler(body) == ("ok", 200)
    text, image = [u for u in got if isinstance(u, types.Message)]
    assert (text.text, text.from_user.wa_id, text.from_user.bsuid, text.from_user.name) == (
        "hola",
        "573001234567",
        ana.bsuid,
        "Ana Ruiz",
    )
    assert text.referral.ctwa_clid == "AR1"
    assert (image.caption, image.image.mime_type) == ("este", "image/jpeg")
    assert [u.data for u in got if isinstance(u, types.CallbackButton)] == ["b:e"]
    assert [(u.data, u.description) for u in got if isinstance(u, types.CallbackSelection)] == [("t:hoy", "Urgente")]
    statuses = [u.status for u in got if isinstance(u, types.MessageStatus)]
    assert statuses == ["sent", "delivered", "read"] * 2

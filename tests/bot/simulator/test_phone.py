"""The phone's page: what it may do, for whom, and what it sees live."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.simulator import cloud_api, phone
from bot.simulator.network import Network, Number
from bot.simulator.people import Person

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def page(network: Network) -> AsyncIterator[Client]:
    app = web.Application()
    phone.setup(app, network)
    async with TestClient(TestServer(app)) as client:
        yield client


async def act(page: Client, person: Person, number: Number, **what: Any) -> tuple[int, str]:
    answer = await page.post("/simulator/acts", json={"person": person.bsuid, "number": number.id} | what)
    return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("language", "title"), [("es", "WhatsApp de prueba"), ("pt", "WhatsApp de teste"), ("xx", "WhatsApp de prueba")]
)
async def test_the_page_has_no_inline_code_and_every_file_it_names(page: Client, language: str, title: str) -> None:
    answer = await page.get(f"/simulator/?lang={language}")
    html = await answer.text()
    assert title in html
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*(src=|application/json))|\sstyle=|\son\w+=", html)
    for name in set(re.findall(r"static/[\w.]+", html)) | {"static/bubbles.js", "static/pane.js"}:
        assert (await page.get(f"/simulator/{name}")).status == 200, name


async def test_every_act_reaches_the_service(page: Client, ana: Person, shop: Number, client: Any, service: Any) -> None:
    await act(page, ana, shop, do="say", text="hola", referral={"source_id": "1", "ctwa_clid": "AR1"})
    buttons = [{"type": "reply", "reply": {"id": "si", "title": "Sí"}}]
    question = {"type": "button", "body": {"text": "¿?"}, "action": {"buttons": buttons}}
    _, sent = await client.send(shop, {"type": "interactive", "interactive": question})
    mine, theirs = service.messages[0]["id"], sent["messages"][0]["id"]
    for what in (
        {"do": "press", "message": theirs, "choice": "si"},
        {"do": "say", "text": "mejor no", "about": theirs},
        {"do": "location", "latitude": "4.6", "longitude": "-74", "name": "Parque"},
        {"do": "contact", "name": "Marta", "phone": "+57 310 555 0199"},
        {"do": "voice"},
        {"do": "sticker"},
        {"do": "react", "message": theirs, "emoji": "👍"},
        {"do": "edit", "message": mine, "text": "hola!"},
        {"do": "delete", "message": mine},
    ):
        assert await act(page, ana, shop, **what) == (204, ""), what
    kinds = [m["type"] for m in service.messages]
    assert kinds == ["text", "interactive", "text", "location", "contacts", "audio", "sticker", "reaction", "edit", "revoke"]
    assert service.messages[0]["referral"]["ctwa_clid"] == "AR1"


async def test_a_file_is_sent_and_shown(page: Client, ana: Person, shop: Number, service: Any) -> None:
    query = {"person": ana.bsuid, "number": shop.id, "filename": "rut.pdf", "caption": "el RUT"}
    answer = await page.post("/simulator/files", params=query, data=b"%PDF", headers={"Content-Type": "application/pdf"})
    assert answer.status == 204
    document = service.messages[0]["document"]
    assert (document["filename"], document["caption"], document["mime_type"]) == ("rut.pdf", "el RUT", "application/pdf")
    shown = await page.get(f"/simulator/media/{document['id']}")
    assert (await shown.read(), shown.headers["Content-Disposition"]) == (b"%PDF", "attachment")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    part = await page.get(f"/simulator/media/{document['id']}", headers={"Range": "bytes=1-2"})
    assert (part.status, await part.read(), part.headers["Content-Range"]) == (206, b"PD", "bytes 1-2/4")


async def test_a_photo_may_be_bigger_than_a_webhook(network: Network, ana: Person, shop: Number) -> None:
    app = web.Application(client_max_size=1000)
    phone.setup(app, network)
    app.add_subapp("/graph", cloud_api.application(network))
    async with TestClient(TestServer(app)) as page:
        query, photo = {"person": ana.bsuid, "number": shop.id}, bytes(200_000)
        assert (
            await page.post("/simulator/files", params=query, data=photo, headers={"Content-Type": "image/png"})
        ).status == 204
        form = aiohttp.FormData({"messaging_product": "whatsapp"})
        form.add_field("file", photo, filename="a.png", content_type="image/png")
        headers = {"Authorization": f"Bearer {network.token}"}
        uploaded = await (await page.post(f"/graph/v26.0/{shop.id}/media", data=form, headers=headers)).json()
    files = [network.media.get(media_id) for media_id in (ana.screen(shop)[0].content["id"], uploaded["id"])]
    assert [len(file.content) for file in files if file] == [200_000, 200_000]


async def test_people_clock_and_faults(page: Client, network: Network, shop: Number) -> None:
    added = await (await page.post("/simulator/people", json={"name": "Luz", "phone": ""})).json()
    assert (added["phone"], network.people[added["id"]].name) == (None, "Luz")
    before = network.clock.now()
    assert (await page.post("/simulator/clock", json={"advance_hours": 24})).status == 200
    assert network.clock.now() - before >= timedelta(hours=24)
    fault = await (await page.post("/simulator/faults", json={"number": shop.id, "code": 131056, "times": 3})).json()
    assert [(f["code"], f["times"]) for f in fault["faults"]] == [(131056, 3)]
    state = await (await page.get("/simulator/state")).json()
    assert (state["numbers"][0]["name"], len(state["people"]), state["faults"]) == ("Electrónica Andina", 1, fault["faults"])
    assert await (await page.delete("/simulator/faults")).json() == {"faults": []}


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("people", {"name": " "}, 400),
        ("people", {"name": "Luz", "phone": "12"}, 400),
        ("clock", {"advance_hours": -1}, 400),
        ("clock", [], 400),
        ("faults", {"code": 5}, 400),
        ("faults", {"code": 1, "number": "9"}, 400),
        ("acts", {"person": "CO.1", "number": "9", "do": "say", "text": "x"}, 400),
    ],
)
async def test_what_makes_no_sense_is_said(path: str, given: Any, status: int, page: Client) -> None:
    answer = await page.post(f"/simulator/{path}", json=given)
    assert answer.status == status
    assert (await answer.json())["error"]


async def test_acts_that_make_no_sense(page: Client, ana: Person, shop: Number) -> None:
    assert (await act(page, ana, shop, do="fly"))[0] == 400
    assert (await act(page, ana, shop, do="say", text=""))[0] == 400
    assert (await act(page, ana, shop, do="say"))[0] == 400
    assert (await act(page, ana, shop, do="delete", message="wamid.x"))[0] == 404


async def test_only_this_machine_and_this_page(page: Client) -> None:
    assert (await page.get("/simulator/state", headers={"Host": "evil.example"})).status == 404
    assert (await page.get("/simulator/state", headers={"X-Forwarded-For": "10.0.0.1"})).status == 404
    assert (
        await page.post("/simulator/clock", json={"advance_hours": 1}, headers={"Origin": "https://evil.example"})
    ).status == 403
    assert (await page.post("/simulator/clock", data="{}", headers={"Content-Type": "text/plain"})).status == 400


async def test_the_page_is_told_live_and_let_go(page: Client, ana: Person, shop: Number, network: Network) -> None:
    async with page.get("/simulator/events", timeout=aiohttp.ClientTimeout(total=5)) as stream:
        events = _events(stream)
        assert (await anext(events))["event"] == "refresh"
        await ana.say(shop, "hola")
        told = await anext(events)
        assert (told["event"], told["person"], told["messages"][0]["text"]) == ("conversation", ana.bsuid, "hola")
        network.hang_up()
        assert [event async for event in events][-1]["messages"][0]["status"] == "delivered"


async def _events(stream: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in stream.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


async def test_a_page_that_falls_behind_fetches_anew(network: Network) -> None:
    with network.listen() as events:
        for n in range(201):
            network.publish({"event": "conversation", "n": n})
        await asyncio.sleep(0)
        assert [events.get_nowait() for _ in range(events.qsize())] == [{"event": "refresh"}]


def test_every_text_is_there_in_three_languages() -> None:
    catalogue = yaml.safe_load((phone.STATIC / "texts.yaml").read_text("utf-8"))
    for key, texts in catalogue.items():
        assert all(texts.get(language, "").strip() for language in phone.LANGUAGES), key
        places = {frozenset(re.findall(r"\{(\w+)\}", texts[language])) for language in phone.LANGUAGES}
        assert len(places) == 1, key


def test_every_text_the_code_names_exists_and_is_used() -> None:
    named = "".join(path.read_text("utf-8") for path in (*phone.STATIC.glob("*.js"), phone.STATIC / "phone.html"))
    named += (phone.STATIC.parent / "repl.py").read_text("utf-8")
    catalogue = phone.load_texts()["es"]
    asked = (
        set(re.findall(r'\bt\("(\w+)"', named))
        | set(re.findall(r"\{\{ t\.(\w+) \}\}", named))
        | set(re.findall(r'tell\("(\w+)"', named))
    )
    assert asked <= set(catalogue)
    assert [key for key in catalogue if not re.search(rf"\b{key}\b", named)] == []

"""The pages of the workplace: what stands below a thread, files in and out, the views of the list, and who may do what."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest
from aiohttp import ClientSession, CookieJar
from sqlalchemy import select
from yarl import URL

from bot import workplace
from bot.attachments import sent_path
from bot.channels.base import UNKNOWN_TIME
from bot.keys import CLOCK
from bot.takeover import take
from data.inbox import RANK
from data.tables import Assignment, CannedReply, Conversation, Note, Number, OutboxMessage, Person, Reminder, User
from tests.bot.web.conftest import HASH, Browser

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20


@dataclass
class Counter:
    """The whole service with a conversation, Ana's, and a seller's browser before it."""

    shop: Any
    ana: Any
    browser: Browser
    here: str
    seller: int

    async def sends(self, content: bytes, name: str, caption: str = "") -> str:
        """A file, as the page sends it; the box that comes back."""
        headers = {"X-CSRF-Token": self.browser.token, "X-File-Name": name, "X-Caption": caption, "Content-Type": "image/png"}
        answer = await self.browser.client.post(f"{self.here}/file", data=io.BytesIO(content), headers=headers)
        assert answer.status == 200
        return await answer.text()

    async def ours(self) -> list[OutboxMessage]:
        """What the seller sent, once it is settled."""
        await self.shop.settled()
        return [row for row in await self.shop.rows(OutboxMessage) if row.author_id == self.seller]


@pytest.fixture
async def counter(open_shop: Any, sqlite_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Counter]:
    shop = await open_shop(sqlite_url, **getattr(request, "param", {}))
    ana, now, company = shop.person(), shop.service.clock.now(), (await shop.number()).company_id
    user = User(company_id=company, email="v@una.co", name="Vera", role="seller", password_hash=HASH, created_at=now)
    await shop.database.write(lambda session: session.add(user))
    await ana.say(shop.first, "hola")
    await asyncio.wait_for(shop.service.turns.drain(5), 6)
    while not await shop.rows(Conversation, Conversation.last_in_at.is_not(None)):
        await asyncio.sleep(0.01)
    (talk,) = await shop.rows(Conversation)
    async with ClientSession(URL(shop.url).origin(), cookie_jar=CookieJar(unsafe=True)) as client:
        browser = Browser(cast(Any, client))
        await browser.log_in("v@una.co")
        yield Counter(shop, ana, browser, f"/conversations/{talk.id}", user.id)


UNREACHABLE = pytest.mark.parametrize("counter", [{"graph": "http://127.0.0.1:1/graph"}], indirect=True)


async def test_a_file_is_sent_kept_and_shown(counter: Counter) -> None:
    browser = counter.browser
    box = await counter.sends(PNG, "cat%C3%A1logo%20%3Cb%3E.png", "As%C3%AD%20se%20ve")
    assert 'data-sent="yes"' in box
    (row,) = await counter.ours()
    assert (row.kind, row.text, row.rank) == ("file", "Así se ve", RANK["read"])
    sent = counter.ana.heard(counter.shop.first)[-1]
    assert (sent.type, sent.content["caption"]) == ("image", "Así se ve")
    assert counter.shop.network.media.get(sent.content["id"]).content == PNG
    assert f'<img src="/sent/{row.id}"' in await browser.get(f"{counter.here}/thread")
    answer = await browser.client.get(f"/sent/{row.id}")
    assert (await answer.read(), answer.content_type) == (PNG, "image/png")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    file = counter.shop.service.settings.media_dir / sent_path(row.company_id, sent.content["id"])
    file.write_bytes(b"<script>alert(1)</script>")
    answer = await browser.client.get(f"/sent/{row.id}")
    assert answer.content_type == "application/octet-stream", "only the bytes decide what a browser is told"
    file.unlink()
    await browser.get(f"/sent/{row.id}", status=404)


async def test_a_document_is_only_downloaded(counter: Counter) -> None:
    await counter.sends(b"%PDF-1", "lista.pdf")
    (row,) = await counter.ours()
    assert f'<a class="attach" href="/sent/{row.id}" download>' in await counter.browser.get(f"{counter.here}/thread")
    answer = await counter.browser.client.get(f"/sent/{row.id}")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''lista.pdf"
    assert counter.ana.heard(counter.shop.first)[-1].content["filename"] == "lista.pdf"


async def test_a_file_that_cannot_go_is_refused_and_its_words_stay(counter: Counter) -> None:
    for content, name, caption, told in (
        (b"MZ", "a.exe", "mira", "no se puede enviar"),
        (PNG.ljust(6 * 1024 * 1024), "a.png", "mira", "muy grande"),
        (PNG, "a.png", "x" * 1025, "1024 caracteres"),
    ):
        box = await counter.sends(content, name, caption)
        assert told in box
        assert f">{caption}</textarea>" in box
    await counter.shop.database.write(_set(owner="human", owner_id=5))
    assert "Otra persona está respondiendo" in await counter.sends(PNG, "a.png")
    await counter.shop.database.write(_set(owner="bot", owner_id=None, last_in_at=UNKNOWN_TIME))
    assert "Pasaron más de 24 horas" in await counter.sends(PNG, "a.png")
    assert await counter.ours() == []


def _set(**change: Any) -> Callable[[Any], None]:
    def write(session: Any) -> None:
        for name, value in change.items():
            setattr(session.scalars(select(Conversation)).one(), name, value)

    return write


@UNREACHABLE
async def test_without_meta_neither_files_go_nor_are_templates_known(counter: Counter) -> None:
    assert "no recibió el archivo" in await counter.sends(PNG, "a.png", "mira")
    shown = await counter.browser.get(f"{counter.here}/templates")
    assert "No pudimos consultar su texto en Meta" in shown
    assert 'name="name" value="seguimos"' in shown
    await counter.shop.run_sql("UPDATE numbers SET template = NULL")
    assert "No pudimos consultar tus plantillas" in await counter.browser.get(f"{counter.here}/templates")


async def test_other_messengers_take_no_files_yet(site: Any, here: str) -> None:
    browser = await site.browser("seller@una.co")
    headers = {"X-CSRF-Token": browser.token, "X-File-Name": "a.png"}
    answer = await browser.client.post(f"{here}/file", data=PNG, headers=headers)
    assert "todavía no se pueden enviar archivos" in await answer.text()


async def test_when_the_window_is_closed_templates_are_chosen_filled_in_and_sent(counter: Counter) -> None:
    browser, here = counter.browser, counter.here
    box = await browser.get(f"{here}/reply")
    assert 'hx-trigger="closed"' in box
    assert 'id="reply"' in box
    await browser.get(f"{here}/reply?closed=1")
    counter.shop.network.advance(timedelta(hours=25))
    box = await browser.get(f"{here}/reply")
    assert f'hx-get="{here}/templates"' in box
    assert 'id="reply"' not in box
    await browser.get(f"{here}/reply?closed=1", status=204)
    other = {"name": "aviso", "language": "es", "components": [{"type": "BODY", "text": "Hola <b> {{1}} {{2}}"}]}
    counter.shop.network.templates.create((await counter.shop.number()).account, other)
    shown = await browser.get(f"{here}/templates")
    assert re.findall(r'name="name" value="(\w+)"', shown) == ["seguimos", "aviso"], "the number's own first"
    assert 'data-template="Hola &lt;b&gt; {{1}} {{2}}"' in shown
    assert 'value="Ana"' in shown
    aviso = {"name": "aviso", "language": "es"}
    for form in (
        {},
        {"name": "nada", "language": "es"},
        {"name": "aviso", "language": "en"},
        aviso,
        aviso | {"v1": "x", "v2": " "},
    ):
        answer = await browser.post(f"{here}/templates", form)
        assert "ya no está aprobada, o quedó un dato vacío" in await answer.text()
    await browser.post(f"{here}/templates", aviso | {"v1": "Anita", "v2": "ya"})
    (row,) = await counter.ours()
    assert (row.kind, row.text, row.rank) == ("template", "Hola <b> Anita ya", RANK["read"])
    assert "Hola &lt;b&gt; Anita ya" in await browser.get(f"{here}/thread")
    assert counter.ana.heard(counter.shop.first)[-1].text == "Hola <b> Anita ya"


async def test_a_template_of_alerts_that_meta_does_not_have_so_is_refused(counter: Counter) -> None:
    shop, number = counter.shop, await counter.shop.number()
    await shop.run_sql("UPDATE users SET role = 'manager'")
    body = {"type": "BODY", "text": "Prospecto {{1}} ({{2}}): {{3}}"}
    buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": text} for text in ("Acepto", "Paso")]}
    short, other = {"type": "BODY", "text": "Hola {{1}}"}, {"type": "BUTTONS", "buttons": buttons["buttons"][:1]}
    for name, language, parts in (
        ("aviso", "es", [body, buttons]),
        ("ajeno", "en", [body, buttons]),
        ("corto", "es", [short, buttons]),
        ("mudo", "es", [body]),
        ("uno", "es", [body, other]),
    ):
        shop.network.templates.create(number.account, {"name": name, "language": language, "components": parts})
    form = {"bot_name": "Luna", "tone": "tu", "always": "yes"}
    for name in ("nada", "ajeno", "corto", "mudo", "uno"):
        answer = await counter.browser.post(f"/numbers/{number.id}", form | {"alert_template": name})
        assert answer.status == 422, name
        assert "no tiene una plantilla aprobada con ese nombre" in await answer.text()
    assert (await counter.browser.post(f"/numbers/{number.id}", form | {"alert_template": "aviso"})).status == 200
    assert (await shop.number()).alert_template == "aviso"


@pytest.fixture
def here(site: Any) -> str:
    return f"/conversations/{site.ids['una']['talk']}"


async def test_a_note_stands_in_the_thread_and_nowhere_else(site: Any, here: str) -> None:
    browser = await site.browser("seller@una.co")
    answer = await browser.post(f"{here}/notes", {"words": "ojo <b> @manager una: pide\r\nfactura"})
    assert 'data-mode="note"' in await answer.text()
    thread = await browser.get(f"{here}/thread")
    assert "ojo &lt;b&gt; <mark>@manager una</mark>: pide\nfactura" in thread
    assert "Nota de seller una" in thread
    assert "factura" not in await browser.get("/")
    answer = await browser.post(f"{here}/notes", {"words": " "})
    assert "Escribe un mensaje" in await answer.text()
    (row,) = await site.read(lambda session: list(session.scalars(select(Note))))
    assert row.mentions == [site.ids["una"]["manager"]]


async def test_a_note_is_changed_and_deleted_by_its_author_alone(site: Any, here: str) -> None:
    author, other = await site.browser("seller@una.co"), await site.browser("manager@una.co")
    await author.post(f"{here}/notes", {"words": "pide factura"})
    (row,) = await site.read(lambda session: list(session.scalars(select(Note))))
    note = f"{here}/notes/{row.id}"
    assert f'hx-post="{note}"' in await author.get(f"{here}/thread")
    assert note not in await other.get(f"{here}/thread")
    await other.get(f"{here}")
    assert (await other.post(note, {"words": "x"})).status == 404
    assert (await other.post(f"{note}/delete")).status == 404
    shown = await (await author.post(note, {"words": "pide <recibo>"})).text()
    assert "pide &lt;recibo&gt;</p>" in shown
    assert "editada" in shown
    assert "editada" in await other.get(f"{here}/thread")
    wrong = await (await author.post(note, {"words": " "})).text()
    assert "Escribe un mensaje" in wrong
    assert "pide &lt;recibo&gt;</p>" in wrong
    assert (await author.post(f"{note}/delete")).status == 200
    assert "recibo" not in await author.get(f"{here}/thread")
    assert (await author.post(note, {"words": "x"})).status == 404


async def test_what_is_at_hand_is_of_the_company(site: Any, here: str) -> None:
    for company in ("una", "otra"):
        await site.write(lambda s, c=company: workplace.save_canned(s, None, c, "Hola {nombre}, soy {vendedor}"), company)
    browser = await site.browser("seller@una.co")
    answer = await browser.client.get(f"{here}/at-hand")
    assert await answer.json() == {
        "canned": [{"key": "una", "words": "Hola Ana, soy seller"}],
        "people": ["admin una", "manager una"],
    }


async def test_ready_answers_are_kept_by_managers(site: Any) -> None:
    manager, seller = await site.browser("manager@una.co"), await site.browser("seller@una.co")
    await manager.post("/canned", {"shortcut": "/Pago", "words": "Con <b> tarjeta"})
    page = await seller.get("/canned")
    assert "<h2>/pago</h2>" in page
    assert "Con &lt;b&gt; tarjeta" in page
    assert "<form" not in page.split("<main", 1)[1]
    answer = await manager.post("/canned", {"shortcut": "pago", "words": "otra"})
    assert answer.status == 422
    text = await answer.text()
    assert "Ya hay otra respuesta con ese atajo" in text
    assert ">otra</textarea>" in text
    row = await site.read(lambda session: session.scalar(select(CannedReply.id)))
    await manager.post(f"/canned/{row}", {"shortcut": "pagos", "words": "PSE"})
    assert 'value="/pagos"' in await manager.get("/canned")
    await manager.post(f"/canned/{row}/delete")
    assert await site.read(lambda session: session.scalar(select(CannedReply.id))) is None


async def test_putting_off_reads_the_companys_own_hours(site: Any, here: str) -> None:
    browser, now = await site.browser("seller@una.co"), site.app[CLOCK].now()
    answer = await browser.post(f"{here}/snooze", {"for": "1"})
    assert "La está respondiendo el bot" in await answer.text()
    await site.write(lambda session: take(session, site.ids["una"]["talk"], site.ids["una"]["seller"], now))
    day = now + timedelta(days=3)
    for form, told in (
        ({"for": "until", "until": "2020-01-01T10:00"}, "no haya pasado"),
        ({"for": "until", "until": "mañana"}, "no haya pasado"),
        ({"for": "until", "until": "9999-12-31T23:59"}, "próximo año"),
        ({}, "no haya pasado"),
        ({"for": "tomorrow"}, ", 09:00"),
        ({"for": "until", "until": f"{day:%Y-%m-%d}T16:30"}, ", 16:30"),
    ):
        assert told in await (await browser.post(f"{here}/snooze", form)).text(), form
    waiting = await site.read(lambda session: list(session.scalars(select(Reminder).where(Reminder.state == "waiting"))))
    assert [(f"{row.due_at:%H:%M}", row.words) for row in waiting] == [("21:30", "Retoma la conversación con Ana de una")]
    assert "No has pospuesto" not in await browser.get("/?view=snoozed")
    assert 'id="talk-' not in await browser.get("/conversations")
    assert 'id="talk-' in await browser.get("/conversations?q=ana")
    await browser.post(f"{here}/snooze", {"for": "none"})
    assert 'id="talk-' in await browser.get("/conversations")


async def test_a_conversation_is_handed_on_by_whom_it_is(site: Any, here: str) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()
    seller, manager = await site.browser("seller@una.co"), await site.browser("manager@una.co")
    assert "Pasar a…" not in await seller.get(f"{here}/owner")
    await site.write(lambda session: take(session, ids["talk"], ids["manager"], now))
    assert "Pasar a…" not in await seller.get(f"{here}/owner")
    bar = await (await seller.post(f"{here}/transfer", {"user": str(ids["admin"])})).text()
    assert "Otra persona está respondiendo" in bar
    for wrong in ("", "x", "9" * 19, "9" * 20, str(site.ids["otra"]["seller"]), str(ids["manager"])):
        assert "ya no está en la empresa" in await (await manager.post(f"{here}/transfer", {"user": wrong})).text()
    assert "Espera a que acepte admin una" in await (await manager.post(f"{here}/transfer", {"user": str(ids["admin"])})).text()
    bar = await seller.get(f"{here}/owner")
    assert "Tomar conversación" in bar
    assert "Pasar a…" not in bar
    assert "Devolver al bot" not in bar
    for act, form in (("transfer", {"user": str(ids["manager"])}), ("return", {})):
        assert "Se la ofrecimos a otra persona" in await (await seller.post(f"{here}/{act}", form)).text(), act
    bar = await (await manager.post(f"{here}/transfer", {"user": str(ids["seller"])})).text()
    assert "Espera a que acepte seller una" in bar
    assert "Ofrecida a ti" in await seller.get("/?view=unassigned")
    assert "Espera a que aceptes" in await seller.get(f"{here}/owner")
    assert (await site.read(lambda session: session.scalars(select(Assignment)).one())).user_id == ids["seller"]


async def test_the_list_has_views_with_their_counts(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()
    browser = await site.browser("seller@una.co")
    assert "No tienes conversaciones a tu cargo" in await browser.get("/?view=mine")
    assert "Nada con esos filtros" in await browser.get("/?view=mine&priority=cold")
    await site.write(lambda session: take(session, ids["talk"], ids["seller"], now))
    page = await browser.get("/?view=mine&unread=1&q=ana")
    assert re.search(r'id="view-mine" [^>]*aria-current="page">Mías <span class="count new">1</span>', page)
    assert 'href="/?q=ana&amp;unread=1&amp;view=unassigned"' in page
    assert '<span class="chip status taken">Tú</span>' in page
    assert "espera 1 h" in page
    assert '<span class="chip status taken">seller una</span>' in await (await site.browser("manager@una.co")).get("/")
    await browser.post(f"/conversations/{ids['talk']}/read")
    assert "Nada con esos filtros" in await browser.get("/?unread=1")


async def test_what_they_wrote_elsewhere_is_offered_and_shown_together(site: Any, here: str) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()
    browser = await site.browser("seller@una.co")
    assert "También escribió" not in await browser.get(here)

    def other(session: Any) -> None:
        number = Number(channel="telegram", external_id="t", display="@x", name="Carga", bot_name="B", dialog="freight", hours={},
                        created_at=now)  # fmt: skip
        session.add(number)
        session.flush()
        talk = Conversation(
            number_id=number.id, person_id=ids["person"], recipient={}, reasons=[], created_at=now, last_in_at=now
        )
        session.add(talk)
        session.flush()
        session.add(Note(conversation_id=talk.id, author_id=ids["seller"], words="allá", mentions=[], created_at=now))

    await site.write(other)
    page = await browser.get(here)
    assert "También escribió a" in page
    assert "(0 mensajes)" in page
    assert "allá" not in page
    page = await browser.get(f"{here}?all=1")
    assert "allá" in page
    assert '<small class="from">Carga</small>' in page
    assert "Quedó registrado como prospecto" in page
    assert "allá" in await browser.get(f"{here}/history?since=0")
    assert (await site.read(lambda session: session.scalars(select(Person)).one())).id == ids["person"]

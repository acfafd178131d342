"""What sellers and managers see and do: conversations, leads, files, and a number's dialog."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from bot.channels.base import Inbound, Sender
from bot.keys import CLOCK, DATABASE, LIVE, NUMBERS
from crm_bridge.people import queries as people
from data.tables import Conversation, DialogVersion, Event, InboxMessage, Lead, MediaFile, Number, Person


@pytest.fixture
def address(database_url: str) -> str:
    return database_url


async def test_the_list_shows_who_what_and_why(site: Any) -> None:
    page = await (await site.browser("seller@una.co")).get("/")
    for shown in (
        "Ana de una",
        "¿lo tienen?",
        "Tienda una",
        "Caliente",
        "70",
        "lo necesita hoy",
        "Esperando al cliente",
        "22 h",
    ):
        assert shown in page
    assert "Ana de otra" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ana+de", True),
        ("q=300+111", True),
        ("q=SECRETO", True),
        ("q=%25", False),
        ("q=nadie", False),
        ("priority=hot", True),
        ("priority=cold", False),
        ("status=waiting", True),
        ("status=person", False),
        ("status=answering", False),
        ("number=1", False),
    ],
)
async def test_the_list_is_narrowed_and_searched(site: Any, query: str, found: bool) -> None:
    rows = await (await site.browser("seller@una.co")).get(f"/conversations?{query}")
    assert ("Ana de una" in rows) is found
    assert ("Nada con esos filtros" in rows) is not found


async def test_a_status_in_the_list_is_the_one_it_is_found_by(site: Any) -> None:
    talk = site.ids["una"]["talk"]
    for change, status in (
        ({}, "waiting"),
        ({"status": "done"}, "ready"),
        ({"status": "expired"}, "quiet"),
        ({"owner": "queued"}, "person"),
        ({"owner": "bot", "status": "human"}, "person"),
    ):
        await site.write(lambda session, change=change: _set(session, talk, **change))
        await _found_by(site, status)
    await site.write(lambda session: _set(session, talk, status="open"))
    for state, status in (("new", "answering"), ("parked", "stuck")):
        await site.write(lambda session, state=state: setattr(session.scalar(select(InboxMessage)), "state", state))
        await _found_by(site, status)


def _set(session: Any, talk: int, **change: str) -> None:
    row = session.scalar(select(Conversation).where(Conversation.id == talk))
    for name, value in change.items():
        setattr(row, name, value)


async def _found_by(site: Any, status: str) -> None:
    for wanted in people.TALK_STATUSES:
        lines = await site.read(lambda session, wanted=wanted: people.talks(session, people.TalkFilter(status=wanted), 10))
        assert [line.status for line in lines] == ([status] if wanted == status else [])


async def test_pages_of_the_list_follow_each_other_without_gap_or_repetition(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()

    def add(session: Any) -> None:
        for index in range(70):
            person = Person(name=f"P{index}", created_at=now)
            session.add(person)
            session.flush()
            session.add(
                Conversation(
                    number_id=ids["number"], person_id=person.id, recipient={}, reasons=[], created_at=now,
                    last_in_at=now - timedelta(minutes=index // 3),
                )
            )  # fmt: skip

    await site.write(add)
    browser, path, seen = await site.browser("seller@una.co"), "/", []
    while path:
        page = await browser.get(path)
        seen.append(re.findall(r'id="talk-(\d+)"', page))
        following = re.search(r'href="(/\?[^"]*after=[^"]+)">Más antiguas', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert list(map(len, seen)) == [30, 30, 11]
    assert len({talk for page in seen for talk in page}) == 71


async def test_an_empty_company_is_told_what_to_do(site: Any) -> None:
    await site.write(lambda session: [setattr(row, "last_in_at", None) for row in session.scalars(select(Conversation))])
    assert "Aún no te ha escrito nadie" in await (await site.browser("seller@una.co")).get("/")


async def test_a_conversation_shows_messages_answers_and_the_person(site: Any) -> None:
    talk = site.ids["una"]["talk"]
    browser = await site.browser("seller@una.co")
    page = await browser.get(f"/conversations/{talk}")
    for shown in (
        "secreto de una &lt;b&gt;", "¡Hola!", "Pasaron más de 24 horas", f"/media/{site.ids['una']['media']}", "un portátil",
        "por preguntar", "+57 300 1112233", "permitido · «ALTA»", f"/leads/{site.ids['una']['lead']}",
    ):  # fmt: skip
        assert shown in page
    with site.app[LIVE].listen(site.ids["una"]["company"]) as changes:
        for _ in range(2):
            assert (await browser.post(f"/conversations/{talk}/read")).status == 204
        assert changes.qsize() == 1
    assert "sin leer" not in await browser.get("/conversations")


async def test_later_messages_change_the_ones_they_are_about(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()

    def add(session: Any) -> None:
        body = session.scalar(select(InboxMessage.body_id))
        for name, kind, text, about in (
            ("a", "text", "lo quiero mañana", None), ("b", "edit", "lo quiero hoy", "a"), ("c", "reaction", "👍", "out-una"),
            ("d", "text", "me equivoqué", None), ("e", "revoke", "", "d"), ("f", "unsupported", "", None),
        ):  # fmt: skip
            message = Inbound(
                channel="whatsapp", number="1", external_id=name, sender=Sender(), at=now, kind=kind, text=text, about=about
            )
            session.add(
                InboxMessage(
                    body_id=body, conversation_id=ids["talk"], channel="whatsapp", external_id=name, kind=kind, text=text,
                    payload=msgspec.json.encode(message).decode(), at=now, received_at=now, state="done",
                )
            )  # fmt: skip
            session.flush()

    await site.write(add)
    page = await (await site.browser("seller@una.co")).get(f"/conversations/{ids['talk']}/thread")
    assert "lo quiero hoy" in page
    assert "editado" in page
    assert "lo quiero mañana" not in page
    assert 'class="reaction">👍' in page
    assert "Eliminó este mensaje" in page
    assert "Mensaje no compatible" in page


async def test_a_long_thread_is_read_backwards_in_stretches(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()

    def add(session: Any) -> None:
        body = session.scalar(select(InboxMessage.body_id))
        for index in range(120):
            message = Inbound(channel="whatsapp", number="1", external_id=f"n{index}", sender=Sender(), at=now, kind="text")
            session.add(
                InboxMessage(
                    body_id=body, conversation_id=ids["talk"], channel="whatsapp", external_id=f"n{index}", kind="text",
                    text=f"mensaje {index}.",
                    payload=msgspec.json.encode(message).decode(), at=now, received_at=now, state="done",
                )
            )  # fmt: skip

    await site.write(add)
    browser, address = await site.browser("seller@una.co"), f"/conversations/{ids['talk']}/thread"
    newest = await browser.get(address)
    earlier = re.search(r"before=(\d+)", newest)
    assert earlier
    before = await browser.get(f"{address}?before={earlier[1]}")
    since = await browser.get(f"{address}?since={earlier[1]}")
    shown = [set(re.findall(r'id="b(\d+)"', page)) for page in (newest, before, since)]
    assert list(map(len, shown)) == [80, 42, 80]
    assert not shown[0] & shown[1]
    assert shown[0] == shown[2]


async def test_leads_stand_in_the_order_in_which_to_call(site: Any) -> None:
    browser = await site.browser("seller@una.co")
    page = await browser.get("/leads")
    for shown in ("Ana de una", "Caliente", "Electrónica", "Anuncio", "lo necesita hoy"):
        assert shown in page
    for query, found in (
        ("source=ad", True),
        ("source=form", False),
        ("stage=lost", False),
        ("q=3001112", True),
        ("priority=warm", False),
    ):
        assert ("Ana de una" in await browser.get(f"/leads/rows?{query}")) is found


async def test_pages_of_leads_keep_the_order_over_all_priorities(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()

    def add(session: Any) -> None:
        for index in range(65):
            session.add(
                Lead(
                    person_id=ids["person"], conversation_id=ids["talk"], number_id=ids["number"], interest=f"i{index}",
                    stage="new",
                    complete=True, answers=[], score=0, priority=("cold", "hot", "warm")[index % 3], reasons=[], source="organic",
                    created_at=now - timedelta(hours=index // 2), updated_at=now,
                )
            )  # fmt: skip

    await site.write(add)
    browser, path, seen = await site.browser("seller@una.co"), "/leads", []
    while path:
        page = await browser.get(path)
        seen += re.findall(r'id="lead-(\d+)"', page)
        following = re.search(r'href="(/leads\?[^"]*after=[^"]+)">Ver más', page)
        path = following[1].replace("&amp;", "&") if following else ""
    rows = {str(row.id): row for row in await site.read(lambda session: session.scalars(select(Lead)).all())}
    order = sorted(
        rows.values(), key=lambda row: (("hot", "warm", "cold").index(row.priority), -row.created_at.timestamp(), -row.id)
    )
    assert seen == [str(row.id) for row in order]


async def test_a_lead_shows_points_contact_origin_and_all_that_happened(site: Any) -> None:
    page = await (await site.browser("seller@una.co")).get(f"/leads/{site.ids['una']['lead']}")
    for shown in (
        "+70", "lo necesita hoy", "https://wa.me/573001112233?text=Hola%2C%20Ana", "tel:+573001112233", "Portátiles",
        "un portátil", "Quedó registrado como prospecto", "secreto de una", "Hoy",
    ):  # fmt: skip
        assert shown in page


async def test_the_timeline_tells_who_took_a_conversation(site: Any) -> None:
    ids = site.ids["una"]
    taken = {"company_id": ids["company"], "person_id": ids["person"], "kind": "TakenOver", "at": site.app[CLOCK].now()}
    for by in ("Valeria Pardo", "phone app"):
        await site.write(lambda session, by=by: session.add(Event(**taken, payload={"by": by})))
    page = await (await site.browser("seller@una.co")).get(f"/leads/{ids['lead']}")
    for shown in ("Una persona tomó la conversación: Valeria Pardo", "Una persona tomó la conversación: desde el teléfono"):
        assert shown in page
    assert "electrónica · caliente" in page


@pytest.mark.parametrize(
    ("mime", "kind", "disposition"),
    [
        ("image/png", "image/png", "inline"),
        ("audio/ogg; codecs=opus", "audio/ogg", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("application/pdf", "application/octet-stream", "attachment"),
    ],
)
async def test_only_harmless_files_open_in_the_page(site: Any, mime: str, kind: str, disposition: str) -> None:
    (site.media / "a.png").write_bytes(b"<script>alert(1)</script>")
    await site.write(lambda session: setattr(session.scalar(select(MediaFile)), "mime", mime))
    browser = await site.browser("seller@una.co")
    answer = await browser.client.get(f"/media/{site.ids['una']['media']}")
    assert answer.content_type == kind
    assert answer.headers["Content-Disposition"].startswith(disposition)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    await site.write(lambda session: setattr(session.scalar(select(MediaFile)), "path", "../../etc/passwd"))
    await browser.get(f"/media/{site.ids['una']['media']}", status=404)


# ------------------------------------------------------------------------------------------------ the dialog
def boxes(page: str) -> dict[str, str]:
    """The form of a dialog as a browser would send it."""
    found = re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    base = re.search(r'name="base" value="(\d+)"', page)
    assert base
    return {"base": base[1]} | {name: html.unescape(text) for name, text in found}


async def test_a_text_is_edited_used_at_once_and_undone(site: Any) -> None:
    number = site.ids["una"]["number"]
    browser, address = await site.browser("manager@una.co"), f"/numbers/{site.ids['una']['number']}/dialog"
    shipped = site.app[NUMBERS].by_id(number).dialog.texts()["greet.first"]["es"]
    form = boxes(await browser.get(address))
    assert form["greet.first|es"] == shipped

    assert "No cambiaste" in await (await browser.post(address, form)).text()
    edited = form | {"greet.first|es": "¡Quiubo! Soy {bot}.", "note": "más cercano"}
    assert "Versión guardada" in await (await browser.post(address, edited)).text()
    assert site.app[NUMBERS].by_id(number).dialog.texts()["greet.first"]["es"] == "¡Quiubo! Soy {bot}."
    versions = await site.read(lambda session: session.scalars(select(DialogVersion)).all())
    assert [version.overrides for version in versions] == [{"greet.first": {"es": "¡Quiubo! Soy {bot}."}}]

    page = await browser.get(f"{address}/versions")
    for shown in ("más cercano", "manager una", "¡Quiubo! Soy {bot}.", shipped):
        assert shown in page
    assert "restaurada" in await (await browser.post(f"{address}/restore", {"version": "0"})).text()
    assert site.app[NUMBERS].by_id(number).dialog.texts()["greet.first"]["es"] == shipped
    await browser.post(f"{address}/restore", {"version": "1"})
    assert site.app[NUMBERS].by_id(number).dialog.texts()["greet.first"]["es"] == "¡Quiubo! Soy {bot}."
    assert (await browser.post(f"{address}/restore", {"version": "9"})).status == 404


async def test_a_wrong_text_is_explained_beside_it_and_nothing_is_lost(site: Any) -> None:
    browser, address = await site.browser("manager@una.co"), f"/numbers/{site.ids['una']['number']}/dialog"
    form = boxes(await browser.get(address))
    wrong = form | {
        "greet.first|es": "Soy {nadie}",
        "done.say|en": "",
        "greet.returning|pt": "x" * 2000,
        "note": "x",
    }
    answer = await browser.post(address, wrong)
    page = await answer.text()
    assert answer.status == 422
    for shown in ("No existe {nadie}", "Está vacío", "WhatsApp muestra 1024"):
        assert shown in page
    assert boxes(page) == {name: text for name, text in wrong.items() if name != "note"}
    assert 'name="note" value="x"' in page
    assert not await site.read(lambda session: session.scalars(select(DialogVersion)).all())


async def test_two_people_who_edit_at_once_do_not_overwrite_each_other_unseen(site: Any) -> None:
    address = f"/numbers/{site.ids['una']['number']}/dialog"
    first, second = await site.browser("manager@una.co"), await site.browser("admin@una.co")
    forms = [boxes(await browser.get(address)) | {"greet.first|es": text} for browser, text in ((first, "Uno"), (second, "Dos"))]
    assert (await first.post(address, forms[0])).status == 200
    refused = await second.post(address, forms[1])
    assert refused.status == 422
    again = boxes(await refused.text())
    assert again["greet.first|es"] == "Dos"
    assert (await second.post(address, again)).status == 200


async def test_a_trial_talks_with_the_texts_of_the_form_and_stores_nothing(site: Any) -> None:
    browser, address = await site.browser("manager@una.co"), f"/numbers/{site.ids['una']['number']}/dialog"
    form = boxes(await browser.get(address)) | {"greet.first|es": "¡Quiubo! Soy {bot}."}
    page = await (await browser.post(f"{address}/preview", form | {"say": "hola"})).text()
    assert "¡Quiubo! Soy Sofía." in page
    assert re.findall(r'name="said" value="([^"]*)"', page) == ["hola"]
    page = await (await browser.post(f"{address}/preview", form | {"said": "hola", "say": "Ana Ruiz"})).text()
    assert re.findall(r'name="said" value="([^"]*)"', page) == ["hola", "Ana Ruiz"]
    assert (
        "No existe {x}"
        in await (await browser.post(f"{address}/preview", form | {"say": "hola", "greet.first|es": "{x}"})).text()
    )
    assert not await site.read(lambda session: session.scalars(select(DialogVersion)).all())


async def test_hours_and_tone_are_set_and_wrong_ones_stay_to_be_corrected(site: Any) -> None:
    number = site.ids["una"]["number"]
    browser = await site.browser("manager@una.co")
    await browser.get(f"/numbers/{number}")
    wrong = await browser.post(f"/numbers/{number}", {"bot_name": "Sofi", "tone": "usted", "mon": "de 9 a 6"})
    assert wrong.status == 422
    assert 'value="de 9 a 6"' in await wrong.text()
    assert (await browser.post(f"/numbers/{number}", {"bot_name": "Sofi", "tone": "usted"})).status == 422
    assert (await browser.post(f"/numbers/{number}", {"bot_name": "Sofi", "tone": "usted", "mon": "9:00-18:00"})).status == 200
    row = site.app[NUMBERS].by_id(number).row
    assert (row.bot_name, row.tone, row.hours) == ("Sofi", "usted", {"mon": ["09:00-18:00"]})


async def test_the_template_of_alerts_is_set_where_a_number_is_edited(site: Any) -> None:
    number = site.ids["una"]["number"]
    browser = await site.browser("manager@una.co")
    form = {"bot_name": "Sofi", "tone": "tu", "always": "yes"}
    page = await browser.get(f"/numbers/{number}")
    assert "Prospecto {{1}} ({{2}}): {{3}}. ¿Lo atiendes?" in page
    wrong = await browser.post(f"/numbers/{number}", form | {"alert_template": "Aviso de prospecto"})
    assert wrong.status == 422
    assert 'value="Aviso de prospecto"' in (shown := await wrong.text())
    assert "solo letras minúsculas" in shown
    for name, kept in ((" aviso_de_prospecto ", "aviso_de_prospecto"), ("", None)):
        assert (await browser.post(f"/numbers/{number}", form | {"alert_template": name})).status == 200
        assert site.app[NUMBERS].by_id(number).row.alert_template == kept
    await site.app[DATABASE].write(lambda session: session.execute(update(Number).values(channel="telegram", alert_template="a")))
    assert "Plantilla para avisos" not in await browser.get(f"/numbers/{number}")
    assert (await browser.post(f"/numbers/{number}", form)).status == 200
    assert site.app[NUMBERS].by_id(number).row.alert_template is None

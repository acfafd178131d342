"""The conversation page as a seller's workplace, in a real browser: ready answers, notes, files, voice, templates, keys."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from bot import workplace
from bot.keys import DATABASE
from data.tables import Company

pytestmark = pytest.mark.asyncio(loop_scope="session")

TECNO, MAYORISTA = "100000000000001", "100000000000003"
PHONE = "+57 300 123 4567"
PICTURE = Path(__file__).parents[2] / "bot" / "simulator" / "static" / "photo.jpg"
TONE = """navigator.mediaDevices.getUserMedia = async () => {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  return out.stream;
};"""
"""A microphone that hears a tone: this machine has none."""


async def _ready(demo: Any) -> None:
    def add(session: Any) -> None:
        workplace.save_canned(session, None, "envios", "Hola {nombre}, soy {vendedor}: enviamos a todo el país.")
        workplace.save_canned(session, None, "pago", "Puedes pagar con tarjeta o PSE.")

    company = await demo.app[DATABASE].read(lambda session: session.scalar(select(Company.id)))
    await demo.app[DATABASE].write(add, company=company)


async def _reads(demo: Any, words: str) -> None:
    """Until the prospect has this on their phone."""
    person = demo.network.person("Ana Ruiz", PHONE)
    await person.wait_for(TECNO, next((n for n, each in enumerate(person.heard(TECNO), 1) if words in each.text), 99))


async def test_a_seller_answers_with_a_ready_text_a_note_a_file_and_a_voice(demo: Any, open_page: Any) -> None:
    await _ready(demo)
    await demo.writes("Ana Ruiz", PHONE, TECNO, "hola, soy Ana Ruiz")
    page = await open_page(demo.url)
    await page.add_init_script(TONE)
    await demo.log_in(page, "valeria")
    await page.locator(".row").click()
    box, thread = page.locator("#reply textarea"), page.locator(".thread")
    await expect(page.locator(".modes .left")).to_contain_text("23 h")

    await box.press_sequentially("/e")
    await expect(page.locator("#choices [role=option]")).to_have_count(2)
    await box.press("Enter")
    await expect(box).to_have_value("Hola Ana, soy Valeria: enviamos a todo el país.")
    await box.press("Enter")
    await expect(thread.locator(".bubble.ours", has_text="soy Valeria: enviamos")).to_contain_text("Valeria Pardo")
    await expect(box).to_be_focused()
    await box.press_sequentially("/nada")
    await box.press("Enter")
    await expect(box).to_have_value("/nada")
    await box.press("Escape")
    await box.fill("")

    await page.get_by_role("button", name="Nota interna").click()
    note = page.locator("#note textarea")
    await note.press_sequentially("Pide factura. @cami")
    await expect(page.locator("#choices [role=option]")).to_have_text(["Camilo Duarte"])
    await note.press("Tab")
    await note.press("Enter")
    await expect(thread.locator(".bubble.note mark")).to_have_text("@Camilo Duarte")
    await expect(note).to_be_focused()
    own = thread.locator(".bubble.note")
    await own.locator("summary").click()
    await own.locator("textarea").fill("Pide factura a nombre de la empresa. @camilo")
    await demo.network.person("Ana Ruiz", PHONE).say(TECNO, "¿sigues ahí?")
    await expect(thread).to_contain_text("¿sigues ahí?")
    await expect(own.locator("textarea")).to_have_value("Pide factura a nombre de la empresa. @camilo")
    await own.get_by_role("button", name="Guardar").click()
    await expect(own.locator(".foot")).to_contain_text("editada")
    await expect(own.locator(".words")).to_have_text("Pide factura a nombre de la empresa. @camilo")
    await expect(own.locator("textarea")).not_to_be_visible()
    await note.fill("sobra")
    await note.press("Enter")
    await expect(own).to_have_count(2)
    page.once("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await own.last.locator("summary").click()
    await own.last.get_by_role("button", name="Eliminar").click()
    await expect(own).to_have_count(1)

    await page.get_by_role("button", name="Mensaje", exact=True).click()
    await page.locator("#file").set_input_files(PICTURE)
    await expect(page.locator(".file strong")).to_have_text("photo.jpg")
    await box.fill("Así se ve")
    await box.press("Enter")
    await expect(thread.locator(".bubble.ours img")).to_have_count(1)
    await thread.locator(".bubble.ours img").scroll_into_view_if_needed()
    await expect(thread.locator(".bubble.ours", has=page.locator("img"))).to_contain_text("Así se ve")
    await page.wait_for_function("document.querySelector('.bubble.ours img').naturalWidth > 100")

    await page.get_by_role("button", name="Grabar una nota de voz").click()
    await expect(page.locator(".recording b")).to_have_text("0:01")
    await page.get_by_role("button", name="Enviar").click()
    await expect(thread.locator(".bubble.ours audio")).to_have_count(1)
    seconds = await thread.locator(".bubble.ours audio").evaluate(
        "async sound => (await new AudioContext().decodeAudioData(await (await fetch(sound.src)).arrayBuffer())).duration"
    )
    assert 0.8 < seconds < 4
    heard = demo.network.person("Ana Ruiz", PHONE).heard(TECNO)
    assert [message.type for message in heard][-3:] == ["text", "image", "audio"]
    assert not any("factura" in message.text for message in heard)

    camilo = await open_page(demo.url)
    await demo.log_in(camilo, "camilo")
    await expect(camilo.locator("#alerts .alert")).to_contain_text("Pide factura a nombre de la empresa")
    await expect(camilo.locator("#alerts .alert")).to_have_count(1)


async def test_when_the_window_is_closed_a_template_goes_out(demo: Any, open_page: Any, watch: Any) -> None:
    await demo.writes("Ana Ruiz", PHONE, TECNO, "hola, soy Ana Ruiz")
    page = await open_page(demo.url, width=390, height=844)
    await demo.log_in(page, "valeria")
    await page.locator(".row").click()
    demo.network.advance(timedelta(hours=23, minutes=30))
    await page.reload()
    await expect(page.locator(".modes .left.soon")).to_contain_text("29 min")
    await page.locator("#reply textarea").fill("una idea")
    demo.network.advance(timedelta(hours=1))
    await page.locator("#reply textarea").press("Enter")
    await expect(page.get_by_role("alert").locator("visible=true")).to_contain_text("Pasaron más de 24 horas")
    await expect(page.get_by_label("Lo que escribiste")).to_have_value("una idea")
    template = page.locator(".template").first
    await template.locator("input[name=v1]").fill("Anita")
    await expect(template.locator(".words")).to_contain_text("Hola, Anita.")
    await template.get_by_role("button", name="Enviar").click()
    await expect(page.locator(".bubble.ours", has_text="Hola, Anita.")).to_contain_text("Valeria Pardo")
    await demo.writes("Ana Ruiz", PHONE, TECNO)
    person = demo.network.person("Ana Ruiz", PHONE)
    await person.say(TECNO, "sí, hablemos")
    await expect(page.locator("#reply textarea[data-send]")).to_have_value("una idea")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_the_list_is_worked_with_the_keyboard(demo: Any, open_page: Any) -> None:
    await demo.writes("Ana Ruiz", PHONE, TECNO, "hola, soy Ana Ruiz")
    await demo.writes("Ana Ruiz", PHONE, MAYORISTA, "buenas")
    await demo.writes("Paula Henao", "+57 301 888 4420", TECNO, "hola")
    page = await open_page(demo.url)
    await demo.log_in(page, "valeria")
    await expect(page.locator(".row")).to_have_count(3)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await expect(page.locator(".row").first).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("ana ruiz")
    await expect(page.locator(".row")).to_have_count(2)
    await page.locator(".row", has_text="Tecno").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".also")).to_contain_text("También escribió a Mayorista Andino (1 mensaje)")
    await page.get_by_role("link", name="Verlo todo junto").click()
    await expect(page.locator(".bubble", has_text="buenas")).to_contain_text("Mayorista Andino")

    await page.get_by_role("button", name="Tomar conversación").click()
    await expect(page.locator("#owner")).to_contain_text("Respondes tú")
    await page.locator("#main").click(position={"x": 5, "y": 5})
    await page.keyboard.press("n")
    await expect(page.locator("#note textarea")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.wait_for_url(re.compile(r"/$"))
    await page.locator("#view-mine").click()
    await expect(page.locator(".row")).to_have_count(1)
    await expect(page.locator(".row .status")).to_have_text("Tú")
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    await expect(page.get_by_text("No tienes conversaciones a tu cargo")).to_be_visible()


async def test_a_conversation_is_put_off_and_handed_on(demo: Any, open_page: Any) -> None:
    await demo.writes("Ana Ruiz", PHONE, TECNO, "hola, soy Ana Ruiz")
    page = await open_page(demo.url)
    await demo.log_in(page, "valeria")
    await page.locator(".row").click()
    address = page.url
    await page.get_by_role("button", name="Tomar conversación").click()
    await page.locator("summary", has_text="Posponer").click()
    await page.get_by_role("button", name="3 horas").click()
    await expect(page.locator("#owner")).to_contain_text("Pospuesta hasta el 24 nov 2026, 13:0")
    await page.goto(demo.url)
    await expect(page.locator(".row")).to_have_count(0)
    await page.locator("#view-snoozed").click()
    await expect(page.locator(".row")).to_have_count(1)
    await demo.network.person("Ana Ruiz", PHONE).say(TECNO, "¿sigues ahí?")
    await page.goto(f"{demo.url}/?view=mine")
    await expect(page.locator(".row")).to_contain_text("¿sigues ahí?")

    await page.goto(address)
    await page.locator("summary", has_text="Pasar a").click()
    await page.get_by_label("Colega").select_option(label="Camilo Duarte")
    await page.get_by_label("Qué debe saber").fill("quiere ver el azul")
    await page.get_by_role("button", name="Pasar conversación").click()
    await expect(page.locator("#owner")).to_contain_text("Espera a que acepte Camilo Duarte")
    camilo = await open_page(demo.url)
    await demo.log_in(camilo, "camilo")
    await expect(camilo.locator("#alerts .alert")).to_contain_text("quiere ver el azul")


async def test_what_comes_leaves_alone_what_one_reads_and_writes(demo: Any, open_page: Any, watch: Any) -> None:
    await demo.writes("Ana Ruiz", PHONE, TECNO, "hola, soy Ana Ruiz", "busco un portátil", "para mi empresa")
    page = await open_page(demo.url, height=560)
    await demo.log_in(page, "valeria")
    await page.locator(".row").click()
    await page.get_by_role("button", name="Tomar conversación").click()
    ana, box, thread = demo.network.person("Ana Ruiz", PHONE), page.locator("#reply textarea"), page.locator(".thread")

    await box.fill("un borrador")
    await page.locator("summary", has_text="Pasar a").click()
    words = page.get_by_label("Qué debe saber")
    await words.fill("quiere el azul")
    await page.evaluate(
        """() => {
          document.querySelector(".bubble").kept = true;
          document.querySelector(".thread").scrollTop = 0;
          document.querySelector("#side").scrollTop = 90;
          getSelection().selectAllChildren(document.querySelector(".bubble .words"));
        }"""
    )
    await words.focus()
    await ana.say(TECNO, "¿sigues ahí?")
    await expect(thread).to_contain_text("¿sigues ahí?")
    await expect(page.locator("#known")).to_contain_text("Ana Ruiz")
    await expect(words).to_be_focused()
    await expect(words).to_have_value("quiere el azul")
    await expect(box).to_have_value("un borrador")
    assert await page.evaluate(
        "[document.querySelector('.bubble').kept, document.querySelector('.thread').scrollTop,"
        " document.querySelector('#side').scrollTop]"
    ) == [True, 0, 90]
    await page.keyboard.press("Escape")
    await expect(page.locator("#transfer")).to_be_focused()
    await expect(words).not_to_be_visible()

    talks = await page.context.new_page()
    await talks.goto(demo.url)
    await expect(talks.locator(".row .count")).to_have_count(0)
    await page.evaluate("Object.defineProperty(document, 'hidden', { value: true, writable: true })")
    await ana.say(TECNO, "¿hola?")
    await expect(thread).to_contain_text("¿hola?")
    await expect(talks.locator(".row .count")).to_have_text("1")
    await page.evaluate("document.hidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    await expect(talks.locator(".row .count")).to_have_count(0)

    with watch.allowing("/reply"), watch.allowing("ERR_FAILED"), watch.allowing("htmx:"):
        await page.route("**/reply", lambda route: route.abort())
        await box.press("Enter")
        await expect(page.get_by_role("alert").locator("visible=true")).to_contain_text("No se pudo enviar")
        await expect(box).to_have_value("un borrador")
        await page.unroute("**/reply")
    await page.route("**/reply", _slowly)
    await box.press("Enter")
    await expect(box).to_have_value("")
    await box.press_sequentially("y otra cosa")
    await expect(thread.locator(".bubble.ours", has_text="un borrador")).to_be_visible()
    await expect(box).to_have_value("y otra cosa")
    await expect(box).to_be_focused()


async def test_a_part_that_changed_still_asks_once_for_what_is_new(demo: Any, open_page: Any) -> None:
    """Why this seller: it stands there once there is one, and is wired to the assignment too from then on."""
    await demo.writes("Ana Ruiz", PHONE, TECNO, "hola, soy Ana Ruiz")
    page = await open_page(demo.url)
    await demo.log_in(page, "valeria")
    await page.locator(".row").click()
    await expect(page.locator("#why")).to_be_hidden()
    await page.evaluate(
        """() => {
          window.told = { why: 0, known: 0 };
          addEventListener("htmx:sseMessage", ({ target }) => { if (target.id in told) told[target.id] += 1; });
        }"""
    )
    await demo.network.person("Ana Ruiz", PHONE).say(TECNO, "quiero hablar con una persona")
    await expect(page.locator("#why h2")).to_be_visible()
    await page.evaluate("told.why = told.known = 0")
    await demo.network.person("Ana Ruiz", PHONE).say(TECNO, "¿hola?")
    await expect(page.locator(".thread")).to_contain_text("¿hola?")
    told = await page.evaluate("told")
    assert told["why"] == told["known"] > 0


async def _slowly(route: Any) -> None:
    await asyncio.sleep(0.4)
    await route.continue_()

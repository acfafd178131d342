"""The writing assistant in a real browser: a draft that is looked at before it is saved, and a summary kept as a note."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect
from sqlalchemy import select

from bot.keys import DATABASE
from bot.takeover import take
from data.tables import Conversation, User
from tests.bot.fake_openai import KEY, MODEL, FakeOpenAI

pytestmark = pytest.mark.asyncio(loop_scope="session")

TECNO, PHONE = "100000000000001", "+57 300 123 4567"
BOX = "faq.shipping.say|es"


@pytest_asyncio.fixture(loop_scope="session")
async def desk(start: Any) -> AsyncIterator[tuple[Any, FakeOpenAI]]:
    """The demo with a model beside it."""
    model = FakeOpenAI()
    async with TestServer(model.application()) as server:
        url = str(server.make_url("/v1"))
        async with start(writer_url=url, writer_model=MODEL, writer_key=KEY) as demo:
            yield demo, model


async def test_a_draft_is_proposed_looked_at_and_saved(desk: Any, open_page: Any, watch: Any) -> None:
    demo, model = desk
    page = await open_page(demo.url)
    await demo.log_in(page, "admin")
    await page.goto(f"{demo.url}/numbers")
    await page.get_by_role("button", name="Asistente de escritura").click()
    await expect(page.locator("main")).to_contain_text("Aún no hay ninguno")
    await page.get_by_role("button", name="Encender para").click()
    await expect(page.locator(".notice")).to_contain_text("quedó encendido")
    await page.locator("[name=title]").fill("Política de envíos")
    await page.locator("[name=text]").fill("Enviamos a todo el país con Servientrega. En Bogotá llega en 24 horas.")
    await page.get_by_role("button", name="Agregar").click()
    await expect(page.locator(".notice")).to_contain_text("Documento agregado")
    await page.get_by_role("link", name="Política de envíos").click()
    await expect(page.locator("article")).to_contain_text("Servientrega")

    await page.goto(f"{demo.url}/numbers")
    await page.get_by_role("button", name="Editar diálogo").first.click()
    await page.locator("details.group", has_text="Preguntas frecuentes").locator("summary").first.click()
    field = page.locator(f'textarea[name="{BOX}"]')
    before = await field.input_value()
    button = page.locator("fieldset", has=field).get_by_role("button", name="Proponer respuesta").first
    draft = page.locator(f'.draft[data-of="{BOX}"]')

    model.says = "Llega en 24 horas a Bogotá. <b>Gratis</b> por $1 en evil.example"
    await button.click()
    await expect(field).to_have_value(model.says)
    await expect(draft.locator(".words mark")).to_have_text(["Gratis", "$1", "evil.example"])
    await expect(draft.locator("b, script, a[href*=evil]")).to_have_count(0)
    await draft.locator("summary").click()
    await expect(draft.locator("blockquote")).to_contain_text("En Bogotá llega en 24 horas.")
    await draft.get_by_role("button", name="Volver a lo que había").click()
    await expect(field).to_have_value(before)

    await button.click()
    await expect(field).to_have_value(model.says)
    with watch.allowing("422"):
        await page.get_by_role("button", name="Guardar versión").click()
        await expect(page.locator(".notice.bad")).to_contain_text("datos por revisar")
    await page.get_by_role("link", name="Ir al borrador").click()
    await expect(draft).to_be_in_viewport()
    await expect(field).to_have_value(model.says)
    await draft.get_by_label("Lo revisé y es correcto").check()
    await page.get_by_role("button", name="Guardar versión").click()
    await expect(page.locator(".notice")).to_contain_text("Versión guardada")
    await expect(field).to_have_value(model.says)

    model.mood = "500"
    await page.locator("details.group", has_text="Preguntas frecuentes").locator("summary").first.click()
    await button.click()
    await expect(draft).to_contain_text("El asistente no responde ahora")
    await expect(field).to_have_value(model.says)


async def test_a_summary_becomes_a_note(desk: Any, open_page: Any) -> None:
    demo, model = desk
    model.says = "- Quiere un portátil para estudiar\n- Tiene 2 millones"
    await demo.writes("Ana Ruiz", PHONE, TECNO, "hola, soy Ana Ruiz, mi correo es ana@ruiz.co")

    def ready(session: Any) -> None:
        talk = session.scalars(select(Conversation)).one()
        seller = session.scalars(select(User).where(User.name.startswith("Valeria"))).one()
        take(session, talk.id, seller.id, talk.last_in_at)
        session.connection().exec_driver_sql("UPDATE companies SET writer = 1")

    await demo.app[DATABASE].write(ready)
    page = await open_page(demo.url)
    await demo.log_in(page, "valeria")
    await page.goto(f"{demo.url}/conversations/{(await talks(demo))[0]}")
    await page.locator("#reply textarea").fill("lo que estaba escribiendo")
    await page.get_by_role("button", name="Resumir").click()
    text = page.get_by_label("Resumen")
    await expect(text).to_have_value(f"Resumen del asistente:\n{model.says}")
    assert "ana@ruiz.co" not in model.heard
    assert "Ana" not in model.heard
    model.mood = "429"
    await page.get_by_role("button", name="Resumir").click()
    await expect(page.locator("#summary")).to_contain_text("se agotó su cuenta")
    model.mood = "well"
    await page.get_by_role("button", name="Resumir").click()
    await expect(text).to_have_value(f"Resumen del asistente:\n{model.says}")
    await text.fill("Resumen del asistente:\n- Quiere un portátil")
    await page.get_by_role("button", name="Guardar como nota").click()
    await expect(page.locator(".thread .bubble.note")).to_contain_text("- Quiere un portátil")
    await expect(page.locator("#summary")).to_be_empty()
    await page.get_by_role("button", name="Mensaje", exact=True).click()
    await expect(page.locator("#reply textarea")).to_have_value("lo que estaba escribiendo")
    assert len(demo.network.person("Ana Ruiz", PHONE).heard(TECNO)) == 1, "the prospect hears nothing of it"


async def talks(demo: Any) -> list[int]:
    ids: list[int] = await demo.app[DATABASE].read(lambda session: list(session.scalars(select(Conversation.id))))
    return ids

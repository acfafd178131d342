"""The learning loop in a real browser: an unclear message on a phone, labelled on the page, tried, published, understood; and
taken back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")

ODD = "¿será que por allá hay campo pa dejar la cicla?"
ALIKE = "¿y sí hay campo por allá pa la cicla?"
UNKNOWN = "< Esa te la responde mejor un asesor; ya se la dejé anotada.\n¿Qué equipo estás buscando?"
SHOP = (
    "< Estamos en Bogotá, en la Carrera 15 # 78-33, a dos cuadras de Unilago. Si vienes, te mostramos el equipo antes de que lo "
    "compres.\n\n¿Qué equipo estás buscando?"
)


async def test_an_unclear_message_is_labelled_published_and_understood(
    demo: Any, open_page: Any, phone_of: Any, picture: Any
) -> None:
    page = await open_page(demo.url, width=1160, height=700, device_scale_factor=1.1)
    await demo.log_in(page, "gerente")
    await page.get_by_role("link", name="Aprender").click()
    await expect(page.get_by_role("heading", name="El bot entendió todo")).to_be_visible()

    ana = phone_of(await open_page(f"{demo.url}/simulator/", width=1120, height=780), "Ana")
    await ana.says("hola", "< ¡Hola! 👋 Soy Luna, de Tecno Andina.\n¿Con quién tengo el gusto?")
    await ana.says("me llamo Ana Ruiz", "< Cuéntame, Ana, ¿qué estás buscando?")
    await ana.says(ODD, UNKNOWN)
    await ana.says(ODD.upper(), UNKNOWN)

    await expect(page.locator(".place .count")).to_have_text("1")
    await page.reload()
    row, lesson = page.locator(".phrase"), page.locator("#lesson")
    await expect(row).to_contain_text("2 veces")
    await row.get_by_text("Otra cosa…").click()
    await row.get_by_role("button", name="Garantía").click()
    await row.get_by_role("button", name="Deshacer").click()
    await row.get_by_text("Otra cosa…").click()
    await row.get_by_role("button", name="Ubicación").click()
    await expect(row).to_contain_text("Pregunta frecuente: Ubicación")
    await expect(page.locator(".place .count")).to_be_empty()
    await expect(page.locator("#lines")).to_contain_text(ODD)

    await lesson.get_by_role("button", name="Probar").click()
    await expect(lesson.get_by_role("row", name="En español")).to_be_visible(timeout=30_000)
    await expect(lesson).to_contain_text("Entiende 1 de 1 frase tuya")
    await picture(page, "learning.png")
    await ana.says(ODD, UNKNOWN)

    await lesson.get_by_role("button", name="Publicar").click()
    await expect(page.get_by_text("Publicado. El bot ya entiende tus frases.")).to_be_visible()
    version = page.locator("li", has_text="Versión 1")
    await expect(version).to_contain_text(re.compile("En uso.*Una frase · Germán Rojas", re.DOTALL))
    await ana.says(ODD, SHOP)
    await ana.says(ALIKE, SHOP)

    await version.get_by_role("button", name="Deshacer").click()
    await expect(page.locator("li", has_text="Versión 2")).to_contain_text("se volvió a lo original")
    await ana.says(ODD, UNKNOWN)


@pytest.mark.parametrize("dark", [False, True])
async def test_it_fits_a_phone(demo: Any, open_page: Any, dark: bool) -> None:
    await demo.writes("Ana Ruiz", "+57 300 123 4567", "100000000000001", "hola", "me llamo Ana Ruiz", ODD)
    page = await open_page(f"{demo.url}/learning", width=390, height=844, dark=dark)
    await demo.log_in(page, "admin")
    row = page.locator(".phrase")
    await row.get_by_text("Otra cosa…").click()
    await row.get_by_placeholder("Escribe para buscar…").fill("Pregunta dónde están")
    await row.get_by_role("button", name="Etiquetar").click()
    await expect(row.locator(".chip")).to_have_text("Pregunta dónde están")
    await page.get_by_text("Agregar frases").click()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390

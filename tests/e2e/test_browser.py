"""The whole service as people meet it: a demo that really runs, and a real browser for its phones and for the team's pages."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from bot.keys import DATABASE, NUMBERS

pytestmark = pytest.mark.asyncio(loop_scope="session")

TECNO, MAYORISTA = "100000000000001", "100000000000003"
HELLO = "¡Hola! 👋 Soy Luna, de Tecno Andina."
BUYER = ("< ¿Es para uso personal o para una empresa?", "< [Uso personal] [Para una empresa]")
SHIPPING = (
    "Sí, enviamos a todo el país: en Bogotá llega el mismo día o al siguiente, y a otras ciudades en 2 a 4 días hábiles. "
    "Desde $ 500.000 el envío es gratis."
)
VOICE = "No pude escuchar tu audio 🙈 Escríbemelo, por favor; queda guardado para el asesor."
MAIL = "Por último, ¿a qué correo te mando la cotización? Si no quieres darlo, escribe saltar."
SUMMARY = """Esto es lo que tengo:
• Nombre: Ana Ruiz
• Busca: un portátil para diseño
• Tipo de compra: Para una empresa
• Empresa: Estudio Ruiz
• Presupuesto: $ 4.000.000
• Para cuándo: Hoy mismo
• Ciudad: Cali
• Correo: ana@ruis.co

¿Está todo bien?"""
FAINT = """() => {
    const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const over = (below, colour) => {
        pen.fillStyle = `rgb(${below})`; pen.fillRect(0, 0, 1, 1);
        pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const ground = element => element ? over(ground(element.parentElement), getComputedStyle(element).backgroundColor)
        : matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255];
    const light = colour => colour.map(part => (part /= 255) <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
    const words = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    const texts = [...document.querySelectorAll('body *:not(option)')].filter(words).filter(element => element.checkVisibility());
    return texts.filter(element => {
        const below = ground(element), ink = over(below, getComputedStyle(element).color);
        const [dim, bright] = [light(below), light(ink)].sort((a, b) => a - b);
        return (bright + .05) / (dim + .05) < 3;
    }).map(element => element.outerHTML.slice(0, 90));
}"""
"""Texts with less than 3:1 to what they stand on (WCAG 2.2, 1.4.3 for large text)."""
REASONS = ["+40lo necesita hoy", "+15presupuesto medio", "+20compra para una empresa", "+5dejó su correo"]


async def ana_buys_a_laptop(ana: Any) -> None:
    """From "hola" to a lead: a voice note, a typo, a question in the middle, two answers in one, an e-mail put right."""
    await ana.says("hola", f"< {HELLO}\n¿Con quién tengo el gusto?")
    await ana.says("me llamo Ana Ruiz", "< Cuéntame, Ana, ¿qué estás buscando?")
    await ana.records(f"< {VOICE}\n¿Qué equipo estás buscando?")
    await ana.says("un portátil para diseño", *BUYER)
    await ana.says("para una enpresa", "< ¿Cómo se llama la empresa?")
    await ana.says("Estudio Ruiz", "< ¿Qué presupuesto tienes, más o menos?")
    await ana.says("¿hacen envíos a Cali?", f"< {SHIPPING}\n\nAnotado: Cali.\n¿Cuánto piensas invertir, más o menos?")
    await ana.says("4 millones, para hoy", f"< Anotado: Hoy mismo.\n{MAIL}")
    await ana.says("ana@ruis.co", f"< {SUMMARY}", "< [Sí, enviar] [Corregir]")
    await ana.says(
        "no, mi correo es otro: ana@ruiz.co",
        "< Corregido: ana@ruiz.co.\n¿Envío tu solicitud así, o quieres corregir algo?",
        "< [Sí, enviar] [Corregir]",
    )


async def ana_confirms(ana: Any) -> None:
    await ana.presses("Sí, enviar", "< ¡Gracias, Ana! 🙌 Un asesor te escribe por aquí en unos minutos con opciones y precios.")


async def beto_moves_a_container(beto: Any) -> None:
    """Another number, another dialog, another tone; he stops before the end."""
    welcome = "Reciba un cordial saludo de Carga Andina. Soy Mateo y le ayudo a cotizar su carga."
    times = (
        "Por mar, desde Asia son de 35 a 45 días y desde Miami de 6 a 10. Por avión, de 3 a 7 días. "
        "A eso súmele de 2 a 4 días de nacionalización."
    )
    await beto.says("buenos días", f"< {welcome}\n¿Con quién tengo el gusto?")
    await beto.says("Beto Díaz", "< Cuénteme, Beto, ¿qué mercancía va a mover?")
    await beto.says("repuestos de moto", "< ¿Es una importación o una exportación?", "< [Importación] [Exportación]")
    await beto.presses(
        "Importación",
        "< ¿Qué transporte prefiere? Si tiene dudas, el asesor le compara costos y tiempos.",
        "< [Ver opciones]",
    )
    await beto.picks(
        "Ver opciones",
        "Marítimo",
        "< ¿Qué volumen o peso tiene, aproximadamente? Por ejemplo: un contenedor de 40, 8 m³ o 350 kilos.",
    )
    await beto.says("un contenedor de 20", "< ¿De qué ciudad y país sale la carga?")
    await beto.says("Shanghái, China", "< ¿Y a qué ciudad debe llegar?")
    await beto.says("¿cuánto se demora?", f"< {times}\n\n¿A qué ciudad debe llegar?")
    await beto.says("Bogotá", "< ¿Cuándo necesita embarcar? Por ejemplo: el viernes o 15 de diciembre.")
    await beto.says(
        "el 15 de diciembre",
        "< ¿Ya acordó el incoterm con la otra parte? Si no, elija Aún no lo sé.",
        "< [Ver opciones]",
    )
    await beto.picks("Ver opciones", "FOB", "< ¿A nombre de qué empresa va la cotización? Si no aplica, escriba saltar.")


async def luz_writes_in_portuguese(luz: Any) -> None:
    """The third number, in her language; her phone number is hidden from us."""
    await luz.says("oi, bom dia", "< Oi! Sou Sol, do Mayorista Andino 🛒\nCom quem eu falo?")
    await luz.says("Luz Souza", "< Que tipo de negócio você tem, Luz?", "< [Ver opções]")
    await luz.says("padaria", "< Quais produtos te interessam? Pode mandar a lista do jeito que tiver.")
    await luz.says(
        "farinha, açúcar e café",
        "< Quanto você compra por mês, mais ou menos, em pesos? Seu preço depende disso. Por exemplo: 2 milhões.",
    )


async def test_prospects_talk_at_once_while_the_manager_watches(demo: Any, open_page: Any, phone_of: Any, picture: Any) -> None:
    """Three people on three numbers; what the team sees moves by itself, and the first is a hot lead with its reasons."""
    phones = await open_page(f"{demo.url}/simulator/", width=1120, height=780, device_scale_factor=1.1)
    ana, beto, luz = (phone_of(phones, name) for name in ("Ana", "Beto", "Luz"))
    team = await open_page(demo.url, width=1160, height=640, device_scale_factor=1.1)
    await demo.log_in(team, "gerente")
    await expect(team.get_by_text("Aún no te ha escrito nadie")).to_be_visible()
    await team.evaluate("window.neverReloaded = true")

    def row(name: str) -> Any:
        return team.locator(".row", has_text=name)

    async def rows_come_and_change() -> None:
        await expect(row("Tecno Andina").locator(".why")).to_contain_text("Frío")
        await expect(team.locator(".row")).to_have_count(3)
        await expect(row("Carga Andina").locator(".why")).to_contain_text("Tibio")

    async with asyncio.timeout(60):
        await asyncio.gather(
            ana_buys_a_laptop(ana), beto_moves_a_container(beto), luz_writes_in_portuguese(luz), rows_come_and_change()
        )
    demo.network.advance(timedelta(minutes=2))
    await ana_confirms(ana)
    for phone in (ana, beto, luz):
        assert await phone.chat() == phone.seen
        assert await phone.ticks() == ["read"] * sum(line.startswith("> ") for line in phone.seen)
    await ana.root.locator(".bubble", has_text="para una enpresa").evaluate("bubble => bubble.scrollIntoView()")
    await picture(phones, "phone.png")

    demo.network.advance(timedelta(minutes=9))
    await demo.writes("Jorge Peña", "+57 315 222 0147", MAYORISTA, "buenas, soy Jorge Peña", "tienda de barrio")
    demo.network.advance(timedelta(minutes=12))
    await demo.writes("Paula Henao", "+57 301 888 4420", TECNO, "hola, quiero hablar con una persona por favor")
    demo.network.advance(timedelta(minutes=4))
    await demo.writes(
        "Camila Torres",
        "+57 318 640 7712",
        TECNO,
        "hola, busco un televisor de 65 pulgadas",
        "Camila Torres",
        "para mí",
        "5 millones",
    )
    await expect(team.locator(".row .name")).to_have_text(
        ["Camila Torres", "Paula Henao", "Jorge Peña", "Ana Ruiz", "Beto Díaz", "Luz Souza"], use_inner_text=True
    )
    await expect(row("Ana Ruiz").locator(".why")).to_have_text(
        re.compile("Caliente 80\\s*lo necesita hoy · presupuesto medio · compra para una empresa · dejó su correo")
    )
    await expect(row("Ana Ruiz").locator(".where")).to_contain_text("Ofrecida a")
    await expect(row("Camila Torres").locator(".why")).to_contain_text("Tibio 30")
    await expect(row("Luz").locator(".why")).to_contain_text("Frío")
    await expect(row("Beto Díaz").locator(".words")).to_have_text("FOB")
    chips = [team.locator(f".rows .chip.{priority}").first for priority in ("hot", "warm", "cold")]
    assert len({await chip.evaluate("chip => getComputedStyle(chip).color") for chip in chips}) == 3
    await picture(team, "conversations.png")
    await filter_while_a_refresh_is_on_its_way(demo, team)
    assert await team.evaluate("window.neverReloaded")

    await team.get_by_role("link", name="Prospectos").click()
    await row("Ana Ruiz").click()
    await expect(team.get_by_role("heading", level=1)).to_have_text("Ana Ruiz")
    side, history = team.locator(".side"), team.locator("#history")
    await expect(side.locator(".chips").first).to_contain_text("Caliente 80")
    await expect(side.locator(".reasons li")).to_have_text(REASONS)
    for label, value in (
        ("Busca", "un portátil para diseño"), ("Presupuesto", "$ 4.000.000"), ("Para cuándo", "Hoy mismo"),
        ("Ciudad", "Cali"), ("Correo", "ana@ruiz.co"), ("Teléfono", "+57 300 1234567"), ("Empresa", "Estudio Ruiz"),
    ):  # fmt: skip
        await expect(side.locator(".facts > div", has_text=label).filter(has_text=value).first).to_be_visible()
    for words in ("Quedó registrado como prospecto", "El bot pasó la conversación a una persona: terminó las preguntas"):
        await expect(history.locator(".event", has_text=words)).to_be_visible()
    await expect(history.locator(".bubble.theirs", has_text="¿hacen envíos a Cali?")).to_be_visible()
    await expect(history.locator(".bubble.ours", has_text=SHIPPING)).to_be_visible()
    await team.set_viewport_size({"width": 1160, "height": 780})
    await history.evaluate("box => box.scrollTop = box.scrollHeight")
    await picture(team, "lead.png")

    player = history.locator("audio")
    await expect(player).to_have_count(1)
    async with team.expect_response(re.compile(r"/media/\d+$")) as answered:
        await player.evaluate("player => player.play()")
    assert (await answered.value).status in (200, 206)
    assert await player.evaluate("player => player.duration") > 1
    await ana.says("gracias", "< ¡Con mucho gusto, Ana! Que te vaya muy bien.")
    await expect(history.locator(".bubble.theirs").last).to_contain_text("gracias")


async def filter_while_a_refresh_is_on_its_way(demo: Any, team: Any) -> None:
    """What was asked for last is what stands there, though the answer to the refresh comes between."""
    asked = asyncio.Event()

    async def cross(route: Any) -> None:
        if "priority=hot" in route.request.url:
            asked.set()
            await asyncio.sleep(0.2)
        else:
            await asked.wait()
        await route.continue_()

    await team.route("**/conversations?*", cross)
    async with team.expect_request("**/conversations?*"):
        await demo.writes("Jorge Peña", "+57 315 222 0147", MAYORISTA, "arroz, aceite y panela")
    await team.get_by_label("Prioridad").select_option("Caliente")
    await expect(team.locator(".row .name")).to_have_text(["Ana Ruiz"])
    await team.unroute_all(behavior="wait")


async def test_a_text_is_edited_tried_saved_heard_and_undone(
    demo: Any, open_page: Any, phone_of: Any, picture: Any, watch: Any
) -> None:
    """On one number's dialog page; a mistake is told beside its field, and loses nothing that was written."""
    page = await open_page(demo.url, width=1160, height=720, device_scale_factor=1.1)
    await demo.log_in(page, "gerente")
    await page.get_by_role("link", name="Números").click()
    await page.locator("article", has_text="Tecno Andina").get_by_role("button", name="Editar diálogo").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Diálogo de Tecno Andina")
    phones = await open_page(f"{demo.url}/simulator/")
    old, new = (f"< {HELLO}\n{ask}" for ask in ("¿Con quién tengo el gusto?", "¿Cómo te llamas? Yo soy Luna."))
    freight = "< Reciba un cordial saludo de Carga Andina. Soy Mateo y le ayudo a cotizar su carga.\n¿Con quién tengo el gusto?"

    name = page.locator('[name="questions.full_name.ask|es"]')
    budget = page.locator('[name="questions.budget.ask|es"]')
    await page.locator("summary", has_text="Saludo").click()
    await name.fill("¿Cómo te llamas? Yo soy {bot}.")
    await page.locator("summary", has_text="Presupuesto").click()
    await budget.fill("¿Cuánto quieres gastar?")
    for said, heard in (
        ("hola", "¿Cómo te llamas? Yo soy Luna."),
        ("Marta Rojas", "Cuéntame, Marta, ¿qué estás buscando?"),
        ("un iPhone 15, para mí", "¿Cuánto quieres gastar?"),
    ):
        await page.get_by_placeholder("Mensaje").fill(said)
        await page.get_by_role("button", name="Enviar").click()
        await expect(page.locator(".screen .bubble.theirs").last).to_contain_text(heard)
    await page.evaluate("scrollTo(0, 0)")
    await picture(page, "dialog.png")
    await phone_of(phones, "Ana").says("hola", old)  # what is only tried is heard by nobody

    await name.fill("¿Cómo te llamas, {nombre}?")
    with watch.allowing("422"):
        await page.get_by_role("button", name="Guardar versión").click()
        await expect(page.get_by_role("alert").first).to_have_text(
            "Hay textos por corregir. No se perdió nada de lo que escribiste."
        )
    await expect(page.locator("label", has=name).locator("xpath=following-sibling::*[1]")).to_contain_text("No existe {nombre}.")
    await expect(name).to_have_value("¿Cómo te llamas, {nombre}?")
    await expect(budget).to_have_value("¿Cuánto quieres gastar?")
    await name.fill("¿Cómo te llamas? Yo soy {bot}.")
    await page.get_by_placeholder("¿Qué cambiaste?").fill("Más directo")
    await page.get_by_role("button", name="Guardar versión").click()
    await expect(page.get_by_text("Versión guardada.")).to_be_visible()
    await (await new_prospect(phones, phone_of, "Carmen Vega")).says("hola", new)
    await phone_of(phones, "Beto").says("hola", freight)

    await page.get_by_role("link", name="Versiones y deshacer").click()
    await expect(page.locator(".versions ins").first).to_have_text("¿Cómo te llamas? Yo soy {bot}.")
    await page.get_by_role("button", name="Deshacer").click()
    await expect(page.get_by_text("Versión restaurada.")).to_be_visible()
    await (await new_prospect(phones, phone_of, "Diego Luna")).says("hola", old)

    seller = await open_page(demo.url)
    await demo.log_in(seller, "valeria")
    await expect(seller.locator("nav .place")).to_have_text(["Conversaciones", "Prospectos", "Equipo", "Cuenta"])
    with watch.allowing("403"):
        refused = await seller.goto(page.url.partition("/versions")[0])
    assert refused.status == 403


async def new_prospect(page: Any, phone_of: Any, name: str) -> Any:
    """Somebody more on the page, who writes to the first number."""
    await page.locator("#open-person").click()
    await page.locator("#person-dialog [name=name]").fill(name)
    await page.locator("#person-dialog .main").click()
    phone = phone_of(page, name)
    await phone.root.locator("select").select_option("Tecno Andina")
    return phone


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_every_page_fits_a_phone(demo: Any, open_page: Any, phone_of: Any, dark: bool) -> None:
    page = await open_page(f"{demo.url}/simulator/", width=390, height=844, dark=dark)

    async def fits(path: str = "") -> None:
        if path:
            await page.goto(demo.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390, page.url
        ink = await page.evaluate(
            "getComputedStyle(document.querySelector('article, .phone, .rows, .chat') ?? document.body).color"
        )
        assert (sum(map(int, re.findall(r"\d+", ink)[:3])) > 400) == dark, (page.url, ink)
        assert await page.evaluate(FAINT) == [], page.url

    def nobody_sells(session: Any) -> None:
        session.connection().exec_driver_sql("UPDATE users SET active = 0 WHERE role = 'seller'")

    await demo.app[DATABASE].write(nobody_sells)
    ana = phone_of(page, "Ana")
    await ana_buys_a_laptop(ana)
    await ana_confirms(ana)
    await fits()
    for language in ("en", "pt"):
        await fits(f"/simulator/?lang={language}")
    await fits("/login")
    await demo.log_in(page, "admin")
    await expect(page.locator(".row")).to_have_count(1)
    await fits()
    await page.locator(".row").click()
    await fits()
    await page.get_by_role("button", name="Ver prospecto").click()
    await fits()
    await fits("/leads")
    await fits("/team")
    await expect(page.locator(".rows.waits .row")).to_have_count(1)
    await fits("/board")
    await fits("/learning")
    number = demo.app[NUMBERS].find("whatsapp", TECNO).row.id
    for path in ("", f"/{number}", f"/{number}/dialog", f"/{number}/dialog/versions"):
        await fits(f"/numbers{path}")
    await page.goto(f"{demo.url}/numbers/{number}")
    await expect(page.get_by_label("Lunes")).to_be_visible()
    await page.get_by_label("Siempre abierto").check()
    await expect(page.get_by_label("Lunes")).to_be_hidden()  # what it says does not count then
    await fits("/deliveries")
    await fits("/users")
    await fits("/account")


async def test_a_seller_takes_over_on_the_page_and_gives_it_back(demo: Any, open_page: Any, phone_of: Any, picture: Any) -> None:
    """The bot falls silent, the prospect reads the seller, a colleague sees who has it; then the bot goes on where it was."""
    phones = await open_page(f"{demo.url}/simulator/")
    ana = phone_of(phones, "Ana")
    await ana.says("hola, soy Ana Ruiz", f"< {HELLO}\nAnotado: Ana Ruiz.\nCuéntame, Ana, ¿qué estás buscando?")
    seller = await open_page(demo.url, width=1160, height=640, device_scale_factor=1.1)
    await demo.log_in(seller, "valeria")
    await seller.locator(".row").click()
    bar = seller.locator("#owner")
    await expect(bar).to_contain_text("Responde el bot")
    await seller.locator("#reply textarea").fill("Hola Ana, soy Valeria.\n¿Te llamo?")
    await seller.locator("#reply textarea").press("Enter")
    await ana.shows("< Hola Ana, soy Valeria.\n¿Te llamo?")
    await expect(bar).to_contain_text("Respondes tú")
    await expect(seller.locator("#reply textarea")).to_be_focused()
    await expect(seller.locator(".bubble.ours .foot", has_text="Valeria Pardo")).to_have_count(1)
    await seller.locator("#reply textarea").fill("y además")
    await ana.says("sí, por favor")
    await expect(seller.locator(".bubble.theirs")).to_have_count(2)
    await expect(seller.locator("#reply textarea")).to_have_value("y además")
    await picture(seller, "takeover.png")

    colleague = await open_page(seller.url, width=390, height=844)
    await demo.log_in(colleague, "gerente")
    await colleague.goto(seller.url)
    await expect(colleague.locator("#owner")).to_contain_text("Responde ")
    await expect(colleague.locator("#owner")).not_to_contain_text("el bot")
    await colleague.locator("#reply textarea").fill("yo le escribo")
    await colleague.get_by_role("button", name="Enviar").click()
    await expect(colleague.get_by_role("alert")).to_contain_text("Otra persona está respondiendo")
    await expect(colleague.locator("#reply textarea")).to_have_value("yo le escribo")
    assert await colleague.evaluate("document.documentElement.scrollWidth") <= 390
    thread, reply = [await colleague.locator(part).bounding_box() for part in (".thread", "#reply")]
    assert thread["y"] + thread["height"] <= reply["y"], "one writes below what one reads"

    await seller.get_by_role("button", name="Devolver al bot").click()
    await expect(bar).to_contain_text("Responde el bot")
    await ana.says("un portátil para diseño", *BUYER)


async def test_a_restart_in_the_middle_asks_nothing_twice(start: Any, open_page: Any, phone_of: Any, watch: Any) -> None:
    """The service and its database's process end; the phone's page finds the new one by itself."""
    async with AsyncExitStack() as first:
        demo = await first.enter_async_context(start())
        page = await open_page(f"{demo.url}/simulator/")
        ana = phone_of(page, "Ana")
        await ana.says("hola, soy Ana Ruiz", f"< {HELLO}\nAnotado: Ana Ruiz.\nCuéntame, Ana, ¿qué estás buscando?")
        await ana.says("un portátil para diseño", *BUYER)
        await ana.presses("Para una empresa", "< ¿Cómo se llama la empresa?")
        with watch.allowing("net::ERR_"):  # the page's stream is cut, and finds nobody for a while
            await first.aclose()
            await expect(page.locator("#toast")).to_be_visible()
            async with start():
                await expect(ana.root.locator(".hello")).to_be_visible()
                ana.seen.clear()  # the local WhatsApp forgets; the service does not
                await ana.says("Estudio Ruiz", "< ¿Qué presupuesto tienes, más o menos?")
                await ana.says("4 millones, para hoy", "< Anotado: Hoy mismo.\n¿En qué ciudad lo recibirías?")
                await ana.says("Cali", f"< {MAIL}")
                await ana.says("ana@ruis.co", f"< {SUMMARY}", "< [Sí, enviar] [Corregir]")

"""The page where managers teach the bot: what was not understood is labelled, tried, published, taken back."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.keys import CLOCK, DATABASE, LESSONS, NUMBERS, SERVICE
from data import phrases
from data.tables import Lesson, Phrase

ODD = "¿será que hay campo pa la cicla?"


@pytest.fixture
def address(database_url: str) -> str:
    return database_url


async def unclear(site: Any, text: str = ODD, plain: str = "", company: str = "una", times: int = 1) -> int:
    """A text that was not understood; returns the row's id."""
    ids = site.ids[company]
    row = {
        "company_id": ids["company"], "plain": plain or text, "text": text, "asked": "Presupuesto", "guesses": [["greet", 0.21]],
        "number_id": ids["number"], "conversation_id": ids["talk"], "last_at": site.app[CLOCK].now(),
    }  # fmt: skip
    await site.app[DATABASE].write(lambda session: phrases.add(session, [row] * times))
    return int(await site.read(lambda session: session.scalar(select(Phrase.id).where(Phrase.plain == row["plain"])), company))


async def manager(site: Any) -> Any:
    browser = await site.browser("manager@una.co")
    await browser.get("/learning")
    return browser


async def tried(site: Any, browser: Any) -> str:
    """Press Probar and wait for what comes of it."""
    assert (await browser.post("/learning/trial")).status == 200
    while site.app[SERVICE].tasks:
        await asyncio.gather(*site.app[SERVICE].tasks)
    page: str = await browser.get("/learning")
    return html.unescape(page)


async def published(site: Any, browser: Any) -> int:
    page = await tried(site, browser)
    lesson = re.search(r'name="lesson" value="(\d+)"', page)
    assert lesson is not None, page
    answer = await browser.post("/learning/publish", {"lesson": lesson[1]})
    assert "Publicado" in await answer.text()
    return int(lesson[1])


def understood(site: Any, text: str, company: str = "una") -> tuple[str, str | None]:
    number = site.app[NUMBERS].by_id(site.ids[company]["number"])
    heard = number.nlu.understand(text, faq=number.faq)
    return heard.intent, heard.faq


async def test_the_same_text_is_one_row_and_the_most_frequent_is_first(site: Any) -> None:
    await unclear(site, "andan con la promo esa", times=2)
    await unclear(site, times=2)
    await unclear(site)
    await unclear(site, "de los otros", company="otra")
    page = html.unescape(await (await manager(site)).get("/learning"))
    assert page.index(ODD) < page.index("andan con la promo esa")
    assert "3 veces" in page
    assert "se preguntaba: Presupuesto" in page
    assert "de los otros" not in page
    assert await (await manager(site)).get("/learning/count") == "2"


async def test_one_click_labels_and_one_takes_it_back(site: Any) -> None:
    row, browser = await unclear(site), await manager(site)
    said = html.unescape(await (await browser.post(f"/learning/{row}/label", {"label": "faq:location"})).text())
    assert "Pregunta frecuente: Ubicación" in said
    assert "Deshacer" in said
    assert await browser.get("/learning/count") == ""
    await unclear(site)  # it comes again before anything is published: what was decided stays
    kept = await site.read(lambda session: session.scalar(select(Phrase)))
    assert (kept.state, kept.label, kept.times) == ("labelled", "faq:location", 2)
    await browser.post(f"/learning/{row}/undo")
    assert await browser.get("/learning/count") == "1"
    for written, label in (("saluda", "greet"), ("Pregunta frecuente: Horario", "faq:hours")):
        await browser.post(f"/learning/{row}/label", {"label": written})
        assert (await site.read(lambda session: session.scalar(select(Phrase.label)))) == label
    assert "Elige de la lista" in await (await browser.post(f"/learning/{row}/label", {"label": "faq:no_such"})).text()
    assert "No es nada." in await (await browser.post(f"/learning/{row}/ignore")).text()
    assert (await site.read(lambda session: session.scalar(select(Phrase)))).label is None


async def test_published_it_is_understood_and_taken_back_it_is_not(site: Any) -> None:
    row, browser = await unclear(site), await manager(site)
    assert understood(site, ODD)[1] is None
    shared = site.app[NUMBERS].by_id(site.ids["otra"]["number"]).nlu
    await browser.post(f"/learning/{row}/label", {"label": "faq:location"})
    await browser.post("/learning/phrases", {"phrases": "lo de los coreanos", "label": "faq:pickup"})
    page = await tried(site, browser)
    assert "2 de 2" in re.sub(r"<[^>]+>", "", page)
    assert "Todas" in page
    assert understood(site, ODD)[1] is None, "what is tried is not used"
    await published(site, browser)
    assert understood(site, ODD) == ("location", "location")
    assert understood(site, "Lo de los coreanos?")[1] == "pickup", "a question that has no intent"
    assert site.app[NUMBERS].by_id(site.ids["otra"]["number"]).nlu is shared, (
        "nobody keeps an engine for those who taught nothing"
    )
    assert understood(site, ODD, "otra")[1] is None
    page = html.unescape(await browser.get("/learning"))
    assert "Versión 1" in page
    assert "manager una" in page
    answer = await browser.post("/learning/restore", {"version": "0"})
    assert "volvió a entender" in await answer.text()
    assert understood(site, ODD)[1] is None
    assert understood(site, "lo de los coreanos")[1] is None
    assert not site.app[LESSONS]._engines, "an engine for those who teach nothing any more"
    await browser.post("/learning/restore", {"version": "1"})
    assert understood(site, ODD)[1] == "location"
    rows = await site.read(lambda session: list(session.scalars(select(Lesson).order_by(Lesson.id))))
    assert [(row.version, row.like_version) for row in rows] == [(1, None), (2, 0), (3, 1)], "trials leave nothing"
    assert (await browser.post("/learning/restore", {"version": "3"})).status == 422
    assert (await browser.post("/learning/restore", {"version": "9"})).status == 404


async def test_texts_like_the_taught_ones_are_understood_too(site: Any) -> None:
    browser = await manager(site)
    lines = "me regalas la listica\r\nme regala la listica de lo que hay\r\n\r\nla listica porfa\r\nMe regalas la LISTICA?"
    answer = await browser.post("/learning/phrases", {"phrases": lines, "label": "Pide el catálogo"})
    assert "Frases agregadas" in await answer.text()
    assert understood(site, "regálame la listica")[0] == "out_of_scope"
    await published(site, browser)
    assert understood(site, "regálame la listica")[0] == "catalog"
    rows = await site.read(lambda session: list(session.scalars(select(Phrase).order_by(Phrase.id))))
    assert len(rows) == 3
    page = html.unescape(await (await browser.post(f"/learning/{rows[0].id}/undo")).text())
    assert "Frase quitada" in page
    assert "Hay un cambio sin publicar" in page
    assert understood(site, "me regalas la listica")[0] == "catalog", "until it is published"


@pytest.mark.parametrize(
    ("lines", "label", "said"),
    [
        ("", "Saluda", "Escribe al menos una frase"),
        ("?!\n...", "Saluda", "Escribe al menos una frase"),
        ("hola", "", "Elige de la lista"),
        ("hola", "Vuela", "Elige de la lista"),
        ("a" * 201, "Saluda", "muy larga"),
        ("\n".join(f"frase mo{chr(97 + n // 26)}a{chr(97 + n % 26)}ezu" for n in range(51)), "Saluda", "hasta 50"),
        ("Hay campo pa la cicla", "Saluda", "«hay campo pa la cicla» ya significa «Pregunta frecuente: Ubicación»"),
    ],
)
async def test_bad_lines_are_refused_and_stay_in_the_form(site: Any, lines: str, label: str, said: str) -> None:
    browser = await manager(site)
    await browser.post("/learning/phrases", {"phrases": "hay campo pa la cicla", "label": "faq:location"})
    answer = await browser.post("/learning/phrases", {"phrases": lines, "label": label})
    assert answer.status == 422
    page = html.unescape(await answer.text())
    assert said in page
    assert lines.strip() in page
    assert await site.read(lambda session: session.scalar(select(Phrase.label))) == "faq:location"


async def test_what_cannot_be_learnt_is_said_and_the_old_stays(site: Any) -> None:
    browser = await manager(site)
    await browser.post("/learning/phrases", {"phrases": "la listica porfa", "label": "catalog"})
    await published(site, browser)
    for plain, text, label in (
        ("x", "La listica porfa", "price"),
        ("y", "la listica, porfa", "catalog"),
        ("z", "zaz", "faq:gone"),
    ):
        row = await unclear(site, text, plain)
        await site.write(
            lambda session, row=row, label=label: session.execute(
                update(Phrase).where(Phrase.id == row).values(state="labelled", label=label)
            )
        )
    page = await tried(site, browser)
    assert "Así no se puede aprender" in page
    assert "«La listica porfa»: significa «Pide el catálogo» y también «Pregunta el precio»" in page
    assert "«la listica, porfa»: está dos veces" in page
    assert "«zaz»: lo que significaba ya no existe" in page
    assert "Publicar</button>" not in page
    assert understood(site, "la listica porfa")[0] == "catalog"
    refused = await site.read(lambda session: session.scalar(select(Lesson.id).where(Lesson.state == "refused")))
    answer = await browser.post("/learning/publish", {"lesson": str(refused)})
    assert answer.status == 422
    assert "Pruébalo de nuevo" in await answer.text()


async def test_only_the_last_trial_as_it_was_tried_is_published(site: Any) -> None:
    browser = await manager(site)
    await browser.post("/learning/phrases", {"phrases": "la listica porfa", "label": "catalog"})
    await tried(site, browser)
    first = await site.read(lambda session: session.scalar(select(Lesson.id)))
    await browser.post("/learning/phrases", {"phrases": "el folletico porfa", "label": "catalog"})
    page = html.unescape(await browser.get("/learning/trial"))
    assert "Cambiaste frases después de esta prueba" in page
    assert "Publicar</button>" not in page
    await tried(site, browser)
    for lesson in (str(first), "0", "x"):
        assert (await browser.post("/learning/publish", {"lesson": lesson})).status == 422
    assert understood(site, "el folletico porfa")[0] != "catalog"


async def test_a_trial_whose_process_ended_does_not_stand_in_the_way(site: Any) -> None:
    browser = await manager(site)
    await browser.post("/learning/phrases", {"phrases": "la listica porfa", "label": "catalog"})
    now = site.app[CLOCK].now()

    def left(session: Any, ago: timedelta) -> None:
        session.add(Lesson(state="trying", lines=[], effect=None, problems=[], created_at=now - ago))

    await site.write(lambda session: left(session, timedelta(seconds=10)))
    assert "Aprendiendo" in await (await browser.post("/learning/trial")).text()
    assert len(await site.read(lambda session: list(session.scalars(select(Lesson))))) == 1, "one at a time"
    await site.write(lambda session: session.execute(update(Lesson).values(created_at=now - timedelta(minutes=3))))
    assert "La prueba no terminó" in await browser.get("/learning/trial")
    await published(site, browser)


async def test_a_trial_that_fails_is_said(site: Any) -> None:
    browser = await manager(site)
    await browser.post("/learning/phrases", {"phrases": "la listica porfa", "label": "catalog"})
    site.app[LESSONS]._models = Path(__file__) / "models"  # no folder: the process ends with an error
    assert "La prueba no terminó" in await tried(site, browser)
    assert understood(site, "la listica porfa")[0] != "catalog"


def spoil(models: Path, company: int, damage: str) -> None:
    (file,) = models.glob(f"company-{company}-*.npz")
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:1000])


@pytest.mark.parametrize("damage", ["missing", "damaged"])
async def test_a_lost_model_is_made_anew_and_meanwhile_the_lines_are_known(site: Any, models: Path, damage: str) -> None:
    browser = await manager(site)
    await browser.post("/learning/phrases", {"phrases": f"la listica porfa\nel folletico {damage}", "label": "catalog"})
    await published(site, browser)
    lessons, numbers = site.app[LESSONS], site.app[NUMBERS]
    await asyncio.to_thread(spoil, models, site.ids["una"]["company"], damage)
    lessons._engines.clear()  # as after a start
    asked: list[bool] = []
    numbers.on_missing = lambda: asked.append(True)
    await numbers.reload(site.app[DATABASE])
    assert asked
    assert understood(site, "la listica porfa")[0] == "catalog"
    assert understood(site, "me da la listica porfa")[0] != "catalog"
    await lessons.learn_missing(lambda: numbers.reload(site.app[DATABASE]))
    assert understood(site, "me da la listica porfa")[0] == "catalog"
    assert not lessons.missing


async def test_an_update_without_a_label_passes_its_lines_over(site: Any) -> None:
    """A frequent question that a new version of Mostrador no longer has."""
    lines = [["hay campo pa la cicla", "faq:gone"], ["la listica porfa", "catalog"]]

    def publish(session: Any) -> None:
        session.add(Lesson(version=1, state="published", lines=lines, effect=None, problems=[], created_at=site.app[CLOCK].now()))

    await site.write(publish)
    await site.app[NUMBERS].reload(site.app[DATABASE])
    assert understood(site, "la listica porfa")[0] == "catalog"
    assert understood(site, "hay campo pa la cicla")[1] is None

"""`make test-rasa`: a real Rasa 3.6 learns the exported project as it is, and understands for the service. Three minutes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from bot.rasa import Server
from nlu import rasa_yaml
from nlu.engine import load
from nlu.evaluate import HELD_OUT
from nlu.rasa_export import export
from nlu.rasa_http import PATIENCE, Rasa, opinion, question
from tests.rasa.server import RASA, Serving, run, serve, shorten

EPOCHS = 8
"""Of the hundred that a project is exported with: enough to see that it learns."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rasa") / "project"
    export(folder)
    shorten(folder, EPOCHS)
    asyncio.run(run(folder, str(RASA), "train", "nlu"))
    (folder / "run.log").rename(folder / "train.log")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rasa(project: Path) -> AsyncIterator[Serving]:
    async with serve(project) as serving:
        yield serving


async def test_it_is_trained_without_a_complaint_about_the_project(project: Path) -> None:
    said = (project / "train.log").read_text("utf-8", "replace")
    assert "Your Rasa model is trained" in said
    about_us = [line for line in said.splitlines() if "UserWarning" in line and "epochs" not in line]
    assert about_us == []


async def test_its_answers_have_the_shape_that_we_read(rasa: Serving) -> None:
    intents = load(Path("var/models")).model.intents
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{rasa.url}/model/parse", json={"text": "¿hacen envíos a Cali?"}) as answer:
            body = await answer.read()
        told = opinion(body, intents)
        assert told is not None
        assert (told > 0).sum() == len(intents), "every intent is ranked"
        assert told.sum() == pytest.approx(1, abs=0.01)
        async with http.post(f"{rasa.url}/model/parse", json={"words": "hola"}) as answer:
            assert answer.status == 500
        async with http.post(f"{rasa.url}/model/parse", json={"text": ""}) as answer:
            assert opinion(await answer.read(), intents) is not None, "it guesses: that is why it is never sent"


async def test_a_text_cannot_name_its_intent(rasa: Serving) -> None:
    """To Rasa it could: that is why the slash is left out."""
    intents = load(Path("var/models")).model.intents
    async with aiohttp.ClientSession() as http, http.post(f"{rasa.url}/model/parse", json={"text": "/stop"}) as answer:
        assert (await answer.json())["intent"] == {"name": "stop", "confidence": 1.0}
    server = Server(rasa.url)
    told = opinion(await server.ask(question("/job")), intents)
    await server.close()
    assert told is not None
    assert told.max() < 1


async def test_it_understands_what_it_never_saw_in_time(rasa: Serving) -> None:
    news: Counter[str] = Counter()
    server = Server(rasa.url)
    nlu = Rasa(load(Path("var/models")), server.ask, lambda what: news.update([what]))
    lines = [line for line in rasa_yaml.read(HELD_OUT) if line.language == "es"][:200]
    began = time.perf_counter()
    for start in range(0, len(lines), 8):
        await nlu.foresee(line.text for line in lines[start : start + 8])
    took = time.perf_counter() - began
    right = sum(nlu.understand(line.text).intent == line.intent for line in lines)
    await server.close()
    assert news["failed"] == news["unusable"] == 0
    assert news["answered"] > 150
    assert took < PATIENCE * len(lines) / 8
    assert right > len(lines) * 0.6

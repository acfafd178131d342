"""Where a Rasa server understands, the trial of a dialog shows what it would say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlu.engine import load
from nlu.rasa_http import Rasa

ASK = "eso que les dije ayer"


async def _ask(_: bytes) -> bytes:
    return json.dumps({"intent": {"name": "human", "confidence": 0.97}}).encode()


@pytest.fixture
def understanding() -> Rasa:
    return Rasa(load(Path("var/models")), _ask, lambda news: None)


async def test_the_trial_asks_it_too(site: Any) -> None:
    browser, address = await site.browser("manager@una.co"), f"/numbers/{site.ids['una']['number']}/dialog"
    await browser.get(address)
    page = await (await browser.post(f"{address}/preview", {"said": "hola", "say": ASK})).text()
    assert "Ya le paso tu caso a un asesor" in page

"""The service with a Rasa server behind its understanding: what it says is done, and nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from bot.maintenance import doctor
from bot.rasa import Server
from bot.settings import WrongSettings, load
from nlu.rasa_http import FAILURES, PATIENCE, NoAnswer
from tests.bot.fake_rasa import FakeRasa

ASK = "eso que les dije ayer"
"""Out of scope to the engine inside; to this Rasa somebody who wants a person."""
REST = "mostrador_rasa_resting"


@pytest.fixture
async def rasa() -> AsyncIterator[tuple[FakeRasa, str]]:
    fake = FakeRasa(lambda text: "human" if text.startswith(ASK) else "inform", token="s3cret")
    async with TestServer(fake.application()) as server:
        yield fake, f"{server.make_url('/rasa')}?token=s3cret"


async def metric(shop: Any, name: str) -> float:
    async with shop.http.get(shop.url.replace("webhooks/whatsapp", "metrics")) as answer:
        lines = (await answer.text()).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def test_a_turn_is_made_of_what_rasa_says(open_shop: Any, database_url: str, rasa: tuple[FakeRasa, str]) -> None:
    fake, url = rasa
    shop = await open_shop(database_url, nlu_backend="rasa", rasa_url=url)
    before = await metric(shop, 'mostrador_rasa_texts_total{outcome="answered"}')
    heard = await shop.talk(shop.person(), shop.first, "hola", ASK)
    assert fake.asked == [ASK], "the greeting is known by heart"
    assert "asesor" in heard[-1]
    assert await metric(shop, 'mostrador_rasa_texts_total{outcome="answered"}') == before + 1


async def test_bubbles_are_asked_as_the_turn_reads_them(open_shop: Any, sqlite_url: str, rasa: tuple[FakeRasa, str]) -> None:
    fake, url = rasa
    shop = await open_shop(sqlite_url, nlu_backend="rasa", rasa_url=url, debounce_ms=150)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    fallbacks = await metric(shop, "mostrador_rasa_fallbacks_total")
    for bubble in (ASK, "por eso pregunto otra vez"):
        await ana.say(shop.first, bubble)
    await shop.settled()
    assert fake.asked == [f"{ASK}\npor eso pregunto otra vez"]
    assert await metric(shop, "mostrador_rasa_fallbacks_total") == fallbacks


async def test_without_a_window_each_bubble_is_asked_by_itself(
    open_shop: Any, sqlite_url: str, rasa: tuple[FakeRasa, str]
) -> None:
    fake, url = rasa
    shop = await open_shop(sqlite_url, nlu_backend="rasa", rasa_url=url, debounce_ms=0)
    ana = shop.person()
    fake.mood = "slow"
    await ana.say(shop.first, ASK)
    while not fake.asked:
        await asyncio.sleep(0.005)
    fake.mood = "well"
    fallbacks = await metric(shop, "mostrador_rasa_fallbacks_total")
    for bubble in ("por eso pregunto otra vez", "y otra vez más"):
        await ana.say(shop.first, bubble)  # they wait for the first together
    await shop.settled()
    assert fake.asked == [ASK, "por eso pregunto otra vez", "y otra vez más"]
    assert await metric(shop, "mostrador_rasa_fallbacks_total") == fallbacks + 1


@pytest.mark.parametrize("mood", ["slow", "failing", "garbage", "gone", "locked"])
async def test_the_engine_inside_answers_in_its_place(
    open_shop: Any, sqlite_url: str, rasa: tuple[FakeRasa, str], mood: str
) -> None:
    fake, url = rasa
    fake.mood = mood
    url = {"gone": "http://127.0.0.1:9", "locked": url.replace("s3cret", "wrong")}.get(mood, url)
    shop = await open_shop(sqlite_url, nlu_backend="rasa", rasa_url=url)
    fallbacks = await metric(shop, "mostrador_rasa_fallbacks_total")
    assert await metric(shop, REST) == 0
    for number in range(FAILURES):
        (heard,) = await shop.talk(shop.person(phone=f"+57 300 123 450{number}"), shop.first, f"{ASK} {number}")
        assert heard.startswith("[first"), "nobody is handed over"
    assert await metric(shop, "mostrador_rasa_fallbacks_total") == fallbacks + FAILURES
    assert await metric(shop, REST) == 1
    asked = len(fake.asked)
    began = time.monotonic()
    await shop.talk(shop.person(), shop.first, "otra cosa que les dije")
    assert time.monotonic() - began < PATIENCE, "it is left alone"
    assert len(fake.asked) == asked
    async with shop.http.get(shop.url.replace("webhooks/whatsapp", "readyz")) as answer:
        assert (answer.status, (await answer.json())["degraded"]) == (200, [])


async def test_a_slow_rasa_holds_no_transaction_open(open_shop: Any, database_url: str, rasa: tuple[FakeRasa, str]) -> None:
    fake, url = rasa
    shop = await open_shop(database_url, nlu_backend="rasa", rasa_url=url)
    fake.mood = "slow"
    asking = asyncio.create_task(shop.talk(shop.person(), shop.first, ASK))
    while not fake.asked:
        await asyncio.sleep(0.005)
    began = time.monotonic()
    await shop.run_sql("UPDATE conversations SET unread = unread")
    assert time.monotonic() - began < PATIENCE / 2
    await asking


async def test_whom_a_seller_answers_is_not_asked_about(open_shop: Any, sqlite_url: str, rasa: tuple[FakeRasa, str]) -> None:
    fake, url = rasa
    shop = await open_shop(sqlite_url, nlu_backend="rasa", rasa_url=url)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    await shop.run_sql("UPDATE conversations SET owner = 'human'")
    await ana.say(shop.first, ASK)
    await shop.settled()
    assert fake.asked == []


async def test_what_the_fake_refuses_is_no_answer(rasa: tuple[FakeRasa, str]) -> None:
    _, url = rasa
    server = Server(url)
    with pytest.raises(NoAnswer, match="500"):
        await server.ask(b"{}")
    await server.close()


async def test_the_doctor_asks_it(sqlite_url: str, rasa: tuple[FakeRasa, str], capsys: pytest.CaptureFixture[str]) -> None:
    fake, url = rasa
    settings = load(_env_file=None, secret_key="k" * 40, database_url=sqlite_url, nlu_backend="rasa", rasa_url=url)
    await doctor(settings)
    assert "✓ RASA_URL: it knows our intents" in capsys.readouterr().err
    fake.mood = "garbage"
    await doctor(settings)
    assert "✗ RASA_URL: it answers, and with none of our intents" in capsys.readouterr().err
    fake.mood = "failing"
    await doctor(settings)
    assert "✗ RASA_URL: no answer: status 500" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["", "rasa:5005", "ftp://rasa", "http://"])
def test_a_wrong_address_stops_the_start(url: str) -> None:
    with pytest.raises(WrongSettings, match="RASA_URL"):
        load(_env_file=None, secret_key="k" * 40, nlu_backend="rasa", rasa_url=url)
    assert load(_env_file=None, secret_key="k" * 40).nlu_backend == "embedded"

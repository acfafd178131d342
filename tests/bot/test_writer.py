"""The writing assistant's server: what it is asked, and everything that it may answer instead of a text."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port

from bot.maintenance import doctor
from bot.settings import WrongSettings, load
from bot.writer import (
    FAILURES,
    REST,
    TOKENS,
    ChatCompletions,
    NoDraft,
    WriterAway,
    WriterBusy,
    WriterRefused,
    WriterUnusable,
)
from tests.bot.fake_openai import KEY, MODEL, FakeOpenAI


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def fake() -> FakeOpenAI:
    return FakeOpenAI()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def writer(fake: FakeOpenAI, http: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[ChatCompletions]:
    async with TestServer(fake.application()) as server:
        yield ChatCompletions(http, str(server.make_url("/v1")), MODEL, KEY, patience=0.5, clock=clock)


async def test_it_is_asked_in_openais_shape(writer: ChatCompletions, fake: FakeOpenAI) -> None:
    fake.says = "  Sí, enviamos.\n"
    assert await writer.write("be short", '{"a": "ñ"}') == "Sí, enviamos."
    messages = [{"role": "system", "content": "be short"}, {"role": "user", "content": '{"a": "ñ"}'}]
    assert fake.asked == [{"model": MODEL, "messages": messages, "max_tokens": TOKENS, "stream": False}]
    assert fake.keys == [f"Bearer {KEY}"]
    assert writer.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("mood", "refusal"),
    [
        ("slow", WriterAway),
        ("cut", WriterAway),
        ("500", WriterAway),
        ("503", WriterAway),
        ("429", WriterBusy),
        ("400", WriterRefused),
        ("401", WriterRefused),
        ("404", WriterRefused),
        ("moved", WriterRefused),
        ("html", WriterUnusable),
        ("garbage", WriterUnusable),
        ("empty", WriterUnusable),
        ("huge", WriterUnusable),
    ],
)
async def test_what_is_no_text_has_a_reason_and_is_not_asked_again(
    writer: ChatCompletions, fake: FakeOpenAI, mood: str, refusal: type[NoDraft]
) -> None:
    fake.mood = mood
    with pytest.raises(refusal):
        await writer.write("i", "d")
    assert len(fake.asked) == 1


async def test_a_server_without_answers_is_left_alone_for_a_while(
    writer: ChatCompletions, fake: FakeOpenAI, clock: Clock
) -> None:
    fake.mood = "500"
    for _ in range(FAILURES + 2):
        with pytest.raises(WriterAway):
            await writer.write("i", "d")
    assert len(fake.asked) == FAILURES
    clock.now = REST + 1
    fake.mood = "well"
    assert await writer.write("i", "d") == "Hola."
    fake.mood = "500"
    with pytest.raises(WriterAway):
        await writer.write("i", "d")
    fake.mood = "well"
    assert await writer.write("i", "d") == "Hola.", "one failure after an answer is one"


async def test_a_server_that_is_not_there(http: aiohttp.ClientSession) -> None:
    with pytest.raises(WriterAway):
        await ChatCompletions(http, f"http://127.0.0.1:{unused_port()}/v1", MODEL).write("i", "d")


async def test_newer_models_call_the_cap_otherwise(writer: ChatCompletions, fake: FakeOpenAI) -> None:
    fake.mood = "newer"
    assert await writer.write("i", "d") == "Hola."
    assert await writer.write("i", "d") == "Hola."
    assert ["max_tokens" in each for each in fake.asked] == [True, False, False], "it is learnt once"
    assert fake.asked[-1]["max_completion_tokens"] == TOKENS


async def test_the_doctor_looks_at_it(
    sqlite_url: str, writer: ChatCompletions, fake: FakeOpenAI, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(writer._url)
    for key, model, told in (
        (KEY, MODEL, "✓ WRITER_URL: 127.0.0.1 answers 200"),
        ("wrong", MODEL, "✗ WRITER_KEY: 127.0.0.1 does not take it (401)"),
        (KEY, "large", "✗ WRITER_MODEL: 127.0.0.1 does not list large; it has small"),
    ):
        given = {"writer_url": url, "writer_key": key, "writer_model": model}
        await doctor(load(_env_file=None, secret_key="k" * 40, database_url=sqlite_url, **given))
        assert told in capsys.readouterr().err
    gone = {"writer_url": f"http://127.0.0.1:{unused_port()}/v1", "writer_model": MODEL}
    await doctor(load(_env_file=None, secret_key="k" * 40, database_url=sqlite_url, **gone))
    assert "✗ WRITER_URL: 127.0.0.1 cannot be reached" in capsys.readouterr().err
    assert fake.asked == [], "it costs nothing"


async def test_the_models_it_has(writer: ChatCompletions, http: aiohttp.ClientSession, fake: FakeOpenAI) -> None:
    assert await writer.models() == (200, {MODEL})
    async with TestServer(fake.application()) as server:
        assert await ChatCompletions(http, str(server.make_url("/v1/")), MODEL).models() == (401, frozenset())


@pytest.mark.parametrize(
    "given",
    [
        {"writer_url": "ftp://host/v1", "writer_model": MODEL},
        {"writer_url": "http://host/v1?key=1", "writer_model": MODEL},
        {"writer_url": "http://me:secret@host/v1", "writer_model": MODEL},
        {"writer_url": "http://host/v1"},
    ],
)
def test_half_a_setting_stops_the_start(given: dict[str, str]) -> None:
    with pytest.raises(WrongSettings, match="WRITER_"):
        load(_env_file=None, secret_key="k" * 40, **given)


def test_there_is_none_by_default() -> None:
    assert load(_env_file=None, secret_key="k" * 40).writer_url == ""

"""A Rasa server behind the same protocol: what it is asked, what is made of its answers, and when it is left alone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.engine import Engine
from nlu.rasa_http import AT_ONCE, FAILURES, KEPT, REST, NoAnswer, Rasa, opinion, question
from nlu.understanding import Foresees

TEXT = "el pedido que les dije"
"""Nothing that is known by heart."""


def answer(*ranking: tuple[str, float]) -> bytes:
    """As Rasa 3.6 answers; the first of the ranking is the intent."""
    guesses = [{"name": name, "confidence": confidence} for name, confidence in ranking]
    told = {"text": "…", "intent": guesses[0], "entities": [], "text_tokens": [[0, 1]], "intent_ranking": guesses}
    return json.dumps(told).encode()


class Server:
    """Answers with `says`, after a while where it is `slow`."""

    def __init__(self, says: bytes | None, slow: float = 0.0) -> None:
        self.says, self.slow = says, slow
        self.asked: list[str] = []
        self.now = self.most = 0

    async def ask(self, body: bytes) -> bytes:
        self.asked.append(json.loads(body)["text"])
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.slow)
        finally:
            self.now -= 1
        if self.says is None:
            raise NoAnswer("down")
        return self.says


class Desk:
    """A backend over a server, its clock, and what it noted."""

    def __init__(self, engine: Engine, server: Server, patience: float = 0.3) -> None:
        self.time = 0.0
        self.news: Counter[str] = Counter()
        self.nlu = Rasa(engine, server.ask, lambda news: self.news.update([news]), lambda: self.time, patience)


async def test_what_the_server_says_is_what_is_understood(nlu: Engine) -> None:
    server = Server(answer(("warranty", 0.9), ("greet", 0.1)))
    desk = Desk(nlu, server)
    assert isinstance(desk.nlu, Foresees)
    assert not isinstance(nlu, Foresees)
    assert nlu.understand(TEXT).intent != "warranty"
    await desk.nlu.foresee([TEXT])
    understood = desk.nlu.understand(TEXT)
    assert (understood.intent, understood.confidence) == ("warranty", 0.9)
    assert desk.news == {"answered": 1}


async def test_what_was_not_asked_is_understood_by_the_engine(nlu: Engine) -> None:
    desk = Desk(nlu, Server(answer(("greet", 1.0))))
    assert desk.nlu.understand(TEXT) == nlu.understand(TEXT)
    assert desk.news == {"fallback": 1}


async def test_what_was_asked_for_and_frequent_questions_are_ours(nlu: Engine) -> None:
    """The server takes it for talk; as the answer to a question it is one."""
    desk = Desk(nlu, Server(answer(("inform", 0.25), ("price", 0.45), ("greet", 0.3))))
    faq = desk.nlu.faq_index({"shipping": ["hacen envíos a todo el país"], "payment": ["cómo puedo pagar"]})
    await desk.nlu.foresee([TEXT, "envios a todo el pais hacen?"])
    assert desk.nlu.understand(TEXT).intent == "price"
    assert desk.nlu.understand(TEXT, "text").intent == "inform"
    assert desk.nlu.understand("envios a todo el pais hacen?", None, faq).faq == "shipping"
    assert desk.nlu.understand("envios a todo el pais hacen?").language == "es"


@pytest.mark.parametrize("ranking", [[("nlu_fallback", 0.3), ("greet", 0.2), ("price", 0.2)], [("greet", 0.3), ("price", 0.3)]])
async def test_what_the_server_is_unsure_of_is_not_understood(nlu: Engine, ranking: list[tuple[str, float]]) -> None:
    desk = Desk(nlu, Server(answer(*ranking)))
    await desk.nlu.foresee([TEXT])
    assert desk.nlu.understand(TEXT).intent == "out_of_scope"


async def test_nobody_subscribes_or_leaves_by_a_guess_of_the_server(nlu: Engine) -> None:
    desk = Desk(nlu, Server(answer(("stop", 0.6), ("price", 0.4))))
    await desk.nlu.foresee([TEXT])
    assert desk.nlu.understand(TEXT).intent == "price"


async def test_it_is_not_asked_what_is_known_or_says_nothing(nlu: Engine) -> None:
    server = Server(answer(("greet", 1.0)))
    desk = Desk(nlu, server)
    await desk.nlu.foresee(["", "  \n", "hola", "Hola"])
    assert server.asked == []
    assert desk.nlu.understand("hola").intent == "greet"
    assert desk.news == {}


async def test_a_question_in_a_message_is_asked_by_itself_too(nlu: Engine) -> None:
    server = Server(answer(("greet", 0.7), ("price", 0.2)))
    desk = Desk(nlu, server)
    await desk.nlu.foresee(["soy Camila, ¿qué me dice de eso?"])
    parts = ["qué me dice de eso", "soy Camila"]
    assert sorted(server.asked) == [*parts, "soy Camila, ¿qué me dice de eso?", "¿qué me dice de eso?"]
    desk.nlu.understand("soy Camila, ¿qué me dice de eso?")
    assert desk.news == {"answered": 4}, "the engine needs no guess of its own"


@pytest.mark.parametrize("text", ["/stop", "  /stop", "//stop", "\n/ stop{}"])
def test_nobody_names_their_intent(text: str) -> None:
    """Rasa takes "/stop" for the intent `stop`, whatever it has learnt."""
    assert json.loads(question(text))["text"].startswith("stop")


def test_a_long_text_is_cut() -> None:
    assert len(question("á" * 4_000)) < 1_300


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"null", b'{"intent": null}', b'{"intent": {"name": "greet", "confidence": "high"}}',
        b'{"intent": {"name": "greet", "confidence": 7}}', b'{"intent": {"name": null, "confidence": 0.0}}',
        b'{"intent": {"name": "of_somebody_else", "confidence": 1}}', b'{"status": "failure", "code": 500}', b"\xff\xfe",
    ],
)  # fmt: skip
def test_an_answer_that_is_none(body: bytes) -> None:
    assert opinion(body, ("greet", "price")) is None


@given(st.binary() | st.text().map(str.encode))
def test_no_answer_at_all_breaks_it(body: bytes) -> None:
    opinion(body, ("greet",))


def test_an_intent_alone_and_names_with_a_slash() -> None:
    told = opinion(b'{"intent": {"name": "faq__shipping", "confidence": 1}}', ("faq/shipping", "greet"))
    assert told is not None
    assert told.tolist() == [1.0, 0.0]


async def test_a_slow_server_costs_its_time_and_no_more(nlu: Engine) -> None:
    server = Server(answer(("greet", 1.0)), slow=30)
    desk = Desk(nlu, server, patience=0.05)
    texts = [f"{TEXT} {number}" for number in range(3 * AT_ONCE)]
    async with asyncio.timeout(5):
        await desk.nlu.foresee(texts)
    assert server.most == AT_ONCE
    assert desk.news == {"late": AT_ONCE}
    assert desk.nlu.understand(texts[0]) == nlu.understand(texts[0])


async def test_what_comes_in_time_counts_though_the_rest_is_late(nlu: Engine) -> None:
    server = Server(answer(("greet", 1.0)), slow=0.02)
    desk = Desk(nlu, server, patience=0.1)
    texts = [f"{TEXT} {number}" for number in range(100)]
    for _ in range(FAILURES):
        await desk.nlu.foresee(texts)
    assert desk.news["answered"] >= AT_ONCE
    assert "resting" not in desk.news


@pytest.mark.parametrize(("says", "outcome"), [(None, "failed"), (b"<html>", "unusable")])
async def test_after_failures_it_is_left_alone_for_a_while(nlu: Engine, says: Any, outcome: str) -> None:
    server = Server(says)
    desk = Desk(nlu, server)
    for number in range(FAILURES + 5):
        await desk.nlu.foresee([f"{TEXT} {number}"])
    assert desk.news == {outcome: FAILURES, "resting": 1}
    desk.time += REST + 0.1  # one is tried, and fails
    for number in range(5):
        await desk.nlu.foresee([f"{TEXT} {number}"])
    assert desk.news == {outcome: FAILURES + 1, "resting": 1}
    server.says = answer(("greet", 1.0))
    desk.time += REST + 0.1
    for number in range(5):
        await desk.nlu.foresee([f"{TEXT} {number}"])
    assert desk.news == {outcome: FAILURES + 1, "resting": 1, "back": 1, "answered": 5}


async def test_an_answer_is_kept_for_a_while(nlu: Engine) -> None:
    server = Server(answer(("warranty", 0.9)))
    desk = Desk(nlu, server)
    await desk.nlu.foresee([TEXT])
    await desk.nlu.foresee([TEXT, "otra cosa que les dije"])
    assert server.asked.count(TEXT) == 1
    desk.time += KEPT + 1
    await desk.nlu.foresee(["otra cosa que les dije"])
    assert desk.nlu.understand(TEXT) == nlu.understand(TEXT)


async def test_the_engine_of_a_company_hears_what_the_shared_one_was_told_and_knows_its_own_lines(nlu: Engine) -> None:
    server = Server(None)
    desk = Desk(nlu, server)
    taught = desk.nlu.taught({"la listica": "catalog"})
    for told in ("warranty", "hours"):
        server.says = answer((told, 0.9))
        await desk.nlu.foresee([TEXT, "la listica"])
        assert taught.understand(TEXT).intent == told
        assert taught.understand("¡La listica!").intent == "catalog"
        assert desk.nlu.understand("la listica").intent == told
        desk.time += KEPT + 1
    assert desk.news["fallback"] == 0
    assert taught.guesses(TEXT)
    assert desk.news["fallback"] == 0, "what people label is not asked about"

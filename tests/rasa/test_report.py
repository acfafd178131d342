"""The figures of the report beside those of `mostrador nlu evaluate`, and its page."""

from __future__ import annotations

import numpy as np
import pytest

from nlu import classifier, evaluate
from nlu.classifier import Example, Model, softmax
from nlu.normalise import normalise
from nlu.rasa_yaml import Line
from tests.rasa.parts import parts_of
from tests.rasa.report import Cost, Quality, quality, written

TAUGHT = {
    "greet": ["hola", "buenas", "buenos días"],
    "price": ["cuánto cuesta", "precio"],
    "out_of_scope": ["la luna", "un poema"],
}
ASKED = {"greet": ["hola buenas", "precio"], "price": ["el precio", "cuánto"], "out_of_scope": ["luna", "buenas"]}


def lines(texts: dict[str, list[str]], language: str = "es", where: str = "es.yml:1") -> list[Line]:
    return [Line(text, intent, language, where) for intent, some in texts.items() for text in some]


@pytest.fixture(scope="module")
def model() -> Model:
    return classifier.train([Example(line.text, line.intent, line.language) for line in lines(TAUGHT)])


def test_both_are_measured_alike(model: Model) -> None:
    asked = lines(ASKED)
    shares = np.array([softmax(model.scores(model.vector(normalise(line.text)))[0]) for line in asked])
    own, theirs = evaluate.score(model, asked), quality([line.intent for line in asked], shares, model.intents)
    assert own.accuracy < 1
    assert (theirs.messages, theirs.accuracy) == (own.messages, pytest.approx(own.accuracy, abs=1e-4))
    assert (theirs.macro_f1, theirs.auroc) == (pytest.approx(own.macro_f1, abs=1e-4), pytest.approx(own.auroc, abs=1e-4))


def test_an_answer_that_is_none_is_wrong() -> None:
    shares = np.zeros((2, 2), dtype=np.float32)
    assert quality(["greet", "price"], shares, ["greet", "price"]) == Quality(2, 0.0, 0.0, None)


def test_the_parts_are_always_the_same_and_messy_lines_are_apart() -> None:
    held_out = [
        *lines(ASKED),
        *lines({"greet": ["ola"], "price": ["kuanto"]}, where="es_messy.yml:1"),
        *lines(ASKED, "pt", "pt.yml:1"),
    ]
    parts = parts_of(held_out)
    assert {title: len(part) for title, part in parts.items()} == {
        "all": 14, "es": 6, "pt": 6, "messy Spanish": 2, "20 % of words misspelt": 12, "40 % of words misspelt": 12,
        "20 % of words, letters swapped": 12,
    }  # fmt: skip
    assert parts == parts_of(held_out)
    swapped = parts["20 % of words, letters swapped"]
    assert swapped != parts["es"] + parts["pt"]
    assert [sorted(line.text) for line in swapped] == [sorted(line.text) for line in parts["es"] + parts["pt"]]


def test_the_page_says_it_all() -> None:
    own, theirs = Quality(10, 0.875, 0.8, 0.93), Quality(10, 0.765, 0.7, None)
    cost, their_cost = Cost(8.25, 400, 0.5, 155, [1.0, 3.0]), Cost(600, 1500, 18, 850, [11.0, 13.0])
    page = written(
        {"lines": 70, "intents": 3, "own": {"all": own}, "theirs": {"all": theirs}, "own_cost": cost, "their_cost": their_cost,
         "about": {"machine": "a small one"}},
        "--epochs 5",
    )  # fmt: skip
    assert "| all | 10 | 87.5% | 76.5% | 0.800 | 0.700 | 0.930 | – |" in page
    assert "| to train, seconds of CPU | 8.2 | 600 |" in page
    assert "| a message, ms, p50 | 2.00 | 12.0 |" in page
    assert 'make nlu-report ARGS="--epochs 5"' in page
    assert "| machine | a small one |" in page

"""What people are shown to label: what was not understood, and nothing that somebody told of themselves."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dialogs import engine
from dialogs.model import Answer, Dialog, Effect, Unclear
from dialogs.unclear import is_for_all
from tests.dialogs.test_engine import TOLD, turn


def unclear(effects: list[Effect]) -> list[Unclear]:
    return [effect for effect in effects if isinstance(effect, Unclear)]


def heard(dialog: Dialog, asked: str | None, said: str, intent: str = "", **state: Any) -> list[Unclear]:
    before = msgspec.structs.replace(engine.begin(dialog, "es"), greeted=True, asked=asked, **state)
    return unclear(engine.step(dialog, before, turn(said, intent))[1])


@pytest.mark.parametrize(
    ("asked", "said", "intent"),
    [
        ("budget", "pues lo normal", ""),
        ("timing", "apenas me paguen", ""),
        ("need", "¿arriendan bodegas?", ""),
        ("mail", "¿para qué lo piden?", ""),
    ],
)
def test_what_nothing_could_be_made_of(electronics: Dialog, asked: str, said: str, intent: str) -> None:
    known = {name: answer for name, answer in TOLD.items() if name != asked}
    assert heard(electronics, asked, said, intent, answers=known) == [Unclear(said, asked)]


@pytest.mark.parametrize(
    ("asked", "said", "intent"),
    [
        ("budget", "2 millones", ""),  # an answer
        ("budget", "¿hacen envíos?", "shipping"),  # a frequent question
        ("budget", "¿cuánto demora la garantía?", "warranty"),
        ("budget", "no sé", ""),  # an answer, too
        ("budget", "hola", "greet"),
        ("full_name", "@@", ""),
        ("mail", "anaruiz arroba", ""),  # a piece of an address
        ("mail", "el de siempre", ""),
        ("city", "cra 7 con 45 la casa verde", ""),
        ("budget", "¿me llaman al 300 111 22 33?", ""),
        ("budget", "¿le escribieron a beto@diaz.co?", ""),
        ("budget", "¿y a nombre de Ana Ruiz sí lo tienen?", ""),  # told before
        ("budget", "soy Marta Gómez, ¿y lo mío?", ""),
        ("budget", "a" * 201 + "?", ""),
    ],
)
def test_what_is_understood_or_personal_is_not_shown(electronics: Dialog, asked: str, said: str, intent: str) -> None:
    known = {name: answer for name, answer in TOLD.items() if name != asked}
    assert heard(electronics, asked, said, intent, answers=known) == []


@pytest.mark.parametrize("said", ["no, lo que quiero es vender el mío", "no me entendiste", "no, what I meant is repairs"])
def test_a_prospect_puts_us_right(electronics: Dialog, said: str) -> None:
    found = heard(electronics, "budget", said, answers={"full_name": TOLD["full_name"], "need": TOLD["need"]})
    assert Unclear("", "budget") in found
    opening = engine.step(electronics, engine.begin(electronics, "es"), turn(said))[1]
    assert Unclear("", "") not in unclear(opening)  # there was nothing before it


@pytest.mark.parametrize("said", ["lo que quiero es un portátil", "no, mi correo es otro: ana@otra.co", "no"])
def test_an_answer_or_a_correction_of_one_puts_nobody_right(electronics: Dialog, said: str) -> None:
    assert not any(each.text == "" for each in heard(electronics, "need", said, answers={"mail": TOLD["mail"]}))


def test_a_question_when_all_is_told(electronics: Dialog) -> None:
    assert heard(electronics, None, "¿arriendan bodegas?", answers=TOLD, status="done") == [Unclear("¿arriendan bodegas?", "")]
    assert heard(electronics, None, "¿hacen envíos?", "shipping", answers=TOLD, status="done") == []


def test_an_earlier_message_is_looked_at_the_same_way(electronics: Dialog) -> None:
    state = msgspec.structs.replace(engine.begin(electronics, "es"), answers={"business": Answer("Estudio Ruiz", "Estudio Ruiz")})
    assert is_for_all(electronics, state, turn(), "me regalas la listica")
    assert not is_for_all(electronics, state, turn(), "es para estudio ruiz")
    assert not is_for_all(electronics, state, turn(), "x")

"""What is wanted, by the names of what is sold."""

from __future__ import annotations

import pytest

from dialogs import things
from dialogs.model import Dialog, Language


@pytest.mark.parametrize(
    ("text", "language", "named"),
    [
        ("habla causa, tienes selulares?", "es", "selulares"),
        ("unos audífonos bluetooth y una tablet, es para mí", "es", "unos audífonos bluetooth y una tablet"),
        ("tienen laptops gamer y hacen envíos", "es", "laptops gamer"),
        ("una funda para celular", "es", "una funda para celular"),
        ("gaming laptops n how much", "en", "gaming laptops"),
        ("mi celular no prende", "es", ""),
        ("el televisor llegó rayado", "es", ""),
        ("accesorios para celular", "es", ""),
        ("una nevera", "es", ""),
    ],
)
def test_what_a_message_names(electronics: Dialog, text: str, language: Language, named: str) -> None:
    assert things.thing(electronics, text, electronics.questions["need"].things, language, definite=False) == named


def test_what_is_asked_the_price_of_may_be_known(electronics: Dialog) -> None:
    known = electronics.questions["need"].things
    assert things.thing(electronics, "cuánto vale el portátil i5", known, "es", definite=True) == "portátil i5"


@pytest.mark.parametrize("plural", ["celulares", "selular", "CELULAR".lower(), "celular"])
def test_a_thing_is_known_by_its_sound_and_in_any_number(plural: str) -> None:
    assert things.kind_of(plural) == things.kind_of("celular")
    assert things.kind_of("cables") == things.kind_of("cable") != things.kind_of("canal")


def test_what_was_named_before() -> None:
    assert things.points_back("lo nesesito hoy")
    assert things.points_back("ya la quiero")
    assert not things.points_back("necesito un televisor")
    assert things.link("este https://tienda.co/p/1 tienen?") == "https://tienda.co/p/1"

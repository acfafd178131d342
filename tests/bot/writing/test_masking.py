"""What tells who somebody is does not leave the house, and comes back in its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.writing.masking import Mask, asked_in, names_of

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def mask(*called: str) -> Mask:
    return Mask(asked_in("es", "CO", NOW), names_of(*called))


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("Soy Ana Ruiz, ANA para ti; Mariana no", "Soy [name-1], [name-2] para ti; Mariana no"),
        ("mi correo es ana.ruiz+1@mail.example.co.", "mi correo es [email-1]."),
        ("ana arroba gmail punto com", "[email-1]"),
        ("cel 300 111 22 33 o +57 (300) 111-2233", "cel [phone-1] o [phone-2]"),
        ("3001112233", "[phone-1]"),
        ("NIT 900.123.456-7, cédula 1.020.304.050", "NIT [id-1], cédula [id-2]"),
        ("12.345.678-k y 900123456", "[phone-1] y [phone-2]"),
        ("RFC XAXX010101ABC", "RFC [id-1]"),
        ("tel3001112233 o _310 222 33 44_", "tel[phone-1] o _[phone-2]_"),
        ("300–111–2233, 310\u00a0222\u00a03344 y 320·333·4455", "[phone-1], [phone-2] y [phone-3]"),
        ("ana＠gmail.com, ana(at)una.co y ana[at]otra[dot]co", "[email-1], [email-2] y [email-3]"),
        ("ana @ gmail . com. Gracias", "[email-1]. Gracias"),
        ("soy ána ruíz", "soy [name-1]"),
        ("la misma: a@b.co y A@b.co", "la misma: [email-1] y [email-1]"),
    ],
)
def test_it_is_put_aside_and_comes_back(said: str, hidden: str) -> None:
    aside = mask("Ana Ruiz", "Ana")
    assert aside.hide(said) == hidden
    assert aside.show(hidden).casefold() == said.casefold()


@pytest.mark.parametrize(
    "said",
    [
        "presupuesto 2000000, 1.500.000 o $ 12345678, hasta 25 millones",
        "15 unidades a 30000 pesos para el 24/11/2026 o 2026-11-24 a las 9:30",
        "talla 38, 16 GB, 512 GB, modelo S24",
        "de los tres, el de la esquina",
    ],
)
def test_what_they_want_stays(said: str) -> None:
    assert mask("Ana de los Ríos").hide(said) == said


def test_one_question_has_one_set_of_placeholders() -> None:
    aside = mask()
    assert [aside.hide("a@b.co"), aside.hide("c@d.co"), aside.hide("a@b.co")] == ["[email-1]", "[email-2]", "[email-1]"]
    assert aside.show("[email-2] y [email-9]") == "c@d.co y [email-9]"

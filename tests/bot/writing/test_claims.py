"""What in a draft is not the company's own: numbers, links, addresses, prices, and what only the books know."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.writing.claims import claims, marked, tidy

SOURCES = (
    "Enviamos en 2 a 4 días hábiles. Desde $ 500.000 el envío es gratis, y hay 10 % de descuento. Abrimos de 9 a. m. a 18:30.",
    "Escribe a ventas@una.co, mira https://www.una.co/envios/ o llama al (601) 555-0101.",
)
PRICES = frozenset({Decimal("2899000.00")})


@pytest.mark.parametrize(
    "draft",
    [
        "Llega en dos a cuatro días.",
        "Hay diez por ciento, 10% o 10 % de descuento.",
        "Abrimos a las 9:00 y cerramos a las 18:30.",
        "Escribe a VENTAS@una.co o mira una.co/envios.",
        "Llama al 601 555 0101 o al 601-555-0101.",
        "El portátil vale $2.899.000, o 2.899.000 pesos.",
        "Es un equipo de la S.A.S. y te damos una garantía, p. ej. la primera vez.",
        "Sí, enviamos a todo el país, y el envío es gratis.",
        "",
    ],
)
def test_what_the_company_says_is_left_alone(draft: str) -> None:
    assert claims(draft, SOURCES, PRICES, "es") == []


@pytest.mark.parametrize(
    ("draft", "words", "kind"),
    [
        ("Llega en 3 días.", "3", "absent"),
        ("Llega en tres días.", "tres", "absent"),
        ("Hay 20 % menos.", "20 %", "absent"),
        ("Hay veinte por ciento menos.", "veinte por ciento", "absent"),
        ("Hay 9 % menos.", "9 %", "absent"),  # 9 is there, and no percentage
        ("Abrimos a las 18:00.", "18:00", "absent"),
        ("Llama al 300 123 4567.", "300 123 4567", "absent"),
        ("Llama al 601 555 0102.", "601 555 0102", "absent"),
        ("Cuenta 12345678901234567890.", "12345678901234567890", "absent"),
        ("Mira evil.example/pagar ya.", "evil.example/pagar", "absent"),
        ("Mira HTTPS://EVIL.EXAMPLE.", "HTTPS://EVIL.EXAMPLE", "absent"),
        ("Mira https://www.una.co.evil.example", "https://www.una.co.evil.example", "absent"),
        ("Escribe a otra@una.co", "otra@una.co", "absent"),
        ("Cuesta $1.", "$1", "price"),
        ("Gratis desde $ 500.000.", "$ 500.000", "price"),  # in a document, and not in the books
        ("Cuesta veinte mil pesos.", "veinte mil pesos", "price"),
        ("Cuesta USD 20.", "USD 20", "price"),
        ("Cuesta 10 US$.", "10 US$", "price"),  # 10 is there, and no price
        ("Son 10 quetzales.", "10 quetzales", "price"),
        ("Vale ₡10.", "₡10", "price"),
        ("Hay en oferta a mitad de precio.", "mitad de precio", "absent"),
        ("Lleva dos por uno.", "dos por uno", "absent"),
        ("El arreglo es sin costo.", "sin costo", "absent"),
        ("Tenemos disponibilidad.", "disponibilidad", "books"),
        ("Nos quedan pocas.", "quedan pocas", "books"),
        ("Hay en stock.", "en stock", "books"),
        ("Está agotado.", "agotado", "books"),
        ("Tu pedido llega mañana.", "Tu pedido llega", "books"),
        ("Ｃｕｅｓｔａ ＄５", "＄５", "price"),
    ],
)
def test_anything_else_is_marked(draft: str, words: str, kind: str) -> None:
    (claim,) = claims(draft, SOURCES, PRICES, "es")
    assert (claim.words, claim.kind) == (words, kind)
    assert draft[claim.start : claim.end] == words


@pytest.mark.parametrize(("language", "draft"), [("en", "It takes three days"), ("pt", "Chega em três dias")])
def test_other_languages_have_numbers_too(language: str, draft: str) -> None:
    assert [each.key for each in claims(draft, SOURCES, (), language)] == ["number 3"]


def test_a_long_list_hides_nothing() -> None:
    draft = ". ".join(f"Opción {number} días" for number in range(100, 160))
    assert len(claims(draft, SOURCES, (), "es")) == 60


def test_what_is_marked_is_cut_out_and_nothing_is_lost() -> None:
    draft = "Vale $1 y llega en 2 días, o $1."
    keys = {each.key for each in claims(draft, SOURCES, PRICES, "es")}
    parts = marked(draft, keys, "es")
    assert parts == [("Vale ", ""), ("$1", "price"), (" y llega en 2 días, o ", ""), ("$1", "price"), (".", "")]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  **Sí**, `enviamos`.\r\n\r\n\r\n\r\n## Claro ", "*Sí*, enviamos.\n\nClaro"),
        ("Hola {full_name|first_name}, {{bot}}", "Hola full_name|first_name, bot"),
        ("a\u202eb\u200bc\0d", "abcd"),
        ("Uno. Dos. Tres.", "Uno. Dos."),
        ("x" * 30, "x" * 12),
        ("<think>¿$1?</think>\n\nSí.", "Sí."),
    ],
)
def test_an_answer_becomes_a_text_for_people(written: str, kept: str) -> None:
    assert tidy(written, 12 if written[0] in "Ux" else 100) == kept

from __future__ import annotations

from decimal import Decimal

import pytest
from text_to_num import text2num

from dialogs.readers import Miss
from nlu.entities.numbers import numbers
from nlu.entities.words import fold


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("dose cajas", 12), ("beinte", 20), ("lo siento", None),
     ("doce", 12), ("una docena", 12), ("media docena", 6), ("dos docenas", 24), ("un par", 2),
     ("unas 20 cajas", 20),
     ("como 50", 50), ("1.500", 1500), ("2,5", "2.5"), ("1/2", "0.5"), ("mil", 1000), ("100 unidades", 100), ("una", 1),
     ("uno", 1),
     ("quiero una", 1), ("entre 10 y 20", 20), ("10 a 15", 15), ("20 o 30 personas", 30), ("veintidós", 22),
     ("ciento veinte", 120),
     ("3 pantallas", 3), ("para 5 personas en 2 equipos", None), ("twenty", 20), ("a dozen", 12), ("vinte e cinco", 25),
     ("0", 0)],
)  # fmt: skip
def test_read(text, value, read):
    reading = read("number", text, language="pt" if "vinte" in text else "es")
    assert (None if isinstance(reading, Miss) else reading.value) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("hola", "not_a_number"),
        ("no sé", "unknown"),
        ("-5", "too_small"),
        ("3 pantallas y 2 teclados", "ambiguous"),
    ],
)
def test_misses(text, why, read):
    assert read("number", text) == Miss(why)


def test_bounds(read):
    assert read("number", "3", minimum=Decimal(5)) == Miss("too_small")
    assert read("number", "30", maximum=Decimal(5)) == Miss("too_large")
    assert read("number", "-5", minimum=Decimal(-10)).value == -5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("necesito 20 cajas de tornillos", 20),
        ("somos 3 personas", 3),
        ("iphone 15", None),
        ("calle 80 con 15", None),
        ("unos 20 portátiles", 20),
    ],
)
def test_find(text, value, find):
    reading = find("number", text)
    assert (reading.value if reading else None) == value


@pytest.mark.parametrize(
    ("words", "language"),
    [("dos millones quinientos mil", "es"), ("treinta y dos", "es"), ("mil doscientos cincuenta y seis", "es"),
     ("noventa y nueve mil", "es"),
     ("ochocientos mil uno", "es"), ("cien mil", "es"), ("dieciséis", "es"), ("mil millones", "es"),
     ("siete mil setecientos setenta y siete", "es"),
     ("two hundred and fifty thousand", "en"), ("nineteen", "en"), ("twenty-one", "en"),
     ("three million two hundred thousand", "en"),
     ("dois milhões", "pt"), ("cento e vinte e cinco", "pt"), ("mil e duzentos", "pt")],
)  # fmt: skip
def test_agrees_with_text2num(words, language):
    (number,) = numbers(fold(words), language)
    assert int(number.value) == text2num(words, language)
    assert (number.start, number.end) == (0, len(words))

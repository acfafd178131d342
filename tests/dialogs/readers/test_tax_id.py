from __future__ import annotations

import pytest

from dialogs.readers import Miss


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("52345679", "52345679"),
        ("52.345.679", "52.345.679"),
        ("NIT 900.123.456-7", "900.123.456-7"),
        ("nit: 900123456 - 7", "900123456-7"),
        ("es 52.345.678 a nombre de Marta", "52.345.678"),
        ("20-12345678-9", "20-12345678-9"),
        ("XAXX010101000", "XAXX010101000"),
        ("12.345.678-k", "12.345.678-K"),
        ("111.444.777-35", "111.444.777-35"),
        ("12.345.678/0001-95", "12.345.678/0001-95"),
    ],
)
def test_numbers(text, value, read):
    reading = read("tax_id", text)
    assert (reading.value, reading.shown) == (value, value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("no, el sábado", "not_an_id"),
        ("123", "not_an_id"),
        ("52345679 o 52345680", "not_an_id"),
        ("no sé", "unknown"),
        ("12345678901234567890", "not_an_id"),
    ],
)
def test_misses(text, why, read):
    assert read("tax_id", text) == Miss(why)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("el NIT es 900.123.456-7, gracias", "900.123.456-7"),
        ("mi cédula es 52345679", "52345679"),
        ("cnpj 12.345.678/0001-95", "12.345.678/0001-95"),
        ("compro 52345679 al mes", None),
        ("tengo 3 tiendas", None),
    ],
)
def test_find(text, part, find):
    reading = find("tax_id", text)
    assert (text[slice(*reading.span)] if reading else None) == part

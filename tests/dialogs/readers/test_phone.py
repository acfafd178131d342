from __future__ import annotations

import pytest

from dialogs.model import Attachment
from dialogs.readers import READERS, Heard, Miss

NUMBERS = """
CO | 300 123 4567 | +573001234567
CO | 3001234567 | +573001234567
CO | +57 300 123 4567 | +573001234567
CO | 57 300 1234567 | +573001234567
CO | 0057 300 1234567 | +573001234567
CO | (601) 745 6789 | +576017456789
CO | mi número es 3001234567 gracias | +573001234567
CO | tres cero cero uno dos tres cuatro cinco seis siete | +573001234567
CO | tres cero cero, uno dos tres, cuarenta y cinco sesenta y siete | +573001234567
CO | trescientos doce veintitrés cuarenta y cinco seis siete ocho | +573122345678
CO | tres diez doble cinco seis siete ocho nueve cero | +573105567890
CO | +1 305 555 0123 | +13055550123
MX | 55 1234 5678 | +525512345678
MX | +52 1 55 1234 5678 | +525512345678
MX | 5215512345678 | +525512345678
MX | 044 55 1234 5678 | +525512345678
AR | 11 15 2345 6789 | +5491123456789
AR | 011 15-2345-6789 | +5491123456789
AR | +54 9 11 2345 6789 | +5491123456789
AR | 11 2345-6789 | +5491123456789
AR | 0351 15 234 5678 | +5493512345678
BR | (11) 8765-4321 | +5511987654321
BR | 11 98765-4321 | +5511987654321
BR | +55 11 8765 4321 | +5511987654321
BR | 011 98765 4321 | +5511987654321
PE | 987 654 321 | +51987654321
PE | nueve ocho siete seis cinco cuatro tres dos uno | +51987654321
CL | 9 8765 4321 | +56987654321
EC | 099 123 4567 | +593991234567
UY | 099 123 456 | +59899123456
CR | 8888 1234 | +50688881234
DO | 809 555 1234 | +18095551234
US | (305) 555-0123 | +13055550123
"""


@pytest.mark.parametrize("line", NUMBERS.strip().splitlines())
def test_numbers(line, read):
    country, text, e164 = line.split(" | ")
    assert read("phone", text, country).value == e164


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), ("no tengo", "not_a_phone"), ("123", "too_short"), ("98765432", "too_short"), ("3001234567890123",
     "too_long"),
     ("0000000000", "not_a_phone"), ("uno dos tres", "too_short")],
)  # fmt: skip
def test_misses(text, why, read):
    assert read("phone", text) == Miss(why)


@pytest.mark.parametrize(
    ("country", "text", "part"),
    [("CO", "soy Ana, 300 123 4567, gracias", "300 123 4567"), ("CO", "llámame al 601 745 6789", "601 745 6789"),
     ("CO", "escríbeme a +51 987 654 321", "+51 987 654 321"), ("PE", "mi celular es 987654321", "987654321"),
     ("PE", "quiero saber de mi compra 987654321", None), ("PE", "pedido 987654321", None), ("CO",
     "mi pedido es el 3001234567", None),
     ("CO", "factura 3001234567", None), ("CO", "nit 900123456", None), ("CO", "cédula 1020304050", None), ("CO",
     "son 2.500.000", None),
     ("CO", "3001234567 o 3109876543", None), ("CO", "a3001234567@gmail.com", None)],
)  # fmt: skip
def test_find(country, text, part, find):
    reading = find("phone", text, country)
    assert (text[slice(*reading.span)] if reading else None) == part


def test_a_shared_contact_is_a_phone(asking):
    heard = Heard(attachments=(Attachment("contact", name="Ana", phone="+52 1 55 1234 5678"),))
    assert READERS["phone"].read(heard, asking()).value == "+525512345678"


@pytest.mark.parametrize(
    ("text", "values"),
    [("3001234567 o 3109876543", ["+573001234567", "+573109876543"]), ("3001234567 o +57 300 123 4567", ["+573001234567"])],
)  # fmt: skip
def test_any_of_several_that_are_told(text, values, read):
    reading = read("phone", text)
    assert [each.value for each in (reading, *reading.rivals)] == values


@pytest.mark.parametrize("text", ["mi pedido es 3001234567", "la orden 3001234567", "factura 3001234567", "guía #3001234567"])
def test_an_order_is_no_telephone(text, read):
    assert isinstance(read("phone", text), Miss)


def test_a_telephone_beside_an_order(read):
    assert read("phone", "pedido 300123456, mi cel es 310 987 6543").value == "+573109876543"

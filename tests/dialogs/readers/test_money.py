from __future__ import annotations

from decimal import Decimal

import pytest

from dialogs.readers import Miss, Reading

AMOUNTS = """
CO | 2 millones | 2000000 COP | $ 2.000.000
CO | 2 millones de pesos | 2000000 COP | $ 2.000.000
CO | dos millones | 2000000 COP | $ 2.000.000
CO | dos miyones | 2000000 COP | $ 2.000.000
CO | kinientos mil pesos | 500000 COP | $ 500.000
CO | dos millones quinientos | 2500000 COP | $ 2.500.000
CO | dos millones quinientos mil | 2500000 COP | $ 2.500.000
CO | 2 millones 300 mil | 2300000 COP | $ 2.300.000
CO | un millón doscientos | 1200000 COP | $ 1.200.000
CO | millón y medio | 1500000 COP | $ 1.500.000
CO | un millon y medio | 1500000 COP | $ 1.500.000
CO | dos y medio millones | 2500000 COP | $ 2.500.000
CO | 2,5 millones | 2500000 COP | $ 2.500.000
CO | 2.5 millones | 2500000 COP | $ 2.500.000
CO | 1/2 millón | 500000 COP | $ 500.000
CO | medio millón | 500000 COP | $ 500.000
CO | 500 mil | 500000 COP | $ 500.000
CO | quinientos mil pesos | 500000 COP | $ 500.000
CO | 500k | 500000 COP | $ 500.000
CO | 1.500.000 | 1500000 COP | $ 1.500.000
CO | 1,500,000 | 1500000 COP | $ 1.500.000
CO | 1'500.000 | 1500000 COP | $ 1.500.000
CO | 1 500 000 | 1500000 COP | $ 1.500.000
CO | $1.500.000 | 1500000 COP | $ 1.500.000
CO | $ 1500000 pesos | 1500000 COP | $ 1.500.000
CO | 300.000 COP | 300000 COP | $ 300.000
CO | 2 palos | 2000000 COP | $ 2.000.000
CO | 2 palos y medio | 2500000 COP | $ 2.500.000
CO | 15 lucas | 15000 COP | $ 15.000
CO | 50 barras | 50000 COP | $ 50.000
CO | 200 mil pesitos | 200000 COP | $ 200.000
CO | US$ 300 | 300 USD | US$ 300
CO | 300 dólares | 300 USD | US$ 300
CO | usd 300 | 300 USD | US$ 300
CO | 15k usd | 15000 USD | US$ 15.000
CO | cien dólares | 100 USD | US$ 100
CO | u$s 200 | 200 USD | US$ 200
CO | 3 palos verdes | 3000000 USD | US$ 3.000.000
CO | 1.500,50 € | 1500.5 EUR | € 1.500,50
CO | 200 euros | 200 EUR | € 200
CO | 3 mil soles | 3000 PEN | S/ 3.000
CO | unos 800 mil máximo | 800000 COP | $ 800.000
CO | de 800 a 900 mil | 800000-900000 COP | $ 800.000 – $ 900.000
CO | hasta 3 millones | 3000000 COP | $ 3.000.000
CO | más o menos 1 millón | 1000000 COP | $ 1.000.000
CO | para 3 personas, 2 millones | 2000000 COP | $ 2.000.000
CO | mi presupuesto es de 2 millones | 2000000 COP | $ 2.000.000
CO | entre 2 y 3 millones | 2000000-3000000 COP | $ 2.000.000 – $ 3.000.000
CO | de 2 a 3 millones | 2000000-3000000 COP | $ 2.000.000 – $ 3.000.000
CO | 2-3 millones | 2000000-3000000 COP | $ 2.000.000 – $ 3.000.000
CO | 2 o 3 millones | 2000000-3000000 COP | $ 2.000.000 – $ 3.000.000
CO | entre 500 y 800 mil | 500000-800000 COP | $ 500.000 – $ 800.000
CO | entre mil y dos mil dólares | 1000-2000 USD | US$ 1.000 – US$ 2.000
CO | entre US$ 300 y US$ 500 | 300-500 USD | US$ 300 – US$ 500
CO | 500-800 dólares | 500-800 USD | US$ 500 – US$ 800
MX | 1,500.50 | 1500.5 MXN | $ 1,500.50
MX | 1500 pesos | 1500 MXN | $ 1,500
MX | 15 mil varos | 15000 MXN | $ 15,000
MX | $2,000 MXN | 2000 MXN | $ 2,000
MX | 300 dlls | 300 USD | US$ 300
PE | S/ 1,500.50 | 1500.5 PEN | S/ 1,500.50
PE | 500 soles | 500 PEN | S/ 500
PE | s/. 350 | 350 PEN | S/ 350
PE | 20 lucas | 20 PEN | S/ 20
AR | 20 lucas | 20000 ARS | $ 20.000
AR | medio palo | 500000 ARS | $ 500.000
AR | 200 mangos | 200 ARS | $ 200
CL | 300 lucas | 300000 CLP | $ 300.000
CL | 45.990 | 45990 CLP | $ 45.990
BR | R$ 1.500,50 | 1500.5 BRL | R$ 1.500,50
BR | dois mil reais | 2000 BRL | R$ 2.000
BR | 200 paus | 200 BRL | R$ 200
BR | 1500 | 1500 BRL | R$ 1.500
EC | 1200 | 1200 USD | US$ 1.200
"""


@pytest.mark.parametrize("line", AMOUNTS.strip().splitlines())
def test_amounts(line, read):
    country, text, amount, shown = (part.strip() for part in line.split(" | "))
    ends, currency = amount.split()
    low, _, high = ends.rpartition("-")
    language = "pt" if country == "BR" else "es"
    expected = {"amount": high, "currency": currency} | ({"from": low} if low else {})
    reading = read("money", text, country, language=language)
    assert isinstance(reading, Reading), reading
    assert (reading.value, reading.shown) == (expected, shown)


@pytest.mark.parametrize(
    ("text", "language", "amount"),
    [
        ("two and a half million", "en", "2500000"),
        ("half a million", "en", "500000"),
        ("one hundred and fifty thousand", "en", "150000"),
        ("twenty-five thousand", "en", "25000"),
        ("about 300k", "en", "300000"),
        ("dois milhões e quinhentos mil", "pt", "2500000"),
        ("mil e duzentos reais", "pt", "1200"),
        ("2 mi", "pt", "2000000"),
        ("meio milhão", "pt", "500000"),
    ],
)
def test_other_languages(text, language, amount, read):
    assert read("money", text, language=language).value["amount"] == amount


@pytest.mark.parametrize(
    ("text", "country", "meant"),
    [("2", "CO", "2000000"), ("unos 800", "CO", "800000"), ("2.5", "CO", "2500000"), ("$500", "CO", "500000"), ("500", "CL",
     "500000"),
     ("800", "MX", None), ("800", "PE", None), ("150.000", "CO", None), ("800 mil", "CO", None), ("15 lucas", "CO", None)],
)  # fmt: skip
def test_a_small_number_in_a_large_currency_is_put_in_doubt(text, country, meant, read):
    reading = read("money", text, country)
    assert (reading.instead.value["amount"] if reading.instead else None) == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), ("😊", "empty"), ("no sé", "unknown"), ("el más barato", "unknown"), ("lo q valga", "unknown"),
     ("lo de siempre", "unknown"), ("lo menos posible", "unknown"), ("ni idea", "unknown"), ("I don't know", "unknown"),
     ("não sei", "unknown"),
     ("sin presupuesto", "unknown"), ("hola", "not_money"), ("mil gracias", "not_money"), ("iphone 15 pro", "not_money"),
     ("calle 80", "not_money"),
     ("mi cédula es 1.020.304.050", "not_money"), ("el de 256?", "not_money"), ("3 años",
     "not_money"), ("0", "too_small"), ("99999999999999999", "not_money"),
     ("1 millón, 2 millones, 3 millones, 4 millones", "ambiguous")],
)  # fmt: skip
def test_misses(text, why, read):
    assert read("money", text) == Miss(why)


def test_bounds_hold_for_the_ask_s_currency_only(read):
    bounds = {"minimum": Decimal(100_000), "maximum": Decimal(5_000_000)}
    assert read("money", "50 mil", **bounds) == Miss("too_small")
    assert read("money", "6 millones", **bounds) == Miss("too_large")
    assert isinstance(read("money", "300 dólares", **bounds), Reading)
    assert read("money", "2", **bounds).instead.shown == "$ 2.000.000"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("hola soy Ana Ruiz, necesito un portátil de 2 millones para hoy", "2 millones"),
        ("un iphone 15 de 256gb por 3 millones", "3 millones"),
        ("mi presupuesto es 800", "800"),
        ("presupuesto: 500 dólares", "500 dólares"),
        ("necesito 20 portátiles, unos 40 millones", "40 millones"),
        ("algo de $300.000 para mi mamá", "$300.000"),
        ("tengo entre 2 y 3 millones y vivo en cali", "2 y 3 millones"),
        ("puedo pagar 300 mil de cuota inicial y 200 mil mensuales", None),
        ("mi presupuesto es de 2 millones, el otro me costó 3 millones", "2 millones"),
        ("mi cédula es 1.020.304.050", None),
        ("mi nit es 900.123.456-7", None),
        ("quiero el de 999.900", "999.900"),
        ("televisor 4k de 55 pulgadas", None),
        ("quiero 500 mil unidades", None),
        ("mil gracias por todo", None),
        ("un millón de gracias", None),
        ("pedido 123456789", None),
        ("mi cel es 3001234567", None),
        ("en el año 2 mil", None),
        ("tengo 3 hijos", None),
        ("iphone 15", None),
        ("necesito 4 pilas", None),
        ("20 mangos por favor", None),
        ("quiero 3 verdes", None),
        ("nos vimos 2 ves", None),
        ("2 millones o 5 mil dólares", None),
    ],
)
def test_find(text, part, find):
    reading = find("money", text)
    assert (text[slice(*reading.span)] if reading else None) == part


@pytest.mark.parametrize(("text", "per"), [("como 300 mil semanales", "semanales"), ("300 mil por quincena", "por quincena")])
def test_another_period_than_the_month_is_shown(text, per, read):
    reading = read("money", text)
    assert reading.value == {"amount": "300000", "currency": "COP", "per": per}
    assert reading.shown == f"$ 300.000 {per}"


@pytest.mark.parametrize(
    ("text", "values"),
    [("2 millones aquí y 7 millones allá", ["2000000", "7000000"]), ("2 millones o 2 millones", ["2000000"]),
     ("500 mil o 600 mil", ["600000"])],
)  # fmt: skip
def test_any_of_several_that_are_told(text, values, read):
    reading = read("money", text)
    assert [each.value["amount"] for each in (reading, *reading.rivals)] == values

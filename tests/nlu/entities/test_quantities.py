from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.entities.quantities import quantities
from nlu.entities.words import fold

# What is said | value, unit, (lower end, content) | the part that says so; "-" for nothing.
SAID = """
12 | 12 | 12
doce | 12 | doce
dos docenas | 24 | dos docenas
docena y media | 18 | docena y media
media docena de huevos | 6 | media docena
un par | 2 | un par
3 cajas | 3 box | 3 cajas
tres cajitas | 3 box | tres cajitas
3 cajas de 12 | 3 box each=12 | 3 cajas de 12
20 cajas x 24 unidades | 20 box each=24 | 20 cajas x 24 unidades
unas 20 cajas | 20 box | 20 cajas
entre 10 y 20 cajas | 20 box low=10 | 10 y 20 cajas
10 a 20 pallets | 20 pallet low=10 | 10 a 20 pallets
10-20 pacas | 20 pack low=10 | 10-20 pacas
media tonelada | 0.5 t | media tonelada
2 toneladas y media | 2.5 t | 2 toneladas y media
1.5 toneladas | 1.5 t | 1.5 toneladas
350 kilos | 350 kg | 350 kilos
350kg | 350 kg | 350kg
un kilo y medio | 1.5 kg | un kilo y medio
un cuarto de libra | 0.25 lb | un cuarto de libra
500 gramos | 500 g | 500 gramos
8 m3 | 8 m3 | 8 m3
8 m³ | 8 m3 | 8 m³
8 metros cúbicos | 8 m3 | 8 metros cúbicos
100 m2 | 100 m2 | 100 m2
cien metros cuadrados | 100 m2 | cien metros cuadrados
5 m de cable | 5 m | 5 m
30 cm | 30 cm | 30 cm
40 pies | 40 ft | 40 pies
55 pulgadas | 55 in | 55 pulgadas
un contenedor | 1 container | un contenedor
un contenedor de 40 pies | 1 container each=40 | un contenedor de 40 pies
2 contenedores de 20 | 2 container each=20 | 2 contenedores de 20
20 litros | 20 l | 20 litros
5 galones | 5 gal | 5 galones
1.500 unidades | 1500 unit | 1.500 unidades
1,500 uds | 1500 unit | 1,500 uds
diez pares | 20 | diez pares
para 4 personas | 4 person | 4 personas
quiero 2 laptops | 2 device | 2 laptops
two dozen boxes | 24 box | two dozen boxes
half a ton | 0.5 t | half a ton
30 feet | 30 ft | 30 feet
meia tonelada | 0.5 t | meia tonelada
10 caixas | 10 box | 10 caixas
hola | - |
cajas | - |
por favor | - |
"""


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_one(line):
    said, wanted, part = (each.strip() for each in line.split("|"))
    found = quantities(fold(said))
    if wanted == "-":
        assert found == ()
        return
    (one,) = found
    more = [f"{name}={value}" for name, value in (("low", one.low), ("each", one.each)) if value is not None]
    assert " ".join([f"{Decimal(one.value).normalize():f}", *([one.unit] if one.unit else []), *more]) == wanted
    assert said[one.start : one.end] == part


@pytest.mark.parametrize(
    ("said", "values"),
    [("3 pantallas y 2 teclados", [3, 2]), ("20 cajas y 3 pallets", [20, 3]), ("3 y 4", [3, 4]),
     ("2 kilos de arroz y 3 de papa", [2, 3]),
     ("uno de 40", [1, 40])],
)  # fmt: skip
def test_several(said, values):
    assert [one.value for one in quantities(fold(said))] == values


@given(st.text(max_size=120) | st.text(alphabet="0123456789 ,./-mkt3²caja sdeymedi", max_size=60))
def test_any_text(said):
    places = [(one.start, one.end) for one in quantities(fold(said))]
    assert all(0 <= start < end <= len(said) for start, end in places)
    assert all(one[1] <= two[0] for one, two in pairwise(places))

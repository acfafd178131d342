from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.entities.pointing import pointed
from nlu.entities.words import fold

PRICES = ("menos de 1 millon", "entre 1 y 3 millones", "mas de 3 millones")
SIZES = ("128 gb a 1.900.000", "256 gb a 2.400.000")

# What is said, of how many things shown, and the places meant.
SAID = """
2 | 3 | 1
dos | 3 | 1
el 2 | 3 | 1
el primero | 3 | 0
la primera porfa | 3 | 0
el segundo | 3 | 1
la segunda por favor | 3 | 1
el tercero | 3 | 2
2do | 3 | 1
la 3ra | 3 | 2
opción 3 | 3 | 2
la opcion dos | 3 | 1
número 1 | 3 | 0
no. 2 | 3 | 1
el último | 3 | 2
la última de la lista | 3 | 2
el penúltimo | 3 | 1
el de abajo | 3 | 2
la de arriba | 3 | 0
el del medio | 3 | 1
al de abajo | 3 | 2
a la segunda | 3 | 1
con el primero | 3 | 0
la de en medio | 3 | 1
el del medio | 2 |
quiero el segundo | 3 | 1
me quedo con el tercero | 3 | 2
dame la primera gracias | 3 | 0
mejor el segundo | 3 | 1
sí, el primero | 3 | 0
no, mejor el segundo | 3 | 1
el primero no, el otro | 2 | 1
el primero no | 2 | 1
el primero no | 3 |
no el primero, el tercero | 3 | 2
el primero no, el segundo | 3 | 1
no el primero sino el tercero | 3 | 2
el otro | 2 |
el primero, el primero no | 3 |
los dos | 2 | 0 1
ambas | 2 | 0 1
los dos | 3 |
todos | 3 | 0 1 2
ese mismo | 1 | 0
esa | 1 | 0
ese mismo | 3 |
el segundo que me mostraste | 3 | 1
el 4 | 3 |
el 0 | 3 |
a las 2 | 3 |
a la una | 3 |
el 2 de mayo | 3 |
dos millones | 3 |
te llamo al rato | 3 |
un segundo | 3 |
dame un momento | 3 |
ninguno | 3 |
no | 3 |
ni el primero ni el segundo | 3 |
el primero que conteste | 3 |
quiero el segundo piso | 3 |
the second one | 3 | 1
the last one please | 3 | 2
the one at the bottom | 3 |
at the bottom | 3 | 2
number 3 | 3 | 2
both | 2 | 0 1
the first no, the other | 2 | 1
a segunda | 3 | 1
o último | 3 | 2
o de baixo | 3 | 2
quero o primeiro | 3 | 0
os dois | 2 | 0 1
"""


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_places(line):
    said, many, places = (part.strip() for part in line.split("|"))
    assert pointed(fold(said), ("",) * int(many)) == tuple(map(int, places.split()))


@pytest.mark.parametrize(
    ("said", "shown", "places"),
    [("el más barato", PRICES, (0,)), ("la más económica porfa", PRICES, (0,)), ("el más caro", PRICES, (2,)),
     ("el menos costoso", PRICES, (0,)), ("the cheapest", PRICES, (0,)), ("o mais barato", SIZES, (0,)),
     ("el más caro", SIZES, (1,)),
     ("el de menor precio", SIZES, (0,)), ("el más barato", ("rojo", "azul"), ()), ("el más barato", ("a 100", "b 100"), ()),
     ("ni el más caro ni el más barato", PRICES, ())],
)  # fmt: skip
def test_by_amount(said, shown, places):
    assert pointed(fold(said), shown) == places


@pytest.mark.parametrize(("said", "place"), [("el otro", (0,)), ("la otra", (0,)), ("ese mismo", (1,)), ("el mismo", (1,))])
def test_beside_the_one_that_stands(said, place):
    assert pointed(said, ("a", "b"), chosen=1) == place


def test_a_count_is_no_place_where_only_ordinals_are():
    assert pointed("2", ("a", "b"), counted=False) == ()
    assert pointed("la segunda", ("a", "b"), counted=False) == (1,)


@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=5))
def test_any_text_points_inside_the_list(said, shown):
    places = pointed(fold(said), [fold(each) for each in shown])
    assert all(0 <= place < len(shown) for place in places)
    assert len(set(places)) == len(places)

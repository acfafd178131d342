from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.entities.named import Entry, Names, likeness, tokens

OURS = Names([
    Entry(1, ("iPhone 15 128GB",), ("IP15-128",)),
    Entry(2, ("iPhone 15 Pro 256GB",), ("IP15P-256",)),
    Entry(3, ("Samsung Galaxy S24 Ultra",), ("SM-S928B",)),
    Entry(4, ("Samsung Galaxy S24", "el s24"), ("SM-S921B",)),
    Entry(5, ("Portátil Lenovo IdeaPad 3",), ("LEN-IP3",)),
    Entry(6, ("Cargador Samsung 25W",)),
    Entry(7, ("Cemento gris 50 kg", "cemento"), ("7701234",)),
    Entry(8, ("Bodega Norte",)),
    Entry(9, ("Bodega Sur",)),
    Entry(10, ("Llanta 195/65 R15",)),
])  # fmt: skip

SAID = """
quiero un iphone 15 pro | 2? iphone 15 pro
samsung galaxy s24 | 4 samsung galaxy s24
el s24 | 4 s24
galaxi s24 | 3/4 galaxi s24
s24 ultra y un cargador samsung | 3? s24 ultra; 6? cargador samsung
iphone 15 | 1/2 iphone 15
un ifone 15 | 1/2 ifone 15
el iphone ese de 128 | 1? iphone ese de 128
iphone de 256 gigas | 2? iphone de 256
SM-S921B | 4 SM-S921B
sm s921b | 4 sm s921b
sms921b | 4 sms921b
el IP15-128 por favor | 1 IP15-128
7701234 | 7 7701234
portatil lenovo | 5? portatil lenovo
portátiles lenobo | 5? portátiles lenobo
cemento | 7 cemento
semento | 7? semento
2 cementos | 7? cementos
tienen cargadores | 6? cargadores
llanta r15 | 10? llanta r15
de la bodega norte | 8 bodega norte
bodega nortte | 8? bodega nortte
bodega | 8/9 bodega
el iphone y el samsung | 1/2 iphone; 3/4/6 samsung
50 kg |
15 |
el 3 |
hola buenas tardes |
te llamo al rato |
"""


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_what_is_named(line):
    said, wanted = (each.strip() for each in line.split("|"))
    found = OURS.find(said)
    told = [
        f"{'/'.join(map(str, one.ids))}{'?' if one.sureness == 'likely' else ''} {said[one.start : one.end]}" for one in found
    ]
    assert "; ".join(told) == wanted
    assert all((one.sureness == "several") == (len(one.ids) > 1) for one in found)


@pytest.mark.parametrize(
    ("said", "name"),
    [("Camilo", "Camilo Torres"), ("camilo torres", "Camilo Torres"), ("cam", "Camilo Torres"), ("kamilo", "Camilo Torres"),
     ("camlio", "Camilo Torres"), ("Pacho", "Francisco Gómez"), ("nacho ruiz", "Ignacio Ruiz"), ("Memo", "Guillermo Paz"),
     ("Francisco", "Pacho Gómez"), ("lucho", "Luis Ángel Mora"), ("caro", "Carolina Díaz"), ("beto", "Roberto Vela"),
     ("dani", "Daniela Soto"), ("juancho", "Juan Pablo Ríos")],
)  # fmt: skip
def test_a_colleague(said, name):
    assert likeness(tokens(said), name) > 0


@pytest.mark.parametrize(
    ("said", "name"),
    [("Pacho", "Ignacio Ruiz"), ("camilo diaz", "Camilo Torres"), ("ana", "Diana Paz"), ("li", "Luis Mora"),
     ("beto", "Bernardo Paz"), ("", "Ana")],
)  # fmt: skip
def test_another_colleague(said, name):
    assert not likeness(tokens(said), name)


def test_the_very_name_fits_better_than_a_nickname_and_that_better_than_a_slip():
    fits = [likeness(("pacho",), name) for name in ("Pacho Gil", "Francisco Gil", "Pachon Gil", "Panchos Gil")]
    assert fits == sorted(fits, reverse=True)
    assert fits[1] > fits[2] > 0


@given(st.text(max_size=120), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_and_any_name(said, names):
    for ours in (OURS, Names(Entry(place, (name,), (name,)) for place, name in enumerate(names))):
        assert all(0 <= one.start < one.end <= len(said) and one.ids for one in ours.find(said))

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.entities.named import likeness, tokens


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
    [("Pacho", "Ignacio Ruiz"), ("camilo diaz", "Camilo Torres"), ("ana", "Diana Paz"), ("li", "Luis Mora"), ("lu", "Luis Mora"),
     ("beto", "Bernardo Paz"), ("", "Ana")],
)  # fmt: skip
def test_another_colleague(said, name):
    assert not likeness(tokens(said), name)


def test_the_very_name_fits_better_than_a_nickname_and_that_better_than_a_slip():
    fits = [likeness(("pacho",), name) for name in ("Pacho Gil", "Francisco Gil", "Pachon Gil", "Panchos Gil")]
    assert fits == sorted(fits, reverse=True)
    assert fits[1] > fits[2] > 0


def test_what_sounds_alike_fits_better_than_a_slip_and_the_whole_name_better_than_a_part():
    assert likeness(("kamilo",), "Camilo Torres") > likeness(("camlio",), "Camilo Torres")
    assert likeness(("camilo", "torres"), "Camilo Torres") > likeness(("camilo", "torres"), "Camilo Torres Ruiz")


@given(st.text(max_size=120), st.text(max_size=20))
def test_any_text_and_any_name(said, name):
    assert 0 <= likeness(tokens(said), name) <= 100

from __future__ import annotations

import pytest

from dialogs.readers import READERS, Heard, Miss

BUYER = {
    "empresa": ("Una empresa", "a company", "uma empresa", "negocio", "compañía"),
    "persona": ("Para mí", "for me", "para mim", "personal", "uso personal"),
}
TIMING = {
    "hoy": ("Hoy", "today", "hoje", "ya"),
    "semana": ("Esta semana", "this week"),
    "mes": ("Este mes", "this month"),
    "luego": ("Más adelante", "later", "solo averiguo"),
}
PHONES = {"a15": ("Galaxy A15",), "a25": ("Galaxy A25",), "s24": ("Galaxy S24 Ultra",)}

SAID = {
    "empresa": ["empresa", "Una empresa", "EMPRESA", "1", "1.", "1️⃣", "la 1", "opción 1", "el primero", "la primera",
        "uno", "empreza", "negosio", "para mi enpresa", "es pa mi negosio",
                "es para un negocio", "para mi empresa", "una compania", "no es para mí, es para la empresa",
                "for a company", "🏢 empresa", "pa mi empresa", "empresa, somos varios"],
    "persona": ["2", "la segunda", "dos", "opcion dos", "para mi", "Para mí!", "es para mí", "personal", "uso persnal",
        "uso personal por favor",
                "no es para empresa, es para mi", "la última", "the second one", "second", "pa mi", "es pra mi"],
}  # fmt: skip


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in SAID.items() for text in texts])
def test_buyer(key, text, read):
    reading = read("choice", text, choices=BUYER)
    assert (reading.value, reading.shown) == (key, BUYER[key][0])


@pytest.mark.parametrize(
    ("text", "key"),
    [("para hoy", "hoy"), ("lo necesito hoy mismo", "hoy"), ("ya", "hoy"), ("semana", "semana"), ("esta semna", "semana"),
     ("mas adelante", "luego"),
     ("adelante", "luego"), ("la última", "luego"), ("cuatro", "luego"), ("solo averiguo precios", "luego"), ("this month",
     "mes")],
)  # fmt: skip
def test_timing(text, key, read):
    assert read("choice", text, choices=TIMING).value == key


@pytest.mark.parametrize(
    ("choices", "text", "why"),
    [(BUYER, "", "empty"), (BUYER, "😊", "empty"), (BUYER, "algo", "not_a_choice"), (BUYER, "3", "not_a_choice"), (BUYER,
     "si", "not_a_choice"),
     (BUYER, "¿hacen envíos?", "not_a_choice"), (TIMING, "hoy o esta semana", "ambiguous"), (PHONES, "galaxy", "ambiguous"),
     (PHONES, "el galaxi", "not_a_choice"), (BUYER, "depende", "unknown"),
     (BUYER, "no sé", "unknown"), ({}, "1", "not_a_choice")],
)  # fmt: skip
def test_misses(choices, text, why, read):
    assert read("choice", text, choices=choices) == Miss(why)


def test_a_typo_between_two_like_options_is_not_guessed(read):
    assert isinstance(read("choice", "galaxy a35", choices=PHONES), Miss)
    assert read("choice", "galaxy a25", choices=PHONES).value == "a25"
    assert read("choice", "galaxi s24", choices=PHONES).value == "s24"


@pytest.mark.parametrize(("pressed", "value"), [("buyer:persona", "persona"), ("persona", "persona"), ("budget:alto", None)])
def test_buttons(pressed, value, asking):
    reading = READERS["choice"].read(Heard("", pressed), asking(choices=BUYER))
    assert (None if isinstance(reading, Miss) else reading.value) == value


@pytest.mark.parametrize(
    ("choices", "text", "part"),
    [(TIMING, "hola soy Ana Ruiz, necesito un portátil de 2 millones para hoy", "hoy"), (TIMING,
     "lo quiero esta semana, ¿se puede?", "esta semana"),
     (BUYER, "necesito 20 portátiles para mi empresa en cali", "empresa"), (BUYER, "soy de una compañía de logística",
     "compañía"),
     (TIMING, "hoy vi su anuncio", None), (TIMING, "¿entregan hoy?", None), (TIMING, "hoy o esta semana", None), (BUYER,
     "2", None),
     (BUYER, "no es para empresa", None), (BUYER, "un portátil para mí, 3 millones", "para mí"),
     (BUYER, "busco uno pa mi", "pa mi"), (BUYER, "para mí lo mejor es un tv", None), (TIMING, "esta semna", "esta semna"),
     (TIMING, "estas semillas", None), (BUYER, "para mi hermano", None)],
)  # fmt: skip
def test_find(choices, text, part, find):
    reading = find("choice", text, choices=choices)
    assert (text[slice(*reading.span)] if reading else None) == part

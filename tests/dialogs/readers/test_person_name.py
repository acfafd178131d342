from __future__ import annotations

import pytest

from dialogs.model import Attachment
from dialogs.readers import READERS, Heard, Miss, Reading

NAMES = """
soy Ana | Ana
yo soy ana | Ana
soi camilo | Camilo
me yamo luis peres | Luis Peres
hola, soy ana | Ana
no, soy Ana Gómez | Ana Gómez
me llamo ana ruiz | Ana Ruiz
buenos días me llamo carlos | Carlos
mi nombre es José Pérez | José Pérez
mi nombre: Luz Dary | Luz Dary
nombre: Ana Ruiz | Ana Ruiz
mi nombre es Ana y necesito un portátil | Ana
ana ruiz | Ana Ruiz
ANA RUIZ | Ana Ruiz
JOSE PEREZ | Jose Perez
LUIS | Luis
María de los Ángeles | María de los Ángeles
MARÍA DE LOS ÁNGELES | María de los Ángeles
juan del río | Juan del Río
Juan Carlos Rodríguez de la Hoz | Juan Carlos Rodríguez de la Hoz
ortega y gasset | Ortega y Gasset
o'connor patrick | O'Connor Patrick
O'connor | O'Connor
jean-paul | Jean-Paul
McDonald | McDonald
J. Balvin | J. Balvin
Li | Li
Ñusta Quispe | Ñusta Quispe
Xochitl | Xochitl
Zoë | Zoë
María José Fernández-Núñez | María José Fernández-Núñez
João da Silva | João da Silva
Ayrton Senna da Silva | Ayrton Senna da Silva
me chamo Ana Souza | Ana Souza
meu nome é Paulo | Paulo
eu sou o Paulo | Paulo
my name is John Smith | John Smith
I'm Mary | Mary
habla Carlos | Carlos
le habla Sofía Vergara de la empresa Acme | Sofía Vergara
aquí Pedro de Ferretería Norte | Pedro
soy Carlos de Bavaria | Carlos
soy Ana de Medellín | Ana
soy el señor Pérez | Pérez
Sra. Martha Lucía Gómez | Martha Lucía Gómez
don jorge | Jorge
Ana 😊 | Ana
Ana. | Ana
claro, ana torres | Ana Torres
Mucho gusto, Andrés | Andrés
Ana Ruiz gracias | Ana Ruiz
Ana Ruiz, 3001234567 | Ana Ruiz
Ana Ruiz 3001234567 | Ana Ruiz
Ana, ana@ruiz.co | Ana
hola Ana | Ana
me equivoqué, es Ana Gómez | Ana Gómez
hola soy Ana Ruiz, necesito un portátil de 2 millones para hoy | Ana Ruiz
mi nmbre es andrea lopez | Andrea Lopez
no soy Ana, soy Pedro | Pedro
les escribe Sandra Peña | Sandra Peña
Ing. Carlos Duarte de Metalmecánica Duarte SAS | Carlos Duarte
"""


@pytest.mark.parametrize("line", NAMES.strip().splitlines())
def test_names(line, read):
    text, name = line.split(" | ")
    reading = read("person_name", text)
    assert isinstance(reading, Reading), reading
    assert (reading.value, reading.shown) == (name, name)


@pytest.mark.parametrize(
    ("why", "texts"),
    [
        ("empty", ["", "😊", "...", "  "]),
        ("a_greeting", ["hola", "Hola!", "buenas tardes", "buenos días", "hello", "oi", "hola buenas"]),
        ("a_question", ["¿cuánto cuesta?", "quién eres?", "para qué lo quieres?"]),
        (
            "not_a_name",
            ["quiero un celular", "necesito precio", "celular samsung", "computador gamer", "soy mayorista",
             "soy distribuidor", "soy de Bogotá",
             "soy yo", "soy cliente nuevo", "soy la esposa de Juan", "no quiero dar mi nombre", "hablar con una persona",
             "habla con Pedro",
             "quiero hablar con Juan", "el portátil de la foto", "puta", "ana@ruiz.co", "3001234567", "2 millones",
             "jajaja", "asdfgh",
             "hola buenas me interesa", "estoy buscando", "bogota", "medellín", "I'm looking for a laptop", "el lunes",
             "no", "sí", "{full_name}", "recogerlo hoy mismo", "this sucks", "corregir", "media", "Acme SAS"],
        ),
        ("too_long", ["zeta eta theta iota kappa lambda ny xi omikron pi"]),
    ],
)  # fmt: skip
def test_what_is_no_name(why, texts, read):
    assert {text: read("person_name", text) for text in texts} == dict.fromkeys(texts, Miss(why))


@pytest.mark.parametrize(
    ("text", "name"),
    [("hola soy Ana Ruiz, necesito un portátil", "Ana Ruiz"), ("Ana, ana@ruiz.co", "Ana"),
     ("buenas, me llamo ana ruiz y quiero un celular", "Ana Ruiz"),
     ("Ana Ruiz 3001234567", "Ana Ruiz"), ("soy pedro", "Pedro"), ("aquí Pedro de Ferretería Norte", "Pedro"),
     ("ana ruiz", None),
     ("soy mayorista y quiero precios", None), ("soy de cali", None), ("quiero hablar con Juan", None), ("hola", None),
     ("soy alto", None),
     ("necesito un portátil, gracias", None), ("portátil, mouse y teclado", None), ("Rosario, Argentina", "Rosario")],
)  # fmt: skip
def test_find(text, name, find):
    reading = find("person_name", text)
    assert (reading.value if reading else None) == name


def test_a_shared_contact_is_a_name(asking):
    heard = Heard(attachments=(Attachment("contact", name="ANA RUIZ", phone="+57 300 1234567"),))
    assert READERS["person_name"].read(heard, asking()).value == "Ana Ruiz"


@pytest.mark.parametrize(
    ("text", "name"),
    [("llámame Nacho", "Nacho"), ("dígame Pacho", "Pacho"), ("me dicen Chepe", "Chepe"), ("me llaman Lucho Pérez", "Lucho Pérez"),
     ("pueden llamarme Memo", "Memo"), ("te llamo al rato", None), ("llámame mañana", None), ("llámame por favor", None),
     ("llámame a las 3", None), ("llámenme cuando puedan", None), ("dígame el precio", None), ("dígame por favor", None),
     ("con gusto", None), ("con mucho gusto", None), ("me llaman de otro número", None)],
)  # fmt: skip
def test_what_people_are_called_by(text, name, read):
    reading = read("person_name", text)
    assert (None if isinstance(reading, Miss) else reading.value) == name

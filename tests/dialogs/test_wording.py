"""What the words of a message tell, beyond what a transcript shows."""

from __future__ import annotations

import pytest

from dialogs import wording
from dialogs.loader import load_folder
from dialogs.model import Dialog


@pytest.fixture(scope="module")
def freight() -> Dialog:
    return load_folder()["freight"]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("como 300 mil semanales", False),
        ("como 8 metros cúbicos", False),
        ("cuando puedan", False),
        ("cuando usted me diga", False),
        ("cuando me digan", False),
        ("cuando llega", True),
        ("¿cuando puedan?", True),
        ("cuándo puedan", True),
        ("cómo así", True),
        ("como hago el pedido", True),
        ("que tenga buena cámara", False),
        ("que horario tienen", True),
    ],
)
def test_a_word_of_asking_asks_by_its_accent_or_its_verb(freight: Dialog, text: str, asks: bool) -> None:
    assert wording.is_question(freight, text) is asks


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("el volumen es 25 m3", {"volume": "25 m3"}),
        ("Volumen: 25 m3, urgente", {"volume": "25 m3"}),
        ("mi correo es ana@ruiz.co", {"mail": "ana@ruiz.co"}),
        (
            "el destino es Cali y el origen es Lima, el incoterm: FOB",
            {"destination": "Cali", "origin": "Lima", "incoterm": "FOB"},
        ),
        ("la carga es arroz y aceite", {"goods": "arroz y aceite"}),
        ("the destination is Cali", {"destination": "Cali"}),
        ("el correo es otro", {}),
        ("la empresa es mía", {}),
        ("¿el volumen es importante?", {}),
        ("quiero que el volumen es mucho", {}),
        ("el volumen", {}),
    ],
)
def test_questions_named_first_are_answered(freight: Dialog, text: str, stated: dict[str, str]) -> None:
    found = wording.all_stated(text, [*freight.questions.values()])
    assert {question.name: answer for question, answer, _ in found} == stated


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("un flete", False),
        ("hacer un pedido", False),
        ("comprar al por mayor", False),
        ("un envío desde China", False),
        ("un contenedor de zapatos desde China", True),
        ("zapatos", True),
    ],
)
def test_the_name_of_what_is_asked_says_nothing_of_it(freight: Dialog, text: str, says: bool) -> None:
    assert wording.content(freight, text, freight.questions["goods"].called) is says


def test_all_that_is_to_be_changed(freight: Dialog) -> None:
    named = wording.all_mentioned("cambiar el destino y el origen, y el correo", freight.questions)
    assert [question.name for question in named] == ["destination", "origin", "mail"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hola, quiero comprar papa, cebolla y tomate", "papa, cebolla y tomate"),
        ("necesito un portátil, soy Ana", "un portátil"),
        ("vi su aviso, quiero una nevera, gracias", "una nevera"),
    ],
)
def test_a_list_is_one_wish(freight: Dialog, text: str, wanted: str) -> None:
    assert wording.wish(freight, text, asked=False) == wanted


@pytest.mark.parametrize(
    ("text", "foreign"),
    [("你好，我想买", True), ("Здравствуйте", True), ("quiero 你好 un celular", False), ("¿cuánto? 👍", False), ("", False)],
)
def test_a_text_of_another_script(text: str, foreign: bool) -> None:
    assert wording.is_foreign(text) is foreign

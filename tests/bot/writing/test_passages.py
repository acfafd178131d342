"""Which passages of the documents answer a question; none when none does."""

from __future__ import annotations

import pytest

from bot.writing.passages import LONGEST, MOST, Passage, nearest, passages
from dialogs.loader import load_folder

MANUAL = """# Envíos
Enviamos a todo el país con Servientrega.

# Garantía
Los equipos traen un año con la marca.

Devoluciones: puedes cambiar lo que compraste.

- Aceptamos Nequi
- y tarjetas de crédito
"""


def test_paragraphs_stay_whole_and_headings_with_them() -> None:
    assert [each.words for each in passages(7, "Manual", MANUAL)] == [
        "Envíos\nEnviamos a todo el país con Servientrega.",
        "Garantía\nLos equipos traen un año con la marca.",
        "Devoluciones: puedes cambiar lo que compraste.",
        "- Aceptamos Nequi\n- y tarjetas de crédito",
    ]


@pytest.mark.parametrize("text", ["palabra " * 1_000, "x" * 5_000, "Una frase corta. " * 300, "línea\n" * 1_000])
def test_long_ones_are_cut_and_nothing_is_lost(text: str) -> None:
    cut = passages(1, "t", text)
    assert max(len(each.words) for each in cut) <= LONGEST
    assert "".join("".join(each.words.split()) for each in cut) == "".join(text.split())


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("shipping", "Envíos"),
        ("warranty", "Garantía"),
        ("returns", "Devoluciones"),
        ("payment", "- Aceptamos Nequi"),
        ("hours", None),
        ("location", None),
        ("invoice", None),
    ],
)
def test_a_frequent_question_finds_its_passage(key: str, found: str | None) -> None:
    asks = load_folder()["electronics"].faq[key].asks
    near = nearest(asks, passages(1, "Manual", MANUAL), "es")
    assert (near[0].words.startswith(found) if near else None) == (True if found else None), near


def test_the_nearest_comes_first_and_there_are_few() -> None:
    among = [Passage(n, "", "El envío se paga al recibir, y tarda.") for n in range(9)]
    among.insert(5, Passage(99, "", "Envíos: el envío llega en dos días."))
    near = nearest(["hacen envíos", "cuándo llega el envío"], among, "es")
    assert (near[0].document, len(near)) == (99, MOST)


def test_nothing_comes_of_nothing() -> None:
    assert nearest(["hacen envíos"], [], "es") == []
    assert nearest(["que de la", ""], [Passage(1, "", "que de la")], "es") == []
    assert passages(1, "t", " \n\n ") == []

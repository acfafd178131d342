"""Nobody holds up the others: a message of any length and kind is answered with bounded work."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from dialogs import engine
from dialogs.model import Dialog, Say, Turn
from dialogs.wording import instead as what_instead

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("America/Bogota"))


@pytest.mark.parametrize("asked", ["full_name", "need", "buyer", "budget", "timing", "city", "mail"])
@pytest.mark.parametrize("piece", [".", "1.", "a ", "?", "¿a ", "digo ", "nombre: ", "a\n", "e\u0301", "\u202eabc ", "\ud83d"])
def test_the_longest_message_is_answered(electronics: Dialog, asked: str, piece: str) -> None:
    """A pattern that backtracks over thousands of signs would take minutes here."""
    state = replace(engine.begin(electronics, "es"), greeted=True, asked=asked)
    turn = Turn((piece * 4_096)[:4_096], now=NOW)
    _, effects = engine.step(electronics, state, turn)
    assert any(isinstance(effect, Say) for effect in effects)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("Pasto no mejor Ipiales", "Ipiales"),
        ("Cali, digo Pasto, perdón, Ipiales", "Ipiales"),
        ("Cali. no, mejor Pasto", "Pasto"),
        ("digo Pasto", ""),
        (" digo Pasto", ""),
        ("Cali\n digo Pasto", ""),
        ("Cali. Mejor dicho", ""),
        ("indigo azul", ""),
        ("", ""),
    ],
)
def test_what_a_message_takes_back_itself(said: str, instead: str) -> None:
    assert what_instead(said) == instead

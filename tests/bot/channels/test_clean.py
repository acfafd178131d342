from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.clean import DEPTH, LIMIT, clean_json, clean_text, clean_value


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("hola\0mundo", "holamundo"),
        ("mitad \ud83d", "mitad \ufffd"),
        ("\ude00 mitad", "\ufffd mitad"),
        ("entero 😀 y árbol", "entero 😀 y árbol"),
        ("\u200fשלום\u202b", "\u200fשלום\u202b"),
        ("a" * (LIMIT + 5), "a" * LIMIT),
    ],
)
def test_text(given: str, kept: str) -> None:
    assert clean_text(given) == kept


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_stored(text: str) -> None:
    assert "\0" not in clean_text(text).encode().decode()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (rb'"\uDE00x"', "\ufffdx"),
        (rb'"C:\\ud83d"', r"C:\ud83d"),
        (rb'"\u00e1\n\""', 'á\n"'),
    ],
)
def test_lone_surrogates_in_json(written: bytes, meant: str) -> None:
    assert json.loads(clean_json(written)) == meant


def test_values() -> None:
    assert clean_value({"k\0": [1, 2**70, "\ud800", None, True, 1.5]}) == {"k": [1, str(2**70), "\ufffd", None, True, 1.5]}
    deep: object = 1
    for _ in range(DEPTH):
        deep = [deep]
    assert clean_value(deep) == deep
    with pytest.raises(ValueError, match="nested"):
        clean_value([deep])

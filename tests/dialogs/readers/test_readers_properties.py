"""Whatever is written, every reader answers, quickly and within its contract."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogs.model import Attachment
from dialogs.readers import MISSES, READERS, Ask, Heard, Miss

CHOICES = {"empresa": ("Una empresa", "negocio"), "persona": ("Para mí", "personal")}
BITS = ["2 millones", "entre", "y", "medio", "mil", "$", "US$", "soy", "Ana", "de", "la", "el", "viernes", "31/02",
"mañana", "a las 3", "ana@gmial.com", "arroba",
        "punto", "+57 300 1234567", "uno", "doble", "1/2", "no", "¿", "?", "hoy", "para", "Bogotá", "\ud800", "\0",
        "\u202e", "😊", "1" * 40, "-", ".", ",", "'"]  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=200),
    st.lists(st.sampled_from(BITS), max_size=12).map(" ".join),
    st.lists(st.sampled_from(BITS), max_size=12).map("".join),
)
ATTACHMENTS = st.lists(
    st.builds(Attachment, st.sampled_from(["image", "location", "contact", "sticker"]), name=TEXTS, phone=TEXTS, email=TEXTS),
    max_size=2,
).map(tuple)
ASKS = st.builds(
    Ask,
    choices=st.sampled_from([{}, CHOICES]),
    language=st.sampled_from(["es", "en", "pt"]),
    country=st.sampled_from(["CO", "MX", "AR", "BR", "PE", "CL", "US", "XX", ""]),
    currency=st.sampled_from(["COP", "USD", "PEN", "XXX"]),
    way=st.sampled_from(["", "from", "to"]),
    now=st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None)
@given(heard=st.builds(Heard, TEXTS, st.none() | TEXTS, ATTACHMENTS), ask=ASKS)
def test_any_message_is_read_or_missed(name, heard, ask):
    reader = READERS[name]
    for reading in (reader.read(heard, ask), reader.find(heard, ask)):
        if isinstance(reading, Miss):
            assert reading.why in MISSES[name]
        elif reading is not None:
            json.dumps([reading.value, reading.shown], ensure_ascii=False, allow_nan=False).encode()
            several = (reading, *reading.rivals)
            assert all(each.shown for each in several)
            assert len({each.shown for each in several}) == len(several) <= 3
            for span in (each.span for each in several if each.span is not None):
                assert 0 <= span[0] < span[1] <= len(heard.text)


@pytest.mark.parametrize("name", READERS)
def test_a_huge_message_costs_no_more_than_a_long_one(name, asking):
    ask = asking(choices=CHOICES)
    READERS[name].read(Heard("hola"), ask)
    for unit in (
        "a",
        "1 ",
        "1/",
        "mil ",
        "viernes ",
        "en 2 ",
        "soy ",
        "Ana de la ",
        "a@",
        "punto ",
        "$",
        "?",
        "\u202e",
        "'",
        "-1.",
        "uno y ",
        "para el ",
    ):
        heard = Heard(unit * (65_536 // len(unit)))
        took = min(_timed(name, heard, ask) for _ in range(3))
        assert took < 0.05, (unit, took)


def _timed(name, heard, ask):
    start = perf_counter()
    READERS[name].read(heard, ask)
    READERS[name].find(heard, ask)
    return perf_counter() - start

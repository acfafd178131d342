"""A Tuesday morning in Bogotá, and a short way to put a text to a reader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dialogs.readers import READERS, Ask, Heard, Miss, Reading

CURRENCIES = {"CO": "COP", "MX": "MXN", "PE": "PEN", "AR": "ARS", "CL": "CLP", "BR": "BRL", "EC": "USD", "US": "USD"}


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("America/Bogota"))


@pytest.fixture(scope="session")
def asking(now: datetime) -> Callable[..., Ask]:
    def ask(country: str = "CO", **given: Any) -> Ask:
        return Ask(**{"country": country, "currency": CURRENCIES.get(country, "USD"), "now": now, **given})

    return ask


@pytest.fixture(scope="session")
def read(asking: Callable[..., Ask]) -> Callable[..., Reading | Miss]:
    def one(reader: str, text: str, country: str = "CO", **given: Any) -> Reading | Miss:
        return READERS[reader].read(Heard(text), asking(country, **given))

    return one


@pytest.fixture(scope="session")
def find(asking: Callable[..., Ask]) -> Callable[..., Reading | None]:
    def one(reader: str, text: str, country: str = "CO", **given: Any) -> Reading | None:
        return READERS[reader].find(Heard(text), asking(country, **given))

    return one

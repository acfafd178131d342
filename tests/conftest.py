"""Options and fixtures that all tests share."""

from __future__ import annotations

import pytest

from dialogs.loader import load_folder
from dialogs.model import Dialog


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden transcripts to what is said now")


@pytest.fixture(scope="session")
def electronics() -> Dialog:
    return load_folder()["electronics"]

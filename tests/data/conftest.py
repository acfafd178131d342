"""Databases as the tests of this folder want them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from data.session import Database, connect


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = connect(database_url)
    yield opened
    await opened.close()

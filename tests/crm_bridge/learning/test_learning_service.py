"""Managers who change what their company teaches at the same moment, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_bridge.learning import rules, service
from data.tables import Lesson, Phrase

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
LINES = [["la listica porfa", "catalog"]]


class Managers:
    """Eight of one company, who press the same button at once."""

    def __init__(self, managed: Any) -> None:
        self.database, self.company, self.user = managed.database, managed.company, managed.manager

    async def all_press(self, work: Callable[..., Any], **given: Any) -> list[str]:
        """What each of them is told: "done", or the refusal's name."""

        async def press() -> str:
            try:
                await self.database.write(partial(work, **given, by=self.user, now=NOW), company=self.company)
            except rules.CannotTeach as refusal:
                return type(refusal).__name__
            return "done"

        return sorted(await asyncio.gather(*(press() for _ in range(8))))

    async def rows(self, table: Any) -> list[Any]:
        query = select(table).order_by(table.id)
        found: list[Any] = await self.database.read(lambda session: list(session.scalars(query)), company=self.company)
        return found

    async def keep(self, **lesson: Any) -> int:
        """A lesson of theirs."""

        def add(session: Session) -> int:
            row = Lesson(**{"lines": LINES, "effect": None, "problems": [], "created_at": NOW} | lesson)
            session.add(row)
            session.flush()
            return row.id

        row_id: int = await self.database.write(add, company=self.company)
        return row_id


@pytest.fixture
def managers(managed: Any) -> Managers:
    return Managers(managed)


async def test_the_same_version_is_taken_back_once(managers: Managers) -> None:
    await managers.keep(version=1, state="published")
    assert await managers.all_press(service.take_back, version=0) == ["InUseAlready"] * 7 + ["done"]
    assert [(row.version, row.like_version) for row in await managers.rows(Lesson)] == [(1, None), (2, 0)]


async def test_what_was_tried_is_published_once(managers: Managers) -> None:
    lesson = await managers.keep(state="tried")
    assert await managers.all_press(service.publish, lesson_id=lesson) == ["InUseAlready"] * 7 + ["done"]
    assert [row.version for row in await managers.rows(Lesson)] == [1]


async def test_one_trial_begins(managers: Managers) -> None:
    assert await managers.all_press(service.begin) == ["AlreadyTrying"] * 7 + ["done"]
    assert [row.state for row in await managers.rows(Lesson)] == ["trying"]


async def test_the_same_phrase_is_one_row(managers: Managers) -> None:
    for words in ("la listica", "el folletico", "lo de ayer", "la promo esa"):
        assert await managers.all_press(service.add, phrases={words: words}, label="catalog") == ["done"] * 8
    assert [row.label for row in await managers.rows(Phrase)] == ["catalog"] * 4

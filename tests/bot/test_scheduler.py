"""Jobs: what only one process does, and what a stop in the middle of one looks like."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bot import scheduler


class _Busy:
    """A service whose jobs begin and do not end."""

    def __init__(self, *, first: bool) -> None:
        self.begun: list[str] = []
        self.cluster = SimpleNamespace(leads=lambda _role: first)
        self.backlog = SimpleNamespace(look=lambda: self._begin("backlog"))
        self.media = SimpleNamespace(fetch_due=lambda: self._begin("files"))

    async def read_numbers(self) -> None:
        await self._begin("numbers")

    async def _begin(self, job: str) -> None:
        self.begun.append(job)
        await asyncio.Event().wait()


@pytest.mark.parametrize(("first", "begun"), [(True, ["backlog", "files"]), (False, ["backlog"])])
async def test_a_stop_in_the_middle_of_jobs_is_no_failure(
    first: bool, begun: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    service: Any = _Busy(first=first)
    jobs = scheduler.build(service, ("web", "scheduler"))
    jobs.start()
    for job in jobs.get_jobs():
        if job.name != "forget ended log-ins":
            job.modify(next_run_time=datetime.now(UTC))
    async with asyncio.timeout(5):
        while len(service.begun) < len(begun) + 1:
            await asyncio.sleep(0.01)
    assert sorted(service.begun) == sorted([*begun, "numbers"])
    with caplog.at_level(logging.WARNING):
        jobs.shutdown(wait=False)
        await asyncio.sleep(0.05)
    assert not caplog.records

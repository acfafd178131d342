"""What happens by itself: names and times only. Each job claims its due rows in SQL, so that a missed run loses nothing and two
runs at once do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.service import Service
from crm_bridge.companies import service as companies


def build(service: Service, roles: Collection[str]) -> AsyncIOScheduler:
    """The scheduler with the jobs of these roles, not started. What only one process should do is done by the scheduler that came
    first."""
    leads = partial(service.cluster.leads, "scheduler")

    async def forget_sessions() -> None:
        if leads():
            await service.database.write(partial(companies.forget_sessions, now=service.clock.now()))

    async def fetch_files() -> None:
        if leads():
            await service.media.fetch_due()

    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})

    def every(job: Callable[[], Awaitable[object]], name: str, **interval: int) -> None:
        scheduler.add_job(partial(_until_stopped, job), "interval", **interval, id=name, name=name)

    every(service.read_numbers, "notice changed numbers", seconds=15)
    if "web" in roles:
        every(service.backlog.look, "see how long messages wait", seconds=1)
    if "scheduler" in roles:
        every(forget_sessions, "forget ended log-ins", hours=6)
        every(fetch_files, "fetch received files", seconds=2)
    return scheduler


async def _until_stopped(job: Callable[[], Awaitable[object]]) -> None:
    """The service may stop in the middle of a job: that is no failure for the scheduler to log."""
    with suppress(asyncio.CancelledError):
        await job()

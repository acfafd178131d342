"""What happens by itself: names and times only. Each job claims its due rows in SQL, so that a missed run loses nothing and two
runs at once do no harm."""

from __future__ import annotations

from collections.abc import Collection
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
    scheduler.add_job(service.read_numbers, "interval", seconds=15, id="notice changed numbers")
    if "web" in roles:
        scheduler.add_job(service.backlog.look, "interval", seconds=1, id="see how long messages wait")
    if "scheduler" in roles:
        scheduler.add_job(forget_sessions, "interval", hours=6, id="forget ended log-ins")
        scheduler.add_job(fetch_files, "interval", seconds=2, id="fetch received files")
    return scheduler

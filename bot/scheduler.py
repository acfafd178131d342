"""What happens by itself: names and times only. Each job claims its due rows in SQL, so that a missed run loses nothing."""

from __future__ import annotations

from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import Clock
from bot.conversation import Turns
from bot.media import Media
from bot.numbers import Numbers
from bot.outbox import Sender
from crm_bridge.companies import service
from data import dialog_state
from data.session import Database


def build(database: Database, clock: Clock, numbers: Numbers, turns: Turns, sender: Sender, media: Media) -> AsyncIOScheduler:
    """The scheduler with all its jobs, not started."""

    async def read_numbers() -> None:
        await numbers.reload(database)
        sender.resume()

    async def answer_silence() -> None:
        now = clock.now()
        turns.silent(await database.read(lambda session: dialog_state.due(session, now)))

    async def forget_sessions() -> None:
        await database.write(partial(service.forget_sessions, now=clock.now()))

    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
    scheduler.add_job(answer_silence, "interval", seconds=10, id="answer silence")
    scheduler.add_job(turns.start, "interval", seconds=5, id="take up what was left lying")
    scheduler.add_job(read_numbers, "interval", seconds=15, id="notice changed numbers")
    scheduler.add_job(forget_sessions, "interval", hours=6, id="forget ended log-ins")
    scheduler.add_job(media.fetch_due, "interval", seconds=2, id="fetch received files")
    return scheduler

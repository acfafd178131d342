"""Processes that are killed, and processes that are told to end, under load."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tests.chaos.stage import ONE, Play, open_stage

TIME_TO_END = 10.0
"""Seconds that a process may take to end after SIGTERM."""


async def kill_sqlite(play: Play) -> None:
    """kill -9 of the one process over SQLite."""
    await _kill(play, ONE, postgres=False)


async def kill_postgresql(play: Play) -> None:
    """kill -9 of the one process over PostgreSQL."""
    await _kill(play, ONE, postgres=True)


async def kill_roles(play: Play) -> None:
    """kill -9 of any of six processes over PostgreSQL and Redis; started again at once or after a while."""
    await _kill(play, play.fleet, postgres=True)


async def _kill(play: Play, shape: Mapping[str, str], *, postgres: bool) -> None:
    starts = []
    async with open_stage(play, shape, postgres=postgres) as stage:
        async for _ in stage.rounds():
            await asyncio.sleep(play.chance.uniform(0.05, 1.0))
            victim = play.chance.choice(list(stage.services.values()))
            await victim.kill()
            if play.chance.random() < 0.3:
                await asyncio.sleep(play.chance.uniform(0.0, 3.0))
            first = stage.crowd.first_answer(await stage.books.doubtful())
            await victim.start()
            starts.append(asyncio.get_running_loop().time() - victim.began)
            await stage.recovered(victim.began, first)
    play.outcome.notes.append(f"ready {max(starts, default=0.0):.1f} s after the start, at most")


async def end_sqlite(play: Play) -> None:
    """SIGTERM of the one process over SQLite."""
    await _end(play, ONE)


async def end_roles(play: Play) -> None:
    """SIGTERM of each of six processes over PostgreSQL and Redis, in turn."""
    await _end(play, play.fleet)


async def _end(play: Play, shape: Mapping[str, str]) -> None:
    ends = []
    async with open_stage(play, shape) as stage:
        services = list(stage.services.values())
        async for number in stage.rounds():
            await asyncio.sleep(play.chance.uniform(0.05, 1.0))
            service = services[number % len(services)]
            code, seconds = await service.terminate()
            ends.append(seconds)
            if code != 0:
                play.outcome.problems.append(f"{service.name} ended with {code}")
            if seconds > TIME_TO_END:
                play.outcome.problems.append(f"{service.name} took {seconds:.1f} s to end")
            first = stage.crowd.first_answer()
            await service.start()
            await stage.recovered(service.began, first)
    play.outcome.notes.append(f"ended within {max(ends, default=0.0):.1f} s")

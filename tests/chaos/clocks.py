"""Clocks that jump."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.chaos.faults import FakeClock
from tests.chaos.stage import Play, open_stage

HOUR = 3600.0
JUMPS = (HOUR, 0.0, -HOUR, 0.0, 25 * HOUR, 0.0)
"""Seconds that the service's clock is ahead of everybody else's, in turn."""


async def clock_jumps(play: Play) -> None:
    """The service's clock jumps an hour or a day ahead and back; in every second round it is killed and started there."""
    with tempfile.TemporaryDirectory(prefix="chaos-clock-") as folder:
        clock = FakeClock(Path(folder) / "clock")
        async with open_stage(play, settings=clock.environment) as stage:
            service = stage.services["service"]
            async for number in stage.rounds():
                await asyncio.sleep(play.chance.uniform(0.5, 1.5))
                since = asyncio.get_running_loop().time()
                first = stage.crowd.first_answer()
                clock.jump(JUMPS[number % len(JUMPS)])
                if number // len(JUMPS) % 2:
                    await service.kill()
                    first = stage.crowd.first_answer()
                    await service.start()
                    since = service.began
                await stage.recovered(since, first)
            await asyncio.sleep(1)
            clock.jump(0)

"""The stores that fail: PostgreSQL and Redis stop, stand still or forget; the disk is full."""

from __future__ import annotations

import asyncio
import io
import signal
import time

import aiohttp

from bot.simulator.webhooks import body, signature
from tests.chaos.faults import small_disk
from tests.chaos.stage import NUMBER, SECRET, Play, Stage, open_stage


async def postgresql_restart(play: Play) -> None:
    """PostgreSQL stops, in order or as in a crash, and starts again at once or after two seconds."""
    async with open_stage(play, postgres=True) as stage:
        assert stage.postgres is not None
        async for number in stage.rounds():
            await asyncio.sleep(play.chance.uniform(0.2, 1.0))
            await stage.postgres.stop((signal.SIGQUIT, signal.SIGINT)[number % 2])
            await asyncio.sleep(play.chance.choice([0.0, 2.0]))
            first = stage.crowd.first_answer()
            await stage.postgres.start()
            await stage.recovered(stage.postgres.began, first)


async def postgresql_pause(play: Play) -> None:
    """PostgreSQL stands still for seconds, longer than the messenger waits for an answer in every second round."""
    async with open_stage(play, postgres=True) as stage:
        assert stage.postgres is not None
        async for number in stage.rounds():
            await asyncio.sleep(play.chance.uniform(0.2, 1.0))
            stage.postgres.freeze()
            await asyncio.sleep((3.0, 25.0)[number % 2])
            first = stage.crowd.first_answer()
            stage.postgres.thaw()
            await stage.recovered(asyncio.get_running_loop().time(), first)


async def redis(play: Play) -> None:
    """Redis forgets everything, stands still, is killed and comes back, in turn."""
    async with open_stage(play, play.fleet) as stage:
        assert stage.redis is not None
        async for number in stage.rounds():
            await asyncio.sleep(play.chance.uniform(0.2, 1.0))
            since = asyncio.get_running_loop().time()
            match number % 3:
                case 0:
                    first = stage.crowd.first_answer()
                    await stage.redis.flush()
                case 1:  # it is not needed: turns go on while it stands still
                    stage.redis.freeze()
                    first = stage.crowd.first_answer()
                    await asyncio.sleep(3)
                    stage.redis.thaw()
                case _:
                    await stage.redis.stop(signal.SIGKILL)
                    first = stage.crowd.first_answer()
                    await asyncio.sleep(3)
                    await stage.redis.start()
            await stage.recovered(since, first)


async def disk_full(play: Play) -> None:
    """SQLite's disk fills up and is freed again: what cannot be stored is refused with 503."""
    refusals = []
    async with small_disk(96) as disk, open_stage(play, database_folder=disk.folder) as stage:
        async for _ in stage.rounds():
            await asyncio.sleep(play.chance.uniform(0.5, 1.0))
            disk.fill()
            refusals.append(await _answer_when_full(stage))
            await asyncio.sleep(2)
            first = stage.crowd.first_answer()
            disk.free()
            await stage.recovered(asyncio.get_running_loop().time(), first)
    if any(status != 503 for status in refusals):
        play.outcome.problems.append(f"a webhook on a full disk was answered {refusals}")
    play.outcome.notes.append(f"answers of the webhook on a full disk: {refusals}")


async def _answer_when_full(stage: Stage) -> int:
    """What the webhook answers when nothing can be written any more; 200 when it takes everything for 20 s."""
    status = 200
    until = time.monotonic() + 20
    async with aiohttp.ClientSession() as http:
        while status == 200 and time.monotonic() < until:
            content = body(
                "0", "messages", {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, "x": "x" * 200_000}
            )
            headers = {"X-Hub-Signature-256": signature(SECRET, content)}
            async with http.post(stage.url, data=io.BytesIO(content), headers=headers) as answer:
                status = answer.status
            await asyncio.sleep(0.05)
    return status

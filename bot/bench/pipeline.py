"""The pipeline's figures in one run: turns a second, times, CPU a turn, memory and what went wrong, in every shape of the service
and for its peers, beside the raw limits of the machine. The prospects and their Graph API share its cores: their CPU is reported,
and counted in nobody's favour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.bench import machine, peers
from bot.bench.http import Pool
from bot.bench.prospects import SCRIPT, Load, numbers
from bot.bench.shapes import SHAPES, SQLITE, Figures, Missing, Running, fresh_postgres, serving
from bot.bench.webhooks import Webhooks

__all__ = ["SCRIPT", "fresh_postgres", "measure"]

Step = Callable[[str], None]
"""Told what is measured now."""
RATE = 700
"""Turns a second at which times are measured."""
WINDOWS = 3
"""Full load lasts so many times as long as other measurements: some get slower."""
MANY = 256
LOADS = {"full_load_": Load(numbers(1)), f"at_{RATE}_": Load(numbers(1), rate=RATE, statuses=3)}
"""At which it is measured what keeps the loop busy, by what the names of the figures begin with."""
PATIENCE = 25
"""Seconds until an answer is lost where everything is killed: time to start, and to wait for statuses before sending again."""
_FAULTS = ("lost", "duplicated", "out_of_order")
_TIMES = ("webhook_to_reply_p50_ms", "webhook_to_reply_p99_ms", "ack_p50_ms", "ack_p99_ms")


async def measure(step: Step, seconds: float, cache: Path) -> Figures:
    """Every figure by name. Those of a shape or a peer begin with its key; the service on SQLite in one process has none. A
    peer's `…_ratio` is what the service makes or costs, to the peer."""
    figures: Figures = {}
    step("the machine: aiohttp answering 200")
    figures["raw_http_requests_per_s"] = await machine.raw_http(min(seconds, 3))
    step("the machine: SQLite commits")
    figures |= await asyncio.to_thread(machine.raw_sqlite)
    left_out: list[str] = []
    for shape in SHAPES:
        try:
            async with serving(shape) as service:
                found = await _shape(service, _of(shape.title, step), seconds)
                if shape is SQLITE:
                    found |= await _many(service, step, seconds) | await _promises(service, step)
            if shape is SQLITE:
                found |= await _occupied(_of(shape.title, step), seconds)
        except Missing as error:
            left_out.append(f"{shape.title}: {error}")
            continue
        figures |= {f"{shape.key}{name}": value for name, value in found.items()}
    for peer in peers.PEERS:
        try:
            found = await _peer(peer, _of(peer.title, step), seconds, cache)
        except Missing as error:
            left_out.append(f"{peer.title}: {error}")
            continue
        figures |= {f"{peer.key}{name}": value for name, value in found.items()}
        for name in ("turns_per_s", "last_turns_per_s", "cpu_us_per_turn"):
            figures[f"{peer.key}{name}_ratio"] = round(figures[name] / max(found[name], 0.1), 2)
    figures["share_of_raw_http"] = round(figures["turns_per_s"] / figures["raw_http_requests_per_s"], 3)
    figures["left_out"] = "; ".join(left_out)
    return figures


def _of(title: str, step: Step) -> Step:
    return lambda load: step(f"{title}: {load}")


async def _shape(service: Running, step: Step, seconds: float) -> Figures:
    step("64 prospects who answer at once")
    full = await service.measure(Load(numbers(1)), windows=WINDOWS, seconds=seconds)
    step("64 prospects, and a Graph API that takes 50 ms")
    slow = await service.measure(Load(numbers(1)), graph_delay=0.05, seconds=seconds)
    step(f"{RATE} turns a second with three statuses a message")
    paced = await service.measure(Load(numbers(1), rate=RATE, statuses=3), seconds=seconds)
    step("albums, bursts, statuses by the ten, and everything twice")
    hard = await service.measure(Load(numbers(1), burst=3, photos=2, twice=True, statuses=3, statuses_a_body=10), seconds=2)
    return {
        **_full_load(full),
        "graph_50_ms_turns_per_s": slow["turns_per_s"],
        **{name: paced[name] for name in (*_TIMES, "rss_mb")},
        **{f"at_{RATE}_{name}": paced[name] for name in ("turns_per_s", "cpu_us_per_turn", "refused", "generator_cpu_share")},
        **{name: sum(one[name] for one in (full, slow, paced, hard)) for name in (*_FAULTS, "unexpected")},
    }


async def _many(service: Running, step: Step, seconds: float) -> Figures:
    step(f"{MANY} prospects who answer at once")
    many = await service.measure(Load(numbers(1), prospects=MANY), seconds=seconds)
    return {f"prospects_{MANY}_turns_per_s": many["turns_per_s"]}


async def _occupied(step: Step, seconds: float) -> Figures:
    """What keeps the loop busy, at full load and at RATE; of the understanding in a text that nobody has written before."""
    async with serving(SQLITE, metered=True) as service:
        figures: Figures = {}
        for name, load in LOADS.items():
            step(f"what keeps the loop busy, {name.strip('_').replace('_', ' ')}")
            await service.occupied()
            await service.measure(load, seconds=seconds)
            figures |= {f"{name}{figure}": value for figure, value in (await service.occupied()).items()}
        return figures


async def _promises(service: Running, step: Step) -> Figures:
    """What becomes of a message that comes twice, of a forged one, and of those on their way when all processes are killed."""
    step("every message twice")
    twice = await service.measure(Load(numbers(1), twice=True), seconds=2)
    step("a forged signature, and kill -9 under load")
    forged = await _forged(service)
    load = Load(numbers(1), statuses=3, patience=PATIENCE)
    crowd = asyncio.create_task(service.measure(load, seconds=6))
    await asyncio.sleep(4)
    await service.kill()
    await service.start()
    killed = await crowd
    return {
        "twice_duplicated": twice["duplicated"],
        "forged_status": forged,
        **{f"killed_{name}": killed[name] for name in _FAULTS},
    }


async def _forged(service: Running) -> int:
    """The status that answers a body with somebody else's signature."""
    webhooks, answered = Webhooks("not the secret", service.path), asyncio.get_running_loop().create_future()
    phone = b"51899999999"
    request = webhooks.messages(numbers(1)[0].encode(), phone, [webhooks.text(phone, b"wamid.forged", b'"hola"')])
    pool = Pool("127.0.0.1", service.port, 1)
    pool.post(request, answered.set_result)
    try:
        return int(await asyncio.wait_for(answered, 10))
    finally:
        pool.close()


async def _peer(peer: peers.Peer, step: Step, seconds: float, cache: Path) -> Figures:
    """Each measurement has a new process: some keep what they could not work off."""

    async def alone(load: Load, **plan: Any) -> Figures:
        async with peers.running(peer, cache) as served:
            return await served.measure(load, warm_up=3, seconds=seconds, **plan)

    step(f"{peer.prospects} prospects who answer at once")
    full = await alone(Load(numbers(1), prospects=peer.prospects, patience=30), windows=WINDOWS)
    figures = _full_load(full) | {name: full[name] for name in ("rss_mb", *_FAULTS)}
    if peer.prospects < 64:  # it keeps up with no more: nothing else is learnt from it
        return figures
    step("64 prospects, and a Graph API that takes 50 ms")
    figures["graph_50_ms_turns_per_s"] = (await alone(Load(numbers(1)), graph_delay=0.05))["turns_per_s"]
    async with peers.running(peer, cache) as served:
        return figures | await _promises(served, step)


def _full_load(found: Figures) -> Figures:
    names = ("turns_per_s", "last_turns_per_s", "cpu_us_per_turn", "databases_cpu_us_per_turn", "generator_cpu_share")
    figures = {name: found[name] for name in names if name in found}
    return figures | {f"full_load_{name}": found[name] for name in _TIMES}

"""One number's, one client's or one person's trouble, while the others go on."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass

from tests.chaos.faults import SlowClients, Trouble
from tests.chaos.report import quantile
from tests.chaos.stage import NUMBER, OTHER, SECRET, SETTLE, Play, Stage, open_stage

POISON = "veneno"
MOST_MEMORY = 200.0
"""Megabytes that a flood may cost."""
CALM = 0.25
"""Seconds of a 99th percentile below which nobody is called slow."""
HANGS_UP = 40.0
"""Seconds after which a client that has not sent a whole request is sent away."""
UNHURRIED = 1.0
"""Longest pause of prospects whose waiting is measured: they, too, take up this machine."""


@dataclass(frozen=True)
class Flood:
    kind: str
    amount: int
    rate: float
    """Bodies a second."""
    stored: bool
    """Whether each is a message that has to be stored and answered."""


FLOODS = (
    Flood("signatures", 5_000, 500, stored=False),
    Flood("statuses", 3_000, 300, stored=False),
    Flood("person", 10_000, 50, stored=True),
    Flood("body", 1_000, 1, stored=True),
)


async def p99(stage: Stage) -> float:
    """Let the prospects of the first number talk for a while; their 99th percentile from line to answer."""
    await asyncio.sleep(1)  # of whatever was before, nothing is measured
    since = asyncio.get_running_loop().time()
    await asyncio.sleep(2 if stage.play.brief else 8)
    return _p99_since(stage, since)


def _p99_since(stage: Stage, since: float) -> float:
    return quantile(stage.crowd.took(since, asyncio.get_running_loop().time()), 0.99)


def compare(play: Play, what: str, before: float, after: float) -> None:
    """Note two percentiles; more than a quarter slower is late where a person would notice it."""
    play.outcome.notes.append(f"p99 {1000 * before:.0f} ms before, {1000 * after:.0f} ms {what}")
    if not after <= max(1.25 * before, CALM):
        play.outcome.late.append(f"the others waited {after:.2f} s {what}, {before:.2f} s before")


async def graph_trouble(play: Play) -> None:
    """The Graph API is slow (5 s), fails or cuts connections for one number; another number goes on as before."""
    trouble = Trouble(OTHER)
    async with open_stage(play, middlewares=(trouble.middleware(),), count=2, pause=UNHURRIED) as stage:
        before = await p99(stage)
        async for number in stage.rounds():
            trouble.kind = Trouble.KINDS[number % len(Trouble.KINDS)]
            compare(play, f"while {trouble.kind}", before, await p99(stage))
            first = stage.crowds[1].first_answer({phone for phone, _ in await stage.books.marked()})
            trouble.kind = ""
            await stage.recovered(asyncio.get_running_loop().time(), first)


async def slow_clients(play: Play) -> None:
    """Hundreds of connections that are silent, or send a head or a body a byte a second; in the end they are hung up on."""
    async with open_stage(play, pause=UNHURRIED) as stage:
        before = await p99(stage)
        clients = SlowClients(stage.port)
        async for _ in stage.rounds():
            await clients.connect(300)
            compare(play, f"with {len(clients)} slow clients", before, await p99(stage))
        if clients.refused:
            play.outcome.problems.append(f"{clients.refused} connections were not taken")
        until = asyncio.get_running_loop().time() + HANGS_UP
        while not play.brief and clients.open and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.1)
        if clients.open and not play.brief:
            play.outcome.problems.append(f"nobody hung up on {clients.open} of {len(clients)} in {HANGS_UP:.0f} s")
        await clients.leave()


async def floods(play: Play) -> None:
    """Invalid signatures, statuses of unknown messages, 10,000 messages of one person, 1,000 messages in one body of 3 MB."""
    stored: Counter[str] = Counter()
    async with open_stage(play, bursts=False, pause=UNHURRIED, settings={"DEBOUNCE_MS": "100"}) as stage:
        before, at_rest = await p99(stage), stage.memory()
        async for number in stage.rounds():
            flood = FLOODS[number % len(FLOODS)]
            amount = flood.amount // 10 if play.brief else flood.amount
            if flood.stored:
                stored[flood.kind] += amount
            since = asyncio.get_running_loop().time()
            answers = await pour(stage, flood, amount)
            until = asyncio.get_running_loop().time() + SETTLE
            while await stage.books.unanswered() > play.seats and asyncio.get_running_loop().time() < until:
                await asyncio.sleep(0.1)
            compare(play, f"with {amount:,} {flood.kind}", before, _p99_since(stage, since))
            play.outcome.notes.append(f"{flood.kind} answered {answers}; {stage.memory():.0f} MB, {at_rest:.0f} MB at rest")
            if stage.memory() > at_rest + MOST_MEMORY:
                play.outcome.problems.append(f"memory grew to {stage.memory():.0f} MB with {flood.kind}")
        await stage.count()
        for kind, amount in stored.items():
            states = await stage.books.states(f"wamid.flood.{kind}.")
            if sum(states.values()) != amount or states.keys() - {"done", *(["new"] if kind == "person" else [])}:
                play.outcome.problems.append(f"of {amount:,} messages ({kind}) there are {states}")


async def pour(stage: Stage, flood: Flood, amount: int) -> str:
    """Let a process of its own post the flood; how often it was answered what."""
    given = {"kind": flood.kind, "amount": amount, "rate": flood.rate, "port": stage.port, "number": NUMBER, "secret": SECRET}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.flood", json.dumps(given), stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), SETTLE)
    except TimeoutError:
        process.kill()
        await process.wait()
        return "never to the end"
    return out.decode().strip()


async def poison(play: Play) -> None:
    """A message whose turn always fails is parked, and the next ones of the same person flow."""
    waited = []
    for postgres in (False, True)[: 1 if play.brief else 2]:
        async with open_stage(play, postgres=postgres) as stage:
            await stage.books.refuse_preview(POISON)
            async for number in stage.rounds():
                person = stage.street.person("Eva", f"+57 320 {number:07}")
                for line in ("hola", POISON, "Eva Ruiz"):
                    await person.say(NUMBER, line)
                since = asyncio.get_running_loop().time()
                await person.wait_for(NUMBER, 2, timeout=60)
                waited.append(asyncio.get_running_loop().time() - since)
            parked = await stage.books.rows("SELECT text FROM inbox_messages WHERE state = 'parked'")
            if parked != [(POISON,)] * play.rounds:
                play.outcome.problems.append(f"parked: {parked}")
    play.outcome.notes.append(f"the next message was answered within {max(waited):.1f} s")

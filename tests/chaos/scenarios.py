"""The list of scenarios: what each does, and how many rounds it goes, in full and in the tests."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos import clocks, crashes, handover, neighbours, rotation, stores
from tests.chaos.processes import CannotRun
from tests.chaos.report import Outcome
from tests.chaos.stage import Play, Progress

Act = Callable[[Play], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    act: Act
    rounds: int
    short: int


SCENARIOS = {
    "kill-sqlite": Scenario(crashes.kill_sqlite, 100, 2),
    "kill-postgresql": Scenario(crashes.kill_postgresql, 100, 2),
    "kill-roles": Scenario(crashes.kill_roles, 100, 2),
    "end-sqlite": Scenario(crashes.end_sqlite, 20, 1),
    "end-roles": Scenario(crashes.end_roles, 24, 4),
    "pg-restart": Scenario(stores.postgresql_restart, 20, 2),
    "pg-pause": Scenario(stores.postgresql_pause, 6, 1),
    "redis": Scenario(stores.redis, 12, 3),
    "disk-full": Scenario(stores.disk_full, 5, 1),
    "clock-jumps": Scenario(clocks.clock_jumps, 12, 5),
    "graph-trouble": Scenario(neighbours.graph_trouble, 8, 1),
    "slow-clients": Scenario(neighbours.slow_clients, 3, 1),
    "floods": Scenario(neighbours.floods, 4, 4),
    "poison": Scenario(neighbours.poison, 3, 1),
    "acceptance": Scenario(handover.acceptance, 1000, 20),
    "alerts": Scenario(handover.alerts, 30, 2),
    "rotation": Scenario(rotation.rotation, 10_000, 60),
}


async def run(name: str, rounds: int, seed: int, progress: Progress, *, brief: bool = False) -> Outcome:
    """Play a scenario. What it needs and cannot have fails it."""
    play = Play(Outcome(name), rounds, random.Random(f"{seed} {name}"), progress, brief)
    try:
        await SCENARIOS[name].act(play)
    except CannotRun as error:
        play.outcome.problems.append(str(error))
    except Exception as error:
        play.outcome.problems.append(f"the scenario ended with {type(error).__name__}: {error}")
    return play.outcome

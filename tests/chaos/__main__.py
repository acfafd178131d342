"""`python -m tests.chaos`: every scenario, one after the other, and a table of what came of it. Exit code 1 when one fails."""

from __future__ import annotations

import argparse
import random
import sys

import uvloop
from rich.console import Console

from tests.chaos.report import HEADER
from tests.chaos.scenarios import SCENARIOS, run


async def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    arguments.add_argument("--only", metavar="NAME", action="append", choices=list(SCENARIOS), help="this one; may be repeated")
    arguments.add_argument("--rounds", type=int, help="how many rounds, whatever the scenario's own number")
    arguments.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeat an earlier run's chances")
    arguments.add_argument("--list", action="store_true", help="name the scenarios and what each does")
    given = arguments.parse_args()
    if given.list:
        for name, scenario in SCENARIOS.items():
            print(f"{name:<18}{scenario.act.__doc__}")
        return 0
    print(f"seed {given.seed}\n{HEADER}", flush=True)
    failed = False
    console = Console(stderr=True)
    with console.status("") as status:
        for name in given.only or SCENARIOS:
            progress = status.update if console.is_terminal else console.print
            outcome = await run(name, given.rounds or SCENARIOS[name].rounds, given.seed, progress)
            print(outcome.line(), flush=True)
            failed = failed or bool(outcome.broken() or outcome.too_late())
    return int(failed)


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))

"""The command `mostrador bench`: which measurements there are, and where their figures go."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.bench import fairness, growth, handover, machine, occupied, pipeline, report, soak
from bot.bench.shapes import Figures

CACHE = Path("var/bench").absolute()
"""Where the peers are installed, and the figures of each bench are kept for the report."""
NAMES = ("pipeline", "growth", "fairness", "handover", "soak", "all", "report")


async def run(name: str, *, as_json: bool = False, seconds: float = 6, minutes: int = 15, write: Path | None = None) -> None:
    """Print the figures of bench `name`, a table or one flat object: `all` is every one but the soak, `report` measures nothing.
    `write` is the folder of documents that the report and its chart go to. SystemExit when there is no such bench, and when what
    the loop is kept busy with does not keep to its targets."""
    if name not in NAMES:
        raise SystemExit(f"no bench {name!r}; there are: {', '.join(NAMES)}")
    figures: Figures = {}
    with Console(stderr=True).status("") as status:
        if name in ("pipeline", "all"):
            figures |= _keep("pipeline", await pipeline.measure(status.update, seconds, CACHE))
        if name in ("growth", "all"):
            figures |= _keep("growth", await growth.measure(status.update, seconds * 2 / 3))
        if name in ("fairness", "all"):
            figures |= _keep("fairness", await fairness.measure(status.update, seconds))
        if name in ("handover", "all"):
            figures |= _keep("handover", await handover.measure(status.update, seconds))
        if name == "soak":
            figures |= _keep("soak", await soak.measure(status.update, minutes))
        if figures:
            _keep("machine", await machine.about())
    if write is not None or name == "report":
        report.write(CACHE, write or Path("docs"))
    if as_json:
        print(json.dumps(figures))  # noqa: T201
    elif write is not None or name == "report":
        Console().print(f"{write or 'docs'}/performance.md")
    else:
        table = Table("figure", "", title=f"Mostrador {name}")
        for key, value in figures.items():
            table.add_row(key, str(value))
        Console().print(table)
    hold(figures)


def hold(figures: Figures) -> None:
    """SystemExit, with what misses its target."""
    if misses := [miss for load in pipeline.LOADS for miss in occupied.missed(figures, load)]:
        raise SystemExit("\n".join(misses))


def _keep(name: str, figures: Figures) -> Figures:
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / f"{name}.json").write_text(json.dumps(figures, indent=1))
    return figures

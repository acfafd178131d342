"""How cost grows: with the conversations stored, with companies and numbers, with the length of a dialog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.bench.form import script
from bot.bench.prospects import Load, numbers
from bot.bench.seeding import seed
from bot.bench.shapes import SHAPES, Figures, Missing, Running, empty, serving

STORED = (1_000, 100_000, 1_000_000)
NUMBERS = (1, 500)
"""Of one company."""
COMPANIES = (1, 1_000)
"""With a number each."""
QUESTIONS = (5, 50)
RATE = 300
"""Turns a second, with three statuses a message: what every case sustains."""
_TIMES = ("webhook_to_reply_p50_ms", "webhook_to_reply_p99_ms", "ack_p99_ms", "cpu_us_per_turn", "turns_per_s")


async def measure(step: Callable[[str], None], seconds: float, stored: tuple[int, ...] = STORED) -> Figures:
    """Times and CPU a turn at the same rate: `stored_1000_…`, `companies_1000_…`, `numbers_500_…`, `questions_50_…`; for the
    conversations stored on PostgreSQL too. `…_ratio` tells
    the largest to the smallest."""
    figures: Figures = {}
    for shape in (SHAPES[0], SHAPES[2]):
        with TemporaryDirectory(prefix="mostrador-bench-") as folder:
            try:
                async with empty(shape.database, Path(folder)) as database:
                    there = 0
                    async with serving(shape, database=database):
                        pass  # makes the tables
                    for count in stored:
                        step(f"{shape.title}: storing {count:,} conversations")
                        await seed(database, there, count)
                        there = count
                        step(f"{shape.title}: {count:,} conversations stored")
                        async with serving(shape, database=database) as service:
                            load = Load(numbers(1), rate=RATE, statuses=3, known=count)
                            figures |= _named(f"{shape.key}stored_{count}", await _settled(service, load, seconds))
            except Missing as error:
                figures["left_out"] = f"{shape.title}: {error}"
    for key, companies, count in (("numbers_1", 1, 1), ("numbers_500", 1, 500), ("companies_1000", 1_000, 1_000)):
        step(f"{companies:,} companies, {count:,} numbers")
        async with serving(SHAPES[0], companies=companies, numbers=count) as service:
            figures |= _named(key, await _settled(service, Load(numbers(count), rate=RATE, statuses=3), seconds))
    figures |= {f"companies_1_{name}": figures[f"numbers_1_{name}"] for name in _TIMES}
    for count in QUESTIONS:
        step(f"a dialog of {count} questions")
        async with serving(SHAPES[0], questions=count) as service:
            load = Load(numbers(1), rate=RATE, statuses=3, script=script(count))
            figures |= _named(f"questions_{count}", await _settled(service, load, seconds))
    cases = {"stored": stored, "postgresql_stored": stored, "companies": COMPANIES, "numbers": NUMBERS, "questions": QUESTIONS}
    for key, sizes in cases.items():
        for name in ("webhook_to_reply_p99_ms", "cpu_us_per_turn"):
            small, large = (figures.get(f"{key}_{count}_{name}") for count in (sizes[0], sizes[-1]))
            if small and large:
                figures[f"{key}_{name}_ratio"] = round(large / small, 2)
    return figures


async def _settled(service: Running, load: Load, seconds: float) -> Figures:
    """The best of three windows, figure by figure, after one that fills the caches: what else the machine does only adds."""
    _, *rest = [one async for (one,) in service.windows([load], seconds=seconds, windows=4)]
    return {name: min(one[name] for one in rest) for name in _TIMES}


def _named(key: str, found: Figures) -> Figures:
    return {f"{key}_{name}": found[name] for name in _TIMES}

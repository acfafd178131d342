"""What the loop is kept busy with is counted right, and held to its targets."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bot.bench.command import hold
from bot.bench.occupied import TARGETS, Meter, figures, missed
from bot.bench.pipeline import LOADS
from nlu.engine import load

MODELS = Path(__file__).parents[3] / "var" / "nlu"


def test_batches_and_beats_in_milliseconds() -> None:
    batches = [(1, 0.001), (10, 0.002), (4, 0.002)]
    blocked = [0.001] * 99 + [0.030]
    assert figures(batches, blocked) == {
        "understanding_cpu_ms_p50": 0.5,
        "understanding_blocked_ms_max": 2.0,
        "messages_a_batch": 5.0,
        "loop_blocked_ms_p99": 30.0,
        "loop_blocked_ms_max": 30.0,
    }
    assert figures(batches, [*blocked, *[0.001] * 100])["loop_blocked_ms_p99"] == 1.0
    assert figures([], blocked) == {}


def test_a_meter_counts_what_was_understood_between_two_beats() -> None:
    ticks = itertools.count()
    meter = Meter(load(MODELS), clock=lambda: float(next(ticks)))
    meter.beat()
    assert meter.understand("hola").intent == "greet"
    meter.understand("hola")
    meter.beat()
    meter.beat()
    assert meter.batches == [(2, 2.0)]
    assert meter.blocked == [1.0, 5.0, 1.0]


def test_a_meter_looks_at_a_text_anew() -> None:
    meter = Meter(load(MODELS))
    assert meter.look("hola") is not meter.look("hola")


def test_what_takes_more_than_it_may_is_told() -> None:
    name, most = next(iter(TARGETS.items()))
    assert missed({f"at_700_{name}": most}, "at_700_") == []
    assert missed({f"at_700_{name}": most + 0.5}, "at_700_") == [f"at_700_{name} is {most + 0.5}, and may be {most:g}"]
    assert missed({"turns_per_s": 1.0}, "at_700_") == []


def test_the_bench_fails_with_what_misses_its_target() -> None:
    hold({f"{load}understanding_cpu_ms_p50": 0.1 for load in LOADS} | {"turns_per_s": 1_000.0})
    with pytest.raises(SystemExit, match="at_700_understanding_blocked_ms_max is 21, and may be 20"):
        hold({"at_700_understanding_blocked_ms_max": 21})


@pytest.mark.parametrize("figure", sorted(TARGETS))
def test_each_target_is_of_a_figure_that_there_is(figure: str) -> None:
    assert figure in figures([(1, 0.001)], [0.001])

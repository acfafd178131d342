"""The service for many minutes at a steady load: does memory, do descriptors, do times grow?"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from bot.bench.prospects import Load, numbers
from bot.bench.shapes import SQLITE, Figures, serving

RATE = 300
"""Turns a second, with three statuses a message."""
COURSE = ("rss_mb", "descriptors", "webhook_to_reply_p99_ms")
"""What must not grow."""


async def measure(step: Callable[[str], None], minutes: int, minute: float = 60) -> Figures:
    """`minute_N_…` for each, and `…_last_third_to_second`: the ratio of their medians, since the first third still fills caches.
    A minute lasts `minute` seconds."""
    figures: Figures = {"minutes": minutes}
    course: dict[str, list[float]] = {name: [] for name in COURSE}
    step(f"minute 1 of {minutes}")
    async with serving(SQLITE) as service:
        at = 0
        async for (found,) in service.windows([Load(numbers(1), rate=RATE, statuses=3)], seconds=minute, windows=minutes):
            at += 1
            step(f"minute {at} of {minutes} is over: {found['rss_mb']} MB, {found['descriptors']} descriptors")
            for name in (*COURSE, "ack_p99_ms", "cpu_us_per_turn", "turns_per_s"):
                figures[f"minute_{at}_{name}"] = found[name]
            for name, values in course.items():
                values.append(found[name])
            figures |= {name: found[name] for name in ("lost", "duplicated", "out_of_order")}
    third = max(minutes // 3, 1)
    for name, values in course.items():
        before = values[third : 2 * third] or values
        figures[f"{name}_last_third_to_second"] = round(median(values[-third:]) / max(median(before), 0.01), 3)
    return figures

"""One number at full load beside others at a small rate: how much later the others are answered, by a service as it is shipped:
it waits for further bubbles of a message, as with no other measurement here."""

from __future__ import annotations

from collections.abc import Callable

from bot.bench.prospects import Load, numbers
from bot.bench.shapes import SHAPES, Figures, Missing, serving
from bot.settings import Settings

OTHERS = 20
"""Turns a second of all the other numbers together."""
BUSY = 500
"""Turns a second of a busy number that the service keeps up with."""
FLOOD = 256
"""Prospects who answer at once: more than the service keeps up with."""
DEBOUNCE_MS = int(Settings.model_fields["debounce_ms"].default)
_COMPANIES = 5


async def measure(step: Callable[[str], None], seconds: float) -> Figures:
    """The others' p50 and p99 while the number of another company is idle (`alone_`), busy (`busy_`) and flooded (`flooded_`)."""
    figures: Figures = {}
    for shape in (SHAPES[0], SHAPES[2], SHAPES[3]):
        try:
            async with serving(shape, companies=_COMPANIES, numbers=_COMPANIES, DEBOUNCE_MS=str(DEBOUNCE_MS)) as service:
                one, *rest = numbers(_COMPANIES)
                few = Load(rest, rate=OTHERS)
                cases = {"alone": [few], "busy": [few, Load([one], rate=BUSY)], "flooded": [few, Load([one], prospects=FLOOD)]}
                for name, loads in cases.items():
                    step(f"{shape.title}: the others, one number {name}")
                    async for found in service.windows(loads, seconds=seconds):
                        others, much = found[0], found[-1]
                    key = f"{shape.key}{name}"
                    figures |= {f"{key}_others_{at}": others[at] for at in ("webhook_to_reply_p50_ms", "webhook_to_reply_p99_ms")}
                    figures |= {f"{key}_others_{at}": others[at] for at in ("ack_p99_ms", "lost", "duplicated", "out_of_order")}
                    if name != "alone":
                        figures[f"{key}_number_turns_per_s"] = much["turns_per_s"]
                        alone = figures[f"{shape.key}alone_others_webhook_to_reply_p99_ms"]
                        figures[f"{key}_others_p99_ratio"] = round(others["webhook_to_reply_p99_ms"] / max(alone, 0.01), 2)
        except Missing as error:
            figures["left_out"] = f"{shape.title}: {error}"
    return figures

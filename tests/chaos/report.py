"""What a scenario came to: its counts, whether they are as promised, and its line of the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

RECOVERY = 5.0
"""Seconds within which turns flow again after a fault."""
HEADER = (
    f"{'scenario':<18}{'rounds':>7}{'acked':>8}{'processed':>11}{'lost':>6}{'doubled':>9}{'uncertain':>11}{'disorder':>10}"
    f"{'recovery p50':>14}{'max':>7}{'slowest':>9}  "
)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share is not above; not a number when there is none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


@dataclass
class Outcome:
    """Counts of messages; times in seconds. `notes` are figures of one scenario alone."""

    name: str
    rounds: int = 0
    acknowledged: int = 0
    processed: int = 0
    """Answered, and the answer heard."""
    lost: int = 0
    """Acknowledged and not stored, or never answered without being marked uncertain."""
    duplicated: int = 0
    """Answers heard a second time."""
    uncertain: int = 0
    """Answers that are marked so at the end: nobody knows whether they were heard."""
    out_of_order: int = 0
    slowest: float = 0.0
    """The longest that anybody waited for an answer."""
    recoveries: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    """What took too long. A slow machine is not a lost message: only the full run fails by it."""
    notes: list[str] = field(default_factory=list)

    def broken(self) -> list[str]:
        """The promises that were not kept, times apart."""
        counts = {"lost": self.lost, "doubled": self.duplicated, "out of order": self.out_of_order}
        found = [f"{count} {what}" for what, count in counts.items() if count]
        return found + ([] if self.processed else ["nothing was processed"]) + self.problems

    def too_late(self) -> list[str]:
        worst = max(self.recoveries, default=0.0)
        return ([f"recovery took {worst:.1f} s"] if worst > RECOVERY else []) + self.late

    def line(self) -> str:
        """The table's line, and below it whatever there is to say."""
        wrong = self.broken() + self.too_late()
        text = (
            f"{self.name:<18}{self.rounds:>7}{self.acknowledged:>8}{self.processed:>11}{self.lost:>6}{self.duplicated:>9}"
            f"{self.uncertain:>11}{self.out_of_order:>10}{_seconds(quantile(self.recoveries, 0.5)):>14}"
            f"{_seconds(max(self.recoveries, default=math.nan)):>7}{_seconds(self.slowest):>9}  {'FAIL' if wrong else 'OK'}"
        )
        return "\n    ".join([text, *wrong, *self.notes])


def _seconds(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"

"""The clock as a parameter: real time, with an offset that the simulator may move."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time in UTC. `advance` moves it forward; only the simulator and the tests do that."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + self.offset

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by `by`; a clock never goes back (ValueError)."""
        if by < timedelta():
            raise ValueError("a clock only moves forward")
        self.offset += by

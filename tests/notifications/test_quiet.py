"""Quiet hours: over midnight, on days that are longer or shorter, and not at all."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from notifications.quiet import quiet_until

BOGOTA, NEW_YORK = ZoneInfo("America/Bogota"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("start", "end", "at", "until"),
    [
        ("22:00", "07:00", "2026-11-24 21:59", None),
        ("22:00", "07:00", "2026-11-24 22:00", "2026-11-25 07:00"),
        ("22:00", "07:00", "2026-11-25 03:10", "2026-11-25 07:00"),
        ("22:00", "07:00", "2026-11-25 06:59", "2026-11-25 07:00"),
        ("22:00", "07:00", "2026-11-25 07:00", None),
        ("13:00", "14:00", "2026-11-25 13:30", "2026-11-25 14:00"),
        ("13:00", "14:00", "2026-11-25 12:59", None),
        ("22:00", "00:00", "2026-12-31 23:30", "2027-01-01 00:00"),
        ("00:00", "06:00", "2026-12-31 00:00", "2026-12-31 06:00"),
        ("08:00", "08:00", "2026-12-31 08:00", None),
        (None, "08:00", "2026-12-31 07:00", None),
        ("22:00", None, "2026-12-31 23:00", None),
    ],
)
def test_when_quiet_hours_end(start: str | None, end: str | None, at: str, until: str | None) -> None:
    found = quiet_until(start, end, datetime.fromisoformat(at).replace(tzinfo=BOGOTA))
    assert found == (None if until is None else datetime.fromisoformat(until).replace(tzinfo=BOGOTA))


def test_the_night_on_which_an_hour_is_missing() -> None:
    """8 March 2026: New York goes from 02:00 to 03:00, so 07:00 comes after eight hours and not nine."""
    start = datetime(2026, 3, 7, 22, 0, tzinfo=NEW_YORK)
    end = quiet_until("22:00", "07:00", start)
    assert end is not None
    assert end.timestamp() - start.timestamp() == 8 * 3600


def test_the_night_on_which_an_hour_comes_twice() -> None:
    """1 November 2026, 01:15 for the second time: quiet until 01:30 of that second hour, not of the one before."""
    second = datetime(2026, 11, 1, 1, 15, fold=1, tzinfo=NEW_YORK)
    end = quiet_until("22:00", "01:30", second)
    assert end is not None
    assert end.timestamp() - second.timestamp() == 15 * 60

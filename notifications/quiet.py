"""Quiet hours: pure rules."""

from __future__ import annotations

from datetime import datetime, time, timedelta


def quiet_until(start: str | None, end: str | None, now: datetime) -> datetime | None:
    """When the quiet hours that `now` (local) is in are over, local; None when it is in none. `start` and `end` are HH:MM, the
    end is not included, and they may go over midnight."""
    if not start or not end or start == end:
        return None
    clock = f"{now:%H:%M}"
    inside = start <= clock < end if start < end else clock >= start or clock < end
    if not inside:
        return None
    day = now.date() + timedelta(days=clock >= end)
    fold = now.fold if day == now.date() else 0
    return datetime.combine(day, time.fromisoformat(end), tzinfo=now.tzinfo).replace(fold=fold)

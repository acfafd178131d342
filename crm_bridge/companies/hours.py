"""Opening hours: pure rules over {"mon": ["09:00-13:00", "14:00-18:00"], …} in the company's own time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)|([01]\d|2[0-3]):([0-5]\d)-24:00")

Hours = Mapping[str, Sequence[str]]


def problems(hours: Hours) -> list[str]:
    """What is wrong with these hours, a line each; empty when nothing is."""
    found = [f"{day}: not a day; use {', '.join(DAYS)}" for day in hours if day not in DAYS]
    for day, spans in hours.items():
        for span in spans:
            if not _SPAN.fullmatch(span):
                found.append(f"{day}: {span!r} is not a span such as 09:00-18:00")
            elif span[:5] >= span[6:]:
                found.append(f"{day}: {span} ends before it starts")
    return found


def is_open(hours: Hours, now: datetime) -> bool:
    """Whether the business is open at `now` (local). No hours at all means always."""
    if not hours:
        return True
    clock = f"{now:%H:%M}"
    return any(span[:5] <= clock < span[6:] for span in hours.get(DAYS[now.weekday()], ()))


def next_opening(hours: Hours, now: datetime) -> datetime | None:
    """The next local instant at which it opens, within two weeks; None when it is always or never open."""
    for ahead in range(15):
        day = now.date() + timedelta(days=ahead)
        for span in sorted(hours.get(DAYS[day.weekday()], ())):
            opening = datetime.combine(day, time.fromisoformat(span[:5]), tzinfo=now.tzinfo)
            if opening > now:
                return opening
    return None

"""Opening hours."""

from __future__ import annotations

from datetime import datetime

import pytest

from crm_bridge.companies.hours import is_open, next_opening, problems

WEEK = {"mon": ["09:00-13:00", "14:00-18:00"], "tue": ["14:00-18:00", "09:00-13:00"], "sat": ["20:00-24:00"]}
ALWAYS: dict[str, list[str]] = {}
NEVER: dict[str, list[str]] = {"mon": []}


def at(day: int, clock: str) -> datetime:
    """A day of the week that begins on Monday, 23 November 2026."""
    return datetime.fromisoformat(f"2026-11-{22 + day} {clock}")


@pytest.mark.parametrize(
    ("hours", "now", "is_it", "opening"),
    [
        (WEEK, at(1, "08:59"), False, at(1, "09:00")),
        (WEEK, at(1, "09:00"), True, at(1, "14:00")),
        (WEEK, at(1, "12:59:59"), True, at(1, "14:00")),
        (WEEK, at(1, "13:00"), False, at(1, "14:00")),
        (WEEK, at(1, "18:00"), False, at(2, "09:00")),
        (WEEK, at(2, "10:00"), True, at(2, "14:00")),
        (WEEK, at(3, "10:00"), False, at(6, "20:00")),
        (WEEK, at(6, "23:59:59"), True, at(8, "09:00")),
        (WEEK, at(7, "00:00"), False, at(8, "09:00")),
        (ALWAYS, at(7, "03:00"), True, None),
        (NEVER, at(1, "10:00"), False, None),
    ],
)
def test_open_and_when_next(hours: dict[str, list[str]], now: datetime, is_it: bool, opening: datetime | None) -> None:
    assert (is_open(hours, now), next_opening(hours, now)) == (is_it, opening)


@pytest.mark.parametrize(
    ("hours", "wrong"),
    [
        (WEEK, []),
        (ALWAYS, []),
        ({"lun": ["09:00-18:00"]}, ["lun"]),
        ({"mon": ["9-18"]}, ["9-18"]),
        ({"mon": ["09:00-25:00"]}, ["09:00-25:00"]),
        ({"mon": ["18:00-09:00"]}, ["18:00-09:00"]),
        ({"mon": ["09:00-09:00"], "tue": ["x"]}, ["09:00-09:00", "x"]),
    ],
)
def test_what_is_wrong_is_named(hours: dict[str, list[str]], wrong: list[str]) -> None:
    found = problems(hours)
    assert len(found) == len(wrong)
    assert all(part in line for part, line in zip(wrong, found, strict=True))

"""Leave of sellers and holidays of the company. Whoever is there again by a change gets what waits at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_bridge.assignment.rules import UnknownSeller
from crm_bridge.assignment.sellers import wake
from crm_bridge.companies.rules import NameMissing, Refusal
from data.scope import alone, company_of
from data.tables import Holiday, Leave, User

LONGEST_LEAVE = 366
"""Days."""
_YEARS = (2000, 2100)
_Day = TypeVar("_Day", Leave, Holiday)


class AbsenceRefusal(Refusal):
    """Days off as they cannot be.

    AbsenceRefusal
      ├── NotADay       it is on no calendar, or a century away
      ├── DaysReversed  the last day comes before the first
      ├── LeaveTooLong  more than LONGEST_LEAVE days: a slip of the pen
      ├── LeaveOverlaps they are on leave on some of these days already
      ├── HolidayTaken  the day is a holiday already
      └── TimeIsPast    busy until a time that is no time, or over
    """


class NotADay(AbsenceRefusal): ...


class DaysReversed(AbsenceRefusal): ...


class LeaveTooLong(AbsenceRefusal): ...


class LeaveOverlaps(AbsenceRefusal): ...


class HolidayTaken(AbsenceRefusal): ...


class TimeIsPast(AbsenceRefusal): ...


def read_day(written: str) -> date:
    """YYYY-MM-DD. NotADay."""
    try:
        day = date.fromisoformat(written) if re.fullmatch(r"\d{4}-\d\d-\d\d", written) else None
    except ValueError:
        day = None
    if day is None or not _YEARS[0] <= day.year <= _YEARS[1]:
        raise NotADay
    return day


def read_until(written: str, now: datetime) -> datetime | None:
    """Busy until HH:MM of today; None for "", which is until they say so. `now` is local. TimeIsPast."""
    if not written:
        return None
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", written):
        raise TimeIsPast
    until = datetime.combine(now.date(), time.fromisoformat(written), tzinfo=now.tzinfo)
    if until <= now:
        raise TimeIsPast
    return until.astimezone(UTC)


def add_leave(session: Session, user_id: int, first: str, last: str, note: str = "") -> Leave:
    """Somebody does not work from `first` to `last`; "" for `last` is that one day. UnknownSeller, or an AbsenceRefusal."""
    begins = read_day(first)
    ends = read_day(last) if last else begins
    if ends < begins:
        raise DaysReversed
    if (ends - begins).days >= LONGEST_LEAVE:
        raise LeaveTooLong
    # The row is held, so that two who write the same leave do not both find the days free.
    if session.scalar(select(User.id).where(User.id == user_id, User.active).with_for_update(key_share=True)) is None:
        raise UnknownSeller
    row = Leave(
        company_id=company_of(session),
        user_id=user_id,
        first_day=begins.isoformat(),
        last_day=ends.isoformat(),
        note=note.strip()[:200],
    )
    same_days = select(Leave.id).where(Leave.user_id == user_id, Leave.first_day <= row.last_day, Leave.last_day >= row.first_day)
    if session.scalar(same_days.limit(1)) is not None:
        raise LeaveOverlaps
    session.add(row)
    session.flush()
    return row


def remove_leave(session: Session, leave_id: int, now: datetime) -> None:
    """LookupError when there is none."""
    _remove(session, Leave, leave_id, now)


def add_holiday(session: Session, day: str, name: str) -> Holiday:
    """Nobody works on `day`. NotADay, NameMissing, HolidayTaken."""
    key = read_day(day).isoformat()
    if not name.strip():
        raise NameMissing
    if not fill_holidays(session, {key: name}):
        raise HolidayTaken
    return session.scalars(select(Holiday).where(Holiday.day == key)).one()


def fill_holidays(session: Session, days: Mapping[str, str]) -> int:
    """Add these holidays, {YYYY-MM-DD: name}, where the day is none yet; how many that were."""
    company = company_of(session)
    alone(session)  # one after the other
    known = set(session.scalars(select(Holiday.day).where(Holiday.day.in_(days))))
    new = [
        Holiday(company_id=company, day=day, name=name.strip()[:100]) for day, name in sorted(days.items()) if day not in known
    ]
    session.add_all(new)
    session.flush()
    return len(new)


def remove_holiday(session: Session, holiday_id: int, now: datetime) -> None:
    """LookupError when there is none."""
    _remove(session, Holiday, holiday_id, now)


def _remove(session: Session, table: type[_Day], row_id: int, now: datetime) -> None:
    row = session.scalar(select(table).where(table.id == row_id))
    if row is None:
        raise LookupError(row_id)
    session.delete(row)
    session.flush()
    wake(session, row.company_id, now)

"""Whom a lead goes to: pure rules.

The ledger is a fair queue with weights (start-time fair queueing, Goyal, Vin and Cheng 1996). Each member of a team has `served`,
and a lead costs TURN // weight of it: of those who can take the lead, whoever has least gets it. Who could, were they there (or
had they not let it pass), moves along with them: so the shares of those who are there follow their weights within one turn, a
lead passed on costs nothing, and who comes back is neither flooded nor passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol

import msgspec

from crm_bridge.companies.hours import DAYS, Hours, is_open, next_opening
from crm_bridge.companies.rules import Refusal

TURN = 2520
"""What a turn costs a weight of 1: every weight from 1 to 10 divides it."""
HEAVIEST = 10
LOAD: Mapping[str, int] = {"hot": 3, "warm": 2, "cold": 1}
"""How much of a seller's capacity a conversation takes."""
CAPACITY = 30
LEFT_OUT = ("inactive", "no_share", "interest", "language", "passed", "leave", "holiday", "shift", "away", "full")
"""Why somebody is not asked; the first that holds."""
ALONG = frozenset(LEFT_OUT) - {"interest", "language"}
"""They could take it, were they there, had they room, and had they not let it pass: they move along with those who can."""
SOONEST = timedelta(minutes=15)
"""When somebody who let a lead pass is asked again, if nobody has taken it."""


class AssignmentRefusal(Refusal):
    """What a seller asked of a hand-over is not to be had.

    AssignmentRefusal
      ├── Taken         another person answers this conversation; `by` is their name
      ├── OfferPassed   it went on to somebody else, because the time was over or they passed
      ├── OfferOver     nobody is wanted there any more
      ├── NotYours      the offer was made to another seller
      ├── UnknownSeller there is no such active seller in the company
      └── WrongShare    a weight is 0 to 10, a capacity 1 to 1,000
    """

    def __init__(self, by: str = "") -> None:
        super().__init__(by)
        self.by = by


class Taken(AssignmentRefusal):
    """Another person answers this conversation."""


class AskedAnother(AssignmentRefusal):
    """It is offered to another person, who has not answered yet."""


class OfferPassed(AssignmentRefusal):
    """The offer went on to somebody else."""


class OfferOver(AssignmentRefusal):
    """Nobody is wanted there any more."""


class NotYours(AssignmentRefusal):
    """The offer was made to another seller."""


class UnknownSeller(AssignmentRefusal):
    """There is no such active seller."""


class WrongShare(AssignmentRefusal):
    """A weight or a capacity that cannot be."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a lead asks of a seller. `former`: who answered this person before; `passed`: who let this one pass a moment ago, and
    is not asked again yet; `asked`: who did so earlier, and is asked after the others."""

    priority: str
    interest: str
    language: str
    former: int | None = None
    passed: frozenset[int] = frozenset()
    asked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Member:
    """A seller, as a decision sees them. `load` and `capacity` as in LOAD; `absences` are (first, last) days, YYYY-MM-DD."""

    user_id: int
    name: str
    weight: int = 1
    served: int = 0
    active: bool = True
    away: bool = False
    away_until: datetime | None = None
    capacity: int = CAPACITY
    load: int = 0
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    hours: Hours | None = None
    absences: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Considered:
    """One member in a Choice. `left_out` is one of LEFT_OUT, "" for a candidate; `ahead` is by how many turns they had more than
    whoever had least."""

    user_id: int
    name: str
    left_out: str
    load: int
    capacity: int
    ahead: float


@dataclass(frozen=True, slots=True)
class Choice:
    """Why it goes to whom. `because`: next (the least served), former (they know each other), only (nobody else could), nobody;
    or taken and transfer, where people decided."""

    because: str
    user_id: int | None = None
    considered: tuple[Considered, ...] = ()

    @property
    def name(self) -> str:
        """The chosen one's; "" where there is none."""
        return next((each.name for each in self.considered if each.user_id == self.user_id), "")

    def told(self) -> dict[str, Any]:
        """As it is stored (Assignment.why)."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a decision writes into the books: `served` of everybody whose place moved, and what it cost the chosen one."""

    served: Mapping[int, int]
    cost: int = 0


def cost_of(weight: int) -> int:
    """What a turn costs somebody of this weight (1 to HEAVIEST)."""
    return TURN // weight


class Work(Protocol):
    """What decides whether somebody works at a time: a Member, or a seller's row."""

    @property
    def away(self) -> bool: ...
    @property
    def away_until(self) -> datetime | None: ...
    @property
    def hours(self) -> Hours | None: ...


def is_away(work: Work, now: datetime) -> bool:
    return work.away and (work.away_until is None or work.away_until > now)


def at_work(work: Work, now: datetime) -> bool:
    """Whether they are neither busy nor out of their shift at `now` (local)."""
    return not is_away(work, now) and is_open(work.hours or {}, now)


def left_out(member: Member, wanted: Wanted, now: datetime, holidays: frozenset[str] = frozenset()) -> str:
    """Why this member is not asked; "" when they are. `now` is local."""
    today = f"{now:%Y-%m-%d}"
    reasons = {
        "inactive": not member.active,
        "no_share": member.weight < 1,
        "interest": bool(member.skills) and wanted.interest not in member.skills,
        "language": bool(member.languages) and wanted.language not in member.languages,
        "passed": member.user_id in wanted.passed,
        "leave": any(first <= today <= last for first, last in member.absences),
        "holiday": today in holidays,
        "shift": not is_open(member.hours or {}, now),
        "away": is_away(member, now),
        "full": member.load + LOAD[wanted.priority] > member.capacity,
    }
    return next((reason for reason in LEFT_OUT if reasons[reason]), "")


def choose(
    wanted: Wanted, members: Sequence[Member], now: datetime, holidays: frozenset[str] = frozenset()
) -> tuple[Choice, Ledger]:
    """Who is next, why, and what it writes into the ledger. `now` is local. A former seller is asked before the others, and it
    costs them a turn as any other does."""
    why = {member.user_id: left_out(member, wanted, now, holidays) for member in members}
    candidates = [member for member in members if not why[member.user_id]]
    least = min((member.served for member in candidates), default=0)
    considered = tuple(
        Considered(
            user_id=member.user_id,
            name=member.name,
            left_out=why[member.user_id],
            load=member.load,
            capacity=member.capacity,
            ahead=round((member.served - least) / TURN, 2) if candidates else 0.0,
        )
        for member in members
    )
    if not candidates:
        return Choice("nobody", None, considered), Ledger({})
    chosen = min(
        candidates,
        key=lambda member: (
            member.user_id in wanted.asked,
            member.user_id != wanted.former,
            member.served,
            *tie(member),
        ),
    )
    because = "former" if chosen.user_id == wanted.former else "only" if len(candidates) == 1 else "next"
    cost = cost_of(chosen.weight)
    along = {member.user_id: least for member in members if member.served < least and why[member.user_id] in ALONG}
    return Choice(because, chosen.user_id, considered), Ledger({**along, chosen.user_id: chosen.served + cost}, cost)


def tie(member: Member) -> tuple[float, int]:
    """Who is asked first of those who have been served alike: the one with less load, then the older account."""
    return member.load / member.capacity, member.user_id


def next_hour(member: Member, wanted: Wanted, now: datetime, holidays: frozenset[str] = frozenset()) -> datetime | None:
    """The local time at which this member is there again, within two weeks; None when that cannot be known (they are busy until
    they say so, full, or it is nothing for them)."""
    at = now
    for _ in range(30):
        reason = left_out(member, wanted, at, holidays)
        match reason:
            case "":
                return at if at > now else None
            case "leave" | "holiday":
                at = (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            case "shift":
                opening = next_opening(member.hours or {}, at)
                if opening is None:
                    return None
                at = opening
            case "away" if member.away_until is not None:
                at = member.away_until.astimezone(now.tzinfo)
            case _:
                return None
    return None


def after_business_minutes(hours: Hours, start: datetime, minutes: float, holidays: frozenset[str] = frozenset()) -> datetime:
    """When `minutes` of opening time have passed since `start` (local). Clock changes count as lived. A business that never
    opens counts every hour: a target has to end some day."""
    zone, left = start.tzinfo, timedelta(minutes=minutes)
    if not any(hours.get(day) for day in DAYS):
        return (start.astimezone(UTC) + left).astimezone(zone)
    for ahead in range(366):
        day = start.date() + timedelta(days=ahead)
        if day.isoformat() in holidays:
            continue
        for span in sorted(hours.get(DAYS[day.weekday()], ())):
            opens, closes = (_at(day, clock, zone) for clock in span.split("-"))
            opens = max(opens, start.astimezone(UTC))
            if closes <= opens:
                continue
            if left <= closes - opens:
                return (opens + left).astimezone(zone)
            left -= closes - opens
    return (start.astimezone(UTC) + timedelta(days=366)).astimezone(zone)


def _at(day: date, clock: str, zone: tzinfo | None) -> datetime:
    """The instant, in UTC, at which the clock shows this; 24:00 is the end of the day."""
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=zone).astimezone(UTC)

"""Reads for the pages: who is there and who is not, what waits, and why a lead went to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Float, and_, case, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.functions import FunctionElement

from crm_bridge.assignment import ledger, rules
from crm_bridge.assignment.rules import Member, Wanted
from crm_bridge.companies.hours import Hours
from data.tables import (
    Assignment,
    Company,
    Holiday,
    Leave,
    Number,
    Offer,
    Person,
    Seller,
    Team,
    TeamMember,
    User,
)

WEEK = timedelta(days=7)


class Seconds(FunctionElement[float]):
    """From one instant to a later one."""

    inherit_cache = True
    type = Float()


@compiles(Seconds, "sqlite")
def _of_microseconds(element: Any, compiler: Any, **options: Any) -> str:
    earlier, later = (compiler.process(part, **options) for part in element.clauses)
    return f"(({later} - {earlier}) / 1000000.0)"


@compiles(Seconds, "postgresql")
def _of_interval(element: Any, compiler: Any, **options: Any) -> str:
    earlier, later = (compiler.process(part, **options) for part in element.clauses)
    return f"CAST(EXTRACT(epoch FROM {later} - {earlier}) AS DOUBLE PRECISION)"


def day_of(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The company's day: where it begins and where the next one does, as UTC instants."""
    today = now.astimezone(zone).date()
    begins, ends = (datetime.combine(today + timedelta(days=ahead), time(), tzinfo=zone).astimezone(UTC) for ahead in (0, 1))
    return begins, ends


# ------------------------------------------------------------------------------------------------------ the team
@dataclass(frozen=True, slots=True)
class Staff:
    """All that is needed to tell who works when."""

    zone: ZoneInfo
    country: str
    teams: list[Team]
    members: Mapping[int, list[Member]]
    """By team; those who left the company are there too, as inactive."""
    holidays: Mapping[str, str]
    """{YYYY-MM-DD: name}, from the day asked for on."""
    numbers: list[Number]
    users: list[User]
    """Everybody who may log in."""

    @property
    def without_team(self) -> list[User]:
        """Sellers whom no lead ever reaches."""
        placed = {member.user_id for members in self.members.values() for member in members}
        return [user for user in self.users if user.role == "seller" and user.id not in placed]

    def numbers_of(self, team_id: int) -> list[Number]:
        """A number of no team is the first one's."""
        first = self.teams[0].id if self.teams else None
        return [number for number in self.numbers if (number.team_id or first) == team_id]


def staff(session: Session, since: str) -> Staff:
    """The company's teams with everybody in them, with leave and holidays from the day `since` (YYYY-MM-DD) on. Eight reads of
    small tables; the load is counted over the hand-overs that are open."""
    company = session.scalars(select(Company)).one()
    rows = session.execute(
        select(TeamMember, User, Seller)
        .join(User, User.id == TeamMember.user_id)
        .outerjoin(Seller, Seller.user_id == TeamMember.user_id)
        .order_by(User.name, User.id)
    ).all()
    users = {user.id for _, user, _ in rows}
    loads, absences = ledger.loads(session, users), ledger.absences(session, users, since)
    teams = list(session.scalars(select(Team).order_by(Team.id)))
    numbers = list(session.scalars(select(Number).order_by(Number.id)))
    members: dict[int, list[Member]] = {}
    for member, user, work in rows:
        load, absent = loads.get(user.id, 0), absences.get(user.id, ())
        hours = _common_hours(numbers, teams, member.team_id)
        members.setdefault(member.team_id, []).append(ledger.member_of(member, user, work, load, absent, hours))
    days = session.execute(select(Holiday.day, Holiday.name).where(Holiday.day >= since).order_by(Holiday.day))
    return Staff(
        zone=ZoneInfo(company.timezone),
        country=company.country,
        teams=teams,
        members=members,
        holidays={day: name for day, name in days},  # noqa: C416
        numbers=numbers,
        users=list(session.scalars(select(User).where(User.active).order_by(User.name, User.id))),
    )


def _common_hours(numbers: Sequence[Number], teams: Sequence[Team], team_id: int) -> Hours:
    """The opening hours of a team's numbers, in which those without a shift work; {} when the numbers differ."""
    found = [number.hours for number in numbers if (number.team_id or teams[0].id) == team_id]
    return found[0] if found and all(each == found[0] for each in found) else {}


@dataclass(frozen=True, slots=True)
class Presence:
    """How somebody stands now. `away`: they are busy, as they or a manager said, whatever else keeps them. `left_out` is ""
    for who gets leads, else one of rules.LEFT_OUT; `until` (UTC) is when they are there again, where that is known; `ahead` is by
    how many turns they had more than whoever is next."""

    member: Member
    away: bool
    left_out: str
    until: datetime | None
    ahead: float


def presences(found: Staff, team_id: int, now: datetime) -> list[Presence]:
    """A team as it stands now: who is there first, and among them who is next."""
    local, holidays = now.astimezone(found.zone), frozenset(found.holidays)
    members = found.members.get(team_id, [])
    wanted = {member.user_id: _anything(member) for member in members}
    out = {member.user_id: rules.left_out(member, wanted[member.user_id], local, holidays) for member in members}
    least = min((member.served for member in members if not out[member.user_id]), default=0)
    served = {  # who is not there moves along (rules.py)
        member.user_id: max(member.served, least) if out[member.user_id] in rules.ALONG else member.served for member in members
    }
    lines = [
        Presence(
            member,
            rules.is_away(member, now),
            out[member.user_id],
            _utc(rules.next_hour(member, wanted[member.user_id], local, holidays), now),
            round((served[member.user_id] - least) / rules.TURN, 2),
        )
        for member in members
        if member.active
    ]
    return sorted(lines, key=lambda line: (bool(line.left_out), line.ahead, *rules.tie(line.member)))


def _anything(member: Member) -> Wanted:
    """A lead that is for them: whatever keeps them from it is not its fault."""
    return Wanted("cold", (member.skills or ("",))[0], (member.languages or ("",))[0])


def _utc(local: datetime | None, now: datetime) -> datetime | None:
    return local.astimezone(now.tzinfo) if local is not None else None


@dataclass(frozen=True, slots=True)
class Turns:
    """What one seller of a team was offered, over seven days. `median` is in seconds, from the offer to *Acepto*."""

    today: int = 0
    week: int = 0
    accepted: int = 0
    declined: int = 0
    expired: int = 0
    median: float | None = None


def turns(session: Session, day: datetime) -> dict[tuple[int, int], Turns]:
    """{(team, user): Turns} of the seven days that end with the one that begins at `day`. Two reads: the hand-overs of two weeks
    by (company, created_at), and the offers of each by its index."""
    since = day + timedelta(days=1) - WEEK
    recent = and_(Offer.assignment_id == Assignment.id, Assignment.created_at >= since - WEEK, Offer.offered_at >= since)
    counts = session.execute(
        select(
            Assignment.team_id,
            Offer.user_id,
            func.sum(case((Offer.offered_at >= day, 1), else_=0)),
            func.count(),
            *(func.sum(case((Offer.state == state, 1), else_=0)) for state in ("accepted", "declined", "expired")),
        )
        .join(Offer, recent)
        .group_by(Assignment.team_id, Offer.user_id)
    ).all()
    took = Seconds(Offer.offered_at, Offer.answered_at)
    key = (Assignment.team_id, Offer.user_id)
    ranked = (
        select(
            Assignment.team_id.label("team"),
            Offer.user_id.label("user"),
            took.label("took"),
            func.row_number().over(partition_by=key, order_by=took).label("place"),
            func.count().over(partition_by=key).label("many"),
        )
        .join(Offer, recent)
        .where(Offer.state == "accepted")
        .subquery()
    )
    medians = session.execute(
        select(ranked.c.team, ranked.c.user, ranked.c.took).where(ranked.c.place == (ranked.c.many + 1) // 2)
    )
    median = {(team, user): float(seconds) for team, user, seconds in medians}
    return {
        (team, user): Turns(int(today), many, int(accepted), int(declined), int(expired), median.get((team, user)))
        for team, user, today, many, accepted, declined, expired in counts
    }


@dataclass(frozen=True, slots=True)
class Waiting:
    """A hand-over that nobody has accepted yet. `opens_at` (UTC): when somebody who could take it is there, if nobody is now."""

    row: Assignment
    person: Person
    number: str
    team: str
    to: str | None
    """Who is asked now."""
    opens_at: datetime | None = None


def waiting(session: Session, found: Staff, now: datetime, limit: int = 50) -> list[Waiting]:
    """Hot before warm before cold, each oldest first. One read, of the hand-overs that are open."""
    asked = aliased(User)
    rows = session.execute(
        ledger.among_open(select(Assignment, Person, Number.name, Team.name, asked.name))
        .join(Person, Person.id == Assignment.person_id)
        .join(Number, Number.id == Assignment.number_id)
        .join(Team, Team.id == Assignment.team_id)
        .outerjoin(asked, asked.id == Assignment.user_id)
        .where(Assignment.state.in_(("waiting", "offered")))
        .order_by(ledger.LOAD.desc(), Assignment.created_at, Assignment.id)
        .limit(limit)
    ).all()
    return [
        Waiting(row, person, number, team, to, _opens_at(found, row, now) if row.state == "waiting" else None)
        for row, person, number, team, to in rows
    ]


def _opens_at(found: Staff, row: Assignment, now: datetime) -> datetime | None:
    local, holidays = now.astimezone(found.zone), frozenset(found.holidays)
    wanted = Wanted(row.priority, row.interest, row.language)
    members = found.members.get(row.team_id, [])
    if any(not rules.left_out(member, wanted, local, holidays) for member in members):
        return None
    hours = [hour for member in members if (hour := rules.next_hour(member, wanted, local, holidays)) is not None]
    return _utc(min(hours, default=None), now)


# ------------------------------------------------------------------------------------------------------- absence
def leaves(session: Session, since: str) -> list[tuple[Leave, str]]:
    """Leave that has not ended before `since`, with the seller's name; the next first."""
    rows = session.execute(
        select(Leave, User.name)
        .join(User, User.id == Leave.user_id)
        .where(Leave.last_day >= since)
        .order_by(Leave.first_day, User.name, Leave.id)
    )
    return [(row, name) for row, name in rows]


def holidays(session: Session, year: int) -> list[Holiday]:
    return list(
        session.scalars(
            select(Holiday).where(Holiday.day >= f"{year}-01-01", Holiday.day <= f"{year}-12-31").order_by(Holiday.day)
        )
    )


def work_of(session: Session, user_id: int) -> tuple[User, Seller | None] | None:
    """Somebody and how they work, where something was set."""
    row = session.execute(
        select(User, Seller).outerjoin(Seller, Seller.user_id == User.id).where(User.id == user_id)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


# ----------------------------------------------------------------------------------------------------- the reason
@dataclass(frozen=True, slots=True)
class Why:
    """The newest hand-over of a conversation: who was asked, and why the last decision fell as it did."""

    row: Assignment
    team: str
    owner: str | None
    offers: list[tuple[Offer, str]]

    @property
    def because(self) -> str:
        return str((self.row.why or {}).get("because", ""))

    @property
    def considered(self) -> list[Mapping[str, Any]]:
        """As rules.Considered: who could be asked first, whoever has least ahead of them first."""
        found: list[Mapping[str, Any]] = list((self.row.why or {}).get("considered", ()))
        return sorted(found, key=lambda each: (each["left_out"] != "", each["ahead"], each["name"]))


def why(session: Session, person_id: int, conversation_id: int) -> Why | None:
    """None when the conversation was never handed over. Two reads by index: by the person, and the offers of one hand-over."""
    owner = aliased(User)
    found = session.execute(
        select(Assignment, Team.name, owner.name)
        .join(Team, Team.id == Assignment.team_id)
        .outerjoin(owner, owner.id == Assignment.user_id)
        .where(Assignment.person_id == person_id, Assignment.conversation_id == conversation_id)
        .order_by(Assignment.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    row, team, name = found
    offers = session.execute(
        select(Offer, User.name).join(User, User.id == Offer.user_id).where(Offer.assignment_id == row.id).order_by(Offer.id)
    )
    return Why(row, team, name, [(offer, to) for offer, to in offers])

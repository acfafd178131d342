"""Sellers and their teams: who belongs where, who is there, and who hears when something goes wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger, rules
from crm_bridge.companies.hours import Hours
from data.prepared import Prepared
from data.scope import alone
from data.tables import Assignment, Company, Holiday, Number, Seller, Team, TeamMember, User

_HANDS = cast(Table, Assignment.__table__)
_TEAMS = cast(Table, Team.__table__)
_COMPANIES = cast(Table, Company.__table__)
_NUMBERS = cast(Table, Number.__table__)
_HOLIDAYS = cast(Table, Holiday.__table__)
_HOURS = Prepared(
    select(_COMPANIES.c.timezone, _NUMBERS.c.hours)
    .join(_NUMBERS, _NUMBERS.c.company_id == _COMPANIES.c.id)
    .where(_COMPANIES.c.id == bindparam("company"), _NUMBERS.c.id == bindparam("number"))
)
_AHEAD = Prepared(
    select(_HOLIDAYS.c.day)
    .where(_HOLIDAYS.c.company_id == bindparam("company"), _HOLIDAYS.c.day >= bindparam("today"))
    .order_by(_HOLIDAYS.c.day)
    .limit(60)
)
_STAFF = (
    select(User.id, User.role, Company.timezone, Seller)
    .join(Company, Company.id == User.company_id)
    .outerjoin(Seller, Seller.user_id == User.id)
    .where(User.company_id == bindparam("company"), User.role.in_(bindparam("roles", expanding=True)), User.active)
    .order_by(User.id)
)
_FIRST = Prepared(select(func.min(_TEAMS.c.id)).where(_TEAMS.c.company_id == bindparam("company")))
_LATER = "wake at the end"
FIRST_TEAM = "Ventas"
MOST_WOKEN = 50
"""How many hand-overs are looked at when one seller gets room, however many wait."""
SUPERVISORS = ("manager", "admin")
"""The roles that hear when something goes wrong, the first ones first."""


def team_of(session: Session, company_id: int, number_id: int | None, now: datetime) -> int:
    """The team that gets a number's leads: its own, or the company's first, which is made with all sellers when there is none."""
    own = session.scalar(select(Number.team_id).where(Number.id == number_id)) if number_id is not None else None
    return own or first_team(session, company_id, now)


def first_team(session: Session, company_id: int, now: datetime) -> int:
    """The company's first team, made with all its sellers when there is none."""
    session.flush()
    if (found := _first_of(session, company_id)) is not None:
        return found
    alone(session, company_id)
    if (found := _first_of(session, company_id)) is not None:
        return found
    team = Team(company_id=company_id, name=FIRST_TEAM, created_at=now)
    session.add(team)
    session.flush()
    sellers = session.scalars(
        select(User.id).where(User.company_id == company_id, User.role == "seller", User.active).order_by(User.id)
    )
    session.add_all(TeamMember(company_id=company_id, team_id=team.id, user_id=seller) for seller in list(sellers))
    session.flush()
    return team.id


def _first_of(session: Session, company_id: int) -> int | None:
    """Asked in each turn that ends in a hand-over."""
    found: list[tuple[int | None]] = _FIRST.tuples(session, {"company": company_id})
    return found[0][0]


def join(session: Session, team_id: int, user_id: int, weight: int = 1) -> TeamMember:
    """Add a seller to a team, or change their share. Who is new begins in the middle of the ledger. WrongShare, LookupError."""
    if not 0 <= weight <= rules.HEAVIEST:
        raise rules.WrongShare
    team = ledger.team(session, team_id, lock=True)
    row = session.scalar(select(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id))
    if row is None:
        if session.scalar(select(User.id).where(User.id == user_id, User.company_id == team.company_id)) is None:
            raise LookupError(user_id)
        row = TeamMember(company_id=team.company_id, team_id=team_id, user_id=user_id, served=_middle(session, team_id))
        session.add(row)
    row.weight = weight
    session.flush()
    return row


def begin(session: Session, company_id: int, user_id: int, now: datetime) -> None:
    """Somebody is a seller from now on: of the company's first team, unless they are of one already."""
    session.flush()
    if session.scalar(select(func.count()).where(TeamMember.user_id == user_id)) == 0:
        join(session, first_team(session, company_id, now), user_id)


def catch_up(session: Session, user_id: int) -> None:
    """Somebody may be asked for more kinds of leads than before: each team has them in the middle of the ledger, if they were
    behind it, and do not get all that comes until they have as much as the others."""
    places = select(TeamMember).where(TeamMember.user_id == user_id).order_by(TeamMember.team_id)
    for place in session.scalars(places).all():
        ledger.team(session, place.team_id, lock=True)
        session.refresh(place)
        place.served = max(place.served, _middle(session, place.team_id))
    session.flush()


def _middle(session: Session, team_id: int) -> int:
    places = session.scalars(
        select(TeamMember.served).where(TeamMember.team_id == team_id, TeamMember.weight > 0).order_by(TeamMember.served)
    ).all()
    return places[len(places) // 2] if places else 0


def leave_team(session: Session, team_id: int, user_id: int) -> None:
    """Take somebody out of a team; what they have accepted stays theirs."""
    row = session.scalar(select(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id))
    if row is not None:
        session.delete(row)
        session.flush()


def seller(session: Session, user_id: int) -> Seller:
    """How somebody works, made with the defaults where nothing was set. LookupError when there is no such user."""
    own = select(Seller).where(Seller.user_id == user_id)
    row = session.scalar(own)
    if row is None:
        # The user's row is held, so that two who look at the same time do not both make it.
        user = session.scalar(select(User).where(User.id == user_id).with_for_update(key_share=True))
        if user is None:
            raise LookupError(user_id)
        if (made := session.scalar(own)) is not None:
            return made
        row = Seller(
            company_id=user.company_id, user_id=user_id, away=False, capacity=rules.CAPACITY, skills=[], languages=[], hours={}
        )
        session.add(row)
        session.flush()
    return row


def set_away(session: Session, user_id: int, away: bool, now: datetime, until: datetime | None = None) -> None:
    """Somebody is busy (until then, or until they say so) or back. What waits is looked at anew when they are back, or when it is
    known when they will be."""
    row = seller(session, user_id)
    row.away, row.away_until = away, until if away else None
    session.flush()
    if not away or until is not None:
        wake(session, row.company_id, now)


def calendar(session: Session, company_id: int, number_id: int, now: datetime) -> tuple[datetime, Hours, frozenset[str]]:
    """What hand-overs are reckoned by: `now` as the company's clock shows it, the opening hours of their number, and the next
    holidays (YYYY-MM-DD, from today on). Two reads."""
    ((timezone, hours),) = _HOURS.tuples(session, {"company": company_id, "number": number_id})
    local = now.astimezone(ZoneInfo(timezone))
    ahead = _AHEAD.tuples(session, {"company": company_id, "today": f"{local:%Y-%m-%d}"})
    return local, hours, frozenset(day for (day,) in ahead)


def staff(session: Session, company_id: int, now: datetime, roles: Sequence[str]) -> list[tuple[int, str, bool]]:
    """(user, role, whether they are there) of everybody active with these roles. There: neither away nor on leave nor out of
    their shift."""
    rows = session.execute(_STAFF, {"company": company_id, "roles": roles}).all()
    if not rows:
        return []
    local = now.astimezone(ZoneInfo(rows[0].timezone))
    today = f"{local:%Y-%m-%d}"
    leaves = ledger.absences(session, [row.id for row in rows], today)
    on_leave = {user for user, days in leaves.items() if any(first <= today <= last for first, last in days)}
    return [(user, role, user not in on_leave and (work is None or rules.at_work(work, local))) for user, role, _, work in rows]


def supervisors(session: Session, company_id: int, now: datetime, told: Collection[int] = ()) -> list[int]:
    """`to_hear` of the company's."""
    return to_hear(staff(session, company_id, now, SUPERVISORS), told)


def to_hear(people: Sequence[tuple[int, str, bool]], told: Collection[int] = ()) -> list[int]:
    """Which of these (as `staff` says) hear that something goes wrong: the managers who are there; where there are none, or all
    of them were `told`, the administrators; and where nobody is there, everybody of both. Nobody is told twice."""
    there = [person for person in people if person[2]] or people
    for level in SUPERVISORS:
        users = [user for user, role, _ in there if role == level]
        if fresh := [user for user in users if user not in told]:
            return fresh
    return []


def relieved(session: Session, user_id: int, row: Assignment, now: datetime) -> None:
    """The hand-over `row` is theirs no more: had they no room beside it, what waits is looked at anew (`wake`)."""
    session.flush()
    before = ledger.loads(session, [user_id]).get(user_id, 0) + rules.LOAD[row.priority]
    capacity = session.scalar(select(Seller.capacity).where(Seller.user_id == user_id)) or rules.CAPACITY
    if before + max(rules.LOAD.values()) > capacity:
        wake(session, row.company_id, now, besides=row.id)


def wake(session: Session, company_id: int, now: datetime, besides: int = 0) -> None:
    """Somebody has room or is there again: the first MOST_WOKEN that wait for a seller are looked at now, but for those that are
    being looked at, and the hand-over `besides`. It holds their rows, so that it is the last thing a transaction waits for: see
    `waking_last`."""
    later = session.info.get(_LATER)
    if later is not None:
        later.append((company_id, now, besides))
        return
    waiting = (
        select(_HANDS.c.id)
        .where(_HANDS.c.company_id == company_id, _HANDS.c.state == "waiting", _HANDS.c.due_at > now, _HANDS.c.id != besides)
        .order_by(ledger.LOAD.desc(), _HANDS.c.created_at, _HANDS.c.id)
        .limit(MOST_WOKEN)
        .with_for_update(key_share=True, skip_locked=True)
        .with_hint(_HANDS, "INDEXED BY ix_assignments_due", "sqlite")  # not through all of the company's
    )
    session.execute(update(_HANDS).where(_HANDS.c.id.in_(waiting)).values(due_at=now))


@contextmanager
def waking_last(session: Session) -> Iterator[None]:
    """What is woken inside is woken at its end: for work that waits for more rows after somebody got room."""
    if _LATER in session.info:
        yield
        return
    later: list[tuple[int, datetime, int]] = []
    session.info[_LATER] = later
    try:
        yield
    finally:
        del session.info[_LATER]
    for company, now, besides in dict.fromkeys(later):
        wake(session, company, now, besides)

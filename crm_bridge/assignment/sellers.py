"""Sellers and their teams: who belongs where, who is there, and who hears when something goes wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger, rules
from data.tables import Assignment, Company, Leave, Number, Seller, Team, TeamMember, User

FIRST_TEAM = "Ventas"
SUPERVISORS = ("manager", "admin")
"""The roles that hear when something goes wrong, the first ones first."""


def team_of(session: Session, company_id: int, number_id: int | None, now: datetime) -> int:
    """The team that gets a number's leads: its own, or the company's first, which is made with all sellers when there is none."""
    own = session.scalar(select(Number.team_id).where(Number.id == number_id)) if number_id is not None else None
    return own or first_team(session, company_id, now)


def first_team(session: Session, company_id: int, now: datetime) -> int:
    found = session.scalar(select(func.min(Team.id)).where(Team.company_id == company_id))
    if found is not None:
        return found
    session.execute(select(Company.id).where(Company.id == company_id).with_for_update(key_share=True))
    found = session.scalar(select(func.min(Team.id)).where(Team.company_id == company_id))
    if found is not None:
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


def join(session: Session, team_id: int, user_id: int, weight: int = 1) -> TeamMember:
    """Add a seller to a team, or change their share. Who is new begins in the middle of the ledger. WrongShare, LookupError."""
    if not 0 <= weight <= rules.HEAVIEST:
        raise rules.WrongShare
    team = ledger.team(session, team_id)
    row = session.scalar(select(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id))
    if row is None:
        if session.scalar(select(User.id).where(User.id == user_id, User.company_id == team.company_id)) is None:
            raise LookupError(user_id)
        places = session.scalars(
            select(TeamMember.served).where(TeamMember.team_id == team_id, TeamMember.weight > 0).order_by(TeamMember.served)
        ).all()
        middle = places[len(places) // 2] if places else 0
        row = TeamMember(company_id=team.company_id, team_id=team_id, user_id=user_id, served=middle)
        session.add(row)
    row.weight = weight
    session.flush()
    return row


def leave_team(session: Session, team_id: int, user_id: int) -> None:
    """Take somebody out of a team; what they have accepted stays theirs."""
    row = session.scalar(select(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id))
    if row is not None:
        session.delete(row)
        session.flush()


def seller(session: Session, user_id: int) -> Seller:
    """How somebody works, made with the defaults where nothing was set. LookupError when there is no such user."""
    row = session.scalar(select(Seller).where(Seller.user_id == user_id))
    if row is None:
        user = session.scalar(select(User).where(User.id == user_id))
        if user is None:
            raise LookupError(user_id)
        row = Seller(
            company_id=user.company_id, user_id=user_id, away=False, capacity=rules.CAPACITY, skills=[], languages=[], hours={}
        )
        session.add(row)
        session.flush()
    return row


def set_away(session: Session, user_id: int, away: bool, now: datetime, until: datetime | None = None) -> None:
    """Somebody is busy (until then, or until they say so) or back. What waits is looked at anew when they are back."""
    row = seller(session, user_id)
    row.away, row.away_until = away, until if away else None
    session.flush()
    if not away:
        wake(session, row.company_id, now)


def staff(session: Session, company_id: int, now: datetime, roles: Sequence[str]) -> list[tuple[int, str, bool]]:
    """(user, role, whether they are there) of everybody active with these roles. There: neither away nor on leave nor out of
    their shift."""
    zone = ZoneInfo(session.scalars(select(Company.timezone).where(Company.id == company_id)).one())
    local = now.astimezone(zone)
    today = f"{local:%Y-%m-%d}"
    on_leave = set(
        session.scalars(
            select(Leave.user_id).where(Leave.company_id == company_id, Leave.first_day <= today, Leave.last_day >= today)
        )
    )
    rows = session.execute(
        select(User.id, User.role, Seller)
        .outerjoin(Seller, Seller.user_id == User.id)
        .where(User.company_id == company_id, User.role.in_(roles), User.active)
        .order_by(User.id)
    )
    return [(user, role, user not in on_leave and (work is None or rules.at_work(work, local))) for user, role, work in rows]


def supervisors(session: Session, company_id: int, now: datetime, told: Collection[int] = ()) -> list[int]:
    """Who is told that something goes wrong: the managers who are there; where there are none, or all of them were `told`, the
    administrators; and where nobody is there, everybody of both. Nobody is told twice."""
    people = staff(session, company_id, now, SUPERVISORS)
    there = [person for person in people if person[2]] or people
    for level in SUPERVISORS:
        users = [user for user, role, _ in there if role == level]
        if fresh := [user for user in users if user not in told]:
            return fresh
    return []


def wake(session: Session, company_id: int, now: datetime) -> None:
    """Somebody has room or is there again: what waits for a seller is looked at now, but for what is being looked at."""
    waiting = (
        select(Assignment.id)
        .where(Assignment.company_id == company_id, Assignment.state == "waiting", Assignment.due_at > now)
        .with_for_update(key_share=True, skip_locked=True)
    )
    session.execute(
        update(Assignment).where(Assignment.id.in_(waiting)).values(due_at=now).execution_options(synchronize_session=False)
    )

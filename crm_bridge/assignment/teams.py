"""How teams and sellers are set up by a manager: names, targets, numbers, shifts, skills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import rules, sellers
from crm_bridge.companies import hours as opening
from crm_bridge.companies.rules import NameMissing, Refusal, WrongHours
from data.scope import alone, company_of
from data.tables import Assignment, Number, Seller, Team, TeamMember

BOUNDS: Mapping[str, tuple[int, int]] = {
    "accept_seconds": (30, 3_600),
    "first_reply_minutes": (0, 1_440),
    "follow_up_minutes": (0, 10_080),
    "return_hours": (0, 720),
}
"""The least and the most of each target of a team; 0 is no target."""
MOST_CAPACITY = 1_000


class TeamRefusal(Refusal):
    """A team as it cannot be.

    TeamRefusal
      ├── TeamNameTaken  another team of the company is called so
      └── WrongTarget    a target outside its BOUNDS
    """


class TeamNameTaken(TeamRefusal): ...


class WrongTarget(TeamRefusal): ...


class Targets(TypedDict):
    accept_seconds: int
    first_reply_minutes: int
    follow_up_minutes: int
    return_hours: int


def add_team(session: Session, name: str, now: datetime) -> Team:
    """A team with the usual targets. The company's first one has all its sellers; later ones begin empty. NameMissing,
    TeamNameTaken."""
    company = company_of(session)
    name = _name(session, name, None)
    if session.scalar(select(func.min(Team.id))) is None:
        team = session.scalars(select(Team).where(Team.id == sellers.first_team(session, company, now))).one()
        team.name = name
    else:
        team = Team(company_id=company, name=name, created_at=now)
        session.add(team)
    session.flush()
    return team


def change_team(session: Session, team_id: int, name: str, targets: Targets) -> Team:
    """NameMissing, TeamNameTaken, WrongTarget; LookupError when there is none. What runs already keeps its time."""
    team = session.scalar(select(Team).where(Team.id == team_id))
    if team is None:
        raise LookupError(team_id)
    if any(not least <= targets[key] <= most for key, (least, most) in BOUNDS.items()):  # type: ignore[literal-required]
        raise WrongTarget
    team.name = _name(session, name, team_id)
    team.accept_seconds, team.first_reply_minutes = targets["accept_seconds"], targets["first_reply_minutes"]
    team.follow_up_minutes, team.return_hours = targets["follow_up_minutes"], targets["return_hours"]
    session.flush()
    return team


def give_numbers(session: Session, teams: Mapping[int, int], now: datetime) -> None:
    """Which team answers which number: {number: team}; what is not named stays. What waits there goes along, and is looked at
    now; who is asked already keeps their offer. LookupError for one that is not there."""
    known = set(session.scalars(select(Team.id).where(Team.id.in_(set(teams.values())))))
    rows = list(session.scalars(select(Number).where(Number.id.in_(teams))))
    if known != set(teams.values()) or len(rows) != len(teams):
        raise LookupError
    for row in rows:
        row.team_id = teams[row.id]
    session.flush()
    for number, team in teams.items():
        of_others = (Assignment.number_id == number, Assignment.state == "waiting", Assignment.team_id != team)
        moved = update(Assignment).where(*of_others).values(team_id=team, due_at=now)
        session.execute(moved.execution_options(synchronize_session=False))


def set_share(session: Session, team_id: int, user_id: int, weight: int, now: datetime) -> TeamMember:
    """Add a seller to a team, or change their share. WrongShare, LookupError. What waits is looked at anew."""
    row = sellers.join(session, team_id, user_id, weight)
    sellers.wake(session, row.company_id, now)
    return row


def change_seller(
    session: Session,
    user_id: int,
    *,
    capacity: int,
    skills: Sequence[str],
    languages: Sequence[str],
    hours: Mapping[str, list[str]],
    now: datetime,
) -> Seller:
    """How somebody works. WrongShare, WrongHours; LookupError when there is no such user. What waits is looked at anew."""
    if not 1 <= capacity <= MOST_CAPACITY:
        raise rules.WrongShare
    if opening.problems(hours):
        raise WrongHours
    row = sellers.seller(session, user_id)
    if _wider(row.skills, skills) or _wider(row.languages, languages):
        sellers.catch_up(session, user_id)
    row.capacity, row.skills, row.languages, row.hours = capacity, list(skills), list(languages), dict(hours)
    session.flush()
    sellers.wake(session, row.company_id, now)
    return row


def _wider(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether something is among `after` that was not before; none stands for all."""
    return bool(before) and not (after and set(after) <= set(before))


def _name(session: Session, name: str, besides: int | None) -> str:
    name = name.strip()[:60]
    if not name:
        raise NameMissing
    # The company's row is held, so that two who take the same name do not both find it free.
    alone(session)
    others = session.execute(select(Team.id, Team.name))
    if any(other.casefold() == name.casefold() for team, other in others if team != besides):
        raise TeamNameTaken
    return name

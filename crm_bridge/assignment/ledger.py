"""The books of a team: its members as a decision sees them, and what it writes. Whoever changes them holds the team's row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVarTuple, cast

from sqlalchemy import Select, Table, bindparam, case, func, literal, select, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import rules
from crm_bridge.assignment.rules import Choice, Member
from crm_bridge.companies.hours import Hours
from data.prepared import Prepared
from data.scope import alone
from data.tables import Assignment, Leave, Offer, Seller, Team, TeamMember, User

LOAD = case(rules.LOAD, value=Assignment.priority, else_=0)
"""The load of a hand-over, and its place in the queue."""
_Columns = TypeVarTuple("_Columns")
_PLACES = cast(Table, TeamMember.__table__)
_WRITE = Prepared(
    update(_PLACES)
    .where(_PLACES.c.team_id == bindparam("team"), _PLACES.c.user_id == bindparam("user"))
    .values(served=bindparam("new_served"), turns=_PLACES.c.turns + bindparam("more"))
)


def among_open(query: Select[*_Columns]) -> Select[*_Columns]:
    """Of the hand-overs only those that are open, by the small index of these. The state is written out, as that index is only
    used where the statement says so itself; and SQLite has to be told, or it goes through all that the company ever had."""
    still = Assignment.state != literal("closed", literal_execute=True)
    return query.where(still).with_hint(Assignment, "INDEXED BY ix_assignments_load", "sqlite")


def team(session: Session, team_id: int, *, lock: bool = False) -> Team:
    query = select(Team).where(Team.id == team_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        raise LookupError(team_id)
    return row


def hold(session: Session, company_id: int) -> None:
    """Let the company's other decisions wait until this one is written: a seller may be of several teams, and what one of them
    gives counts in the other's. Held before a team."""
    alone(session, company_id)


class Books:
    """A team as it stands, for decisions that follow each other while its row is held: read once, written once."""

    def __init__(
        self,
        team_id: int,
        places: Sequence[tuple[TeamMember, User, Seller | None]],
        loads: Mapping[int, int],
        absences: Mapping[int, Sequence[tuple[str, str]]],
    ) -> None:
        self._team_id = team_id
        self._places = places
        self._absences = absences
        self._loads = Counter(loads)
        self._served = {user.id: place.served for place, user, _ in places}
        self._moved: set[int] = set()
        self._turns: Counter[int] = Counter()

    def members(self, hours: Hours) -> list[Member]:
        """Everybody, with what was decided so far; `hours` are of who has no shift of their own."""
        return [
            replace(
                member_of(place, user, work, self._loads[user.id], self._absences.get(user.id, ()), hours),
                served=self._served[user.id],
            )
            for place, user, work in self._places
        ]

    def enter(self, choice: Choice, moved: rules.Ledger, load: int) -> None:
        """Somebody was chosen for a hand-over of this `load`, or nobody."""
        self._served.update(moved.served)
        self._moved.update(moved.served)
        if choice.user_id is not None:
            self._turns[choice.user_id] += 1
            self._loads[choice.user_id] += load

    def write(self, session: Session) -> None:
        moved = [
            {"team": self._team_id, "user": user, "new_served": self._served[user], "more": self._turns[user]}
            for user in self._moved
        ]
        _WRITE.many(session, moved, by="user")


def books(session: Session, team_id: int, besides: Collection[int], today: str) -> Books:
    """The team's, but for the load of the hand-overs `besides`: three reads. `today` is the company's, YYYY-MM-DD."""
    rows = session.execute(
        select(TeamMember, User, Seller)
        .join(User, User.id == TeamMember.user_id)
        .outerjoin(Seller, Seller.user_id == TeamMember.user_id)
        .where(TeamMember.team_id == team_id)
        .order_by(TeamMember.user_id)
        .execution_options(populate_existing=True)
    ).all()
    users = [user.id for _, user, _ in rows]
    places = [(place, user, work) for place, user, work in rows]
    return Books(team_id, places, loads(session, users, besides), absences(session, users, today))


def loads(session: Session, users: Collection[int], besides: Collection[int] = ()) -> dict[int, int]:
    """{user: load} of the hand-overs that are offered to them or theirs, but for those `besides`."""
    rows = session.execute(
        among_open(select(Assignment.user_id, func.sum(LOAD)))
        .where(Assignment.user_id.in_(users), Assignment.id.not_in(besides))
        .group_by(Assignment.user_id)
    )
    return {user: int(load) for user, load in rows if user is not None}


def absences(session: Session, users: Collection[int], since: str) -> dict[int, list[tuple[str, str]]]:
    """{user: [(first day, last day)]} of leave that has not ended before the day `since` (YYYY-MM-DD), the next first."""
    found: dict[int, list[tuple[str, str]]] = {}
    for user, first, last in session.execute(
        select(Leave.user_id, Leave.first_day, Leave.last_day)
        .where(Leave.user_id.in_(users), Leave.last_day >= since)
        .order_by(Leave.first_day)
    ):
        found.setdefault(user, []).append((first, last))
    return found


def member_of(
    place: TeamMember, user: User, work: Seller | None, load: int, absences: Sequence[tuple[str, str]], hours: Hours
) -> Member:
    """A seller from their rows; `hours` where they have no shift of their own."""
    return Member(
        user_id=user.id,
        name=user.name,
        weight=place.weight,
        served=place.served,
        active=user.active,
        away=work.away if work else False,
        away_until=work.away_until if work else None,
        capacity=work.capacity if work else rules.CAPACITY,
        load=load,
        skills=tuple(work.skills) if work else (),
        languages=tuple(work.languages) if work else (),
        hours=(work.hours if work else None) or hours,
        absences=tuple(absences),
    )


def former(session: Session, rows: Sequence[Assignment]) -> dict[int, int]:
    """{hand-over: who answered that person last, on any number}; of those that nobody has accepted. One read."""
    found = session.execute(
        select(Assignment.person_id, Assignment.user_id)
        .where(Assignment.person_id.in_({row.person_id for row in rows}), Assignment.accepted_at.is_not(None))
        .order_by(Assignment.id)
    ).all()
    return {row.id: user for row in rows for person, user in found if person == row.person_id and user is not None}


def refund(session: Session, team_id: int, offer: Offer) -> None:
    team(session, team_id, lock=True)
    session.execute(
        update(TeamMember)
        .where(TeamMember.team_id == team_id, TeamMember.user_id == offer.user_id)
        .values(served=TeamMember.served - offer.cost, turns=TeamMember.turns - 1)
        .execution_options(synchronize_session=False)
    )


def charge(session: Session, team_id: int, user_id: int) -> int:
    """A turn for somebody who was not chosen by the ledger; returns what it cost. Nothing for one who is not of the team."""
    team(session, team_id, lock=True)
    weight = session.scalar(select(TeamMember.weight).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id))
    if not weight:
        return 0
    cost = rules.cost_of(weight)
    session.execute(
        update(TeamMember)
        .where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
        .values(served=TeamMember.served + cost, turns=TeamMember.turns + 1)
        .execution_options(synchronize_session=False)
    )
    return cost

"""The books of a team: its members as a decision sees them, and what it writes. Whoever changes them holds the team's row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVarTuple, cast

from sqlalchemy import Select, Table, bindparam, case, func, literal, select, text, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import rules
from crm_bridge.assignment.rules import Choice, Member
from crm_bridge.companies.hours import Hours
from data.prepared import Prepared, among
from data.scope import alone
from data.tables import Assignment, Leave, Offer, Seller, Team, TeamMember, User

LOAD = case(rules.LOAD, value=Assignment.priority, else_=0)
"""The load of a hand-over, and its place in the queue."""
_Columns = TypeVarTuple("_Columns")
_PLACES = cast(Table, TeamMember.__table__)
_HANDS = cast(Table, Assignment.__table__)
_LEAVES = cast(Table, Leave.__table__)
_MEMBERS = (
    select(TeamMember, User, Seller)
    .join(User, User.id == TeamMember.user_id)
    .outerjoin(Seller, Seller.user_id == TeamMember.user_id)
    .where(TeamMember.team_id == bindparam("team"))
    .order_by(TeamMember.user_id)
    .execution_options(populate_existing=True)
)
_LOADS = Prepared(
    select(_HANDS.c.user_id, func.sum(LOAD).label("load"))
    .with_hint(_HANDS, "INDEXED BY ix_assignments_load", "sqlite")  # see among_open
    .where(text("state != 'closed'"), among(_HANDS.c.user_id, "users"), ~among(_HANDS.c.id, "besides"))
    .group_by(_HANDS.c.user_id)
)
_ABSENCES = Prepared(
    select(_LEAVES.c.user_id, _LEAVES.c.first_day, _LEAVES.c.last_day)
    .where(among(_LEAVES.c.user_id, "users"), _LEAVES.c.last_day >= bindparam("since"))
    .order_by(_LEAVES.c.first_day)
)
_FORMER = Prepared(
    select(_HANDS.c.person_id, _HANDS.c.user_id)
    .where(among(_HANDS.c.person_id, "people"), _HANDS.c.accepted_at.is_not(None))
    .order_by(_HANDS.c.id)
)
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
            member_of(place, user, work, self._loads[user.id], self._absences.get(user.id, ()), hours, self._served[user.id])
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
    places = [(place, user, work) for place, user, work in session.execute(_MEMBERS, {"team": team_id})]
    users = [user.id for _, user, _ in places]
    return Books(team_id, places, loads(session, users, besides), absences(session, users, today))


def loads(session: Session, users: Collection[int], besides: Collection[int] = ()) -> dict[int, int]:
    """{user: load} of the hand-overs that are offered to them or theirs, but for those `besides`. It sees what is flushed."""
    return {user: int(load) for user, load in _LOADS.tuples(session, {"users": users, "besides": besides})}


def absences(session: Session, users: Collection[int], since: str) -> dict[int, list[tuple[str, str]]]:
    """{user: [(first day, last day)]} of leave that has not ended before the day `since` (YYYY-MM-DD), the next first."""
    found: dict[int, list[tuple[str, str]]] = {}
    for user, first, last in _ABSENCES.tuples(session, {"users": users, "since": since}):
        found.setdefault(user, []).append((first, last))
    return found


def member_of(
    place: TeamMember,
    user: User,
    work: Seller | None,
    load: int,
    absences: Sequence[tuple[str, str]],
    hours: Hours,
    served: int | None = None,
) -> Member:
    """A seller from their rows; `hours` where they have no shift of their own, `served` where more was decided since."""
    return Member(
        user_id=user.id,
        name=user.name,
        weight=place.weight,
        served=place.served if served is None else served,
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
    last = {
        person: user for person, user in _FORMER.tuples(session, {"people": {row.person_id for row in rows}}) if user is not None
    }
    return {row.id: last[row.person_id] for row in rows if row.person_id in last}


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

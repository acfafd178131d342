"""What waits for a seller although somebody could take it: whoever got room could not wake it, as a decision that did not see the
room yet was at it just then; or nothing told of the change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Table, select, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger, rules
from crm_bridge.assignment.rules import Member, Wanted
from crm_bridge.companies.hours import Hours
from data.tables import Assignment, Company, Holiday, Number, Offer, Seller, TeamMember, User

PAGE = 1_000
"""Hand-overs that are looked through at a time."""
_HANDS = cast(Table, Assignment.__table__)
_Waiting = Row[int, int, int, int, str, str, str, str, Hours]


def find(session: Session, now: datetime, after: int = 0) -> tuple[list[int], int]:
    """Of a page of those that wait, and are to be looked at later only, the hand-overs that somebody could take now; and the
    `after` of the next page, 0 behind the last. Of all companies. One read where nothing waits, six where something does, each by
    the index of what is open or by key: 1 ms, and 15 ms where a thousand wait, whatever was handed over before. No locks."""
    rows = session.execute(
        ledger.among_open(
            select(
                Assignment.id,
                Assignment.company_id,
                Assignment.team_id,
                Assignment.number_id,
                Assignment.priority,
                Assignment.interest,
                Assignment.language,
                Company.timezone,
                Number.hours,
            )
        )
        .join(Number, Number.id == Assignment.number_id)
        .join(Company, Company.id == Assignment.company_id)
        .where(Assignment.user_id.is_(None), Assignment.state == "waiting", Assignment.due_at > now, Assignment.id > after)
        .order_by(Assignment.id)
        .limit(PAGE)
    ).all()
    if not rows:
        return [], 0
    local = {row.company_id: now.astimezone(ZoneInfo(row.timezone)) for row in rows}
    crews = _crews(session, rows, min(f"{at:%Y-%m-%d}" for at in local.values()))
    closed, passed = _holidays(session, local), _passed(session, [row.id for row in rows], now)
    known: dict[tuple[int, int, Wanted], bool] = {}
    found = []
    for row in rows:
        wanted = Wanted(row.priority, row.interest, row.language, passed=frozenset(passed.get(row.id, ())))
        key = row.team_id, row.number_id, wanted
        if key not in known:
            crew, at, days = crews[row.team_id, row.number_id], local[row.company_id], closed.get(row.company_id, frozenset())
            known[key] = any(not rules.left_out(member, wanted, at, days) for member in crew)
        if known[key]:
            found.append(row.id)
    return found, rows[-1].id if len(rows) == PAGE else 0


def look_again(session: Session, hands: Collection[int], now: datetime) -> None:
    """These are looked at now, but for what somebody is at already."""
    still = select(_HANDS.c.id).where(_HANDS.c.id.in_(hands), _HANDS.c.state == "waiting", _HANDS.c.due_at > now)
    still = still.with_for_update(key_share=True, skip_locked=True)
    session.execute(update(_HANDS).where(_HANDS.c.id.in_(still)).values(due_at=now))


def _crews(session: Session, rows: Collection[_Waiting], since: str) -> dict[tuple[int, int], list[Member]]:
    """{(team, number): its members}: a number's hours are of those who have no shift of their own."""
    places = session.execute(
        select(TeamMember, User, Seller)
        .join(User, User.id == TeamMember.user_id)
        .outerjoin(Seller, Seller.user_id == TeamMember.user_id)
        .where(TeamMember.team_id.in_({row.team_id for row in rows}))
    ).all()
    users = {user.id for _, user, _ in places}
    loads, absences = ledger.loads(session, users), ledger.absences(session, users, since)
    return {
        (team, number): [
            ledger.member_of(place, user, work, loads.get(user.id, 0), absences.get(user.id, ()), hours)
            for place, user, work in places
            if place.team_id == team
        ]
        for (team, number), hours in {(row.team_id, row.number_id): row.hours for row in rows}.items()
    }


def _holidays(session: Session, local: Mapping[int, datetime]) -> dict[int, frozenset[str]]:
    """{company: today, where it is a holiday there}"""
    days = {company: f"{at:%Y-%m-%d}" for company, at in local.items()}
    rows = session.execute(
        select(Holiday.company_id, Holiday.day).where(Holiday.company_id.in_(days), Holiday.day.in_(set(days.values())))
    )
    return {company: frozenset({day}) for company, day in rows if days[company] == day}


def _passed(session: Session, hands: Collection[int], now: datetime) -> dict[int, set[int]]:
    """{hand-over: who let it pass a moment ago}"""
    found: dict[int, set[int]] = {}
    for hand, user in session.execute(
        select(Offer.assignment_id, Offer.user_id).where(
            Offer.assignment_id.in_(hands),
            Offer.state.in_(("declined", "expired")),
            Offer.answered_at > now - rules.SOONEST,
        )
    ):
        found.setdefault(hand, set()).add(user)
    return found

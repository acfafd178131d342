"""The times in which a seller is to answer: begun, warned of, missed; and what lies idle too long. The row's own columns say what
has been done, so that each step is taken once, by whichever process comes first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger, sellers
from crm_bridge.assignment.decisions import claim
from crm_bridge.assignment.rules import after_business_minutes
from crm_bridge.assignment.service import give_up
from data.tables import Assignment, Conversation, Team

WARN_AT = 2 / 3
"""The part of a target after which the seller is warned."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a target. `what`: begun, warned, missed, or passed_on (missed, and another seller is looked for)."""

    assignment: Assignment
    what: str
    user_id: int | None = None
    """Whose it was."""


def due(session: Session, now: datetime, limit: int = 50) -> list[tuple[int, int]]:
    """(company, hand-over) whose target begins, is to be warned of, or is over."""
    found = session.execute(
        select(Assignment.company_id, Assignment.id)
        .where(Assignment.due_at.is_not(None), Assignment.due_at <= now, Assignment.state == "accepted")
        .order_by(Assignment.due_at)
        .limit(limit)
    )
    return [(company, row) for company, row in found]


def step(session: Session, assignment_id: int, now: datetime) -> Step | None:
    """Take the next step of a target that is due. A first word that never came passes the lead on to somebody else; a later one
    is for the manager to see. None when there is nothing to do any more, or somebody else is at it."""
    row = next(iter(claim(session, [assignment_id], ("accepted",), now)), None)
    if row is None:
        return None
    if row.deadline_at is None:
        begin(session, row, now)
        return Step(row, "begun", row.user_id)
    if not row.warned and row.deadline_at > now:
        row.warned, row.due_at = True, row.deadline_at
        session.flush()
        return Step(row, "warned", row.user_id)
    whose = row.user_id
    if row.first_reply_at is None:
        give_up(session, row, now)
        return Step(row, "passed_on", whose)
    row.due_at, row.deadline_at, row.warned = None, None, False
    session.flush()
    return Step(row, "missed", whose)


def begin(session: Session, row: Assignment, now: datetime) -> None:
    """Set when the seller is to have answered by, in the number's opening hours, and when to warn them. No target is no date."""
    team = session.scalars(select(Team).where(Team.id == row.team_id)).one()
    minutes = team.follow_up_minutes if row.first_reply_at else team.first_reply_minutes
    row.warned = False
    if not minutes:
        row.due_at = row.deadline_at = None
    else:
        local, hours, holidays = sellers.calendar(session, row.company_id, row.number_id, now)
        row.due_at = after_business_minutes(hours, local, minutes * WARN_AT, holidays).astimezone(now.tzinfo)
        row.deadline_at = after_business_minutes(hours, local, minutes, holidays).astimezone(now.tzinfo)
    session.flush()


def idle(session: Session, now: datetime, limit: int = 200, *, talk: int | None = None) -> list[tuple[int, int]]:
    """(company, conversation) of what was accepted and in which nobody has written for as long as the team allows: any, or only
    `talk`. What the seller put off is not idle: the time begins when that ends."""
    teams = session.execute(select(Team.id, Team.return_hours).where(Team.return_hours > 0)).all()
    found: list[tuple[int, int]] = []
    for hours in sorted({hours for _, hours in teams}):
        since = now - timedelta(hours=hours)
        query = ledger.among_open(
            select(Assignment.company_id, Assignment.conversation_id).join(
                Conversation, Conversation.id == Assignment.conversation_id
            )
        ).where(
            Assignment.state == "accepted",
            Assignment.user_id.is_not(None),
            Assignment.team_id.in_([team for team, each in teams if each == hours]),
            func.coalesce(Assignment.touched_at, Assignment.accepted_at) <= since,
            or_(Conversation.snoozed_until.is_(None), Conversation.snoozed_until <= since),
        )
        if talk is not None:
            query = query.where(Assignment.conversation_id == talk)
        found += [(company, each) for company, each in session.execute(query.order_by(Assignment.id).limit(limit))]
    return found[:limit]

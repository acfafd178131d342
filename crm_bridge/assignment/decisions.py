"""Who is next: what is due is found, held and decided, all of a team's that wait together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger, rules, sellers
from crm_bridge.assignment.rules import Choice, Wanted
from crm_bridge.assignment.service import end_offer, entry_of, offered, own
from crm_bridge.events import Event, LeadAssigned, LeadWaits
from crm_bridge.journal import record_all
from data.prepared import Row
from data.tables import Assignment, Conversation, Offer

LOOK_AGAIN, LOOK_SELDOM = timedelta(minutes=1), timedelta(hours=1)
"""When one that waits is looked at again, if nobody gets room or is there before (sellers.wake, overlooked.py): once soon, so
that more of us hear of it, then seldom. Thousands may wait where nobody sells, and each look costs everybody a millisecond."""
GROUP = 16
"""Hand-overs of one team that are decided in one transaction: most of what a decision reads is the team."""
_CLAIM = (
    select(Assignment)
    .join(Conversation, Conversation.id == Assignment.conversation_id)
    .where(
        Assignment.id.in_(bindparam("ids", expanding=True)),
        Assignment.due_at <= bindparam("now"),
        Assignment.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(ledger.LOAD.desc(), Assignment.created_at, Assignment.id)
    .with_for_update(of=(Assignment, Conversation), key_share=True, skip_locked=True)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a hand-over that was due. `offer` is the new one; `expired` the one that ended unanswered; `opens_at` (UTC)
    when somebody is there, where nobody is now; `everybody` tells that all who could have taken it let it pass."""

    assignment: Assignment
    choice: Choice
    offer: Offer | None = None
    expired: Offer | None = None
    opens_at: datetime | None = None
    everybody: bool = False


def due(session: Session, now: datetime, limit: int = 50) -> list[tuple[int, list[int]]]:
    """(company, hand-overs of one team) that are to be looked at next, those of all companies: hot ones first, each oldest first.
    At most GROUP of a team: whoever decides holds its row."""
    found = session.execute(
        select(Assignment.company_id, Assignment.team_id, Assignment.id)
        .where(Assignment.due_at.is_not(None), Assignment.due_at <= now, Assignment.state.in_(("waiting", "offered")))
        .order_by(ledger.LOAD.desc(), Assignment.created_at, Assignment.id)
        .limit(limit)
    )
    groups: dict[tuple[int, int], list[int]] = {}
    for company, team, row in found:
        groups.setdefault((company, team), []).append(row)
    return [(company, rows[:GROUP]) for (company, _), rows in groups.items()]


def claim(session: Session, ids: Sequence[int], states: Sequence[str], now: datetime) -> list[Assignment]:
    """Those of these hand-overs that are due in one of these states, held with their conversations, in the order of `due`. What
    somebody else is at is left out: nobody waits here."""
    return list(session.scalars(_CLAIM, {"ids": ids, "states": states, "now": now}))


def decide_all(session: Session, assignment_ids: Sequence[int], now: datetime) -> list[Decision]:
    """End the offers whose time is over, and find the next sellers for the hand-overs of one team that wait, one after the other.
    What is not due, and what somebody else is at, is left out. Costs a fixed number of reads, whatever the team and however
    many they are."""
    rows = claim(session, assignment_ids, ("waiting", "offered"), now)
    if not rows:
        return []
    company, rows = rows[0].company_id, [row for row in rows if row.team_id == rows[0].team_id]
    offers: defaultdict[int, list[Offer]] = defaultdict(list)
    for offer in session.scalars(select(Offer).where(Offer.assignment_id.in_([row.id for row in rows])).order_by(Offer.id)):
        offers[offer.assignment_id].append(offer)
    calendars = {number: sellers.calendar(session, company, number, now) for number in {row.number_id for row in rows}}
    local, _, _ = calendars[rows[0].number_id]
    former = ledger.former(session, rows)
    ledger.hold(session, company)
    team = ledger.team(session, rows[0].team_id, lock=True)
    expired = {row.id: end_offer(session, row, offers[row.id], "expired", now) for row in rows}
    books = ledger.books(session, team.id, [row.id for row in rows], f"{local:%Y-%m-%d}")
    decisions, told, made = [], list[Row](), list[Offer]()
    for row in rows:
        _, hours, holidays = calendars[row.number_id]
        wanted = _wanted(row, former.get(row.id), offers[row.id], now)
        members = books.members(hours)
        choice, moved = rules.choose(wanted, members, local, holidays)
        books.enter(choice, moved, rules.LOAD[row.priority])
        waited, row.why = (row.why or {}).get("because") == "nobody", choice.told()
        if choice.user_id is not None:
            made.append(offered(row, team, choice.user_id, moved.cost, now))
            event: Event = LeadAssigned(to=choice.name, because=choice.because)
            told.append(entry_of(row, event, choice.user_id, now))
            decisions.append(Decision(row, choice, made[-1], expired[row.id]))
            continue
        there = [hour for member in members if (hour := rules.next_hour(member, wanted, local, holidays)) is not None]
        seldom = waited and now - row.created_at >= LOOK_AGAIN
        again = now + (LOOK_SELDOM if seldom else LOOK_AGAIN)
        decision = _nobody(row, choice, expired[row.id], min(there, default=None), again)
        if choice.considered and not waited:
            until = decision.opens_at.isoformat() if decision.opens_at else ""
            told.append(entry_of(row, LeadWaits(until=until, everybody=decision.everybody), None, now))
        decisions.append(decision)
    session.add_all(made)
    own(session, rows, now)
    books.write(session)
    record_all(session, told)
    for row in rows:
        if (over := expired[row.id]) is not None:
            sellers.relieved(session, over.user_id, row, now)
    return decisions


def _wanted(row: Assignment, former: int | None, offers: Sequence[Offer], now: datetime) -> Wanted:
    let_pass = [(offer.user_id, offer.answered_at or now) for offer in offers if offer.state in ("declined", "expired")]
    return Wanted(
        row.priority,
        row.interest,
        row.language,
        former,
        frozenset(user for user, at in let_pass if at + rules.SOONEST > now),
        frozenset(user for user, _ in let_pass),
    )


def _nobody(row: Assignment, choice: Choice, expired: Offer | None, opens: datetime | None, again: datetime) -> Decision:
    """It waits, visibly, and is looked at `again`, or when the first of them is there (`opens`, local)."""
    opens_at = opens.astimezone(again.tzinfo) if opens is not None else None
    row.state, row.user_id = "waiting", None
    row.due_at = min(opens_at, again) if opens_at else again
    return Decision(row, choice, None, expired, opens_at, any(each.left_out == "passed" for each in choice.considered))

"""Hand-overs: opened by a turn, offered in fair rotation, accepted or passed on, closed. Whoever changes one holds the
conversation's row, and then its own: in this order, so that two never wait for each other. Whoever changes the ledger holds the
team's row too, so that two processes never reckon with the same one; whoever chooses a seller, the company's before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger, rules, sellers
from crm_bridge.assignment.rules import Choice, Considered, Wanted
from crm_bridge.events import Event, LeadAssigned, LeadPassed, LeadWaits
from crm_bridge.journal import record
from data.tables import Assignment, Conversation, Lead, Number, Offer, Team, User

LOOK_AGAIN, LOOK_SELDOM = timedelta(minutes=1), timedelta(hours=1)
"""When one that waits is looked at again, if nobody gets room or is there before (sellers.wake, overlooked.py): each time when it
has waited twice as long, within these."""
_OPEN_LEADS = ("new", "working")


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


# ----------------------------------------------------------------------------------------------------- the way
def current(session: Session, conversation_id: int, *, lock: bool = False) -> Assignment | None:
    """The conversation's hand-over that is not closed."""
    query = select(Assignment).where(Assignment.conversation_id == conversation_id, Assignment.state != "closed")
    return session.scalar(query.with_for_update(key_share=True).execution_options(populate_existing=True) if lock else query)


def due(session: Session, now: datetime, limit: int = 50) -> list[tuple[int, int]]:
    """(company, hand-over) that are to be looked at, those of all companies: hot ones first, each oldest first."""
    found = session.execute(
        select(Assignment.company_id, Assignment.id)
        .where(Assignment.due_at.is_not(None), Assignment.due_at <= now, Assignment.state.in_(("waiting", "offered")))
        .order_by(ledger.LOAD.desc(), Assignment.created_at, Assignment.id)
        .limit(limit)
    )
    return [(company, row) for company, row in found]


def claim(session: Session, assignment_id: int, states: Sequence[str], now: datetime) -> Assignment | None:
    """A hand-over that is due in one of these states, held with its conversation. None when it is not due, or somebody else is at
    one of them: nobody waits here."""
    return session.scalar(
        select(Assignment)
        .join(Conversation, Conversation.id == Assignment.conversation_id)
        .where(Assignment.id == assignment_id, Assignment.due_at <= now, Assignment.state.in_(states))
        .with_for_update(of=(Assignment, Conversation), key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )


def decide(session: Session, assignment_id: int, now: datetime) -> Decision | None:
    """End an offer whose time is over, and find the next seller for a hand-over that waits. None when it is not due, or somebody
    else is at it. Costs a fixed number of reads, whatever the team."""
    row = claim(session, assignment_id, ("waiting", "offered"), now)
    if row is None:
        return None
    offers = list(session.scalars(select(Offer).where(Offer.assignment_id == row.id).order_by(Offer.id)))
    local, hours, holidays = sellers.calendar(session, row, now)
    former = ledger.former(session, row)
    ledger.hold(session, row.company_id)
    team = ledger.team(session, row.team_id, lock=True)
    expired = _end(session, row, offers, "expired", now)
    members = ledger.members(session, team.id, row.id, f"{local:%Y-%m-%d}", hours)
    let_pass = [(offer.user_id, offer.answered_at or now) for offer in offers if offer.state in ("declined", "expired")]
    wanted = Wanted(
        row.priority,
        row.interest,
        row.language,
        former,
        frozenset(user for user, at in let_pass if at + rules.SOONEST > now),
        frozenset(user for user, _ in let_pass),
    )
    choice, books = rules.choose(wanted, members, local, holidays)
    ledger.write(session, team, choice, books)
    waited, row.why = (row.why or {}).get("because") == "nobody", choice.told()
    if choice.user_id is not None:
        decision = Decision(row, choice, _offer(session, row, team, choice.user_id, books.cost, now), expired)
    else:
        there = [hour for member in members if (hour := rules.next_hour(member, wanted, local, holidays)) is not None]
        decision = _nobody(session, row, choice, expired, min(there, default=None), waited, now)
    if expired is not None:
        sellers.relieved(session, expired.user_id, row, now)
    return decision


def accept(session: Session, conversation_id: int, user_id: int, via: str, now: datetime, *, over: bool = False) -> list[Offer]:
    """`user_id` answers the conversation from here on: accepts the offer, or takes it without being asked. Whoever has it keeps
    it; Taken when another has, unless `over`. Who calls it holds the conversation's row. Returns the offers that this accepts."""
    row = current(session, conversation_id, lock=True)
    if row is not None and row.state == "accepted":
        if row.user_id == user_id:
            return []
        if not over:
            raise rules.Taken(_name(session, row.user_id))
    if row is None:
        row = _taken(session, conversation_id, now)
    before = row.user_id
    offers = list(session.scalars(select(Offer).where(Offer.assignment_id == row.id, Offer.state == "offered")))
    accepted = [offer for offer in offers if offer.user_id == user_id]
    for offer in offers:
        if offer.user_id == user_id:
            offer.state, offer.via, offer.answered_at = "accepted", via, now
        else:
            ledger.refund(session, row.team_id, offer)
            offer.state, offer.answered_at = "withdrawn", now
    if not accepted:
        ledger.charge(session, row.team_id, user_id)
        row.why = Choice("taken", user_id, _alone(session, user_id)).told()
    row.state, row.user_id, row.accepted_at, row.first_reply_at, row.touched_at = "accepted", user_id, now, None, now
    row.due_at, row.deadline_at, row.warned = now, None, False  # its target begins (targets.py)
    _own(session, row, now)
    session.flush()
    if before not in (None, user_id):
        sellers.relieved(session, before, row, now)
    return accepted


def answer(session: Session, offer_id: int, user_id: int, now: datetime) -> tuple[Offer, Assignment]:
    """The offer that somebody's button means, while it is theirs to answer: until another seller is asked or has it, however
    late; held with its conversation. LookupError; NotYours, OfferPassed, OfferOver, Taken."""
    offer = session.scalar(select(Offer).where(Offer.id == offer_id))
    if offer is None:
        raise LookupError(offer_id)
    if offer.user_id != user_id:
        raise rules.NotYours
    of_it = Assignment.id == offer.assignment_id
    talk = select(Conversation.id).join(Assignment, Assignment.conversation_id == Conversation.id).where(of_it)
    session.execute(talk.with_for_update(of=Conversation, key_share=True))
    row = session.scalars(
        select(Assignment).where(of_it).with_for_update(key_share=True).execution_options(populate_existing=True)
    ).one()
    session.refresh(offer)
    if row.state == "closed":
        raise rules.OfferOver
    if row.state == "accepted" and row.user_id != user_id:
        raise rules.Taken(_name(session, row.user_id))
    if row.state == "offered" and row.user_id != user_id:
        raise rules.OfferPassed(_name(session, row.user_id))
    return offer, row


def decline(session: Session, offer_id: int, user_id: int, via: str, now: datetime) -> Assignment:
    """Let an offer pass: it costs the seller no turn, and goes on to the next one now. Said twice, it is said once. Refusals as
    `answer`; OfferOver when they accepted it before."""
    offer, row = answer(session, offer_id, user_id, now)
    if offer.state == "accepted":
        raise rules.OfferOver
    if offer.state == "offered":
        ledger.refund(session, row.team_id, offer)
        offer.state, offer.via, offer.answered_at = "declined", via, now
        row.state, row.user_id, row.due_at = "waiting", None, now
        _own(session, row, now)
        _tell(session, row, LeadPassed(by=_name(session, user_id), because="declined"), user_id, now)
        sellers.relieved(session, user_id, row, now)
    return row


def transfer(session: Session, conversation_id: int, to: int, by: int, now: datetime) -> tuple[Assignment, Offer]:
    """Offer a conversation to one colleague: it is no more `by`'s, and stands open to the others if they do not take it.
    UnknownSeller, LookupError; whether `by` may is for the caller to know."""
    user = session.scalar(select(User).where(User.id == to, User.active))
    if user is None or to == by:
        raise rules.UnknownSeller
    row = current(session, conversation_id, lock=True)
    if row is None:
        row = _taken(session, conversation_id, now)
    if user.company_id != row.company_id:
        raise rules.UnknownSeller
    team = ledger.team(session, row.team_id, lock=True)
    offers = list(session.scalars(select(Offer).where(Offer.assignment_id == row.id)))
    _end(session, row, offers, "withdrawn", now)
    before = row.user_id
    cost = ledger.charge(session, team.id, to)
    row.why = Choice("transfer", to, _alone(session, to)).told()
    row.reason, row.accepted_at, row.deadline_at, row.warned = "transfer", None, None, False
    offer = _offer(session, row, team, to, cost, now)
    if before not in (None, to):
        sellers.relieved(session, before, row, now)
    return row, offer


def close(session: Session, conversation_id: int, now: datetime) -> Assignment | None:
    """The bot answers again, or the matter is done: the seller has room. What nobody had accepted is nobody's. Returns what was
    closed."""
    row = current(session, conversation_id, lock=True)
    if row is None:
        return None
    _end(session, row, list(session.scalars(select(Offer).where(Offer.assignment_id == row.id))), "withdrawn", now)
    row.state, row.due_at, row.closed_at = "closed", None, now
    if row.accepted_at is None and row.user_id is not None:
        row.user_id = None
        _own(session, row, now)
    session.flush()
    sellers.wake(session, row.company_id, now)
    return row


def remove_seller(session: Session, user_id: int, now: datetime) -> list[int]:
    """Somebody works here no more: all that was theirs or offered to them waits for another seller, first of all. Returns the
    conversations, whose owner is nobody now. No seller is chosen until the caller has committed that they are gone."""
    company = session.scalars(select(User.company_id).where(User.id == user_id)).one()
    _theirs(session, user_id)
    ledger.hold(session, company)
    rows = _theirs(session, user_id, skip_locked=True)  # with what was offered to them meanwhile
    for row in rows:
        _end(session, row, list(session.scalars(select(Offer).where(Offer.assignment_id == row.id))), "withdrawn", now)
        _queue(session, row, now)
    return [row.conversation_id for row in rows]


def _theirs(session: Session, user_id: int, *, skip_locked: bool = False) -> Sequence[Assignment]:
    """What is somebody's or offered to them, held with its conversations."""
    talks = session.scalars(
        ledger.among_open(select(Conversation.id).join(Assignment, Assignment.conversation_id == Conversation.id))
        .where(Assignment.user_id == user_id)
        .order_by(Conversation.id)
        .with_for_update(of=Conversation, key_share=True, skip_locked=skip_locked)
    ).all()
    theirs = ledger.among_open(select(Assignment)).where(Assignment.user_id == user_id, Assignment.conversation_id.in_(talks))
    theirs = theirs.order_by(Assignment.conversation_id).with_for_update(key_share=True)
    return session.scalars(theirs.execution_options(populate_existing=True)).all()


def give_up(session: Session, row: Assignment, now: datetime) -> None:
    """The seller (`row.user_id`) accepted and never wrote: it is nobody's again, counts as one they let pass, and the next one is
    asked now."""
    offers = list(
        session.scalars(
            select(Offer).where(Offer.assignment_id == row.id, Offer.user_id == row.user_id, Offer.state == "accepted")
        )
    )
    if not offers:  # they took it unasked
        began = row.accepted_at or now
        ours = {"company_id": row.company_id, "assignment_id": row.id, "user_id": row.user_id}
        offers = [Offer(**ours, via="page", cost=0, offered_at=began, expires_at=began)]
        session.add_all(offers)
    for offer in offers:
        offer.state, offer.answered_at = "expired", now
    whose = row.user_id
    _tell(session, row, LeadPassed(by=_name(session, whose), because="silent"), whose, now)
    _queue(session, row, now)
    if whose is not None:
        sellers.relieved(session, whose, row, now)


def _queue(session: Session, row: Assignment, now: datetime) -> None:
    """It waits for a seller again, and the conversation is nobody's."""
    row.state, row.user_id, row.accepted_at = "waiting", None, None
    row.due_at, row.deadline_at, row.warned = now, None, False
    _own(session, row, now)
    session.execute(
        update(Conversation)
        .where(Conversation.id == row.conversation_id)
        .values(owner="queued", owner_id=None, snoozed_until=None)
        .execution_options(synchronize_session=False)
    )
    session.flush()


def wrote(session: Session, conversation_id: int, user_id: int, now: datetime) -> None:
    """The seller wrote to the prospect: their targets are met."""
    row = current(session, conversation_id)
    if row is not None and row.state == "accepted" and row.user_id == user_id:
        row.first_reply_at, row.touched_at = row.first_reply_at or now, now
        row.due_at, row.deadline_at, row.warned = None, None, False
        session.flush()


# ----------------------------------------------------------------------------------------------------- the parts
def _offer(session: Session, row: Assignment, team: Team, user_id: int, cost: int, now: datetime) -> Offer:
    expires = now + timedelta(seconds=team.accept_seconds)
    offer = Offer(
        company_id=row.company_id,
        assignment_id=row.id,
        user_id=user_id,
        state="offered",
        cost=cost,
        offered_at=now,
        expires_at=expires,
    )
    session.add(offer)
    row.state, row.user_id, row.offered_at, row.due_at = "offered", user_id, now, expires
    _own(session, row, now)
    because = str((row.why or {}).get("because", ""))
    _tell(session, row, LeadAssigned(to=_name(session, user_id), because=because), user_id, now)
    session.flush()
    return offer


def _nobody(
    session: Session, row: Assignment, choice: Choice, expired: Offer | None, opens: datetime | None, waited: bool, now: datetime
) -> Decision:
    """It waits, visibly, and is looked at when the first of them is there again (`opens`, local). `waited`: the decision before
    this one was the same, and has been told."""
    opens_at = opens.astimezone(now.tzinfo) if opens is not None else None
    everybody = any(each.left_out == "passed" for each in choice.considered)
    row.state, row.user_id = "waiting", None
    again = now + min(max(now - row.created_at, LOOK_AGAIN), LOOK_SELDOM)
    row.due_at = min(opens_at, again) if opens_at else again
    _own(session, row, now)
    if choice.considered and not waited:
        _tell(session, row, LeadWaits(until=opens_at.isoformat() if opens_at else "", everybody=everybody), None, now)
    session.flush()
    return Decision(row, choice, None, expired, opens_at, everybody)


def _end(session: Session, row: Assignment, offers: list[Offer], state: str, now: datetime) -> Offer | None:
    """End the offer that stands, at no cost to the seller; returns it."""
    for offer in offers:
        if offer.state == "offered":
            ledger.refund(session, row.team_id, offer)
            offer.state, offer.answered_at = state, now
            if state == "expired":
                _tell(session, row, LeadPassed(by=_name(session, offer.user_id), because="expired"), offer.user_id, now)
            session.flush()
            return offer
    return None


def _taken(session: Session, conversation_id: int, now: datetime) -> Assignment:
    """A hand-over that nobody asked for: somebody takes the conversation."""
    talk = session.scalars(select(Conversation).where(Conversation.id == conversation_id)).one()
    lead = session.scalar(select(func.max(Lead.id)).where(Lead.person_id == talk.person_id, Lead.stage.in_(_OPEN_LEADS)))
    interest, language = session.execute(select(Number.dialog, Number.language).where(Number.id == talk.number_id)).one()
    row = Assignment(
        company_id=talk.company_id,
        conversation_id=talk.id,
        person_id=talk.person_id,
        number_id=talk.number_id,
        team_id=sellers.team_of(session, talk.company_id, talk.number_id, now),
        lead_id=lead,
        state="waiting",
        reason="taken",
        priority=talk.priority,
        interest=interest,
        language=language,
        due_at=now,
        warned=False,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _own(session: Session, row: Assignment, now: datetime) -> None:
    """The person's open leads are whose the hand-over is, but for those of another conversation that somebody answers."""
    elsewhere = select(Assignment.conversation_id).where(
        Assignment.person_id == row.person_id, Assignment.id != row.id, Assignment.state == "accepted"
    )
    session.execute(
        update(Lead)
        .where(Lead.person_id == row.person_id, Lead.stage.in_(_OPEN_LEADS), Lead.conversation_id.not_in(elsewhere))
        .values(owner_id=row.user_id, stage="working" if row.state == "accepted" else Lead.stage, updated_at=now)
        .execution_options(synchronize_session=False)
    )


def _alone(session: Session, user_id: int) -> tuple[Considered, ...]:
    return (Considered(user_id, _name(session, user_id), "", 0, 0, 0.0),)


def _name(session: Session, user_id: int | None) -> str:
    return session.scalar(select(User.name).where(User.id == user_id)) or "" if user_id is not None else ""


def _tell(session: Session, row: Assignment, event: Event, user: int | None, now: datetime) -> None:
    session.flush()
    record(
        session,
        row.company_id,
        event,
        now,
        person=row.person_id,
        conversation=row.conversation_id,
        lead=row.lead_id,
        user=user,
    )

"""Hand-overs: opened by a turn, offered in fair rotation, accepted or passed on, closed. Whoever changes one holds the
conversation's row, and then its own: in this order, so that two never wait for each other. Whoever changes the ledger holds the
team's row too, so that two processes never reckon with the same one; whoever chooses a seller, the company's before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Boolean, Table, bindparam, case, func, literal_column, select, text, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger, rules, sellers
from crm_bridge.assignment.rules import Choice, Considered
from crm_bridge.events import Event, LeadAssigned, LeadPassed
from crm_bridge.journal import entry, record_all
from data.prepared import Prepared, Row
from data.tables import Assignment, Conversation, Lead, Number, Offer, Team, User
from data.types import UtcDateTime, new_id

_OPEN_LEADS = ("new", "working")
_HANDS, _LEADS = cast(Table, Assignment.__table__), cast(Table, Lead.__table__)
_OWN = Prepared(
    update(_LEADS)
    .where(
        _LEADS.c.company_id == bindparam("company"),
        _LEADS.c.person_id == bindparam("person"),
        text("stage IN ('new', 'working')"),
        _LEADS.c.conversation_id.not_in(
            select(_HANDS.c.conversation_id).where(
                _HANDS.c.person_id == bindparam("person"), _HANDS.c.id != bindparam("hand"), text("state = 'accepted'")
            )
        ),
    )
    .values(
        owner_id=bindparam("owner"),
        stage=case((bindparam("works", type_=Boolean()), literal_column("'working'")), else_=_LEADS.c.stage),
        updated_at=bindparam("at", type_=UtcDateTime),
    )
)


# ----------------------------------------------------------------------------------------------------- the way
def current(session: Session, conversation_id: int, *, lock: bool = False) -> Assignment | None:
    """The conversation's hand-over that is not closed."""
    query = select(Assignment).where(Assignment.conversation_id == conversation_id, Assignment.state != "closed")
    return session.scalar(query.with_for_update(key_share=True).execution_options(populate_existing=True) if lock else query)


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
    if before != user_id:
        ledger.hold(session, row.company_id)  # a decision would not see that they have less room now
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
    own(session, [row], now)
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
        own(session, [row], now)
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
    ledger.hold(session, row.company_id)
    team = ledger.team(session, row.team_id, lock=True)
    offers = list(session.scalars(select(Offer).where(Offer.assignment_id == row.id)))
    end_offer(session, row, offers, "withdrawn", now)
    before = row.user_id
    cost = ledger.charge(session, team.id, to)
    row.why = Choice("transfer", to, _alone(session, to)).told()
    row.reason, row.accepted_at, row.deadline_at, row.warned = "transfer", None, None, False
    offer = offered(row, team, to, cost, now)
    session.add(offer)
    own(session, [row], now)
    _tell(session, row, LeadAssigned(to=_name(session, to), because="transfer"), to, now)
    if before not in (None, to):
        sellers.relieved(session, before, row, now)
    return row, offer


def close(session: Session, conversation_id: int, now: datetime) -> Assignment | None:
    """The bot answers again, or the matter is done: the seller has room. What nobody had accepted is nobody's. Returns what was
    closed."""
    row = current(session, conversation_id, lock=True)
    if row is None:
        return None
    end_offer(session, row, list(session.scalars(select(Offer).where(Offer.assignment_id == row.id))), "withdrawn", now)
    row.state, row.due_at, row.closed_at = "closed", None, now
    if row.accepted_at is None and row.user_id is not None:
        row.user_id = None
        own(session, [row], now)
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
        end_offer(session, row, list(session.scalars(select(Offer).where(Offer.assignment_id == row.id))), "withdrawn", now)
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
    own(session, [row], now)
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
def offered(row: Assignment, team: Team, user_id: int, cost: int, now: datetime) -> Offer:
    """The offer of a hand-over to a seller, to be added."""
    expires = now + timedelta(seconds=team.accept_seconds)
    row.state, row.user_id, row.offered_at, row.due_at = "offered", user_id, now, expires
    return Offer(
        id=new_id(),
        company_id=row.company_id,
        assignment_id=row.id,
        user_id=user_id,
        state="offered",
        cost=cost,
        offered_at=now,
        expires_at=expires,
    )


def end_offer(session: Session, row: Assignment, offers: list[Offer], state: str, now: datetime) -> Offer | None:
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


def own(session: Session, rows: Sequence[Assignment], now: datetime) -> None:
    """The persons' open leads are whose their hand-overs are, but for those of another conversation that somebody answers."""
    session.flush()
    owners = [
        {
            "company": row.company_id,
            "person": row.person_id,
            "hand": row.id,
            "owner": row.user_id,
            "works": row.state == "accepted",
            "at": now,
        }
        for row in rows
    ]
    _OWN.many(session, owners, by="person")


def _alone(session: Session, user_id: int) -> tuple[Considered, ...]:
    return (Considered(user_id, _name(session, user_id), "", 0, 0, 0.0),)


def _name(session: Session, user_id: int | None) -> str:
    return session.scalar(select(User.name).where(User.id == user_id)) or "" if user_id is not None else ""


def _tell(session: Session, row: Assignment, event: Event, user: int | None, now: datetime) -> None:
    session.flush()
    record_all(session, [entry_of(row, event, user, now)])


def entry_of(row: Assignment, event: Event, user: int | None, now: datetime) -> Row:
    return entry(row.company_id, event, now, person=row.person_id, conversation=row.conversation_id, lead=row.lead_id, user=user)

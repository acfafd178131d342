"""What the staff chat looks up: prospects with who answers them, by name or a seller's own, and what an alert was about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, literal, or_, select
from sqlalchemy.orm import Session, aliased, defer

from crm_bridge.assignment.rules import LOAD
from crm_bridge.people.queries import person_matches
from data.tables import (
    Alert,
    Assignment,
    ContactPoint,
    Conversation,
    Delivery,
    InboxMessage,
    Lead,
    Number,
    Offer,
    OutboxMessage,
    Person,
    User,
)
from nlu.entities.named import likeness, tokens

MOST_MINE = 300
"""Open conversations of one seller that are looked at."""
RECENT, OLDER = 2_000, 50
"""People whose names are compared: those who wrote last, and others in whose data the words stand as they are written."""
SAID = 3
"""Messages either way that a card looks at."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """A conversation as a seller meets it."""

    talk: Conversation
    person: Person
    number: Number
    hand: Assignment | None
    """Its hand-over that is open."""
    owner: str
    """The name of who answers, or is asked to."""

    @property
    def id(self) -> int:
        return self.talk.id

    @property
    def name(self) -> str:
        return self.person.name or self.person.profile_name or self.person.phone or ""

    def is_of(self, user_id: int) -> bool:
        return self.talk.owner == "human" and self.talk.owner_id == user_id

    def is_offered_to(self, user_id: int) -> bool:
        return self.hand is not None and self.hand.state == "offered" and self.hand.user_id == user_id

    @property
    def heat(self) -> tuple[int, int, float]:
        """Its place in a list, the hottest first."""
        newest = self.talk.last_in_at.timestamp() if self.talk.last_in_at else 0.0
        return -LOAD[self.hand.priority if self.hand else self.talk.priority], -self.talk.score, -newest


def _prospects() -> Select[*tuple[Any, ...]]:
    """Conversations with prospects: our own people's are left out."""
    owner = aliased(User)
    return (
        select(Conversation, Person, Number, Assignment, owner.name)
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .outerjoin(
            Assignment,
            and_(Assignment.conversation_id == Conversation.id, Assignment.state != literal("closed", literal_execute=True)),
        )
        .outerjoin(
            owner,
            or_(
                and_(Conversation.owner == "human", owner.id == Conversation.owner_id),
                and_(Conversation.owner != "human", owner.id == Assignment.user_id),
            ),
        )
        .where(Person.user_id.is_(None))
        .options(defer(Conversation.state))
        .execution_options(populate_existing=True)
    )


def _of(session: Session, query: Select[*tuple[Any, ...]]) -> list[Prospect]:
    return [Prospect(talk, person, number, hand, owner or "") for talk, person, number, hand, owner in session.execute(query)]


def prospect(session: Session, talk_id: int) -> Prospect | None:
    """One read by key."""
    return next(iter(_of(session, _prospects().where(Conversation.id == talk_id))), None)


def prospects(session: Session, talk_ids: Sequence[int]) -> list[Prospect]:
    return _of(session, _prospects().where(Conversation.id.in_(talk_ids)))


def mine(session: Session, user_id: int) -> list[Prospect]:
    """What is theirs or offered to them, the hottest first. One read of their open hand-overs."""
    return sorted(
        _of(session, _prospects().where(Assignment.user_id == user_id).limit(MOST_MINE)), key=lambda each: (each.heat, each.id)
    )


def offer_of(session: Session, hand: Assignment, user_id: int) -> Offer | None:
    """The offer that they may answer."""
    return session.scalar(
        select(Offer)
        .where(Offer.assignment_id == hand.id, Offer.user_id == user_id, Offer.state == "offered")
        .order_by(Offer.id.desc())
        .limit(1)
    )


# ------------------------------------------------------------------------------------------------------ by name
def named(session: Session, words: str, user_id: int) -> list[Prospect]:
    """Whom `words` name, best first: one where one fits better than all others, their own first among several. Each person once,
    with the conversation that is theirs or that was written in last. A typo does no harm. Three reads."""
    wanted = tokens(words)
    digits = re.sub(r"\D", "", words)
    if not wanted:
        return []
    scored: dict[int, float] = {}
    for talk, name, organisation, phone in _known(session, words):
        if len(digits) >= 4 and phone and digits in re.sub(r"\D", "", phone):
            scored[talk] = 100.0
        elif points := max(likeness(wanted, name), likeness(wanted, organisation) - 1):
            scored[talk] = points
    return _best(session, scored, user_id)


def mentioned(session: Session, words: str, user_id: int) -> list[Prospect]:
    """Whom a sentence speaks of, as `named` has them: the most words of whose name, with the first, or of whose organisation, two
    at least, stand in it as they are written."""
    said = {token for token in tokens(words) if len(token) >= 3}
    scored: dict[int, float] = {}
    for talk, name, organisation, _ in _known(session):
        there, theirs = tokens(name), said.intersection(tokens(organisation))
        if {*there[:1]} & said or len(theirs) > 1:
            scored[talk] = len(said.intersection(there)) + len(theirs)
    return _best(session, scored, user_id)


def _known(session: Session, words: str = "") -> list[tuple[int, str, str, str]]:
    """(conversation, name, organisation, phone) of who wrote last; beyond those only people in whose data `words` stand."""
    columns = (Conversation.id, Person.name, Person.profile_name, Person.organisation, Person.phone)
    people = (
        select(*columns)
        .join(Person, Person.id == Conversation.person_id)
        .where(Person.user_id.is_(None), Conversation.last_in_at.is_not(None))
        .order_by(Conversation.last_in_at.desc(), Conversation.id.desc())
    )
    rows = {row[0]: row for row in session.execute(people.limit(RECENT))}
    if len(rows) == RECENT and words.strip():
        rows |= {row[0]: row for row in session.execute(people.where(person_matches(words.strip())).limit(OLDER))}
    return [(talk, name or profile or "", company or "", phone or "") for talk, name, profile, company, phone in rows.values()]


def _best(session: Session, scored: Mapping[int, float], user_id: int) -> list[Prospect]:
    """Those with the most points, their own first, each person once."""
    best = max(scored.values(), default=0.0)
    chosen = [talk for talk, points in scored.items() if points == best]
    people_of: dict[int, Prospect] = {}
    for each in sorted(
        prospects(session, chosen[:RECENT]) if chosen else [],
        key=lambda one: (not one.is_of(user_id), not one.is_offered_to(user_id), one.heat),
    ):
        people_of.setdefault(each.person.id, each)
    return list(people_of.values())


def is_called(one: Prospect, words: str) -> bool:
    """Whether `words` are their very name or number, or a part of it, and no slip of it."""
    digits = re.sub(r"\D", "", words)
    if len(digits) >= 4 and digits in re.sub(r"\D", "", one.person.phone or ""):
        return True
    there = (*tokens(one.name), *tokens(one.person.organisation or ""))
    return bool(words) and all(token in there for token in tokens(words))


def names(session: Session, users: Sequence[int]) -> list[str]:
    return list(session.scalars(select(User.name).where(User.id.in_(users)).order_by(User.name))) if users else []


def colleagues(session: Session, besides: int) -> list[User]:
    """Everybody active but this one: sellers first."""
    rows = session.scalars(select(User).where(User.active, User.id != besides).order_by(User.name, User.id))
    return sorted(rows, key=lambda user: user.role != "seller")


# ------------------------------------------------------------------------------------------------- what was said
@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    words: str
    kind: str
    by: str | None
    """None: the prospect; "": the bot; or the name of who wrote it."""


def last_said(session: Session, talk_id: int) -> list[Line]:
    """The last messages either way, oldest first. Two reads by index."""
    theirs = session.execute(
        select(InboxMessage.at, InboxMessage.text, InboxMessage.kind)
        .where(InboxMessage.conversation_id == talk_id, InboxMessage.kind.not_in(("reaction", "revoke", "system")))
        .order_by(InboxMessage.id.desc())
        .limit(SAID)
    )
    ours = session.execute(
        select(OutboxMessage.created_at, OutboxMessage.text, OutboxMessage.kind, User.name)
        .outerjoin(User, User.id == OutboxMessage.author_id)
        .where(OutboxMessage.conversation_id == talk_id, OutboxMessage.state != "cancelled")
        .order_by(OutboxMessage.id.desc())
        .limit(SAID)
    )
    lines = [Line(at, words, kind, None) for at, words, kind in theirs]
    lines += [Line(at, words, kind, name or "") for at, words, kind, name in ours]
    return sorted(lines, key=lambda line: line.at)[-2 * SAID + 1 :]


def newest_lead(session: Session, person_id: int) -> Lead | None:
    return session.scalar(select(Lead).where(Lead.person_id == person_id).order_by(Lead.id.desc()).limit(1))


def told_of(session: Session, conversation_id: int, message_id: str, user_id: int) -> int | None:
    """The prospect's conversation that a message in one of our own people's chat told of: an alert of theirs. None for any other
    message. Two reads: the message by its id, and their deliveries in this chat by the contact point's index."""
    row = session.execute(
        select(OutboxMessage.id, OutboxMessage.retry_of_id).where(
            OutboxMessage.external_id == message_id, OutboxMessage.conversation_id == conversation_id
        )
    ).first()
    if row is None:
        return None
    return session.scalar(
        select(Conversation.id)
        .join(Alert, Alert.conversation_id == Conversation.id)
        .join(Delivery, Delivery.alert_id == Alert.id)
        .join(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
        .where(
            ContactPoint.user_id == user_id,
            Alert.user_id == user_id,
            Delivery.outbox_id.in_([each for each in row if each is not None]),
        )
        .limit(1)
    )

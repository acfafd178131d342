"""One row a human being: who is behind an identity, and two rows that turn out to be one.

Who makes one of two holds all their conversations first, and then what belongs to them. Who holds other rows already (a turn its
conversation) does not wait for these, and is tried again, so that two never wait for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import String, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from crm_bridge.assignment import sellers
from crm_bridge.assignment.service import close, current
from crm_bridge.events import IdentityChanged, PeopleMerged
from crm_bridge.journal import record
from crm_bridge.people.rules import canonical_phone
from data.prepared import Prepared, among
from data.tables import (
    Alert,
    Assignment,
    Consent,
    ContactPoint,
    Conversation,
    Draft,
    Event,
    Identity,
    InboxMessage,
    Lead,
    Note,
    OutboxMessage,
    Person,
    Phrase,
    Rating,
    Reminder,
)
from data.types import new_id

_PEOPLE = cast(Table, Person.__table__)
_KNOWN = cast(Table, Identity.__table__)
_IDENTITIES = Prepared(
    select(_KNOWN.c.company_id, _KNOWN.c.kind, _KNOWN.c.value, _KNOWN.c.person_id).where(among(_KNOWN.c.value, "values"))
)
_Key = tuple[int, str, str]
"""(company, kind, value) of an identity."""
_ADD_PEOPLE = Prepared(insert(_PEOPLE))
_ADD_IDENTITIES = Prepared(insert(_KNOWN))

FACTS = {"name": "name", "email": "email", "phone": "phone", "company": "organisation"}
"""{fact of a dialog: column of a person}"""
_DESCRIBE = Prepared(
    update(_PEOPLE)
    .where(_PEOPLE.c.company_id == bindparam("company"), _PEOPLE.c.id == bindparam("person"))
    .values(
        {column: func.coalesce(bindparam(f"new_{fact}", type_=String()), _PEOPLE.c[column]) for fact, column in FACTS.items()}
        | {"language": bindparam("new_language")}
    )
)


_OWNERS = ("bot", "queued", "human")
"""Whoever is further on answers for both."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody as a messenger shows them: `identities` are (kind, value), a phone in its canonical digits."""

    company_id: int
    identities: tuple[tuple[str, str], ...]
    profile_name: str | None = None

    @property
    def phone(self) -> str | None:
        return next(("+" + value for kind, value in self.identities if kind == "phone"), None)


def resolve(session: Session, contacts: Sequence[Contact], now: datetime, *, wait: bool = True) -> dict[Contact, int]:
    """The person behind each contact, made where there is none. New identities are added; two people who share a contact are
    merged into the older: one read and at most two writes, however many contacts, where nobody is. `wait` False: the transaction
    holds rows already, see `merge`."""
    values = list({value for contact in contacts for _, value in contact.identities})
    if not values:
        return {}
    owners = _owners(session, values)
    if wait and (doubled := _doubled(contacts, owners)):
        held = select(Conversation.id).where(Conversation.person_id.in_(doubled)).order_by(Conversation.id)
        session.execute(held.with_for_update())
        owners = _owners(session, values)  # somebody else may have merged them while we waited
    people: list[dict[str, object]] = []
    identities: list[dict[str, object]] = []
    found: dict[Contact, int] = {}
    for contact in contacts:
        keys = [(contact.company_id, kind, value) for kind, value in contact.identities]
        persons = sorted({owners[key] for key in keys if key in owners})
        if persons:
            person = persons[0]
            for other in persons[1:]:
                _flush(session, people, identities)
                merge(session, contact.company_id, person, other, now)
                owners = {key: person if owner == other else owner for key, owner in owners.items()}
                found = {key: person if owner == other else owner for key, owner in found.items()}
        else:
            person = new_id()
            people.append(
                {
                    "id": person,
                    "company_id": contact.company_id,
                    "name": None,
                    "profile_name": contact.profile_name,
                    "phone": contact.phone,
                    "created_at": now,
                }
            )
        for key in keys:
            if key not in owners:
                owners[key] = person
                identities.append(
                    {
                        "id": new_id(),
                        "company_id": key[0],
                        "kind": key[1],
                        "value": key[2],
                        "person_id": person,
                        "created_at": now,
                    }
                )
        found[contact] = person
    _flush(session, people, identities)
    return found


def _owners(session: Session, values: Sequence[str]) -> dict[_Key, int]:
    return {(company, kind, value): person for company, kind, value, person in _IDENTITIES.tuples(session, {"values": values})}


def _doubled(contacts: Sequence[Contact], owners: Mapping[_Key, int]) -> set[int]:
    """The people behind contacts that are more than one."""
    found: set[int] = set()
    for contact in contacts:
        people = {owners.get((contact.company_id, kind, value)) for kind, value in contact.identities} - {None}
        if len(people) > 1:
            found |= {person for person in people if person is not None}
    return found


def _flush(session: Session, people: list[dict[str, object]], identities: list[dict[str, object]]) -> None:
    _ADD_PEOPLE.many(session, people)
    people.clear()
    _ADD_IDENTITIES.many(session, identities, by="value")
    identities.clear()


OF_CONVERSATION = (
    InboxMessage, OutboxMessage, Event, Lead, Alert, Assignment, ContactPoint, Draft, Note, Phrase, Rating, Reminder,
)  # fmt: skip
"""Tables of what belongs to a conversation."""


def merge(session: Session, company: int, keep: int, gone: int, now: datetime) -> None:
    """Make one person of two: everything of `gone` becomes `keep`'s. Where both talked with the same number, the messages join
    in one conversation; where both have an open lead of one interest, the newer answers win and the older lead is closed.
    OperationalError, of the database's own trouble, when somebody else is at one of their conversations."""
    with sellers.waking_last(session):
        _merge(session, company, keep, gone, now)


def _merge(session: Session, company: int, keep: int, gone: int, now: datetime) -> None:
    kept = {row.number_id: row for row in _held(session, company, keep, key_share=True)}
    for other in _held(session, company, gone):
        same = kept.get(other.number_id)
        if same is None:
            other.person_id = keep
            continue
        _keep_one_hand_over(session, same.id, other.id, now)
        for table in OF_CONVERSATION:
            session.execute(
                update(table)
                .where(table.company_id == company, table.conversation_id == other.id)
                .values(conversation_id=same.id)
            )
        if same.state is None or (other.last_in_at and same.last_in_at and other.last_in_at > same.last_in_at and other.state):
            for field in ("state", "status", "score", "priority", "reasons", "preview", "last_in_at", "due_at", "recipient"):
                setattr(same, field, getattr(other, field))
        same.referral = same.referral or other.referral
        if _OWNERS.index(other.owner) > _OWNERS.index(same.owner):
            same.owner, same.owner_id, same.snoozed_until = other.owner, other.owner_id, other.snoozed_until
        same.unread += other.unread
        session.flush()
        session.delete(other)
    open_leads = {lead.interest: lead for lead in session.scalars(_of(Lead, company, keep)) if lead.stage in ("new", "working")}
    for lead in session.scalars(_of(Lead, company, gone)):
        twin = open_leads.get(lead.interest) if lead.stage in ("new", "working") else None
        if twin is not None:
            older, newer = sorted((twin, lead), key=lambda each: each.updated_at)
            older.stage = "lost"
            newer.complete = newer.complete or older.complete
            session.flush()
        lead.person_id = keep
    session.flush()
    for owned in (Identity, Consent, Event, Assignment):
        session.execute(update(owned).where(owned.company_id == company, owned.person_id == gone).values(person_id=keep))
    left, right = session.get_one(Person, keep), session.get_one(Person, gone)
    for field in ("name", "profile_name", "email", "phone", "organisation", "language", "user_id"):
        if getattr(left, field) is None:
            setattr(left, field, getattr(right, field))
    right.merged_into_id = keep
    session.flush()
    record(session, company, PeopleMerged(gone=gone), now, person=keep)


def _held(session: Session, company: int, person: int, *, key_share: bool = False) -> list[Conversation]:
    """Somebody's conversations, held; `key_share` where none of them is deleted."""
    theirs = _of(Conversation, company, person).order_by(Conversation.id).execution_options(populate_existing=True)
    return list(session.scalars(theirs.with_for_update(nowait=True, key_share=key_share)))


def _keep_one_hand_over(session: Session, kept: int, gone: int, now: datetime) -> None:
    """Of two conversations that become one, one hand-over goes on: the one that somebody has accepted, else the kept one's."""
    ours, theirs = (current(session, talk, lock=True) for talk in (kept, gone))
    if ours is not None and theirs is not None:
        close(session, kept if theirs.state == "accepted" != ours.state else gone, now)
        session.flush()


def _of(table: type, company: int, person: int):  # type: ignore[no-untyped-def]
    return select(table).where(table.company_id == company, table.person_id == person)  # type: ignore[attr-defined]


def change_identity(session: Session, company: int, kind: str, old: str, new: str, now: datetime) -> int | None:
    """A messenger told that somebody's `old` phone or id is now `new`: the same person has both from here on.
    Returns the person, or None when nobody is known by `old`."""
    owner = session.scalar(
        select(Identity.person_id).where(Identity.company_id == company, Identity.kind == kind, Identity.value == old)
    )
    if owner is None or old == new:
        return owner
    taken = session.scalar(
        select(Identity.person_id).where(Identity.company_id == company, Identity.kind == kind, Identity.value == new)
    )
    if taken is None:
        session.add(Identity(company_id=company, person_id=owner, kind=kind, value=new, created_at=now))
    elif taken != owner:
        merge(session, company, owner, taken, now)
    if kind == "phone":
        session.execute(update(Person).where(Person.company_id == company, Person.id == owner).values(phone="+" + new))
        session.execute(delete(Identity).where(Identity.company_id == company, Identity.kind == kind, Identity.value == old))
    for talk in session.scalars(_of(Conversation, company, owner)):
        address = talk.recipient.get(kind)
        if address == old or (kind == "phone" and address and canonical_phone(address) == old):
            talk.recipient = {**talk.recipient, kind: new}
    session.flush()
    record(session, company, IdentityChanged(kind=kind, old=old, new=new), now, person=owner)
    return owner


@dataclass(frozen=True, slots=True)
class Description:
    """What somebody told of themselves: `facts` are name, email, phone, company."""

    company_id: int
    person_id: int
    facts: Mapping[str, Any]
    language: str


def describe(session: Session, told: Sequence[Description]) -> None:
    """Write it onto their rows; what they did not tell stays."""
    rows = [
        {"company": each.company_id, "person": each.person_id, "new_language": each.language}
        | {f"new_{fact}": value if isinstance(value := each.facts.get(fact), str) and value else None for fact in FACTS}
        for each in told
    ]
    _DESCRIBE.many(session, rows, by="person")

"""Reads for the pages: who is writing, what was said, and what a person is known by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, defer

from data.tables import Consent, Conversation, Event, Identity, InboxMessage, Lead, MediaFile, Number, OutboxMessage, Person, User

TALK_STATUSES = ("answering", "waiting", "ready", "person", "taken", "quiet", "stuck")
MOST_SINCE = 1_000


@dataclass(frozen=True, slots=True)
class TalkLine:
    """One conversation in a list. `status` is one of TALK_STATUSES."""

    talk: Conversation
    person: Person
    number: Number
    status: str


@dataclass(frozen=True, slots=True)
class TalkFilter:
    """What a list of conversations is narrowed to; "" and None narrow nothing."""

    words: str = ""
    priority: str = ""
    number: int | None = None
    status: str = ""


def talks(session: Session, wanted: TalkFilter, limit: int, after: tuple[datetime, int] | None = None) -> list[TalkLine]:
    """The conversations last written to, newest first; `after` is the (last_in_at, id) of the row above.

    Two reads. Without words it walks the index (company_id, last_in_at) and stops at `limit`; words look into every message of
    the conversations passed on the way, so a search that finds little reads all the company's messages."""
    query = (
        select(Conversation, Person, Number)
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .options(defer(Conversation.state))
        .where(Conversation.last_in_at.is_not(None))
        .order_by(Conversation.last_in_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    if after is not None:
        at, row = after
        query = query.where(
            Conversation.last_in_at <= at,
            or_(Conversation.last_in_at < at, and_(Conversation.last_in_at == at, Conversation.id < row)),
        )
    if wanted.priority:
        query = query.where(Conversation.priority == wanted.priority)
    if wanted.number is not None:
        query = query.where(Conversation.number_id == wanted.number)
    if wanted.status:
        query = query.where(_has_status(wanted.status))
    if wanted.words:
        said = select(InboxMessage.id).where(
            InboxMessage.conversation_id == Conversation.id, InboxMessage.text.icontains(wanted.words, autoescape=True)
        )
        query = query.where(or_(person_matches(wanted.words), said.exists()))
    rows = session.execute(query).all()
    pending = _pending(session, [talk.id for talk, _, _ in rows])
    return [TalkLine(talk, person, number, talk_status(talk, pending.get(talk.id, set()))) for talk, person, number in rows]


def person_matches(words: str) -> ColumnElement[bool]:
    """Name, profile name, e-mail, company or phone holds `words`; a phone however it is spaced."""
    found: list[ColumnElement[bool]] = [
        column.icontains(words, autoescape=True)
        for column in (Person.name, Person.profile_name, Person.email, Person.organisation)
    ]
    digits = re.sub(r"\D", "", words)
    if len(digits) >= 3:
        known = select(Identity.id).where(
            Identity.person_id == Person.id, Identity.kind == "phone", Identity.value.contains(digits)
        )
        found += [known.exists(), Person.phone.contains(digits)]
    return or_(*found)


def _has_status(status: str) -> ColumnElement[bool]:
    unanswered = select(InboxMessage.id).where(InboxMessage.conversation_id == Conversation.id)
    answering = unanswered.where(InboxMessage.state == "new").exists()
    stuck = unanswered.where(InboxMessage.state == "parked").exists()
    taken = Conversation.owner == "human"
    wanted = or_(Conversation.owner == "queued", Conversation.status == "human")
    person = or_(taken, wanted)
    return {
        "stuck": stuck,
        "taken": and_(taken, ~stuck),
        "person": and_(wanted, ~taken, ~stuck),
        "answering": and_(answering, ~person, ~stuck),
        "ready": and_(Conversation.status == "done", ~person, ~answering, ~stuck),
        "quiet": and_(Conversation.status.in_(("cancelled", "expired")), ~person, ~answering, ~stuck),
        "waiting": and_(Conversation.status.in_(("open", "confirming")), ~person, ~answering, ~stuck),
    }[status]


def talk_status(talk: Conversation, pending: set[str]) -> str:
    """Where a conversation stands, for people; `pending` are the states of its messages that wait for an answer."""
    if "parked" in pending:
        return "stuck"
    if talk.owner == "human":
        return "taken"
    if talk.owner == "queued" or talk.status == "human":
        return "person"
    if "new" in pending:
        return "answering"
    return {"done": "ready", "cancelled": "quiet", "expired": "quiet"}.get(talk.status, "waiting")


def _pending(session: Session, talk_ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    query = select(InboxMessage.conversation_id, InboxMessage.state).where(
        InboxMessage.conversation_id.in_(talk_ids), InboxMessage.state != "done"
    )
    for talk, state in session.execute(query):
        found.setdefault(talk, set()).add(state)
    return found


def talk(session: Session, talk_id: int) -> TalkLine | None:
    row = session.execute(
        select(Conversation, Person, Number)
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .where(Conversation.id == talk_id)
    ).one_or_none()
    if row is None:
        return None
    found, person, number = row
    return TalkLine(found, person, number, talk_status(found, _pending(session, [talk_id]).get(talk_id, set())))


def mark_read(session: Session, talk_id: int) -> bool:
    """Somebody looked at the conversation. True when something was unread."""
    done = session.execute(
        update(Conversation)
        .where(Conversation.id == talk_id, Conversation.unread > 0)
        .values(unread=0)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of what was said in some conversations and happened to a person, each list oldest first."""

    received: list[InboxMessage]
    sent: list[OutboxMessage]
    events: list[Event]
    media: dict[int, MediaFile]
    """By the id of the message that holds it."""
    authors: dict[int, str]
    """The names of the users who wrote some of it."""
    earlier: int | None
    """The id to go on from (`before`) when there is more; ids grow with time, whatever the table."""


def said(
    session: Session,
    talk_ids: Sequence[int],
    limit: int,
    before: int | None = None,
    since: int | None = None,
    person_id: int | None = None,
) -> Said:
    """The last `limit` messages of the conversations, and events of the person where one is given: the last of all, those before
    the row `before`, or all from the row `since` on (a page that is open asks so; MOST_SINCE at most). Reads by
    index only."""
    if since is not None:
        limit = MOST_SINCE
    received_query = select(InboxMessage).where(InboxMessage.conversation_id.in_(talk_ids)).order_by(InboxMessage.id.desc())
    sent_query = select(OutboxMessage).where(OutboxMessage.conversation_id.in_(talk_ids)).order_by(OutboxMessage.id.desc())
    events_query = select(Event).where(Event.person_id == person_id).order_by(Event.id.desc())
    if before is not None:
        received_query = received_query.where(InboxMessage.id < before)
        sent_query = sent_query.where(OutboxMessage.id < before)
        events_query = events_query.where(Event.id < before)
    if since is not None:
        received_query = received_query.where(InboxMessage.id >= since)
        sent_query = sent_query.where(OutboxMessage.id >= since)
        events_query = events_query.where(Event.id >= since)
    received = list(session.scalars(received_query.limit(limit + 1)))
    sent = list(session.scalars(sent_query.limit(limit + 1)))
    events = list(session.scalars(events_query.limit(limit + 1))) if person_id is not None else []
    ids = sorted((row.id for rows in (received, sent, events) for row in rows), reverse=True)
    earlier = ids[limit - 1] if len(ids) > limit else None
    shown = 0 if earlier is None else earlier
    received = [row for row in reversed(received) if row.id >= shown]
    media = session.scalars(select(MediaFile).where(MediaFile.message_id.in_([row.id for row in received])))
    return Said(
        received=received,
        sent=[row for row in reversed(sent) if row.id >= shown],
        events=[row for row in reversed(events) if row.id >= shown],
        media={file.message_id: file for file in media},
        authors=_names(session, {row.author_id for row in sent if row.author_id is not None}),
        earlier=earlier,
    )


@dataclass(frozen=True, slots=True)
class PersonCard:
    person: Person
    identities: list[Identity]
    consents: list[Consent]
    """The newest one for each purpose."""
    talks: list[tuple[int, str]]
    """(conversation id, the number's name), all of them."""
    leads: list[Lead]


def _names(session: Session, users: set[int]) -> dict[int, str]:
    if not users:
        return {}
    return {user: name for user, name in session.execute(select(User.id, User.name).where(User.id.in_(users)))}  # noqa: C416


def card(session: Session, person_id: int) -> PersonCard | None:
    """Everything a seller needs to know of somebody. Five reads by index."""
    person = session.scalar(select(Person).where(Person.id == person_id))
    if person is None:
        return None
    newest = select(func.max(Consent.id)).where(Consent.person_id == person_id).group_by(Consent.purpose)
    return PersonCard(
        person=person,
        identities=list(session.scalars(select(Identity).where(Identity.person_id == person_id).order_by(Identity.id))),
        consents=list(session.scalars(select(Consent).where(Consent.id.in_(newest)).order_by(Consent.purpose))),
        talks=[
            (talk_id, name)
            for talk_id, name in session.execute(
                select(Conversation.id, Number.name)
                .join(Number, Number.id == Conversation.number_id)
                .where(Conversation.person_id == person_id)
                .order_by(Conversation.id)
            )
        ],
        leads=list(session.scalars(select(Lead).where(Lead.person_id == person_id).order_by(Lead.updated_at.desc()))),
    )


def media_file(session: Session, file_id: int) -> MediaFile | None:
    return session.scalar(select(MediaFile).where(MediaFile.id == file_id))

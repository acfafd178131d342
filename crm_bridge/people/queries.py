"""Reads for the pages: who is writing, what was said, and what a person is known by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Select, Table, and_, case, func, or_, select, text, update
from sqlalchemy.orm import Session, defer

from data.scope import company_of
from data.tables import (
    Assignment,
    Consent,
    Conversation,
    Event,
    Identity,
    InboxMessage,
    Lead,
    MediaFile,
    Note,
    Number,
    OutboxMessage,
    Person,
    User,
)

TALK_STATUSES = ("answering", "waiting", "ready", "person", "taken", "quiet", "stuck")
VIEWS = ("mine", "unassigned", "snoozed")
"""The parts of the list beside the whole: theirs (or offered to them), nobody's yet, and theirs that were put off."""
MOST_SINCE = 1_000
MOST_IN_VIEW = 2_000
_HANDS, _TALKS = cast(Table, Assignment.__table__), cast(Table, Conversation.__table__)
_OPEN = text("assignments.state <> 'closed'")
"""Written out, so that SQLite sees that the index of open hand-overs serves."""
_company_id = _HANDS.c.company_id + 0
"""The company, but not by an index: few of all hand-overs are open, and an index of their own has those."""
_UNTAKEN = ("waiting", "offered")


@dataclass(frozen=True, slots=True)
class TalkLine:
    """One conversation in a list. `status` is one of TALK_STATUSES; `hand` its hand-over to a person, while one is open; `who`
    that person's name, who answers or was asked to."""

    talk: Conversation
    person: Person
    number: Number
    status: str
    hand: Assignment | None = None
    who: str = ""

    @property
    def waits_since(self) -> datetime | None:
        """Since when a person is to answer and has not; None when nobody is waited for."""
        if self.hand is not None and self.hand.state in _UNTAKEN:
            return self.hand.created_at
        return self.talk.last_in_at if self.talk.owner != "bot" and self.talk.unread else None


@dataclass(frozen=True, slots=True)
class TalkFilter:
    """What a list of conversations is narrowed to; "" and None narrow nothing."""

    words: str = ""
    priority: str = ""
    number: int | None = None
    status: str = ""
    view: str = ""
    """One of VIEWS."""
    user: int | None = None
    """Whose views they are."""
    unread: bool = False
    now: datetime | None = None
    """Where it is given, and nothing is searched for, what is put off at this time is left out."""


def talks(session: Session, wanted: TalkFilter, limit: int, after: tuple[datetime, int] | None = None) -> list[TalkLine]:
    """The conversations with prospects that were last written to, newest first; `after` is the (last_in_at, id) of the row above.

    Two reads, and one more for a view, which looks at open hand-overs alone. The whole list walks the index (company_id,
    last_in_at) and stops at `limit`; words look into every message of the conversations passed on the way, so a search that
    finds little reads all the company's messages."""
    prospects = (Conversation.last_in_at.is_not(None), Person.user_id.is_(None))
    query = _lines().where(*prospects).options(defer(Conversation.state)).limit(limit)
    query = query.order_by(Conversation.last_in_at.desc(), Conversation.id.desc())
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
    if wanted.unread:
        query = query.where(Conversation.unread > 0)
    if wanted.view:
        query = query.where(Conversation.id.in_(_in_view(session, wanted.view, wanted.user)))
        query = query.with_hint(Conversation, "NOT INDEXED", "sqlite")  # by these ids, not through all of the company's
    if wanted.now is not None and wanted.view != "snoozed" and not wanted.words:
        query = query.where(~_is_snoozed(wanted.now))
    elif wanted.now is not None and wanted.view == "snoozed":
        query = query.where(_is_snoozed(wanted.now))
    if wanted.words:
        said = select(InboxMessage.id).where(
            InboxMessage.conversation_id == Conversation.id, InboxMessage.text.icontains(wanted.words, autoescape=True)
        )
        query = query.where(or_(person_matches(wanted.words), said.exists()))
    rows = session.execute(query).all()
    pending = _pending(session, [row[0].id for row in rows])
    return [_line(*row, pending) for row in rows]


def _lines() -> Select[Conversation, Person, Number, Assignment, str]:
    """Conversations with what stands in their line: the hand-over that is open, and the name of who answers or was asked to."""
    return (
        select(Conversation, Person, Number, Assignment, User.name)
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .outerjoin(Assignment, and_(Assignment.conversation_id == Conversation.id, _OPEN))
        .outerjoin(User, User.id == func.coalesce(Conversation.owner_id, Assignment.user_id))
    )


def _line(
    talk: Conversation,
    person: Person,
    number: Number,
    hand: Assignment | None,
    who: str | None,
    pending: dict[int, set[str]],
) -> TalkLine:
    return TalkLine(talk, person, number, talk_status(talk, pending.get(talk.id, set())), hand, who or "")


def _in_view(session: Session, view: str, user: int | None) -> Sequence[int]:
    """The conversations of one of VIEWS, by the index of open hand-overs; the newest MOST_IN_VIEW."""
    query = select(_HANDS.c.conversation_id).where(_OPEN, _company_id == company_of(session))
    wanted = _HANDS.c.state.in_(_UNTAKEN) if view == "unassigned" else _HANDS.c.user_id == user
    return session.scalars(query.where(wanted).order_by((_HANDS.c.id + 0).desc()).limit(MOST_IN_VIEW)).all()


def _is_snoozed(now: datetime) -> ColumnElement[bool]:
    """Put off, and the person has not written since."""
    return and_(_TALKS.c.snoozed_until.is_not(None), _TALKS.c.snoozed_until > now, _TALKS.c.unread == 0)


@dataclass(frozen=True, slots=True)
class ViewCounts:
    """How much is in each of VIEWS, and how many of somebody's own have something unread."""

    mine: int
    unread: int
    unassigned: int
    snoozed: int


def view_counts(session: Session, user: int, now: datetime) -> ViewCounts:
    """One read over the open hand-overs."""
    mine, snoozed = _HANDS.c.user_id == user, _is_snoozed(now)
    counted = (and_(mine, ~snoozed), and_(mine, _TALKS.c.unread > 0), _HANDS.c.state.in_(_UNTAKEN), and_(mine, snoozed))
    row = session.execute(
        select(*(func.coalesce(func.sum(case((each, 1), else_=0)), 0) for each in counted))
        .join_from(_HANDS, _TALKS, _TALKS.c.id == _HANDS.c.conversation_id)
        .where(_OPEN, _company_id == company_of(session))
    ).one()
    return ViewCounts(*map(int, row))


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
    row = session.execute(_lines().where(Conversation.id == talk_id)).one_or_none()
    return None if row is None else _line(*row, _pending(session, [talk_id]))


def mark_read(session: Session, talk_id: int) -> bool:
    """Somebody looked at the conversation. True when something was unread."""
    done = session.execute(
        update(Conversation)
        .where(Conversation.id == talk_id, Conversation.unread > 0)
        .values(unread=0, snoozed_until=None)  # somebody who wrote is put off no more
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
    notes: list[Note]
    authors: dict[int, str]
    """The names of the users who wrote some of it, or are named in notes."""
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
    """The last `limit` messages and notes of the conversations, and events of the person where one is given: the last of all,
    those before the row `before`, or all from the row `since` on (a page that is open asks so; MOST_SINCE at most). Reads by
    index only."""
    if since is not None:
        limit = MOST_SINCE
    received_query = select(InboxMessage).where(InboxMessage.conversation_id.in_(talk_ids)).order_by(InboxMessage.id.desc())
    sent_query = select(OutboxMessage).where(OutboxMessage.conversation_id.in_(talk_ids)).order_by(OutboxMessage.id.desc())
    notes_query = select(Note).where(Note.conversation_id.in_(talk_ids)).order_by(Note.id.desc())
    events_query = select(Event).where(Event.person_id == person_id).order_by(Event.id.desc())
    if before is not None:
        received_query = received_query.where(InboxMessage.id < before)
        sent_query = sent_query.where(OutboxMessage.id < before)
        notes_query = notes_query.where(Note.id < before)
        events_query = events_query.where(Event.id < before)
    if since is not None:
        received_query = received_query.where(InboxMessage.id >= since)
        sent_query = sent_query.where(OutboxMessage.id >= since)
        notes_query = notes_query.where(Note.id >= since)
        events_query = events_query.where(Event.id >= since)
    received = list(session.scalars(received_query.limit(limit + 1)))
    sent = list(session.scalars(sent_query.limit(limit + 1)))
    notes = list(session.scalars(notes_query.limit(limit + 1)))
    events = list(session.scalars(events_query.limit(limit + 1))) if person_id is not None else []
    ids = sorted((row.id for rows in (received, sent, notes, events) for row in rows), reverse=True)
    earlier = ids[limit - 1] if len(ids) > limit else None
    shown = 0 if earlier is None else earlier
    received = [row for row in reversed(received) if row.id >= shown]
    media = session.scalars(select(MediaFile).where(MediaFile.message_id.in_([row.id for row in received])))
    return Said(
        received=received,
        sent=[row for row in reversed(sent) if row.id >= shown],
        events=[row for row in reversed(events) if row.id >= shown],
        media={file.message_id: file for file in media},
        notes=[row for row in reversed(notes) if row.id >= shown],
        authors=_names(
            session,
            {row.author_id for row in sent if row.author_id is not None}.union(
                *([row.author_id, *row.mentions] for row in notes)
            ),
        ),
        earlier=earlier,
    )


def note(session: Session, note_id: int) -> tuple[Note, dict[int, str]]:
    """A note, and the names of its author and of those it names. NoResultFound."""
    row = session.scalars(select(Note).where(Note.id == note_id)).one()
    return row, _names(session, {row.author_id, *row.mentions})


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


def other_talks(session: Session, person_id: int, besides: int) -> list[tuple[int, str, int]]:
    """(conversation, the number's name, how many messages they wrote there) of a person, but for one. Reads by index."""
    count = select(func.count()).where(InboxMessage.conversation_id == Conversation.id).correlate(Conversation).scalar_subquery()
    found = session.execute(
        select(Conversation.id, Number.name, count)
        .join(Number, Number.id == Conversation.number_id)
        .where(Conversation.person_id == person_id, Conversation.id != besides, Conversation.last_in_at.is_not(None))
        .order_by(Conversation.id)
    )
    return [(talk_id, name, messages) for talk_id, name, messages in found]


def sent_message(session: Session, outbox_id: int) -> OutboxMessage | None:
    return session.scalar(select(OutboxMessage).where(OutboxMessage.id == outbox_id))


def media_file(session: Session, file_id: int) -> MediaFile | None:
    return session.scalar(select(MediaFile).where(MediaFile.id == file_id))

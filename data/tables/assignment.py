"""Who is to answer a prospect: teams and their ledger, when sellers are there, and each hand-over with its offers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany

_OPEN = text("state <> 'closed'")
_DUE = text("due_at IS NOT NULL")


class Team(OfCompany, Base):
    """Sellers who share the leads of some numbers."""

    __tablename__ = "teams"

    name: Mapped[str]
    accept_seconds: Mapped[int] = mapped_column(default=180)
    """How long a seller has to accept before the lead goes to the next one."""
    first_reply_minutes: Mapped[int] = mapped_column(default=15)
    """Business minutes from acceptance to the seller's first word; 0: no target."""
    follow_up_minutes: Mapped[int] = mapped_column(default=240)
    """Business minutes in which a seller answers what a prospect wrote later on; 0: no target."""
    return_hours: Mapped[int] = mapped_column(default=48)
    """Hours of silence after which the bot answers again; 0: never."""
    created_at: Mapped[datetime]


class TeamMember(OfCompany, Base):
    """A seller's place in a team's ledger."""

    __tablename__ = "team_members"
    __table_args__ = (UniqueConstraint("team_id", "user_id"),)

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    weight: Mapped[int] = mapped_column(default=1)
    """The share beside the others': 1 to 10; 0 gets none."""
    served: Mapped[int] = mapped_column(default=0)
    """How much of their share they have had (crm_bridge/assignment/rules.py): whoever has least is next."""
    turns: Mapped[int] = mapped_column(default=0)
    """Leads that they were given and did not pass on."""


class Seller(OfCompany, Base):
    """How somebody works: made with the first change, so no row means all defaults."""

    __tablename__ = "sellers"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    away: Mapped[bool] = mapped_column(default=False)
    """They said that they are busy: nothing new goes to them."""
    away_until: Mapped[datetime | None]
    """When that ends by itself; None: when they say so."""
    capacity: Mapped[int] = mapped_column(default=30)
    """The load they take at most: a hot conversation weighs 3, a warm one 2, a cold one 1."""
    skills: Mapped[list[Any]]
    """Interests (dialog names) they serve; none: all."""
    languages: Mapped[list[Any]]
    """ISO 639-1; none: all."""
    hours: Mapped[dict[str, Any]]
    """Their shift, as a number's opening hours, in the company's zone; {}: whenever the number that a lead came by is open."""


class Holiday(OfCompany, Base):
    """A day on which nobody of the company works."""

    __tablename__ = "holidays"
    __table_args__ = (UniqueConstraint("company_id", "day"),)

    day: Mapped[str]
    """YYYY-MM-DD, in the company's zone."""
    name: Mapped[str]


class Leave(OfCompany, Base):
    """Days on which one seller does not work."""

    __tablename__ = "leaves"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    first_day: Mapped[str]
    last_day: Mapped[str]
    """YYYY-MM-DD, both included, in the company's zone."""
    note: Mapped[str] = mapped_column(default="")


class Assignment(OfCompany, Base):
    """One hand-over of a conversation to a person. `state`: waiting for a seller, offered to `user_id`, accepted by them, closed.
    At most one that is not closed a conversation."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index("uq_assignments_open", "conversation_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_assignments_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_assignments_load", "user_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_assignments_company_id_created_at", "company_id", "created_at"),
        Index("ix_assignments_person_id", "person_id", "id"),
    )

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    number_id: Mapped[int] = mapped_column(ForeignKey("numbers.id"))
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str]
    reason: Mapped[str]
    """Why a person is to answer: finished, asked, failures, complaint (HandoffRequested), or taken, transfer."""
    priority: Mapped[str]
    """hot, warm or cold: hot ones are served first."""
    interest: Mapped[str]
    language: Mapped[str]
    why: Mapped[dict[str, Any] | None]
    """Why the last decision fell as it did (crm_bridge/assignment/rules.py, Choice)."""
    due_at: Mapped[datetime | None]
    """When to look again: a waiting one for a seller, an offer for its end, an accepted one for its next target."""
    told_at: Mapped[datetime | None]
    """When the prospect was told that they will have to wait."""
    deadline_at: Mapped[datetime | None]
    """The end of the target that runs; None: none runs, or one begins at `due_at`."""
    warned: Mapped[bool] = mapped_column(default=False)
    """Whether the seller was warned of it."""
    touched_at: Mapped[datetime | None]
    """The last message either way since it was accepted: long silence gives the conversation back to the bot."""
    created_at: Mapped[datetime]
    offered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    first_reply_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class Offer(OfCompany, Base):
    """One seller's chance to accept. `state`: offered, accepted, declined, expired, or withdrawn (somebody else took it, or an
    administrator removed the seller)."""

    __tablename__ = "offers"
    __table_args__ = (Index("ix_offers_assignment_id", "assignment_id", "id"),)

    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    state: Mapped[str]
    via: Mapped[str | None]
    """How they answered: page, email, whatsapp, telegram, push."""
    cost: Mapped[int]
    """What it took from their share, to be given back when they pass it on."""
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class Note(OfCompany, Base):
    """What colleagues tell each other beside a conversation; the prospect never sees it."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_conversation_id", "conversation_id", "id"),)

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    words: Mapped[str]
    mentions: Mapped[list[Any]]
    """Ids of the users named with @."""
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]


class CannedReply(OfCompany, Base):
    """A text that sellers send often, found by `/shortcut`."""

    __tablename__ = "canned_replies"
    __table_args__ = (UniqueConstraint("company_id", "shortcut"),)

    shortcut: Mapped[str]
    words: Mapped[str]
    """{nombre} is the prospect's first name, {vendedor} the seller's."""


class Reminder(OfCompany, Base):
    """Something a seller is told at `due_at`, once. `state`: waiting, fired, cancelled."""

    __tablename__ = "reminders"
    __table_args__ = (
        Index("ix_reminders_due", "due_at", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
        UniqueConstraint("rule"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    words: Mapped[str]
    rule: Mapped[str | None]
    """What made it by itself, such as "quiet:<assignment>": the same rule fires once. None: the seller did."""
    state: Mapped[str]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    fired_at: Mapped[datetime | None]


class Rating(OfCompany, Base):
    """How a prospect rates the attention, asked once a hand-over is closed. `score` 1 to 5; None: not answered."""

    __tablename__ = "ratings"
    __table_args__ = (Index("ix_ratings_conversation_id", "conversation_id", "id"),)

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    score: Mapped[int | None]
    words: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

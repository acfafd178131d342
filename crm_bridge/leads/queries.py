"""Reads for the pages: the leads in the order in which they are worth calling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import Session

from crm_bridge.leads.rules import PRIORITIES
from crm_bridge.people.queries import person_matches
from data.tables import Lead, Number, Person, User

STAGES = ("new", "working", "converted", "lost")
SOURCES = ("ad", "form", "referral", "organic")
_rank_of_priority = case({name: rank for rank, name in enumerate(PRIORITIES)}, value=Lead.priority, else_=len(PRIORITIES))


@dataclass(frozen=True, slots=True)
class LeadLine:
    lead: Lead
    person: Person
    number: Number
    owner: str | None
    """The seller's name."""

    @property
    def key(self) -> tuple[int, datetime, int]:
        """Its place in the list."""
        rank = PRIORITIES.index(self.lead.priority) if self.lead.priority in PRIORITIES else len(PRIORITIES)
        return rank, self.lead.created_at, self.lead.id


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """What the list is narrowed to; "" and None narrow nothing. `stage` open means new or working."""

    words: str = ""
    priority: str = ""
    number: int | None = None
    stage: str = "open"
    source: str = ""


def leads(session: Session, wanted: LeadFilter, limit: int, after: tuple[int, datetime, int] | None = None) -> list[LeadLine]:
    """Hot before warm before cold, each newest first; `after` is the key of the row above. One read, which sorts the company's
    leads of the wanted stage: tens of thousands at most."""
    query = (
        select(Lead, Person, Number, User.name)
        .join(Person, Person.id == Lead.person_id)
        .join(Number, Number.id == Lead.number_id)
        .outerjoin(User, User.id == Lead.owner_id)
        .order_by(_rank_of_priority, Lead.created_at.desc(), Lead.id.desc())
        .limit(limit)
    )
    if after is not None:
        rank, at, row = after
        older = or_(Lead.created_at < at, and_(Lead.created_at == at, Lead.id < row))
        query = query.where(or_(_rank_of_priority > rank, and_(_rank_of_priority >= rank, older)))
    if wanted.stage:
        query = query.where(Lead.stage.in_(("new", "working") if wanted.stage == "open" else (wanted.stage,)))
    if wanted.priority:
        query = query.where(Lead.priority == wanted.priority)
    if wanted.number is not None:
        query = query.where(Lead.number_id == wanted.number)
    if wanted.source:
        query = query.where(Lead.source == wanted.source)
    if wanted.words:
        query = query.where(or_(person_matches(wanted.words), Lead.interest.icontains(wanted.words, autoescape=True)))
    return [LeadLine(*row) for row in session.execute(query)]


def lead(session: Session, lead_id: int) -> LeadLine | None:
    row = session.execute(
        select(Lead, Person, Number, User.name)
        .join(Person, Person.id == Lead.person_id)
        .join(Number, Number.id == Lead.number_id)
        .outerjoin(User, User.id == Lead.owner_id)
        .where(Lead.id == lead_id)
    ).one_or_none()
    return None if row is None else LeadLine(*row)

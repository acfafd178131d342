"""Leads, and the events that make up a person's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany

_OPEN = text("stage IN ('new', 'working')")


class Lead(OfCompany, Base):
    """A person's interest in something. `stage`: new, working, converted, lost. One open lead a person and interest."""

    __tablename__ = "leads"
    __table_args__ = (
        Index("uq_leads_open", "company_id", "person_id", "interest", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_leads_company_id_updated_at", "company_id", "updated_at"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    number_id: Mapped[int] = mapped_column(ForeignKey("numbers.id"))
    interest: Mapped[str]
    """The dialog it came from: electronics, freight, wholesale …"""
    stage: Mapped[str]
    complete: Mapped[bool]
    answers: Mapped[list[Any]]
    """[{question, label, value, shown}] in the order asked."""
    score: Mapped[int]
    priority: Mapped[str]
    """hot, warm or cold."""
    reasons: Mapped[list[Any]]
    """[{points, because}] in Spanish."""
    source: Mapped[str]
    """ad, form, referral or organic."""
    referral: Mapped[dict[str, Any] | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Event(OfCompany, Base):
    """Something that happened (crm_bridge/events.py), append only: the timeline and the source of alerts."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_company_id_id", "company_id", "id"),
        Index("ix_events_person_id_id", "person_id", "id"),
    )

    kind: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    conversation_id: Mapped[int | None]
    lead_id: Mapped[int | None]
    user_id: Mapped[int | None]
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime]

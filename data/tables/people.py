"""People: one row a human being and company, found by any of their identities."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany


class Person(OfCompany, Base):
    __tablename__ = "people"

    name: Mapped[str | None]
    profile_name: Mapped[str | None]
    """What their messenger calls them: shown until they tell their name."""
    email: Mapped[str | None]
    phone: Mapped[str | None]
    """E.164, of the messenger or told."""
    organisation: Mapped[str | None]
    language: Mapped[str | None]
    user_id: Mapped[int | None]
    """Set where this is one of our own people, who wrote the one-time code: they chat with the staff commands, not the dialog."""
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    """Set when two rows turned out to be one person; the other one lives on."""
    created_at: Mapped[datetime]


class Identity(OfCompany, Base):
    """Something a person is known by: `phone` (digits in the national canon), `bsuid`, `telegram`, `webchat`."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("value", "kind", "company_id"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[str]
    value: Mapped[str]
    created_at: Mapped[datetime]


class Consent(OfCompany, Base):
    """A person allowed or forbade a purpose; the newest row a purpose counts, none is ever changed."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_person_id_purpose", "person_id", "purpose"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    purpose: Mapped[str]
    granted: Mapped[bool]
    words: Mapped[str]
    """The proof: what they wrote or pressed."""
    source: Mapped[str]
    """The channel and message id it came by."""
    at: Mapped[datetime]

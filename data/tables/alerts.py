"""What users are told, and by which ways they can be reached."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany

_UNSENT = text("rank < 20")
_OF_NOTES = text("note_id IS NOT NULL")


class ContactPoint(OfCompany, Base):
    """One way to reach a user. `channel` and `address`: email (an address), whatsapp (digits), telegram (a chat id), push (an
    endpoint), other (an Apprise URL)."""

    __tablename__ = "contact_points"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    channel: Mapped[str]
    address: Mapped[str]
    keys: Mapped[dict[str, Any]]
    """push: {"p256dh", "auth"}; empty otherwise."""
    label: Mapped[str] = mapped_column(default="")
    """What the user calls it: "Celular de Valeria"."""
    enabled: Mapped[bool] = mapped_column(default=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    """whatsapp and telegram: the user's own conversation with one of our numbers, by which they are told."""
    problem: Mapped[str | None]
    """Why it was switched off by itself: the endpoint is gone, the mailbox does not exist."""
    created_at: Mapped[datetime]


class LinkCode(OfCompany, Base):
    """A one-time code that binds a phone (or Telegram account) to a user: they send it from there."""

    __tablename__ = "link_codes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Alert(OfCompany, Base):
    """Something one user is told, on all their channels. `state`: open, acknowledged (with `via`), withdrawn (it is no concern of
    theirs any more)."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_user_id", "user_id", "id"),
        Index("ix_alerts_offer_id", "offer_id"),
        Index("ix_alerts_conversation_id", "conversation_id"),
        Index("ix_alerts_note_id", "note_id", sqlite_where=_OF_NOTES, postgresql_where=_OF_NOTES),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]
    """A key of notifications/alerts.py, ALERTS."""
    conversation_id: Mapped[int | None]
    lead_id: Mapped[int | None]
    assignment_id: Mapped[int | None]
    offer_id: Mapped[int | None]
    """What *Acepto* and *Paso* answer; None: it is only to be read."""
    note_id: Mapped[int | None]
    """The note that named them; its author may have deleted it since."""
    facts: Mapped[dict[str, Any]]
    """What the texts are made of, as it was when it happened (notifications/alerts.py, Facts)."""
    state: Mapped[str] = mapped_column(default="open")
    via: Mapped[str | None]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class Delivery(OfCompany, Base):
    """One alert on one channel. `rank` and `state` as in the outbox (data/inbox.py): queued 0, sending 5, uncertain 10, parked
    and cancelled 20, sent 30, failed 40, delivered 50, read 60."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("alert_id", "contact_point_id"),
        Index("ix_deliveries_due", "due_at", sqlite_where=_UNSENT, postgresql_where=_UNSENT),
        Index("ix_deliveries_company_id_id", "company_id", "id"),
        Index("ix_deliveries_contact_point_id", "contact_point_id"),
    )

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_points.id"))
    channel: Mapped[str]
    state: Mapped[str]
    rank: Mapped[int]
    holder: Mapped[int | None]
    """The process that sends it."""
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    """Not before: quiet hours, the next step of an alert nobody acknowledges, another try."""
    outbox_id: Mapped[int | None]
    """whatsapp and telegram: the message, whose state is the delivery's."""
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

"""The way of a message: webhook bodies, messages in, conversations, messages out, their statuses and files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany


class WebhookBody(Base):
    """What a messenger posted, to the byte. It may hold several companies' messages, so it has no company and no page."""

    __tablename__ = "webhook_bodies"
    __table_args__ = (
        Index(
            "ix_webhook_bodies_trouble", "state", sqlite_where=text("state <> 'split'"), postgresql_where=text("state <> 'split'")
        ),
    )

    channel: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str]
    """split; or unknown_number, unreadable: kept, reported, and taken up again by `mostrador replay`."""
    problem: Mapped[str | None]
    received_at: Mapped[datetime]


class Conversation(OfCompany, Base):
    """One person talking with one of our numbers, for ever. `owner` says who answers: bot, queued (nobody yet) or human."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("number_id", "person_id"),
        Index("ix_conversations_company_id_last_in_at", "company_id", "last_in_at"),
        Index(
            "ix_conversations_due_at",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )

    number_id: Mapped[int] = mapped_column(ForeignKey("numbers.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    recipient: Mapped[dict[str, Any]]
    """The address replies go to: {"phone"}, {"bsuid"}, {"telegram"} …"""
    owner: Mapped[str] = mapped_column(default="bot")
    owner_id: Mapped[int | None]
    """The user who answers while `owner` is human; None: whoever has the phone's own app."""
    state: Mapped[str | None]
    """The dialog's State as JSON text; None before the first turn."""
    status: Mapped[str] = mapped_column(default="open")
    """The State's status, for lists."""
    score: Mapped[int] = mapped_column(default=0)
    priority: Mapped[str] = mapped_column(default="cold")
    reasons: Mapped[list[Any]]
    preview: Mapped[str] = mapped_column(default="")
    """The start of the last message."""
    unread: Mapped[int] = mapped_column(default=0)
    last_in_at: Mapped[datetime | None]
    """The messenger's time of the person's last message: the 24-hour window counts from here."""
    due_at: Mapped[datetime | None]
    """When silence is to be answered, or the talk expires."""
    snoozed_until: Mapped[datetime | None]
    """Its owner does not want to see it before; a message of the person ends that."""
    referral: Mapped[dict[str, Any] | None]
    """The advertisement or form that first brought the person here."""
    created_at: Mapped[datetime]


class InboxMessage(OfCompany, Base):
    """One message from a person. `state`: held (a voice note that is listened to), new, done, or parked with its error."""

    __tablename__ = "inbox_messages"
    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index("ix_inbox_messages_conversation_id", "conversation_id"),
        Index(
            "ix_inbox_messages_waiting",
            "conversation_id",
            "id",
            sqlite_where=text("state = 'new'"),
            postgresql_where=text("state = 'new'"),
        ),
        Index("ix_inbox_messages_parked", "id", sqlite_where=text("state = 'parked'"), postgresql_where=text("state = 'parked'")),
    )

    body_id: Mapped[int] = mapped_column(ForeignKey("webhook_bodies.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    channel: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str]
    payload: Mapped[str]
    """The `Inbound` as JSON text."""
    at: Mapped[datetime]
    """The messenger's time."""
    received_at: Mapped[datetime]
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]


class OutboxMessage(OfCompany, Base):
    """One message to somebody. `rank` (data/inbox.py) only grows: queued 0, sending 5, uncertain 10, parked and cancelled 20,
    sent 30, failed 40, delivered 50, read 60, played 70; `state` is its name."""

    __tablename__ = "outbox_messages"
    __table_args__ = (
        Index("ix_outbox_messages_conversation_id", "conversation_id"),
        Index(
            "ix_outbox_messages_lane",
            "conversation_id",
            "id",
            sqlite_where=text("rank < 20"),
            postgresql_where=text("rank < 20"),
        ),
        Index(
            "ix_outbox_messages_waiting", "number_id", "id", sqlite_where=text("rank < 20"), postgresql_where=text("rank < 20")
        ),
        Index("ix_outbox_messages_external_id", "external_id"),
    )

    number_id: Mapped[int] = mapped_column(ForeignKey("numbers.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    channel: Mapped[str]
    recipient: Mapped[dict[str, Any]]
    kind: Mapped[str]
    text: Mapped[str]
    payload: Mapped[str]
    """The `Outbound` as JSON text."""
    state: Mapped[str]
    rank: Mapped[int]
    holder: Mapped[int | None]
    """The process that sends it, from `sending` on; where that one is gone, somebody else takes over."""
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    external_id: Mapped[str | None]
    error_code: Mapped[int | None]
    error: Mapped[str | None]
    author_id: Mapped[int | None]
    """The user who wrote it; None: the bot."""
    retry_of_id: Mapped[int | None]
    """The message that failed and that this one stands in for."""
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class DeliveryStatus(Base):
    """Every status that came, once. It has no company: it may be of a message that we did not send."""

    __tablename__ = "delivery_statuses"
    __table_args__ = (UniqueConstraint("channel", "external_id", "status"),)

    channel: Mapped[str]
    external_id: Mapped[str]
    status: Mapped[str]
    outbox_id: Mapped[int | None]
    code: Mapped[int | None]
    detail: Mapped[str | None]
    at: Mapped[datetime]


class MediaFile(OfCompany, Base):
    """A file in a message, fetched after the message was stored. `state`: waiting, fetched, failed."""

    __tablename__ = "media_files"
    __table_args__ = (
        Index("ix_media_files_due", "due_at", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    )

    message_id: Mapped[int] = mapped_column(ForeignKey("inbox_messages.id"), index=True)
    number_id: Mapped[int] = mapped_column(ForeignKey("numbers.id"))
    external_id: Mapped[str]
    mime: Mapped[str]
    filename: Mapped[str | None]
    sha256: Mapped[str | None]
    size: Mapped[int | None]
    path: Mapped[str | None]
    """Under the media folder."""
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    error: Mapped[str | None]

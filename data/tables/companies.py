"""Companies, the people who work there, their sessions, and their business numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany


class Company(Base):
    __tablename__ = "companies"

    name: Mapped[str]
    country: Mapped[str]
    """ISO 3166 alpha-2: how phones and dates are read."""
    currency: Mapped[str]
    """ISO 4217."""
    timezone: Mapped[str]
    language: Mapped[str] = mapped_column(default="es")
    writer: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its texts may go to the writing assistant of the installation."""
    created_at: Mapped[datetime]


class User(OfCompany, Base):
    """Somebody of the company who logs in. `role` is admin, manager or seller."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(unique=True)
    """Lower case; one account an installation."""
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    """argon2id."""
    totp_secret: Mapped[str | None]
    """Set once the second factor is confirmed."""
    totp_last_step: Mapped[int] = mapped_column(default=0)
    """The last time step whose code was used: a code works once."""
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    quiet_from: Mapped[str | None]
    quiet_until: Mapped[str | None]
    """HH:MM in the company's zone: between them they are told nothing but by e-mail and on screen; None: at any hour."""
    created_at: Mapped[datetime]


class WebSession(OfCompany, Base):
    """A log-in. The cookie holds a random token; only its SHA-256 is stored."""

    __tablename__ = "web_sessions"

    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    agent: Mapped[str] = mapped_column(default="")
    revoked_at: Mapped[datetime | None]


class Number(OfCompany, Base):
    """A business number (or bot) that prospects write to, with its own dialog, tone and opening hours."""

    __tablename__ = "numbers"
    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    channel: Mapped[str]
    external_id: Mapped[str]
    """WhatsApp: the phone_number_id; Telegram: the bot's id."""
    account: Mapped[str] = mapped_column(default="")
    """WhatsApp: the WABA id."""
    display: Mapped[str]
    """As people dial it: +57 301 555 0101."""
    name: Mapped[str]
    bot_name: Mapped[str]
    dialog: Mapped[str]
    """The name of the dialog it talks (dialogs/flows)."""
    tone: Mapped[str] = mapped_column(default="tu")
    """tu or usted."""
    language: Mapped[str] = mapped_column(default="es")
    hours: Mapped[dict[str, Any]]
    """{"mon": ["09:00-13:00", "14:00-18:00"], …} in the company's zone; a missing day is closed, {} is always open."""
    token: Mapped[str | None]
    """Its own access token; None: the installation's."""
    template: Mapped[str | None]
    """The approved template that goes out when the 24-hour window is closed; one body parameter, the person's name."""
    rate: Mapped[int] = mapped_column(default=80)
    """Messages a second it may send."""
    alert_template: Mapped[str | None]
    """The approved template that alerts our own people on WhatsApp when their window is closed; see docs/operate.md."""
    team_id: Mapped[int | None]
    """Who gets its leads; None: the company's first team."""
    quality: Mapped[str | None]
    stopped: Mapped[str | None]
    """Why it may not send now (an error of the account); None when it may."""
    created_at: Mapped[datetime]


class DialogVersion(OfCompany, Base):
    """The texts of a number's dialog as somebody edited them. Rows are never changed: the newest one counts, undo adds one."""

    __tablename__ = "dialog_versions"
    __table_args__ = (Index("ix_dialog_versions_number_id_version", "number_id", "version", unique=True),)

    number_id: Mapped[int] = mapped_column(ForeignKey("numbers.id"))
    dialog: Mapped[str]
    version: Mapped[int]
    overrides: Mapped[dict[str, Any]]
    """Only what differs from the shipped dialog: {"questions.budget.ask": {"es": "…"}, "faq.shipping.say": {…}}."""
    note: Mapped[str] = mapped_column(default="")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]

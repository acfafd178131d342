"""What a company teaches its understanding: texts that were not understood, with what they mean, and the lessons made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany


class Phrase(OfCompany, Base):
    """A text that people wrote and we did not understand, or that one of us added. `state`: new, labelled, ignored."""

    __tablename__ = "phrases"
    __table_args__ = (
        UniqueConstraint("company_id", "plain"),
        Index("ix_phrases_new", "company_id", sqlite_where=text("state = 'new'"), postgresql_where=text("state = 'new'")),
    )

    plain: Mapped[str]
    """What makes two texts the same (`nlu.normalise`)."""
    text: Mapped[str]
    """As it was written first."""
    asked: Mapped[str] = mapped_column(default="")
    """What was asked, in the words of our own people."""
    guesses: Mapped[list[Any]]
    """[[intent, confidence]], the likeliest first."""
    times: Mapped[int] = mapped_column(default=0)
    """How often it came."""
    number_id: Mapped[int | None] = mapped_column(ForeignKey("numbers.id"))
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    """Where it came last."""
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="new")
    label: Mapped[str | None]
    """An intent, or `faq:` and the key of a frequent question."""
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]


class Lesson(OfCompany, Base):
    """The labelled lines as they stood once, and what they do. `state`: trying, tried, refused, failed, published. What was
    published is never changed: the newest version counts, and taking one back publishes an older one's lines anew."""

    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("company_id", "version"),)

    version: Mapped[int | None]
    """None until it is published."""
    state: Mapped[str]
    done: Mapped[int] = mapped_column(default=0)
    """Percent of the trial."""
    lines: Mapped[list[Any]]
    """[[text, label]]"""
    effect: Mapped[dict[str, Any] | None]
    """`nlu.trial.Effect`."""
    problems: Mapped[list[Any]]
    """[[kind, text, labels]] of `nlu.own.Problem`."""
    like_version: Mapped[int | None]
    """The version that was taken up again; 0: what all share."""
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who tried it, and then who published it."""
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

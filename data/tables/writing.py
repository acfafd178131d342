"""The writing assistant: the company's own documents, and what was drafted from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany


class Document(OfCompany, Base):
    """What the company wrote about itself, as text: drafts of its answers lean on it."""

    __tablename__ = "documents"
    __table_args__ = (Index("ix_documents_company_id", "company_id"),)

    title: Mapped[str]
    text: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]


class Draft(OfCompany, Base):
    """One asking of the assistant, kept for a month: it counts against the company's hour, and whoever saves a proposed answer is
    held to what was marked in it. Of a summary only that it was asked for is kept."""

    __tablename__ = "drafts"
    __table_args__ = (
        Index("ix_drafts_company_id_created_at", "company_id", "created_at"),
        Index("ix_drafts_number_id", "number_id"),
    )

    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    """Of a summary."""
    number_id: Mapped[int | None] = mapped_column(ForeignKey("numbers.id"))
    box: Mapped[str] = mapped_column(default="")
    """Of a proposed answer: which text of the number's dialog, "faq.shipping.say|es"."""
    words: Mapped[str] = mapped_column(default="")
    """The proposed answer; "" until it came."""
    claims: Mapped[list[Any]]
    """[{words, kind}]: what somebody has to look at before it is saved (bot/writing/claims.py)."""
    passages: Mapped[list[Any]]
    """[{document, title, words}]: what it leans on."""
    created_at: Mapped[datetime]

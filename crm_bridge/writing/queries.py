"""Reads of the company's documents, of what was drafted, and of what the books say about prices."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import get_currency_precision
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from data.tables import Document, Draft, Product


def documents(session: Session) -> list[Document]:
    """With their texts, by title."""
    return list(session.scalars(select(Document).order_by(Document.title, Document.id)))


def document_lines(session: Session) -> list[tuple[Document, int]]:
    """(document without its text, how many characters it has)"""
    lines = select(Document, func.length(Document.text)).options(defer(Document.text)).order_by(Document.title, Document.id)
    return [(row, length) for row, length in session.execute(lines)]


def document(session: Session, document_id: int) -> Document | None:
    return session.scalar(select(Document).where(Document.id == document_id))


def drafts(session: Session, number_id: int) -> list[Draft]:
    """The answers proposed for a number's dialog in the last month, the newest last."""
    return list(session.scalars(select(Draft).where(Draft.number_id == number_id, Draft.words != "").order_by(Draft.id)))


def prices(session: Session) -> frozenset[Decimal]:
    """What the company's products cost, in major units."""
    rows = session.execute(select(Product.price, Product.currency).where(Product.active))
    return frozenset(Decimal(price).scaleb(-get_currency_precision(currency)) for price, currency in rows)

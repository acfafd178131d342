"""Changes to the company's documents, and to what was drafted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from crm_bridge.companies import queries
from crm_bridge.writing import rules
from data.scope import alone
from data.tables import Document, Draft


def switch(session: Session, *, on: bool) -> None:
    """Let the company's texts go to the assistant, or no longer."""
    queries.company(session).writer = on


def add_document(session: Session, *, title: str, text: str, author: int, now: datetime) -> Document:
    """Keep a document; without a title, its first line names it. DocumentEmpty, DocumentTooLong, TooManyDocuments."""
    text = text.strip()
    if not text:
        raise rules.DocumentEmpty
    if len(text) > rules.LONGEST_TEXT:
        raise rules.DocumentTooLong
    alone(session)
    count, characters = session.execute(select(func.count(Document.id), func.sum(func.length(Document.text)))).one()
    if count >= rules.MOST_DOCUMENTS or (characters or 0) + len(text) > rules.MOST_TEXT:
        raise rules.TooManyDocuments
    title = (title.strip() or text.splitlines()[0].strip("# "))[: rules.LONGEST_TITLE]
    row = Document(title=title, text=text, author_id=author, created_at=now)
    session.add(row)
    session.flush()
    return row


def remove_document(session: Session, document_id: int) -> None:
    """LookupError when there is none."""
    row = session.scalar(select(Document).where(Document.id == document_id))
    if row is None:
        raise LookupError(document_id)
    session.delete(row)


def ask(
    session: Session, *, author: int, now: datetime, talk_id: int | None = None, number_id: int | None = None, box: str = ""
) -> int:
    """Count one asking before it is made, so that no two are the last one; what is older than a month is forgotten. Returns the
    draft's id. TooManyDrafts."""
    alone(session)
    session.execute(delete(Draft).where(Draft.created_at < now - rules.KEPT))
    asked = session.scalar(select(func.count(Draft.id)).where(Draft.created_at > now - timedelta(hours=1))) or 0
    if asked >= rules.AN_HOUR:
        raise rules.TooManyDrafts
    row = Draft(author_id=author, conversation_id=talk_id, number_id=number_id, box=box, claims=[], passages=[], created_at=now)
    session.add(row)
    session.flush()
    return row.id


def answered(
    session: Session, draft_id: int, *, words: str, claims: Sequence[dict[str, Any]], passages: Sequence[dict[str, Any]]
) -> Draft:
    """Keep what was proposed."""
    row = session.scalars(select(Draft).where(Draft.id == draft_id)).one()
    row.words, row.claims, row.passages = words, list(claims), list(passages)
    session.flush()
    return row

"""What colleagues tell each other beside a conversation: written, changed and taken back by their author; those named with @ are
alerted once. Functions of one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.workplace import check_words
from data.tables import Alert, Conversation, Note, User
from notifications.alerts import Facts, facts_about, mentions_of, raise_alert, withdraw


def add(session: Session, talk_id: int, author_id: int, words: str, now: datetime) -> tuple[Note, list[Alert]]:
    """Keep a note, and alert whom it names. LookupError; NothingWritten, TooLong."""
    check_words(words)
    talk = session.scalar(select(Conversation).where(Conversation.id == talk_id))
    if talk is None:
        raise LookupError(talk_id)
    author, named = _people(session, author_id, words)
    row = Note(
        company_id=talk.company_id,
        conversation_id=talk_id,
        author_id=author_id,
        words=words,
        mentions=[user.id for user in named],
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row, _tell(session, row, named, _facts(session, row, author), now)


def edit(session: Session, talk_id: int, note_id: int, author_id: int, words: str, now: datetime) -> tuple[Note, list[Alert]]:
    """Change one's own note. Who was told of it is not told again, but for the words that an alert of theirs still shows; who is
    named no more is not told. Returns the alerts that changed, too. LookupError; NothingWritten, TooLong."""
    row = _own(session, talk_id, note_id, author_id)
    check_words(words)
    if words == row.words:
        return row, []
    author, named = _people(session, author_id, words)
    row.words, row.mentions, row.edited_at = words, [user.id for user in named], now
    session.flush()
    facts, told = _facts(session, row, author), mentions_of(session, note_id)
    changed = [alert for alert in told if alert.state == "open" and alert.user_id in row.mentions]
    for alert in changed:
        alert.facts = msgspec.to_builtins(facts)
    gone = withdraw(session, note_id=note_id, but=row.mentions, now=now)
    known = {alert.user_id for alert in told}
    return row, [*changed, *gone, *_tell(session, row, (user for user in named if user.id not in known), facts, now)]


def delete(session: Session, talk_id: int, note_id: int, author_id: int, now: datetime) -> list[Alert]:
    """Take one's own note back; returns the alerts of it that nobody needs any more. LookupError."""
    session.delete(_own(session, talk_id, note_id, author_id))
    session.flush()
    return withdraw(session, note_id=note_id, now=now)


def mentioned(words: str, users: list[User]) -> list[User]:
    """Whom `words` name with @ and their whole name, or their first name where nobody else has it."""
    found = []
    firsts = [user.name.split()[0].casefold() for user in users if user.name.split()]
    for user in users:
        first = user.name.split()[0].casefold() if user.name.split() else ""
        names = [user.name.casefold(), *([first] if firsts.count(first) == 1 else [])]
        if any(name and re.search(rf"(?<!\w)@{re.escape(name)}(?!\w)", words.casefold()) for name in names):
            found.append(user)
    return found


def _own(session: Session, talk_id: int, note_id: int, author_id: int) -> Note:
    found = (Note.id == note_id, Note.conversation_id == talk_id, Note.author_id == author_id)
    row = session.scalar(select(Note).where(*found).with_for_update(key_share=True))
    if row is None:
        raise LookupError(note_id)
    return row


def _people(session: Session, author_id: int, words: str) -> tuple[User, list[User]]:
    """The author, and whom the words name besides."""
    users = list(session.scalars(select(User).where(User.active).order_by(User.id)))
    author = next(user for user in users if user.id == author_id)
    return author, [user for user in mentioned(words, users) if user is not author]


def _facts(session: Session, row: Note, author: User) -> Facts:
    return facts_about(session, row.conversation_id, by=author.name, words=row.words)


def _tell(session: Session, row: Note, named: Iterable[User], facts: Facts, now: datetime) -> list[Alert]:
    return [
        raise_alert(
            session,
            kind="mention",
            user_id=user.id,
            company_id=row.company_id,
            facts=facts,
            now=now,
            conversation_id=row.conversation_id,
            note_id=row.id,
        )
        for user in named
    ]

"""Who answers a conversation: the bot, nobody yet (queued), or one person. The row's lock decides, so two never do.

While a person owns it the bot is silent (`bot/conversation.py` looks at the owner in each turn), and what the bot had said but
nobody had begun to send is taken back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.channels.base import WINDOW, Text
from bot.conversation import PREVIEW
from bot.standin import Outgoing
from crm_bridge.companies.rules import Refusal
from crm_bridge.events import Event, HandedBack, TakenOver
from crm_bridge.journal import record
from data import outbox
from data.inbox import RANK
from data.tables import Conversation, Lead, Number, OutboxMessage, User
from data.types import new_id
from dialogs import engine

LONGEST = 4096
"""Characters of a text message."""
_encode = msgspec.json.Encoder().encode


class Taken(Refusal):
    """Another person answers this conversation."""


class WindowClosed(Refusal):
    """The 24 hours for free text are over: only an approved template may be sent."""


class NothingWritten(Refusal):
    """A reply without words."""


class TooLong(Refusal):
    """A reply of more than LONGEST characters."""


def take(session: Session, talk_id: int, user_id: int, now: datetime, *, over: bool = False) -> Conversation:
    """Make the conversation `user_id`'s; whoever has it already keeps it. `over`: also when another person has it. LookupError
    when there is none; Taken."""
    talk = _locked(session, talk_id)
    if talk.owner == "human" and talk.owner_id == user_id:
        return talk
    if talk.owner == "human" and talk.owner_id is not None and not over:
        raise Taken
    talk.owner, talk.owner_id, talk.due_at = "human", user_id, None
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.conversation_id == talk_id, OutboxMessage.rank == RANK["queued"], OutboxMessage.author_id.is_(None))
        .values(rank=RANK["cancelled"], state="cancelled")
    )
    session.execute(
        update(Lead)
        .where(Lead.person_id == talk.person_id, Lead.stage.in_(("new", "working")))
        .values(owner_id=user_id, stage="working", updated_at=now)
    )
    _tell(session, talk, TakenOver(by=session.scalars(select(User.name).where(User.id == user_id)).one()), user_id, now)
    return talk


def reply(session: Session, talk_id: int, user_id: int, words: str, now: datetime) -> Outgoing:
    """Queue what a person writes; it is theirs to answer from here on. The message is to be sent after the commit. LookupError;
    Taken, WindowClosed, NothingWritten, TooLong."""
    if not words:
        raise NothingWritten
    if len(words) > LONGEST:
        raise TooLong
    talk = take(session, talk_id, user_id, now)
    channel = session.scalars(select(Number.channel).where(Number.id == talk.number_id)).one()
    if channel == "whatsapp" and (talk.last_in_at is None or talk.last_in_at + WINDOW <= now):
        raise WindowClosed
    message = Text(words)
    row: dict[str, Any] = {
        "id": new_id(),
        "company_id": talk.company_id,
        "number_id": talk.number_id,
        "conversation_id": talk.id,
        "channel": channel,
        "recipient": talk.recipient,
        "kind": "text",
        "text": words,
        "payload": _encode(message).decode(),
        "state": "queued",
        "rank": RANK["queued"],
        "due_at": now,
        "author_id": user_id,
        "created_at": now,
    }
    talk.preview, talk.unread = words[:PREVIEW], 0
    session.flush()
    outbox.add(session, [row])
    return Outgoing(row["id"], talk.id, talk.number_id, talk.recipient, message)


def give_back(session: Session, talk_id: int, user_id: int, now: datetime, *, over: bool = False) -> None:
    """Let the bot answer again: it goes on where the talk was, and does not ask anew. `over`: also when it is another's.
    LookupError; Taken."""
    talk = _locked(session, talk_id)
    if talk.owner == "human" and talk.owner_id not in (None, user_id) and not over:
        raise Taken
    if talk.owner == "bot":
        return
    talk.owner, talk.owner_id = "bot", None
    if talk.state is not None:
        state = engine.resume(engine.state_from_json(talk.state))
        talk.state, talk.status = engine.state_to_json(state), state.status
    _tell(session, talk, HandedBack(), user_id, now)


def _locked(session: Session, talk_id: int) -> Conversation:
    talk = session.scalar(select(Conversation).where(Conversation.id == talk_id).with_for_update(key_share=True))
    if talk is None:
        raise LookupError(talk_id)
    return talk


def _tell(session: Session, talk: Conversation, event: Event, user_id: int, now: datetime) -> None:
    session.flush()
    record(session, talk.company_id, event, now, person=talk.person_id, conversation=talk.id, user=user_id)

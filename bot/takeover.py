"""Who answers a conversation: the bot, nobody yet (queued), or one person. The row's lock decides, so two never do.

While a person owns it the bot is silent (`bot/conversation.py` looks at the owner in each turn), and what the bot had said but
nobody had begun to send is taken back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot import rating
from bot.channels.base import Outbound, Text, window_open
from bot.live import Change
from bot.numbers import OurNumber
from bot.staff.memory import is_memory
from bot.standin import Outgoing
from bot.translate import PREVIEW
from crm_bridge.assignment import service as assignment
from crm_bridge.assignment.rules import AskedAnother, Taken
from crm_bridge.companies.rules import Refusal
from crm_bridge.events import Event, HandedBack, TakenOver
from crm_bridge.journal import record
from data import outbox
from data.inbox import RANK
from data.tables import Alert, Conversation, InboxMessage, Number, OutboxMessage, User
from data.types import new_id
from dialogs import engine
from notifications import alerts

LONGEST = 4096
"""Characters of a text message."""
_encode = msgspec.json.Encoder().encode


class WindowClosed(Refusal):
    """The 24 hours for free text are over: only an approved template may be sent."""


class NothingWritten(Refusal):
    """A reply without words."""


class TooLong(Refusal):
    """A reply of more than LONGEST characters."""


def take(session: Session, talk_id: int, user_id: int, now: datetime, *, over: bool = False, via: str = "page") -> Conversation:
    """Make the conversation `user_id`'s, who accepts what was offered or takes it unasked; whoever has it already keeps it.
    `over`: also when another person has it. LookupError when there is none; Taken."""
    talk = _locked(session, talk_id)
    if talk.owner == "human" and talk.owner_id == user_id:
        return talk
    if talk.owner == "human" and talk.owner_id is not None and not over:
        raise Taken(session.scalar(select(User.name).where(User.id == talk.owner_id)) or "")
    for offer in assignment.accept(session, talk_id, user_id, via, now, over=over):
        alerts.acknowledge(session, offer_id=offer.id, user_id=user_id, via=via, now=now)
    alerts.withdraw(session, conversation_id=talk_id, now=now)
    talk.owner, talk.owner_id, talk.due_at, talk.snoozed_until = "human", user_id, None, None
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.conversation_id == talk_id, OutboxMessage.rank == RANK["queued"], OutboxMessage.author_id.is_(None))
        .values(rank=RANK["cancelled"], state="cancelled")
    )
    _tell(session, talk, TakenOver(by=session.scalars(select(User.name).where(User.id == user_id)).one()), user_id, now)
    return talk


def answer_alert(session: Session, alert: Alert, action: str, via: str, now: datetime) -> list[Change]:
    """What a button of an alert does, on any channel: accept, pass, or done for one that is only to be read. Returns what the
    pages show anew. Refusals of crm_bridge/assignment/rules.py."""
    if alert.offer_id is None or action == "done":
        told = alerts.acknowledge(session, alert_id=alert.id, user_id=alert.user_id, via=via, now=now)
        return [Change("alert", alert.user_id), *(Change("alert", each.user_id) for each in told)]
    if action == "accept":
        _, row = assignment.answer(session, alert.offer_id, alert.user_id, now)
    else:
        row = assignment.decline(session, alert.offer_id, alert.user_id, via, now)
    told = alerts.acknowledge(session, offer_id=alert.offer_id, user_id=alert.user_id, via=via, now=now)
    if action == "accept":
        told += alerts.withdraw(session, conversation_id=row.conversation_id, now=now)
        take(session, row.conversation_id, alert.user_id, now, via=via)
    users = {alert.user_id, *(each.user_id for each in told)}
    return [
        Change("conversation", row.conversation_id),
        Change("assignment", row.id),
        *([Change("lead", row.lead_id)] if row.lead_id is not None else []),
        *(Change("alert", user) for user in sorted(users)),
    ]


def reply(session: Session, talk_id: int, user_id: int, words: str, now: datetime, *, via: str = "page") -> Outgoing:
    """Queue what a person writes; it is theirs to answer from here on. The message is to be sent after the commit. LookupError;
    Taken, WindowClosed, NothingWritten, TooLong."""
    if not words:
        raise NothingWritten
    if len(words) > LONGEST:
        raise TooLong
    talk = take(session, talk_id, user_id, now, via=via)
    channel = session.scalars(select(Number.channel).where(Number.id == talk.number_id)).one()
    if not window_open(channel, talk.last_in_at, now):
        raise WindowClosed
    return say(session, talk, Text(words), words, user_id, now)


def say(session: Session, talk: Conversation, message: Outbound, words: str, user_id: int | None, now: datetime) -> Outgoing:
    """Queue a message into a conversation as this user, or as the bot (None); `words` is what the pages show of it. It is to be
    sent after the commit (`Service.on_said`)."""
    channel = session.scalars(select(Number.channel).where(Number.id == talk.number_id)).one()
    row: dict[str, Any] = {
        "id": new_id(),
        "company_id": talk.company_id,
        "number_id": talk.number_id,
        "conversation_id": talk.id,
        "channel": channel,
        "recipient": talk.recipient,
        "kind": type(message).__struct_config__.tag,
        "text": words,
        "payload": _encode(message).decode(),
        "state": "queued",
        "rank": RANK["queued"],
        "due_at": now,
        "author_id": user_id,
        "created_at": now,
    }
    talk.preview = words[:PREVIEW]
    if user_id is not None:
        talk.unread = 0
        assignment.wrote(session, talk.id, user_id, now)
    session.flush()
    outbox.add(session, [row])
    return Outgoing(row["id"], talk.id, talk.number_id, talk.recipient, message)


def give_back(session: Session, talk_id: int, user_id: int | None, now: datetime, *, over: bool = False) -> None:
    """Let the bot answer again: it goes on where the talk was, and does not ask anew. The timeline keeps in short what was said
    meanwhile. `user_id` None: it was silent for too long. `over`: also when it is another's. LookupError; Taken, AskedAnother."""
    talk = _locked(session, talk_id)
    if not over:
        refuse_others(session, talk, user_id)
    if talk.owner == "bot":
        return
    closed = assignment.close(session, talk_id, now)
    alerts.withdraw(session, conversation_id=talk_id, now=now)
    told = _in_short(session, talk_id, closed.accepted_at) if closed is not None and closed.accepted_at else HandedBack()
    talk.owner, talk.owner_id, talk.snoozed_until = "bot", None, None
    if talk.state is not None and not is_memory(talk.state):
        state = engine.resume(engine.state_from_json(talk.state))
        talk.state, talk.status = engine.state_to_json(state), state.status
    _tell(session, talk, told, user_id, now)


def refuse_others(session: Session, talk: Conversation, user_id: int | None) -> None:
    """Who has a conversation, or is being asked whether they take it, decides about it. Taken, AskedAnother."""
    if talk.owner == "human" and talk.owner_id not in (None, user_id):
        raise Taken(session.scalar(select(User.name).where(User.id == talk.owner_id)) or "")
    asked = assignment.current(session, talk.id) if talk.owner == "queued" else None
    if asked is not None and asked.state == "offered" and asked.user_id != user_id:
        raise AskedAnother


def finish(
    session: Session, talk_id: int, user_id: int, number: OurNumber, now: datetime, *, over: bool = False
) -> list[Outgoing]:
    """The matter is done: the bot answers again, and asks the prospect once how it went, where the window is open. Returns what
    is to be sent after the commit. LookupError; Taken."""
    held = assignment.current(session, talk_id)
    give_back(session, talk_id, user_id, now, over=over)
    if held is None or held.accepted_at is None:
        return []
    talk = _locked(session, talk_id)
    if not window_open(number.row.channel, talk.last_in_at, now):
        return []
    asked = rating.question(session, held, number, now)
    return [say(session, talk, asked, asked.body, None, now)] if asked is not None else []


def _in_short(session: Session, talk_id: int, since: datetime) -> HandedBack:
    """What was said since a person took over."""
    theirs, first = session.execute(
        select(func.count(), func.min(InboxMessage.id)).where(
            InboxMessage.conversation_id == talk_id, InboxMessage.received_at >= since
        )
    ).one()
    last = (
        session.scalar(
            select(InboxMessage.text).where(InboxMessage.conversation_id == talk_id).order_by(InboxMessage.id.desc()).limit(1)
        )
        if first is not None
        else ""
    )
    ours = session.scalar(
        select(func.count()).where(
            OutboxMessage.conversation_id == talk_id, OutboxMessage.created_at >= since, OutboxMessage.author_id.is_not(None)
        )
    )
    return HandedBack(received=theirs, sent=ours or 0, last=(last or "")[:PREVIEW])


def _locked(session: Session, talk_id: int) -> Conversation:
    talk = session.scalar(select(Conversation).where(Conversation.id == talk_id).with_for_update(key_share=True))
    if talk is None:
        raise LookupError(talk_id)
    return talk


def _tell(session: Session, talk: Conversation, event: Event, user_id: int | None, now: datetime) -> None:
    session.flush()
    record(session, talk.company_id, event, now, person=talk.person_id, conversation=talk.id, user=user_id)

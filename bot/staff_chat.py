"""The chat of our own people, who wrote a one-time code from their phone: they ask and command where a prospect would be asked.

What can be asked for is one table, `bot/staff/table.py`. Company and role come from the account that the chat is bound to, never
from what is written; each command runs in a session of that company and in a savepoint, so that a refusal leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.base import Choices, Inbound, Text
from bot.staff import codes
from bot.staff.desk import EVERYBODY, Desk, Reply, Staff, StaffTurn
from bot.staff.ear import Ear
from bot.staff.listening import Answer, take_in
from bot.staff.meaning import understand
from bot.staff.memory import Memory, is_memory, keep, recall
from bot.staff.words import refused, text
from crm_bridge.companies.rules import Refusal
from data.scope import run_work
from data.tables import Company, Conversation, Number, Person, User

__all__ = ["Staff", "StaffTurn", "answer", "hear", "is_code", "is_memory", "is_unclear"]

Said = Sequence[tuple[int, Inbound]]
"""Messages with the ids of their inbox rows."""


# ------------------------------------------------------------------------------------------------------- the door
def is_code(said: Said) -> bool:
    """Whether a stranger's messages may hold a one-time code: worth a look into the database."""
    return any(codes.may_be(message.text) for _, message in said if message.kind == "text")


def is_unclear(said: Said) -> bool:
    """Whether no rule knows what some of our own people's messages ask for, so that the ear is needed."""
    return any(message.choice is None and message.text.strip() and understand(message.text) is None for _, message in said)


def hear(session: Session, talk: Mapping[str, Any], said: Said, now: datetime, ear: Ear) -> StaffTurn | None:
    """A turn in the chat of one of our own people, or of a stranger who writes a code: then that is all it is about. None for
    anybody else. `talk` is the conversation's row with its person's `user_id`; the session is the installation's."""
    ours = talk["user_id"] is not None
    for _, message in said:
        if message.kind == "text" and (codes.says_so(message.text) or not ours):
            told = codes.bind(session, talk["person_id"], talk["id"], message.text, now)
            if told is not None:
                bound = staff_of(session, talk["id"]) is not None
                return StaffTurn([Text(told)], _row(Memory()) if bound else {})
    staff = staff_of(session, talk["id"]) if ours else None
    return answer(session, staff, said, now, ear, talk["state"]) if staff is not None else None


def _row(memory: Memory) -> dict[str, Any]:
    return {"owner": "bot", "state": keep(memory), "due_at": None, "unread": 0}


def staff_of(session: Session, conversation_id: int) -> Staff | None:
    """Whose chat a conversation is: by the account that its person is bound to. One read."""
    found = session.execute(
        select(User, Company, Number.id, Number.channel)
        .select_from(Conversation)
        .join(Person, Person.id == Conversation.person_id)
        .join(User, (User.id == Person.user_id) & (User.company_id == Conversation.company_id))
        .join(Company, Company.id == Conversation.company_id)
        .join(Number, Number.id == Conversation.number_id)
        .where(Conversation.id == conversation_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    user, company, number, channel = found
    return Staff(
        user_id=user.id,
        company_id=company.id,
        company=company.name,
        name=user.name,
        role=user.role if user.role in EVERYBODY else "seller",
        active=user.active,
        zone=ZoneInfo(company.timezone),
        conversation_id=conversation_id,
        number_id=number,
        channel=channel,
    )


# ---------------------------------------------------------------------------------------------------------- a turn
def answer(session: Session, staff: Staff, said: Said, now: datetime, ear: Ear, state: str | None = None) -> StaffTurn:
    """Do what was asked for, one message after the other. `state` is the chat's, as it was kept."""
    if not staff.active:
        return StaffTurn([text("no_access", company=staff.company)], _row(Memory()))
    turn, memory = StaffTurn(), recall(state)
    for source, message in said:
        desk = Desk(session, staff, memory, now, source, ear)
        replies = _scoped(desk, partial(take_in, message=message))
        shown = next((reply for reply in reversed(replies) if isinstance(reply, Choices)), None)
        options = tuple(option.id for option in shown.options) if shown else ()
        memory = msgspec.structs.replace(desk.memory, options=options, at=now)
        turn.replies += replies
        turn.sent += desk.sent
        turn.changed += [(staff.company_id, change) for change in desk.changed]
        turn.touched += desk.touched
    turn.row = _row(memory)
    return turn


def _scoped(desk: Desk, work: Callable[[Desk], Answer]) -> list[Reply]:
    """Work in a session of the staff's company, within the turn's transaction. What is refused is undone and said."""
    outer = desk.session
    outer.flush()
    connection = outer.connection()
    savepoint = connection.begin_nested()

    def run(session: Session) -> Answer:
        desk.session = session
        return work(desk)

    try:
        done = run_work(connection, run, desk.staff.company_id)
        savepoint.commit()
    except (Refusal, LookupError) as error:
        savepoint.rollback()
        if isinstance(error, KeyError | IndexError):
            raise  # a fault of ours, and none of theirs
        desk.sent, desk.changed, desk.touched = [], [], []
        done = Text(refused(error)) if isinstance(error, Refusal) else text("gone")
    finally:
        desk.session = outer
        outer.expire_all()
    return done if isinstance(done, list) else [done]

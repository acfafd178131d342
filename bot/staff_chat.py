"""The chat of our own people, who wrote a one-time code from their phone: they ask and command where a prospect would be asked.

What can be asked for is one table, `bot/staff/table.py`. Company and role come from the account that the chat is bound to, never
from what is written; each command runs in a session of that company and in a savepoint, so that a refusal leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.channels.base import Choices, Inbound, Text
from bot.staff import find
from bot.staff.desk import EVERYBODY, Desk, Reply, Staff, StaffTurn
from bot.staff.memory import FRESH, Asked, Memory, is_memory, keep, recall
from bot.staff.prospects import alert_pressed, confirm
from bot.staff.table import BY_NAME, Command, Meant, handler_of, understand
from bot.staff.words import button, choices, refused, say, text
from crm_bridge.assignment import service as assignment
from crm_bridge.companies.rules import Refusal
from data.inbox import RANK
from data.scope import run_work
from data.tables import Company, ContactPoint, Conversation, Delivery, InboxMessage, LinkCode, Number, Person, User
from dialogs.readers.words import fold

__all__ = ["Staff", "StaffTurn", "answer", "bind", "hear", "is_code", "is_memory"]

Said = Sequence[tuple[int, Inbound]]
"""Messages with the ids of their inbox rows."""
Answer = Reply | list[Reply]

TRIES, TRIES_IN = 5, timedelta(hours=1)
"""Codes that one person may try, and in which time."""
_LARGEST_ID = 2**63 - 1
_CODE = r"[A-HJ-NP-Z2-9]{6,8}"
_BARE = re.compile(rf"\s*(?:/start\s+)?({_CODE})[\s.]*")
_NAMED = re.compile(r"\s*/?vincular?\s*:?\s*([a-z0-9-]{4,12})[\s.]*", re.IGNORECASE)
_CHOICE = re.compile(r"(?:staff:(?P<verb>[a-z_]+):(?P<row>\d{1,19})|alert:(?P<alert>\d{1,19}):(?P<action>accept|pass))")
_YES = re.compile(r"(?:si|s|sip|claro|dale|ok|okay|listo|enviar|envialo|enviale|mandalo|de una|confirmo|hagale)(?: .{0,20})?")
_NO = re.compile(r"(?:no|nop|cancelar|cancela|cancelalo|dejalo|dejala|mejor no|nada|ninguno|olvidalo)(?: gracias)?")
_GREETING = re.compile(r"(?:hola|buenas|buenos dias|buenas tardes|buenas noches|hey|que mas)(?: .{0,12})?")
_NUMBER = re.compile(r"(\d{1,2})[.)]?")


# ------------------------------------------------------------------------------------------------------- the door
def is_code(said: Said) -> bool:
    """Whether a stranger's messages may hold a one-time code: worth a look into the database."""
    return any(_NAMED.fullmatch(message.text) or _BARE.fullmatch(message.text) for _, message in said if message.kind == "text")


def hear(session: Session, talk: Mapping[str, Any], said: Said, now: datetime) -> StaffTurn | None:
    """A turn in the chat of one of our own people, or of a stranger who writes a code: then that is all it is about. None for
    anybody else. `talk` is the conversation's row with its person's `user_id`; the session is the installation's."""
    ours = talk["user_id"] is not None
    for _, message in said:
        if message.kind == "text" and (_NAMED.fullmatch(message.text) or not ours):
            told = bind(session, talk["person_id"], talk["id"], message.text, now)
            if told is not None:
                bound = staff_of(session, talk["id"]) is not None
                return StaffTurn([Text(told)], _row(Memory()) if bound else {})
    staff = staff_of(session, talk["id"]) if ours else None
    return answer(session, staff, said, now, talk["state"]) if staff is not None else None


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


# ---------------------------------------------------------------------------------------------------- one-time codes
def bind(session: Session, person_id: int, conversation_id: int, words: str, now: datetime) -> str | None:
    """Make a chat the account's whose code this is; what to answer. None: those are no code of ours, and nobody said that they
    were. Whether a code is unknown, used, late or another company's is all the same to whoever tries."""
    named, bare = _NAMED.fullmatch(words), _BARE.fullmatch(words)
    found = named or bare
    if found is None:
        return None
    if _tries(session, person_id, _NAMED if named else _BARE, now) > TRIES:
        return say("too_many_codes") if named else None
    company, channel, recipient = session.execute(
        select(Conversation.company_id, Number.channel, Conversation.recipient)
        .join(Number, Number.id == Conversation.number_id)
        .where(Conversation.id == conversation_id)
    ).one()
    code = re.sub(r"[\s-]", "", found[1]).upper()
    row = session.execute(
        select(LinkCode, User, Company.name)
        .join(User, User.id == LinkCode.user_id)
        .join(Company, Company.id == LinkCode.company_id)
        .where(
            LinkCode.code_hash == hashlib.sha256(code.encode()).hexdigest(),
            LinkCode.company_id == company,
            LinkCode.used_at.is_(None),
            LinkCode.expires_at > now,
            User.active,
        )
        .with_for_update(of=LinkCode)
    ).one_or_none()
    if row is None:
        return say("wrong_code") if named else None
    link, user, name = row
    address = next((recipient[kind] for kind in ("phone", "telegram", "bsuid", "webchat") if recipient.get(kind)), "")
    if not _reach(session, user, channel, address, conversation_id, now):
        return say("other_company")
    link.used_at = now
    session.execute(
        update(Person).where(Person.id == person_id, Person.company_id == company).values(user_id=user.id),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Conversation).where(Conversation.id == conversation_id).values(owner="bot", owner_id=None, snoozed_until=None),
        execution_options={"synchronize_session": False},
    )
    assignment.close(session, conversation_id, now)
    session.flush()
    return say("bound", name=user.name.split()[0] if user.name.split() else user.name, company=name)


def _tries(session: Session, person_id: int, shape: re.Pattern[str], now: datetime) -> int:
    """How many codes the person has tried lately, with this one."""
    lately = session.scalars(
        select(InboxMessage.text)
        .join(Conversation, Conversation.id == InboxMessage.conversation_id)
        .where(Conversation.person_id == person_id, InboxMessage.received_at > now - TRIES_IN)
        .order_by(InboxMessage.id.desc())
        .limit(200)
    )
    return sum(shape.fullmatch(words) is not None for words in lately)


def _reach(session: Session, user: User, channel: str, address: str, conversation_id: int, now: datetime) -> bool:
    """The user is told in this chat from here on, whoever was before; False when it is of another company's account."""
    row = session.scalar(
        select(ContactPoint).where(ContactPoint.channel == channel, ContactPoint.address == address).with_for_update()
    )
    if row is not None and row.company_id != user.company_id:
        return False
    if row is not None and row.user_id != user.id:
        session.execute(
            update(Delivery)
            .where(Delivery.contact_point_id == row.id, Delivery.rank == RANK["queued"])
            .values(state="cancelled", rank=RANK["cancelled"])
            .execution_options(synchronize_session=False)
        )
        row.address, row.enabled, row.problem, row.conversation_id = f"moved:{row.id}", False, "moved", None
        session.flush()
        row = None
    if row is None:
        row = ContactPoint(
            company_id=user.company_id, user_id=user.id, channel=channel, address=address, keys={}, label="", created_at=now
        )
        session.add(row)
    row.enabled, row.problem, row.conversation_id = True, None, conversation_id
    session.flush()
    return True


# ---------------------------------------------------------------------------------------------------------- a turn
def answer(session: Session, staff: Staff, said: Said, now: datetime, state: str | None = None) -> StaffTurn:
    """Do what was asked for, one message after the other. `state` is the chat's, as it was kept."""
    if not staff.active:
        return StaffTurn([text("no_access", company=staff.company)], _row(Memory()))
    turn, memory = StaffTurn(), recall(state)
    for source, message in said:
        desk = Desk(session, staff, memory, now, source)
        replies = _scoped(desk, partial(_message, message=message))
        shown = next((reply for reply in reversed(replies) if isinstance(reply, Choices)), None)
        options = tuple(option.id for option in shown.options) if shown else ()
        memory = msgspec.structs.replace(desk.memory, options=options)
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
        desk.sent, desk.changed, desk.touched = [], [], []
        done = Text(refused(error)) if isinstance(error, Refusal) else text("gone")
    finally:
        desk.session = outer
        outer.expire_all()
    return done if isinstance(done, list) else [done]


def _message(desk: Desk, message: Inbound) -> Answer:
    asked, desk.memory = desk.memory.asked, msgspec.structs.replace(desk.memory, asked=None)
    desk.asked = asked if asked is not None and asked.at + FRESH > desk.now else None
    if message.choice is not None:
        return _pressed(desk, message.choice)
    words = message.text.strip()
    if not words or message.kind not in ("text", "button", "list"):
        return text("only_text")
    if message.about is not None:
        desk.about = find.told_of(desk.session, desk.staff.conversation_id, message.about, desk.staff.user_id)
    folded = " ".join(fold(words).strip(" .,!¡¿?").split())
    number = _NUMBER.fullmatch(folded)
    if number and 0 < int(number[1]) <= len(desk.memory.options):
        return _pressed(desk, desk.memory.options[int(number[1]) - 1])
    meant = understand(words)
    sure = meant if meant is not None and meant.sure else None
    if desk.asked is not None and not (sure and _interrupts(desk.asked, sure, words)):
        answered = _answered(desk, desk.asked, words, folded)
        if answered is not None:
            return answered
    if desk.about is not None and sure is None:
        return confirm(desk, words, desk.about)
    if meant is not None:
        return _run(desk, meant.command, meant.words)
    return BY_NAME["help"].handler(desk, "", None) if _GREETING.fullmatch(folded) else _unknown()


def _interrupts(asked: Asked, meant: Meant, words: str) -> bool:
    """Whether a command counts where words were asked for: what is written to a prospect may begin like one."""
    return asked.verb not in ("reply", "note") or not meant.words or words.startswith("/")


def _run(desk: Desk, command: Command, words: str, row: int | None = None) -> Answer:
    if desk.staff.role not in command.roles:
        return text("not_allowed", says=command.says[0])
    return command.handler(desk, words, row)


def _answered(desk: Desk, asked: Asked, words: str, folded: str) -> Answer | None:
    """What was written after a question of ours, where it is an answer to it."""
    if _NO.fullmatch(folded):
        return text("cancelled")
    if asked.verb == "send":
        return _pressed(desk, f"staff:send:{asked.id}") if _YES.fullmatch(folded) else None
    handler = handler_of(asked.verb)
    if handler is None:
        return None
    if asked.verb == "to":
        to = words if fold(words).startswith("a ") else f"a {words}"
        return BY_NAME["transfer"].handler(desk, to, asked.talk)
    if asked.talk is not None or asked.verb == "remind":
        return handler(desk, words, asked.talk)
    found = find.named(desk.session, words, desk.staff.user_id)  # "which one?"
    return handler(desk, asked.words, found[0].id) if len(found) == 1 else None


def _pressed(desk: Desk, choice: str) -> Answer:
    """A button or row of ours, whenever it was shown."""
    match = _CHOICE.fullmatch(choice)
    if match is None or int(match["row"] or match["alert"]) > _LARGEST_ID:
        return text("old_button")
    if match["alert"]:
        return alert_pressed(desk, int(match["alert"]), match["action"])
    verb, row = match["verb"], int(match["row"])
    asked = desk.asked
    words = asked.words if asked is not None and asked.verb == verb and asked.talk is None else ""
    command = BY_NAME.get(verb)
    if command is not None:
        return _run(desk, command, words, row)
    handler = handler_of(verb)
    return handler(desk, words, row) if handler is not None else text("old_button")


def _unknown() -> Reply:
    return choices(say("unknown"), (button("leads", 0), button("next", 0), button("help", 0)))

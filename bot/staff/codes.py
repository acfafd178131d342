"""One-time codes: whoever writes one from their phone makes that chat their account's."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.staff.words import say
from crm_bridge.assignment import service as assignment
from data.inbox import RANK
from data.tables import Company, ContactPoint, Conversation, Delivery, InboxMessage, LinkCode, Number, Person, User
from notifications.alerts import CHAT

TRIES, TRIES_IN = 5, timedelta(hours=1)
"""Codes that one person may try, and in which time."""
_CODE = r"[A-HJ-NP-Z2-9]{6,8}"
_BARE = re.compile(rf"\s*(?:/start\s+)?({_CODE})[\s.]*")
_NAMED = re.compile(r"\s*/?vincular?\s*:?\s*([a-z0-9-]{4,12})[\s.]*", re.IGNORECASE)


def says_so(words: str) -> bool:
    """Whether they say that it is a code: "VINCULAR …"."""
    return _NAMED.fullmatch(words) is not None


def may_be(words: str) -> bool:
    """Whether words may be one: worth a look into the database."""
    return says_so(words) or _BARE.fullmatch(words) is not None


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
    if channel not in CHAT:  # who writes in a chat widget is whoever they say they are
        return None
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
    address = next((recipient[kind] for kind in ("phone", "telegram", "bsuid") if recipient.get(kind)), "")
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

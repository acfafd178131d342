"""By which ways a user is told: their contact points, quiet hours, the one-time code that binds a phone, and what became of each
delivery. Functions of a session."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crm_bridge.companies.rules import Refusal
from data.inbox import RANK
from data.tables import Alert, ContactPoint, Conversation, Delivery, LinkCode, OutboxMessage, Person, User
from notifications.senders import other, webpush

STATES = ("queued", "sending", "uncertain", "sent", "delivered", "read", "failed", "cancelled", "parked")
REMOVED, MOVED = "removed", "moved"
"""`problem` of points that their user took away, and of browsers in which somebody else logged in since. The rows stay, for what
was sent to them."""
CODE_LIFE = timedelta(minutes=15)
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without those that look alike."""
_CODE_LENGTH = 8
_LONGEST_ADDRESS = 2048
_MOST = 20
"""Points a user may have of what they add themselves."""
_POINT_BYTES, _AUTH_BYTES = 65, 16


class NotAnEndpoint(Refusal):
    """What the browser sent is no push subscription that we may write to."""


class NotAnAddress(Refusal):
    """Not the Apprise URL of a service that may be used."""


class AddressTaken(Refusal):
    """Somebody is told by that address already."""


class TooManyContacts(Refusal):
    """A user with `_MOST` points adds another."""


class WrongQuietHours(Refusal):
    """Not two different hours such as 22:00 and 07:00, nor none at all."""


# ------------------------------------------------------------------------------------------------- what is valid
def check_subscription(endpoint: str, p256dh: str, auth: str) -> None:
    """A push subscription (Push API, W3C): NotAnEndpoint unless it is on the public internet, with keys of the right size."""
    try:
        webpush.check_endpoint(endpoint)
    except ValueError:
        raise NotAnEndpoint from None
    if not endpoint.isascii() or _size(p256dh) != _POINT_BYTES or _size(auth) != _AUTH_BYTES:
        raise NotAnEndpoint


def check_service(url: str) -> None:
    """An Apprise URL: NotAnAddress unless it is whole, and of a service that may be used. Loads a lot: not on the event loop."""
    if not url.isprintable() or len(url) > _LONGEST_ADDRESS or not url.partition("://")[2]:
        raise NotAnAddress
    try:
        other.read_address(url)
    except ValueError:
        raise NotAnAddress from None


def _size(key: str) -> int:
    """Bytes of a base64url key; 0 when it is none."""
    try:
        return len(urlsafe_b64decode(key + "=" * (-len(key) % 4))) if re.fullmatch(r"[\w-]{1,200}", key, re.ASCII) else 0
    except ValueError:
        return 0


# ------------------------------------------------------------------------------------------------ contact points
def points(session: Session, user_id: int) -> list[ContactPoint]:
    """Oldest first, without those that were taken away."""
    shown = func.coalesce(ContactPoint.problem, "") != REMOVED
    return list(
        session.scalars(
            select(ContactPoint).where(ContactPoint.user_id == user_id, shown).order_by(ContactPoint.created_at, ContactPoint.id)
        )
    )


def point(session: Session, user_id: int, point_id: int) -> ContactPoint:
    """LookupError when it is not theirs."""
    row = session.scalar(select(ContactPoint).where(ContactPoint.id == point_id, ContactPoint.user_id == user_id))
    if row is None or row.problem == REMOVED:
        raise LookupError(point_id)
    return row


def subscribe(session: Session, user_id: int, endpoint: str, p256dh: str, auth: str, label: str, now: datetime) -> ContactPoint:
    """A browser that is told by push. Again, it brings the keys up to date; of somebody else who used that browser, it is taken
    from them. In a session of no company, as an address is unique in the installation. NotAnEndpoint, TooManyContacts."""
    check_subscription(endpoint, p256dh, auth)
    company = _locked(session, user_id)
    row = _at(session, "push", endpoint)
    if row is not None and row.user_id != user_id:
        _retire(session, row, MOVED)
        row = None
    if row is None:
        row = _add(session, company, user_id, "push", endpoint, label, now)
    row.keys, row.enabled, row.problem = {"p256dh": p256dh, "auth": auth}, True, None
    session.flush()
    return row


def unsubscribe(session: Session, user_id: int, endpoint: str) -> None:
    """The browser is told no more; nothing happens where it was not."""
    row = session.scalar(
        select(ContactPoint).where(
            ContactPoint.channel == "push", ContactPoint.address == endpoint, ContactPoint.user_id == user_id
        )
    )
    if row is not None:
        _retire(session, row, REMOVED)


def add_service(session: Session, user_id: int, url: str, label: str, now: datetime) -> ContactPoint:
    """Another service, by its Apprise URL that was checked; as `subscribe` in a session of no company. AddressTaken,
    TooManyContacts."""
    company = _locked(session, user_id)
    if _at(session, "other", url) is not None:
        raise AddressTaken
    row = _add(session, company, user_id, "other", url, label, now)
    session.flush()
    return row


def switch(session: Session, user_id: int, point_id: int, on: bool) -> None:
    """Switched on again, it is tried anew, whatever the problem was. LookupError."""
    row = point(session, user_id, point_id)
    if row.problem == MOVED:
        raise LookupError(point_id)
    row.enabled = on
    row.problem = None if on else row.problem
    if not on:
        _cancel(session, row.id)
    session.flush()


def remove(session: Session, user_id: int, point_id: int) -> None:
    """Take a point away, and the binding of a phone with it. LookupError; the account's own address stays, and is only switched
    off."""
    row = point(session, user_id, point_id)
    if row.channel == "email":
        raise LookupError(point_id)
    if row.conversation_id is not None:
        bound = select(Conversation.person_id).where(Conversation.id == row.conversation_id).scalar_subquery()
        session.execute(
            update(Person)
            .where(Person.id == bound, Person.user_id == user_id)
            .values(user_id=None)
            .execution_options(synchronize_session=False)
        )
    _retire(session, row, REMOVED)


def set_quiet(session: Session, user_id: int, start: str, end: str) -> None:
    """Quiet hours, both "" for none. WrongQuietHours."""
    given = (start, end)
    if any(given) and (start == end or not all(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", hour, re.ASCII) for hour in given)):
        raise WrongQuietHours
    user = session.scalars(select(User).where(User.id == user_id)).one()
    user.quiet_from, user.quiet_until = start or None, end or None
    session.flush()


def _at(session: Session, channel: str, address: str) -> ContactPoint | None:
    return session.scalar(select(ContactPoint).where(ContactPoint.channel == channel, ContactPoint.address == address))


def _locked(session: Session, user_id: int) -> int:
    """The user's company. Their row is held, so that what they send twice is done one after the other."""
    return session.scalars(select(User.company_id).where(User.id == user_id).with_for_update(key_share=True)).one()


def _add(session: Session, company: int, user_id: int, channel: str, address: str, label: str, now: datetime) -> ContactPoint:
    if len(points(session, user_id)) >= _MOST:
        raise TooManyContacts
    row = ContactPoint(
        company_id=company, user_id=user_id, channel=channel, address=address, keys={}, label=label, enabled=True, created_at=now
    )
    session.add(row)
    return row


def _retire(session: Session, row: ContactPoint, problem: str) -> None:
    """The address is free for others; what was sent to it stays in the log, what was not is not sent."""
    row.address, row.keys, row.enabled, row.problem, row.conversation_id = f"{problem}:{row.id}", {}, False, problem, None
    session.flush()
    _cancel(session, row.id)


def _cancel(session: Session, point_id: int) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.contact_point_id == point_id, Delivery.rank == RANK["queued"])
        .values(state="cancelled", rank=RANK["cancelled"])
        .execution_options(synchronize_session=False)
    )


# -------------------------------------------------------------------------------------------------- one-time code
def new_code(session: Session, user_id: int, now: datetime) -> tuple[int, str]:
    """A code that binds the phone which sends it, within CODE_LIFE: its row and itself, which is not kept. Earlier ones end."""
    session.execute(
        update(LinkCode)
        .where(LinkCode.user_id == user_id, LinkCode.used_at.is_(None), LinkCode.expires_at > now)
        .values(expires_at=now)
        .execution_options(synchronize_session=False)
    )
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    company = session.scalars(select(User.company_id).where(User.id == user_id)).one()
    row = LinkCode(
        company_id=company, user_id=user_id, code_hash=hashlib.sha256(code.encode()).hexdigest(), expires_at=now + CODE_LIFE
    )
    session.add(row)
    session.flush()
    return row.id, code


def code_state(session: Session, user_id: int, code_id: int, now: datetime) -> str:
    """waiting, used or expired. LookupError when it is not theirs."""
    row = session.scalar(select(LinkCode).where(LinkCode.id == code_id, LinkCode.user_id == user_id))
    if row is None:
        raise LookupError(code_id)
    return "used" if row.used_at else "waiting" if row.expires_at > now else "expired"


# --------------------------------------------------------------------------------------------------- delivery log
@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    channel: str = ""
    state: str = ""
    user: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery with what it was about and to whom. `state` is the message's where it went as one (WhatsApp, Telegram)."""

    row: Delivery
    alert: Alert
    user: str
    label: str
    state: str
    error: str
    at: datetime | None
    """When it was sent."""


_LINES = (
    select(Delivery, Alert, User.name, ContactPoint.label, OutboxMessage.state, OutboxMessage.error, OutboxMessage.sent_at)
    .join(Alert, Alert.id == Delivery.alert_id)
    .join(User, User.id == Alert.user_id)
    .join(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
    .outerjoin(OutboxMessage, OutboxMessage.id == Delivery.outbox_id)
)


def deliveries(session: Session, wanted: DeliveryFilter, limit: int, before: int | None = None) -> list[DeliveryLine]:
    """Newest first, by the index on (company, id): one read, however long the log. A rare state is searched for in it."""
    query = _LINES.order_by(Delivery.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Delivery.id < before)
    if wanted.channel:
        query = query.where(Delivery.channel == wanted.channel)
    if wanted.state:
        state = func.coalesce(OutboxMessage.state, Delivery.state)
        query = query.where(state == wanted.state)
    if wanted.user is not None:
        query = query.where(Alert.user_id == wanted.user)
    return [_line(*found) for found in session.execute(query)]


def delivery(session: Session, user_id: int, delivery_id: int) -> DeliveryLine | None:
    """One delivery to this user."""
    found = session.execute(_LINES.where(Delivery.id == delivery_id, Alert.user_id == user_id)).one_or_none()
    return _line(*found) if found is not None else None


def _line(
    row: Delivery, alert: Alert, user: str, label: str, state: str | None, error: str | None, sent: datetime | None
) -> DeliveryLine:
    return DeliveryLine(row, alert, user, label, state or row.state, error or row.error or "", sent or row.sent_at)

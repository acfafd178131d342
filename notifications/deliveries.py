"""The deliveries in the database: claimed by one process, given back when that one is gone, recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, text, update
from sqlalchemy.orm import Session

from data.inbox import RANK
from data.tables import Alert, Company, ContactPoint, Delivery, Process, User

TRIES = 6
FIRST_WAIT = timedelta(seconds=5)
"""Before the second try; each next one waits three times as long, the sixth some ten minutes after the first."""
LONGEST_WAIT = 3600
"""Seconds, whatever the other side asks for."""
_UNSENT = text("deliveries.rank < 20")
_FREE = or_(Delivery.rank == RANK["queued"], Delivery.rank == RANK["uncertain"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of trying: `state` sent, queued (another try), uncertain (another, it may have arrived), failed or cancelled.
    `after`: seconds that the other side asked to be left alone; `gone`: that way to reach the user is no more."""

    state: str
    error: str = ""
    after: float = 0.0
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send, with all that it is made of."""

    row: Delivery
    alert: Alert
    point: ContactPoint
    user: User
    company: Company


def channels_due(session: Session, now: datetime) -> set[str]:
    """The channels on which something is due: one look into the index of what is not sent."""
    return set(session.scalars(select(Delivery.channel).where(_UNSENT, _FREE, Delivery.due_at <= now).distinct()))


def claim(session: Session, room: Mapping[str, int], holder: int, now: datetime) -> tuple[list[Claimed], int]:
    """Make what is due the process `holder`'s to send, oldest first, on each channel at most as many as there is `room` for, and
    what it is made of. What nobody needs any more (it was acknowledged, the person left, the way was switched off) is cancelled
    here instead. Also returns how many rows were had, the cancelled ones included."""
    ids = [  # five channels at most: rows are locked and passed over one channel at a time
        row
        for channel, most in room.items()
        for row in session.scalars(
            select(Delivery.id)
            .where(_UNSENT, _FREE, Delivery.due_at <= now, Delivery.channel == channel)
            .order_by(Delivery.due_at, Delivery.id)
            .limit(most)
            .with_for_update(key_share=True, skip_locked=True)
        )
    ]
    if not ids:
        return [], 0
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(state="sending", rank=RANK["sending"], holder=holder, tries=Delivery.tries + 1)
        .execution_options(synchronize_session=False)
    )
    rows = session.execute(
        select(Delivery, Alert, ContactPoint, User, Company)
        .join(Alert, Alert.id == Delivery.alert_id)
        .join(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
        .join(User, User.id == Alert.user_id)
        .join(Company, Company.id == Delivery.company_id)
        .where(Delivery.id.in_(ids))
        .order_by(Delivery.due_at, Delivery.id)
        .execution_options(populate_existing=True)
    )
    claimed = [Claimed(*row) for row in rows]
    wanted, unwanted = [], []
    for each in claimed:
        if each.alert.state == "open" and each.user.active and each.point.enabled:
            wanted.append(each)
        else:
            unwanted.append(each.row.id)
    if unwanted:
        _set(session, Delivery.id.in_(unwanted), "cancelled", tries=Delivery.tries - 1)
    return wanted, len(claimed)


def adopt(session: Session, holder: int, held: Collection[int], now: datetime) -> int:
    """Give back what processes that are gone were sending, and what is `holder`'s without being among `held` (a claim of which it
    never heard): it may have left, and goes again. That is no try of its own, however often it happens. Returns how many."""
    lost = or_(Delivery.holder == holder, ~exists(select(1).where(Process.id == Delivery.holder)))
    ids = list(
        session.scalars(
            select(Delivery.id)
            .where(_UNSENT, Delivery.rank == RANK["sending"], lost, Delivery.id.not_in(held))
            .order_by(Delivery.id)
            .with_for_update(key_share=True, skip_locked=True)
        )
    )
    if ids:
        _set(session, Delivery.id.in_(ids), "uncertain", due_at=now, tries=Delivery.tries - 1)
    return len(ids)


def ours(session: Session, delivery_id: int, holder: int) -> Delivery | None:
    """The delivery, held until the end of the transaction, while it is still `holder`'s to send."""
    return session.scalar(
        select(Delivery)
        .where(_sending(delivery_id, holder))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def record(session: Session, claimed: Claimed, holder: int, outcome: Outcome, now: datetime) -> None:
    """Write what became of a delivery. That it was sent counts in any case; the rest only while it is `holder`'s."""
    row, state = claimed.row, outcome.state
    values: dict[str, Any] = {"error": outcome.error or None}
    if state == "sent":
        _set(session, and_(Delivery.id == row.id, Delivery.rank < RANK["sent"]), state, sent_at=now, **values)
        return
    if state in ("queued", "uncertain"):
        if row.tries >= TRIES:
            state = "failed"
        else:
            wait = FIRST_WAIT * 3 ** (row.tries - 1)
            values["due_at"] = now + max(wait, timedelta(seconds=min(outcome.after, LONGEST_WAIT)))
    _set(session, _sending(row.id, holder), state, **values)
    if outcome.gone:
        session.execute(
            update(ContactPoint)
            .where(ContactPoint.id == claimed.point.id)
            .values(enabled=False, problem=outcome.error)
            .execution_options(synchronize_session=False)
        )


def _sending(delivery_id: int, holder: int) -> ColumnElement[bool]:
    return and_(Delivery.id == delivery_id, Delivery.holder == holder, Delivery.rank == RANK["sending"])


def _set(session: Session, which: ColumnElement[bool], state: str, **values: Any) -> None:
    session.execute(
        update(Delivery)
        .where(which)
        .values(state=state, rank=RANK[state], holder=None, **values)
        .execution_options(synchronize_session=False)
    )

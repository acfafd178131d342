"""Alerts: what one user is told, on all their channels, until they acknowledge it on one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Table, and_, bindparam, select, update
from sqlalchemy.orm import Session, aliased, defer

from data.inbox import RANK
from data.prepared import Prepared, insert_new
from data.tables import (
    Alert,
    Assignment,
    Company,
    ContactPoint,
    Conversation,
    Delivery,
    InboxMessage,
    Lead,
    Number,
    Offer,
    Person,
    User,
)
from data.types import new_id
from notifications.quiet import quiet_until
from notifications.words import interest_word

CHANNELS = ("email", "whatsapp", "telegram", "push", "other")
CHAT = ("whatsapp", "telegram")
SILENT = ("email",)
"""What may be sent in quiet hours: it makes no sound. The alert on screen is no delivery, and shows at any hour."""
NEWEST = 200
"""How far back an open alert of somebody is looked for: those before are history."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How an alert behaves. `buttons`: it is answered with *Acepto* or *Paso*; others are only to be read. `rings`: it comes in
    quiet hours too. `answering`: it is about who answers a conversation and when, and is withdrawn once that is settled."""

    buttons: bool = False
    rings: bool = False
    answering: bool = False


ALERTS: Mapping[str, Kind] = {
    "lead_offered": Kind(buttons=True, answering=True),
    "transferred": Kind(buttons=True, answering=True),
    "lead_waiting": Kind(answering=True),
    "lead_unclaimed": Kind(answering=True),
    "reply_due": Kind(answering=True),
    "reply_late": Kind(answering=True),
    "bad_rating": Kind(),
    "mention": Kind(),
    "reminder": Kind(rings=True),  # they chose the hour
    "window_closing": Kind(answering=True),
}
"""Every alert; its words stand in notifications/texts.yaml. The offers ring in no quiet hours: whoever wants none then says so
with their shift, and a lead that nobody hears of goes on to the next one."""


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an alert is about, as it was when it happened. All may be missing."""

    name: str = ""
    """The prospect's, or what their messenger calls them."""
    phone: str = ""
    """E.164."""
    number: str = ""
    """The name of our number that they write to."""
    interest: str = ""
    """In words for people."""
    priority: str = ""
    """hot, warm or cold."""
    score: int = 0
    reasons: tuple[tuple[int, str], ...] = ()
    """(points, because)."""
    answers: tuple[tuple[str, str], ...] = ()
    """(label, as shown)."""
    last_words: str = ""
    """What they wrote last."""
    because: str = ""
    """Why this seller: crm_bridge/assignment/rules.py, Choice; its words are in texts.yaml."""
    expires_at: datetime | None = None
    """Until when an offer stands."""
    language: str = "es"
    """The prospect's: of the greeting that is filled in."""
    by: str = ""
    """The colleague whom it comes from, or is about."""
    words: str = ""
    """A note's, a reminder's."""


_POINTS = cast(Table, ContactPoint.__table__)
_ADD_POINT = Prepared(insert_new(_POINTS))
_LAST = (
    select(InboxMessage.text)
    .where(InboxMessage.conversation_id == Conversation.id, InboxMessage.text != "")
    .order_by(InboxMessage.id.desc())
    .limit(1)
    .scalar_subquery()
)
_ABOUT = (
    select(Conversation, Person, Number, Company.language, _LAST)
    .join(Person, Person.id == Conversation.person_id)
    .join(Number, Number.id == Conversation.number_id)
    .join(Company, Company.id == Conversation.company_id)
    .where(Conversation.id.in_(bindparam("talks", expanding=True)))
    .options(defer(Conversation.state))
)
_SHORT = 500
"""Characters kept of what somebody wrote."""


# ------------------------------------------------------------------------------------------------------- facts
def facts_of(session: Session, assignment: Assignment, *, offer: Offer | None = None, by: str = "", words: str = "") -> Facts:
    """What the alerts of a hand-over tell. `by`: a colleague it comes from. Two reads."""
    return msgspec.structs.replace(facts_of_all(session, [(assignment, offer)])[0], by=by, words=words[:_SHORT])


def facts_of_all(session: Session, hands: Sequence[tuple[Assignment, Offer | None]]) -> list[Facts]:
    """The same of many, in their order. Two reads, however many they are."""
    found = _facts(session, {hand.conversation_id: hand.lead_id for hand, _ in hands})
    return [
        msgspec.structs.replace(
            found[hand.conversation_id],
            priority=hand.priority,
            because=str((hand.why or {}).get("because", "")),
            expires_at=offer.expires_at if offer is not None else None,
            language=hand.language,
        )
        for hand, offer in hands
    ]


def facts_about(session: Session, conversation_id: int, *, by: str = "", words: str = "") -> Facts:
    """The same of a conversation that may not be handed over. One read. LookupError when there is none."""
    found = _facts(session, {conversation_id: None})
    if not found:
        raise LookupError(conversation_id)
    return msgspec.structs.replace(found[conversation_id], by=by, words=words[:_SHORT])


def _facts(session: Session, talks: Mapping[int, int | None]) -> dict[int, Facts]:
    """{conversation: its facts}, for each that there is; `talks` gives the leads that they are about."""
    rows = session.execute(_ABOUT, {"talks": list(talks)}).all()
    wanted = [lead for lead in talks.values() if lead is not None]
    leads = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_(wanted)))} if wanted else {}
    facts = {}
    for talk, person, number, language, words in rows:
        lead = leads.get(talks[talk.id] or 0)
        rated = lead or talk
        facts[talk.id] = Facts(
            name=person.name or person.profile_name or person.phone or "",
            phone=person.phone or "",
            number=number.name,
            interest=interest_word(lead.interest if lead is not None else number.dialog, language),
            priority=rated.priority,
            score=rated.score,
            reasons=tuple((each["points"], each["because"]) for each in rated.reasons),
            answers=tuple((each["label"], each["shown"]) for each in lead.answers) if lead is not None else (),
            last_words=(words or "")[:_SHORT],
            language=person.language or number.language,
        )
    return facts


def read_facts(alert: Alert) -> Facts:
    """An alert's facts as they are stored."""
    return msgspec.convert(alert.facts, Facts, strict=False)


# ------------------------------------------------------------------------------------------------------ alerts
def raise_alert(
    session: Session,
    *,
    kind: str,
    user_id: int,
    company_id: int,
    facts: Facts,
    now: datetime,
    conversation_id: int | None = None,
    lead_id: int | None = None,
    assignment_id: int | None = None,
    offer_id: int | None = None,
    note_id: int | None = None,
) -> Alert:
    """Tell `user_id` something, on every way to reach them that is switched on. To be sent once it is committed. KeyError: no
    such kind; LookupError: no such user of the company. Somebody who works here no more gets an alert, but no message."""
    alert = Alert(
        company_id=company_id,
        user_id=user_id,
        kind=kind,
        conversation_id=conversation_id,
        lead_id=lead_id,
        assignment_id=assignment_id,
        offer_id=offer_id,
        note_id=note_id,
        facts=msgspec.to_builtins(facts),
        state="open",
        created_at=now,
    )
    _queue(session, [alert])
    return alert


def raise_all(session: Session, kind: str, whom: Sequence[tuple[Assignment, int, Offer | None]], now: datetime) -> list[Alert]:
    """Tell users of one company about hand-overs, each with the offer that is theirs to answer. It costs the reads of one."""
    if not whom:
        return []
    raised = [
        Alert(
            company_id=hand.company_id,
            user_id=user,
            kind=kind,
            conversation_id=hand.conversation_id,
            lead_id=hand.lead_id,
            assignment_id=hand.id,
            offer_id=offer.id if offer is not None else None,
            facts=msgspec.to_builtins(facts),
            state="open",
            created_at=now,
        )
        for (hand, user, offer), facts in zip(
            whom, facts_of_all(session, [(hand, offer) for hand, _, offer in whom]), strict=True
        )
    ]
    _queue(session, raised)
    return raised


def _queue(session: Session, raised: Sequence[Alert]) -> None:
    """Write new alerts of one company, and what goes out for them on each way that is switched on."""
    company_id = raised[0].company_id
    kinds = {alert.kind: ALERTS[alert.kind] for alert in raised}
    people = {
        user.id: (user, ZoneInfo(zone))
        for user, zone in session.execute(
            select(User, Company.timezone)
            .join(Company, Company.id == User.company_id)
            .where(User.id.in_({alert.user_id for alert in raised}), User.company_id == company_id)
        )
    }
    if unknown := {alert.user_id for alert in raised} - people.keys():
        raise LookupError(min(unknown))
    session.add_all(raised)
    session.flush()
    points = _points(session, [user for user, _ in people.values() if user.active], raised[0].created_at)
    for alert in raised:
        user, zone = people[alert.user_id]
        now = alert.created_at
        quiet = quiet_until(user.quiet_from, user.quiet_until, now.astimezone(zone))
        later = now if quiet is None or kinds[alert.kind].rings else quiet.astimezone(now.tzinfo)
        session.add_all(
            Delivery(
                company_id=company_id,
                alert_id=alert.id,
                contact_point_id=point.id,
                channel=point.channel,
                state="queued",
                rank=RANK["queued"],
                due_at=now if point.channel in SILENT else later,
                created_at=now,
            )
            for point in points.get(user.id, ())
            if point.enabled
        )
    session.flush()


def contact_points(session: Session, user: User, now: datetime) -> list[ContactPoint]:
    """All ways to reach somebody, oldest first. Their own address is one from the start: it is made here when it is missing."""
    return _points(session, [user], now)[user.id]


def _points(session: Session, users: Sequence[User], now: datetime) -> dict[int, list[ContactPoint]]:
    query = select(ContactPoint).where(ContactPoint.user_id.in_([user.id for user in users])).order_by(ContactPoint.id)

    def read() -> dict[int, list[ContactPoint]]:
        found: dict[int, list[ContactPoint]] = {user.id: [] for user in users}
        for point in session.scalars(query):
            found[point.user_id].append(point)
        return found

    points = read()
    missing = [
        {
            "id": new_id(), "company_id": user.company_id, "user_id": user.id, "channel": "email", "address": user.email,
            "keys": {}, "label": "", "enabled": True, "created_at": now,
        }
        for user in users if all(point.channel != "email" for point in points[user.id])
    ]  # fmt: skip
    if missing:
        _ADD_POINT.many(session, missing)  # another process may do the same now
        points = read()
    return points


def acknowledge(
    session: Session, *, alert_id: int | None = None, offer_id: int | None = None, user_id: int, via: str, now: datetime
) -> list[Alert]:
    """`user_id` has seen it: this alert, or all of theirs about this offer, are silent on every other channel. `via`: page,
    email, whatsapp, telegram or push. Returns those that were open; none of them twice, and none of another user's."""
    if alert_id is None and offer_id is None:
        raise ValueError("which alert, or which offer")
    about = Alert.id == alert_id if offer_id is None else Alert.offer_id == offer_id
    return _end(session, and_(Alert.user_id == user_id, about), "acknowledged", via, now)


def withdraw(
    session: Session,
    *,
    offer_id: int | None = None,
    conversation_id: int | None = None,
    note_id: int | None = None,
    but: Collection[int] = (),
    now: datetime,
) -> list[Alert]:
    """An offer passed on or is over; who answers a conversation is settled (notes and reminders stay); or a note names nobody any
    more `but` these users: nobody else needs to be told. Returns those that were open."""
    if offer_id is not None:
        about = Alert.offer_id == offer_id
    elif note_id is not None:
        about = and_(Alert.note_id == note_id, Alert.user_id.not_in(but))
    elif conversation_id is None:
        raise ValueError("of which offer, note or conversation")
    else:
        kinds = [name for name, kind in ALERTS.items() if kind.answering]
        about = and_(Alert.conversation_id == conversation_id, Alert.kind.in_(kinds))
    return _end(session, about, "withdrawn", None, now)


def mentions_of(session: Session, note_id: int) -> list[Alert]:
    """The alerts about a note, whatever became of them."""
    return list(session.scalars(select(Alert).where(Alert.note_id == note_id).order_by(Alert.id)))


def ended(session: Session, conversation_id: int, since: datetime) -> list[Alert]:
    """The alerts about a conversation that were acknowledged or withdrawn since then: of whom the pages show less."""
    return list(session.scalars(select(Alert).where(Alert.conversation_id == conversation_id, Alert.answered_at >= since)))


def open_for(session: Session, user_id: int, limit: int) -> list[Alert]:
    """What somebody has not acknowledged, newest first: among their NEWEST, so that a long history costs nothing."""
    newest = aliased(Alert, select(Alert).where(Alert.user_id == user_id).order_by(Alert.id.desc()).limit(NEWEST).subquery())
    return list(session.scalars(select(newest).where(newest.state == "open").order_by(newest.id.desc()).limit(limit)))


def _end(session: Session, which: ColumnElement[bool], state: str, via: str | None, now: datetime) -> list[Alert]:
    rows = list(
        session.scalars(
            select(Alert)
            .where(which, Alert.state == "open")
            .order_by(Alert.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )
    if rows:
        for row in rows:
            row.state, row.via, row.answered_at = state, via, now
        session.flush()
        session.execute(
            update(Delivery)
            .where(Delivery.alert_id.in_([row.id for row in rows]), Delivery.rank == RANK["queued"])
            .values(state="cancelled", rank=RANK["cancelled"])
            .execution_options(synchronize_session=False)
        )
    return rows

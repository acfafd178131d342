"""What came, as rows: each message under the conversation of its person, each status on the message of ours that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bot.channels.base import Inbound, Notice, Sender, Status
from bot.notices import apply_notice
from bot.numbers import OurNumber
from bot.standin import Outgoing
from bot.transcription import LONGEST
from crm_bridge.people.rules import canonical_phone
from crm_bridge.people.service import Contact, resolve
from data import inbox
from data.types import new_id

PART = 50
"""Messages, or statuses, in one commit: a large body takes several, and what comes beside it does not wait for all."""
_FORM_MARK = "ref:"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Arrived:
    """A new message, as far as those need to know who pass it on."""

    conversation_id: int
    owner: str
    number: OurNumber
    body_id: int
    message: Inbound


@dataclass(frozen=True, slots=True)
class Stored:
    """What a commit brought: new messages, and messages of ours that moved."""

    arrived: tuple[Arrived, ...] = ()
    moved: tuple[int, ...] = ()
    stand_ins: tuple[Outgoing, ...] = ()
    """Messages that were queued, in the same commit, in place of ours that failed."""
    notices: int = 0


@dataclass(slots=True)
class Batch:
    """The rows of one commit while they are put together."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    messages: list[tuple[int, Inbound, OurNumber]] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    notices: list[tuple[Notice, list[OurNumber]]] = field(default_factory=list)

    def parts(self) -> Iterator[Batch]:
        """It in commits of at most PART; the bodies are in the first."""
        yield Batch(self.bodies, self.messages[:PART], self.statuses[:PART], self.notices)
        for start in range(PART, max(len(self.messages), len(self.statuses)), PART):
            part = slice(start, start + PART)
            yield Batch(messages=self.messages[part], statuses=self.statuses[part])


StandIn = Callable[[Session, Sequence[int]], list[Outgoing]]
"""Acts on messages of ours that failed: queues what stands in for them, and returns it."""


def contact_of(sender: Sender, company: int) -> Contact:
    """Who a sender is, with phones in the canon of their country."""
    identities = [
        ("phone", canonical_phone(sender.phone)) if sender.phone else None,
        ("bsuid", sender.bsuid) if sender.bsuid else None,
        ("telegram", sender.telegram) if sender.telegram else None,
        ("webchat", sender.webchat) if sender.webchat else None,
    ]
    return Contact(company, tuple(each for each in identities if each), sender.name)


def recipient_of(sender: Sender) -> dict[str, str]:
    """The address that answers go to: exactly as the messenger gave it."""
    return {field: value for field in ("phone", "bsuid", "telegram", "webchat") if (value := getattr(sender, field)) is not None}


def referral_of(message: Inbound) -> dict[str, Any] | None:
    """Where somebody comes from: the clicked advertisement, or a form's token in the ready-made greeting ("… ref:AB12CD")."""
    if message.referral:
        return message.referral
    at = message.text.find(_FORM_MARK)
    token = message.text[at + len(_FORM_MARK) :].split(maxsplit=1)[0:1] if at >= 0 else []
    return {"form": token[0][:64]} if token and token[0].isalnum() else None


def store(session: Session, dialect: str, batch: Batch, stand_in: StandIn, now: datetime, *, hears: bool = False) -> Stored:
    """Write the batch: bodies, people and conversations where they are new, then messages, files and statuses. `hears`: voice
    notes for the bot are held until their words are there."""
    inbox.add_bodies(session, batch.bodies)
    fresh = _without_known(session, batch.messages)
    contacts = [contact_of(message.sender, number.row.company_id) for _, message, number in fresh]
    people = resolve(session, contacts, now)
    talks = inbox.talks(session, set(people.values())) if people else {}
    conversations: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    media: list[dict[str, Any]] = []
    arrived: list[Arrived] = []
    for (body_id, message, number), contact in zip(fresh, contacts, strict=True):
        person = people[contact]
        talk, owner = talks.get((number.row.id, person), (0, "bot"))
        if not talk:
            talk = new_id()
            talks[number.row.id, person] = talk, owner
            conversations.append(
                {
                    "id": talk,
                    "company_id": number.row.company_id,
                    "number_id": number.row.id,
                    "person_id": person,
                    "recipient": recipient_of(message.sender),
                    "reasons": [],
                    "referral": referral_of(message),
                    "created_at": now,
                }
            )
        row_id = new_id()
        rows.append(
            {
                "id": row_id,
                "company_id": number.row.company_id,
                "body_id": body_id,
                "conversation_id": talk,
                "channel": message.channel,
                "external_id": message.external_id,
                "kind": message.kind,
                "text": message.text,
                "payload": _encode(message).decode(),
                "at": message.at,
                "received_at": now,
                "state": "held" if hears and owner != "human" and _is_note(message) else "new",
            }
        )
        if message.media is not None:
            media.append(
                {
                    "id": new_id(),
                    "company_id": number.row.company_id,
                    "message_id": row_id,
                    "number_id": number.row.id,
                    "external_id": message.media.id,
                    "mime": message.media.mime,
                    "filename": message.media.filename,
                    "sha256": message.media.sha256,
                    "size": message.media.size,
                    "state": "waiting",
                    "due_at": now,
                }
            )
        arrived.append(Arrived(talk, owner, number, body_id, message))
    inbox.add_conversations(session, dialect, conversations)
    inbox.add_messages(session, dialect, rows)
    inbox.add_media(session, media)
    moved, failed = _statuses(session, dialect, batch.statuses)
    made = stand_in(session, failed) if failed else []
    for notice, numbers in batch.notices:
        for number in numbers:
            apply_notice(session, notice, number, now)
    return Stored(tuple(arrived), moved, tuple(made), len(batch.notices))


def _is_note(message: Inbound) -> bool:
    return message.kind == "voice" and message.media is not None and (message.media.size or 0) <= LONGEST


def _without_known(session: Session, messages: Iterable[tuple[int, Inbound, OurNumber]]) -> list[tuple[int, Inbound, OurNumber]]:
    fresh = {
        (message.channel, message.external_id): (body, message, number) for body, message, number in reversed(list(messages))
    }
    if not fresh:
        return []
    known = inbox.known_messages(session, fresh)
    return [entry for key, entry in reversed(fresh.items()) if key not in known]


def _statuses(session: Session, dialect: str, statuses: Sequence[Status]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    rows = [
        {
            "id": new_id(),
            "channel": status.channel,
            "external_id": status.external_id,
            "status": status.status,
            "outbox_id": _outbox_id(status.callback),
            "code": status.code,
            "detail": status.detail,
            "at": status.at,
        }
        for status in statuses
    ]
    failures = [(status.channel, status.external_id) for status in statuses if status.status == "failed"]
    known = inbox.known_failures(session, failures) if failures else set()
    inbox.merge_statuses(session, dialect, rows)
    own = [(status, outbox) for status in statuses if (outbox := _outbox_id(status.callback)) is not None]
    fresh = {outbox for status, outbox in own if status.status == "failed" and (status.channel, status.external_id) not in known}
    return tuple({outbox for _, outbox in own}), tuple(fresh)


def _outbox_id(callback: str | None) -> int | None:
    """Our own id in a status; None when it is somebody else's words."""
    if callback and callback.isascii() and callback.isdigit() and len(callback) < 20 and int(callback) < 1 << 63:
        return int(callback)
    return None

"""What a seller does in a conversation besides plain words: files, templates, handing it on, putting it off; and
the answers that are kept ready. Functions of one transaction; what is to be sent leaves after the commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import takeover
from bot.channels.base import File, Template, Text, window_open
from bot.channels.whatsapp_build import CAPTION
from bot.channels.whatsapp_templates import Approved
from bot.standin import Outgoing
from bot.takeover import LONGEST, NothingWritten, TooLong, WindowClosed
from crm_bridge.assignment import reminders
from crm_bridge.assignment import service as assignment
from crm_bridge.assignment.rules import Taken
from crm_bridge.companies.rules import Refusal
from data.tables import Alert, Assignment, CannedReply, Conversation, Number, Offer, Reminder, User
from notifications.alerts import facts_of, raise_alert, withdraw

LONGEST_SHORTCUT = 30
_SHORTCUT = re.compile(rf"[a-z0-9áéíóúüñ][a-z0-9áéíóúüñ_-]{{0,{LONGEST_SHORTCUT - 1}}}")


class StillTheBots(Refusal):
    """The bot answers: whoever wants to hand it on or put it off takes it first."""


class WrongShortcut(Refusal):
    """A shortcut is one word of small letters and digits."""


class ShortcutTaken(Refusal):
    """Another ready answer has that shortcut."""


class CaptionTooLong(Refusal):
    """WhatsApp takes 1,024 characters below a file."""


class WrongTemplate(Refusal):
    """There is no such approved template, or a place in it was left empty."""


# ----------------------------------------------------------------------------------------------------- writing
def check_file(talk: Conversation, channel: str, user_id: int, caption: str, now: datetime) -> None:
    """Whether a file may go out, before it is uploaded. Taken, WindowClosed, CaptionTooLong."""
    if talk.owner == "human" and talk.owner_id not in (None, user_id):
        raise Taken
    _check_window(talk, channel, now)
    if len(caption) > CAPTION:
        raise CaptionTooLong


def send_file(session: Session, talk_id: int, user_id: int, file: File, caption: str, now: datetime) -> list[Outgoing]:
    """Queue a file; the conversation is theirs from here on. What is said to a sound goes out as a message of its own.
    LookupError; Taken, WindowClosed."""
    talk = takeover.take(session, talk_id, user_id, now)
    _check_window(talk, session.scalars(select(Number.channel).where(Number.id == talk.number_id)).one(), now)
    beside = file.kind == "audio"
    message = msgspec.structs.replace(file, caption="" if beside else caption)
    said = [takeover.say(session, talk, message, message.caption or f"[{file.kind}]", user_id, now)]
    if beside and caption:
        said.append(takeover.say(session, talk, Text(caption), caption, user_id, now))
    return said


def send_template(
    session: Session, talk_id: int, user_id: int, template: Approved, values: tuple[str, ...], now: datetime
) -> Outgoing:
    """Queue an approved template, which goes out at any time; the conversation is theirs from here on. `values` fill its places.
    LookupError; Taken, WrongTemplate."""
    if len(values) != template.places or not all(value.strip() for value in values):
        raise WrongTemplate
    talk = takeover.take(session, talk_id, user_id, now)
    message: Template = template.message(values)
    return takeover.say(session, talk, message, template.filled(values), user_id, now)


def _check_window(talk: Conversation, channel: str, now: datetime) -> None:
    if not window_open(channel, talk.last_in_at, now):
        raise WindowClosed


# ---------------------------------------------------------------------------------------- handing on, putting off
@dataclass(frozen=True, slots=True)
class Handed:
    """A conversation that was offered to a colleague."""

    assignment_id: int
    alerts: tuple[Alert, ...]
    """The one that was raised, and those that are of no concern any more."""


def transfer(session: Session, talk_id: int, to: int, by: int, words: str, now: datetime, *, over: bool = False) -> Handed:
    """Offer a conversation to a colleague, with a word about it: it waits for them, and is `by`'s no more. `over`: also
    another's. LookupError; StillTheBots, Taken, AskedAnother, UnknownSeller."""
    talk = _held(session, talk_id, by, over)
    hand, offer = assignment.transfer(session, talk_id, to, by, now)
    talk.owner, talk.owner_id, talk.due_at, talk.snoozed_until = "queued", None, None, None
    gone = withdraw(session, conversation_id=talk_id, now=now)
    return Handed(hand.id, (_alert(session, hand, offer, by, words, now), *gone))


def _alert(session: Session, hand: Assignment, offer: Offer, by: int, words: str, now: datetime) -> Alert:
    name = session.scalars(select(User.name).where(User.id == by)).one()
    return raise_alert(
        session,
        kind="transferred",
        user_id=offer.user_id,
        company_id=hand.company_id,
        facts=facts_of(session, hand, offer=offer, by=name, words=words),
        now=now,
        conversation_id=hand.conversation_id,
        lead_id=hand.lead_id,
        assignment_id=hand.id,
        offer_id=offer.id,
    )


def snooze(session: Session, talk_id: int, user_id: int, until: datetime | None, words: str, now: datetime) -> None:
    """Put a conversation of theirs off, with a reminder (`words`) for when it comes back; `until` None ends that now. A
    message of the person ends it too. LookupError; StillTheBots, Taken, AskedAnother, TimePassed, TooFar."""
    talk = _held(session, talk_id, user_id, over=False)
    mine = f"{reminders.SNOOZE}{talk_id}:"
    session.execute(
        update(Reminder)
        .where(Reminder.user_id == user_id, Reminder.rule.startswith(mine), Reminder.state == "waiting")
        .values(state="cancelled")
        .execution_options(synchronize_session=False)
    )
    talk.snoozed_until, talk.unread = until, 0
    if until is not None:
        row = reminders.add(session, user_id=user_id, conversation_id=talk_id, words=words, at=until, now=now)
        row.rule = f"{mine}{row.id}"
    session.flush()


def _held(session: Session, talk_id: int, user_id: int, over: bool) -> Conversation:
    """The conversation, locked, while a person is to answer it and it is not somebody else's, nor offered to them."""
    talk = session.scalar(select(Conversation).where(Conversation.id == talk_id).with_for_update(key_share=True))
    if talk is None:
        raise LookupError(talk_id)
    if talk.owner not in ("human", "queued"):
        raise StillTheBots
    if not over:
        takeover.refuse_others(session, talk, user_id)
    return talk


# ------------------------------------------------------------------------------------------------ ready answers
def canned(session: Session) -> list[CannedReply]:
    return list(session.scalars(select(CannedReply).order_by(CannedReply.shortcut)))


def save_canned(session: Session, canned_id: int | None, shortcut: str, words: str) -> CannedReply:
    """Add a ready answer, or change one. LookupError; WrongShortcut, ShortcutTaken, NothingWritten, TooLong."""
    row = CannedReply() if canned_id is None else session.scalar(select(CannedReply).where(CannedReply.id == canned_id))
    if row is None:
        raise LookupError(canned_id)
    shortcut = shortcut.strip().removeprefix("/").lower()
    if not _SHORTCUT.fullmatch(shortcut):
        raise WrongShortcut
    check_words(words)
    other = session.scalar(select(CannedReply.id).where(CannedReply.shortcut == shortcut))
    if other is not None and other != canned_id:
        raise ShortcutTaken
    row.shortcut, row.words = shortcut, words
    session.add(row)
    session.flush()
    return row


def delete_canned(session: Session, canned_id: int) -> None:
    """LookupError when there is none."""
    row = session.scalar(select(CannedReply).where(CannedReply.id == canned_id))
    if row is None:
        raise LookupError(canned_id)
    session.delete(row)
    session.flush()


def filled(words: str, person: str | None, seller: str) -> str:
    """A ready answer for one person: {nombre} and {vendedor} are first names; where the person's is not known, it is left out."""
    first = person.split()[0] if person and person.split() else ""
    words = words.replace("{nombre}", first) if first else re.sub(r"[ \t]*\{nombre\}", "", words)
    return words.replace("{vendedor}", seller.split()[0] if seller.split() else "")


def check_words(words: str) -> None:
    """NothingWritten, TooLong."""
    if not words.strip():
        raise NothingWritten
    if len(words) > LONGEST:
        raise TooLong

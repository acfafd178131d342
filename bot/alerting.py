"""Alerts leave the house: the dispatcher with its ways out, and the way into a seller's own chat with one of our numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.headerregistry import Address

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.base import Choices, Option, Template, Text, window_open
from bot.clock import Clock
from bot.cluster import Cluster
from bot.settings import Settings
from bot.standin import Outgoing
from data import outbox
from data.inbox import RANK
from data.session import Database
from data.tables import ContactPoint, Conversation, Number
from data.types import new_id
from notifications import render
from notifications.alerts import CHAT
from notifications.dispatch import Dispatcher, Queued, Senders
from notifications.links import ACTIONS
from notifications.render import Message
from notifications.senders.email import Email, read_sender, read_server
from notifications.senders.errors import Refused, Trouble
from notifications.senders.other import Other
from notifications.senders.webpush import WebPush
from notifications.words import load

_EDGE = timedelta(minutes=2)
"""Of the 24-hour window: what is queued within it may leave a little later."""
_encode = msgspec.json.Encoder().encode


def option_id(alert_id: int, action: str) -> str:
    """What comes back from the button of an alert in a chat (bot/staff_chat.py)."""
    return f"alert:{alert_id}:{action}"


class Alerting(Dispatcher):
    """`wake` after alerts were committed; `run` until cancelled; `drain` before the end. `on_said` gets what goes into chats.
    `private`: servers in our own network may be written to, for tests."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        cluster: Cluster,
        on_said: Callable[[Sequence[Outgoing]], None],
        *,
        private: bool = False,
    ) -> None:
        load()  # a text that is missing stops the start
        secret, base = settings.secret_key.get_secret_value(), str(settings.public_url)
        sender = read_sender(settings.alerts_from) if settings.alerts_from else None
        senders = Senders(
            email=_email(settings, sender),
            push=WebPush(secret, f"mailto:{sender.addr_spec}" if sender else base, private=private),
            other=Other(private=private),
            chat=_Chat(on_said),
        )
        super().__init__(database, senders, base, secret, lambda: cluster.id, clock.now)


def _email(settings: Settings, sender: Address | None) -> Email | None:
    url = settings.smtp_url.get_secret_value()
    return Email(read_server(url), sender) if url and sender else None


class _Chat:
    def __init__(self, on_said: Callable[[Sequence[Outgoing]], None]) -> None:
        self._on_said = on_said

    def queue(self, session: Session, point: ContactPoint, message: Message, now: datetime) -> Outgoing:
        """Write it into the conversation of a contact point, as text or, outside WhatsApp's 24 hours, as the number's template.
        Refused when there is no conversation, or no template."""
        found = session.execute(
            select(Conversation.id, Conversation.recipient, Conversation.last_in_at, Number)
            .join(Number, Number.id == Conversation.number_id)
            .where(Conversation.id == point.conversation_id, Conversation.company_id == point.company_id)
        ).one_or_none()
        if found is None:
            raise Refused(Trouble.NO_CHAT)
        talk, recipient, last_in_at, number = found
        said = _say(message, number, last_in_at, now)
        row = {
            "id": new_id(), "company_id": point.company_id, "number_id": number.id, "conversation_id": talk,
            "channel": number.channel, "recipient": recipient, "kind": type(said).__struct_config__.tag,
            "text": said.name if isinstance(said, Template) else said.body, "payload": _encode(said).decode(),
            "state": "queued", "rank": RANK["queued"], "due_at": now, "created_at": now,
        }  # fmt: skip
        outbox.add(session, [row])
        return Outgoing(row["id"], talk, number.id, recipient, said)

    def queued(self, message: Queued) -> None:
        if isinstance(message, Outgoing):
            self._on_said([message])


def _say(message: Message, number: Number, last_in_at: datetime | None, now: datetime) -> Text | Choices | Template:
    if number.channel not in CHAT:
        raise Refused(Trouble.NO_CHAT)
    alert = message.alert.id
    ids = tuple(option_id(alert, action) for action in ACTIONS)
    if not window_open(number.channel, last_in_at, now + _EDGE):
        if not number.alert_template:
            raise Refused(Trouble.NO_TEMPLATE)
        return Template(number.alert_template, number.language, render.parameters(message), ids)
    body = render.chat(message, number.channel)
    if not message.accept:
        return Text(body)
    titles = (message.texts["accept"], message.texts["pass"])
    return Choices(body, tuple(Option(each, title) for each, title in zip(ids, titles, strict=True)))

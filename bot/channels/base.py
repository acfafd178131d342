"""What every messenger has in common: the messages that come in and go out, and the protocol that each one speaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol

from msgspec import Struct

Kind = Literal[
    "text", "button", "list", "flow", "image", "audio", "voice", "video", "document", "sticker",
    "location", "contacts", "order", "reaction", "edit", "revoke", "system", "echo", "unsupported",
]  # fmt: skip

WINDOW = timedelta(hours=24)
"""After a person's last message, how long WhatsApp takes free text to them."""
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""A message's `at` when the messenger's own time could not be read: such a message is dated 1970."""


def window_open(channel: str, last_in_at: datetime | None, now: datetime) -> bool:
    """Whether free text may be sent to somebody who last wrote then: only WhatsApp has a window."""
    return channel != "whatsapp" or (last_in_at is not None and last_in_at + WINDOW > now)


class Sender(Struct, frozen=True, omit_defaults=True):
    """Who wrote. A WhatsApp person has a phone (digits, no plus sign), a BSUID (`CO.1349…`), or both."""

    phone: str | None = None
    bsuid: str | None = None
    telegram: str | None = None
    webchat: str | None = None
    name: str | None = None
    """The name in the sender's own profile: a hint, never an answer."""


class Media(Struct, frozen=True, omit_defaults=True):
    """A file that stays with the messenger until it is fetched."""

    id: str
    mime: str = ""
    sha256: str | None = None
    filename: str | None = None
    size: int | None = None
    animated: bool = False


class Place(Struct, frozen=True, omit_defaults=True):
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Card(Struct, frozen=True, omit_defaults=True):
    """A contact that somebody shared."""

    name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    company: str | None = None


class OrderItem(Struct, frozen=True, omit_defaults=True):
    product: str
    quantity: int
    price: str
    currency: str


class Inbound(Struct, frozen=True, omit_defaults=True):
    """One message from a person, whatever the messenger. Times are the messenger's own, in UTC."""

    channel: str
    number: str
    """The business number's id with the messenger (WhatsApp: `phone_number_id`)."""
    external_id: str
    sender: Sender
    at: datetime
    kind: Kind
    text: str = ""
    """The words in it: the body, a caption, a button's title, a reaction's emoji ("" when it was taken back)."""
    choice: str | None = None
    """The id behind a button or list row."""
    media: Media | None = None
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    order: tuple[OrderItem, ...] = ()
    form: dict[str, Any] | None = None
    """The fields of a finished Flow, when they are an object."""
    about: str | None = None
    """The message id that this one replies to, reacts to, edits or revokes."""
    forwarded: bool = False
    referral: dict[str, Any] | None = None
    """The advertisement that was clicked, whole (`ctwa_clid`, `source_id`, …)."""
    product: str | None = None
    """The catalogue product that was asked about."""
    system: dict[str, Any] | None = None
    """For `system`: the change, with `type`, and `wa_id` / `user_id` of the new identity where given."""
    error: str | None = None
    """Why the messenger could not show it (`unsupported`)."""
    echoed: Kind | None = None
    """For `echo`: the kind of what a seller wrote, edited or revoked in the phone's own app."""


StatusName = Literal["sent", "delivered", "read", "played", "failed"]


class Status(Struct, frozen=True, omit_defaults=True):
    """What became of one of our messages."""

    channel: str
    number: str
    external_id: str
    status: StatusName
    at: datetime
    callback: str | None = None
    """`biz_opaque_callback_data`: our own outbox id."""
    code: int | None = None
    detail: str | None = None
    sender: Sender | None = None


class Notice(Struct, frozen=True, omit_defaults=True):
    """A change of the account, a template, a number's quality or a person's preferences."""

    channel: str
    field: str
    account: str
    """The messenger's account id (WhatsApp: the WABA id)."""
    value: dict[str, Any]
    number: str | None = None


Item = Inbound | Status | Notice


class Parsed(Struct, frozen=True):
    """Everything that one webhook body held, in its own order; `problems` names what could not be read, and where."""

    items: tuple[Item, ...]
    problems: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------ outgoing
class Option(Struct, frozen=True, omit_defaults=True):
    id: str
    title: str
    description: str = ""


class Text(Struct, frozen=True, tag="text", omit_defaults=True):
    body: str
    preview: bool = False


class Choices(Struct, frozen=True, tag="choices", omit_defaults=True):
    """A question with options; the channel renders buttons, a list or numbered text."""

    body: str
    options: tuple[Option, ...]
    button: str = "Ver opciones"
    """What opens the list, where the channel has lists."""
    footer: str = ""

    def numbered(self) -> str:
        """The whole as text, a number and an option a line: for a channel that cannot show them better."""
        rows = (f"{option.title}: {option.description}" if option.description else option.title for option in self.options)
        lines = [self.body, "", *(f"{number}. {row}" for number, row in enumerate(rows, 1))]
        return "\n".join([*lines, "", self.footer] if self.footer else lines)


class Template(Struct, frozen=True, tag="template", omit_defaults=True):
    """An approved template: the only thing that goes out when the 24-hour window is closed."""

    name: str
    language: str
    parameters: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    """What comes back from its quick-reply buttons, in their order; none: their words."""


class File(Struct, frozen=True, tag="file", omit_defaults=True):
    kind: Literal["image", "audio", "video", "document", "sticker"]
    link: str | None = None
    media_id: str | None = None
    caption: str = ""
    filename: str | None = None
    path: str | None = None
    """Under the media folder, for a messenger that takes the content with the message."""


class Reaction(Struct, frozen=True, tag="reaction", omit_defaults=True):
    emoji: str
    to_message: str


Outbound = Text | Choices | Template | File | Reaction


class Account(Struct, frozen=True):
    """How to reach a messenger as one of our numbers."""

    id: int
    external_id: str
    token: str


class Recipient(Struct, frozen=True, omit_defaults=True):
    phone: str | None = None
    bsuid: str | None = None
    telegram: str | None = None
    webchat: str | None = None


class Action(StrEnum):
    """What an error code asks of the outbox."""

    RETRY = "retry"
    SLOW_APP = "slow_app"
    SLOW_NUMBER = "slow_number"
    SLOW_PAIR = "slow_pair"
    USE_TEMPLATE = "use_template"
    PERMANENT = "permanent"
    ALERT = "alert"
    PARK = "park"
    STOP_TEMPLATE = "stop_template"
    STOP_NUMBER = "stop_number"


class SendError(Exception):
    """The messenger refused a message.

    SendError                 refused for sure: nothing was delivered; `action` says what to do
      └── UncertainSend       no answer came (time-out, broken connection): it may or may not have been taken
    """

    def __init__(self, message: str, *, code: int = 0, action: Action = Action.RETRY, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.action = action
        self.retry_after = retry_after


class UncertainSend(SendError):
    """No answer came; the message may or may not have been taken."""


class MediaError(Exception):
    """A file could not be fetched. `final` when trying again is of no use."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Fetched(Struct, frozen=True):
    content: bytes
    mime: str


class Channel(Protocol):
    """One messenger. Every method may be called at the same time by many tasks."""

    name: str
    reports: bool
    """Whether statuses tell, with our callback, what became of a message."""

    def parse(self, body: bytes) -> Parsed:
        """Split one webhook body into all its items. ValueError when it is not this messenger's JSON at all."""

    async def send(self, account: Account, to: Recipient, message: Outbound, callback: str) -> str:
        """Send, and return the messenger's message id. `callback` (our outbox id) comes back in statuses.
        SendError when refused, UncertainSend when no answer came."""

    def action(self, code: int) -> Action:
        """What an error code that came in a status asks for."""

    async def mark_read(self, account: Account, to: Recipient, external_id: str, typing: bool) -> None:
        """Show that we read it, and that an answer is being written. Never raises: it is a courtesy."""

    async def fetch(self, account: Account, media_id: str, limit: int) -> Fetched:
        """Download a file of at most `limit` bytes (MediaError)."""

"""WhatsApp's webhook bodies as they are on the wire, every field optional.

Source: Meta's Cloud API webhook reference, v26.0. Numbers and ids come as JSON numbers or strings. The envelope is there
twice: typed through and through, and as `…Parts`, whose arrays stay `Raw`, so that a broken element costs itself alone.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct, field

Id = str | int | None
Number = int | float | str | None


class Profile(Struct):
    name: str | None = None


class Contact(Struct):
    profile: Profile | None = None
    wa_id: Id = None
    user_id: Id = None


class Error(Struct):
    code: Number = None
    title: str | None = None
    message: str | None = None
    details: str | None = None
    error_data: Any = None


class Status(Struct):
    id: Id = None
    status: str = ""
    type: str | None = None
    timestamp: Number = None
    recipient_id: Id = None
    recipient_user_id: Id = None
    recipient_type: str | None = None
    recipient_participant_id: Id = None
    recipient_participant_user_id: Id = None
    biz_opaque_callback_data: Id = None
    errors: list[Error] | None = None


# ------------------------------------------------------------------------------------------- parts of a message
class Text(Struct):
    body: str = ""


class Button(Struct):
    text: str = ""
    payload: str | None = None


class Reply(Struct):
    id: str | None = None
    title: str = ""


class FlowReply(Struct):
    response_json: Any = None
    body: str | None = None


class Interactive(Struct):
    type: str = ""
    button_reply: Reply | None = None
    list_reply: Reply | None = None
    nfm_reply: FlowReply | None = None
    call_permission_reply: dict[str, Any] | None = None


class Media(Struct):
    id: Id = None
    mime_type: str | None = None
    sha256: str | None = None
    filename: str | None = None
    file_size: Number = None
    caption: str | None = None
    animated: bool | None = None
    voice: bool | None = None


class Location(Struct):
    latitude: Number = None
    longitude: Number = None
    name: str | None = None
    address: str | None = None


class Phone(Struct):
    phone: str | None = None
    wa_id: Id = None


class Email(Struct):
    email: str | None = None


class CardName(Struct):
    formatted_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Org(Struct):
    company: str | None = None


class Card(Struct):
    name: CardName | None = None
    phones: list[Phone] | None = None
    emails: list[Email] | None = None
    org: Org | None = None


class Item(Struct):
    product_retailer_id: Id = None
    quantity: Number = None
    item_price: Number = None
    currency: str = ""


class Order(Struct):
    product_items: list[Item] | None = None
    text: str | None = None


class Reaction(Struct):
    message_id: str | None = None
    emoji: str | None = None


class Edit(Struct):
    original_message_id: str | None = None
    message: Message | None = None


class Revoke(Struct):
    original_message_id: str | None = None


class Product(Struct):
    product_retailer_id: Id = None


class Context(Struct):
    id: str | None = None
    forwarded: bool | None = None
    frequently_forwarded: bool | None = None
    referred_product: Product | None = None


class Message(Struct):
    id: Id = None
    sender: Id = field(default=None, name="from")
    from_user_id: Id = None
    to: Id = None
    to_user_id: Id = None
    group_id: Id = None
    timestamp: Number = None
    type: str | None = None
    context: Context | None = None
    referral: dict[str, Any] | None = None
    errors: list[Error] | None = None
    text: Text | None = None
    button: Button | None = None
    interactive: Interactive | None = None
    image: Media | None = None
    audio: Media | None = None
    voice: Media | None = None
    video: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    location: Location | None = None
    contacts: list[Card] | None = None
    order: Order | None = None
    reaction: Reaction | None = None
    edit: Edit | None = None
    revoke: Revoke | None = None
    system: dict[str, Any] | None = None


# ------------------------------------------------------------------------------------------- the envelope
class Metadata(Struct):
    phone_number_id: Id = None


class Value(Struct):
    metadata: Metadata | None = None
    contacts: list[Contact | None] | None = None
    messages: list[Message | None] | None = None
    message_echoes: list[Message | None] | None = None
    statuses: list[Status | None] | None = None
    errors: Raw = Raw(b"")


class ValueParts(Struct):
    metadata: Raw = Raw(b"")
    contacts: Raw = Raw(b"")
    messages: Raw = Raw(b"")
    message_echoes: Raw = Raw(b"")
    statuses: Raw = Raw(b"")
    errors: Raw = Raw(b"")


class Change(Struct):
    field: str = ""
    value: Raw = Raw(b"")


class Entry(Struct):
    id: Id = None
    changes: list[Change | None] | None = None


class EntryParts(Struct):
    id: Id = None
    changes: Raw = Raw(b"")


class Body(Struct):
    object: str | None = None
    entry: list[Entry | None] | None = None


class BodyParts(Struct):
    object: str | None = None
    entry: Raw = Raw(b"")

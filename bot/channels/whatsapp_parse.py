"""WhatsApp webhook bodies → messages, statuses and notices: over every entry, change and element, each by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar, cast, get_args

from msgspec import DecodeError, Raw
from msgspec.json import Decoder

from bot.channels import whatsapp_wire as wire
from bot.channels.base import UNKNOWN_TIME, Inbound, Item, Notice, Parsed, Sender, Status, StatusName
from bot.channels.clean import clean_json, clean_text, clean_value
from bot.channels.whatsapp_content import content_of, error_text, id_text

CHANNEL = "whatsapp"
_TALK = ("messages", "smb_message_echoes", "message_echoes", "")
"""Fields whose value is taken apart; every other one is a Notice, whole."""
_STATUSES = frozenset(get_args(StatusName))
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()

T = TypeVar("T")
Problems = list[str]


_body, _body_parts, _entry_parts = Decoder(wire.Body), Decoder(wire.BodyParts), Decoder(wire.EntryParts)
_value, _value_parts = Decoder(wire.Value), Decoder(wire.ValueParts)
_change, _metadata, _contact = Decoder(wire.Change), Decoder(wire.Metadata), Decoder(wire.Contact)
_message, _status, _any = Decoder(wire.Message), Decoder(wire.Status), Decoder()
_raws: Decoder[list[Raw]] = Decoder(list[Raw])


def parse(body: bytes) -> Parsed:
    """Everything in one webhook body. ValueError when it is not JSON in UTF-8 or not a `whatsapp_business_account` body."""
    problems: Problems = []
    try:
        if not body.isascii():
            str(body, "utf-8")
        top = _read_body(body, problems)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a webhook body: {error}") from None
    if top.object != "whatsapp_business_account":
        raise ValueError("not a whatsapp_business_account body")
    items: list[Item] = []
    for i, entry in enumerate(top.entry or ()):
        if entry is None:
            continue
        account = id_text(entry.id) or ""
        for j, change in enumerate(entry.changes or ()):
            if change is None:
                continue
            path = f"entry[{i}].changes[{j}].value"
            if change.field in _TALK:
                items += _talk(change.value, account, path, problems)
            else:
                items += _notice(change.field, account, change.value, None, path, problems)
    return Parsed(tuple(items), tuple(problems))


# ------------------------------------------------------------------------------------------- decoding with care
def _read_body(body: bytes, problems: Problems) -> wire.Body:
    """In one go; or, when something in it is broken (or half of a surrogate pair), piece by piece."""
    try:
        return _body.decode(body)
    except DecodeError:
        parts = _body_parts.decode(clean_json(body))
    entries: list[wire.Entry | None] = []
    for path, part in _parts(parts.entry, "entry", problems):
        if (entry := _decode(part, _entry_parts, path, problems)) is not None:
            entries.append(wire.Entry(entry.id, _list(entry.changes, _change, f"{path}.changes", problems)))
        else:
            entries.append(None)
    return wire.Body(parts.object, entries)


def _read_value(raw: Raw, path: str, problems: Problems) -> wire.Value | None:
    try:
        return _value.decode(raw)
    except (DecodeError, RecursionError):
        parts = _decode(raw, _value_parts, path, problems)
    if parts is None:
        return None
    return wire.Value(
        _decode(parts.metadata, _metadata, f"{path}.metadata", problems),
        _list(parts.contacts, _contact, f"{path}.contacts", problems),
        _list(parts.messages, _message, f"{path}.messages", problems),
        _list(parts.message_echoes, _message, f"{path}.message_echoes", problems),
        _list(parts.statuses, _status, f"{path}.statuses", problems),
        parts.errors,
    )


def _decode(raw: Raw, decoder: Decoder[T], path: str, problems: Problems) -> T | None:
    if not raw or bytes(raw) == b"null":
        return None
    try:
        return decoder.decode(raw)
    except (DecodeError, RecursionError) as error:
        problems.append(f"{path}: {error}")
        return None


def _parts(raw: Raw, path: str, problems: Problems) -> Iterator[tuple[str, Raw]]:
    parts = _decode(raw, _raws, path, problems)
    for index, part in enumerate(parts or ()):
        yield f"{path}[{index}]", part


def _list(raw: Raw, decoder: Decoder[T], path: str, problems: Problems) -> list[T | None]:
    return [_decode(part, decoder, where, problems) for where, part in _parts(raw, path, problems)]


def _time(value: str | float | None) -> datetime:
    try:
        seconds = int(value or 0)
    except (ValueError, OverflowError):
        return UNKNOWN_TIME
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LATEST else UNKNOWN_TIME


# ------------------------------------------------------------------------------------------- what a change holds
def _talk(raw: Raw, account: str, path: str, problems: Problems) -> Iterator[Item]:
    value = _read_value(raw, path, problems)
    if value is None:
        return
    number = (id_text(value.metadata.phone_number_id) if value.metadata else None) or ""
    contacts = [contact for contact in value.contacts or () if contact is not None]
    for name, messages in (("messages", value.messages), ("message_echoes", value.message_echoes)):
        for index, message in enumerate(messages or ()):
            if message is None:
                continue
            if message.group_id is not None:
                yield from _element(raw, name, index, "group_messages", account, number, path, problems)
                continue
            try:
                inbound = _inbound(message, number, contacts, name == "message_echoes")
            except (ValueError, RecursionError) as error:
                problems.append(f"{path}.{name}[{index}]: {error}")
                continue
            if inbound.at is UNKNOWN_TIME:
                problems.append(f"{path}.{name}[{index}].timestamp: not a time")
            yield inbound
    for index, status in enumerate(value.statuses or ()):
        if status is None:
            continue
        if status.id is None or status.type in ("payment", "call") or status.status not in _STATUSES:
            yield from _element(raw, "statuses", index, "statuses", account, number, path, problems)
            continue
        if (known := _message_status(status, number, contacts)).at is UNKNOWN_TIME:
            problems.append(f"{path}.statuses[{index}].timestamp: not a time")
        yield known
    if value.errors:
        yield from _notice("errors", account, value.errors, number, path + ".errors", problems)


def _element(
    value: Raw, name: str, index: int, field: str, account: str, number: str, path: str, problems: Problems
) -> tuple[Notice, ...]:
    """One element of an array of the value, whole, as a Notice."""
    raw = _raws.decode(getattr(_value_parts.decode(value), name))[index]
    return _notice(field, account, raw, number, f"{path}.{name}[{index}]", problems)


def _notice(field: str, account: str, raw: Raw, number: str | None, path: str, problems: Problems) -> tuple[Notice, ...]:
    """A Notice of whatever `raw` holds; none when that is nothing or cannot be kept."""
    value = _decode(raw, _any, path, problems)
    if value is None:
        return ()
    try:
        value = clean_value(value)
    except ValueError as error:
        problems.append(f"{path}: {error}")
        return ()
    value = value if isinstance(value, dict) else {field: value}
    if number is None and isinstance(metadata := value.get("metadata"), dict):
        given = metadata.get("phone_number_id")
        number = id_text(given) if isinstance(given, (str, int)) else None
    return (Notice(CHANNEL, clean_text(field, 64), account, value, number),)


def _inbound(message: wire.Message, number: str, contacts: Sequence[wire.Contact], echo: bool) -> Inbound:
    external_id = id_text(message.id)
    if external_id is None:
        raise ValueError("no id")
    if echo:
        sender = _sender(message.to, message.to_user_id, contacts)
    else:
        sender = _sender(message.sender, message.from_user_id, contacts)
    if sender.phone is None and sender.bsuid is None:
        raise ValueError("no sender")
    content = content_of(message)
    if echo:
        content["echoed"], content["kind"] = content["kind"], "echo"
    context = message.context
    if context is not None:
        content.setdefault("about", id_text(context.id))
        content["forwarded"] = bool(context.forwarded or context.frequently_forwarded)
        content["product"] = id_text(context.referred_product.product_retailer_id) if context.referred_product else None
    if message.referral is not None:
        content["referral"] = clean_value(message.referral)
    return Inbound(CHANNEL, number, external_id, sender, _time(message.timestamp), **content)


def _sender(phone: wire.Id, bsuid: wire.Id, contacts: Sequence[wire.Contact]) -> Sender:
    """Who that is, completed from the contact with the same phone or BSUID; a message that names nobody is the only contact's."""
    nobody = phone is None and bsuid is None and len(contacts) == 1
    name = None
    for contact in contacts:
        if nobody or (phone is not None and phone == contact.wa_id) or (bsuid is not None and bsuid == contact.user_id):
            phone, bsuid = phone or contact.wa_id, bsuid or contact.user_id
            name = contact.profile.name if contact.profile else None
            break
    number = id_text(phone)
    return Sender(number and number.removeprefix("+"), id_text(bsuid), name=clean_text(name, 256) if name else None)


def _message_status(status: wire.Status, number: str, contacts: Sequence[wire.Contact]) -> Status:
    if status.recipient_type == "group":
        sender = _sender(status.recipient_participant_id, status.recipient_participant_user_id, contacts)
    else:
        sender = _sender(status.recipient_id, status.recipient_user_id, contacts)
    error = status.errors[0] if status.errors else None
    code = id_text(error.code) if error else None
    return Status(
        CHANNEL,
        number,
        id_text(status.id) or "",
        cast(StatusName, status.status),
        _time(status.timestamp),
        id_text(status.biz_opaque_callback_data),
        int(code) if code and code.isdecimal() and len(code) < 10 else None,
        error_text(error) if error else None,
        sender if sender.phone or sender.bsuid else None,
    )

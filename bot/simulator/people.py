"""A person with WhatsApp: everything that a thumb can do, and what the phone shows. For tests, the page and the terminal."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import phonenumbers

from bot.simulator.conversation import Choice, Message, new_wamid
from bot.simulator.limits import kind_of
from bot.simulator.media import RECEIVED, sample

if TYPE_CHECKING:
    from bot.simulator.network import Network, Number

Json = dict[str, Any]


class NoSuchChoice(LookupError):
    """Nothing on the screen has that id or title."""


def bsuid_for(name: str, phone: str | None) -> str:
    """A business-scoped user id (`CO.1349…`) that is the same whenever the same person is registered."""
    country = "CO"
    if phone:
        with suppress(phonenumbers.NumberParseException):
            country = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{phone}")) or country
    number = int.from_bytes(hashlib.sha256((phone or name).encode()).digest()[:8])
    return f"{country}.{number:020d}"


def spoken(phone: str) -> str:
    """A phone's digits as people write them: +57 300 1234567."""
    with suppress(phonenumbers.NumberParseException):
        return phonenumbers.format_number(phonenumbers.parse(f"+{phone}"), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"+{phone}"


def spellings(phone: str) -> set[str]:
    """The digits of one line as WhatsApp takes them: Mexico with or without 1, Argentina and Brazil with or without 9."""
    found = {phone}
    for country, extra, length in (("52", "1", 12), ("54", "9", 12)):
        if phone.startswith(country):
            found.add(country + extra + phone[2:] if len(phone) == length else country + phone[2:].removeprefix(extra))
    if phone.startswith("55") and len(phone) in (12, 13):
        found.add(phone[:4] + "9" + phone[4:] if len(phone) == 12 else phone[:4] + phone[5:])
    return found


class Person:
    """Who writes to business numbers. `number` is a Number or its phone_number_id everywhere.

    Each act returns when the service has been told; a webhook that was refused is tried again in the background.
    """

    def __init__(self, network: Network, name: str, phone: str | None, bsuid: str, reports: tuple[str, ...]) -> None:
        self._network = network
        self.name = name
        self.phone = phone
        self.bsuid = bsuid
        self.reports = reports

    def contact(self) -> Json:
        """As in the `contacts` of a webhook."""
        contact: Json = {"profile": {"name": self.name}, "user_id": self.bsuid}
        return contact | {"wa_id": self.phone} if self.phone else contact

    def view(self) -> Json:
        return {"id": self.bsuid, "name": self.name, "phone": spoken(self.phone) if self.phone else None}

    # ------------------------------------------------------------------------------------------------ writing
    async def say(
        self, number: Number | str, text: str, *, about: str | None = None, referral: Json | None = None, forwarded: bool = False
    ) -> Message:
        """Write a text; `referral` when an advertisement was clicked just before."""
        return await self._send(number, "text", {"body": text}, about=about, referral=referral, forwarded=forwarded)

    async def press(self, number: Number | str, choice: str) -> Message:
        """Press a button or a list row by its id or title: the newest one on the screen. NoSuchChoice."""
        for message in reversed(self.heard(number)):
            for option in message.choices:
                if choice in (option.id, option.title):
                    return await self._answer(number, message, option)
        raise NoSuchChoice(f"{choice!r} is not on the screen of {self.name}")

    async def press_in(self, number: Number | str, message_id: str, choice_id: str) -> Message:
        """Press the button or list row `choice_id` of one message. NoSuchChoice."""
        message = self._message(number, message_id)
        option = next((option for option in message.choices if option.id == choice_id), None)
        if option is None:
            raise NoSuchChoice(f"{choice_id!r} is not in that message")
        return await self._answer(number, message, option)

    async def _answer(self, number: Number | str, message: Message, option: Choice) -> Message:
        if option.kind == "button":
            return await self._send(number, "button", {"payload": option.id, "text": option.title}, about=message.id)
        reply: Json = {"id": option.id, "title": option.title}
        if option.description:
            reply["description"] = option.description
        return await self._send(number, "interactive", {"type": option.kind, option.kind: reply}, about=message.id)

    async def finish_form(self, number: Number | str, about: str, form: str) -> Message:
        """Send the answer of a Flow; `form` is its `response_json`."""
        reply = {"name": "flow", "body": "Sent", "response_json": form}
        return await self._send(number, "interactive", {"type": "nfm_reply", "nfm_reply": reply}, about=about)

    # ------------------------------------------------------------------------------------------------ files
    async def send_file(
        self, number: Number | str, content: bytes, mime: str, *, caption: str = "", filename: str = "", voice: bool = False
    ) -> Message:
        """Send a file as what its type makes it: a photo, an audio, a video, a sticker, or else a document."""
        kind = kind_of(mime) or "document"
        file = self._network.media.keep(self._id(number), content, mime, kind, life=RECEIVED, filename=filename)
        part: Json = {"mime_type": mime, "sha256": file.sha256_base64, "id": file.id}
        if caption and kind in ("image", "video", "document"):
            part["caption"] = caption
        if kind == "document":
            part["filename"] = filename or "document"
        if kind == "audio":
            part["voice"] = voice
        if kind == "sticker":
            part["animated"] = b"ANIM" in content[:64]
        return await self._send(number, kind, part)

    async def send_voice(self, number: Number | str, content: bytes | None = None) -> Message:
        return await self.send_file(number, content or sample("voice.ogg"), "audio/ogg; codecs=opus", voice=True)

    async def send_image(self, number: Number | str, content: bytes | None = None, *, caption: str = "") -> Message:
        return await self.send_file(number, content or sample("photo.jpg"), "image/jpeg", caption=caption)

    async def send_sticker(self, number: Number | str, content: bytes | None = None) -> Message:
        return await self.send_file(number, content or sample("sticker.webp"), "image/webp")

    # ------------------------------------------------------------------------------------------------ the rest
    async def send_location(
        self, number: Number | str, latitude: float, longitude: float, *, name: str = "", address: str = ""
    ) -> Message:
        place: Json = {"latitude": latitude, "longitude": longitude}
        return await self._send(number, "location", place | {k: v for k, v in (("name", name), ("address", address)) if v})

    async def send_contact(self, number: Number | str, name: str, phone: str) -> Message:
        first, _, last = name.partition(" ")
        card: Json = {"name": {"formatted_name": name, "first_name": first}, "phones": [{"phone": phone, "type": "CELL"}]}
        if last:
            card["name"]["last_name"] = last
        return await self._send(number, "contacts", [card])

    async def send_order(self, number: Number | str, catalog_id: str, items: list[Json], text: str = "") -> Message:
        """Send a cart; each item has product_retailer_id, quantity, item_price, currency."""
        return await self._send(number, "order", {"catalog_id": catalog_id, "text": text, "product_items": items})

    async def react(self, number: Number | str, message_id: str, emoji: str) -> None:
        """Put a reaction on a message; an empty `emoji` takes it back."""
        target = self._message(number, message_id)
        target.reactions["person"] = emoji
        await self._tell(number, "reaction", {"message_id": message_id, "emoji": emoji})

    async def edit(self, number: Number | str, message_id: str, text: str) -> None:
        """Change the words of one's own text message."""
        target = self._message(number, message_id)
        target.content, target.edited = target.content | {"body": text}, True
        changed = {"context": {"id": message_id}, "type": "text", "text": {"body": text}}
        await self._tell(number, "edit", {"original_message_id": message_id, "message": changed})

    async def delete(self, number: Number | str, message_id: str) -> None:
        """Delete one's own message for everybody."""
        self._message(number, message_id).deleted = True
        await self._tell(number, "revoke", {"original_message_id": message_id})

    async def send_unsupported(self, number: Number | str) -> None:
        """Send something that the Cloud API cannot show, such as a poll."""
        error = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
        details = {"details": "Message type is currently not supported."}
        await self._tell(number, "unsupported", None, {"errors": [error | {"error_data": details}]})

    async def change_phone(self, phone: str) -> None:
        """Move to another phone number; every business that was written to is told."""
        old, self.phone = self.phone, phone
        text = f"User {self.name} changed from {old} to {phone}"
        value = {"type": "user_changed_number", "wa_id": phone, "body": text}
        numbers = [c.number for c in self._network.conversations.values() if c.person == self.bsuid]
        await asyncio.gather(*(self._tell(number, "system", value, {"from": old} if old else {}) for number in numbers))

    # ------------------------------------------------------------------------------------------------ the screen
    def screen(self, number: Number | str) -> list[Message]:
        """Both sides of the conversation, oldest first."""
        return list(self._network.conversation(self._id(number), self).messages.values())

    def heard(self, number: Number | str) -> list[Message]:
        """What the business wrote, oldest first."""
        return [message for message in self.screen(number) if not message.mine]

    async def wait_for(
        self,
        number: Number | str,
        want: int | Callable[[list[Message]], bool],
        timeout: float = 5.0,  # noqa: ASYNC109
    ) -> list[Message]:
        """Wait until the business wrote `want` messages, or until `want` is true of them. TimeoutError tells what there is."""
        try:
            async with asyncio.timeout(timeout):
                while not (len(self.heard(number)) >= want if isinstance(want, int) else want(self.heard(number))):
                    await self._network.changed()
        except TimeoutError:
            raise TimeoutError(f"{self.name} waited in vain; heard: {[m.text or m.type for m in self.heard(number)]}") from None
        return self.heard(number)

    # ------------------------------------------------------------------------------------------------ inside
    def _id(self, number: Number | str) -> str:
        return number if isinstance(number, str) else number.id

    def _message(self, number: Number | str, message_id: str) -> Message:
        message = self._network.conversation(self._id(number), self).messages.get(message_id)
        if message is None:
            raise LookupError(f"{self.name} has no message {message_id}")
        return message

    async def _send(
        self,
        number: Number | str,
        kind: str,
        content: Any,
        *,
        about: str | None = None,
        referral: Json | None = None,
        forwarded: bool = False,
    ) -> Message:
        network = self._network
        wamid = new_wamid(self.phone or self.bsuid, outgoing=False)
        shown = {kind: content} if isinstance(content, list) else content
        message = Message(wamid, kind, shown, network.clock.now(), mine=True, about=about, referral=referral)
        conversation = network.conversation(self._id(number), self)
        conversation.add(message)
        network.publish_conversation(conversation)
        more: Json = {"referral": referral} if referral else {}
        if about:
            more["context"] = {"from": network.numbers[self._id(number)].digits, "id": about}
        if forwarded:
            more["context"] = {"forwarded": True}
        if await self._tell(number, kind, content, more, wamid) == 200 and message.advance("delivered"):
            network.publish_conversation(conversation)
        return message

    async def _tell(
        self, number: Number | str, kind: str, content: Any, more: Json | None = None, wamid: str | None = None
    ) -> int:
        """Post one message to the webhook; its HTTP status (0: no answer)."""
        network = self._network
        item: Json = {"from": self.phone} if self.phone else {}
        item |= {
            "from_user_id": self.bsuid,
            "id": wamid or new_wamid(self.phone or self.bsuid, outgoing=False),
            "timestamp": str(int(network.clock.now().timestamp())),
            "type": kind,
        }
        if content is not None:
            item[kind] = content
        conversation = network.conversation(self._id(number), self)
        conversation.remember(item["id"])
        network.publish_conversation(conversation)
        value = {"contacts": [self.contact()], "messages": [item | (more or {})]}
        return await network.tell(network.numbers[self._id(number)], value, lane=self.bsuid)

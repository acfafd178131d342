"""What happens to a message that a business sends: taken or refused, shown on the person's phone, reported in statuses."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.simulator import limits
from bot.simulator.conversation import TYPING, Message, new_wamid
from bot.simulator.graph_errors import GraphError
from bot.simulator.media import UPLOADED

if TYPE_CHECKING:
    from bot.simulator.network import Network, Number
    from bot.simulator.people import Person

Json = dict[str, Any]

PAIR_BURST, PAIR_SECONDS = 45, 6.0
"""From one number to one person: 45 messages at once, then one every six seconds."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How statuses travel. Pairs are the least and the most seconds after the message was taken; the rest are probabilities."""

    sent: tuple[float, float] = (0.0, 0.0)
    delivered: tuple[float, float] = (0.0, 0.0)
    read: tuple[float, float] = (0.0, 0.0)
    skip: float = 0.0
    """`delivered` never comes."""
    swap: float = 0.0
    """`delivered` and `read` change places."""
    twice: float = 0.0
    """A webhook is delivered again."""


PROFILES = {
    "calm": Profile(),
    "lively": Profile((0.02, 0.2), (0.15, 0.6), (0.5, 2.0), skip=0.05, swap=0.05, twice=0.03),
}


@dataclass(slots=True)
class _Sending:
    """One message on its way. `person` is None for an address without WhatsApp."""

    number: Number
    person: Person | None
    address: str
    message: Message
    callback: str | None
    failure: GraphError | None


class _Bucket:
    """A rate that is saved up, to `size`, while it is not used."""

    def __init__(self, size: float, seconds_each: float, now: datetime) -> None:
        self._size, self._each, self._left, self._at = size, seconds_each, size, now

    def take(self, now: datetime) -> bool:
        self._left = min(self._size, self._left + (now - self._at).total_seconds() / self._each)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Delivery:
    """The way from a business number to a phone."""

    def __init__(self, network: Network, profile: Profile) -> None:
        self._network = network
        self._profile = profile
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def accept(self, number: Number, message: Json, failure: GraphError | None = None) -> Json:
        """Take a message that keeps the limits, and return the answer of `POST /{phone_number_id}/messages`.
        With `failure` it is taken, and fails later. GraphError when it is refused at once."""
        network = self._network
        to, bsuid = str(message.get("to") or ""), str(message.get("recipient") or "")
        digits = re.sub(r"\D", "", to)
        person = network.find(digits) if digits else network.people.get(bsuid)
        address = (person.phone or person.bsuid) if person else digits or bsuid
        if digits and digits == number.digits:
            raise GraphError(131021, "The recipient phone number is the sender phone number.")
        kind = str(message.get("type", "text"))
        content = dict(message[kind]) if isinstance(message[kind], dict) else {"contacts": message[kind]}
        if kind == "template":
            content["rendered"] = network.templates.render(number.waba, content)
        if kind in limits.MEDIA_TYPES and "id" in content and network.media.get(content["id"]) is None:
            raise GraphError(131009, f"Media id {content['id']} does not exist.")
        self._check_rates(number, address)
        if person is None:
            failure = failure or GraphError(131026, "Message Undeliverable.")
        elif kind != "template" and not network.conversation(number.id, person).open(network.clock.now()):
            details = (
                "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
            )
            failure = failure or GraphError(131047, details)
        about = (message.get("context") or {}).get("message_id")
        bubble = Message(new_wamid(address, outgoing=True), kind, content, network.clock.now(), mine=False, about=about)
        sending = _Sending(number, person, address, bubble, message.get("biz_opaque_callback_data"), failure)
        if kind in limits.MEDIA_TYPES and "link" in content and failure is None:
            network.spawn(self._fetch_then_show(sending))
        else:
            self._show(sending)
        contact = (
            {"input": to, "wa_id": (person.phone if person else None) or digits} if to else {"input": bsuid, "user_id": bsuid}
        )
        accepted = {"message_status": "accepted"} if kind == "template" else {}
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": bubble.id} | accepted]}

    def read(self, number: Number, message_id: str, typing: bool) -> None:
        """The business read a message and those before it; perhaps it shows that it is writing. GraphError: no such message."""
        network = self._network
        conversation = next((c for c in network.conversations.values() if c.number == number.id and message_id in c.told), None)
        if conversation is None:
            raise GraphError(131009, f"Message id {message_id} was not received by this phone number.")
        for message in conversation.messages.values():
            if message.mine:
                message.advance("read")
            if message.id == message_id:
                break
        if typing:
            conversation.typing_until = network.clock.now() + TYPING
        network.publish_conversation(conversation)

    def _check_rates(self, number: Number, address: str) -> None:
        now = self._network.clock.now()
        for key, size, each, code, details in (
            ((number.id,), number.throughput, 1 / number.throughput, 130429, "from this phone number"),
            ((number.id, address), PAIR_BURST, PAIR_SECONDS, 131056, "from this phone number to the same phone number"),
        ):
            if not self._buckets.setdefault(key, _Bucket(size, each, now)).take(now):
                raise GraphError(
                    code, f"Message failed to send because there were too many messages sent {details} in a short time."
                )

    async def _fetch_then_show(self, sending: _Sending) -> None:
        """Fetch the file behind a link, as Meta does, and then deliver."""
        content, kind = sending.message.content, sending.message.type
        most = limits.MEDIA_TYPES[kind][1]
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
                session.get(content["link"]) as answer,
            ):
                answer.raise_for_status()
                file = await limits.read_all(answer.content.iter_chunked(65_536), most)
                mime = answer.content_type
            kept = self._network.media.keep(sending.number.id, file, mime, limits.check_file(mime, file), life=UPLOADED)
            content["id"] = kept.id
        except GraphError as error:
            sending.failure = GraphError(131053, error.details or str(error))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            sending.failure = GraphError(131053, f"Request for url {content['link']} failed with error: {error or 'time-out'}")
        self._show(sending)

    def _show(self, sending: _Sending) -> None:
        network, message = self._network, sending.message
        if sending.failure is None and message.type in limits.MEDIA_TYPES:
            file = network.media.get(message.content["id"])
            if file is None or file.kind != message.type:
                sending.failure = GraphError(131053, f"The file is not of the type {message.type}.")
        if sending.person is not None and sending.failure is None:
            conversation = network.conversation(sending.number.id, sending.person)
            if message.type == "reaction":
                target = conversation.messages.get(message.content["message_id"])
                if target is not None:
                    target.reactions["business"] = message.content["emoji"]
            else:
                conversation.add(message)
            network.publish_conversation(conversation)
        for wait, status in self._plan(sending):
            if wait > 0:
                network.spawn(self._report_later(wait, sending, status))
            else:
                self._report(sending, status)

    def _plan(self, sending: _Sending) -> list[tuple[float, str]]:
        """The statuses of a message, and after how many seconds each is sent."""
        chance, profile = self._network.chance, self._profile
        if sending.failure is not None:
            return [(chance.uniform(*profile.sent), "failed")]
        times = {name: chance.uniform(*getattr(profile, name)) for name in ("sent", "delivered", "read")}
        if chance.random() < profile.skip:
            del times["delivered"]
        elif chance.random() < profile.swap:
            times["delivered"], times["read"] = times["read"], times["delivered"]
        reports = sending.person.reports if sending.person else ()
        return [(wait, name) for name, wait in times.items() if name in reports]

    async def _report_later(self, wait: float, sending: _Sending, status: str) -> None:
        await asyncio.sleep(wait)
        self._report(sending, status)

    def _report(self, sending: _Sending, status: str) -> None:
        network, person, message = self._network, sending.person, sending.message
        item: Json = {"id": message.id, "status": status, "timestamp": str(int(network.clock.now().timestamp()))}
        phone = person.phone if person else sending.address
        if phone and phone.isdigit():
            item["recipient_id"] = phone
        if person is not None:
            item["recipient_user_id"] = person.bsuid
        if sending.callback is not None:
            item["biz_opaque_callback_data"] = sending.callback
        if sending.failure is not None:
            item["errors"] = [sending.failure.in_status()]
        elif status != "read":
            category = message.content["rendered"]["category"] if message.type == "template" else "service"
            item["pricing"] = {"billable": category != "service", "pricing_model": "PMP", "type": "regular", "category": category}
        value: Json = {"contacts": [person.contact()]} if person is not None else {}
        network.tell(sending.number, value | {"statuses": [item]}, lane=person.bsuid if person else sending.address)
        if message.advance(status) and person is not None:
            network.publish_conversation(network.conversation(sending.number.id, person))

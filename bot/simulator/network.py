"""The local WhatsApp: business numbers, people, their conversations, and the wire to the service's webhook."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from bot.clock import Clock
from bot.simulator.conversation import Conversation
from bot.simulator.delivery import PROFILES, Delivery, Profile
from bot.simulator.faults import Faults
from bot.simulator.graph_errors import not_found
from bot.simulator.media import MediaStore
from bot.simulator.people import Person, bsuid_for, spellings
from bot.simulator.templates import Templates
from bot.simulator.webhooks import Webhooks, body

Json = dict[str, Any]


@dataclass(slots=True)
class Number:
    """A business phone number. `throughput` is its messages per second; `about` its public profile."""

    id: str
    display: str
    name: str
    waba: str
    throughput: int = 80
    about: Json = field(default_factory=lambda: {"vertical": "UNDEFINED"})

    @property
    def digits(self) -> str:
        return re.sub(r"\D", "", self.display)

    def view(self) -> Json:
        return {"id": self.id, "display": self.display, "name": self.name, "waba": self.waba}


class Network:
    """Everything in memory. `profile` is calm (statuses at once and in order), lively, or one's own; `seed` drives its chances.

    Use it as an async context manager, or `await close()` at the end.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        webhook_url: str,
        app_secret: str,
        token: str,
        profile: str | Profile = "calm",
        seed: int = 0,
        history: int = 500,
        first_retry: float = 0.25,
        longest_retry: float = 30.0,
    ) -> None:
        manners = PROFILES[profile] if isinstance(profile, str) else profile
        self.clock = clock
        self.token = token
        self.chance = random.Random(seed)
        self.webhooks = Webhooks(webhook_url, app_secret, first_retry=first_retry, longest_retry=longest_retry)
        self.faults = Faults(self.chance)
        self.media = MediaStore(clock)
        self.templates = Templates()
        self.delivery = Delivery(self, manners)
        self.numbers: dict[str, Number] = {}
        self.people: dict[str, Person] = {}
        self.conversations: dict[tuple[str, str], Conversation] = {}
        self._twice = manners.twice
        self._history = history
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: set[asyncio.Queue[Json | None]] = set()
        self._change = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        self.hang_up()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.webhooks.close()

    # ------------------------------------------------------------------------------------------------ who is there
    def number(self, phone_number_id: str, display: str, name: str, waba: str, *, throughput: int = 80) -> Number:
        """Register a business number."""
        number = Number(phone_number_id, display, name, waba, throughput)
        self.numbers[number.id] = number
        self.publish({"event": "refresh"})
        return number

    def get_number(self, phone_number_id: str, method: str = "get") -> Number:
        """A business number by its id. GraphError when there is none."""
        number = self.numbers.get(phone_number_id)
        if number is None:
            raise not_found(phone_number_id, method)
        return number

    def person(
        self,
        name: str,
        phone: str | None = None,
        bsuid: str | None = None,
        *,
        reports: tuple[str, ...] = ("sent", "delivered", "read"),
    ) -> Person:
        """Register a person with WhatsApp (the same phone or BSUID: the same person). Without `phone`, only the BSUID is seen.
        `reports` are the statuses that this person's phone sends."""
        digits = re.sub(r"\D", "", phone or "") or None
        known = (self.find(digits) if digits else None) or (self.people.get(bsuid) if bsuid else None)
        if known is not None:
            return known
        person = Person(self, name, digits, bsuid or bsuid_for(name, digits), reports)
        self.people[person.bsuid] = person
        self.publish({"event": "refresh"})
        return person

    def find(self, phone: str) -> Person | None:
        """The person behind a phone's digits, in any of the spellings that WhatsApp takes for the same line."""
        wanted = spellings(phone)
        return next((person for person in self.people.values() if person.phone in wanted), None)

    def conversation(self, number: str, person: Person) -> Conversation:
        key = (number, person.bsuid)
        if key not in self.conversations:
            self.conversations[key] = Conversation(number, person.bsuid, self._history)
        return self.conversations[key]

    # ------------------------------------------------------------------------------------------------ the wire
    def tell(self, number: Number, value: Json, *, lane: str, name: str = "messages") -> asyncio.Future[int]:
        """Post one change to the service, in order with the others of this number's `lane`; see Webhooks.send."""
        metadata = {"display_phone_number": number.digits, "phone_number_id": number.id}
        content = body(number.waba, name, {"messaging_product": "whatsapp", "metadata": metadata} | value)
        if self.chance.random() < self._twice:
            self.webhooks.send((number.id, lane, secrets.token_hex(4)), content)
        return self.webhooks.send((number.id, lane), content)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background until the network closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until every webhook was answered 200 and no status is on its way."""
        while self._tasks or self.webhooks.waiting:
            if self._tasks:
                await asyncio.wait(set(self._tasks))
            await self.webhooks.idle()

    def advance(self, by: timedelta) -> None:
        """Move the clock forward for everybody."""
        self.clock.advance(by)
        self.publish({"event": "refresh"})

    # ------------------------------------------------------------------------------------------------ who looks on
    async def changed(self) -> None:
        """Wait until something happens anywhere."""
        await self._change.wait()

    def publish_conversation(self, conversation: Conversation) -> None:
        event = {"event": "conversation"} | self._view(conversation, newest=20) if self._listeners else {}
        self.publish(event)

    def publish(self, event: Json) -> None:
        """Tell whoever waits, and the open pages; one that falls behind is told to fetch everything anew."""
        self._change.set()
        self._change = asyncio.Event()
        for queue in self._listeners:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait({"event": "refresh"})
            else:
                queue.put_nowait(event)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Json | None]]:
        """Events for one page; None when the network closes."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue(maxsize=200)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def hang_up(self) -> None:
        """End every listener, so that the server can stop."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    def view(self) -> Json:
        """Everything, for a page that has just been opened."""
        return {
            "now": self.clock.now().isoformat(),
            "numbers": [number.view() for number in self.numbers.values()],
            "people": [person.view() for person in self.people.values()],
            "conversations": [self._view(conversation, self._history) for conversation in self.conversations.values()],
            "faults": self.faults.view(),
        }

    def _view(self, conversation: Conversation, newest: int) -> Json:
        now = self.clock.now()
        return {
            "number": conversation.number,
            "person": conversation.person,
            "typing": conversation.typing(now),
            "open": conversation.open(now),
            "messages": [message.view() for message in list(conversation.messages.values())[-newest:]],
        }

"""Prospects who fill in the form, one line when the answer to the last was heard, and what each of them heard.

They write through the simulator's WhatsApp, which posts a webhook again until it is answered 200 and reports each message of ours
in three statuses, as Meta does.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bot.bench.prospects import SCRIPT
from bot.simulator.conversation import Conversation
from bot.simulator.network import Network
from bot.simulator.people import Person

PATIENCE = 45.0
"""Seconds after which a prospect who hears nothing gives up."""
_TAG = re.compile(r"\[(?:q(\d+)|done)\]")


class Street(Network):
    """The local WhatsApp. Each bubble that shows on a phone is told to `listeners`."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.listeners: list[Callable[[Conversation], None]] = []

    def publish_conversation(self, conversation: Conversation) -> None:
        super().publish_conversation(conversation)
        for listener in self.listeners:
            listener(conversation)


def step_of(text: str) -> int | None:
    """The line of the script that this is the answer to, from 1; None when it is no answer of the form."""
    tag = _TAG.search(text)
    return None if tag is None else int(tag[1]) if tag[1] else len(SCRIPT)


@dataclass(slots=True, eq=False)
class Talk:
    """One prospect and one form. `said` are the times of the lines, `heard` the steps in the order in which answers came."""

    person: Person
    conversation: Conversation
    said: list[float] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    looked_at: int = 0
    gave_up: bool = False

    @property
    def unanswered(self) -> list[int]:
        return [step for step in range(1, len(self.said) + 1) if step not in self.heard]

    @property
    def duplicated(self) -> int:
        return len(self.heard) - len(set(self.heard))

    @property
    def out_of_order(self) -> int:
        firsts = list(dict.fromkeys(self.heard))
        return sum(later < earlier for earlier, later in pairwise(firsts))


class Crowd:
    """`seats` prospects at a time on one number; who is done makes room for the next. Use as an async context manager, and
    `finish` before the end. With `bursts`, some write two lines in a row."""

    def __init__(
        self, street: Street, number: str, seats: int, chance: random.Random, *, bursts: bool = True, pause: float = 0.2
    ) -> None:
        self._street = street
        self._number = number
        self._seats = seats
        self._chance = chance
        self._bursts = bursts
        self._pause = pause
        self._prefix = f"+57 3{len(street.listeners):02}"
        self._by_person: dict[str, Talk] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._watches: list[tuple[set[Talk], asyncio.Future[float]]] = []
        self._leaving = False
        self.talks: list[Talk] = []
        self.answers: list[tuple[float, float]] = []
        """When each answer was heard (the loop's time), and how long it took."""
        street.listeners.append(self._look)

    async def __aenter__(self) -> Crowd:
        self._tasks = [asyncio.create_task(self._sit()) for _ in range(self._seats)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def finish(self, patience: float) -> None:
        """Let everybody end the form that they have begun, at most `patience` seconds."""
        self._leaving = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)

    def first_answer(self, doubtful: Collection[str | None] = ()) -> asyncio.Future[float]:
        """When somebody who is waiting now (anybody, when nobody is) hears an answer, in the loop's time. `doubtful`: phones of
        those whose answer may have left already: they are let wait, for its status or for a person."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiting = {talk for talk in self.talks if talk.unanswered and not talk.gave_up and talk.person.phone not in doubtful}
        self._watches.append((waiting, future))
        return future

    def took(self, since: float, until: float) -> list[float]:
        """Seconds from line to answer, of the answers heard between two times."""
        return [seconds for at, seconds in self.answers if since <= at < until]

    def lines(self) -> Iterator[str]:
        """The message id of every line that was said."""
        for talk in self.talks:
            yield from talk.conversation.told

    async def _sit(self) -> None:
        while not self._leaving:
            await asyncio.sleep(self._chance.uniform(0, self._pause))
            person = self._street.person(f"Ana {len(self.talks)}", f"{self._prefix}{len(self.talks):07}")
            talk = Talk(person, self._street.conversation(self._number, person))
            self.talks.append(talk)
            self._by_person[person.bsuid] = talk
            await self._fill_in(talk)

    async def _fill_in(self, talk: Talk) -> None:
        while len(talk.said) < len(SCRIPT):
            burst = 2 if self._bursts and self._chance.random() < 0.25 else 1
            for line in SCRIPT[len(talk.said) :][:burst]:
                talk.said.append(asyncio.get_running_loop().time())
                await talk.person.say(self._number, line)
            try:
                async with asyncio.timeout(PATIENCE):
                    while talk.unanswered:
                        talk.news.clear()
                        await talk.news.wait()
            except TimeoutError:
                talk.gave_up = True
                return
            await asyncio.sleep(self._chance.uniform(0, self._pause))

    def _look(self, conversation: Conversation) -> None:
        talk = self._by_person.get(conversation.person)
        if talk is None or conversation.number != self._number:
            return
        bubbles = [message for message in conversation.messages.values() if not message.mine]
        for bubble in bubbles[talk.looked_at :]:
            step = step_of(bubble.text)
            if step is not None:
                self._heard(talk, step)
        talk.looked_at = len(bubbles)

    def _heard(self, talk: Talk, step: int) -> None:
        now = asyncio.get_running_loop().time()
        if step not in talk.heard and step <= len(talk.said):
            self.answers.append((now, now - talk.said[step - 1]))
        talk.heard.append(step)
        talk.news.set()
        for talks, future in self._watches:
            if not future.done() and (talk in talks or not talks):
                future.set_result(now)
        self._watches = [watch for watch in self._watches if not watch[1].done()]

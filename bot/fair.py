"""The queue of conversations to answer: fair among companies and among their numbers; first come, first served within one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import islice

_Number = dict[int, float]
"""{conversation: the loop's time to answer it at}, in the order in which they came."""


class FairQueue:
    """Each conversation stands in it once. `take` takes one of each company in turn, and within it of each number in turn, so
    that a flood on one number costs the others one place a round."""

    def __init__(self) -> None:
        self._companies: OrderedDict[int, OrderedDict[int, _Number]] = OrderedDict()
        self._places: dict[int, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, conversation: int) -> bool:
        return conversation in self._places

    def put(self, company: int, number: int, conversation: int, at: float) -> None:
        """Answer `conversation` at the loop's time `at`; one that waits already keeps its place."""
        place = self._places.setdefault(conversation, (company, number))
        self._companies.setdefault(place[0], OrderedDict()).setdefault(place[1], {})[conversation] = at

    def take(self, most: int) -> list[int]:
        """Up to `most` conversations whose time has come; they are out of the queue."""
        now = asyncio.get_running_loop().time()
        taken = list(islice(_in_turn(_in_turn(_due(n, now) for n in c.values()) for c in self._companies.values()), most))
        for conversation in taken:
            self._remove(conversation)
        return taken

    def _remove(self, conversation: int) -> None:
        company, number = self._places.pop(conversation)
        numbers = self._companies[company]
        del numbers[number][conversation]
        if numbers[number]:
            numbers.move_to_end(number)  # those that were not served this time are first the next
        else:
            del numbers[number]
        if numbers:
            self._companies.move_to_end(company)
        else:
            del self._companies[company]

    def next_at(self) -> float:
        """The loop's time at which the next one is to be answered; infinity when none is."""
        return min((at for c in self._companies.values() for n in c.values() for at in n.values()), default=float("inf"))


def _due(number: _Number, now: float) -> Iterator[int]:
    return (conversation for conversation, at in number.items() if at <= now)


def _in_turn(parts: Iterable[Iterator[int]]) -> Iterator[int]:
    """One of each in turn, until all are empty."""
    rest = list(parts)
    while rest:
        left = []
        for part in rest:
            for item in part:
                yield item
                left.append(part)
                break
        rest = left

"""The queue of conversations to answer: fair among companies, among their numbers, and among the bodies that brought them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

FEW = 2
"""Conversations of one source that are taken together: whoever comes meanwhile waits for them, and for all that they say. A body
with a thousand messages still has its answers within five seconds."""
_Node = OrderedDict[int, Any]
"""{id: node} down to {conversation: the loop's time to answer it at}; those that were not served lately stand first."""


class Place(NamedTuple):
    """Where a conversation stands. `source` is what brought it: those of one webhook body share one, most are alone in theirs."""

    company: int
    number: int
    source: int


class FairQueue:
    """Each conversation stands in it once. `take` takes one of each company in turn, within it of each number, and within that
    of each source: a flood on one number costs the others one place a round, and so does a body with a thousand messages. Within
    a source it is first come, first served, at most FEW at a time."""

    def __init__(self) -> None:
        self._root: _Node = OrderedDict()
        self._places: dict[int, Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, conversation: int) -> bool:
        return conversation in self._places

    def put(self, place: Place, conversation: int, at: float) -> None:
        """Answer `conversation` at the loop's time `at`; one that waits already keeps its place."""
        node = self._root
        for key in self._places.setdefault(conversation, place):
            node = node.setdefault(key, OrderedDict())
        node[conversation] = at

    def take(self, most: int) -> list[int]:
        """Up to `most` conversations whose time has come; they are out of the queue."""
        taken = list(islice(_due(self._root, len(Place._fields), asyncio.get_running_loop().time()), most))
        for conversation in taken:
            _remove(self._root, (*self._places.pop(conversation), conversation))
        return taken

    def next_at(self) -> float:
        """The loop's time at which the next one is to be answered; infinity when none is."""
        return min(_leaves(self._root, len(Place._fields)), default=float("inf"))


def _due(node: _Node, depth: int, now: float) -> Iterator[int]:
    if not depth:
        return islice((conversation for conversation, at in node.items() if at <= now), FEW)
    return _in_turn(_due(below, depth - 1, now) for below in node.values())


def _in_turn(parts: Iterable[Iterator[int]]) -> Iterator[int]:
    """One of each in turn, until all are empty."""
    while parts:
        left = []
        for part in parts:
            for item in part:
                yield item
                left.append(part)
                break
        parts = left


def _remove(node: _Node, path: tuple[int, ...]) -> None:
    """Take out what stands at `path`, and what is empty then; a part that was served this time goes behind the others."""
    key, *below = path
    if below:
        _remove(node[key], tuple(below))
        if node[key]:
            node.move_to_end(key)
            return
    del node[key]


def _leaves(node: _Node, depth: int) -> Iterator[float]:
    return iter(node.values()) if not depth else (at for below in node.values() for at in _leaves(below, depth - 1))

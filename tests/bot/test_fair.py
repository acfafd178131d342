"""Whose turn it is: fair among companies, numbers and bodies, in order within one."""

from __future__ import annotations

import asyncio
import random

from bot.fair import FEW, FairQueue, Place


async def test_first_come_first_served_within_a_number() -> None:
    queue = FairQueue()
    for talk in (5, 3, 9, 3):
        queue.put(Place(1, 1, talk), talk, 0)
    assert queue.take(2) == [5, 3]
    assert queue.take(9) == [9]
    assert queue.take(9) == []


async def test_a_flood_on_one_number_costs_the_others_one_place_a_round() -> None:
    queue = FairQueue()
    for talk in range(1000):
        queue.put(Place(1, 1, talk), talk, 0)
    for number in (2, 3):
        queue.put(Place(1, number, 2000 + number), 2000 + number, 0)
    queue.put(Place(2, 4, 3000), 3000, 0)
    assert queue.take(6) == [0, 3000, 2002, 2003, 1, 2]


async def test_a_body_with_a_thousand_messages_costs_the_others_one_place_a_round() -> None:
    queue = FairQueue()
    for talk in range(1000):
        queue.put(Place(1, 1, 7), talk, 0)
    for talk in (2001, 2002):
        queue.put(Place(1, 1, talk), talk, 0)
    assert queue.take(4) == [0, 2001, 2002, 1]
    queue.put(Place(1, 1, 2003), 2003, 0)
    assert queue.take(3) == [2, 2003, 3]


async def test_of_one_body_few_are_taken_together() -> None:
    queue = FairQueue()
    for talk in range(20):
        queue.put(Place(1, 1, 7), talk, 0)
        queue.put(Place(1, 1, 8 + talk), 100 + talk, 0)
    assert len([talk for talk in queue.take(64) if talk < 100]) == FEW
    assert queue.take(64) == [*range(FEW, 2 * FEW)]


async def test_with_more_companies_than_places_everybody_is_served_in_turn() -> None:
    queue = FairQueue()
    for talk in range(30):
        queue.put(Place(talk % 10, 1, talk), talk, 0)
    assert [queue.take(4) for _ in range(5)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15], [16, 17, 18, 19]]


async def test_what_is_not_due_is_not_taken() -> None:
    queue, now = FairQueue(), asyncio.get_running_loop().time()
    queue.put(Place(1, 1, 1), 1, now + 60)
    queue.put(Place(1, 1, 2), 2, now)
    assert queue.take(9) == [2]
    assert queue.next_at() == now + 60
    queue.put(Place(1, 1, 1), 1, now)
    assert queue.take(9) == [1]
    assert queue.next_at() == float("inf")


async def test_nothing_is_lost_and_nothing_taken_twice() -> None:
    chance, queue = random.Random(3), FairQueue()
    waiting: set[int] = set()
    for _ in range(2000):
        if chance.random() < 0.6:
            talk = chance.randrange(500)
            queue.put(Place(talk % 7, talk % 31, talk % 3), talk, 0)
            waiting.add(talk)
        else:
            taken = queue.take(chance.randrange(1, 9))
            assert len(set(taken)) == len(taken)
            assert waiting.issuperset(taken)
            waiting.difference_update(taken)
        assert len(queue) == len(waiting)
    assert set(queue.take(10_000)) == waiting

"""The bucket that paces what we send."""

from __future__ import annotations

import asyncio

from bot.rates import Bucket


async def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    loop, bucket = asyncio.get_running_loop(), Bucket(rate=100, burst=5)
    start = loop.time()
    at = []
    for _ in range(10):
        await bucket.take()
        at.append(loop.time() - start)
    assert at[4] < 0.03
    assert 0.045 <= at[9] < 0.2


async def test_those_who_wait_are_served_in_turn() -> None:
    bucket, served = Bucket(rate=200, burst=1), []

    async def take(number: int) -> None:
        await bucket.take()
        served.append(number)

    await asyncio.gather(*(take(number) for number in range(8)))
    assert served == list(range(8))


async def test_a_hold_lets_nothing_out_and_keeps_no_burst() -> None:
    loop, bucket = asyncio.get_running_loop(), Bucket(rate=100, burst=3)
    start = loop.time()
    bucket.hold(0.05)
    assert not bucket.idle()
    await bucket.take()
    assert loop.time() - start >= 0.05
    bucket.hold(0.0)
    await bucket.take()
    assert loop.time() - start < 0.3


async def test_a_bucket_is_idle_once_it_is_full_again() -> None:
    bucket = Bucket(rate=100, burst=2)
    assert bucket.idle()
    await bucket.take()
    assert not bucket.idle()
    await asyncio.sleep(0.02)
    assert bucket.idle()

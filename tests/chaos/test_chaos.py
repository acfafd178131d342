"""Every scenario in short: the counts must hold. How long things take is for the full run, `make chaos`."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvloop

from tests.chaos.report import Outcome
from tests.chaos.scenarios import SCENARIOS, run

SEED = 7
AT_A_TIME = 4
"""They mostly wait, so several are played at the same time."""


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """What came of the scenarios that were asked for."""
    wanted = [name for name in SCENARIOS if any(item.name.endswith(f"[{name}]") for item in request.session.items)]

    async def play() -> dict[str, Outcome]:
        turn = asyncio.Semaphore(AT_A_TIME)

        async def one(name: str) -> Outcome:
            async with turn:
                return await run(name, SCENARIOS[name].short, SEED, lambda _: None, brief=True)

        return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(uvloop.run, play()).result()


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_doubled_or_out_of_order(name: str, outcomes: dict[str, Outcome]) -> None:
    assert not outcomes[name].broken(), outcomes[name].line()

"""The transcripts are the specification of the staff chat."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

FILES = {file.stem: file for file in sorted(Path(__file__).parent.glob("*.txt"))}
SAID = {name: file.read_text("utf-8") for name, file in FILES.items()}


@pytest.mark.parametrize("name", FILES)
async def test_transcript(name: str, chat: Any, request: pytest.FixtureRequest) -> None:
    played = await chat.play(SAID[name])
    if request.config.getoption("--update"):
        SAID[name] = played
        await asyncio.to_thread(FILES[name].write_text, played, "utf-8")
    assert played == SAID[name]


async def test_postgresql_says_the_same_to_all_companies_at_once(chats: Any) -> None:
    played = {name: await (await chats()).play(said) for name, said in SAID.items()}
    assert played == SAID

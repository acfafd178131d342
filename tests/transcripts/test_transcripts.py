"""The transcripts are the specification: what is said today is what they hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("file", sorted(HERE.rglob("*.txt")), ids=lambda file: str(file.relative_to(HERE)))
def test_transcript(file: Path, play: Callable[[Path], str], request: pytest.FixtureRequest) -> None:
    played = play(file)
    if request.config.getoption("--update"):
        file.write_text(played, "utf-8")
    assert played == file.read_text("utf-8")

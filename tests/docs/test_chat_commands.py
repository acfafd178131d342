"""The page about the staff chat holds every command as the table has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.staff.desk import EVERYBODY
from bot.staff.table import COMMANDS, Command

PAGE = (Path(__file__).parents[2] / "docs/chat-commands.md").read_text("utf-8")
ROWS = {cells[0]: cells for cells in re.findall(r"^\| `([^`]+)` \| (\w+) \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_is_in_the_docs_as_it_is(command: Command) -> None:
    _, who, what, examples, also = ROWS[command.says[0]]
    assert who == ("everybody" if command.roles == EVERYBODY else "managers")
    assert what
    assert tuple(re.findall(r"`([^`]+)`", examples)) == command.examples
    assert tuple(re.findall(r"`([^`]+)`", also)) == command.says[1:]


def test_the_docs_hold_no_command_that_is_not_there() -> None:
    assert set(ROWS) == {command.says[0] for command in COMMANDS}

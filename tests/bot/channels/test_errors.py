from __future__ import annotations

import pytest

from bot.channels.base import Action
from bot.channels.errors import TELEGRAM, WHATSAPP, explain, telegram_action, texts, whatsapp_action

DESIGN = """
retry          1 2 131000 131016 131057
slow_app       4 80007
slow_number    130429
slow_pair      131056
use_template   131047
permanent      131026 131050 131030 131021
alert          131048 131049 131064 130472
park           131051 131052 131053 131008 131009 100
stop_template  132000-132016 132068 132069
stop_number    0 3 10 33 190 200-299 368 131031 131042 131045
"""


def cases() -> list[tuple[int, str]]:
    found = []
    for row in DESIGN.split("\n")[1:-1]:
        action, *codes = row.split()
        for code in codes:
            first, _, last = code.partition("-")
            found += [(each, action) for each in range(int(first), int(last or first) + 1)]
    return found


def test_every_code_of_the_design() -> None:
    assert {code: action.value for code, action in WHATSAPP.items()} == dict(cases())


@pytest.mark.parametrize(("code", "action"), cases())
def test_a_listed_code_goes_before_the_http_status(code: int, action: str) -> None:
    assert whatsapp_action(code) == whatsapp_action(code, 500) == action


@pytest.mark.parametrize(
    ("code", "http", "subcode", "action"),
    [
        (999, 400, None, Action.PARK),
        (999, 503, None, Action.RETRY),
        (None, 500, None, Action.RETRY),
        (None, 404, None, Action.PARK),
        (None, 401, None, Action.STOP_NUMBER),
        (None, 429, None, Action.SLOW_NUMBER),
        (100, 400, 33, Action.STOP_NUMBER),
        (100, 400, 2494010, Action.PARK),
    ],
)
def test_other_codes(code: int | None, http: int, subcode: int | None, action: Action) -> None:
    assert whatsapp_action(code, http, subcode) is action


def test_telegram() -> None:
    actions = [telegram_action(code) for code in (*TELEGRAM, 418, 500)]
    assert actions == [*TELEGRAM.values(), Action.PARK, Action.RETRY]


def test_every_code_and_action_has_words() -> None:
    assert {explain(code) for code in (*WHATSAPP, 999)} <= texts().keys()
    assert {action.value for action in Action} <= texts().keys()
    assert explain(131047) == "131047"
    assert explain(2) == "retry"
    assert explain(403, telegram_action(403)) == "permanent"
    for words in texts().values():
        assert words.keys() == {"es", "en", "pt"}
        assert all(0 < len(text) <= 130 for text in words.values())

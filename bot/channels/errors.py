"""What an error code of a messenger means for the outbox, and, in words, for the people who read it (`errors.yaml`).

Source: Meta's Cloud API error codes, v26.0; Telegram's Bot API answers with HTTP's own codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from bot.channels.base import Action

_STOP_TEMPLATE = (*range(132000, 132017), 132068, 132069)
_STOP_NUMBER = (0, 3, 10, 33, 190, *range(200, 300), 368, 131031, 131042, 131045)

WHATSAPP: Mapping[int, Action] = {
    **dict.fromkeys((1, 2, 131000, 131016, 131057), Action.RETRY),
    **dict.fromkeys((4, 80007), Action.SLOW_APP),
    130429: Action.SLOW_NUMBER,
    131056: Action.SLOW_PAIR,
    131047: Action.USE_TEMPLATE,
    **dict.fromkeys((131026, 131050, 131030, 131021), Action.PERMANENT),
    **dict.fromkeys((131048, 131049, 131064, 130472), Action.ALERT),
    **dict.fromkeys((131051, 131052, 131053, 131008, 131009, 100), Action.PARK),
    **dict.fromkeys(_STOP_TEMPLATE, Action.STOP_TEMPLATE),
    **dict.fromkeys(_STOP_NUMBER, Action.STOP_NUMBER),
}

TELEGRAM: Mapping[int, Action] = {
    400: Action.PARK,
    401: Action.STOP_NUMBER,
    403: Action.PERMANENT,
    404: Action.STOP_NUMBER,
    409: Action.PARK,
    429: Action.SLOW_PAIR,
}


def whatsapp_action(code: int | None, http: int = 400, subcode: int | None = None) -> Action:
    """By Meta's code (None: the answer had none); codes nobody listed go by the HTTP status: 5xx again, 429 slower, else park.
    100 with the subcode 33 is a number that is gone or not ours any more, not a wrong parameter."""
    if code == 100 and subcode == 33:
        return Action.STOP_NUMBER
    if code is not None and code in WHATSAPP:
        return WHATSAPP[code]
    if http == 429:
        return Action.SLOW_NUMBER
    if code is None and http in (401, 403):
        return Action.STOP_NUMBER
    return Action.RETRY if http >= 500 else Action.PARK


def telegram_action(code: int) -> Action:
    """By the Bot API's `error_code`."""
    return TELEGRAM.get(code, Action.RETRY if code >= 500 else Action.PARK)


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """{code or action: {language: what it means and what to do}}, as in errors.yaml."""
    loaded: Mapping[str, Mapping[str, str]] = yaml.safe_load(Path(__file__).with_name("errors.yaml").read_text("utf-8"))
    return loaded


def explain(code: int, action: Action | None = None) -> str:
    """The key in `texts()` for a code: the code itself where it has words of its own, else what is done about it."""
    return str(code) if str(code) in texts() else action or whatsapp_action(code)

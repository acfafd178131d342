"""A text that was not understood, as the row that people label."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bot.channels.base import Inbound
from bot.numbers import OurNumber
from data import phrases
from dialogs.model import State, Turn, Unclear
from dialogs.unclear import is_for_all
from nlu.normalise import normalise

SURE = 0.9
"""The chance from which on nobody needs to say what a text means."""
_decode = msgspec.json.Decoder(Inbound).decode


def phrase(
    session: Session, talk: Mapping[str, Any], number: OurNumber, state: State, unclear: Unclear, now: datetime
) -> dict[str, Any] | None:
    """None where there is nothing to label."""
    text = unclear.text or _before(session, talk, number, state, now)
    plain = normalise(text).plain
    if not plain.strip("? "):
        return None
    guesses = number.nlu.guesses(text)
    if unclear.text and guesses and guesses[0][1] >= SURE:
        return None  # "ok" is understood well: it only answers nothing of what was asked
    question = number.dialog.questions.get(unclear.asked) if unclear.text else None
    return {
        "company_id": talk["company_id"],
        "plain": plain,
        "text": text,
        "asked": question.label.sources["es"] if question is not None else "",
        "guesses": [list(each) for each in guesses],
        "number_id": talk["number_id"],
        "conversation_id": talk["id"],
        "last_at": now,
    }


def _before(session: Session, talk: Mapping[str, Any], number: OurNumber, state: State, now: datetime) -> str:
    """What the person wrote before this turn; "" when they pressed something, or told of themselves."""
    payload = phrases.answered_last(session, talk["id"])
    message = _decode(payload) if payload is not None else None
    if message is None or message.choice is not None:
        return ""
    turn = Turn(message.text, now=number.local(now), country=number.company.country, currency=number.company.currency)
    return message.text if is_for_all(number.dialog, state, turn, message.text) else ""

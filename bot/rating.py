"""How a prospect rates the attention: asked once a person is done with the conversation, answered with a button, kept for the
board; a bad one reaches the managers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.base import Choices, Option
from bot.numbers import OurNumber, text
from crm_bridge.assignment.sellers import supervisors
from crm_bridge.events import AttentionRated
from crm_bridge.journal import record
from data.tables import Alert, Assignment, Rating
from notifications import alerts

PREFIX = "rate"
SCORES = (5, 4, 3, 2, 1)
BAD = 2
"""Scores up to this are told to the managers."""


def question(session: Session, closed: Assignment, number: OurNumber, now: datetime) -> Choices | None:
    """Ask about a hand-over that was closed; None when it was asked before."""
    if session.scalar(select(Rating.id).where(Rating.assignment_id == closed.id)) is not None:
        return None
    row = Rating(
        company_id=closed.company_id,
        conversation_id=closed.conversation_id,
        assignment_id=closed.id,
        user_id=closed.user_id,
        asked_at=now,
    )
    session.add(row)
    session.flush()

    def words(name: str) -> str:
        return text(name, closed.language, number.voice.tone)

    options = tuple(Option(f"{PREFIX}:{row.id}:{score}", words(f"rate_{score}")) for score in SCORES)
    return Choices(words("rate_ask"), options, button=words("rate_button"))


def is_rating(choice: str | None) -> bool:
    return choice is not None and choice.startswith(f"{PREFIX}:")


def take(session: Session, talk: Mapping[str, Any], choice: str, now: datetime) -> Rating | None:
    """Keep what was pressed; a second press changes it. None when it is no rating of this conversation."""
    _, _, rest = choice.partition(":")
    row_id, _, score = rest.partition(":")
    if not (row_id.isdigit() and score.isdigit() and int(score) in SCORES):
        return None
    row = session.scalar(select(Rating).where(Rating.id == int(row_id), Rating.conversation_id == talk["id"]))
    if row is None:
        return None
    row.score, row.answered_at = int(score), now
    session.flush()
    event = AttentionRated(score=row.score)
    record(session, row.company_id, event, now, person=talk["person_id"], conversation=talk["id"], user=row.user_id)
    return row


def tell_supervisors(session: Session, talk: Mapping[str, Any], rated: Rating, now: datetime) -> list[Alert]:
    """A bad rating is for them to mend."""
    facts = alerts.facts_about(session, talk["id"], words=str(rated.score))
    return [
        alerts.raise_alert(
            session,
            kind="bad_rating",
            user_id=user,
            company_id=rated.company_id,
            facts=facts,
            now=now,
            conversation_id=talk["id"],
            assignment_id=rated.assignment_id,
        )
        for user in supervisors(session, rated.company_id, now)
    ]

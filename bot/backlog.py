"""How long messages wait for their answer, by number: past its capacity the service would get slower, not faster, so beyond a
limit the webhook takes no more for that number, and the messenger comes back later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.clock import Clock
from data.inbox import CONVERSATIONS, MESSAGES
from data.session import Database

LONGEST = 10.0
"""Seconds that answers may be late before no more is taken for a number."""

_OLDEST = (
    select(CONVERSATIONS.c.number_id, func.min(MESSAGES.c.received_at))
    .join(CONVERSATIONS, CONVERSATIONS.c.id == MESSAGES.c.conversation_id)
    .where(text("inbox_messages.state = 'new'"), MESSAGES.c.tries == 0)
    .group_by(CONVERSATIONS.c.number_id)
)


class Backlog:
    """`look` reads it from the database, whoever answers; `late` tells what it found."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ages: dict[int, float] = {}

    def late(self, number_id: int) -> bool:
        return self._ages.get(number_id, 0.0) > LONGEST

    @property
    def age(self) -> float:
        """Seconds that the oldest unanswered message has waited, of any number."""
        return max(self._ages.values(), default=0.0)

    async def look(self) -> None:
        now = self._clock.now()
        self._ages = {number: (now - oldest).total_seconds() for number, oldest in await self._database.read(_oldest)}


def _oldest(session: Session) -> list[tuple[int, datetime]]:
    return [(number, at) for number, at in session.execute(_OLDEST)]

"""How long messages wait for their answer, by number: past its capacity the service would get slower, not faster, so beyond a
limit the webhook takes no more for that number, and the messenger comes back later."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session

from bot.clock import Clock
from data.inbox import CONVERSATIONS, MESSAGES
from data.session import Database

LONGEST = 10.0
"""Seconds that answers may be late before no more is taken for a number."""
MANY = 20
"""Conversations that must be so late: one may be held back for a reason of its own, such as a flood from one person."""

_OLDEST = select(func.min(MESSAGES.c.received_at)).where(text("state = 'new'"), MESSAGES.c.tries == 0)
_LATE = (
    select(CONVERSATIONS.c.number_id, func.count(MESSAGES.c.conversation_id.distinct()))
    .join(CONVERSATIONS, CONVERSATIONS.c.id == MESSAGES.c.conversation_id)
    .where(text("inbox_messages.state = 'new'"), MESSAGES.c.tries == 0, MESSAGES.c.received_at < bindparam("since"))
    .group_by(CONVERSATIONS.c.number_id)
)


class Backlog:
    """`look` reads it from the database, whoever answers; `late` tells what it found."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._late: dict[int, int] = {}
        self.age = 0.0
        """Seconds that the oldest unanswered message has waited, of any number."""

    def late(self, number_id: int) -> bool:
        return self._late.get(number_id, 0) >= MANY

    @property
    def any_late(self) -> bool:
        return any(map(self.late, self._late))

    async def look(self) -> None:
        now = self._clock.now()
        oldest, self._late = await self._database.read(partial(_look, since=now - timedelta(seconds=LONGEST)))
        self.age = (now - oldest).total_seconds() if oldest is not None else 0.0


def _look(session: Session, since: datetime) -> tuple[datetime | None, dict[int, int]]:
    oldest = session.scalar(_OLDEST)
    if oldest is None or oldest >= since:
        return oldest, {}
    return oldest, {number: talks for number, talks in session.execute(_LATE, {"since": since})}  # noqa: C416 - typed rows

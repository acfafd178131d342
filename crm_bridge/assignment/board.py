"""How today goes: the figures of a manager's board, by number and by seller."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from crm_bridge.assignment import ledger
from crm_bridge.assignment.queries import WEEK, Seconds
from data.tables import Alert, Assignment, Conversation, Number, Offer, OutboxMessage, Rating, TeamMember, User


@dataclass(frozen=True, slots=True)
class Times:
    """Hand-overs that began today. Seconds from ready to accepted and to the seller's first word, by nearest rank."""

    handed: int = 0
    accepted: int = 0
    replied: int = 0
    accept_median: float | None = None
    accept_p90: float | None = None
    reply_median: float | None = None
    reply_p90: float | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """Targets that were broken: not accepted in time, accepted and never written, answered late later on."""

    unaccepted: int = 0
    silent: int = 0
    late: int = 0

    @property
    def all(self) -> int:
        return self.unaccepted + self.silent + self.late


@dataclass(frozen=True, slots=True)
class Talks:
    """Conversations in which the person wrote today. One that both the bot and a person answered counts in both."""

    all: int = 0
    bot: int = 0
    person: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for a seller now."""

    all: int = 0
    hot: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Ratings given today: the average of 1 to 5, and how many they were."""

    average: float | None = None
    given: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """One line of the board."""

    talks: Talks = Talks()
    queue: Queue = Queue()
    times: Times = Times()
    missed: Missed = Missed()
    score: Score = Score()
    owned: int = 0
    """Conversations that a seller has now."""
    load: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    total: Figures
    numbers: list[tuple[Number, Figures]]
    sellers: list[tuple[User, Figures]]
    """Those who had anything to do today, or are of a team."""


_TOTAL = 0
"""The key of the line that sums up."""


@dataclass(slots=True)
class _Lines:
    """Figures by number or by user; what is the company's stands at _TOTAL."""

    talks: dict[int, Talks] = field(default_factory=dict)
    queue: dict[int, Queue] = field(default_factory=dict)
    times: dict[int, Times] = field(default_factory=dict)
    missed: dict[int, Missed] = field(default_factory=dict)
    score: dict[int, Score] = field(default_factory=dict)
    owned: dict[int, tuple[int, int]] = field(default_factory=dict)

    def line(self, key: int) -> Figures:
        return Figures(
            self.talks.get(key, Talks()),
            self.queue.get(key, Queue()),
            self.times.get(key, Times()),
            self.missed.get(key, Missed()),
            self.score.get(key, Score()),
            *self.owned.get(key, (0, 0)),
        )

    @property
    def keys(self) -> set[int]:
        return {*self.times, *self.missed, *self.score, *self.owned}


def board(session: Session, day: datetime, until: datetime) -> Board:
    """The figures from `day` to `until` (the company's day, as UTC instants) and of what waits now. Fourteen reads, whatever the
    numbers and sellers; each says what it costs."""
    numbers, sellers = _Lines(), _Lines()
    numbers.talks = _talks(session, day, until)
    numbers.queue = _queue(session)
    sellers.owned = _owned(session)
    for lines, key in ((numbers, Assignment.number_id), (sellers, Assignment.user_id)):
        lines.times = _times(session, day, until, key)
    numbers.times[_TOTAL] = _times(session, day, until, literal(_TOTAL)).get(_TOTAL, Times())
    for lines, key, late_key in (
        (numbers, Assignment.number_id, Assignment.number_id),
        (sellers, Offer.user_id, Assignment.user_id),
    ):
        lines.missed = _missed(session, day, until, key, late_key)
    numbers.missed[_TOTAL] = Missed(*(sum(getattr(each, part) for each in numbers.missed.values()) for part in _PARTS))
    numbers.score, sellers.score = _scores(session, day, until)
    rows = list(session.scalars(select(Number).order_by(Number.id)))
    placed = set(session.scalars(select(TeamMember.user_id)))
    users = session.scalars(select(User).where(User.id.in_(sellers.keys | placed)).order_by(User.name, User.id))
    return Board(
        numbers.line(_TOTAL),
        [(row, numbers.line(row.id)) for row in rows],
        [(user, sellers.line(user.id)) for user in users if user.active or user.id in sellers.keys],
    )


_PARTS = ("unaccepted", "silent", "late")


def _talks(session: Session, day: datetime, until: datetime) -> dict[int, Talks]:
    """One read: the conversations of today by (company, last_in_at), and for each its messages of today by its index."""
    said = and_(
        OutboxMessage.conversation_id == Conversation.id, OutboxMessage.created_at >= day, OutboxMessage.created_at < until
    )
    by_bot = exists().where(said, OutboxMessage.author_id.is_(None))
    on_phone = and_(Conversation.owner == "human", Conversation.owner_id.is_(None))
    by_person = or_(exists().where(said, OutboxMessage.author_id.is_not(None)), on_phone)
    rows = session.execute(
        select(
            Conversation.number_id,
            func.count(),
            func.sum(case((by_bot, 1), else_=0)),
            func.sum(case((by_person, 1), else_=0)),
        )
        .where(Conversation.last_in_at >= day)
        .group_by(Conversation.number_id)
    )
    found = {number: Talks(talks, int(bot), int(person)) for number, talks, bot, person in rows}
    total = Talks(*(sum(getattr(each, part) for each in found.values()) for part in ("all", "bot", "person")))
    return {**found, _TOTAL: total}


def _queue(session: Session) -> dict[int, Queue]:
    """One read of the hand-overs that are open."""
    rows = session.execute(
        ledger.among_open(
            select(
                Assignment.number_id,
                func.count(),
                func.sum(case((Assignment.priority == "hot", 1), else_=0)),
                func.min(Assignment.created_at),
            )
        )
        .where(Assignment.state.in_(("waiting", "offered")))
        .group_by(Assignment.number_id)
    )
    found = {number: Queue(many, int(hot), oldest) for number, many, hot, oldest in rows}
    oldest = min((each.oldest for each in found.values() if each.oldest is not None), default=None)
    total = Queue(sum(each.all for each in found.values()), sum(each.hot for each in found.values()), oldest)
    return {**found, _TOTAL: total}


def _owned(session: Session) -> dict[int, tuple[int, int]]:
    """{user: (conversations, load)} that sellers have now. One read of the hand-overs that are open."""
    rows = session.execute(
        ledger.among_open(select(Assignment.user_id, func.count(), func.sum(ledger.LOAD)))
        .where(Assignment.state == "accepted", Assignment.user_id.is_not(None))
        .group_by(Assignment.user_id)
    )
    return {user: (many, int(load)) for user, many, load in rows if user is not None}


def _times(session: Session, day: datetime, until: datetime, key: SQLColumnExpression[Any]) -> dict[int, Times]:
    """One read of today's hand-overs, by (company, created_at), sorted twice."""
    accept = Seconds(Assignment.created_at, Assignment.accepted_at)
    reply = Seconds(Assignment.created_at, Assignment.first_reply_at)
    ranked = (
        select(
            key.label("key"),
            accept.label("accept"),
            reply.label("reply"),
            func.row_number().over(partition_by=key, order_by=accept.asc().nulls_last()).label("accept_place"),
            func.row_number().over(partition_by=key, order_by=reply.asc().nulls_last()).label("reply_place"),
            func.count(accept).over(partition_by=key).label("accepts"),
            func.count(reply).over(partition_by=key).label("replies"),
        )
        .select_from(Assignment)
        .where(Assignment.created_at >= day, Assignment.created_at < until)
        .subquery()
    )

    def rank(what: str, many: str, percent: int) -> ColumnElement[Any]:
        reached = ranked.c[f"{what}_place"] * 100 >= ranked.c[many] * percent
        return func.min(case((reached, ranked.c[what]), else_=None))

    query: Select[Any] = select(
        ranked.c.key,
        func.count(),
        func.count(ranked.c.accept),
        func.count(ranked.c.reply),
        rank("accept", "accepts", 50),
        rank("accept", "accepts", 90),
        rank("reply", "replies", 50),
        rank("reply", "replies", 90),
    ).group_by(ranked.c.key)
    return {line: Times(*figures) for line, *figures in session.execute(query) if line is not None}


def _missed(
    session: Session, day: datetime, until: datetime, key: SQLColumnExpression[Any], late_key: SQLColumnExpression[Any]
) -> dict[int, Missed]:
    """Two reads: offers of today's hand-overs, each by its index, and alerts of late answers, by the conversation of each
    hand-over of the last week."""
    rows = session.execute(
        select(
            key,
            func.sum(case((Offer.via.is_(None), 1), else_=0)),
            func.sum(case((Offer.via.is_not(None), 1), else_=0)),
        )
        .select_from(Assignment)
        .join(Offer, Offer.assignment_id == Assignment.id)
        .where(Assignment.created_at >= day, Assignment.created_at < until, Offer.state == "expired")
        .group_by(key)
    ).all()
    told = and_(Alert.conversation_id == Assignment.conversation_id, Alert.assignment_id == Assignment.id)
    late = session.execute(
        select(late_key, func.count(Assignment.id.distinct()))
        .select_from(Assignment)
        .join(Alert, told)
        .where(
            Assignment.created_at >= day - WEEK,
            Assignment.first_reply_at.is_not(None),
            Alert.kind == "reply_late",
            Alert.created_at >= day,
            Alert.created_at < until,
        )
        .group_by(late_key)
    )
    lates = {line: many for line, many in late if line is not None}
    expired = {line: (int(unaccepted), int(silent)) for line, unaccepted, silent in rows}
    return {line: Missed(*expired.get(line, (0, 0)), lates.get(line, 0)) for line in {*expired, *lates}}


def _scores(session: Session, day: datetime, until: datetime) -> tuple[dict[int, Score], dict[int, Score]]:
    """By number (with the total) and by seller. One read: ratings of the hand-overs of the last week, each by its own."""
    rows = session.execute(
        select(Assignment.number_id, Rating.user_id, func.count(), func.sum(Rating.score))
        .select_from(Assignment)
        .join(Rating, Rating.assignment_id == Assignment.id)
        .where(
            Assignment.created_at >= day - WEEK,
            Rating.score.is_not(None),
            Rating.answered_at >= day,
            Rating.answered_at < until,
        )
        .group_by(Assignment.number_id, Rating.user_id)
    ).all()
    sums: tuple[dict[int, tuple[int, int]], dict[int, tuple[int, int]]] = ({}, {})
    for number, user, many, total in rows:
        for table, key in ((sums[0], number), (sums[0], _TOTAL), *(((sums[1], user),) if user is not None else ())):
            before = table.get(key, (0, 0))
            table[key] = before[0] + many, before[1] + int(total or 0)
    first, second = ({key: Score(total / many, many) for key, (many, total) in table.items()} for table in sums)
    return first, second

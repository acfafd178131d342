"""Who is there, what waits, days off before they come, and today's figures: on both databases, for one company."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar, cast

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_bridge.assignment import (
    absence,
    board,
    days,
    decisions,
    overlooked,
    queries,
    reminders,
    rules,
    sellers,
    service,
    targets,
    teams,
)
from crm_bridge.assignment.rules import Member
from crm_bridge.companies.rules import NameMissing, Refusal, WrongHours
from data.session import Database, connect
from data.tables import (
    Alert,
    Assignment,
    Company,
    Conversation,
    Holiday,
    InboxMessage,
    Lead,
    Leave,
    Number,
    Offer,
    OutboxMessage,
    Person,
    Rating,
    Seller,
    User,
    WebhookBody,
)
from tests.crm_bridge.assignment.conftest import decide

T = TypeVar("T")
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
"""A Tuesday, 10:00 in Bogotá."""
DAY, UNTIL = datetime(2026, 11, 24, 5, tzinfo=UTC), datetime(2026, 11, 25, 5, tzinfo=UTC)
MORNING, EVENING = {"tue": ["08:00-12:00"]}, {"tue": ["14:00-18:00"], "wed": ["08:00-12:00"]}


@dataclass
class Books:
    """Two companies that look alike: what is asked is asked of the first."""

    database: Database
    company: int = 0
    other: int = 0
    ids: dict[str, int] = field(default_factory=dict)

    async def write(self, work: Callable[[Session], T]) -> T:
        return await self.database.write(work, company=self.company)

    async def read(self, work: Callable[[Session], T]) -> T:
        return await self.database.read(work, company=self.company)

    async def staff(self, now: datetime = NOW) -> queries.Staff:
        return await self.read(lambda session: queries.staff(session, f"{now - timedelta(hours=5):%Y-%m-%d}"))


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = Books(connect(database_url))
    await books.database.write(lambda session: seed(session, books))
    yield books
    await books.database.close()


def add(session: Session, row: Any) -> int:
    session.add(row)
    session.flush()
    return int(row.id)


def seed(session: Session, books: Books) -> None:
    for name in ("una", "otra"):
        company = add(session, Company(name=name, country="CO", currency="COP", timezone="America/Bogota", created_at=NOW))
        users = {
            who: add(
                session,
                User(
                    company_id=company, email=f"{who}@{name}.co", name=who.title(), role="seller", password_hash="x",
                    created_at=NOW,
                ),
            )
            for who in ("ana", "beto", "caro")
        }  # fmt: skip
        numbers = {
            key: add(
                session,
                Number(
                    company_id=company, channel="whatsapp", external_id=f"{key}-{name}", display=key, name=f"Tienda {key}",
                    bot_name="Sofía", dialog="form", hours={}, created_at=NOW,
                ),
            )
            for key in ("n1", "n2")
        }  # fmt: skip
        team = sellers.first_team(session, company, NOW)
        if name == "una":
            books.company, books.ids = company, {**users, **numbers, "team": team}
        else:
            books.other = company
            talk = hand_over(session, company, numbers["n1"], team, "Ajena", users["ana"], "waiting")
            add(session, Rating(company_id=company, conversation_id=talk.conversation_id, assignment_id=talk.id, score=1,
                                asked_at=NOW, answered_at=NOW))  # fmt: skip


def hand_over(
    session: Session,
    company: int,
    number: int,
    team: int,
    name: str,
    user: int | None,
    state: str,
    *,
    at: datetime = NOW,
    priority: str = "warm",
    accepted: float | None = None,
    replied: float | None = None,
) -> Assignment:
    """One hand-over of a new person's conversation; `accepted` and `replied` in seconds after `at`."""
    person = add(session, Person(company_id=company, name=name, created_at=at))
    talk = add(
        session,
        Conversation(
            company_id=company, number_id=number, person_id=person, recipient={}, reasons=[], priority=priority, created_at=at,
            last_in_at=at, owner="human" if state == "accepted" else "queued", owner_id=user,
        ),
    )  # fmt: skip
    row = Assignment(
        company_id=company, conversation_id=talk, person_id=person, number_id=number, team_id=team, user_id=user, state=state,
        reason="finished", priority=priority, interest="form", language="es", created_at=at, warned=False,
        accepted_at=at + timedelta(seconds=accepted) if accepted is not None else None,
        first_reply_at=at + timedelta(seconds=replied) if replied is not None else None,
    )  # fmt: skip
    add(session, row)
    return row


def offer(session: Session, row: Assignment, user: int, state: str, took: float, via: str | None = None) -> None:
    at = row.created_at
    session.add(
        Offer(
            company_id=row.company_id, assignment_id=row.id, user_id=user, state=state, via=via, cost=1, offered_at=at,
            expires_at=at + timedelta(minutes=3), answered_at=at + timedelta(seconds=took),
        )
    )  # fmt: skip
    session.flush()


# ------------------------------------------------------------------------------------------------------ the team
async def test_everybody_of_the_team_is_told_apart_by_why_they_get_nothing(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> None:
        sellers.join(session, ids["team"], ids["beto"], 2)
        sellers.set_away(session, ids["ana"], away=True, now=NOW, until=NOW + timedelta(hours=1))
        teams.change_seller(session, ids["caro"], capacity=2, skills=["form"], languages=["es"], hours={}, now=NOW)
        hand_over(session, books.company, ids["n1"], ids["team"], "Uno", ids["caro"], "accepted", accepted=1)

    await books.write(arrange)
    lines = {line.member.name: line for line in queries.presences(await books.staff(), ids["team"], NOW)}
    assert {name: line.left_out for name, line in lines.items()} == {"Ana": "away", "Beto": "", "Caro": "full"}
    assert (lines["Ana"].until, lines["Beto"].until, lines["Caro"].until) == (NOW + timedelta(hours=1), None, None)
    assert (lines["Caro"].member.load, lines["Caro"].member.capacity) == (2, 2)

    def absent(session: Session) -> None:
        absence.add_leave(session, ids["beto"], "2026-11-23", "2026-11-24")
        teams.change_seller(session, ids["caro"], capacity=9, skills=[], languages=[], hours=EVENING, now=NOW)

    await books.write(absent)
    lines = {line.member.name: line for line in queries.presences(await books.staff(), ids["team"], NOW)}
    assert (lines["Beto"].left_out, lines["Beto"].until) == ("leave", datetime(2026, 11, 25, 5, tzinfo=UTC))
    assert (lines["Caro"].left_out, lines["Caro"].until) == ("shift", datetime(2026, 11, 24, 19, tzinfo=UTC))
    await books.write(lambda session: absence.add_holiday(session, "2026-11-24", "Puente"))
    lines = {line.member.name: line for line in queries.presences(await books.staff(), ids["team"], NOW)}
    assert lines["Caro"].left_out == "holiday"
    assert lines["Caro"].until == datetime(2026, 11, 25, 13, tzinfo=UTC)


async def test_who_is_ahead_in_the_ledger_is_not_next(books: Books) -> None:
    def serve(session: Session) -> None:
        for name in ("Uno", "Dos"):
            row = hand_over(session, books.company, books.ids["n1"], books.ids["team"], name, None, "waiting")
            row.due_at = NOW
            session.flush()
            assert decide(session, row.id, NOW)

    await books.write(serve)
    lines = queries.presences(await books.staff(), books.ids["team"], NOW)
    assert [(line.member.name, line.ahead) for line in lines] == [("Caro", 0.0), ("Ana", 1.0), ("Beto", 1.0)]

    away = books.ids["caro"]
    await books.write(lambda session: sellers.set_away(session, away, away=True, now=NOW))  # who moves along with the others
    lines = queries.presences(await books.staff(), books.ids["team"], NOW)
    assert [(line.member.name, line.ahead) for line in lines] == [("Ana", 0.0), ("Beto", 0.0), ("Caro", 0.0)]


async def test_who_is_next_of_those_served_alike_is_who_has_less_to_do(books: Books) -> None:
    ids = books.ids
    await books.write(
        lambda session: hand_over(session, books.company, ids["n1"], ids["team"], "Uno", ids["ana"], "accepted", accepted=1)
    )
    lines = queries.presences(await books.staff(), ids["team"], NOW)
    assert [line.member.name for line in lines] == ["Beto", "Caro", "Ana"]


async def test_a_team_whose_numbers_differ_keeps_no_common_hours_and_shows_nobody_who_left(books: Books) -> None:
    async def left_out() -> dict[str, str]:
        lines = queries.presences(await books.staff(), books.ids["team"], NOW)
        return {line.member.name: line.left_out for line in lines}

    def hours(session: Session, **of: Any) -> None:
        for key, given in of.items():
            session.get_one(Number, books.ids[key]).hours = given

    await books.write(lambda session: hours(session, n1=EVENING, n2=MORNING))
    await books.write(lambda session: setattr(session.get_one(User, books.ids["caro"]), "active", False))
    assert await left_out() == {"Ana": "", "Beto": ""}
    await books.write(lambda session: hours(session, n2=EVENING))
    assert await left_out() == {"Ana": "shift", "Beto": "shift"}


async def test_who_was_busy_until_a_moment_ago_is_not_busy(books: Books) -> None:
    ana, until = books.ids["ana"], NOW + timedelta(minutes=30)
    await books.write(lambda session: sellers.set_away(session, ana, away=True, now=NOW, until=until))
    found = await books.staff()
    for at, away in ((NOW, True), (until, False)):
        (line,) = [each for each in queries.presences(found, books.ids["team"], at) if each.member.user_id == ana]
        assert (line.away, line.left_out) == (away, "away" if away else "")


async def test_turns_are_counted_by_team_and_seller_with_the_median_time_to_accept(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> None:
        for hours, state, took in ((0, "accepted", 10), (1, "accepted", 30), (25, "accepted", 50), (26, "declined", 5)):
            row = hand_over(session, books.company, ids["n1"], ids["team"], "P", None, "closed", at=NOW - timedelta(hours=hours))
            offer(session, row, ids["ana"], state, took)
        old = hand_over(session, books.company, ids["n1"], ids["team"], "P", None, "closed", at=NOW - timedelta(days=8))
        offer(session, old, ids["ana"], "accepted", 999)
        offer(session, row, ids["beto"], "expired", 180)

    await books.write(arrange)
    found = await books.read(lambda session: queries.turns(session, DAY))
    assert found == {
        (ids["team"], ids["ana"]): queries.Turns(today=2, week=4, accepted=3, declined=1, expired=0, median=30.0),
        (ids["team"], ids["beto"]): queries.Turns(today=0, week=1, accepted=0, declined=0, expired=1, median=None),
    }


async def test_what_waits_stands_in_the_order_in_which_it_is_served_and_says_when_somebody_comes(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> None:
        for who in ("ana", "beto", "caro"):
            teams.change_seller(session, ids[who], capacity=30, skills=[], languages=[], hours=EVENING, now=NOW)
        for name, priority, minutes, user, state in (
            ("Fría", "cold", 50, None, "waiting"), ("Vieja", "hot", 20, None, "waiting"),
            ("Nueva", "hot", 5, ids["ana"], "offered"),
            ("Suya", "hot", 90, ids["ana"], "accepted"), ("Hecha", "hot", 99, None, "closed"),
        ):  # fmt: skip
            hand_over(
                session, books.company, ids["n1"], ids["team"], name, user, state, at=NOW - timedelta(minutes=minutes),
                priority=priority,
            )  # fmt: skip

    await books.write(arrange)
    found = await books.staff()
    lines = await books.read(lambda session: queries.waiting(session, found, NOW))
    opening = datetime(2026, 11, 24, 19, tzinfo=UTC)
    assert [(line.person.name, line.to, line.opens_at) for line in lines] == [
        ("Vieja", None, opening), ("Nueva", "Ana", None), ("Fría", None, opening),
    ]  # fmt: skip
    await books.write(lambda session: setattr(sellers.seller(session, ids["caro"]), "hours", MORNING))
    found = await books.staff()
    lines = await books.read(lambda session: queries.waiting(session, found, NOW))
    assert [line.opens_at for line in lines] == [None] * 3, "she is there, and will be asked"


async def test_a_hand_over_tells_whom_it_went_by_and_why(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> tuple[int, int]:
        sellers.set_away(session, ids["beto"], away=True, now=NOW)
        row = hand_over(session, books.company, ids["n1"], ids["team"], "Uno", None, "waiting")
        row.due_at = NOW
        session.flush()
        decided = decide(session, row.id, NOW)
        assert decided
        assert decided.offer
        service.decline(session, decided.offer.id, ids["ana"], "page", NOW)
        decide(session, row.id, NOW)
        return row.person_id, row.conversation_id

    person, talk = await books.write(arrange)
    found = await books.read(lambda session: queries.why(session, person, talk))
    assert found is not None
    assert (found.owner, found.because, found.team) == ("Caro", "only", sellers.FIRST_TEAM)
    assert [(row.state, name) for row, name in found.offers] == [("declined", "Ana"), ("offered", "Caro")]
    assert [(each["name"], each["left_out"]) for each in found.considered] == [
        ("Caro", ""), ("Ana", "passed"), ("Beto", "away"),
    ]  # fmt: skip
    assert await books.read(lambda session: queries.why(session, person, talk + 1)) is None


# ------------------------------------------------------------------------------------------------------ changes
async def test_teams_are_added_named_and_given_numbers(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> int:
        second = teams.add_team(session, " Carga ", NOW)
        teams.give_numbers(session, {ids["n2"]: second.id}, NOW)
        targets = teams.Targets(accept_seconds=60, first_reply_minutes=0, follow_up_minutes=30, return_hours=0)
        teams.change_team(session, second.id, "carga", targets)
        for name, error in (("CARGA", teams.TeamNameTaken), ("ventas", teams.TeamNameTaken), ("  ", NameMissing)):
            with pytest.raises(error):
                teams.add_team(session, name, NOW)
        with pytest.raises(teams.WrongTarget):
            teams.change_team(session, second.id, "carga", {**targets, "accept_seconds": 5})
        with pytest.raises(LookupError):
            teams.give_numbers(session, {ids["n1"]: 1}, NOW)
        return second.id

    second = await books.write(arrange)
    found = await books.staff()
    assert [(team.name, team.accept_seconds) for team in found.teams] == [("Ventas", 180), ("carga", 60)]
    assert [[row.id for row in found.numbers_of(team.id)] for team in found.teams] == [[ids["n1"]], [ids["n2"]]]
    assert found.members.get(second) is None
    with pytest.raises(LookupError):
        await books.database.write(lambda session: teams.give_numbers(session, {ids["n1"]: second}, NOW), company=books.other)


async def test_the_first_team_a_company_adds_has_its_sellers(database_url: str) -> None:
    database = connect(database_url)
    new = Company(name="Nueva", country="CO", currency="COP", timezone="America/Bogota", created_at=NOW)

    def arrange(session: Session) -> int:
        company = add(session, new)
        for role in ("seller", "manager"):
            add(session, User(company_id=company, email=f"{role}@n.co", name=role, role=role, password_hash="x", created_at=NOW))
        return company

    company = await database.write(arrange)
    await database.write(lambda session: teams.add_team(session, "Mostrador", NOW), company=company)
    found = await database.read(lambda session: queries.staff(session, "2026-11-24"), company=company)
    assert [(team.name, [each.name for each in found.members[team.id]]) for team in found.teams] == [("Mostrador", ["seller"])]
    assert found.without_team == []
    await database.close()


async def test_how_a_seller_works_is_checked(books: Books) -> None:
    ana = books.ids["ana"]

    def change(session: Session, capacity: int = 5, hours: dict[str, list[str]] | None = None, user: int = ana) -> None:
        teams.change_seller(session, user, capacity=capacity, skills=[], languages=[], hours=hours or {}, now=NOW)

    for wrong in (0, 1001):
        with pytest.raises(rules.WrongShare):
            await books.write(lambda session, wrong=wrong: change(session, wrong))
    with pytest.raises(WrongHours):
        await books.write(lambda session: change(session, hours={"mon": ["18:00-09:00"]}))
    with pytest.raises(LookupError):
        await books.write(lambda session: change(session, user=1))
    with pytest.raises(LookupError):
        await books.database.write(change, company=books.other)
    assert await books.read(lambda session: session.scalars(select(Seller)).all()) == []


async def test_what_waits_is_looked_at_when_somebody_joins(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> None:
        sellers.leave_team(session, ids["team"], ids["ana"])
        row = hand_over(session, books.company, ids["n1"], ids["team"], "Uno", None, "waiting")
        row.due_at = NOW + timedelta(hours=1)

    await books.write(arrange)
    await books.write(lambda session: teams.set_share(session, ids["team"], ids["ana"], 1, NOW))
    assert await books.read(lambda session: session.scalars(select(Assignment.due_at)).one()) == NOW


async def test_every_window_is_told_before_it_closes_however_many_there_are(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> list[int]:
        rows = [
            hand_over(
                session, books.company, ids["n1"], ids["team"], "P", ids["ana"], "accepted",
                at=NOW - timedelta(hours=23, minutes=minutes), accepted=1,
            )
            for minutes in (1, 30, 20)
        ]  # fmt: skip
        for talk in session.scalars(select(Conversation)):
            talk.unread = 1
        return [row.conversation_id for row in rows]

    last, first, second = await books.write(arrange)
    for talk in (first, second, last):
        ((company, window),) = await books.database.read(lambda session: reminders.closing_windows(session, NOW, limit=1))
        assert (company, window.conversation_id) == (books.company, talk)
        assert await books.write(lambda session, window=window: reminders.by_rule(session, window, NOW))
        assert not await books.write(lambda session, window=window: reminders.by_rule(session, window, NOW))
    assert await books.database.read(lambda session: reminders.closing_windows(session, NOW)) == []


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [
        ("2026-02-30", "", absence.NotADay), ("", "", absence.NotADay), ("24/11/2026", "", absence.NotADay),
        ("2026-11-24T00", "", absence.NotADay), ("0001-01-01", "", absence.NotADay), ("20261124", "", absence.NotADay),
        ("2026-11-24", "mañana", absence.NotADay), ("2026-11-24", "2026-11-23", absence.DaysReversed),
        ("2026-11-24", "2027-11-25", absence.LeaveTooLong), ("2026-12-10", "2026-12-20", absence.LeaveOverlaps),
        ("2026-12-24", "2026-12-30", absence.LeaveOverlaps), ("2026-12-22", "", absence.LeaveOverlaps),
        ("2026-12-01", "2027-01-30", absence.LeaveOverlaps),
    ],
)  # fmt: skip
async def test_leave_that_cannot_be_is_refused(sqlite_url: str, first: str, last: str, error: type[Refusal]) -> None:
    books = Books(connect(sqlite_url))
    await books.database.write(lambda session: seed(session, books))
    await books.write(lambda session: absence.add_leave(session, books.ids["ana"], "2026-12-20", "2026-12-24"))
    with pytest.raises(error):
        await books.write(lambda session: absence.add_leave(session, books.ids["ana"], first, last))
    await books.database.close()


async def test_leave_is_of_one_person_who_works_here(books: Books) -> None:
    def write(session: Session) -> None:
        for who in ("ana", "beto"):
            absence.add_leave(session, books.ids[who], "2026-12-20", "2026-12-24")
        session.get_one(User, books.ids["caro"]).active = False
        session.flush()
        with pytest.raises(rules.UnknownSeller):
            absence.add_leave(session, books.ids["caro"], "2026-12-20", "")

    await books.write(write)


async def test_leave_and_holidays_are_ones_own_companys_and_what_waits_is_looked_at_when_they_end(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> tuple[int, int]:
        row = hand_over(session, books.company, ids["n1"], ids["team"], "Uno", None, "waiting")
        row.due_at = NOW + timedelta(hours=1)
        leave = absence.add_leave(session, ids["ana"], "2026-11-24", "", " Médico ")
        return leave.id, absence.add_holiday(session, "2026-12-24", "Nochebuena").id

    leave, holiday = await books.write(arrange)
    assert await books.read(lambda session: [(row.note, row.last_day) for row, _ in queries.leaves(session, "2026-11-24")]) == [
        ("Médico", "2026-11-24")
    ]
    with pytest.raises(absence.HolidayTaken):
        await books.write(lambda session: absence.add_holiday(session, "2026-12-24", "Otra"))
    with pytest.raises(rules.UnknownSeller):
        await books.database.write(lambda session: absence.add_leave(session, ids["ana"], "2026-11-24", ""), company=books.other)
    for remove, row in ((absence.remove_leave, leave), (absence.remove_holiday, holiday)):
        with pytest.raises(LookupError):
            await books.database.write(lambda session, remove=remove, row=row: remove(session, row, NOW), company=books.other)
        await books.write(lambda session, remove=remove, row=row: remove(session, row, NOW))
    assert await books.read(lambda session: session.scalars(select(Assignment.due_at)).one()) == NOW
    assert await books.read(lambda session: [*session.scalars(select(Leave)), *session.scalars(select(Holiday))]) == []
    assert await books.write(lambda session: absence.fill_holidays(session, {"2026-12-25": "Navidad"})) == 1
    assert await books.write(lambda session: absence.fill_holidays(session, {"2026-12-25": "x", "2027-01-01": "y"})) == 1


# ----------------------------------------------------------------------------------------------------- the month
def test_a_day_on_which_nobody_is_left_is_a_gap() -> None:
    ana = Member(1, "Ana", hours=MORNING, absences=(("2026-12-08", "2026-12-08"), ("2026-12-22", "2026-12-29")))
    beto = Member(2, "Beto", hours=EVENING, absences=(("2026-12-22", "2026-12-22"),))
    gone, without_share = Member(3, "Caro", active=False), Member(4, "Dan", weight=0)
    found = days.month([ana, beto, gone, without_share], {"2026-12-08": "Inmaculada"}, [{"thu": ["08:00-12:00"]}], 2026, 12)
    states = {day.day.day: day.state for day in found}
    assert len(found) == 31
    assert {number for number, state in states.items() if state == "gap"} == {3, 10, 17, 22, 24, 31}  # 22: both on leave
    assert states[8] == "holiday"
    assert {number for number, state in states.items() if state == "works"} == {1, 2, 9, 15, 16, 23, 29, 30}
    of = {day.day.day: day for day in found}
    assert (of[29].there, of[29].on_leave) == (("Beto",), ("Ana",))
    assert of[22].on_leave == ("Ana", "Beto")
    assert (of[5].state, of[8].holiday) == ("closed", "Inmaculada")


OFFICIAL = {
    2024: "01-01 01-08 03-25 03-28 03-29 05-01 05-13 06-03 06-10 07-01 07-20 08-07 08-19 10-14 11-04 11-11 12-08 12-25",
    2025: "01-01 01-06 03-24 04-17 04-18 05-01 06-02 06-23 06-30 06-30 07-20 08-07 08-18 10-13 11-03 11-17 12-08 12-25",
    2026: "01-01 01-12 03-23 04-02 04-03 05-01 05-18 06-08 06-15 06-29 07-20 08-07 08-17 10-12 11-02 11-16 12-08 12-25",
}


@pytest.mark.parametrize("year", OFFICIAL)
def test_the_holidays_of_colombia_are_those_of_its_calendar(year: int) -> None:
    assert [day[5:] for day, _ in days.colombian_holidays(year)] == OFFICIAL[year].split()


def test_easter_is_where_the_almanac_has_it() -> None:
    known = {1818: (3, 22), 1943: (4, 25), 2000: (4, 23), 2024: (3, 31), 2025: (4, 20), 2038: (4, 25), 2049: (4, 18)}
    assert {year: (days.easter(year).month, days.easter(year).day) for year in known} == known
    assert all(days.easter(year).weekday() == 6 for year in range(1900, 2200))


# ----------------------------------------------------------------------------------------------------- the board
async def test_the_board_sums_up_today_by_number_and_seller(books: Books) -> None:
    ids = books.ids

    def arrange(session: Session) -> None:
        def one(name: str, number: str, user: str | None, state: str, **more: Any) -> Assignment:
            owner = ids[user] if user else None
            return hand_over(session, books.company, ids[number], ids["team"], name, owner, state, **more)

        for index in range(10):
            row = one(f"A{index}", "n1", "ana", "accepted", accepted=10 * (index + 1), replied=100 * (index + 1))
            offer(session, row, ids["ana"], "accepted", 5, "page")
        slow = one("B", "n2", "beto", "accepted", accepted=40, priority="hot")
        offer(session, slow, ids["ana"], "expired", 180)
        offer(session, slow, ids["caro"], "expired", 900, "page")
        one("C", "n2", None, "waiting", at=NOW - timedelta(minutes=7), priority="hot")
        one("D", "n2", "ana", "offered", at=NOW - timedelta(minutes=3))
        before = one("E", "n1", "ana", "closed", at=NOW - timedelta(days=1), accepted=1, replied=2)
        one("F", "n1", "ana", "closed", at=NOW + timedelta(days=1), accepted=1)
        for score, rated in ((5, row), (3, before), (None, slow)):
            session.add(
                Rating(
                    company_id=books.company, conversation_id=rated.conversation_id, assignment_id=rated.id,
                    user_id=rated.user_id, score=score, asked_at=NOW, answered_at=NOW if score else None,
                )
            )  # fmt: skip
        for user in ("beto", "ana"):  # one late answer, of which two people were told
            session.add(
                Alert(
                    company_id=books.company, user_id=ids[user], kind="reply_late", conversation_id=before.conversation_id,
                    assignment_id=before.id, facts={}, created_at=NOW,
                )
            )  # fmt: skip
        for author in (None, ids["ana"]):
            session.add(
                OutboxMessage(
                    company_id=books.company, number_id=ids["n1"], conversation_id=row.conversation_id, channel="whatsapp",
                    recipient={}, kind="text", text="x", payload="{}", state="sent", rank=30, due_at=NOW, author_id=author,
                    created_at=NOW,
                )
            )  # fmt: skip
        session.flush()

    await books.write(arrange)
    found = await books.read(lambda session: board.board(session, DAY, UNTIL))
    total = found.total
    assert total.times == board.Times(13, 11, 10, 50.0, 90.0, 500.0, 900.0)
    assert total.queue == board.Queue(2, 1, NOW - timedelta(minutes=7))
    assert total.missed == board.Missed(unaccepted=1, silent=1, late=1)
    assert total.score == board.Score(4.0, 2)
    assert total.talks == board.Talks(all=14, bot=1, person=1)
    numbers = {row.name: figures for row, figures in found.numbers}
    assert (numbers["Tienda n1"].times.handed, numbers["Tienda n2"].times.handed) == (10, 3)
    assert (numbers["Tienda n2"].times.accept_median, numbers["Tienda n2"].times.reply_median) == (40.0, None)
    assert numbers["Tienda n2"].queue.all == 2
    sellers = {user.name: figures for user, figures in found.sellers}
    assert list(sellers) == ["Ana", "Beto", "Caro"]
    assert (sellers["Ana"].owned, sellers["Ana"].load, sellers["Beto"].owned, sellers["Caro"].owned) == (10, 20, 1, 0)
    assert sellers["Beto"].load == 3
    assert sellers["Ana"].missed == board.Missed(1, 0, 1)
    assert sellers["Caro"].missed == board.Missed(0, 1, 0)
    assert sellers["Ana"].times.accept_p90 == 90.0


async def test_the_board_counts_what_is_of_today_and_once(books: Books) -> None:
    ids, yesterday = books.ids, DAY - timedelta(hours=1)

    def arrange(session: Session) -> None:
        def one(user: str | None, state: str, **more: Any) -> Assignment:
            owner = ids[user] if user else None
            return hand_over(session, books.company, ids["n1"], ids["team"], "P", owner, state, **more)

        silent, answered = one("ana", "closed", accepted=1), one("ana", "closed", accepted=1, replied=2)
        for row, at in ((silent, NOW), (answered, yesterday), (answered, UNTIL)):
            session.add(
                Alert(
                    company_id=books.company, user_id=ids["ana"], kind="reply_late", conversation_id=row.conversation_id,
                    assignment_id=row.id, facts={}, created_at=at,
                )
            )  # fmt: skip
        for rated, at in ((answered, yesterday), (silent, UNTIL)):
            session.add(
                Rating(
                    company_id=books.company, conversation_id=rated.conversation_id, assignment_id=rated.id,
                    user_id=ids["ana"], score=1, asked_at=at, answered_at=at,
                )
            )  # fmt: skip
            for author in (None, ids["ana"]):
                session.add(
                    OutboxMessage(
                        company_id=books.company, number_id=ids["n1"], conversation_id=answered.conversation_id,
                        channel="whatsapp", recipient={}, kind="text", text="x", payload="{}", state="sent", rank=30, due_at=at,
                        author_id=author, created_at=at,
                    )
                )  # fmt: skip
        on_the_phone = session.get_one(Conversation, one(None, "closed").conversation_id)
        on_the_phone.owner = "human"
        session.get_one(User, ids["caro"]).active = False

    await books.write(arrange)
    found = await books.read(lambda session: board.board(session, DAY, UNTIL))
    assert found.total.talks == board.Talks(all=3, bot=0, person=1), "whom somebody answers on the phone itself"
    assert (found.total.missed, found.total.score) == (board.Missed(), board.Score())
    assert [user.name for user, _ in found.sellers] == ["Ana", "Beto"]


async def test_a_day_without_anything_is_a_board_of_nothing(books: Books) -> None:
    found = await books.read(lambda session: board.board(session, DAY, UNTIL))
    assert found.total == board.Figures()
    assert [figures for _, figures in (*found.numbers, *found.sellers)] == [board.Figures()] * 5


LARGE = (Alert, Assignment, Conversation, InboxMessage, Lead, Offer, OutboxMessage, Person, Rating, WebhookBody)
"""They grow with the years, and so does all that one company has of them."""
_GROWS = re.compile(rf"(SCAN|SEARCH) ({'|'.join(table.__tablename__ for table in LARGE)})\b(?!.* \((?!company_id=\?\)))")
_OPEN = ("ix_assignments_load", "uq_assignments_open", "ix_assignments_due")


def plans(session: Session, work: Callable[[Session], object]) -> tuple[int, list[str]]:
    """How many statements the work makes, and by which steps SQLite does them."""
    file, seen = cast(sqlite3.Connection, session.connection().connection.dbapi_connection), list[str]()
    file.set_trace_callback(seen.append)  # with their values in them; also those that SQLAlchemy's events leave out
    work(session)
    file.set_trace_callback(None)
    seen = [sql for sql in seen if sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]
    explained = [sql for sql in seen if sql.startswith(("SELECT", "UPDATE"))]
    return len(seen), [str(step) for sql in explained for *_, step in file.execute(f"EXPLAIN QUERY PLAN {sql}")]


def growing(steps: list[str]) -> list[str]:
    """Steps that take longer with each year: all of a table, or all that a company has in it."""
    return [step for step in steps if _GROWS.match(step) and not step.endswith(_OPEN)]


async def test_no_page_reads_the_books_from_end_to_end(sqlite_url: str) -> None:
    """Each statement finds its rows by an index: of what is open, or of the company's last days."""
    books = Books(connect(sqlite_url))
    await books.database.write(lambda session: seed(session, books))

    def look(session: Session) -> None:
        found = queries.staff(session, "2026-11-24")
        queries.waiting(session, found, NOW)
        queries.turns(session, DAY)
        queries.why(session, 1, 1)
        board.board(session, DAY, UNTIL)

    many, steps = await books.read(lambda session: plans(session, look))
    await books.database.close()
    assert many == 8 + 1 + 2 + 1 + 14  # whatever is stored
    assert growing(steps) == []
    assert any("ix_assignments_company_id_created_at (company_id=? AND created_at>?" in step for step in steps)
    assert not any("inbox_messages" in step for step in steps)


async def test_nothing_that_happens_by_itself_reads_the_books_from_end_to_end(sqlite_url: str) -> None:
    books = Books(connect(sqlite_url))
    await books.database.write(lambda session: seed(session, books))
    ids = books.ids

    def arrange(session: Session) -> tuple[int, int]:
        given = session, books.company, ids["n1"], ids["team"]
        waits = hand_over(*given, "Uno", None, "waiting")
        has = hand_over(*given, "Dos", ids["ana"], "accepted", accepted=1)
        waits.due_at = has.due_at = NOW
        return waits.id, has.id

    waits, has = await books.write(arrange)

    def of_all(session: Session) -> None:
        for look in (decisions.due, targets.due, targets.idle, reminders.due, reminders.closing_windows):
            look(session, NOW)
        assert overlooked.find(session, NOW - timedelta(seconds=1))[0] == [waits]

    def of_one(session: Session) -> None:
        decided = decide(session, waits, NOW)
        assert decided
        assert decided.offer
        service.decline(session, decided.offer.id, decided.offer.user_id, "page", NOW)
        assert targets.step(session, has, NOW)
        sellers.wake(session, books.company, NOW)
        service.remove_seller(session, ids["ana"], NOW)

    for work, company in ((of_all, None), (of_one, books.company)):
        _, steps = await books.database.write(lambda session, work=work: plans(session, work), company=company)
        assert growing(steps) == []
    await books.database.close()


def test_days_are_read_as_they_are_written() -> None:
    assert absence.read_day("2028-02-29") == date(2028, 2, 29)

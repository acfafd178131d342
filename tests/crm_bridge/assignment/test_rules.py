"""Whom a lead goes to: shares, absences, reasons, and business time."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_bridge.assignment.rules import (
    TURN,
    Member,
    Wanted,
    after_business_minutes,
    choose,
    cost_of,
    left_out,
    next_hour,
)

BOGOTA = ZoneInfo("America/Bogota")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=BOGOTA)  # a Tuesday
WEEK = {day: ["09:00-13:00", "14:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
LEAD = Wanted("warm", "electronics", "es")


def team(*weights: int) -> list[Member]:
    return [Member(user_id=number, name=f"S{number}", weight=weight, capacity=1000) for number, weight in enumerate(weights, 1)]


def after(members: list[Member], served: object) -> list[Member]:
    assert isinstance(served, dict)
    return [replace(member, served=served.get(member.user_id, member.served)) for member in members]


@given(st.lists(st.integers(1, 10), min_size=1, max_size=8), st.integers(0, 2**32))
def test_shares_follow_the_weights_within_one_turn(weights: list[int], seed: int) -> None:
    """Over random absences and refusals, of those who are asked each time: nobody has a turn more than their weight gives."""
    chance, members = random.Random(seed), team(*weights)
    turns, since = Counter[int](), {member.user_id: 0 for member in members}
    given_to: list[int] = []
    for _ in range(300):
        members = [replace(member, away=chance.random() < 0.2 if chance.random() < 0.1 else member.away) for member in members]
        passed: set[int] = set()
        while True:
            choice, ledger = choose(replace(LEAD, passed=frozenset(passed)), members, NOW)
            members = after(members, ledger.served)
            for each in choice.considered:
                if each.left_out:
                    since[each.user_id] = len(given_to) + 1  # whoever was left out is compared from the next lead on
            if choice.user_id is None or chance.random() > 0.15:
                break
            members = after(members, {m.user_id: m.served - ledger.cost for m in members if m.user_id == choice.user_id})
            passed.add(choice.user_id)
        if choice.user_id is not None:
            turns[choice.user_id] += 1
            given_to.append(choice.user_id)
    for one in members:
        for other in members:
            start = max(since[one.user_id], since[other.user_id])
            shares = [given_to[start:].count(each.user_id) * cost_of(each.weight) for each in (one, other)]
            assert abs(shares[0] - shares[1]) <= cost_of(one.weight) + cost_of(other.weight)
    present = [member.served for member in members]
    assert max(present) - min(present) <= max(cost_of(weight) for weight in weights), "nobody is ahead by more than a turn"


def test_ten_thousand_leads_are_shared_equally_and_by_weight() -> None:
    for weights, expected in (((1, 1, 1, 1), 2500), ((4, 3, 2, 1), None)):
        members, turns = team(*weights), Counter[int]()
        for _ in range(10_000):
            choice, ledger = choose(LEAD, members, NOW)
            members = after(members, ledger.served)
            assert choice.user_id is not None
            turns[choice.user_id] += 1
        for member in members:
            share = 10_000 * member.weight / sum(weights)
            assert abs(turns[member.user_id] - share) <= 1
            assert expected in (None, turns[member.user_id])


@pytest.mark.parametrize("gone", [{"away": True}, {"active": False}, {"weight": 0}, {"load": 30}])
def test_who_comes_back_is_next_once_and_not_flooded(gone: dict[str, Any]) -> None:
    members = team(1, 1, 1)
    members[0] = replace(members[0], **gone)
    for _ in range(50):
        _, ledger = choose(LEAD, members, NOW)
        members = after(members, ledger.served)
    members[0] = replace(members[0], away=False, active=True, weight=1, load=0)
    order = []
    for _ in range(6):
        choice, ledger = choose(LEAD, members, NOW)
        members = after(members, ledger.served)
        order.append(choice.user_id)
    assert order[0] == 1
    assert order.count(1) <= 3, "one turn more than the others at most"


def test_a_specialist_is_no_worse_off_for_leads_that_only_they_could_take() -> None:
    members = team(1, 1)
    members[1] = replace(members[1], languages=("es",))
    for _ in range(10):
        choice, ledger = choose(replace(LEAD, language="pt"), members, NOW)
        assert (choice.user_id, choice.because) == (1, "only")
        members = after(members, ledger.served)
    turns = Counter[int]()
    for _ in range(30):
        choice, ledger = choose(LEAD, members, NOW)
        members = after(members, ledger.served)
        turns[choice.user_id or 0] += 1
    assert turns == {1: 10, 2: 20}, "twenty each, all told"


def test_a_former_seller_comes_first_and_pays_a_turn() -> None:
    members = team(1, 1, 1)
    choice, ledger = choose(replace(LEAD, former=3), members, NOW)
    assert (choice.user_id, choice.because, ledger.cost) == (3, "former", TURN)
    members = after(members, ledger.served)
    assert choose(LEAD, members, NOW)[0].user_id == 1
    away = [replace(member, away=member.user_id == 3) for member in members]
    assert choose(replace(LEAD, former=3), away, NOW)[0].because == "next"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"active": False}, "inactive"),
        ({"weight": 0}, "no_share"),
        ({"skills": ("freight",)}, "interest"),
        ({"languages": ("pt",)}, "language"),
        ({"absences": (("2026-11-20", "2026-11-24"),)}, "leave"),
        ({"absences": (("2026-11-25", "2026-11-26"),)}, ""),
        ({"hours": {"tue": ["10:01-18:00"]}}, "shift"),
        ({"hours": {"tue": ["10:00-18:00"]}}, ""),
        ({"away": True}, "away"),
        ({"away": True, "away_until": NOW + timedelta(minutes=1)}, "away"),
        ({"away": True, "away_until": NOW}, ""),
        ({"load": 9, "capacity": 10}, "full"),
        ({"load": 8, "capacity": 10}, ""),
    ],
)
def test_why_somebody_is_left_out(change: dict[str, object], reason: str) -> None:
    assert left_out(replace(team(1)[0], **change), LEAD, NOW) == reason  # type: ignore[arg-type]
    assert left_out(team(1)[0], LEAD, NOW, frozenset({"2026-11-24"})) == "holiday"


def test_when_somebody_is_there_again() -> None:
    hours = {"tue": ["09:00-10:00"], "thu": ["14:00-18:00"]}
    member = replace(team(1)[0], hours=hours)
    assert next_hour(member, LEAD, NOW) == datetime(2026, 11, 26, 14, 0, tzinfo=BOGOTA)
    assert next_hour(member, LEAD, NOW, frozenset({"2026-11-26"})) == datetime(2026, 12, 1, 9, 0, tzinfo=BOGOTA)
    on_leave = replace(member, hours=None, absences=(("2026-11-24", "2026-11-27"),))
    assert next_hour(on_leave, LEAD, NOW) == datetime(2026, 11, 28, 0, 0, tzinfo=BOGOTA)
    until = replace(member, hours=None, away=True, away_until=NOW + timedelta(hours=2))
    assert next_hour(until, LEAD, NOW) == NOW + timedelta(hours=2)
    for never in (replace(member, hours=None, away=True), replace(member, load=30, hours=None), replace(member, hours=None)):
        assert next_hour(never, LEAD, NOW) is None


@pytest.mark.parametrize(
    ("begun", "minutes", "over"),
    [
        ("2026-11-24 10:00", 60, "2026-11-24 11:00"),
        ("2026-11-24 12:30", 60, "2026-11-24 14:30"),
        ("2026-11-24 17:50", 15, "2026-11-25 09:05"),
        ("2026-11-27 17:50", 15, "2026-11-30 09:05"),  # over the weekend
        ("2026-11-24 06:00", 15, "2026-11-24 09:15"),
        ("2026-11-24 17:45", 15, "2026-11-24 18:00"),
    ],
)
def test_business_minutes(begun: str, minutes: int, over: str) -> None:
    start, end = (datetime.fromisoformat(f"{each}-05:00").astimezone(BOGOTA) for each in (begun, over))
    assert after_business_minutes(WEEK, start, minutes) == end
    assert after_business_minutes({}, start, minutes) == start + timedelta(minutes=minutes)
    assert after_business_minutes(WEEK, start, minutes, frozenset({f"{end:%Y-%m-%d}"})).date() > end.date()


def test_business_minutes_over_a_clock_change() -> None:
    """In Santiago clocks went from 24:00 to 23:00 on Saturday 4 April 2026: that night has an hour more."""
    santiago = ZoneInfo("America/Santiago")
    hours = {"sat": ["22:00-24:00"], "sun": ["00:00-10:00"]}
    start = datetime(2026, 4, 4, 22, 0, tzinfo=santiago)
    assert after_business_minutes(hours, start, 240) == datetime(2026, 4, 5, 1, 0, tzinfo=santiago)

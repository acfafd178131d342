"""What managers ask for: who is there, what waits, how today goes."""

from __future__ import annotations

from datetime import timedelta

from bot.staff.desk import ROWS, Desk, Reply
from bot.staff.words import choices, lasting, line, say, text, word
from crm_bridge.assignment import queries
from crm_bridge.assignment.board import board
from crm_bridge.assignment.queries import Presence

_MOST = 40
"""People told of in one message."""


def team(desk: Desk, words: str, row: int | None) -> Reply:
    """Who gets leads now, why the others do not, and how much each has."""
    found = queries.staff(desk.session, f"{desk.local:%Y-%m-%d}")
    people: dict[int, Presence] = {}
    for each in found.teams:
        for presence in queries.presences(found, each.id, desk.now):
            people.setdefault(presence.member.user_id, presence)
    if not people:
        return text("no_team")
    there = sum(not each.left_out for each in people.values())
    lines = [_member(desk, each) for each in sorted(people.values(), key=lambda each: (bool(each.left_out), each.member.name))]
    return text("plain", words="\n".join([say("team", there=there, count=len(people)), "", *lines[:_MOST]]))


def _member(desk: Desk, one: Presence) -> str:
    member = one.member
    state = word("state", one.left_out or "there")
    if one.left_out == "away" and member.away_until is not None:
        state = say("away_until", at=desk.at(member.away_until))
    load = say("load", load=member.load, capacity=member.capacity)
    return say("member", mark="🟢" if not one.left_out else "⚪", name=member.name, state=state, load=load)


def waiting(desk: Desk, words: str, row: int | None) -> Reply:
    """Who waits for a person, and how long, as a list to look into."""
    found = queries.waiting(desk.session, queries.staff(desk.session, f"{desk.local:%Y-%m-%d}"), desk.now)
    if not found:
        return text("nothing_waits")
    rows = []
    for each in found[:ROWS]:
        name = each.person.name or each.person.profile_name or each.person.phone or say("nameless")
        ago = desk.since(each.row.created_at)
        told = say("waits_offered", by=each.to, ago=ago) if each.to else say("waits", ago=ago)
        rows.append(line("summary", each.row.conversation_id, name, f"{word('priority', each.row.priority)} · {told}"))
    return choices(say("waiting", count=len(found)), tuple(rows))


def today(desk: Desk, words: str, row: int | None) -> Reply:
    """The figures of the company's day so far."""
    found = board(desk.session, *queries.day_of(desk.now, desk.staff.zone))
    total, times, queue = found.total, found.total.times, found.total.queue
    figures = say(
        "today",
        talks=total.talks.all,
        bot=total.talks.bot,
        person=total.talks.person,
        handed=times.handed,
        accepted=times.accepted,
        accept=_median("accept", times.accept_median),
        reply=_median("first_reply", times.reply_median),
        waiting=queue.all,
        oldest=say("oldest", ago=desk.since(queue.oldest)) if queue.oldest else "",
        missed=total.missed.all,
        score=say("score", average=f"{total.score.average:.1f}".replace(".", ","), given=total.score.given)
        if total.score.average is not None
        else "",
    )
    sellers = [
        say("seller_line", name=user.name, accepted=line.times.accepted, owned=line.owned)
        for user, line in found.sellers
        if line.times.accepted or line.owned
    ]
    return text("plain", words="\n".join([figures, *(["", say("by_seller"), *sellers[:_MOST]] if sellers else [])]))


def _median(key: str, seconds: float | None) -> str:
    return say(key, median=lasting(timedelta(seconds=seconds))) if seconds is not None else ""

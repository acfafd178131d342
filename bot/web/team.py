"""The team as it stands now: who gets leads and who does not, what waits, and why a lead went to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.orm import Session

from bot.keys import CLOCK, DATABASE, SERVICE
from bot.live import Change
from bot.web.guard import MANAGERS, viewer_of
from bot.web.inbox import line_of
from bot.web.pages import field, render, row_id
from crm_bridge.assignment import absence, queries, sellers
from crm_bridge.assignment.queries import Presence, Staff, Turns, Waiting
from crm_bridge.companies.rules import Refusal
from data.tables import Number, Team


@dataclass(frozen=True, slots=True)
class TeamNow:
    team: Team
    numbers: list[Number]
    lines: list[tuple[Presence, Turns]]

    @property
    def shares(self) -> int:
        """The sum of the weights."""
        return sum(line.member.weight for line, _ in self.lines)


async def page(request: web.Request) -> web.Response:
    return await render("team.html", request, {**await _now(request), **await _mine(request)})


async def now(request: web.Request) -> web.Response:
    """What changes by itself."""
    return await render("_team.html", request, await _now(request))


async def presence(request: web.Request) -> web.Response:
    """Whether the viewer gets leads, with the switch: for any page."""
    return await render("_presence.html", request, await _mine(request))


async def set_presence(request: web.Request) -> web.Response:
    """The viewer is busy, or back."""
    try:
        await _set_away(request, viewer_of(request).user_id)
    except Refusal as refusal:
        return await render("_presence.html", request, {**await _mine(request), "error": type(refusal).__name__})
    return await presence(request)


async def set_sellers(request: web.Request) -> web.Response:
    """The same, for somebody else."""
    try:
        await _set_away(request, row_id(request))
    except LookupError:
        raise web.HTTPNotFound from None
    except Refusal as refusal:
        return await render("_team.html", request, {**await _now(request), "error": type(refusal).__name__}, 422)
    return await now(request)


async def why(request: web.Request) -> web.Response:
    """Why a conversation went to whom."""
    line = await line_of(request)
    found = await request.app[DATABASE].read(
        partial(queries.why, person_id=line.person.id, conversation_id=line.talk.id), company=viewer_of(request).company_id
    )
    return await render("_why.html", request, {"why": found, "talk_id": line.talk.id})


async def _set_away(request: web.Request, user_id: int) -> None:
    viewer, at = viewer_of(request), request.app[CLOCK].now()
    away = await field(request, "away", 5) == "yes"
    until = absence.read_until(await field(request, "until", 10), at.astimezone(ZoneInfo(viewer.timezone))) if away else None
    await request.app[DATABASE].write(
        partial(sellers.set_away, user_id=user_id, away=away, now=at, until=until), company=viewer.company_id
    )
    tell(request, user_id)


def tell(request: web.Request, row: int) -> None:
    """The team's pages show themselves anew."""
    request.app[SERVICE].on_changed([(viewer_of(request).company_id, Change("team", row))])


async def _now(request: web.Request) -> dict[str, object]:
    viewer, at = viewer_of(request), request.app[CLOCK].now()
    found, teams, waits = await request.app[DATABASE].read(
        partial(_look, now=at, zone=ZoneInfo(viewer.timezone)), company=viewer.company_id
    )
    return {
        "teams": teams,
        "waits": waits,
        "without_team": found.without_team,
        "holiday": found.holidays.get(f"{at.astimezone(found.zone):%Y-%m-%d}", ""),
        "manages": viewer.role in MANAGERS,
        "error": "",
    }


def _look(session: Session, now: datetime, zone: ZoneInfo) -> tuple[Staff, list[TeamNow], list[Waiting]]:
    found = queries.staff(session, f"{now.astimezone(zone):%Y-%m-%d}")
    turns = queries.turns(session, queries.day_of(now, zone)[0])
    teams = [
        TeamNow(
            team,
            found.numbers_of(team.id),
            [(line, turns.get((team.id, line.member.user_id), Turns())) for line in queries.presences(found, team.id, now)],
        )
        for team in found.teams
    ]
    return found, teams, queries.waiting(session, found, now)


async def _mine(request: web.Request) -> dict[str, object]:
    """The viewer's own place; None when they are of no team. One of several teams that they get leads of is enough."""
    viewer, at = viewer_of(request), request.app[CLOCK].now()
    today = f"{at.astimezone(ZoneInfo(viewer.timezone)):%Y-%m-%d}"
    found = await request.app[DATABASE].read(partial(queries.staff, since=today), company=viewer.company_id)
    mine = [
        line for team in found.teams for line in queries.presences(found, team.id, at) if line.member.user_id == viewer.user_id
    ]
    return {"mine": min(mine, key=lambda line: bool(line.left_out), default=None), "error": ""}

"""Leave and holidays, and the month that shows on which days nobody works."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from aiohttp import web
from babel.dates import format_date
from sqlalchemy.orm import Session

from bot.keys import CLOCK, DATABASE
from bot.web.guard import MANAGERS, viewer_of
from bot.web.pages import clean, field, render, row_id, word
from bot.web.team import tell
from crm_bridge.assignment import absence, days, queries
from crm_bridge.assignment.queries import Staff
from crm_bridge.companies.rules import Refusal
from data.tables import Holiday, Leave

_NOTHING: Mapping[str, str] = {"user": "", "first": "", "last": "", "note": "", "day": "", "name": ""}


async def page(request: web.Request, error: str = "", given: Mapping[str, str] = _NOTHING) -> web.Response:
    """A month of every team, with the days on which somebody should be there and nobody is."""
    viewer, today = viewer_of(request), _today(request)
    first = _month(request, today)
    found, leaves, holidays = await request.app[DATABASE].read(
        partial(_look, since=min(first, today), year=first.year), company=viewer.company_id
    )
    shown = [
        (
            team,
            days.month(
                found.members.get(team.id, []),
                found.holidays,
                [number.hours for number in found.numbers_of(team.id)],
                first.year,
                first.month,
            ),
        )
        for team in found.teams
    ]
    context = {
        "first": first,
        "title": format_date(first, "MMMM 'de' y", locale="es").capitalize(),
        "before": (first - timedelta(days=1)).replace(day=1),
        "after": (first + timedelta(days=31)).replace(day=1),
        "today": today,
        "months": shown,
        "leaves": [(row, name) for row, name in leaves if row.last_day >= today.isoformat()],
        "shown_day": _shown,
        "holidays": holidays,
        "offered": found.country == "CO" and len({day for day, _ in days.colombian_holidays(first.year)} - _known(holidays)),
        "users": found.users,
        "manages": viewer.role in MANAGERS,
        "error": error,
        "given": given,
    }
    return await render("team_days.html", request, context, 422 if error else 200)


async def add_leave(request: web.Request) -> web.Response:
    given = {**_NOTHING, **{name: await field(request, name, 200) for name in ("user", "first", "last", "note")}}
    user = int(given["user"]) if re.fullmatch(r"\d{1,18}", given["user"]) else 0
    return await _change(
        request,
        partial(absence.add_leave, user_id=user, first=given["first"], last=given["last"], note=given["note"]),
        "leave",
        given,
    )


async def remove_leave(request: web.Request) -> web.Response:
    removed = partial(absence.remove_leave, leave_id=row_id(request), now=request.app[CLOCK].now())
    return await _change(request, removed, "leave_removed")


async def add_holiday(request: web.Request) -> web.Response:
    given = {**_NOTHING, **{name: await field(request, name, 200) for name in ("day", "name")}}
    return await _change(request, partial(absence.add_holiday, day=given["day"], name=given["name"]), "holiday", given)


async def remove_holiday(request: web.Request) -> web.Response:
    removed = partial(absence.remove_holiday, holiday_id=row_id(request), now=request.app[CLOCK].now())
    return await _change(request, removed, "holiday_removed")


async def fill_holidays(request: web.Request) -> web.Response:
    """All holidays of Colombia in the year of the month that is shown."""
    names: dict[str, str] = {}
    for day, key in days.colombian_holidays(_month(request, _today(request)).year):
        names[day] = f"{names[day]} · {word('holiday', key)}" if day in names else word("holiday", key)
    return await _change(request, partial(absence.fill_holidays, days=names), "holidays")


async def _change(
    request: web.Request, work: Callable[[Session], object], done: str, given: Mapping[str, str] = _NOTHING
) -> web.Response:
    """Do it, and show the same month again, or what was written with what is wrong about it."""
    try:
        await request.app[DATABASE].write(work, company=viewer_of(request).company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    except Refusal as refusal:
        return await page(request, type(refusal).__name__, given)
    tell(request, 0)
    raise web.HTTPSeeOther(f"/days?month={_month(request, _today(request)):%Y-%m}&done={done}")


def _look(session: Session, since: date, year: int) -> tuple[Staff, list[tuple[Leave, str]], list[Holiday]]:
    return (
        queries.staff(session, since.isoformat()),
        queries.leaves(session, since.isoformat()),
        queries.holidays(session, year),
    )


def _shown(day: str) -> str:
    """YYYY-MM-DD as people read it: jue 24 dic 2026."""
    return format_date(date.fromisoformat(day), "EEE d MMM y", locale="es")


def _known(holidays: list[Holiday]) -> set[str]:
    return {row.day for row in holidays}


def _today(request: web.Request) -> date:
    return request.app[CLOCK].now().astimezone(ZoneInfo(viewer_of(request).timezone)).date()


def _month(request: web.Request, today: date) -> date:
    """The first of the month that the address names; this one when it names none."""
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", clean(request.query.get("month", ""), 10))
    return date(int(found[1]), int(found[2]), 1) if found else today.replace(day=1)

"""How teams are set up: their targets, members and numbers, and how each seller works."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.keys import CLOCK, DATABASE, FLOWS, NUMBERS
from bot.web.guard import viewer_of
from bot.web.pages import clean, field, render, row_id
from bot.web.team import tell
from crm_bridge.assignment import queries, rules, sellers, teams
from crm_bridge.assignment.queries import Staff
from crm_bridge.companies.hours import DAYS
from crm_bridge.companies.rules import Refusal, WrongHours, read_hours
from data.tables import Seller, Team, User

LANGUAGES = ("es", "en", "pt")


async def page(request: web.Request, error: str = "", name: str = "") -> web.Response:
    context = {"found": await _staff(request), "error": error, "name": name}
    return await render("teams.html", request, context, 422 if error else 200)


async def add(request: web.Request) -> web.Response:
    name, now = await field(request, "name", 200), request.app[CLOCK].now()
    try:
        team = await request.app[DATABASE].write(
            partial(teams.add_team, name=name, now=now), company=viewer_of(request).company_id
        )
    except Refusal as refusal:
        return await page(request, type(refusal).__name__, name)
    tell(request, team.id)
    raise web.HTTPSeeOther(f"/teams/{team.id}?done=team")


async def numbers(request: web.Request) -> web.Response:
    """Which team answers which number: fields `number-<id>` with the id of a team."""
    form = await request.post()
    given = {key.removeprefix("number-"): str(value) for key, value in form.items() if key.startswith("number-")}
    if not all(each.isdecimal() and len(each) < 19 for pair in given.items() for each in pair):
        raise web.HTTPBadRequest
    chosen = {int(number): int(team) for number, team in given.items()}
    try:
        await request.app[DATABASE].write(
            partial(teams.give_numbers, teams=chosen, now=request.app[CLOCK].now()), company=viewer_of(request).company_id
        )
    except LookupError:
        raise web.HTTPNotFound from None
    await request.app[NUMBERS].edited(request.app[DATABASE])
    tell(request, 0)
    raise web.HTTPSeeOther("/teams?done=team_numbers")


# ---------------------------------------------------------------------------------------------------- one team
async def team(request: web.Request) -> web.Response:
    found = await _staff(request)
    return await _team(request, found, _team_of(request, found))


async def change(request: web.Request) -> web.Response:
    """Name and targets; what was written stays on the page when it is refused."""
    found = await _staff(request)
    row = _team_of(request, found)
    given = {key: await field(request, key, 200) for key in ("name", *teams.BOUNDS)}
    try:
        if not all(given[key].isdecimal() and len(given[key]) < 9 for key in teams.BOUNDS):
            raise teams.WrongTarget
        targets = teams.Targets(
            accept_seconds=int(given["accept_seconds"]),
            first_reply_minutes=int(given["first_reply_minutes"]),
            follow_up_minutes=int(given["follow_up_minutes"]),
            return_hours=int(given["return_hours"]),
        )
        changed = partial(teams.change_team, team_id=row.id, name=given["name"], targets=targets)
        await request.app[DATABASE].write(changed, company=viewer_of(request).company_id)
    except Refusal as refusal:
        return await _team(request, found, row, given, type(refusal).__name__)
    tell(request, row.id)
    raise web.HTTPSeeOther(f"/teams/{row.id}?done=team")


async def member(request: web.Request) -> web.Response:
    """Somebody joins, or gets another share."""
    found = await _staff(request)
    row, user = _team_of(request, found), await _chosen_user(request, found)
    weight = await field(request, "weight", 9) or "1"
    try:
        if not weight.isdecimal():
            raise rules.WrongShare
        now = request.app[CLOCK].now()
        joined = partial(teams.set_share, team_id=row.id, user_id=user, weight=int(weight), now=now)
        await request.app[DATABASE].write(joined, company=viewer_of(request).company_id)
    except Refusal as refusal:
        return await _team(request, found, row, error=type(refusal).__name__)
    tell(request, row.id)
    raise web.HTTPSeeOther(f"/teams/{row.id}?done=member")


async def remove_member(request: web.Request) -> web.Response:
    row = _team_of(request, await _staff(request))
    given = await field(request, "user", 18)
    if not given.isdecimal():
        raise web.HTTPNotFound
    left = partial(sellers.leave_team, team_id=row.id, user_id=int(given))
    await request.app[DATABASE].write(left, company=viewer_of(request).company_id)
    tell(request, row.id)
    raise web.HTTPSeeOther(f"/teams/{row.id}?done=member_left")


async def _team(
    request: web.Request, found: Staff, row: Team, given: Mapping[str, str] | None = None, error: str = ""
) -> web.Response:
    placed = {member.user_id for member in found.members.get(row.id, ())}
    context = {
        "team": row,
        "members": found.members.get(row.id, []),
        "others": [user for user in found.users if user.id not in placed],
        "numbers": found.numbers_of(row.id),
        "given": given or {key: str(getattr(row, key)) for key in ("name", *teams.BOUNDS)},
        "bounds": teams.BOUNDS,
        "heaviest": rules.HEAVIEST,
        "error": error,
    }
    return await render("team_edit.html", request, context, 422 if error else 200)


# -------------------------------------------------------------------------------------------------- one seller
async def seller(request: web.Request) -> web.Response:
    user, work = await _work_of(request)
    hours: Mapping[str, list[str]] = work.hours if work else {}
    given = {
        "capacity": str(work.capacity if work else rules.CAPACITY),
        "skills": work.skills if work else [],
        "languages": work.languages if work else [],
        "always": "" if hours else "yes",
        **{day: ", ".join(hours.get(day, ())) for day in DAYS},
    }
    return await _seller(request, user, given)


async def save_seller(request: web.Request) -> web.Response:
    """Capacity, skills, languages and shift; what was written stays on the page when it is refused."""
    user, _ = await _work_of(request)
    form = await request.post()
    chosen = {name: [clean(value, 40) for value in form.getall(name, [])] for name in ("skills", "languages")}
    written = {name: await field(request, name, 200) for name in ("capacity", "always", *DAYS)}
    known = {"skills": _interests(request), "languages": list(LANGUAGES)}
    try:
        hours = {} if written["always"] else read_hours({day: written[day] for day in DAYS})
        if not hours and not written["always"]:
            raise WrongHours
        capacity = int(written["capacity"]) if written["capacity"].isdecimal() else 0
        changed = partial(
            teams.change_seller,
            user_id=user.id,
            capacity=capacity,
            skills=[each for each in known["skills"] if each in chosen["skills"]],
            languages=[each for each in known["languages"] if each in chosen["languages"]],
            hours=hours,
            now=request.app[CLOCK].now(),
        )
        await request.app[DATABASE].write(changed, company=viewer_of(request).company_id)
    except Refusal as refusal:
        return await _seller(request, user, {**written, **chosen}, type(refusal).__name__)
    tell(request, user.id)
    raise web.HTTPSeeOther(f"/sellers/{user.id}?done=seller")


async def _seller(request: web.Request, user: User, given: Mapping[str, object], error: str = "") -> web.Response:
    found = await _staff(request)
    context = {
        "user": user,
        "of": [team for team in found.teams if any(each.user_id == user.id for each in found.members.get(team.id, ()))],
        "given": given,
        "days": DAYS,
        "interests": _interests(request),
        "languages": LANGUAGES,
        "most": teams.MOST_CAPACITY,
        "error": error,
    }
    return await render("team_seller.html", request, context, 422 if error else 200)


# --------------------------------------------------------------------------------------------------- the parts
async def _staff(request: web.Request) -> Staff:
    viewer = viewer_of(request)
    today = f"{request.app[CLOCK].now().astimezone(ZoneInfo(viewer.timezone)):%Y-%m-%d}"
    return await request.app[DATABASE].read(partial(queries.staff, since=today), company=viewer.company_id)


def _team_of(request: web.Request, found: Staff) -> Team:
    """The team in the path (HTTPNotFound)."""
    row = next((team for team in found.teams if team.id == row_id(request)), None)
    if row is None:
        raise web.HTTPNotFound
    return row


def _interests(request: web.Request) -> list[str]:
    """What prospects may be interested in: the dialogs."""
    flows = request.app[FLOWS]
    return sorted(flows)


async def _work_of(request: web.Request) -> tuple[User, Seller | None]:
    """The seller in the path and how they work (HTTPNotFound)."""
    read = partial(queries.work_of, user_id=row_id(request))
    found = await request.app[DATABASE].read(read, company=viewer_of(request).company_id)
    if found is None or not found[0].active:
        raise web.HTTPNotFound
    return found


async def _chosen_user(request: web.Request, found: Staff) -> int:
    """The user that the form names (HTTPNotFound)."""
    given = await field(request, "user", 20)
    user = next((user.id for user in found.users if str(user.id) == given), None)
    if user is None:
        raise web.HTTPNotFound
    return user

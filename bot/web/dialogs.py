"""A number's page: how it talks, with its texts edited in versions that can be undone."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from bot.keys import CLOCK, DATABASE, FLOWS, NUMBERS
from bot.web.approved import approved_of
from bot.web.drafts import Proposed, unseen
from bot.web.edits import Edits, Group, changes, grouped, overrides_of, problems_of, read_edits
from bot.web.guard import viewer_of
from bot.web.pages import field, render, row_id
from crm_bridge.companies import queries, rules, service
from crm_bridge.companies.hours import DAYS
from crm_bridge.companies.queries import VersionLine
from data.tables import Number
from dialogs.loader import Dialog, DialogError, with_overrides


class UnfitTemplate(rules.Refusal):
    """Not approved, or not in the shape that alerts fill in: `notifications.render.parameters` and two buttons."""


async def numbers(request: web.Request) -> web.Response:
    lines = await request.app[DATABASE].read(queries.number_lines, company=viewer_of(request).company_id)
    return await render("numbers.html", request, {"lines": lines})


async def number(request: web.Request) -> web.Response:
    row = await number_of(request)
    given = {"bot_name": row.bot_name, "tone": row.tone, "always": "" if row.hours else "yes"}
    given["alert_template"] = row.alert_template or ""
    return await _settings(request, row, given | {day: ", ".join(row.hours.get(day, ())) for day in DAYS})


async def save_number(request: web.Request) -> web.Response:
    """Name, tone, hours and the template of alerts; what was written stays on the page when it is refused."""
    row = await number_of(request)
    given = {name: await field(request, name, 200) for name in ("bot_name", "tone", "always", *DAYS)}
    given["alert_template"] = template = (await field(request, "alert_template", 600)).strip()
    try:
        hours = {} if given["always"] else rules.read_hours({day: given[day] for day in DAYS})
        if not hours and not given["always"]:
            raise rules.WrongHours
        if template and template != row.alert_template:
            await _check_alert_template(request, row, template)
        changed = partial(
            service.change_number,
            number_id=row.id,
            bot_name=given["bot_name"],
            tone=given["tone"],
            hours=hours,
            alert_template=template,
            now=request.app[CLOCK].now(),
        )
        await request.app[DATABASE].write(changed, company=row.company_id)
    except rules.Refusal as refusal:
        return await _settings(request, row, given, type(refusal).__name__)
    await request.app[NUMBERS].edited(request.app[DATABASE])
    raise web.HTTPSeeOther(f"/numbers/{row.id}?done=number")


async def _check_alert_template(request: web.Request, row: Number, name: str) -> None:
    """UnfitTemplate when Meta has told the account's templates and none of this name takes an alert."""
    told = await approved_of(request.app, row)
    fits = (each.language == row.language and each.places == 3 and each.replies == 2 for each in told or () if each.name == name)
    if told is not None and not any(fits):
        raise UnfitTemplate


async def _settings(request: web.Request, row: Number, given: dict[str, str], error: str = "") -> web.Response:
    context = {"number": row, "given": given, "days": DAYS, "error": error}
    return await render("number.html", request, context, status=422 if error else 200)


async def editor(request: web.Request) -> web.Response:
    row = await number_of(request)
    shipped = _shipped(request, row)
    lines = await request.app[DATABASE].read(partial(queries.versions, number_id=row.id), company=row.company_id)
    groups = grouped(shipped, _merged(shipped, _in_use(row, lines)), {}, row.tone)
    return await _editor(request, row, groups, base=lines[0].row.version if lines else 0)


async def save(request: web.Request) -> web.Response:
    """A new version out of what differs from the shipped texts. What cannot be used comes back with the reason beside it."""
    row = await number_of(request)
    shipped = _shipped(request, row)
    form = await request.post()
    edits = read_edits(form, shipped)
    given, note = await field(request, "base", 9), await field(request, "note", 200)
    base = int(given) if given.isdecimal() else -1
    overrides = overrides_of(shipped, edits)
    lines = await request.app[DATABASE].read(partial(queries.versions, number_id=row.id), company=row.company_id)
    current = lines[0].row.version if lines else 0
    try:
        await asyncio.to_thread(with_overrides, shipped, overrides, current + 1)
    except DialogError as error:
        found = problems_of(error)
        groups = grouped(shipped, _merged(shipped, edits), found, row.tone)
        return await _editor(request, row, groups, base, note, "Problems", found)
    if overrides == _in_use(row, lines):
        raise web.HTTPSeeOther(f"/numbers/{row.id}/dialog?done=same")
    if drafts := await unseen(request, row, edits, _merged(shipped, _in_use(row, lines))):
        groups = grouped(shipped, _merged(shipped, edits), {}, row.tone)
        return await _editor(request, row, groups, base, note, "UnseenDraft", drafts=drafts)
    try:
        await _write(request, row, overrides, note, base)
    except rules.StaleVersion:
        groups = grouped(shipped, _merged(shipped, edits), {}, row.tone)
        return await _editor(request, row, groups, current, note, "StaleVersion")
    raise web.HTTPSeeOther(f"/numbers/{row.id}/dialog?done=dialog")


async def versions(request: web.Request) -> web.Response:
    row = await number_of(request)
    shipped = _shipped(request, row)
    lines = await request.app[DATABASE].read(partial(queries.versions, number_id=row.id), company=row.company_id)
    older = [*(line.row.overrides for line in lines[1:]), {}]
    shown = [(line, changes(shipped, before, line.row.overrides)) for line, before in zip(lines, older, strict=False)]
    return await render("versions.html", request, {"number": row, "lines": shown})


async def restore(request: web.Request) -> web.Response:
    """Any earlier version again, 0 being the shipped texts: as a new version, so that this can be undone too."""
    row = await number_of(request)
    wanted = await field(request, "version", 9)
    lines = await request.app[DATABASE].read(partial(queries.versions, number_id=row.id), company=row.company_id)
    kept = {str(line.row.version): line.row.overrides for line in lines} | {"0": {}}
    if wanted not in kept:
        raise web.HTTPNotFound
    current = lines[0].row.version if lines else 0
    try:
        await asyncio.to_thread(with_overrides, _shipped(request, row), kept[wanted], current + 1)
        await _write(request, row, kept[wanted], f"← {wanted}", current)
    except (DialogError, rules.StaleVersion):
        raise web.HTTPConflict from None
    raise web.HTTPSeeOther(f"/numbers/{row.id}/dialog/versions?done=restored")


async def _write(request: web.Request, row: Number, overrides: dict[str, dict[str, str]], note: str, base: int) -> None:
    saved = partial(
        service.save_dialog,
        number_id=row.id,
        dialog=row.dialog,
        overrides=overrides,
        note=note,
        author=viewer_of(request).user_id,
        base=base,
        now=request.app[CLOCK].now(),
    )
    await request.app[DATABASE].write(saved, company=row.company_id)
    await request.app[NUMBERS].edited(request.app[DATABASE])


async def _editor(
    request: web.Request,
    row: Number,
    groups: list[Group],
    base: int,
    note: str = "",
    error: str = "",
    problems: dict[str, str] | None = None,
    drafts: dict[str, Proposed] | None = None,
) -> web.Response:
    placed = {path for group in groups for item in group.fields for path in item.problem_paths}
    context = {
        "number": row,
        "groups": groups,
        "base": base,
        "note": note,
        "error": error,
        "drafts": drafts or {},
        "others": [text for path, text in (problems or {}).items() if path not in placed],
    }
    return await render("dialog.html", request, context, status=422 if error else 200)


def _merged(shipped: Dialog, edits: Edits) -> dict[str, dict[str, str]]:
    return {path: {**sources, **edits.get(path, {})} for path, sources in shipped.texts().items()}


async def number_of(request: web.Request) -> Number:
    """The number in the path, when it is the viewer's company's (HTTPNotFound)."""
    row = await request.app[DATABASE].read(
        partial(queries.number, number_id=row_id(request)), company=viewer_of(request).company_id
    )
    if row is None:
        raise web.HTTPNotFound
    return row


def _in_use(row: Number, lines: list[VersionLine]) -> Edits:
    """What the newest version puts in place of the shipped texts; nothing if it was written for another dialog."""
    return lines[0].row.overrides if lines and lines[0].row.dialog == row.dialog else {}


def _shipped(request: web.Request, row: Number) -> Dialog:
    return request.app[FLOWS][row.dialog]

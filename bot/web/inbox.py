"""The live list of conversations, and one conversation with what is known of the person."""

from __future__ import annotations

import asyncio
from functools import partial
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.keys import DATABASE, LIVE, NUMBERS, SETTINGS
from bot.live import Change
from bot.web.answers import so_far
from bot.web.bubbles import by_day, inline_type, items
from bot.web.guard import MANAGERS, viewer_of
from bot.web.pages import chosen, chosen_id, clean, from_cursor, moment, render, row_id, stretch, to_cursor
from crm_bridge.companies import queries as companies
from crm_bridge.leads.rules import PRIORITIES
from crm_bridge.people import queries
from crm_bridge.people.queries import TALK_STATUSES, TalkFilter, TalkLine

_PAGE = 30
_MESSAGES = 80


async def page(request: web.Request) -> web.Response:
    wanted = _filter(request)
    company = viewer_of(request).company_id
    numbers = await request.app[DATABASE].read(companies.numbers, company=company)
    context = {
        "numbers": numbers,
        "wanted": wanted,
        "priorities": PRIORITIES,
        "statuses": TALK_STATUSES,
        **await _rows(request, wanted),
    }
    return await render("inbox.html", request, context)


async def rows(request: web.Request) -> web.Response:
    """The rows alone: after a change, a filter or "más"."""
    wanted = _filter(request)
    return await render("_talks.html", request, {"wanted": wanted, **await _rows(request, wanted)})


def _filter(request: web.Request) -> TalkFilter:
    return TalkFilter(
        words=clean(request.query.get("q", ""), 100),
        priority=chosen(request, "priority", PRIORITIES),
        number=chosen_id(request, "number"),
        status=chosen(request, "status", TALK_STATUSES),
    )


async def _rows(request: web.Request, wanted: TalkFilter) -> dict[str, object]:
    place = from_cursor(request.query.get("after", ""), 2)
    after = (moment(place[0]), place[1]) if place else None
    read = partial(queries.talks, wanted=wanted, limit=_PAGE + 1, after=after)
    lines = await request.app[DATABASE].read(read, company=viewer_of(request).company_id)
    last = lines[_PAGE - 1].talk if len(lines) > _PAGE else None
    asked = {"q": wanted.words, "priority": wanted.priority, "number": wanted.number or "", "status": wanted.status}
    asked = {key: value for key, value in asked.items() if value}
    return {
        "lines": lines[:_PAGE],
        "query": urlencode(asked),
        "more": urlencode({**asked, "after": to_cursor(last.last_in_at, last.id)}) if last and last.last_in_at else "",
        "first": after is None,
        "here_after": to_cursor(*place) if place else "",
        "has_simulator": any(resource.canonical.startswith("/simulator") for resource in request.app.router.resources()),
    }


async def conversation(request: web.Request) -> web.Response:
    line = await line_of(request)
    context = {"line": line, **await _thread(request, line), **await _side(request, line), **await owner_of(request, line)}
    return await render("conversation.html", request, context)


async def thread(request: web.Request) -> web.Response:
    """The bubbles alone, newest stretch or the one before `before`."""
    return await render("_thread.html", request, await _thread(request, await line_of(request)))


async def side(request: web.Request) -> web.Response:
    line = await line_of(request)
    return await render("_side.html", request, {"line": line, **await _side(request, line)})


async def read(request: web.Request) -> web.Response:
    """Somebody sees the conversation: nothing in it is unread any more."""
    talk_id, company = row_id(request), viewer_of(request).company_id
    await line_of(request)
    if await request.app[DATABASE].write(partial(queries.mark_read, talk_id=talk_id), company=company):
        request.app[LIVE].publish(company, Change("conversation", talk_id))
    return web.Response(status=204)


async def line_of(request: web.Request) -> TalkLine:
    line = await request.app[DATABASE].read(partial(queries.talk, talk_id=row_id(request)), company=viewer_of(request).company_id)
    if line is None:
        raise web.HTTPNotFound
    return line


async def owner_of(request: web.Request, line: TalkLine) -> dict[str, object]:
    """Who answers, as the bar above the reply shows it."""
    viewer, talk = viewer_of(request), line.talk
    user = None
    if talk.owner_id is not None:
        user = await request.app[DATABASE].read(partial(companies.account, user_id=talk.owner_id), company=viewer.company_id)
    mine = talk.owner == "human" and talk.owner_id in (None, viewer.user_id)
    return {"owner_name": user.name if user else "", "mine": mine, "over": viewer.role in MANAGERS, "error": "", "words": ""}


async def _thread(request: web.Request, line: TalkLine) -> dict[str, object]:
    viewer, (before, since) = viewer_of(request), stretch(request)
    read = partial(queries.said, talk_ids=[line.talk.id], limit=_MESSAGES, before=before, since=since)
    said = await request.app[DATABASE].read(read, company=viewer.company_id)
    return {
        "days": by_day(items(said), ZoneInfo(viewer.timezone)),
        "earlier": said.earlier,
        "since": said.earlier or 0,
        "address": f"/conversations/{line.talk.id}/thread",
        "name_of": {},
    }


async def _side(request: web.Request, line: TalkLine) -> dict[str, object]:
    card = await request.app[DATABASE].read(
        partial(queries.card, person_id=line.person.id), company=viewer_of(request).company_id
    )
    return {"card": card, "answers": so_far(line.talk.state, request.app[NUMBERS].by_id(line.number.id).dialog)}


async def media(request: web.Request) -> web.StreamResponse:
    """A received file. What browsers might run is only ever downloaded."""
    file = await request.app[DATABASE].read(
        partial(queries.media_file, file_id=row_id(request)), company=viewer_of(request).company_id
    )
    if file is None or file.path is None:
        raise web.HTTPNotFound
    folder = request.app[SETTINGS].media_dir.resolve()
    path = (folder / file.path).resolve()
    if not path.is_relative_to(folder) or not await asyncio.to_thread(path.is_file):
        raise web.HTTPNotFound
    kind = inline_type(file)
    name = quote(file.filename or path.name, safe="")
    return web.FileResponse(
        path,
        headers={
            "Content-Type": kind or "application/octet-stream",
            "Content-Disposition": f"{'inline' if kind else 'attachment'}; filename*=UTF-8''{name}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=3600",
        },
    )

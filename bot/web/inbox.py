"""The live list of conversations, and one conversation with what is known of the person."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.orm import Session

from bot.channels.base import WINDOW, window_open
from bot.keys import CLOCK, DATABASE, LIVE, NUMBERS, SETTINGS
from bot.live import Change
from bot.web.answers import so_far
from bot.web.bubbles import by_day, inline_type, items
from bot.web.guard import MANAGERS, viewer_of
from bot.web.pages import chosen, chosen_id, clean, from_cursor, moment, render, row_id, stretch, to_cursor
from crm_bridge.companies import queries as companies
from crm_bridge.leads.rules import PRIORITIES
from crm_bridge.people import queries
from crm_bridge.people.queries import TALK_STATUSES, VIEWS, Said, TalkFilter, TalkLine, ViewCounts

_PAGE = 30
_MESSAGES = 80


async def page(request: web.Request) -> web.Response:
    wanted = _filter(request)
    company = viewer_of(request).company_id
    numbers = await request.app[DATABASE].read(companies.numbers, company=company)
    context: dict[str, object] = {
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
        view=chosen(request, "view", VIEWS),
        user=viewer_of(request).user_id,
        unread=request.query.get("unread") == "1",
        now=request.app[CLOCK].now(),
    )


async def _rows(request: web.Request, wanted: TalkFilter) -> dict[str, object]:
    place = from_cursor(request.query.get("after", ""), 2)
    after = (moment(place[0]), place[1]) if place else None
    viewer, now = viewer_of(request), request.app[CLOCK].now()

    def read(session: Session) -> tuple[list[TalkLine], ViewCounts]:
        lines = queries.talks(session, wanted, _PAGE + 1, after)
        return lines, queries.view_counts(session, viewer.user_id, now)

    lines, counts = await request.app[DATABASE].read(read, company=viewer.company_id)
    last = lines[_PAGE - 1].talk if len(lines) > _PAGE else None
    given = {
        "q": wanted.words,
        "priority": wanted.priority,
        "number": wanted.number,
        "status": wanted.status,
        "unread": "1" if wanted.unread else "",
        "view": wanted.view,
    }
    asked = {key: value for key, value in given.items() if value}
    narrowed = {key: value for key, value in asked.items() if key != "view"}
    return {
        "lines": lines[:_PAGE],
        "counts": counts,
        "views": [(view, urlencode(narrowed | ({"view": view} if view else {}))) for view in ("", *VIEWS)],
        "over": viewer.role in MANAGERS,
        "narrowed": bool(narrowed),
        "query": urlencode(asked),
        "more": urlencode({**asked, "after": to_cursor(last.last_in_at, last.id)}) if last and last.last_in_at else "",
        "first": after is None,
        "here_after": to_cursor(*place) if place else "",
        "has_simulator": any(resource.canonical.startswith("/simulator") for resource in request.app.router.resources()),
    }


async def conversation(request: web.Request) -> web.Response:
    """With `all`, what the person wrote to our other numbers stands in the same thread."""
    line, whole = await line_of(request), "all" in request.query
    context = {
        **composing(request, line),
        **await (_history if whole else _thread)(request, line),
        **await _side(request, line),
        **await owner_of(request, line),
        "whole": whole,
        "others": await _others(request, line),
    }
    answer = await render("conversation.html", request, context)
    answer.headers["Permissions-Policy"] = "camera=(), microphone=(self), geolocation=()"  # voice notes
    return answer


def composing(
    request: web.Request, line: TalkLine, *, error: str = "", words: str = "", mode: str = "message"
) -> dict[str, object]:
    """What the box below the thread is made of. `mode`: message or note."""
    closes = line.talk.last_in_at + WINDOW if line.number.channel == "whatsapp" and line.talk.last_in_at else None
    box = {"error": error, "words": words, "mode": mode, "closes": closes, "open": is_open(request, line)}
    return {"line": line, "box": box}


def is_open(request: web.Request, line: TalkLine) -> bool:
    """Whether free text may be written now."""
    return window_open(line.number.channel, line.talk.last_in_at, request.app[CLOCK].now())


async def thread(request: web.Request) -> web.Response:
    """The bubbles alone, newest stretch or the one before `before`."""
    return await render("_thread.html", request, await _thread(request, await line_of(request)))


async def history(request: web.Request) -> web.Response:
    """The bubbles of all the person's conversations."""
    return await render("_thread.html", request, await _history(request, await line_of(request)))


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
    """Who answers, as the bar above the reply shows it, and to whom it could be handed on."""
    viewer, talk = viewer_of(request), line.talk
    people = await request.app[DATABASE].read(companies.users, company=viewer.company_id)
    return {
        "mine": talk.owner == "human" and talk.owner_id in (None, viewer.user_id),
        "over": viewer.role in MANAGERS,
        "colleagues": [user for user in people if user.active and user.id != viewer.user_id],
        "error": "",
    }


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


async def _history(request: web.Request, line: TalkLine) -> dict[str, object]:
    """As `_thread`, over all our numbers, with what happened to the person."""
    viewer, (before, since) = viewer_of(request), stretch(request)

    def read(session: Session) -> tuple[dict[int, str], Said]:
        names = {talk: name for talk, name, _ in queries.other_talks(session, line.person.id, besides=line.talk.id)}
        names[line.talk.id] = line.number.name
        return names, queries.said(session, list(names), _MESSAGES, before, since, person_id=line.person.id)

    names, said = await request.app[DATABASE].read(read, company=viewer.company_id)
    return {
        "days": by_day(items(said), ZoneInfo(viewer.timezone)),
        "earlier": said.earlier,
        "since": said.earlier or 0,
        "address": f"/conversations/{line.talk.id}/history",
        "name_of": names,
    }


async def _others(request: web.Request, line: TalkLine) -> list[tuple[int, str, int]]:
    read = partial(queries.other_talks, person_id=line.person.id, besides=line.talk.id)
    return await request.app[DATABASE].read(read, company=viewer_of(request).company_id)


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
    return file_response(path, inline_type(file), file.filename or path.name)


def file_response(path: Path, kind: str | None, name: str) -> web.FileResponse:
    """`kind`: the content type that a page may show it with; None: it is only downloaded."""
    name = quote(name, safe="")
    return web.FileResponse(
        path,
        headers={
            "Content-Type": kind or "application/octet-stream",
            "Content-Disposition": f"{'inline' if kind else 'attachment'}; filename*=UTF-8''{name}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=3600",
        },
    )

"""Notes to colleagues on a conversation's page: written below the thread, changed and deleted where they stand."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bot import notes
from bot.keys import CLOCK, DATABASE, SERVICE
from bot.live import Change
from bot.takeover import LONGEST
from bot.web.bubbles import remark
from bot.web.guard import viewer_of
from bot.web.inbox import line_of
from bot.web.pages import as_id, field, render, row_id
from bot.web.takeover import composer_of, write
from crm_bridge.companies.rules import Refusal
from crm_bridge.people import queries
from data.tables import Alert


async def add(request: web.Request) -> web.Response:
    viewer, now, talk_id = viewer_of(request), request.app[CLOCK].now(), row_id(request)
    words = await _words(request)
    try:
        _, told = await write(request, lambda session: notes.add(session, talk_id, viewer.user_id, words, now))
    except Refusal as refusal:
        return await composer_of(request, await line_of(request), error=type(refusal).__name__, words=words, mode="note")
    _tell(request, told)
    return await composer_of(request, await line_of(request), mode="note")


async def edit(request: web.Request) -> web.Response:
    """The note as it stands then, or with what is wrong with the new words."""
    viewer, now, talk_id, note_id = viewer_of(request), request.app[CLOCK].now(), row_id(request), _note_id(request)
    words = await _words(request)
    try:
        _, told = await write(request, lambda session: notes.edit(session, talk_id, note_id, viewer.user_id, words, now))
    except Refusal as refusal:
        return await _shown(request, note_id, type(refusal).__name__, words)
    _tell(request, told)
    return await _shown(request, note_id)


async def delete(request: web.Request) -> web.Response:
    viewer, now, talk_id, note_id = viewer_of(request), request.app[CLOCK].now(), row_id(request), _note_id(request)
    _tell(request, await write(request, lambda session: notes.delete(session, talk_id, note_id, viewer.user_id, now)))
    return web.Response()


async def _shown(request: web.Request, note_id: int, error: str = "", words: str = "") -> web.Response:
    company = viewer_of(request).company_id
    row, names = await request.app[DATABASE].read(lambda session: queries.note(session, note_id), company=company)
    return await render(
        "_notes.html", request, {"item": remark(row, names), "name_of": {}, "note_error": error, "note_words": words}
    )


def _tell(request: web.Request, told: Iterable[Alert]) -> None:
    company = viewer_of(request).company_id
    request.app[SERVICE].on_changed([(company, Change("alert", alert.user_id)) for alert in told])


async def _words(request: web.Request) -> str:
    return (await field(request, "words", 4 * LONGEST)).replace("\r\n", "\n")


def _note_id(request: web.Request) -> int:
    return as_id(request.match_info["note"]) or 0

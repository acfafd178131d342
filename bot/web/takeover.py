"""A seller answers a conversation on its page: takes it, writes, and gives it back to the bot."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from aiohttp import web
from sqlalchemy.orm import Session

from bot import takeover
from bot.keys import CLOCK, DATABASE, SERVICE
from bot.live import Change
from bot.web.guard import MANAGERS, viewer_of
from bot.web.inbox import line_of, owner_of
from bot.web.pages import field, render, row_id
from crm_bridge.companies.rules import Refusal

T = TypeVar("T")


async def owner(request: web.Request, error: str = "") -> web.Response:
    """The bar that tells who answers."""
    line = await line_of(request)
    return await render("_owner.html", request, {"line": line, **await owner_of(request, line), "error": error})


async def take(request: web.Request) -> web.Response:
    return await _change(request, takeover.take)


async def give_back(request: web.Request) -> web.Response:
    return await _change(request, takeover.give_back)


async def _change(request: web.Request, work: Callable[..., object]) -> web.Response:
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    try:
        await _write(
            request, partial(work, talk_id=row_id(request), user_id=viewer.user_id, now=now, over=viewer.role in MANAGERS)
        )
    except Refusal as refusal:
        return await owner(request, type(refusal).__name__)
    return await owner(request)


async def reply(request: web.Request) -> web.Response:
    """Send what was written; an empty field comes back, or the words with what is wrong."""
    talk_id, words = row_id(request), (await field(request, "words", 4 * takeover.LONGEST)).replace("\r\n", "\n")
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    try:
        message = await _write(request, lambda session: takeover.reply(session, talk_id, viewer.user_id, words, now))
    except Refusal as refusal:
        context = {"line": await line_of(request), "error": type(refusal).__name__, "words": words}
        return await render("_reply.html", request, context)
    request.app[SERVICE].on_said([message])
    return await render("_reply.html", request, {"line": await line_of(request), "error": "", "words": ""})


async def _write(request: web.Request, work: Callable[[Session], T]) -> T:
    """Do it and show it on all pages that are open. HTTPNotFound when there is no such conversation."""
    company, talk_id = viewer_of(request).company_id, row_id(request)
    try:
        done = await request.app[DATABASE].write(work, company=company)
    except LookupError:
        raise web.HTTPNotFound from None
    request.app[SERVICE].on_changed([(company, Change("conversation", talk_id))])
    return done

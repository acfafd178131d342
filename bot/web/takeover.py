"""A seller answers a conversation on its page: takes it, writes, and gives it back to the bot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from aiohttp import web
from sqlalchemy.orm import Session

from bot import takeover
from bot.keys import CLOCK, DATABASE, NUMBERS, SERVICE
from bot.live import Change
from bot.web.guard import MANAGERS, viewer_of
from bot.web.inbox import composing, is_open, line_of, owner_of
from bot.web.pages import field, render, row_id
from crm_bridge.companies.rules import Refusal
from crm_bridge.people.queries import TalkLine
from notifications import alerts

T = TypeVar("T")
_JUST_NOW = timedelta(seconds=1)


async def owner(request: web.Request, error: str = "") -> web.Response:
    """The bar that tells who answers."""
    line = await line_of(request)
    return await render("_owner.html", request, {"line": line, **await owner_of(request, line), "error": error})


async def take(request: web.Request) -> web.Response:
    return await _change(request, takeover.take)


async def give_back(request: web.Request) -> web.Response:
    return await _change(request, takeover.give_back)


async def finish(request: web.Request) -> web.Response:
    """The matter is done: the bot answers again, and asks how it went."""
    viewer, now, line = viewer_of(request), request.app[CLOCK].now(), await line_of(request)
    number = request.app[NUMBERS].by_id(line.number.id)
    over = viewer.role in MANAGERS
    work = partial(takeover.finish, talk_id=line.talk.id, user_id=viewer.user_id, number=number, now=now, over=over)
    try:
        asked = await write(request, work)
    except Refusal as refusal:
        return await owner(request, type(refusal).__name__)
    request.app[SERVICE].on_said(asked)
    return await owner(request)


async def _change(request: web.Request, work: Callable[..., object]) -> web.Response:
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    try:
        await write(
            request, partial(work, talk_id=row_id(request), user_id=viewer.user_id, now=now, over=viewer.role in MANAGERS)
        )
    except Refusal as refusal:
        return await owner(request, type(refusal).__name__)
    return await owner(request)


async def composer(request: web.Request) -> web.Response:
    """Where one writes. A page on which the window is closed asks, with `closed`, whether it still is: 204."""
    line = await line_of(request)
    if "closed" in request.query and not is_open(request, line):
        return web.Response(status=204)
    return await composer_of(request, line)


async def composer_of(
    request: web.Request, line: TalkLine, *, error: str = "", words: str = "", mode: str = "message"
) -> web.Response:
    """What stands below the thread after somebody sent something, or could not: then with their words."""
    return await render("_reply.html", request, composing(request, line, error=error, words=words, mode=mode))


async def reply(request: web.Request) -> web.Response:
    """Send what was written; an empty field comes back, or the words with what is wrong."""
    talk_id, words = row_id(request), (await field(request, "words", 4 * takeover.LONGEST)).replace("\r\n", "\n")
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    try:
        message = await write(request, lambda session: takeover.reply(session, talk_id, viewer.user_id, words, now))
    except Refusal as refusal:
        return await composer_of(request, await line_of(request), error=type(refusal).__name__, words=words)
    request.app[SERVICE].on_said([message])
    return await composer_of(request, await line_of(request))


async def write(request: web.Request, work: Callable[[Session], T]) -> T:
    """Do it and show it on all pages that are open, with the alerts that ended by it. HTTPNotFound when there is no such
    conversation."""
    viewer, talk_id, now = viewer_of(request), row_id(request), request.app[CLOCK].now()

    def do(session: Session) -> tuple[T, set[int]]:
        done = work(session)
        return done, {alert.user_id for alert in alerts.ended(session, talk_id, now - _JUST_NOW)}

    try:
        done, told = await request.app[DATABASE].write(do, company=viewer.company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    changes = [Change("conversation", talk_id), Change("assignment", talk_id), *(Change("alert", user) for user in told)]
    request.app[SERVICE].on_changed([(viewer.company_id, change) for change in changes])
    return done

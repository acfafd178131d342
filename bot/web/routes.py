"""The table of pages: who may open what. A page that is not here does not exist; one without roles cannot be written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import aiohttp_session
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.keys import SETTINGS
from bot.web import (
    absences,
    account,
    alerts,
    auth,
    board,
    dialogs,
    inbox,
    leads,
    links,
    live,
    notes,
    preview,
    takeover,
    team,
    teams,
    users,
    workplace,
    writing,
)
from bot.web.guard import ADMINS, EVERYBODY, MANAGERS, PUBLIC, Route, error_page, guarded
from bot.web.pages import STATIC, setup_templates
from bot.web.sessions import SqlStorage


async def static(request: web.Request) -> web.FileResponse:
    path = STATIC.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": "public, max-age=31536000, immutable"})


ROUTES: tuple[Route, ...] = (
    Route("GET", "/static/{name}", static, PUBLIC),
    Route("GET", "/login", auth.form, PUBLIC),
    Route("POST", "/login", auth.log_in, PUBLIC),
    Route("POST", "/login/code", auth.second_factor, PUBLIC),
    Route("POST", "/logout", auth.log_out, EVERYBODY),
    Route("GET", "/", inbox.page, EVERYBODY),
    Route("GET", "/conversations", inbox.rows, EVERYBODY),
    Route("GET", r"/conversations/{id:\d+}", inbox.conversation, EVERYBODY),
    Route("GET", r"/conversations/{id:\d+}/thread", inbox.thread, EVERYBODY),
    Route("GET", r"/conversations/{id:\d+}/side", inbox.side, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/read", inbox.read, EVERYBODY),
    Route("GET", r"/conversations/{id:\d+}/owner", takeover.owner, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/take", takeover.take, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/return", takeover.give_back, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/finish", takeover.finish, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/reply", takeover.reply, EVERYBODY),
    Route("GET", r"/media/{id:\d+}", inbox.media, EVERYBODY),
    Route("GET", "/live", live.stream, EVERYBODY),
    Route("GET", "/leads", leads.page, EVERYBODY),
    Route("GET", "/leads/rows", leads.rows, EVERYBODY),
    Route("GET", r"/leads/{id:\d+}", leads.lead, EVERYBODY),
    Route("GET", r"/leads/{id:\d+}/timeline", leads.timeline, EVERYBODY),
    Route("GET", "/team", team.page, EVERYBODY),
    Route("GET", "/team/now", team.now, EVERYBODY),
    Route("GET", "/team/presence", team.presence, EVERYBODY),
    Route("POST", "/team/presence", team.set_presence, EVERYBODY),
    Route("GET", r"/conversations/{id:\d+}/why", team.why, EVERYBODY),
    Route("GET", "/teams", teams.page, MANAGERS),
    Route("POST", "/teams", teams.add, MANAGERS),
    Route("POST", "/teams/numbers", teams.numbers, MANAGERS),
    Route("GET", r"/teams/{id:\d+}", teams.team, MANAGERS),
    Route("POST", r"/teams/{id:\d+}", teams.change, MANAGERS),
    Route("POST", r"/teams/{id:\d+}/members", teams.member, MANAGERS),
    Route("POST", r"/teams/{id:\d+}/members/remove", teams.remove_member, MANAGERS),
    Route("GET", r"/sellers/{id:\d+}", teams.seller, MANAGERS),
    Route("POST", r"/sellers/{id:\d+}", teams.save_seller, MANAGERS),
    Route("POST", r"/sellers/{id:\d+}/presence", team.set_sellers, MANAGERS),
    Route("GET", "/days", absences.page, EVERYBODY),
    Route("POST", "/leaves", absences.add_leave, MANAGERS),
    Route("POST", r"/leaves/{id:\d+}/remove", absences.remove_leave, MANAGERS),
    Route("POST", "/holidays", absences.add_holiday, MANAGERS),
    Route("POST", "/holidays/fill", absences.fill_holidays, MANAGERS),
    Route("POST", r"/holidays/{id:\d+}/remove", absences.remove_holiday, MANAGERS),
    Route("GET", "/board", board.page, MANAGERS),
    Route("GET", "/board/now", board.now, MANAGERS),
    Route("GET", "/numbers", dialogs.numbers, MANAGERS),
    Route("GET", r"/numbers/{id:\d+}", dialogs.number, MANAGERS),
    Route("POST", r"/numbers/{id:\d+}", dialogs.save_number, MANAGERS),
    Route("GET", r"/numbers/{id:\d+}/dialog", dialogs.editor, MANAGERS),
    Route("POST", r"/numbers/{id:\d+}/dialog", dialogs.save, MANAGERS),
    Route("GET", r"/numbers/{id:\d+}/dialog/versions", dialogs.versions, MANAGERS),
    Route("POST", r"/numbers/{id:\d+}/dialog/restore", dialogs.restore, MANAGERS),
    Route("POST", r"/numbers/{id:\d+}/dialog/preview", preview.talk, MANAGERS),
    Route("GET", "/users", users.page, ADMINS),
    Route("POST", "/users", users.add, ADMINS),
    Route("POST", r"/users/{id:\d+}", users.change, ADMINS),
    Route("POST", r"/users/{id:\d+}/password", users.reset, ADMINS),
    Route("GET", "/account", account.page, EVERYBODY),
    Route("POST", "/account/password", account.password, EVERYBODY),
    Route("POST", "/account/factor", account.begin_factor, EVERYBODY),
    Route("POST", "/account/factor/confirm", account.confirm_factor, EVERYBODY),
    Route("POST", "/account/factor/remove", account.remove_factor, EVERYBODY),
    Route("POST", "/account/sessions", account.end_others, EVERYBODY),
    Route("POST", r"/account/sessions/{id:\d+}", account.end_one, EVERYBODY),
    Route("GET", "/alerts", alerts.cards, EVERYBODY),
    Route("POST", r"/alerts/{id:\d+}/accept", alerts.accept, EVERYBODY),
    Route("POST", r"/alerts/{id:\d+}/pass", alerts.let_pass, EVERYBODY),
    Route("POST", r"/alerts/{id:\d+}/done", alerts.done, EVERYBODY),
    Route("GET", "/account/alerts", alerts.page, EVERYBODY),
    Route("POST", "/account/alerts/quiet", alerts.quiet, EVERYBODY),
    Route("POST", "/account/alerts/other", alerts.add_service, EVERYBODY),
    Route("POST", "/account/alerts/code", alerts.new_code, EVERYBODY),
    Route("GET", r"/account/alerts/code/{id:\d+}", alerts.code_state, EVERYBODY),
    Route("GET", r"/account/alerts/test/{id:\d+}", alerts.tested, EVERYBODY),
    Route("POST", r"/account/alerts/{id:\d+}", alerts.switch, EVERYBODY),
    Route("POST", r"/account/alerts/{id:\d+}/remove", alerts.remove, EVERYBODY),
    Route("POST", r"/account/alerts/{id:\d+}/test", alerts.test, EVERYBODY),
    Route("GET", "/sw.js", alerts.worker, PUBLIC),
    Route("GET", "/manifest.webmanifest", alerts.manifest, PUBLIC),
    Route("GET", "/push/key", alerts.push_key, EVERYBODY),
    Route("POST", "/push/subscribe", alerts.subscribe, EVERYBODY),
    Route("POST", "/push/unsubscribe", alerts.unsubscribe, EVERYBODY),
    Route("GET", "/a/{token}", links.page, PUBLIC),
    Route("POST", "/a/{token}", links.act, PUBLIC, signed=True),
    Route("GET", r"/conversations/{id:\d+}/reply", takeover.composer, EVERYBODY),
    Route("GET", r"/conversations/{id:\d+}/history", inbox.history, EVERYBODY),
    Route("GET", r"/conversations/{id:\d+}/at-hand", workplace.at_hand, EVERYBODY),
    Route("GET", r"/conversations/{id:\d+}/templates", workplace.templates, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/templates", workplace.send_template, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/file", workplace.file, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/notes", notes.add, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/notes/{note:\d+}", notes.edit, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/notes/{note:\d+}/delete", notes.delete, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/transfer", workplace.transfer, EVERYBODY),
    Route("POST", r"/conversations/{id:\d+}/snooze", workplace.snooze, EVERYBODY),
    Route("GET", r"/sent/{id:\d+}", workplace.sent, EVERYBODY),
    Route("GET", "/canned", workplace.canned, EVERYBODY),
    Route("POST", "/canned", workplace.save_canned, MANAGERS),
    Route("POST", r"/canned/{id:\d+}", workplace.save_canned, MANAGERS),
    Route("POST", r"/canned/{id:\d+}/delete", workplace.delete_canned, MANAGERS),
    Route("POST", r"/conversations/{id:\d+}/summary", writing.summary, EVERYBODY),
    Route("POST", r"/numbers/{id:\d+}/dialog/draft", writing.propose, MANAGERS),
    Route("GET", "/documents", writing.page, MANAGERS),
    Route("POST", "/documents", writing.add, MANAGERS),
    Route("GET", r"/documents/{id:\d+}", writing.document, MANAGERS),
    Route("POST", r"/documents/{id:\d+}/remove", writing.remove, MANAGERS),
    Route("POST", "/documents/switch", writing.switch, ADMINS),
    Route("GET", "/deliveries", alerts.deliveries, MANAGERS),
    Route("GET", "/deliveries/rows", alerts.delivery_rows, MANAGERS),
)


def setup(app: web.Application) -> None:
    """Add the pages. The application holds SETTINGS now; the rest of `bot/keys.py` and `preview.NLU` before a request."""
    aiohttp_session.setup(app, SqlStorage(secure=app[SETTINGS].public_url.scheme == "https"))
    app.middlewares.append(_unknown)
    setup_templates(app)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, guarded(route))
    app[auth.HASHERS] = ThreadPoolExecutor(2, "argon2")
    app[live.STREAMS] = set()
    app.on_shutdown.append(live.close)
    app.cleanup_ctx.append(_hashers)


@web.middleware
async def _unknown(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An address that nothing answers to, opened in a browser, gets a page that says so."""
    wrong = request.match_info.http_exception
    if wrong is not None and "text/html" in request.headers.get("Accept", ""):
        await aiohttp_session.get_session(request)
        return await error_page(request, wrong.status)
    return await handler(request)


async def _hashers(app: web.Application) -> AsyncIterator[None]:
    yield
    await asyncio.to_thread(app[auth.HASHERS].shutdown)

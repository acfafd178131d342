"""Logging in and out: password, then the second factor where there is one."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import ParamSpec, TypeVar

from aiohttp import web

from bot.keys import CLOCK, DATABASE
from bot.web.guard import sign, viewer_of
from bot.web.pages import clean, field, render
from bot.web.sessions import VIEWER, close_session, open_session
from crm_bridge.companies import rules, service

P = ParamSpec("P")
T = TypeVar("T")

HASHERS = web.AppKey("hashers", ThreadPoolExecutor)
"""Few threads: each argon2 takes 64 MiB, and a flood of log-ins must not take the machine."""
_TICKET_LIFE = timedelta(minutes=5)


async def hashing(request: web.Request, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    return await asyncio.get_running_loop().run_in_executor(request.app[HASHERS], lambda: work(*args, **named))


async def form(request: web.Request) -> web.Response:
    if VIEWER in request:
        raise web.HTTPSeeOther("/")
    return await _form(request, onward=clean(request.query.get("next", "/"), 500))


async def log_in(request: web.Request) -> web.Response:
    """Check the password, with the same effort for an address that nobody has."""
    email, password, onward = [await field(request, name, 500) for name in ("email", "password", "next")]
    now = request.app[CLOCK].now()
    attempt = await request.app[DATABASE].write(lambda session: service.begin_log_in(session, email, now))
    fits = await hashing(request, rules.password_fits, password, attempt.password_hash if attempt else None)
    if attempt is None or not fits:
        return await _form(request, onward, email, error="log_in", status=401)
    if attempt.second_factor:
        return await render("code.html", request, {"ticket": _ticket(request, attempt.user_id), "onward": onward, "error": ""})
    if not await open_session(request, attempt.user_id):
        return await _form(request, onward, email, error="log_in", status=401)
    raise web.HTTPSeeOther(_inside(onward))


async def second_factor(request: web.Request) -> web.Response:
    """Check the code of somebody whose password fitted minutes ago."""
    ticket, code, onward = [await field(request, name, 500) for name in ("ticket", "code", "next")]
    user_id = _holder(request, ticket)
    if user_id is None:
        return await _form(request, onward, error="expired", status=401)
    if not await open_session(request, user_id, code):
        return await render("code.html", request, {"ticket": ticket, "onward": onward, "error": "code"}, status=401)
    raise web.HTTPSeeOther(_inside(onward))


async def log_out(request: web.Request) -> web.Response:
    await close_session(request, viewer_of(request))
    raise web.HTTPSeeOther("/login")


async def _form(request: web.Request, onward: str, email: str = "", error: str = "", status: int = 200) -> web.Response:
    return await render("login.html", request, {"onward": onward, "email": email, "error": error}, status=status)


def _ticket(request: web.Request, user_id: int) -> str:
    until = int((request.app[CLOCK].now() + _TICKET_LIFE).timestamp())
    return f"{user_id}.{until}.{sign(request, 'code', f'{user_id}.{until}')}"


def _holder(request: web.Request, ticket: str) -> int | None:
    """Whose ticket it is; None when it is not ours or too old."""
    user, _, rest = ticket.partition(".")
    until, _, signature = rest.partition(".")
    if not hmac.compare_digest(signature.encode(), sign(request, "code", f"{user}.{until}").encode()):
        return None
    return int(user) if int(until) > request.app[CLOCK].now().timestamp() else None


def _inside(onward: str) -> str:
    """Only a path of ours: never another site."""
    return onward if onward.startswith("/") and not onward.startswith(("//", "/\\")) and onward.isprintable() else "/"

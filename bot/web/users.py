"""The company's people: who may log in, and as what."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from aiohttp import web

from bot.keys import CLOCK, DATABASE
from bot.web.auth import hashing
from bot.web.guard import viewer_of
from bot.web.pages import field, render, row_id
from crm_bridge.companies import queries, rules, service

_BLANK = {"name": "", "email": "", "role": "seller"}


async def page(
    request: web.Request, error: str = "", given: Mapping[str, str] = _BLANK, shown: Mapping[str, str] | None = None
) -> web.Response:
    """`shown` is a new password and whose it is, to be read once."""
    found = await request.app[DATABASE].read(queries.users, company=viewer_of(request).company_id)
    context = {"users": found, "roles": rules.ROLES, "error": error, "given": given, "shown": shown}
    return await render("users.html", request, context, status=422 if error else 200)


async def add(request: web.Request) -> web.Response:
    """Add somebody with a random first password."""
    name, email, role = [await field(request, key, 200) for key in ("name", "email", "role")]
    now, password = request.app[CLOCK].now(), secrets.token_urlsafe(12)
    hashed = await hashing(request, rules.hash_password, password)
    try:
        user = await request.app[DATABASE].write(
            lambda session: service.add_user(session, name=name, email=email, role=role, password_hash=hashed, now=now),
            company=viewer_of(request).company_id,
        )
    except rules.Refusal as refusal:
        return await page(request, type(refusal).__name__, {"name": name, "email": email, "role": role})
    return await page(request, shown={"email": user.email, "password": password})


async def change(request: web.Request) -> web.Response:
    viewer, now, user_id = viewer_of(request), request.app[CLOCK].now(), row_id(request)
    role, active = await field(request, "role", 20), await field(request, "active", 5) == "yes"
    try:
        await request.app[DATABASE].write(
            lambda session: service.change_user(session, user_id, by=viewer.user_id, role=role, active=active, now=now),
            company=viewer.company_id,
        )
    except LookupError:
        raise web.HTTPNotFound from None
    except rules.Refusal as refusal:
        return await page(request, type(refusal).__name__)
    raise web.HTTPSeeOther("/users?done=user")


async def reset(request: web.Request) -> web.Response:
    """Somebody lost their password or phone: a new password, no second factor, all sessions ended."""
    viewer, now, user_id = viewer_of(request), request.app[CLOCK].now(), row_id(request)
    password = secrets.token_urlsafe(12)
    hashed = await hashing(request, rules.hash_password, password)
    try:
        email = await request.app[DATABASE].write(
            lambda session: service.reset_user(session, user_id, by=viewer.user_id, password_hash=hashed, now=now),
            company=viewer.company_id,
        )
    except LookupError:
        raise web.HTTPNotFound from None
    except rules.Refusal as refusal:
        return await page(request, type(refusal).__name__)
    return await page(request, shown={"email": email, "password": password})

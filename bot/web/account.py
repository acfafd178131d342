"""One's own account: password, second factor, and the sessions that are open."""

from __future__ import annotations

import pyotp
import segno
from aiohttp import web
from aiohttp_session import get_session
from markupsafe import Markup

from bot.keys import CLOCK, DATABASE
from bot.web.auth import hashing
from bot.web.guard import viewer_of
from bot.web.pages import field, render, row_id
from crm_bridge.companies import queries, rules, service

_SECRET = "factor_secret"  # noqa: S105 -- a key of the session, not a secret
_ISSUER = "Mostrador"


async def page(request: web.Request, error: str = "", status: int = 200) -> web.Response:
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    sessions = await request.app[DATABASE].read(
        lambda session: queries.open_sessions(session, viewer.user_id, now), company=viewer.company_id
    )
    secret = (await get_session(request)).get(_SECRET)
    picture = ""
    if secret is not None and not viewer.second_factor:
        address = pyotp.TOTP(secret).provisioning_uri(name=viewer.email, issuer_name=_ISSUER)
        picture = Markup(segno.make(address, error="m").svg_inline(scale=5, border=2, dark="#000", light="#fff"))  # noqa: S704 -- our own drawing
    context = {"sessions": sessions, "secret": secret if picture else "", "picture": picture, "error": error}
    return await render("account.html", request, context, status=status)


async def password(request: web.Request) -> web.Response:
    """Change the password, knowing the old one; all other sessions end."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    old, new, again = [await field(request, name, 500) for name in ("old", "new", "again")]
    try:
        await _confirm_password(request, old)
        rules.check_password(new, viewer.email)
        if new != again:
            raise rules.PasswordsDiffer
    except rules.Refusal as refusal:
        return await page(request, type(refusal).__name__, 422)
    hashed = await hashing(request, rules.hash_password, new)
    await request.app[DATABASE].write(
        lambda session: service.set_password(session, viewer.user_id, hashed, now, keep=viewer.session_id),
        company=viewer.company_id,
    )
    raise web.HTTPSeeOther("/account?done=password")


async def begin_factor(request: web.Request) -> web.Response:
    """Show a new secret as a QR code; it counts once a code of it has been typed."""
    if viewer_of(request).second_factor:  # it is taken off with the password first
        raise web.HTTPSeeOther("/account")
    (await get_session(request))[_SECRET] = pyotp.random_base32()
    raise web.HTTPSeeOther("/account#factor")


async def confirm_factor(request: web.Request) -> web.Response:
    viewer, session = viewer_of(request), await get_session(request)
    secret, code = session.get(_SECRET), await field(request, "code", 20)
    step = rules.code_step(secret, code, request.app[CLOCK].now(), 0) if secret else None
    if secret is None or step is None or viewer.second_factor:
        return await page(request, rules.WrongCode.__name__, 422)
    await request.app[DATABASE].write(
        lambda each: service.set_second_factor(each, viewer.user_id, secret, step), company=viewer.company_id
    )
    del session[_SECRET]
    raise web.HTTPSeeOther("/account?done=factor_on")


async def remove_factor(request: web.Request) -> web.Response:
    viewer = viewer_of(request)
    try:
        await _confirm_password(request, await field(request, "old", 500))
    except rules.Refusal as refusal:
        return await page(request, type(refusal).__name__, 422)
    await request.app[DATABASE].write(
        lambda session: service.set_second_factor(session, viewer.user_id, None), company=viewer.company_id
    )
    raise web.HTTPSeeOther("/account?done=factor_off")


async def end_one(request: web.Request) -> web.Response:
    """End one of one's own sessions; somebody else's is not found."""
    viewer, now, which = viewer_of(request), request.app[CLOCK].now(), row_id(request)
    ended = await request.app[DATABASE].write(
        lambda session: service.end_sessions(session, viewer.user_id, now, only=which), company=viewer.company_id
    )
    if not ended:
        raise web.HTTPNotFound
    raise web.HTTPSeeOther("/login" if which == viewer.session_id else "/account?done=session")


async def end_others(request: web.Request) -> web.Response:
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    await request.app[DATABASE].write(
        lambda session: service.end_sessions(session, viewer.user_id, now, keep=viewer.session_id), company=viewer.company_id
    )
    raise web.HTTPSeeOther("/account?done=sessions")


async def _confirm_password(request: web.Request, given: str) -> None:
    """WrongPassword unless it is the viewer's. A wrong one counts towards the lock-out, as at log-in."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    attempt = await request.app[DATABASE].write(lambda session: service.begin_log_in(session, viewer.email, now))
    if attempt is None or not await hashing(request, rules.password_fits, given, attempt.password_hash):
        raise rules.WrongPassword
    await request.app[DATABASE].write(lambda session: service.forgive(session, viewer.user_id), company=viewer.company_id)

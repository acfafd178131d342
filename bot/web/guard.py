"""What stands before every page: who is it, may they, did the request come from our own page; and the headers behind it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp_session import get_session

from bot.keys import SETTINGS
from bot.web.pages import CSRF, render
from bot.web.sessions import VIEWER
from crm_bridge.companies.queries import Viewer

log = structlog.get_logger()

PUBLIC: frozenset[str] = frozenset({"*"})
"""The roles of a page that needs no log-in."""
EVERYBODY = frozenset({"admin", "manager", "seller"})
MANAGERS = frozenset({"admin", "manager"})
ADMINS = frozenset({"admin"})
GUEST = web.RequestKey("guest", str)
_GUEST_COOKIE = "mostrador_guest"
_SAFE = ("GET", "HEAD")

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One page: nobody reaches it whose role is not among `roles`."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    roles: frozenset[str]
    signed: bool = False
    """The address itself proves that its sender may do this (bot/web/links.py), so that no form of ours has to."""


def guarded(route: Route) -> Handler:
    """The handler of `route` behind its checks; an HTTP error becomes a page."""

    async def handle(request: web.Request) -> web.StreamResponse:
        static = route.path.startswith("/static/")
        if not static:
            await get_session(request)
        request[GUEST] = request.cookies.get(_GUEST_COOKIE) or secrets.token_urlsafe(16)
        request[CSRF] = _csrf_token(request)
        try:
            if refused := _refused(request, route):
                response: web.StreamResponse = refused
            else:
                if route.method not in _SAFE and not route.signed:
                    await _check_origin(request)
                response = await route.handler(request)
        except web.HTTPRedirection as redirect:
            redirect.headers.update(HEADERS)
            raise
        except web.HTTPClientError as error:
            response = await error_page(request, error.status)
        except Exception:
            log.exception("a page failed", route=route.path)
            response = await error_page(request, 500)
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            response.headers.setdefault("Cache-Control", "no-store")
            if route.roles is PUBLIC and not static and VIEWER not in request:
                secure = request.app[SETTINGS].public_url.scheme == "https"
                response.set_cookie(_GUEST_COOKIE, request[GUEST], httponly=True, samesite="Lax", secure=secure)
        return response

    return handle


def _refused(request: web.Request, route: Route) -> web.Response | None:
    """The way to the log-in for strangers (401 to scripts); HTTPForbidden for the wrong role."""
    if route.roles is PUBLIC:
        return None
    viewer = request.get(VIEWER)
    if viewer is None:
        if "HX-Request" in request.headers:
            return web.Response(status=401, headers={"HX-Redirect": "/login"})
        if route.method in _SAFE and "text/html" in request.headers.get("Accept", "text/html"):
            raise web.HTTPSeeOther("/login?next=" + quote(request.path_qs, safe="/"))
        return web.Response(status=401)
    if viewer.role not in route.roles:
        raise web.HTTPForbidden
    return None


async def error_page(request: web.Request, status: int) -> web.Response:
    """A page that says what went wrong; just the status for a fragment."""
    if "HX-Request" in request.headers:
        return web.Response(status=status, headers=HEADERS)
    response = await render("error.html", request, {"code": status}, status=status)
    response.headers.update(HEADERS)
    return response


def _csrf_token(request: web.Request) -> str:
    """What forms carry: derived from the session's token (the guest cookie before log-in), so it changes with it."""
    viewer = request.get(VIEWER)
    return sign(request, "csrf", viewer.token if viewer else request.get(GUEST, ""))


def sign(request: web.Request, purpose: str, value: str) -> str:
    key = request.app[SETTINGS].secret_key.get_secret_value().encode()
    return hmac.new(key, f"{purpose}:{value}".encode(errors="replace"), hashlib.sha256).hexdigest()


async def _check_origin(request: web.Request) -> None:
    given = request.headers.get("X-CSRF-Token")
    try:
        form = await request.post()
    except (UnicodeDecodeError, LookupError, ValueError):
        raise web.HTTPBadRequest from None
    if given is None:
        given = str(form.get("csrf", ""))
    if not hmac.compare_digest(given.encode(errors="replace"), request[CSRF].encode()):
        raise web.HTTPForbidden


def viewer_of(request: web.Request) -> Viewer:
    """Who looks at a page that needs a log-in."""
    return request[VIEWER]

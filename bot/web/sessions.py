"""Log-ins in the database: the cookie holds a random token, the row its SHA-256, so that each can be ended."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from functools import partial

from aiohttp import web
from aiohttp_session import AbstractStorage, Session, new_session

from bot.keys import CLOCK, DATABASE
from crm_bridge.companies import queries, rules, service
from crm_bridge.companies.queries import Viewer

VIEWER = web.RequestKey("viewer", Viewer)


class SqlStorage(AbstractStorage):
    """Sessions as `web_sessions` rows; each use prolongs them (see rules.SEEN_EVERY). It also tells who the viewer is."""

    def __init__(self, secure: bool) -> None:
        name = "__Host-mostrador" if secure else "mostrador"
        super().__init__(cookie_name=name, httponly=True, samesite="Lax", secure=secure)

    async def load_session(self, request: web.Request) -> Session:
        token = self.load_cookie(request)
        if not token:
            return Session(None, data=None, new=True)
        now = request.app[CLOCK].now()
        found = await request.app[DATABASE].read(partial(queries.viewer, token_hash=token_hash(token), now=now))
        if found is None:
            return Session(None, data=None, new=True)
        request[VIEWER] = replace(found, token=token)
        session = Session(token, data={"session": found.data}, new=False)
        if now - found.seen_at >= rules.SEEN_EVERY:
            session.changed()
        return session

    async def save_session(self, request: web.Request, response: web.StreamResponse, session: Session) -> None:
        if session.identity is None:
            self.save_cookie(response, "")
            return
        now = request.app[CLOCK].now()
        kept = partial(service.keep_session, token_hash=token_hash(session.identity), data=dict(session), now=now)
        await request.app[DATABASE].write(kept)
        self.save_cookie(response, session.identity, max_age=int(rules.SESSION_LIFE.total_seconds()))


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def open_session(request: web.Request, user_id: int, code: str | None = None) -> bool:
    """Log in somebody whose password fits, under a new token; the session they came with ends. False: see service.log_in."""
    token, now, old = secrets.token_urlsafe(32), request.app[CLOCK].now(), request.get(VIEWER)
    agent = request.headers.get("User-Agent", "").encode(errors="replace").decode()

    row = await request.app[DATABASE].write(
        lambda session: service.log_in(session, user_id, token_hash(token), agent, now, code),
    )
    if row is None:
        return False
    if old is not None:
        await request.app[DATABASE].write(lambda session: service.end_sessions(session, old.user_id, now, only=old.session_id))
    session = await new_session(request)
    session.set_new_identity(token)
    session.changed()
    return True


async def close_session(request: web.Request, viewer: Viewer) -> None:
    """Log out."""
    now = request.app[CLOCK].now()
    await request.app[DATABASE].write(
        lambda session: service.end_sessions(session, viewer.user_id, now, only=viewer.session_id), company=viewer.company_id
    )
    (await new_session(request)).changed()

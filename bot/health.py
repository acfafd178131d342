"""`/healthz`, `/readyz`, `/metrics`: for whoever watches the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from bot.metrics import WAITING_SENDS, WAITING_TURNS
from data import schema

if TYPE_CHECKING:
    from bot.app import Service

BACKLOG = 5_000
"""Waiting conversations or messages beyond which the service says that it is not ready for more."""


def routes(service: Service) -> list[web.RouteDef]:
    async def healthz(_: web.Request) -> web.Response:
        """The process lives and its loop turns."""
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        """It can do its work: the database answers, at the right revision, and the backlog is short."""
        problems = []
        try:
            await service.database.read(lambda session: session.execute(text("SELECT 1")).scalar())
            if await schema.current(service.database) != schema.wanted():
                problems.append("migrations")
        except Exception:
            problems.append("database")
        if service.turns.waiting > BACKLOG or service.sender.waiting > BACKLOG:
            problems.append("backlog")
        body = {"status": "not ready" if problems else "ok", "problems": problems}
        return web.json_response(body, status=503 if problems else 200)

    async def metrics(_: web.Request) -> web.Response:
        WAITING_TURNS.set(service.turns.waiting)
        WAITING_SENDS.set(service.sender.waiting)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]

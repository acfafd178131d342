"""`/healthz`, `/readyz`, `/metrics`: for whoever watches the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from bot.metrics import OLDEST, WAITING_SENDS, WAITING_TURNS
from data import schema

if TYPE_CHECKING:
    from bot.service import Service

BACKLOG = 5_000
"""Waiting conversations or messages beyond which the service says that it is not ready for more."""


def routes(service: Service) -> list[web.RouteDef]:
    async def healthz(_: web.Request) -> web.Response:
        """The process lives and its loop turns."""
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        """It can do its work: the database answers, at a revision that fits, and the backlog is short. Without Redis it works
        too, only a little later: `degraded`."""
        problems = []
        try:
            await service.database.read(lambda session: session.execute(text("SELECT 1")).scalar())
            if schema.behind(await schema.current(service.database)):
                problems.append("migrations")
        except Exception:
            problems.append("database")
        if max(service.turns.waiting, service.sender.waiting) > BACKLOG or service.backlog.any_late:
            problems.append("backlog")
        degraded = ["redis"] if service.settings.redis_url.get_secret_value() and not service.bus.up else []
        body = {"status": "not ready" if problems else "ok", "problems": problems, "degraded": degraded}
        return web.json_response(body, status=503 if problems else 200)

    async def metrics(_: web.Request) -> web.Response:
        WAITING_TURNS.set(service.turns.waiting)
        WAITING_SENDS.set(service.sender.waiting)
        OLDEST.set(service.backlog.age)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]

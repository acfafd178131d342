"""The board of today for managers: what came in, who answered and how fast, and what waits."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.keys import CLOCK, DATABASE
from bot.web.guard import viewer_of
from bot.web.pages import render
from crm_bridge.assignment import board, queries


async def page(request: web.Request) -> web.Response:
    return await render("board.html", request, await _figures(request))


async def now(request: web.Request) -> web.Response:
    return await render("_board.html", request, await _figures(request))


async def _figures(request: web.Request) -> dict[str, object]:
    viewer = viewer_of(request)
    day, until = queries.day_of(request.app[CLOCK].now(), ZoneInfo(viewer.timezone))
    found = await request.app[DATABASE].read(partial(board.board, day=day, until=until), company=viewer.company_id)
    return {"board": found, "day": day}

"""What changed, told to the pages that are open (server-sent events). It carries ids only: each page fetches what it shows."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bot.keys import LIVE
from bot.live import Change, Live
from bot.web.guard import HEADERS, viewer_of

STREAMS: web.AppKey[set[asyncio.Task[Any]]] = web.AppKey("streams")
_GATHER = 0.3
"""Seconds: changes that come within it are told as one, however busy the company."""
_LOOK = 3.0
"""Seconds after which a page fetches anew what it shows, while other processes cannot tell us what they change."""
_LONGEST = 300
"""Seconds: then the browser connects anew, with its session checked again."""


async def stream(request: web.Request) -> web.StreamResponse:
    """Events `conversations` and `leads` for lists, `conversation-<id>` and `lead-<id>` for one. `connected` comes first: by it
    a page that was cut off catches up."""
    if request.transport is None:  # who asked is gone already
        return web.Response()
    task = asyncio.current_task()
    assert task is not None
    streams = request.app[STREAMS]
    streams.add(task)
    try:
        async with sse_response(request, headers=HEADERS) as response:
            company = viewer_of(request).company_id
            with request.app[LIVE].listen(company) as changes, contextlib.suppress(TimeoutError, ConnectionError):
                await _tell(response, {"connected"})
                async with asyncio.timeout(_LONGEST):
                    while response.is_connected():
                        await _tell(response, await _gathered(changes, request.app[LIVE]))
        return response
    finally:
        streams.discard(task)


async def _gathered(changes: asyncio.Queue[Change], live: Live) -> set[str]:
    try:
        async with asyncio.timeout(_LOOK):
            names = _names(await changes.get())
    except TimeoutError:
        return {"connected"} if live.deaf() else set()
    await asyncio.sleep(_GATHER)
    while not changes.empty():
        names |= _names(changes.get_nowait())
    return names


def _names(change: Change) -> set[str]:
    return {f"{change.topic}s", f"{change.topic}-{change.id}"}


async def _tell(response: EventSourceResponse, names: set[str]) -> None:
    for name in sorted(names):
        await response.send("", event=name)


async def close(app: web.Application) -> None:
    """End the open streams, so that the service can stop."""
    streams = app[STREAMS]
    tasks = list(streams)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

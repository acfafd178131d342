"""Leads in the order in which they are worth calling, and one lead with all that led to it."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.keys import DATABASE
from bot.web.bubbles import by_day, items
from bot.web.guard import viewer_of
from bot.web.pages import chosen, chosen_id, clean, from_cursor, moment, render, row_id, stretch, to_cursor
from crm_bridge.companies import queries as companies
from crm_bridge.leads import queries
from crm_bridge.leads.queries import SOURCES, STAGES, LeadFilter, LeadLine
from crm_bridge.leads.rules import PRIORITIES
from crm_bridge.people import queries as people

_PAGE = 30
_MESSAGES = 150
_AD_FIELDS = (
    "headline", "body", "source_type", "source_id", "source_url", "ctwa_clid", "campaign", "utm_campaign", "utm_source", "form",
)  # fmt: skip


async def page(request: web.Request) -> web.Response:
    wanted = _filter(request)
    numbers = await request.app[DATABASE].read(companies.numbers, company=viewer_of(request).company_id)
    context = {"numbers": numbers, "wanted": wanted, "priorities": PRIORITIES, "stages": ("open", *STAGES), "sources": SOURCES}
    return await render("leads.html", request, {**context, **await _rows(request, wanted)})


async def rows(request: web.Request) -> web.Response:
    wanted = _filter(request)
    return await render("_leads.html", request, {"wanted": wanted, **await _rows(request, wanted)})


def _filter(request: web.Request) -> LeadFilter:
    return LeadFilter(
        words=clean(request.query.get("q", ""), 100),
        priority=chosen(request, "priority", PRIORITIES),
        number=chosen_id(request, "number"),
        stage=chosen(request, "stage", STAGES) or "open",
        source=chosen(request, "source", SOURCES),
    )


async def _rows(request: web.Request, wanted: LeadFilter) -> dict[str, object]:
    place = from_cursor(request.query.get("after", ""), 3)
    after = (place[0], moment(place[1]), place[2]) if place else None
    read = partial(queries.leads, wanted=wanted, limit=_PAGE + 1, after=after)
    lines = await request.app[DATABASE].read(read, company=viewer_of(request).company_id)
    narrowed = {
        "q": wanted.words,
        "priority": wanted.priority,
        "number": wanted.number,
        "stage": wanted.stage,
        "source": wanted.source,
    }
    asked = {key: value for key, value in narrowed.items() if value}
    more = urlencode({**asked, "after": to_cursor(*lines[_PAGE - 1].key)}) if len(lines) > _PAGE else ""
    here = to_cursor(*place) if place else ""
    return {"lines": lines[:_PAGE], "query": urlencode(asked), "more": more, "first": after is None, "here_after": here}


async def lead(request: web.Request) -> web.Response:
    line = await _line(request)
    referral = line.lead.referral or {}
    known = {key: str(referral[key]) for key in _AD_FIELDS if referral.get(key)}
    digits = (line.person.phone or "").lstrip("+")
    context = {"line": line, "ad": known, "digits": digits if digits.isdigit() else "", **await _timeline(request, line)}
    return await render("lead.html", request, context)


async def timeline(request: web.Request) -> web.Response:
    return await render("_thread.html", request, await _timeline(request, await _line(request)))


async def _line(request: web.Request) -> LeadLine:
    line = await request.app[DATABASE].read(partial(queries.lead, lead_id=row_id(request)), company=viewer_of(request).company_id)
    if line is None:
        raise web.HTTPNotFound
    return line


async def _timeline(request: web.Request, line: LeadLine) -> dict[str, object]:
    """Messages and events of the person over all our numbers."""
    viewer, (before, since) = viewer_of(request), stretch(request)
    card = await request.app[DATABASE].read(partial(people.card, person_id=line.person.id), company=viewer.company_id)
    assert card is not None
    talks = dict(card.talks)
    read = partial(people.said, talk_ids=list(talks), limit=_MESSAGES, before=before, since=since, person_id=line.person.id)
    said = await request.app[DATABASE].read(read, company=viewer.company_id)
    return {
        "card": card,
        "days": by_day(items(said), ZoneInfo(viewer.timezone)),
        "earlier": said.earlier,
        "since": said.earlier or 0,
        "address": f"/leads/{line.lead.id}/timeline",
        "name_of": talks if len(talks) > 1 else {},
    }

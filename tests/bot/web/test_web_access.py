"""Nobody sees what is not theirs: every route of the table, walked by strangers, other companies and the wrong roles."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from bot.keys import LIVE
from bot.live import Change
from bot.web.guard import PUBLIC, Route
from bot.web.pages import HERE
from bot.web.routes import ROUTES
from crm_bridge import events
from crm_bridge.assignment import absence, sellers
from crm_bridge.companies import rules
from data.tables import Document, Note, WebSession

ROW_OF = {
    "conversations": "talk",
    "media": "media",
    "leads": "lead",
    "numbers": "number",
    "users": "seller",
    "sellers": "seller",
    "teams": "team",
    "leaves": "leave",
    "holidays": "holiday",
    "account": "session",
    "documents": "document",
}


def address(route: Route, ids: dict[str, int]) -> str:
    path = route.path.replace(r"{note:\d+}", str(ids["note"]))
    return path.replace(r"{id:\d+}", str(ids[ROW_OF.get(route.path.split("/")[1], "talk")]))


async def ids_of(site: Any, company: str) -> dict[str, int]:
    """Its rows, with an open session of its administrator."""
    await site.browser(f"admin@{company}.co")
    session = await site.read(lambda session: session.scalar(select(WebSession.id)), company)
    return {**site.ids[company], "session": session, **await site.write(lambda each: team_of(each, site.ids[company]), company)}


def team_of(session: Any, ids: dict[str, int]) -> dict[str, int]:
    """Rows of the team's pages, with words that no other company may read."""
    team = sellers.first_team(session, ids["company"], datetime.now(UTC))
    leave = absence.add_leave(session, ids["seller"], "2090-01-01", "", "secreto de una")
    holiday = absence.add_holiday(session, "2090-01-06", "secreto de una")
    note = Note(
        company_id=ids["company"], conversation_id=ids["talk"], author_id=ids["seller"], words="secreto de una", mentions=[],
        created_at=datetime.now(UTC),
    )  # fmt: skip
    document = Document(title="secreto de una", text="secreto de una", author_id=ids["seller"], created_at=datetime.now(UTC))
    session.add_all([note, document])
    session.flush()
    return {"team": team, "leave": leave.id, "holiday": holiday.id, "note": note.id, "document": document.id}


async def test_every_route_of_the_application_is_in_the_table(site: Any) -> None:
    routes = {(route.method, route.resource.canonical) for route in site.app.router.routes() if route.resource}
    assert routes == {(route.method, re.sub(r":\\d\+", "", route.path)) for route in ROUTES}


async def test_a_stranger_reaches_nothing(site: Any) -> None:
    ids = await ids_of(site, "una")
    browser = await site.browser()
    await browser.get("/login")
    for route in ROUTES:
        if route.roles is PUBLIC:
            continue
        answer = await browser.client.request(
            route.method,
            address(route, ids),
            headers={"X-CSRF-Token": browser.token, "Accept": "text/html"},
            allow_redirects=False,
        )
        assert (answer.status, answer.headers.get("Location", "/login")[:6]) in ((303, "/login"), (401, "/login")), route


async def test_another_companys_administrator_finds_nothing(site: Any) -> None:
    ids = await ids_of(site, "una")
    browser = await site.browser("admin@otra.co")
    for route in ROUTES:
        if route.path in ("/live", "/logout"):
            continue
        answer = await browser.client.request(route.method, address(route, ids), headers={"X-CSRF-Token": browser.token})
        text = await answer.text() if answer.content_type.startswith("text/") else ""
        if "{id" in route.path:
            assert answer.status == 404, route
        assert "secreto de una" not in text, route
        assert "Ana de una" not in text, route


async def test_the_live_stream_tells_ones_own_company_only(site: Any) -> None:
    browser = await site.browser("admin@otra.co")
    async with browser.client.get("/live") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert await stream.content.readuntil(b"\r\n\r\n") == b"event: connected\r\ndata: \r\n\r\n"
        for company in ("una", "otra"):
            site.app[LIVE].publish(site.ids[company]["company"], Change("conversation", site.ids[company]["talk"]))
        told = await stream.content.readuntil(b"conversations\r\n")
        assert str(site.ids["otra"]["talk"]).encode() in told
        assert str(site.ids["una"]["talk"]).encode() not in told


@pytest.mark.parametrize("role", ["seller", "manager"])
async def test_the_wrong_role_is_refused(site: Any, role: str) -> None:
    ids = await ids_of(site, "una")
    browser = await site.browser(f"{role}@una.co")
    refused = [route for route in ROUTES if route.roles is not PUBLIC and role not in route.roles]
    assert refused
    for route in refused:
        answer = await browser.client.request(route.method, address(route, ids), headers={"X-CSRF-Token": browser.token})
        assert answer.status == 403, route


async def test_every_post_needs_the_token_of_its_session(site: Any) -> None:
    ids = await ids_of(site, "una")
    browser, other = await site.browser("admin@una.co"), await site.browser("admin@una.co")
    for route in (route for route in ROUTES if route.method == "POST" and not route.signed):
        for headers in ({}, {"X-CSRF-Token": other.token}, {"X-CSRF-Token": "ñ"}):
            answer = await browser.client.post(address(route, ids), headers=headers)
            assert answer.status == 403, route


async def test_pages_forbid_scripts_and_frames_of_others(site: Any) -> None:
    browser = await site.browser("admin@una.co")
    for path in ("/", "/leads", "/numbers", "/users", "/documents", "/account", "/nothing", "/conversations/1"):
        answer = await browser.client.get(path, headers={"Accept": "text/html"})
        policy, text = answer.headers["Content-Security-Policy"], await answer.text()
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text), path


async def test_odd_addresses_and_forms_are_refused_and_never_break(site: Any) -> None:
    browser = await site.browser("admin@una.co")
    for path in ("/conversations/99999999999999999999", "/leads/0", "/media/1", "/static/nothing.js", "/static/..%2fpages.py"):
        await browser.get(path, status=404)
    for query in (
        "after=1-2",
        "after=9999999999999999999-1",
        "after=x",
        "number=99999999999999999999",
        "q=%00%ff",
        "priority=blue",
    ):
        await browser.get(f"/?{query}")
    await browser.get("/?after=999999999999999999-1", status=400)
    answer = await browser.client.post(
        "/users",
        data=b"\xff\xfe=%ff",
        headers={"X-CSRF-Token": browser.token, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 400


def refusals(kind: type[rules.Refusal] = rules.Refusal) -> set[str]:
    """Those that are raised: the ends of the hierarchy."""
    below = kind.__subclasses__()
    return set().union(*map(refusals, below)) if below else {kind.__name__}


def test_every_refusal_and_event_has_its_words() -> None:
    words = yaml.safe_load((HERE / "texts.yaml").read_text("utf-8"))["es"]
    assert refusals() <= set(words["error"])
    assert {event.__name__ for event in events.Event.__subclasses__()} == set(words["event"])

"""What a seller is told: the alerts on every page, their answers, and by which ways they are told when no page is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

import segno
from aiohttp import web
from markupsafe import Markup
from msgspec import to_builtins
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import takeover
from bot.keys import CLOCK, DATABASE, SERVICE, SETTINGS
from bot.live import Change
from bot.web import contacts
from bot.web.guard import viewer_of
from bot.web.pages import FILTERS, STATIC, chosen, chosen_id, field, from_cursor, render, row_id, texts, word
from crm_bridge.companies import queries as companies
from crm_bridge.companies.rules import Refusal
from data.inbox import RANK
from data.tables import Alert, ContactPoint, Delivery, Number, User
from notifications import alerts
from notifications.alerts import Facts
from notifications.senders import webpush
from notifications.senders.other import SCHEMES

SHOWN = 3
"""Alerts on screen at a time; the others come up as these are answered."""
_LOOKED_AT = 50
"""Open alerts among which those with a button come first."""
_FINAL = ("sent", "delivered", "read", "played", "failed", "cancelled", "parked")
_WATCHED = timedelta(minutes=2)
"""How long a page asks what became of a test."""
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Card:
    """An alert as it is shown."""

    row: Alert
    facts: Facts


# --------------------------------------------------------------------------------------------- on every page
async def cards(request: web.Request) -> web.Response:
    """The viewer's open alerts: those that wait for an answer first, then newest first."""
    viewer = viewer_of(request)
    found = await request.app[DATABASE].read(
        lambda session: alerts.open_for(session, viewer.user_id, _LOOKED_AT), company=viewer.company_id
    )
    found.sort(key=lambda row: row.offer_id is None)
    context = {"cards": [Card(row, alerts.read_facts(row)) for row in found[:SHOWN]], "others": found[SHOWN:]}
    return await render("_alerts.html", request, context)


async def accept(request: web.Request) -> web.Response:
    """The conversation is the viewer's, and opens; or they are told who was faster."""
    return await _answer(request, "accept")


async def let_pass(request: web.Request) -> web.Response:
    return await _answer(request, "pass")


async def done(request: web.Request) -> web.Response:
    """It was read."""
    return await _answer(request, "done")


async def _answer(request: web.Request, action: str) -> web.Response:
    viewer, alert_id, now = viewer_of(request), row_id(request), request.app[CLOCK].now()

    def work(session: Session) -> tuple[Alert, list[Change]]:
        alert = session.scalar(select(Alert).where(Alert.id == alert_id, Alert.user_id == viewer.user_id))
        if alert is None or (alert.offer_id is None) != (action == "done"):
            raise LookupError(alert_id)
        return alert, takeover.answer_alert(session, alert, action, "page", now)

    try:
        alert, changed = await request.app[DATABASE].write(work, company=viewer.company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    except Refusal as refusal:
        context = {"words": outcome(type(refusal).__name__, getattr(refusal, "by", ""))}
        response = await render("_alert_said.html", request, context)
        response.headers["HX-Trigger"] = "alerts"
        return response
    request.app[SERVICE].on_changed([(viewer.company_id, each) for each in changed])
    headers = {"HX-Redirect": f"/conversations/{alert.conversation_id}"} if action == "accept" else {"HX-Trigger": "alerts"}
    return web.Response(headers=headers)


def outcome(key: str, by: str = "", name: str = "") -> str:
    """What became of an answer, in words: yours, passed, or a refusal's name. `by`: who was faster, where somebody has it."""
    told = texts()["link_by"].get(key) if by else None
    return (told or word("link", key, word("error", key))).format(by=by, name=name)


# ------------------------------------------------------------------------------------------- by which ways
async def page(
    request: web.Request, error: str = "", given: str = "", code: dict[str, object] | None = None, status: int = 200
) -> web.Response:
    """The viewer's ways and quiet hours. `given` is a service's address that was refused, `code` a new one-time code."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()

    def look(session: Session) -> tuple[User, list[ContactPoint], list[Number]]:
        user = session.scalars(select(User).where(User.id == viewer.user_id)).one()
        return user, contacts.points(session, viewer.user_id), companies.numbers(session)

    user, points, numbers = await request.app[DATABASE].read(look, company=viewer.company_id)
    if all(point.channel != "email" for point in points):  # nobody told them anything yet
        points = await request.app[DATABASE].write(
            lambda session: alerts.contact_points(session, user, now), company=viewer.company_id
        )
    context = {
        "user": user,
        "points": points,
        "numbers": [each for each in numbers if each.channel in alerts.CHAT],
        "services": SCHEMES,
        "error": error,
        "given": given,
        "code": code,
    }
    return await render("alerts.html", request, context, status=status)


async def quiet(request: web.Request) -> web.Response:
    viewer = viewer_of(request)
    start, end = [await field(request, name, 5) for name in ("from", "until")]
    try:
        await request.app[DATABASE].write(
            lambda session: contacts.set_quiet(session, viewer.user_id, start, end), company=viewer.company_id
        )
    except Refusal as refusal:
        return await page(request, type(refusal).__name__, status=422)
    raise web.HTTPSeeOther("/account/alerts?done=saved")


async def add_service(request: web.Request) -> web.Response:
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    url, label = await field(request, "url", 3000), await field(request, "label", 60)
    try:
        await asyncio.to_thread(contacts.check_service, url)
        await request.app[DATABASE].write(lambda session: contacts.add_service(session, viewer.user_id, url, label, now))
    except Refusal as refusal:
        return await page(request, type(refusal).__name__, url, status=422)
    raise web.HTTPSeeOther("/account/alerts?done=contact")


async def switch(request: web.Request) -> web.Response:
    """On or off."""
    on = await field(request, "on", 3) == "yes"
    await _change(request, lambda session, user: contacts.switch(session, user, row_id(request), on))
    raise web.HTTPSeeOther("/account/alerts?done=saved")


async def remove(request: web.Request) -> web.Response:
    await _change(request, lambda session, user: contacts.remove(session, user, row_id(request)))
    raise web.HTTPSeeOther("/account/alerts?done=contact_removed")


async def _change(request: web.Request, work: Callable[[Session, int], None]) -> None:
    """HTTPNotFound when the point is not the viewer's."""
    viewer = viewer_of(request)
    try:
        await request.app[DATABASE].write(lambda session: work(session, viewer.user_id), company=viewer.company_id)
    except LookupError:
        raise web.HTTPNotFound from None


async def new_code(request: web.Request) -> web.Response:
    """A one-time code, shown once with the ways to send it."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    wanted = await field(request, "number", 19)

    def work(session: Session) -> tuple[Number, int, str]:
        number = next((each for each in companies.numbers(session) if str(each.id) == wanted), None)
        if number is None or number.channel not in alerts.CHAT:
            raise LookupError(wanted)
        return number, *contacts.new_code(session, viewer.user_id, now)

    try:
        number, code_id, code = await request.app[DATABASE].write(work, company=viewer.company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    words = word("code", "words").format(code)
    link = _chat_link(number, words)
    picture = Markup(segno.make(link, error="m").svg_inline(scale=4, border=2, dark="#000", light="#fff")) if link else ""  # noqa: S704 -- our own drawing
    shown = {"id": code_id, "words": words, "number": number, "link": link, "picture": picture, "state": "waiting"}
    return await page(request, code=shown)


def _chat_link(number: Number, words: str) -> str:
    """Where a phone opens the chat with the words filled in; "" where that is not known."""
    if number.channel == "telegram":
        return f"https://t.me/{number.display[1:]}?text={quote(words)}" if number.display.startswith("@") else ""
    digits = "".join(filter(str.isdecimal, number.display))
    return f"https://wa.me/{digits}?text={quote(words)}"


async def code_state(request: web.Request) -> web.Response:
    """Whether a code was used; the page asks while it is shown."""
    viewer, code_id, now = viewer_of(request), row_id(request), request.app[CLOCK].now()
    try:
        state = await request.app[DATABASE].read(
            lambda session: contacts.code_state(session, viewer.user_id, code_id, now), company=viewer.company_id
        )
    except LookupError:
        raise web.HTTPNotFound from None
    return await render("_alerts_code.html", request, {"id": code_id, "state": state})


async def test(request: web.Request) -> web.Response:
    """Send one alert on one way, and show what becomes of it."""
    viewer, point_id, now = viewer_of(request), row_id(request), request.app[CLOCK].now()

    def work(session: Session) -> int:
        point = contacts.point(session, viewer.user_id, point_id)
        if not point.enabled:
            raise LookupError(point_id)
        alert = Alert(
            company_id=viewer.company_id,
            user_id=viewer.user_id,
            kind="reminder",
            facts=to_builtins(Facts(words=word("code", "test"))),
            state="open",
            created_at=now,
        )
        session.add(alert)
        session.flush()
        delivery = Delivery(
            company_id=viewer.company_id,
            alert_id=alert.id,
            contact_point_id=point.id,
            channel=point.channel,
            state="queued",
            rank=RANK["queued"],
            due_at=now,
            created_at=now,
        )
        session.add(delivery)
        session.flush()
        return delivery.id

    try:
        delivery_id = await request.app[DATABASE].write(work, company=viewer.company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    request.app[SERVICE].on_changed([(viewer.company_id, Change("alert", viewer.user_id))])
    return await _tested(request, delivery_id)


async def tested(request: web.Request) -> web.Response:
    """How far a test is."""
    return await _tested(request, row_id(request))


async def _tested(request: web.Request, delivery_id: int) -> web.Response:
    viewer = viewer_of(request)
    line = await request.app[DATABASE].read(
        lambda session: contacts.delivery(session, viewer.user_id, delivery_id), company=viewer.company_id
    )
    if line is None:
        raise web.HTTPNotFound
    long = request.app[CLOCK].now() - line.row.created_at > _WATCHED
    return await render("_alerts_test.html", request, {"line": line, "final": line.state in _FINAL or long})


# ------------------------------------------------------------------------------------------------------- push
async def worker(_request: web.Request) -> web.FileResponse:
    """The service worker. It stands at the top, as it looks after all pages below itself."""
    return web.FileResponse(STATIC["sw.js"], headers={"Cache-Control": "no-cache"})


async def manifest(request: web.Request) -> web.Response:
    """What makes the pages an application on a phone."""
    response = await render("manifest.webmanifest", request, {})
    response.content_type = "application/manifest+json"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


async def push_key(request: web.Request) -> web.Response:
    """The application server's key (RFC 8292), base64url, that browsers subscribe with."""
    return web.json_response({"key": webpush.public_key(request.app[SETTINGS].secret_key.get_secret_value())})


async def subscribe(request: web.Request) -> web.Response:
    """This browser is told by push: 204, or 422 with the words of what is wrong."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    endpoint, p256dh, auth = [await field(request, name, 3000) for name in ("endpoint", "p256dh", "auth")]
    label = FILTERS["device"](request.headers.get("User-Agent", "").encode(errors="replace").decode())
    try:
        await request.app[DATABASE].write(
            lambda session: contacts.subscribe(session, viewer.user_id, endpoint, p256dh, auth, label, now)
        )
    except Refusal as refusal:
        return web.Response(text=word("error", type(refusal).__name__), status=422)
    return web.Response(status=204)


async def unsubscribe(request: web.Request) -> web.Response:
    viewer, endpoint = viewer_of(request), await field(request, "endpoint", 3000)
    await request.app[DATABASE].write(
        lambda session: contacts.unsubscribe(session, viewer.user_id, endpoint), company=viewer.company_id
    )
    return web.Response(status=204)


# ----------------------------------------------------------------------------------------------- delivery log
async def deliveries(request: web.Request) -> web.Response:
    viewer = viewer_of(request)
    users = await request.app[DATABASE].read(companies.users, company=viewer.company_id)
    context = {"users": users, "channels": alerts.CHANNELS, "states": contacts.STATES, **await _deliveries(request)}
    return await render("deliveries.html", request, context)


async def delivery_rows(request: web.Request) -> web.Response:
    return await render("_deliveries.html", request, await _deliveries(request))


async def _deliveries(request: web.Request) -> dict[str, object]:
    wanted = contacts.DeliveryFilter(
        channel=chosen(request, "channel", alerts.CHANNELS),
        state=chosen(request, "state", contacts.STATES),
        user=chosen_id(request, "user"),
    )
    place = from_cursor(request.query.get("after", ""), 1)
    before = place[0] if place else None
    lines = await request.app[DATABASE].read(
        lambda session: contacts.deliveries(session, wanted, _PAGE + 1, before), company=viewer_of(request).company_id
    )
    asked = {"channel": wanted.channel, "state": wanted.state, "user": wanted.user}
    asked = {key: value for key, value in asked.items() if value}
    return {
        "lines": lines[:_PAGE],
        "wanted": wanted,
        "query": urlencode(asked),
        "more": urlencode({**asked, "after": lines[_PAGE - 1].row.id}) if len(lines) > _PAGE else "",
        "first": before is None,
        "here_after": before or "",
    }

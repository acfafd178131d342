"""The links of an alert: whoever has one answers it without a log-in. The link itself is the proof; opening one only shows what
it would do, as mail servers open them too."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from bot import takeover
from bot.keys import CLOCK, DATABASE, SERVICE, SETTINGS
from bot.live import Change
from bot.web.alerts import outcome
from bot.web.pages import render
from crm_bridge.assignment.rules import OfferOver, OfferPassed, Taken
from crm_bridge.companies.rules import Refusal
from data.tables import Alert, Assignment, Company, Offer, User
from notifications import alerts, links
from notifications.alerts import Facts
from notifications.links import LinkForged

STATUS = {"LinkExpired": 410, "LinkForged": 404, "Taken": 409, "OfferPassed": 409, "OfferOver": 409, "NoAccess": 403}
"""The HTTP status of what became of a link; 200 for all others."""


class NoAccess(Refusal):
    """Whose link it is works here no more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link is about. `standing`: open, or what became of it: yours, passed (by them), or a refusal's name; `by` is who has
    it."""

    alert: Alert
    action: str
    facts: Facts
    zone: ZoneInfo
    standing: str
    by: str = ""


async def page(request: web.Request) -> web.Response:
    """What the link does, and a button that does it."""
    try:
        asked = await _asked(request)
    except Refusal as refusal:
        return await _told(request, None, type(refusal).__name__)
    return await _told(request, asked, asked.standing, asked.by)


async def act(request: web.Request) -> web.Response:
    """Answer the alert as the user whom it told."""
    now = request.app[CLOCK].now()
    asked = None
    try:
        asked = await _asked(request)
        if asked.standing == NoAccess.__name__:
            raise NoAccess
        if asked.standing == "yours":
            return await _told(request, asked, "yours")
        via = "push" if "application/json" in request.headers.get("Accept", "") else "email"
        alert, action = asked.alert, asked.action

        def work(session: Session) -> list[Change]:
            return takeover.answer_alert(session, alert, action, via, now)

        changed = await request.app[DATABASE].write(work, company=alert.company_id)
    except Refusal as refusal:
        return await _told(request, asked, type(refusal).__name__, getattr(refusal, "by", ""))
    request.app[SERVICE].on_changed([(alert.company_id, each) for each in changed])
    return await _told(request, asked, "yours" if action == "accept" else "passed")


async def _asked(request: web.Request) -> Asked:
    """LinkForged, LinkExpired."""
    secret, now = request.app[SETTINGS].secret_key.get_secret_value(), request.app[CLOCK].now()
    link = links.read(secret, request.match_info["token"], now)
    asked = await request.app[DATABASE].read(lambda session: look(session, link.alert_id, link.action))
    if asked is None:
        raise LinkForged
    return asked


def look(session: Session, alert_id: int, action: str) -> Asked | None:
    """How things stand with an alert's offer; None when there is no such offer. In a session of no company: the link tells it."""
    owner = aliased(User)
    found = session.execute(
        select(Alert, Company.timezone, User.active, Offer.state, Assignment.state, Assignment.user_id, owner.name)
        .join(User, User.id == Alert.user_id)
        .join(Company, Company.id == Alert.company_id)
        .join(Offer, Offer.id == Alert.offer_id)
        .join(Assignment, Assignment.id == Offer.assignment_id)
        .outerjoin(owner, owner.id == Assignment.user_id)
        .where(Alert.id == alert_id)
    ).one_or_none()
    if found is None:
        return None
    alert, zone, active, offer, state, user_id, name = found
    standing = _standing(alert.user_id, active, action, offer, state, user_id)
    return Asked(alert, action, alerts.read_facts(alert), ZoneInfo(zone), standing, name or "")


def _standing(mine: int, active: bool, action: str, offer: str, state: str, user_id: int | None) -> str:
    """As crm_bridge/assignment/service.py, `answer`, decides when the button is pressed."""
    if not active:
        return NoAccess.__name__
    if state == "closed":
        return OfferOver.__name__
    if state == "accepted":
        return "yours" if user_id == mine else Taken.__name__
    if offer == "declined" and action == "pass":
        return "passed"
    return OfferPassed.__name__ if state == "offered" and user_id != mine else "open"


async def _told(request: web.Request, asked: Asked | None, standing: str, by: str = "") -> web.Response:
    """The page; for the service worker, {"done", "title", "words", "url"}."""
    status = STATUS.get(standing, 200)
    facts = asked.facts if asked else Facts()
    words = outcome(standing, by, facts.name)
    url = f"/conversations/{asked.alert.conversation_id}" if asked and standing == "yours" else ""
    if "application/json" in request.headers.get("Accept", ""):
        body = {"done": standing in ("yours", "passed"), "title": facts.name, "words": words, "url": url}
        return web.json_response(body, status=status)
    context: dict[str, object] = {"asked": asked, "facts": facts, "standing": standing, "words": words, "url": url}
    if asked is not None:
        context["zone"] = asked.zone
    return await render("link.html", request, context, status=status)

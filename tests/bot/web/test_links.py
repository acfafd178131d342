"""The links of an alert: they act once, for whom they were made, without a log-in, and never by being opened."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot import takeover
from bot.keys import CLOCK, SETTINGS
from crm_bridge.assignment import service as assignment
from data.tables import Alert, Assignment, Conversation, Offer, User
from notifications import alerts, links
from tests.bot.web.offers import offer, rows
from tests.crm_bridge.assignment.conftest import decide


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(getattr(request, "param", "sqlite_url"))
    return url


JSON = {"Accept": "application/json"}


def link(site: Any, alert: int, action: str = "accept", hours: float = 1) -> str:
    until = site.app[CLOCK].now() + timedelta(hours=hours)
    secret = site.app[SETTINGS].secret_key.get_secret_value()
    return "/a/" + links.sign(secret, alert_id=alert, action=action, expires=until)


async def test_opening_a_link_shows_and_changes_nothing(site: Any) -> None:
    alert, _ = await offer(site)
    stranger = await site.browser()
    for method in ("GET", "HEAD"):  # mail servers ask both ways
        answer = await stranger.client.request(method, link(site, alert))
        assert answer.status == (200 if method == "GET" else 405)
    page = await stranger.get(link(site, alert))
    for shown in ("Ana de una", "lo necesita hoy", "un portátil", "Acepto: yo le respondo", "Puedes responder hasta las"):
        assert shown in page
    assert "+57" not in page
    assert "Paso: que le responda otra persona" in await stranger.get(link(site, alert, "pass"))
    assert [row.state for row in await rows(site, Offer)] == ["offered"]
    assert [row.state for row in await rows(site, Alert)] == ["open"]


async def test_a_link_accepts_once_as_its_user_and_the_conversation_still_needs_a_log_in(site: Any) -> None:
    ids = site.ids["una"]
    alert, _ = await offer(site)
    stranger = await site.browser("manager@otra.co")  # whoever is logged in there: the link says whose it is
    address = link(site, alert)
    answer = await stranger.client.post(address)
    page = await answer.text()
    assert answer.status == 200
    assert "Ana de una es tuyo" in page
    assert f'href="/conversations/{ids["talk"]}"' in page
    talk = (await rows(site, Conversation))[0]
    assert (talk.owner, talk.owner_id) == ("human", ids["seller"])
    assert [(row.state, row.via) for row in await rows(site, Offer)] == [("accepted", "email")]
    assert [(row.state, row.via) for row in await rows(site, Alert)] == [("acknowledged", "email")]
    again = await stranger.client.post(address)
    assert (again.status, "es tuyo" in await again.text()) == (200, True)
    opened = await stranger.get(address)
    assert "es tuyo" in opened
    assert "<form" not in opened
    await stranger.get(f"/conversations/{ids['talk']}", status=404)
    late = await stranger.client.post(link(site, alert, "pass"))
    assert (late.status, "es tuyo" in await late.text()) == (200, True)
    assert (await rows(site, Conversation))[0].owner_id == ids["seller"]


async def test_a_link_passes(site: Any) -> None:
    alert, _ = await offer(site)
    stranger = await site.browser()
    for _ in range(2):
        answer = await stranger.client.post(link(site, alert, "pass"))
        assert (answer.status, "Lo pasaste" in await answer.text()) == (200, True)
    assert [row.state for row in await rows(site, Assignment)] == ["waiting"]
    assert "Lo pasaste" in await stranger.get(link(site, alert, "pass"))


async def test_the_service_worker_is_answered_in_json(site: Any) -> None:
    ids = site.ids["una"]
    alert, _ = await offer(site)
    stranger = await site.browser()
    answer = await stranger.client.post(link(site, alert), headers=JSON)
    assert await answer.json() == {
        "done": True,
        "title": "Ana de una",
        "words": "Ana de una es tuyo: ya puedes responderle.",
        "url": f"/conversations/{ids['talk']}",
    }
    assert [row.via for row in await rows(site, Offer)] == ["push"]
    answer = await stranger.client.post("/a/x", headers=JSON)
    assert (answer.status, json.loads(await answer.text())["done"]) == (404, False)


async def test_an_old_a_changed_and_a_foreign_link_do_nothing(site: Any) -> None:
    alert, _ = await offer(site)
    stranger = await site.browser()
    good = link(site, alert)
    secret = "x" * 40
    until = site.app[CLOCK].now() + timedelta(hours=1)
    forged = "/a/" + links.sign(secret, alert_id=alert, action="accept", expires=until)
    other = good[:-1] + ("A" if good[-1] != "A" else "B")
    for address, status, words in (
        (link(site, alert, hours=-1), 410, "Este enlace venció"),
        (forged, 404, "no es válido"),
        (other, 404, "no es válido"),
        ("/a/" + "A" * 3000, 404, "no es válido"),
        ("/a/%00%ff", 404, "no es válido"),
        (link(site, alert + 1), 404, "no es válido"),
    ):
        assert words in await stranger.get(address, status=status), address
        answer = await stranger.client.post(address)
        assert (answer.status, words in await answer.text()) == (status, True), address
    assert [row.state for row in await rows(site, Offer)] == ["offered"]


@pytest.mark.parametrize("address", ["sqlite_url", "postgres_url"], indirect=True)
async def test_a_link_says_what_became_of_its_offer(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()
    alert, _ = await offer(site)
    stranger = await site.browser()
    address = link(site, alert)

    async def told(status: int, words: str) -> None:
        assert words in await stranger.get(address, status=status)
        answer = await stranger.client.post(address)
        assert (answer.status, words in await answer.text()) == (status, True)

    later = now + timedelta(minutes=10)
    waiting = (await rows(site, Assignment))[0].id
    assert (await site.write(lambda session: decide(session, waiting, later))) is not None
    assert "Acepto: yo le respondo" in await stranger.get(address)  # late, but nobody else was asked yet
    await site.write(lambda session: assignment.transfer(session, ids["talk"], ids["manager"], ids["seller"], later))
    await told(409, "Ya no está a tu nombre: ahora lo tiene manager una.")
    await site.write(lambda session: takeover.take(session, ids["talk"], ids["manager"], later))
    await told(409, "manager una ya está respondiendo")
    await site.write(lambda session: takeover.give_back(session, ids["talk"], ids["manager"], later))
    await told(409, "Ya no hace falta")
    await site.write(lambda session: setattr(session.get(User, ids["seller"]), "active", False))
    await told(403, "Tu cuenta ya no tiene acceso")


async def test_an_alert_without_an_offer_has_no_link(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()
    note = await site.write(
        lambda session: (
            alerts.raise_alert(
                session, kind="mention", user_id=ids["seller"], company_id=ids["company"], facts=alerts.Facts(), now=now
            ).id
        )
    )
    await (await site.browser()).get(link(site, note), status=404)
    assert await site.read(lambda session: session.scalar(select(Alert.state))) == "open"

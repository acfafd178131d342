"""What a seller is told on the pages and by which ways: alerts and their answers, contact points, codes, the delivery log."""

from __future__ import annotations

import hashlib
import html
import json
import re
import struct
import zlib
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any, cast

import pytest
from aiohttp.test_utils import make_mocked_request
from sqlalchemy import select

from bot import takeover
from bot.keys import CLOCK, LIVE, SETTINGS
from bot.web import contacts, live
from bot.web.pages import HERE, texts
from data.inbox import RANK
from data.tables import (
    Alert,
    Assignment,
    ContactPoint,
    Conversation,
    Delivery,
    LinkCode,
    Offer,
    OutboxMessage,
    Person,
    User,
)
from notifications import alerts
from notifications.senders import webpush
from tests.bot.web.offers import offer, rows


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(getattr(request, "param", "sqlite_url"))
    return url


on_both = pytest.mark.parametrize("address", ["sqlite_url", "postgres_url"], indirect=True)


def key(size: int) -> str:
    return urlsafe_b64encode(b"\x04" + bytes(size - 1)).rstrip(b"=").decode()


BROWSER = {"endpoint": "https://fcm.googleapis.com/fcm/send/abc", "p256dh": key(65), "auth": key(16)}


# ------------------------------------------------------------------------------------------------ on every page
async def test_an_alert_tells_who_why_and_until_when(site: Any) -> None:
    alert, _ = await offer(site)
    browser = await site.browser("seller@una.co")
    page = await browser.get("/alerts")
    for shown in (
        "Un prospecto para ti",
        "Ana de una",
        "Caliente",
        "70",
        "lo necesita hoy",
        "un portátil",
        "Tienda una",
        "data-until",
    ):
        assert shown in page
    assert f"/alerts/{alert}/accept" in page
    assert "Un prospecto" not in await (await site.browser("manager@una.co")).get("/alerts")
    for path in ("/", "/leads", "/account", f"/conversations/{site.ids['una']['talk']}", f"/leads/{site.ids['una']['lead']}"):
        shell = await browser.get(path)
        assert shell.count("sse-connect") == 1, path
        assert f"sse:alert-{site.ids['una']['seller']}" in shell, path


@on_both
async def test_accepting_takes_the_conversation_and_silences_the_rest(site: Any) -> None:
    ids = site.ids["una"]
    alert, _ = await offer(site)
    assert [row.state for row in await rows(site, Delivery)] == ["queued"]
    browser = await site.browser("seller@una.co")
    await browser.get("/")
    with site.app[LIVE].listen(ids["company"]) as changes:
        answer = await browser.post(f"/alerts/{alert}/accept")
        told = {changes.get_nowait() for _ in range(changes.qsize())}
    assert answer.headers["HX-Redirect"] == f"/conversations/{ids['talk']}"
    assert {(change.topic, change.id) for change in told} >= {("alert", ids["seller"]), ("conversation", ids["talk"])}
    talk = (await rows(site, Conversation))[0]
    assert (talk.owner, talk.owner_id) == ("human", ids["seller"])
    assert [(row.state, row.via) for row in await rows(site, Offer)] == [("accepted", "page")]
    assert [(row.state, row.via) for row in await rows(site, Alert)] == [("acknowledged", "page")]
    assert [row.state for row in await rows(site, Delivery)] == ["cancelled"]
    assert "Un prospecto" not in await browser.get("/alerts")
    again = await browser.post(f"/alerts/{alert}/accept")  # pressed twice
    assert again.headers["HX-Redirect"] == f"/conversations/{ids['talk']}"


async def test_who_was_too_late_is_told_who_was_faster(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()
    alert, _ = await offer(site)
    await site.write(lambda session: takeover.take(session, ids["talk"], ids["manager"], now))
    browser = await site.browser("seller@una.co")
    await browser.get("/")
    for action in ("accept", "pass"):
        answer = await browser.post(f"/alerts/{alert}/{action}")
        assert "HX-Redirect" not in answer.headers
        assert answer.headers["HX-Trigger"] == "alerts"
        assert "manager una ya está respondiendo esta conversación." in await answer.text()
    assert (await rows(site, Conversation))[0].owner_id == ids["manager"]


@on_both
async def test_passing_gives_the_turn_back_and_the_lead_goes_on(site: Any) -> None:
    alert, _ = await offer(site)
    browser = await site.browser("seller@una.co")
    await browser.get("/")
    for _ in range(2):
        answer = await browser.post(f"/alerts/{alert}/pass")
        assert answer.status == 200
    assert [row.state for row in await rows(site, Offer)] == ["declined"]
    assert [(row.state, row.user_id) for row in await rows(site, Assignment)] == [("waiting", None)]
    assert [row.state for row in await rows(site, Alert)] == ["acknowledged"]


async def test_an_alert_is_answered_by_whom_it_told_and_in_its_own_way(site: Any) -> None:
    alert, _ = await offer(site)
    manager = await site.browser("manager@una.co")
    await manager.get("/")
    for action in ("accept", "pass", "done"):
        assert (await manager.post(f"/alerts/{alert}/{action}")).status == 404
    now, ids = site.app[CLOCK].now(), site.ids["una"]
    note = await site.write(
        lambda session: alerts.raise_alert(
            session, kind="mention", user_id=ids["manager"], company_id=ids["company"], now=now, conversation_id=ids["talk"],
            facts=alerts.Facts(by="Valeria", words="<b>mira</b> esto"),
        ).id
    )  # fmt: skip
    page = await manager.get("/alerts")
    assert "Te mencionaron" in page
    assert "&lt;b&gt;mira" in page
    assert (await manager.post(f"/alerts/{note}/accept")).status == 404
    assert (await manager.post(f"/alerts/{note}/done")).headers["HX-Trigger"] == "alerts"
    assert "Te mencionaron" not in await manager.get("/alerts")


async def test_many_alerts_show_a_few_and_say_that_there_are_more(site: Any) -> None:
    now, ids = site.app[CLOCK].now(), site.ids["una"]

    def work(session: Any) -> None:
        for index in range(7):
            facts = alerts.Facts(words=f"llamar a {index}")
            alerts.raise_alert(session, kind="reminder", user_id=ids["seller"], company_id=ids["company"], now=now, facts=facts)

    await site.write(work)
    browser = await site.browser("seller@una.co")
    page = await browser.get("/alerts")
    assert page.count("<article") == 3
    assert "Hay 4 avisos más" in page
    tags = " ".join(re.findall(r'data-tags="([^"]+)"', page)).split()
    assert len(set(tags)) == 7, "their notifications stay, as those of the ones shown do"
    assert "llamar a 6" in page
    await offer(site)
    assert re.findall(r'alert-title-\d+">([^<]+)', await browser.get("/alerts"))[0] == "Un prospecto para ti"


def test_every_kind_has_its_words() -> None:
    assert set(alerts.ALERTS) <= set(texts()["alert"])
    assert set(alerts.CHANNELS) == set(texts()["way"])


# ------------------------------------------------------------------------------------------------ by which ways
async def test_ones_own_mail_is_there_and_can_be_switched_off_but_not_removed(site: Any) -> None:
    browser = await site.browser("seller@una.co")
    page = await browser.get("/account/alerts")
    assert "seller@una.co" in page
    (point,) = await rows(site, ContactPoint)
    await browser.post(f"/account/alerts/{point.id}", {"on": "no"})
    assert "Apagado" in await browser.get("/account/alerts")
    assert not (await rows(site, ContactPoint))[0].enabled
    await offer(site)
    assert await rows(site, Delivery) == []
    assert (await browser.post(f"/account/alerts/{point.id}/test")).status == 404
    assert (await browser.post(f"/account/alerts/{point.id}/remove")).status == 404
    await browser.post(f"/account/alerts/{point.id}", {"on": "yes"})
    other = await site.browser("manager@una.co")
    await other.get("/")
    for path in ("", "/remove", "/test"):
        assert (await other.post(f"/account/alerts/{point.id}{path}", {"on": "no"})).status == 404
    assert (await rows(site, ContactPoint))[0].enabled


@on_both
async def test_a_browser_subscribes_again_and_is_passed_on_to_who_logs_in(site: Any) -> None:
    browser = await site.browser("seller@una.co")
    await browser.get("/")
    key_of = json.loads(await browser.get("/push/key"))["key"]
    assert key_of == webpush.public_key(site.app[SETTINGS].secret_key.get_secret_value())
    for _ in range(2):
        assert (await browser.post("/push/subscribe", BROWSER)).status == 204
    (point,) = await rows(site, ContactPoint)
    assert (point.channel, point.user_id, point.keys["auth"]) == ("push", site.ids["una"]["seller"], BROWSER["auth"])
    await offer(site)
    stranger = await site.browser("admin@otra.co")
    await stranger.get("/")
    assert (await stranger.post("/push/unsubscribe", {"endpoint": BROWSER["endpoint"]})).status == 204
    assert (await rows(site, ContactPoint))[0].enabled
    assert (await stranger.post("/push/subscribe", BROWSER)).status == 204
    old = next(row for row in await rows(site, ContactPoint) if row.channel == "push")
    assert (old.enabled, old.problem, old.keys) == (False, "moved", {})
    assert [row.state for row in await rows(site, Delivery) if row.contact_point_id == old.id] == ["cancelled"]
    assert [row.address for row in await rows(site, ContactPoint, "otra")] == [BROWSER["endpoint"]]
    assert "Otra persona inició sesión" in await browser.get("/account/alerts")
    assert (await browser.post(f"/account/alerts/{old.id}", {"on": "yes"})).status == 404
    assert (await stranger.post("/push/unsubscribe", {"endpoint": BROWSER["endpoint"]})).status == 204
    (gone,) = await rows(site, ContactPoint, "otra")
    assert (gone.enabled, gone.problem) == (False, "removed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "http://fcm.googleapis.com/x"},
        {"endpoint": "https://127.0.0.1/x"},
        {"endpoint": "https://[::1]/x"},
        {"endpoint": "https://[bad/x"},
        {"endpoint": "https://push.internal/x"},
        {"endpoint": "https://localhost/x"},
        {"endpoint": "https://a:b@fcm.googleapis.com/x"},
        {"endpoint": "https://fcm.googleapis.com/" + "x" * 2048},
        {"endpoint": "https://fcm.googleapis.com/ñ"},
        {"endpoint": ""},
        {"p256dh": key(64)},
        {"p256dh": "*" * 87},
        {"auth": ""},
    ],
)
def test_what_is_no_subscription_is_refused(wrong: dict[str, str]) -> None:
    contacts.check_subscription(**BROWSER)
    with pytest.raises(contacts.NotAnEndpoint):
        contacts.check_subscription(**(BROWSER | wrong))


async def test_a_refused_subscription_says_why(site: Any) -> None:
    browser = await site.browser("seller@una.co")
    await browser.get("/")
    answer = await browser.post("/push/subscribe", BROWSER | {"auth": "x"})
    assert (answer.status, await answer.text()) == (422, texts()["error"]["NotAnEndpoint"])
    assert await rows(site, ContactPoint) == []


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # of Apprise
async def test_another_service_is_added_once_and_removed(site: Any) -> None:
    browser = await site.browser("seller@una.co")
    await browser.get("/account/alerts")
    for url in ("file:///etc/passwd", "ntfy", "exec://x", "ntfy://", "javascript:alert(1)", "ntfy://a\u202eb"):
        answer = await browser.post("/account/alerts/other", {"url": url})
        assert answer.status == 422, url
        assert texts()["error"]["NotAnAddress"] in html.unescape(await answer.text())
    assert (await browser.post("/account/alerts/other", {"url": "ntfy://tema-7", "label": "De la bodega"})).status == 200
    assert (await browser.post("/account/alerts/other", {"url": "ntfy://tema-7"})).status == 422
    page = await browser.get("/account/alerts")
    assert "De la bodega" in page
    assert "tema-7" not in page  # whoever looks over a shoulder could write to it
    point = next(row for row in await rows(site, ContactPoint) if row.channel == "other")
    await offer(site)
    await browser.post(f"/account/alerts/{point.id}/remove")
    assert "De la bodega" not in await browser.get("/account/alerts")
    assert {row.channel: row.state for row in await rows(site, Delivery)} == {"email": "queued", "other": "cancelled"}
    assert (await browser.post("/account/alerts/other", {"url": "ntfy://tema-7"})).status == 200  # free again


async def test_quiet_hours(site: Any) -> None:
    browser = await site.browser("seller@una.co")
    await browser.get("/account/alerts")

    async def hours() -> tuple[str | None, str | None]:
        user = await site.read(lambda session: session.scalar(select(User).where(User.role == "seller")))
        return user.quiet_from, user.quiet_until

    for start, end in (("22:00", ""), ("22:00", "22:00"), ("24:00", "07:00"), ("9", "10"), ("٢٢:٠٠", "07:00")):
        assert (await browser.post("/account/alerts/quiet", {"from": start, "until": end})).status == 422, start
    await browser.post("/account/alerts/quiet", {"from": "22:00", "until": "07:00"})
    assert await hours() == ("22:00", "07:00")
    assert 'value="22:00"' in await browser.get("/account/alerts")
    await browser.post("/account/alerts/quiet", {"from": "", "until": ""})
    assert await hours() == (None, None)


async def test_a_code_is_shown_once_kept_as_a_hash_and_ends(site: Any) -> None:
    ids = site.ids["una"]
    browser = await site.browser("seller@una.co")
    await browser.get("/account/alerts")
    first = await (await browser.post("/account/alerts/code", {"number": ids["number"]})).text()
    page = await (await browser.post("/account/alerts/code", {"number": ids["number"]})).text()
    code = re.search(r"VINCULAR ([A-Z2-9]{8})</code>", page)[1]  # type: ignore[index]
    assert f"https://wa.me/573015550101?text=VINCULAR%20{code}" in page
    assert "<svg" in page
    old, row = sorted(await rows(site, LinkCode), key=lambda each: each.expires_at)
    assert row.code_hash == hashlib.sha256(code.encode()).hexdigest()
    now = site.app[CLOCK].now()
    assert old.expires_at <= now
    assert timedelta(minutes=14) < row.expires_at - now <= timedelta(minutes=15)
    assert code not in first
    assert "Esperando tu mensaje" in await browser.get(f"/account/alerts/code/{row.id}")
    assert "venció" in await browser.get(f"/account/alerts/code/{old.id}")
    await (await site.browser("manager@una.co")).get(f"/account/alerts/code/{row.id}", status=404)
    await site.write(lambda session: setattr(session.get(LinkCode, row.id), "used_at", now))
    assert "Vinculado" in await browser.get(f"/account/alerts/code/{row.id}")
    for wrong in (site.ids["otra"]["number"], "x", "", "9" * 19):
        assert (await browser.post("/account/alerts/code", {"number": wrong})).status == 404


@on_both
async def test_a_phone_that_is_taken_away_is_a_prospect_again(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()

    def bind(session: Any) -> int:
        session.get(Person, ids["person"]).user_id = ids["seller"]
        point = ContactPoint(
            user_id=ids["seller"], channel="whatsapp", address="573001112233", keys={}, conversation_id=ids["talk"],
            created_at=now,
        )  # fmt: skip
        session.add(point)
        session.flush()
        return point.id

    point = await site.write(bind)
    browser = await site.browser("seller@una.co")
    assert "+57 300 1112233" in await browser.get("/account/alerts")
    assert (await browser.post(f"/account/alerts/{point}/remove")).status == 200
    assert (await rows(site, Person))[0].user_id is None
    assert "+57 300 1112233" not in await browser.get("/account/alerts")


async def test_a_test_shows_what_became_of_it(site: Any) -> None:
    browser = await site.browser("seller@una.co")
    await browser.get("/account/alerts")
    (point,) = await rows(site, ContactPoint)
    answer = await (await browser.post(f"/account/alerts/{point.id}/test")).text()
    (delivery,) = await rows(site, Delivery)
    assert "En cola" in answer
    assert f"/account/alerts/test/{delivery.id}" in answer
    await site.write(lambda session: _sent(session.get(Delivery, delivery.id), "failed", "550 no such mailbox"))
    answer = await browser.get(f"/account/alerts/test/{delivery.id}")
    assert "550 no such mailbox" in answer
    assert "hx-get" not in answer
    await (await site.browser("manager@una.co")).get(f"/account/alerts/test/{delivery.id}", status=404)


def _sent(row: Delivery, state: str, error: str | None = None) -> None:
    row.state, row.rank, row.error, row.tries = state, RANK[state], error, row.tries + 1


# ------------------------------------------------------------------------------------------------- delivery log
@on_both
async def test_the_log_shows_filters_and_pages(site: Any) -> None:
    ids, now = site.ids["una"], site.app[CLOCK].now()
    sent = (await rows(site, OutboxMessage))[0].id

    def work(session: Any) -> None:
        points = {}
        for channel in ("email", "whatsapp"):
            points[channel] = ContactPoint(
                user_id=ids["seller"], channel=channel, address=channel, keys={}, label=f"de {channel}", created_at=now
            )
        session.add_all(points.values())
        session.flush()
        for index in range(60):
            alert = Alert(
                user_id=ids["seller"], kind="lead_offered", facts={"name": f"Prospecto {index}"} if index else {}, created_at=now
            )
            session.add(alert)
            session.flush()
            for channel, point in points.items():
                if channel == "email" or index == 59:
                    session.add(
                        Delivery(
                            alert_id=alert.id, contact_point_id=point.id, channel=channel, state="sent", rank=RANK["sent"],
                            due_at=now, created_at=now, sent_at=now, outbox_id=sent if channel == "whatsapp" else None,
                        )
                    )  # fmt: skip

    await site.write(work)
    browser = await site.browser("manager@una.co")
    path, seen = "/deliveries", []
    while path:
        page = await browser.get(path)
        seen.append(len(re.findall(r"<tr><td>", page)))
        following = re.search(r'href="(/deliveries\?[^"]*after=[^"]+)">Más antiguos', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [50, 11]
    chat = await browser.get("/deliveries/rows?channel=whatsapp")
    assert chat.count("<tr><td>") == 1
    assert "No se entregó" in chat  # the message's state, not "sent"
    assert (await browser.get("/deliveries/rows?state=failed")).count("<tr><td>") == 1
    assert (await browser.get("/deliveries/rows?state=sent")).count("<tr><td>") == 50
    assert (await browser.get(f"/deliveries/rows?user={ids['seller']}&channel=whatsapp")).count("<tr><td>") == 1
    assert "Nada con esos filtros" in await browser.get(f"/deliveries/rows?user={ids['manager']}")
    assert "Prospecto 5" not in await (await site.browser("manager@otra.co")).get("/deliveries?after=1&channel=x&user=-1")
    await (await site.browser("seller@una.co")).get("/deliveries", status=403)


# ------------------------------------------------------------------------------------------------ installable
async def test_the_pages_are_installable(site: Any) -> None:
    browser = await site.browser()
    answer = await browser.client.get("/manifest.webmanifest")
    assert answer.content_type == "application/manifest+json"
    manifest = json.loads(await answer.text())
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        image = await (await browser.client.get(icon["src"])).read()
        width, height = struct.unpack(">II", image[16:24])
        assert (f"{width}x{height}", image[:4]) == (icon["sizes"], b"\x89PNG")
        assert zlib.crc32(image[12:29]) == struct.unpack(">I", image[29:33])[0]
    worker = await browser.client.get("/sw.js")
    assert "javascript" in worker.headers["Content-Type"]
    assert worker.headers["Cache-Control"] == "no-cache"
    assert "worker-src 'self'; manifest-src 'self'" in worker.headers["Content-Security-Policy"]
    assert (HERE / "static" / "push.js").exists()


async def test_a_stream_for_a_page_that_is_gone_already_is_not_begun(site: Any) -> None:
    request = make_mocked_request("GET", "/live", app=site.app)
    cast(Any, request)._protocol.transport = None
    assert (await live.stream(request)).prepared is False

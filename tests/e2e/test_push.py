"""Push to a phone or desk, in a real browser: the switch on its page, what is shown, and what a tap on it does. Only the push
service between us and the browser is a stand-in: chromium's own is on the internet."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import expect
from sqlalchemy import update

from bot.keys import CLOCK, DATABASE, SETTINGS
from data.tables import Alert, ContactPoint, Conversation
from notifications import links
from tests.e2e.test_alerts import TECNO, WANTS_A_PERSON, mail_of, offered, rows
from tests.notifications.push_service import running as push_service

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDPOINT = "https://push.example/1"
STAND_IN = """([endpoint, keys]) => {
  const made = { endpoint, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => localStorage.removeItem("made") };
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || applicationServerKey.length !== 65) throw new Error("not a key");
    localStorage.setItem("made", "yes");
    return made;
  };
  PushManager.prototype.getSubscription = async () => (localStorage.getItem("made") ? made : null);
}"""
REGISTERED = "navigator.serviceWorker.getRegistration().then(found => !!found)"
OPENS = """async ([tag, action]) => {
  WindowClient.prototype.focus = async function () { return this; }; // a browser lets only a real tap do this
  const shown = (await registration.getNotifications()).find(each => each.tag === tag);
  let done;
  clicked({ notification: shown, action, waitUntil: work => { done = work; } });
  await done;
}"""


async def switch_page(demo: Any, open_page: Any, *, allowed: bool, keys: dict[str, str] | None = None) -> Any:
    page = await open_page(demo.url)
    if allowed:
        await page.context.grant_permissions(["notifications"], origin=demo.url)
    if keys is not None:
        await page.add_init_script(f"({STAND_IN})({json.dumps([ENDPOINT, keys])})")
    await demo.log_in(page, "valeria")
    await page.goto(f"{demo.url}/account/alerts")
    return page


async def pushed(demo: Any, page: Any, payload: dict[str, Any]) -> Any:
    """What the push service would deliver, handed to the service worker by the browser itself; the worker, once it is shown."""
    devtools = await page.context.new_cdp_session(page)
    registration: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def registered(event: Any) -> None:
        if event["registrations"] and not registration.done():
            registration.set_result(event["registrations"][0]["registrationId"])

    devtools.on("ServiceWorker.workerRegistrationUpdated", registered)
    await devtools.send("ServiceWorker.enable")
    await devtools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": demo.url, "registrationId": await asyncio.wait_for(registration, 5), "data": json.dumps(payload)},
    )
    await page.wait_for_function(
        "tag => navigator.serviceWorker.ready.then(found => found.getNotifications({ tag })).then(shown => shown.length > 0)",
        arg=payload["tag"],
    )
    (worker,) = page.context.service_workers
    return worker


async def alerted(demo: Any) -> tuple[Alert, dict[str, Any]]:
    """An offer, and what is pushed of it."""
    await demo.writes("Paula Henao", "+57 301 888 4420", TECNO, WANTS_A_PERSON)
    alert = await offered(demo)
    secret, until = demo.app[SETTINGS].secret_key.get_secret_value(), demo.app[CLOCK].now() + timedelta(hours=1)
    signed = {action: links.sign(secret, alert_id=alert.id, action=action, expires=until) for action in ("accept", "pass")}
    actions = [
        {"action": action, "title": title, "url": f"{demo.url}/a/{signed[action]}"}
        for action, title in (("accept", "Acepto"), ("pass", "Paso"))
    ]
    words = {"title": "Paula Henao", "body": "pide hablar con una persona", "tag": f"alert-{alert.id}"}
    return alert, words | {"url": f"{demo.url}/conversations/{alert.conversation_id}", "actions": actions}


async def test_this_device_is_switched_on_tried_and_switched_off(demo: Any, open_page: Any) -> None:
    async with push_service() as service:
        page = await switch_page(demo, open_page, allowed=True, keys=service.keys)
        box = page.locator("#push")
        await expect(box.get_by_text("todavía no recibe avisos")).to_be_visible()
        assert not await page.evaluate(REGISTERED)
        await box.get_by_role("button", name="Recibir avisos aquí").click()
        await expect(box.get_by_text("Este dispositivo recibe avisos.")).to_be_visible()
        assert await page.evaluate(REGISTERED)
        (point,) = [row for row in await rows(demo, ContactPoint) if row.channel == "push"]
        assert (point.address, point.keys, point.enabled) == (ENDPOINT, service.keys, True)

        moved = update(ContactPoint).where(ContactPoint.id == point.id).values(address=service.url)
        await demo.app[DATABASE].write(lambda session: session.execute(moved))
        await page.locator(".ways li").last.get_by_role("button", name="Enviar una prueba").click()
        async with asyncio.timeout(10):
            while not service.got:
                await asyncio.sleep(0.02)
        await demo.app[DATABASE].write(
            lambda session: session.execute(update(ContactPoint).where(ContactPoint.id == point.id).values(address=ENDPOINT))
        )
        await box.get_by_role("button", name="Dejar de recibirlos aquí").click()
        await expect(box.get_by_text("todavía no recibe avisos")).to_be_visible()
        (gone,) = [row for row in await rows(demo, ContactPoint) if row.channel == "push"]
        assert (gone.enabled, gone.keys) == (False, {})


async def test_a_browser_that_reaches_no_push_service_says_so(demo: Any, open_page: Any, watch: Any) -> None:
    page = await switch_page(demo, open_page, allowed=True)
    with watch.allowing(""):  # whatever chromium itself says of it
        await page.locator("#push").get_by_role("button", name="Recibir avisos aquí").click()
        await expect(page.locator("#push [role=alert]")).to_contain_text("no pudo activar los avisos")
    assert await page.evaluate(REGISTERED)
    await expect(page.locator("#push").get_by_role("button", name="Recibir avisos aquí")).to_be_enabled()
    assert [row for row in await rows(demo, ContactPoint) if row.channel == "push"] == []


async def test_who_refused_is_told_how_to_allow_it(demo: Any, open_page: Any) -> None:
    page = await switch_page(demo, open_page, allowed=False)
    devtools = await page.context.new_cdp_session(page)
    about = await devtools.send("Target.getTargetInfo")
    refusal = {"permission": {"name": "notifications"}, "setting": "denied", "origin": demo.url}
    await devtools.send("Browser.setPermission", refusal | {"browserContextId": about["targetInfo"]["browserContextId"]})
    await page.locator("#push").get_by_role("button", name="Recibir avisos aquí").click()
    await expect(page.locator("#push").get_by_text("Bloqueaste los avisos")).to_be_visible()
    await expect(page.locator("#push").get_by_role("button")).to_have_count(0)
    assert not await page.evaluate(REGISTERED)
    await page.reload()
    await expect(page.locator("#push").get_by_text("Bloqueaste los avisos")).to_be_visible()


async def test_a_tap_opens_the_conversation_and_a_button_answers(demo: Any, open_page: Any) -> None:
    alert, payload = await alerted(demo)
    page = await open_page(demo.url)
    await page.context.grant_permissions(["notifications"], origin=demo.url)
    await demo.log_in(page, await mail_of(demo, alert.user_id))
    await page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
    await page.reload()  # a worker moves only pages that it controls
    worker = await pushed(demo, page, payload)
    await worker.evaluate(OPENS, [payload["tag"], ""])
    await page.wait_for_url(f"{demo.url}/conversations/{alert.conversation_id}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Paula Henao")
    (talk,) = await rows(demo, Conversation)
    assert talk.owner == "queued", "to look is not to accept"

    await page.goto(f"{demo.url}/account")
    await pushed(demo, page, payload)
    await worker.evaluate(OPENS, [payload["tag"], "accept"])
    await page.wait_for_url(re.compile(rf"/conversations/{alert.conversation_id}$"))
    await expect(page.locator("#owner")).to_contain_text("Respondes tú")


async def test_a_push_shows_and_its_button_accepts_with_no_page_of_ours_logged_in(demo: Any, open_page: Any) -> None:
    alert, payload = await alerted(demo)
    page = await open_page(f"{demo.url}/login")
    await page.context.grant_permissions(["notifications"], origin=demo.url)
    await page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
    worker = await pushed(demo, page, payload)
    shown = await worker.evaluate(
        """async () => {
          const [{ title, body, tag, actions }] = await registration.getNotifications();
          return { title, body, tag, actions: actions.map(each => each.title) };
        }"""
    )
    assert shown == {
        "title": "Paula Henao", "body": "pide hablar con una persona", "tag": f"alert-{alert.id}", "actions": ["Acepto", "Paso"],
    }  # fmt: skip
    told = await worker.evaluate(
        """async () => {
          const [shown] = await registration.getNotifications();
          const link = ours(shown.data.links.accept);
          const response = await fetch(link, { method: "POST", headers: { Accept: "application/json" } });
          return response.json();
        }"""
    )
    assert (told["done"], told["words"]) == (True, "Paula Henao es tuyo: ya puedes responderle.")
    (talk,) = await rows(demo, Conversation)
    assert (talk.owner, talk.owner_id) == ("human", alert.user_id)

    await demo.log_in(page, await mail_of(demo, alert.user_id))  # a page with no open alert takes the notification away
    await page.wait_for_function(
        "navigator.serviceWorker.ready.then(found => found.getNotifications()).then(shown => shown.length === 0)"
    )

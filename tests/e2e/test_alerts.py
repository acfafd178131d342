"""The alert on screen, in a real browser: it comes at once, one answer silences the rest, the late are told."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from playwright.async_api import expect
from sqlalchemy import select, update

from bot.keys import DATABASE
from data.tables import Alert, Conversation, Offer, User

pytestmark = pytest.mark.asyncio(loop_scope="session")

TECNO = "100000000000001"
WANTS_A_PERSON = "hola, quiero hablar con una persona por favor"


async def rows(demo: Any, table: Any) -> list[Any]:
    found: list[Any] = await demo.app[DATABASE].read(lambda session: list(session.scalars(select(table).order_by(table.id))))
    return found


async def offered(demo: Any, count: int = 1) -> Any:
    """The newest alert of an offer, as soon as there are `count`."""
    async with asyncio.timeout(10):
        while True:
            found = [alert for alert in await rows(demo, Alert) if alert.kind == "lead_offered"]
            if len(found) >= count:
                return found[-1]
            await asyncio.sleep(0.02)


async def mail_of(demo: Any, user_id: int) -> str:
    return next(user.email for user in await rows(demo, User) if user.id == user_id).partition("@")[0]


def card(page: Any) -> Any:
    return page.locator("#alerts .alert")


async def test_an_alert_comes_at_once_and_one_answer_silences_the_rest(demo: Any, open_page: Any, picture: Any) -> None:
    sellers = {}
    for user in await rows(demo, User):
        if user.role == "seller" and user.active:
            name = user.email.partition("@")[0]
            sellers[user.id] = await open_page(demo.url, width=1160, height=640, device_scale_factor=1.1)
            await demo.log_in(sellers[user.id], name)
            await sellers[user.id].goto(f"{demo.url}/account")  # a page that shows nothing live of itself
    assert len(sellers) >= 2

    asked = asyncio.create_task(demo.writes("Paula Henao", "+57 301 888 4420", TECNO, WANTS_A_PERSON))
    alert = await offered(demo)
    begun = time.monotonic()
    page = sellers.pop(alert.user_id)
    await expect(card(page)).to_be_visible()
    took = time.monotonic() - begun
    assert took < 1.0, took
    await asked
    await expect(card(page)).to_have_attribute("role", "alert")
    await expect(card(page)).to_contain_text("Paula Henao")
    await expect(card(page).locator(".left")).to_have_text(re.compile(r"^\d:\d\d$"))
    await expect(page).to_have_title(re.compile(r"^\(1\) "))
    for other in sellers.values():
        await expect(card(other)).to_have_count(0)

    second = await open_page(demo.url, width=390, height=844)  # their phone
    await demo.log_in(second, await mail_of(demo, alert.user_id))
    await expect(card(second)).to_be_visible()
    await expect(second.locator(".rows li.alerted")).to_have_count(1)
    assert await second.evaluate("document.documentElement.scrollWidth") <= 390
    await picture(second, "alert-phone.png")
    await page.goto(demo.url)
    await expect(card(page)).to_be_visible()
    await picture(page, "alert.png")

    await page.wait_for_timeout(100)  # htmx takes 20 ms to make what it has put in alive
    await card(page).focus()
    await page.keyboard.press("a")
    await expect(page).to_have_url(re.compile(r"/conversations/\d+$"))
    await expect(page.locator("#owner")).to_contain_text("Respondes tú")
    await expect(card(second)).to_have_count(0)
    await expect(second).to_have_title(re.compile(r"^(?!\()"))
    assert [offer.state for offer in await rows(demo, Offer)] == ["accepted"]


async def test_many_tabs_of_one_browser_are_all_told(demo: Any, open_page: Any) -> None:
    """More than the six connections that a browser opens to a site over HTTP/1.1."""
    user = next(user for user in await rows(demo, User) if user.role == "seller")
    others = [other.id for other in await rows(demo, User) if other.role == "seller" and other.id != user.id]
    await demo.app[DATABASE].write(lambda session: session.execute(update(User).where(User.id.in_(others)).values(active=False)))
    first = await open_page(demo.url)
    await demo.log_in(first, user.email.partition("@")[0])
    tabs = [first]
    for path in ("/leads", "/account", "/team", "/", "/", "/", "/account/alerts"):
        tabs.append(await first.context.new_page())
        await tabs[-1].goto(demo.url + path)
    await demo.writes("Paula Henao", "+57 301 888 4420", TECNO, WANTS_A_PERSON)
    for tab in tabs:
        await expect(card(tab)).to_be_visible()
        assert await tab.evaluate("performance.getEntriesByType('resource').every(entry => !entry.name.endsWith('/live'))")
    await card(tabs[3]).get_by_role("button", name="Paso").click()
    for tab in tabs:
        await expect(card(tab)).to_have_count(0)


WORKER = """window.ports = [];
window.SharedWorker = class {
  constructor() {
    const port = { sent: [], postMessage: data => port.sent.push(data), close: () => { port.closed = true; } };
    this.port = port;
    window.ports.push(port);
  }
};"""
"""A worker in the page's hands, which says what it is told to."""


async def until(page: Any, fact: str) -> None:
    async with asyncio.timeout(10):
        while not await page.evaluate(fact):
            await asyncio.sleep(0.05)


async def test_a_stream_that_was_refused_is_opened_again_once(demo: Any, open_page: Any, watch: Any) -> None:
    page = await open_page(demo.url)
    await page.add_init_script(WORKER)
    await demo.log_in(page, "valeria")
    for count in (1, 2, 3):
        await until(page, f"() => ports.length === {count}")
        with watch.allowing("[object Event]"):
            await page.evaluate(
                "ports.filter(port => !port.closed).forEach(port => port.onmessage({data: {error: true, state: 2}}))"
            )
    await until(page, "() => ports.length === 4")
    assert await page.evaluate("ports.map(port => [!!port.closed, port.sent.some(data => data.close)])") == [
        *[[True, True]] * 3, [False, False]
    ]  # fmt: skip
    alerts: list[Any] = []
    page.on("request", lambda request: alerts.append(request) if request.url.endswith("/alerts") else None)
    await page.evaluate("ports[3].onmessage({data: {open: true}}); ports[3].onmessage({data: {name: 'connected'}})")
    await page.wait_for_timeout(300)
    assert len(alerts) == 1


async def test_a_lead_that_is_passed_goes_on_and_the_first_is_told_who_has_it(demo: Any, open_page: Any) -> None:
    pages = {}
    for user in await rows(demo, User):
        if user.role == "seller" and user.active:
            pages[user.id] = await open_page(demo.url)
            await demo.log_in(pages[user.id], user.email.partition("@")[0])
    await demo.writes("Paula Henao", "+57 301 888 4420", TECNO, WANTS_A_PERSON)
    first = await offered(demo)
    await expect(card(pages[first.user_id])).to_be_visible()
    late = await open_page(demo.url)  # a window that hears of nothing any more
    await demo.log_in(late, await mail_of(demo, first.user_id))
    await expect(card(late)).to_be_visible()
    await late.route("**/alerts", lambda route: route.fulfill(status=204))

    await card(pages[first.user_id]).get_by_role("button", name="Paso").click()
    await expect(card(pages[first.user_id])).to_have_count(0)
    second = await offered(demo, 2)
    assert second.user_id != first.user_id
    await expect(card(pages[second.user_id])).to_be_visible()
    await card(pages[second.user_id]).get_by_role("button", name="Acepto").click()
    await expect(pages[second.user_id]).to_have_url(re.compile(r"/conversations/\d+$"))

    name = next(user.name for user in await rows(demo, User) if user.id == second.user_id)
    await card(late).get_by_role("button", name="Acepto").click()
    said = late.locator("#alerts-said")
    await expect(said).to_contain_text(f"{name} ya está respondiendo esta conversación.")
    await said.get_by_role("button", name="Entendido").click()
    await expect(said.locator("p")).to_have_count(0)
    assert [talk.owner_id for talk in await rows(demo, Conversation)] == [second.user_id]

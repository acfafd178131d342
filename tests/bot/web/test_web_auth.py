"""Logging in, the second factor, sessions and passwords, as a browser goes through them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from bot.keys import CLOCK

PASSWORD = "un café con leche"


async def test_a_log_in_leads_where_one_wanted_to_go_and_never_outside(site: Any) -> None:
    for wanted, reached in (
        ("/leads?stage=lost", "/leads?stage=lost"),
        ("//evil.example", "/"),
        ("/\\evil", "/"),
        ("https://e.co", "/"),
    ):
        browser = await site.browser()
        await browser.get("/login")
        answer = await browser.post(
            "/login", {"email": "Seller@una.co", "password": PASSWORD, "next": wanted}, allow_redirects=False
        )
        assert (answer.status, answer.headers["Location"]) == (303, reached)


@pytest.mark.parametrize(("email", "password"), [("admin@una.co", "wrong"), ("nobody@una.co", PASSWORD), ("", "")])
async def test_a_wrong_log_in_says_the_same_whatever_is_wrong(site: Any, email: str, password: str) -> None:
    browser = await site.browser()
    answer = await browser.log_in(email, password)
    assert answer.status == 401
    assert "El correo o la contraseña no son correctos" in await answer.text()
    assert "mostrador" not in {cookie.key for cookie in browser.client.session.cookie_jar}


async def test_ten_wrong_passwords_shut_the_right_one_out_for_a_while(site: Any) -> None:
    browser = await site.browser()
    for _ in range(10):
        assert (await browser.log_in("seller@una.co", "wrong")).status == 401
    assert (await browser.log_in("seller@una.co")).status == 401
    site.app[CLOCK].advance(timedelta(minutes=15))
    assert (await browser.log_in("seller@una.co")).status == 200


async def test_the_cookie_is_for_the_browser_alone_and_new_at_every_log_in(site: Any) -> None:
    browser = await site.browser()
    tokens = []
    for _ in range(2):
        answer = await browser.log_in("admin@una.co")
        cookie = next(each for each in browser.client.session.cookie_jar if each.key == "mostrador")
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert answer.status == 200
        tokens.append(cookie.value)
        await browser.post("/logout")
    assert tokens[0] != tokens[1]
    await browser.get("/leads", status=401, headers={"HX-Request": "true"})


async def test_a_session_that_is_ended_elsewhere_is_out_at_once(site: Any) -> None:
    here, there = await site.browser("admin@una.co"), await site.browser("admin@una.co")
    page = await here.get("/account")
    ids = re.findall(r"/account/sessions/(\d+)", page)
    assert len(ids) == 2
    await here.post("/account/sessions")
    await there.get("/", status=401, headers={"Accept": "application/json"})
    await here.get("/account")


async def test_a_session_slides_and_ends_after_two_idle_weeks(site: Any) -> None:
    browser = await site.browser("admin@una.co")
    for _ in range(3):
        site.app[CLOCK].advance(timedelta(days=10))
        await browser.get("/leads")
    site.app[CLOCK].advance(timedelta(days=15))
    await browser.get("/leads", status=401, headers={"HX-Request": "true"})


async def test_a_second_factor_is_set_asked_for_once_per_code_and_removed(site: Any) -> None:
    browser = await site.browser("admin@una.co")
    page = await (await browser.post("/account/factor")).text()
    secret = re.search(r'class="secret">(\w+)<', page)
    assert secret
    assert "<svg" in page
    totp, clock = pyotp.TOTP(secret[1]), site.app[CLOCK]
    assert (await browser.post("/account/factor/confirm", {"code": "12"})).status == 422
    assert "activado" in await (await browser.post("/account/factor/confirm", {"code": totp.at(clock.now())})).text()

    other = await site.browser()
    asked = await (await other.log_in("admin@una.co")).text()
    ticket = re.search(r'name="ticket" value="([^"]+)"', asked)
    assert ticket
    used = {"ticket": ticket[1], "code": totp.at(clock.now())}
    assert (await other.post("/login/code", used)).status == 401  # it confirmed the factor: used up
    clock.advance(timedelta(seconds=30))
    fresh = {"ticket": ticket[1], "code": totp.at(clock.now())}
    assert (await other.post("/login/code", fresh | {"ticket": "1" + ticket[1]})).status == 401
    assert (await other.post("/login/code", fresh)).status == 200
    await other.get("/leads")
    clock.advance(timedelta(minutes=6))
    third = await site.browser()
    await third.get("/login")
    assert "Pasó mucho tiempo" in await (await third.post("/login/code", fresh | {"code": totp.at(clock.now())})).text()

    assert (await browser.post("/account/factor/remove", {"old": "wrong"})).status == 422
    assert "quitado" in await (await browser.post("/account/factor/remove", {"old": PASSWORD})).text()
    assert (await (await site.browser()).log_in("admin@una.co")).status == 200


async def test_a_new_password_counts_at_once_and_ends_the_other_sessions(site: Any) -> None:
    here, there = await site.browser("admin@una.co"), await site.browser("admin@una.co")
    new = "otra clave bien larga"
    for form, why in (
        ({"old": "wrong", "new": new, "again": new}, "actual no es correcta"),
        ({"old": PASSWORD, "new": "corta", "again": "corta"}, "muy corta"),
        ({"old": PASSWORD, "new": new, "again": new + "!"}, "no son iguales"),
    ):
        answer = await here.post("/account/password", form)
        assert answer.status == 422
        assert why in await answer.text()
    assert (await here.post("/account/password", {"old": PASSWORD, "new": new, "again": new})).status == 200
    await here.get("/")
    await there.get("/", status=401, headers={"HX-Request": "true"})
    assert (await (await site.browser()).log_in("admin@una.co", new)).status == 200


async def test_a_new_user_gets_a_password_that_works_and_can_be_shut_out(site: Any) -> None:
    admin = await site.browser("admin@una.co")
    await admin.get("/users")
    answer = await admin.post("/users", {"name": "Luis", "email": "luis@una.co", "role": "seller"})
    password = re.search(r'class="secret">([^<]+)<', await answer.text())
    assert password
    assert 'class="secret"' not in await admin.get("/users")
    assert (await admin.post("/users", {"name": "Luis", "email": "luis@una.co", "role": "seller"})).status == 422
    luis = await site.browser()
    assert (await luis.log_in("luis@una.co", password[1])).status == 200
    identity = max(map(int, re.findall(r"/users/(\d+)/password", await admin.get("/users"))))
    assert (await admin.post(f"/users/{identity}", {"role": "seller"})).status == 200  # "active" is not ticked
    await luis.get("/", status=401, headers={"HX-Request": "true"})
    assert (await admin.post(f"/users/{site.ids['una']['admin']}", {"role": "seller", "active": "yes"})).status == 422

"""A lead is ready: its seller hears of it on every channel at once, one *Acepto* silences the rest, they answer, and the bot goes
on. With a real mail server, a push endpoint that decrypts, the simulated WhatsApp and a Telegram of our own."""

from __future__ import annotations

import asyncio
import re
import time
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP
from playwright.async_api import expect
from sqlalchemy import select, update

from bot.app import telegram_secret
from bot.keys import CLOCK, DATABASE, NUMBERS, SETTINGS
from data.tables import Alert, Company, ContactPoint, Conversation, Delivery, Number, User
from tests.bot.test_telegram_door import BOT, TOKEN, BotApi
from tests.bot.test_telegram_door import update as telegram_message
from tests.e2e.test_alerts import card, offered, rows
from tests.notifications.conftest import MailHost
from tests.notifications.push_service import running as push_service

pytestmark = pytest.mark.asyncio(loop_scope="session")

TECNO = "100000000000001"
VALERIA = "+57 320 777 0001"
FORM = (
    "hola, busco 10 portátiles para mi empresa",
    "Ana Ruiz",
    "Ruiz Diseño SAS",
    "30 millones",
    "hoy mismo",
    "Bogotá",
    "ana@ruiz.co",
    "sí, todo bien",
)
"""As far as it is asked for: the rest is left over."""


async def code_of(page: Any, url: str) -> str:
    """A one-time code, as the page shows it."""
    await page.goto(f"{url}/account/alerts")
    await page.get_by_role("button", name=re.compile("código", re.IGNORECASE)).click()
    shown = await page.locator("main").inner_text()
    found = re.search(r"VINCULAR ([A-Z2-9]{8})", shown)
    assert found, shown
    return found[1]


async def until(read: Any, what: str) -> Any:
    """What `read` returns once it is true."""
    end = time.monotonic() + 15
    while not (found := await read()):
        assert time.monotonic() < end, what
        await asyncio.sleep(0.05)
    return found


async def test_a_lead_reaches_its_seller_everywhere_and_one_answer_silences_the_rest(start: Any, open_page: Any) -> None:
    mail, telegram = MailHost(), BotApi()
    smtp = await asyncio.get_running_loop().create_server(lambda: SMTP(mail, hostname="localhost"), "127.0.0.1", 0)
    bot_api = web.Application()
    bot_api.router.add_route("*", "/{any:.*}", telegram.answer)
    async with smtp, TestServer(bot_api) as server, push_service() as push:
        settings = {
            "smtp_url": f"smtp://127.0.0.1:{smtp.sockets[0].getsockname()[1]}",
            "alerts_from": "Mostrador <avisos@andino.example>",
            "telegram_token": TOKEN,
            "telegram_api_url": str(server.make_url("")).rstrip("/"),
        }
        async with start(**settings) as demo:
            page = await open_page(demo.url)
            await demo.log_in(page, "valeria")
            valeria = await prepare(demo, push.url, push.keys)
            await bind(demo, page)

            await page.goto(demo.url)
            await qualify(demo)
            alert = await offered(demo)
            begun = time.monotonic()
            await expect(card(page)).to_be_visible()
            assert time.monotonic() - begun < 1.0
            await expect(card(page)).to_contain_text("Ana Ruiz")

            phone = demo.network.person("Valeria", VALERIA)
            told = await until(lambda: said(phone, "Ana Ruiz"), "no alert on WhatsApp")
            assert [choice.title for choice in told.choices] == ["Acepto", "Paso"]
            await until(lambda: some(mail.got), "no mail")
            (letter,) = [message_from_bytes(each.content or b"", policy=policy.default) for each in mail.got]
            assert letter["To"] == "valeria@demo.example"
            plain = letter.get_body(("plain",)).get_content()
            assert all(words in plain for words in ("Ana Ruiz", "Ruiz Diseño SAS", "wa.me/57300", f"{demo.url}/a/"))
            await until(lambda: some(push.got), "no push")
            assert "Ana Ruiz" in str(push.got[0])
            await until(lambda: some([form for form in telegram.sent if "Ana Ruiz" in form["text"]]), "no alert on Telegram")

            await phone.press(TECNO, "Acepto")
            await expect(card(page)).to_have_count(0)
            (alert,) = [row for row in await rows(demo, Alert) if row.id == alert.id]
            assert (alert.state, alert.via) == ("acknowledged", "whatsapp")
            (talk,) = [row for row in await rows(demo, Conversation) if row.id == alert.conversation_id]
            assert (talk.owner, talk.owner_id) == ("human", valeria)

            await page.goto(f"{demo.url}/conversations/{talk.id}")
            await page.locator("textarea[name=words]").first.fill("Hola Ana, soy Valeria. Te armo la cotización.")
            await page.keyboard.press("Enter")
            ana = demo.network.person("Ana Ruiz", "+57 300 555 0101")
            await until(lambda: said(ana, "soy Valeria"), "the prospect hears nothing")
            await expect(page.locator("#owner")).to_contain_text("Respondes tú")

            await page.get_by_role("button", name="Devolver al bot").click()
            await expect(page.locator("#owner")).to_contain_text("Responde el bot")
            heard = len(ana.heard(TECNO))
            await ana.say(TECNO, "¿hacen envíos?")
            await ana.wait_for(TECNO, heard + 1)
            assert "env" in ana.heard(TECNO)[-1].text.lower()
            states = {row.channel: row.state for row in await rows(demo, Delivery)}
            assert states == dict.fromkeys(("email", "push", "whatsapp", "telegram"), "sent")
            await page.close()


async def prepare(demo: Any, endpoint: str, keys: dict[str, str]) -> int:
    """Valeria is the only one on, with a browser elsewhere that is told by push; and a bot on Telegram."""
    now = demo.app[CLOCK].now()

    def work(session: Any) -> int:
        valeria = session.scalars(select(User).where(User.email == "valeria@demo.example")).one()
        session.execute(update(User).where(User.role == "seller", User.id != valeria.id).values(active=False))
        mine = {"company_id": valeria.company_id, "created_at": now}
        session.add(ContactPoint(user_id=valeria.id, channel="push", address=endpoint, keys=keys, **mine))
        company = session.scalars(select(Company)).one()
        session.add(
            Number(
                channel="telegram",
                external_id=BOT,
                display="@andina_bot",
                name="Andina Telegram",
                bot_name="Luna",
                dialog="electronics",
                hours={},
                company_id=company.id,
                created_at=now,
            )
        )
        return int(valeria.id)

    valeria = await demo.app[DATABASE].write(work)
    await demo.app[NUMBERS].reload(demo.app[DATABASE])
    return valeria


async def bind(demo: Any, page: Any) -> None:
    """Her phone and her Telegram, each by a code that she sends from there."""
    phone = demo.network.person("Valeria", VALERIA)
    await phone.say(TECNO, f"VINCULAR {await code_of(page, demo.url)}")
    await until(lambda: said(phone, "Valeria"), "the phone is not bound")
    body = telegram_message(1, f"VINCULAR {await code_of(page, demo.url)}", 4242)
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram_secret(demo.app[SETTINGS])}
    async with ClientSession() as http, http.post(f"{demo.url}/webhooks/telegram", json=body, headers=headers) as answer:
        assert answer.status == 200

    async def both() -> bool:
        return {row.channel for row in await rows(demo, ContactPoint)} >= {"whatsapp", "telegram"}

    await until(both, "Telegram is not bound")


async def qualify(demo: Any) -> None:
    """Ana answers until the form is done."""
    ana = demo.network.person("Ana Ruiz", "+57 300 555 0101")
    for words in FORM:
        if [row for row in await rows(demo, Conversation) if row.owner == "queued"]:
            return
        heard = len(ana.heard(TECNO))
        await ana.say(TECNO, words)
        await ana.wait_for(TECNO, heard + 1)
    assert [row for row in await rows(demo, Conversation) if row.owner == "queued"], [each.text for each in ana.heard(TECNO)]


async def said(person: Any, words: str) -> Any:
    """The bubble with these words on somebody's phone."""
    return next((bubble for bubble in reversed(person.heard(TECNO)) if words in bubble.text), None)


async def some(found: list[Any]) -> list[Any]:
    return found

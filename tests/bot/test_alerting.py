"""Alerts into a seller's own WhatsApp: with buttons inside the 24 hours, as the approved template outside them, once each."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.alerting import Alerting, _say, option_id
from bot.channels.base import Choices, Recipient, Template
from bot.channels.whatsapp_build import TooLong, check, to_json
from bot.settings import WrongSettings, load
from bot.web.pages import texts
from data.inbox import RANK
from data.tables import Alert, Company, ContactPoint, Conversation, Delivery, InboxMessage, Number, OutboxMessage, User
from notifications import alerts
from notifications.alerts import Facts
from notifications.render import compose
from notifications.senders.errors import Refused, Trouble

ACCOUNT, NUMBER = "200000000000001", "100000000000001"
NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
FACTS = Facts(
    name="Ana Ruiz", phone="+573001234567", interest="Electrónica", priority="hot", score=70, answers=(("Busca", "PC"),)
)


class Seller:
    """Somebody of ours with their own phone, who is told there."""

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self.phone = shop.person("Camilo Torres", "+57 310 999 8877")

    async def bind(self) -> None:
        await self.shop.talk(self.phone, NUMBER, "hola")

        def work(session: Session) -> None:
            talk = session.scalars(select(Conversation)).one()
            user = User(
                company_id=talk.company_id, email="camilo@andina.co", name="Camilo Torres", role="seller", password_hash="-",
                created_at=self.shop.service.clock.now(),
            )  # fmt: skip
            session.add(user)
            session.flush()
            point = {"company_id": talk.company_id, "user_id": user.id, "created_at": user.created_at, "keys": {}}
            session.add(ContactPoint(channel="email", address=user.email, enabled=False, **point))
            session.add(ContactPoint(channel="whatsapp", address="573109998877", conversation_id=talk.id, **point))

        await self.shop.database.write(work)

    async def told(self, kind: str = "lead_offered", **more: Any) -> Alert:
        """Raise an alert, and wait until all is sent."""

        def work(session: Session) -> Alert:
            user = session.scalars(select(User)).one()
            return alerts.raise_alert(
                session, kind=kind, user_id=user.id, company_id=user.company_id, facts=FACTS, now=self.shop.service.clock.now(),
                conversation_id=7, offer_id=5 if kind == "lead_offered" else None, **more,
            )  # fmt: skip

        alert: Alert = await self.shop.database.write(work)
        self.shop.service.alerting.wake()
        while (await self.delivery()).rank < RANK["parked"]:
            await asyncio.sleep(0.005)
        await self.shop.settled()
        return alert

    async def delivery(self) -> Delivery:
        rows: list[Delivery] = await self.shop.rows(Delivery)
        return rows[-1]

    async def template(self, name: str | None) -> None:
        components = [
            {"type": "BODY", "text": "Prospecto {{1}} ({{2}}): {{3}}"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": text} for text in ("Acepto", "Paso")]},
        ]
        self.shop.network.templates.create(ACCOUNT, {"name": "aviso", "language": "es", "components": components})
        await self.shop.database.write(lambda session: session.execute(update(Number).values(alert_template=name)))


@pytest.fixture
async def seller(any_shop: Any) -> Seller:
    made = Seller(any_shop)
    await made.bind()
    return made


async def test_inside_the_24_hours_it_has_buttons_that_name_it(seller: Seller) -> None:
    alert = await seller.told()
    heard = seller.phone.heard(NUMBER)[-1]
    assert heard.text.startswith("*Caliente: Ana Ruiz, Electrónica*")
    assert f"{seller.shop.service.settings.public_url}conversations/7" in heard.text
    assert [(choice.id, choice.title) for choice in heard.choices] == [
        (option_id(alert.id, "accept"), "Acepto"),
        (option_id(alert.id, "pass"), "Paso"),
    ]
    delivery = await seller.delivery()
    (sent,) = await seller.shop.rows(OutboxMessage, OutboxMessage.id == delivery.outbox_id)
    assert (delivery.state, delivery.tries, sent.kind) == ("sent", 1, "choices")
    assert sent.state in ("sent", "delivered", "read")


async def test_what_is_only_to_be_read_has_none(seller: Seller) -> None:
    await seller.told("mention")
    heard = seller.phone.heard(NUMBER)[-1]
    assert heard.choices == ()
    assert "te menciona" in heard.text


async def test_outside_the_24_hours_it_is_the_template(seller: Seller) -> None:
    await seller.template("aviso")
    seller.shop.service.clock.advance(timedelta(hours=25))
    alert = await seller.told()
    heard = seller.phone.heard(NUMBER)[-1]
    assert heard.text == "Prospecto Ana Ruiz (Caliente): Tienes un prospecto para atender. Electrónica. Busca: PC"
    await seller.phone.press(NUMBER, "Paso")
    await seller.shop.settled()
    assert [choice.id for choice in heard.choices] == [option_id(alert.id, action) for action in ("accept", "pass")]
    pressed = (await seller.shop.rows(InboxMessage))[-1]
    assert f'"choice":"{option_id(alert.id, "pass")}"' in pressed.payload


async def test_outside_them_and_without_a_template_it_fails_and_says_why(seller: Seller) -> None:
    before = len(seller.phone.heard(NUMBER))
    seller.shop.service.clock.advance(timedelta(hours=23, minutes=59))
    await seller.told()
    delivery = await seller.delivery()
    assert (delivery.state, delivery.outbox_id) == ("failed", None)
    assert delivery.error == Trouble.NO_TEMPLATE
    assert len(seller.phone.heard(NUMBER)) == before


async def test_a_chat_that_was_never_bound_fails_and_says_so(seller: Seller) -> None:
    await seller.shop.database.write(lambda session: session.execute(update(ContactPoint).values(conversation_id=None)))
    await seller.told()
    assert (await seller.delivery()).error == Trouble.NO_CHAT


async def test_looking_in_several_processes_at_once_sends_once(seller: Seller) -> None:
    others = [
        Alerting(
            seller.shop.service.settings,
            seller.shop.database,
            seller.shop.service.clock,
            seller.shop.service.cluster,
            seller.shop.service.on_said,
        )
        for _ in range(3)
    ]
    before = len(seller.phone.heard(NUMBER))
    await asyncio.gather(seller.told(), *(other.look() for other in others for _ in range(5)))
    for other in others:
        await other.drain(1)
    await seller.shop.settled()
    assert len(seller.phone.heard(NUMBER)) == before + 1


# ----------------------------------------------------------------------------------------------------- the parts
def test_telegram_has_the_same_buttons_and_no_window() -> None:
    facts = msgspec.to_builtins(FACTS)
    alert = Alert(id=2**60, kind="lead_offered", conversation_id=7, offer_id=5, facts=facts, created_at=NOW)
    company = Company(name="Andina", timezone="America/Bogota", language="es")
    message = compose(alert, User(name="Camilo"), company, "https://andina.co", "k" * 40)
    said = _say(message, Number(channel="telegram", name="Andina", alert_template=None), NOW - timedelta(days=30), NOW)
    assert isinstance(said, Choices)
    assert [option.id for option in said.options] == [option_id(2**60, "accept"), option_id(2**60, "pass")]
    assert "https://wa.me/573001234567?text=Hola%20Ana" in said.body
    with pytest.raises(Refused, match=Trouble.NO_CHAT):
        _say(message, Number(channel="webchat", name="Andina"), NOW, NOW)


def test_what_is_said_of_a_failed_delivery_has_words() -> None:
    assert set(texts()["delivery_error"]) == set(Trouble)


def test_the_buttons_of_a_template_carry_what_comes_back() -> None:
    message = Template("aviso", "es", ("Ana",), ("alert:1:accept", "alert:1:pass"))
    body = to_json(message, Recipient(phone="57"), "")
    assert body["template"]["components"] == [
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
        *(
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": str(index),
                "parameters": [{"type": "payload", "payload": payload}],
            }
            for index, payload in enumerate(message.buttons)
        ),
    ]
    for wrong in (("x" * 129,), ("x",) * 11):
        with pytest.raises(TooLong):
            check(Template("aviso", "es", (), wrong))


def test_the_ids_fit_behind_the_buttons_of_every_messenger() -> None:
    assert len(option_id(2**63 - 1, "accept")) <= 64


async def test_without_a_mail_server_there_is_none_and_with_one_its_sender(any_shop: Any) -> None:
    def senders(**settings: str) -> Any:
        given = load(_env_file=None, secret_key="k" * 40, **settings)
        service = any_shop.service
        return Alerting(given, any_shop.database, service.clock, service.cluster, service.on_said)._senders

    assert senders().email is None
    email = senders(smtp_url="smtp://127.0.0.1:25", alerts_from="Mostrador <alertas@andina.co>").email
    assert email is not None
    assert email.sender.addr_spec == "alertas@andina.co"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("SMTP_URL", {"smtp_url": "mx.andina.co:25", "alerts_from": "a@b.co"}),
        ("ALERTS_FROM", {"smtp_url": "smtp://u:hunter2@mx.andina.co"}),
        ("ALERTS_FROM", {"alerts_from": "Mostrador"}),
    ],
)
def test_a_wrong_mail_setting_is_named(name: str, given: dict[str, str]) -> None:
    with pytest.raises(WrongSettings) as told:
        load(_env_file=None, secret_key="k" * 40, **given)
    assert [line.strip().split(":")[0] for line in str(told.value).splitlines()[1:]] == [name]
    assert "hunter2" not in str(told.value)

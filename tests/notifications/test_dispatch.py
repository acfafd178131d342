"""Deliveries leave once each, beside each other, whatever stalls, refuses or dies meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from data import outbox, processes
from data.session import Database
from data.tables import Alert, ContactPoint, Conversation, Delivery, OutboxMessage
from data.types import new_id
from notifications import alerts, deliveries
from notifications.alerts import Facts
from notifications.dispatch import SLOTS, Dispatcher, Queued, Senders
from notifications.render import Message
from notifications.senders.email import Email, read_sender, read_server
from notifications.senders.errors import Refused, Trouble
from notifications.senders.other import Other
from notifications.senders.webpush import WebPush
from tests.notifications import push_service
from tests.notifications.conftest import NOW, SECRET, MailHost, Stage, deliveries_of
from tests.notifications.push_service import PushService

BASE = "https://andina.co"


@dataclass
class ChatPort:
    """Writes into the outbox, as the service does; `refuses` with these words."""

    refuses: str = ""
    told: list[int] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def queue(self, session: Session, point: ContactPoint, message: Message, now: Any) -> Queued:
        if self.refuses:
            raise Refused(self.refuses)
        talk = session.scalars(select(Conversation).where(Conversation.id == point.conversation_id)).one()
        row = {
            "id": new_id(), "company_id": talk.company_id, "number_id": talk.number_id, "conversation_id": talk.id,
            "channel": point.channel, "recipient": {}, "kind": "text", "text": message.title, "payload": "{}", "state": "queued",
            "rank": 0, "due_at": now, "created_at": now,
        }  # fmt: skip
        outbox.add(session, [row])
        self.before()
        found: Queued = session.get_one(OutboxMessage, row["id"])
        return found

    def queued(self, message: Queued) -> None:
        self.told.append(message.id)


@dataclass
class House:
    """A process that sends, and the servers around it."""

    database: Database
    mail: MailHost
    browser: PushService
    chat: ChatPort = field(default_factory=ChatPort)
    now: Any = NOW
    opened: list[Dispatcher] = field(default_factory=list)

    def process(self, holder: int = 1, mail: bool = True, total: float = 5.0) -> Dispatcher:
        server = read_server(f"smtp://127.0.0.1:{self.mail.port}")
        senders = Senders(
            email=Email(server, read_sender("Mostrador <alertas@andina.co>"), timeout=total, total=total) if mail else None,
            push=WebPush(SECRET, "mailto:alertas@andina.co", private=True, timeout=20),
            other=Other(private=True),
            chat=self.chat,
        )
        made = Dispatcher(self.database, senders, BASE, SECRET, lambda: holder, lambda: self.now)
        self.opened.append(made)
        return made

    async def settle(self, process: Dispatcher) -> None:
        """Until nothing more is due."""
        await process.look()
        while process.waiting:
            await asyncio.sleep(0.01)
            await process.look()

    async def states(self) -> dict[str, str]:
        return {row.channel: row.state for row in await deliveries_of(self.database)}


@pytest.fixture
async def house(database: Database, mail_host: MailHost) -> AsyncIterator[House]:
    async with push_service.running() as browser:
        made = House(database, mail_host, browser)
        yield made
        if mail_host.stalls is not None:
            mail_host.stalls.set()
        for process in made.opened:
            await process.drain(0.2)


def everywhere(stage: Stage, house: House, session: Session) -> None:
    """The seller's own ways: a browser and a chat, beside the mail that they have from the start."""
    stage.point(session, "push", house.browser.url, keys=house.browser.keys)
    stage.point(session, "whatsapp", "573109998877", conversation_id=stage.talk)


async def test_one_alert_on_every_channel(house: House, stage: Stage) -> None:
    def work(session: Session) -> None:
        everywhere(stage, house, session)
        stage.offered(session)

    await house.database.write(work)
    process = house.process()
    await house.settle(process)
    rows = await deliveries_of(house.database)
    assert {(row.channel, row.state, row.rank, row.tries, row.holder, row.sent_at, row.error) for row in rows} == {
        (channel, "sent", 30, 1, None, NOW, None) for channel in ("email", "push", "whatsapp")
    }
    (mail,) = house.mail.got
    assert isinstance(mail.content, bytes)
    read = message_from_bytes(mail.content, policy=policy.default)
    assert read["Subject"] == "Caliente: Ana Ruiz, Electrónica"
    assert mail.rcpt_tos == ["camilo@andina.co"]
    ((payload, headers, _),) = house.browser.got
    assert payload["title"] == read["Subject"]
    assert [each["action"] for each in payload["actions"]] == ["accept", "pass"]
    assert (headers["TTL"], headers["Topic"], headers["Urgency"]) == ("180", payload["tag"], "high")
    written = await house.database.read(lambda session: list(session.scalars(select(OutboxMessage.id))))
    assert written == house.chat.told == [row.outbox_id for row in rows if row.channel == "whatsapp"]
    await house.settle(process)
    assert len(house.mail.got) == len(house.browser.got) == len(house.chat.told) == 1


async def test_a_mail_server_that_stalls_keeps_no_push_waiting(house: House, stage: Stage) -> None:
    house.mail.stalls = asyncio.Event()
    count = 2 * SLOTS["email"] + 5

    def work(session: Session) -> None:
        stage.point(session, "push", house.browser.url, keys=house.browser.keys)
        for _ in range(count):
            stage.offered(session)

    await house.database.write(work)
    process = house.process(total=30)
    running = asyncio.create_task(process.run())
    async with asyncio.timeout(40):
        while len(house.browser.got) < count:
            await asyncio.sleep(0.01)
    assert len(house.mail.got) <= SLOTS["email"], "no more than its slots at a time"
    await process.adopt()
    mails = [row.state for row in await deliveries_of(house.database) if row.channel == "email"]  # a push may not be noted yet
    assert Counter(mails)["sending"] == SLOTS["email"], "still at it"
    house.mail.stalls.set()
    async with asyncio.timeout(40):
        while len(house.mail.got) < count or process.waiting:
            await asyncio.sleep(0.01)
    running.cancel()
    assert Counter(row.state for row in await deliveries_of(house.database)) == {"sent": 2 * count}


async def test_later_is_later_and_what_nobody_needs_does_not_go(house: House, stage: Stage) -> None:
    def work(session: Session) -> None:
        everywhere(stage, house, session)
        stage.offered(session, kind="mention", offer_id=None)
        stage.offered(session)
        session.execute(update(Delivery).where(Delivery.alert_id.in_(offers)).values(due_at=NOW + timedelta(hours=1)))

    offers = select(Alert.id).where(Alert.offer_id.is_not(None))
    await house.database.write(work)
    process = house.process()
    await house.settle(process)
    assert Counter(row.state for row in await deliveries_of(house.database)) == {"sent": 3, "queued": 3}
    await house.database.write(partial(alerts.acknowledge, offer_id=stage.offer, user_id=stage.seller, via="page", now=house.now))
    # one that was put back for another try after the acknowledgement
    put_back = update(Delivery).where(Delivery.alert_id.in_(offers)).values(state="queued", rank=0)
    await house.database.write(lambda session: session.execute(put_back))
    house.now += timedelta(hours=2)
    await house.settle(process)
    rows = await deliveries_of(house.database)
    assert Counter((row.state, row.tries) for row in rows) == {("sent", 1): 3, ("cancelled", 0): 3}
    assert len(house.mail.got) == len(house.browser.got) == len(house.chat.told) == 1


async def test_a_way_that_was_switched_off_meanwhile_is_not_used(house: House, stage: Stage) -> None:
    def work(session: Session) -> None:
        everywhere(stage, house, session)
        stage.offered(session)
        session.execute(update(ContactPoint).where(ContactPoint.channel == "push").values(enabled=False))

    await house.database.write(work)
    await house.settle(house.process(mail=False))
    assert await house.states() == {"push": "cancelled", "email": "cancelled", "whatsapp": "sent"}
    (mail,) = [row for row in await deliveries_of(house.database) if row.channel == "email"]
    assert mail.error == Trouble.NOT_SET_UP


# ------------------------------------------------------------------------------------------------ what goes wrong
async def test_a_browser_that_is_gone_and_a_mailbox_that_is_not_there_are_switched_off(house: House, stage: Stage) -> None:
    house.browser.answer = 410
    house.mail.at_rcpt = lambda _: "550 5.1.1 no such user"

    def work(session: Session) -> None:
        everywhere(stage, house, session)
        stage.offered(session)

    await house.database.write(work)
    process = house.process()
    await house.settle(process)
    assert await house.states() == {"push": "failed", "email": "failed", "whatsapp": "sent"}
    points = await house.database.read(
        lambda session: {row.channel: (row.enabled, row.problem) for row in session.scalars(select(ContactPoint))}
    )
    assert points == {
        "push": (False, "410 said the push service"), "email": (False, "550 5.1.1 no such user"), "whatsapp": (True, None),
    }  # fmt: skip
    await house.database.write(stage.offered)
    assert len(await deliveries_of(house.database)) == 4, "the next one goes by what is left"


async def test_refusals_are_tried_again_ever_later_and_not_for_ever(house: House, stage: Stage) -> None:
    house.mail.at_rcpt = lambda _: "450 4.2.0 greylisted"
    await house.database.write(stage.offered)
    process = house.process()
    waits = []
    for tries in range(1, deliveries.TRIES + 1):
        await house.settle(process)
        (row,) = await deliveries_of(house.database)
        assert row.tries == tries
        assert "greylisted" in (row.error or "")
        waits.append((row.due_at - house.now).total_seconds())
        assert row.state == ("queued" if tries < deliveries.TRIES else "failed")
        house.now = max(house.now, row.due_at)
    assert waits[:-1] == [5, 15, 45, 135, 405]


@pytest.mark.parametrize(("asked", "waits"), [("120", 120), ("999999999999", deliveries.LONGEST_WAIT)])
async def test_a_push_service_may_ask_for_more_time(house: House, stage: Stage, asked: str, waits: int) -> None:
    house.browser.answer, house.browser.more = 429, {"Retry-After": asked}
    await house.database.write(lambda session: stage.point(session, "push", house.browser.url, keys=house.browser.keys))
    await house.database.write(stage.offered)
    await house.settle(house.process())
    (row,) = [row for row in await deliveries_of(house.database) if row.channel == "push"]
    assert (row.state, row.due_at) == ("queued", NOW + timedelta(seconds=waits))


async def test_words_of_a_server_that_no_database_takes_hold_up_nothing(house: House, stage: Stage) -> None:
    house.browser.answer, house.browser.says = 400, "no\x00thing\nhere"
    house.mail.at_rcpt = lambda _: "550 no \udce9\x00 here"
    await house.database.write(partial(everywhere, stage, house))
    await house.database.write(stage.offered)
    async with asyncio.timeout(5):
        await house.settle(house.process())
    errors = {row.channel: (row.state, row.error) for row in await deliveries_of(house.database)}
    assert errors["push"] == ("failed", "400 no thing here")
    assert errors["email"][0] == "failed"


async def test_words_that_no_header_takes_switch_off_no_mailbox(house: House, stage: Stage) -> None:
    await house.database.write(partial(stage.offered, facts=Facts(name="Ana", interest="Línea\r\nblanca")))
    await house.settle(house.process())
    (row,) = await deliveries_of(house.database)
    assert (row.state, row.error) == ("sent", None)
    (content,) = (each.content for each in house.mail.got)
    assert isinstance(content, bytes)
    assert message_from_bytes(content, policy=policy.default)["Subject"] == "Ana, Línea blanca"


@pytest.mark.parametrize(
    ("raised", "state", "error"),
    [
        (ValueError("broken"), "failed", Trouble.INTERNAL),
        (OSError("away"), "queued", Trouble.INTERNAL),
        (TimeoutError(), "uncertain", Trouble.NO_ANSWER),
    ],
    ids=["fault", "away", "slow"],
)
async def test_a_fault_of_ours_is_told_as_that_and_switches_off_no_mailbox(
    house: House, stage: Stage, monkeypatch: pytest.MonkeyPatch, raised: Exception, state: str, error: Trouble
) -> None:
    monkeypatch.setattr("notifications.render.email", Mock(side_effect=raised))
    await house.database.write(stage.offered)
    await house.settle(house.process())
    (row,) = await deliveries_of(house.database)
    assert (row.state, row.error) == (state, error)
    assert await house.database.read(lambda session: session.scalar(select(ContactPoint.enabled)))


async def test_an_address_that_mail_does_not_carry_is_switched_off(house: House, stage: Stage) -> None:
    await house.database.write(lambda session: stage.point(session, "email", "ñandú@andina.co"))
    await house.database.write(stage.offered)
    await house.settle(house.process())
    (row,) = await deliveries_of(house.database)
    assert (row.state, row.error) == ("failed", Trouble.NOT_AN_ADDRESS)
    assert not await house.database.read(lambda session: session.scalar(select(ContactPoint.enabled)))


async def test_a_channel_that_only_a_newer_version_knows_is_left_to_it(house: House, stage: Stage) -> None:
    await house.database.write(lambda session: stage.point(session, "pigeon", "coop"))
    await house.database.write(stage.offered)
    await house.settle(house.process())
    assert await house.states() == {"email": "sent", "pigeon": "queued"}


async def test_a_mail_of_unknown_fate_goes_again_as_the_same_mail(house: House, stage: Stage) -> None:
    house.mail.stalls = asyncio.Event()
    await house.database.write(stage.offered)
    process = house.process(total=0.2)
    await house.settle(process)
    (row,) = await deliveries_of(house.database)
    assert (row.state, row.rank, row.holder) == ("uncertain", 10, None)
    house.mail.stalls.set()
    house.now = row.due_at
    await house.settle(process)
    first, second = house.mail.got
    assert first.content == second.content, "to the byte: a mail program shows it once"
    assert (await house.states())["email"] == "sent"


async def test_a_chat_that_takes_nothing(house: House, stage: Stage) -> None:
    house.chat.refuses = "the 24-hour window is closed"
    await house.database.write(partial(everywhere, stage, house))
    await house.database.write(stage.offered)
    await house.settle(house.process())
    (row,) = [row for row in await deliveries_of(house.database) if row.channel == "whatsapp"]
    assert (row.state, row.error, row.outbox_id) == ("failed", "the 24-hour window is closed", None)


async def test_what_breaks_in_one_delivery_is_its_own(house: House, stage: Stage) -> None:
    def fall() -> None:
        raise RuntimeError("a fault of ours")

    house.chat.before = fall
    await house.database.write(partial(everywhere, stage, house))
    await house.database.write(stage.offered)
    await house.settle(house.process())
    assert await house.states() == {"push": "sent", "email": "sent", "whatsapp": "failed"}
    assert await house.database.read(lambda session: session.scalar(select(func.count()).select_from(OutboxMessage))) == 0


# ---------------------------------------------------------------------------------------------- who dies meanwhile
async def _register(house: House, name: str) -> int:
    process, _ = await house.database.write(lambda session: processes.register(session, "sender", name, 1, 1, NOW))
    return process


async def test_what_a_process_that_is_gone_was_sending_goes_again(house: House, stage: Stage) -> None:
    """It is claimed by two processes, of which one goes before it sends anything and one lives."""
    gone, living = await _register(house, "gone"), await _register(house, "living")

    def work(session: Session) -> None:
        everywhere(stage, house, session)
        for _ in range(4):
            stage.offered(session)

    await house.database.write(work)
    room = {"email": 2, "push": 2, "whatsapp": 2}
    claims = [await house.database.write(partial(deliveries.claim, room=room, holder=who, now=NOW)) for who in (gone, living)]
    assert [had for _, had in claims] == [6, 6]
    assert not {each.row.id for each in claims[0][0]} & {each.row.id for each in claims[1][0]}

    third = house.process(await _register(house, "third"))
    await third.adopt()
    assert set(Counter(row.state for row in await deliveries_of(house.database)).items()) == {("sending", 12)}, "both live"
    await house.database.write(partial(processes.remove, ids=[gone]))
    await third.adopt()
    await house.settle(third)
    rows = await deliveries_of(house.database)
    assert Counter((row.state, row.holder, row.tries) for row in rows) == {("sent", None, 1): 6, ("sending", living, 1): 6}
    assert len(house.mail.got) == len(house.browser.got) == len(house.chat.told) == 2


async def test_an_adopted_chat_message_goes_once_even_when_its_first_process_lives_on(house: House, stage: Stage) -> None:
    """It stood still so long that it was taken for dead; both try to write the message."""
    await house.database.write(partial(everywhere, stage, house))
    await house.database.write(stage.offered)
    slow, quick = house.process(7), house.process(await _register(house, "quick"))
    (claimed,), _ = await house.database.write(partial(deliveries.claim, room={"whatsapp": 5}, holder=7, now=NOW))
    await quick.adopt()
    await house.settle(quick)
    await slow._deliver(claimed, 7)
    count = await house.database.read(lambda session: session.scalar(select(func.count()).select_from(OutboxMessage)))
    assert (count, len(house.chat.told)) == (1, 1)
    assert (await house.states())["whatsapp"] == "sent"


async def test_processes_that_die_at_any_moment_lose_nothing_and_double_no_chat(house: House, stage: Stage) -> None:
    """Each of eight lives for a few hundredths of a second, in which it claims, sends and records; then its row is removed."""
    count = 40

    def work(session: Session) -> None:
        everywhere(stage, house, session)
        for _ in range(count):
            stage.offered(session)

    await house.database.write(work)
    for life in range(9):
        who = await _register(house, f"process {life}")
        process = house.process(who)
        await process.adopt()
        running = asyncio.create_task(process.run())
        last = life == 8
        if last:
            async with asyncio.timeout(60):
                while set((await house.states()).values()) != {"sent"} or process.waiting:
                    await asyncio.sleep(0.02)
        else:
            await asyncio.sleep(0.01 + 0.005 * life)
        running.cancel()
        for task in list(process._tasks):  # nothing of it lives on, whatever it was at
            task.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await asyncio.gather(*process._tasks, return_exceptions=True)
        await house.database.write(partial(processes.remove, ids=[who]))
    rows = await deliveries_of(house.database)
    assert Counter((row.channel, row.state) for row in rows) == {
        (channel, "sent"): count for channel in ("email", "push", "whatsapp")
    }
    written = await house.database.read(lambda session: list(session.scalars(select(OutboxMessage.id))))
    assert sorted(written) == sorted(row.outbox_id or 0 for row in rows if row.channel == "whatsapp"), "each once"
    mails = {message_from_bytes(each.content)["Message-ID"] for each in house.mail.got if isinstance(each.content, bytes)}
    assert len(mails) == count
    assert len({payload["tag"] for payload, _, _ in house.browser.got}) == count


async def test_a_claim_that_we_never_heard_of_is_taken_up_again(house: House, stage: Stage) -> None:
    """The database died in the commit: the rows are ours, and nobody is at them."""
    await house.database.write(stage.offered)
    process = house.process(await _register(house, "ours"))
    await house.database.write(partial(deliveries.claim, room={"email": 5}, holder=process._holder(), now=NOW))
    await process.adopt()
    await house.settle(process)
    assert (await house.states(), len(house.mail.got)) == ({"email": "sent"}, 1)

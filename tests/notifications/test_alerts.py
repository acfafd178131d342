"""An alert on every way to reach somebody, silent after one acknowledgement, and in quiet hours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from data.session import Database
from data.tables import Alert, Assignment, Company, ContactPoint, Delivery, User
from notifications import alerts, words
from notifications.alerts import Facts
from tests.notifications.conftest import NOW, Stage, deliveries_of

ADDRESSES = {"whatsapp": "573109998877", "telegram": "42", "push": "https://push.example/1", "other": "ntfy://topic"}


def points(stage: Stage, session: Session) -> None:
    for channel, address in ADDRESSES.items():
        stage.point(session, channel, address)


async def test_everything_enabled_is_used_and_the_own_address_from_the_start(database: Database, stage: Stage) -> None:
    def work(session: Session) -> None:
        points(stage, session)
        stage.point(session, "other", "ntfy://off", enabled=False)
        stage.offered(session)
        stage.offered(session)

    await database.write(work, company=stage.company)
    rows = await deliveries_of(database)
    assert sorted(row.channel for row in rows) == sorted(2 * ["email", *ADDRESSES])
    assert {(row.state, row.rank, row.due_at, row.tries) for row in rows} == {("queued", 0, NOW, 0)}
    mine = await database.read(
        lambda session: list(session.scalars(select(ContactPoint.address).where(ContactPoint.channel == "email")))
    )
    assert mine == ["camilo@andina.co"]


async def test_an_address_that_was_switched_off_is_not_made_again(sqlite: Database, small: Stage) -> None:
    await sqlite.write(lambda session: small.point(session, "email", "camilo@andina.co", enabled=False))
    await sqlite.write(small.offered)
    assert await deliveries_of(sqlite) == []


async def test_two_alerts_at_once_make_one_address(database: Database, stage: Stage) -> None:
    await asyncio.gather(*(database.write(stage.offered) for _ in range(6)))
    count = await database.read(lambda session: session.scalar(select(func.count()).select_from(ContactPoint)))
    assert (count, len(await deliveries_of(database))) == (1, 6)


async def test_who_left_is_not_written_to_and_strangers_cannot_be(sqlite: Database, small: Stage) -> None:
    await sqlite.write(lambda session: session.execute(update(User).values(active=False)))
    alert = await sqlite.write(small.offered)
    assert alert.state == "open"
    assert await deliveries_of(sqlite) == []
    for wrong in ({"user_id": 1}, {"company_id": 1}, {"kind": "nothing"}):
        with pytest.raises(LookupError):
            await sqlite.write(partial(small.offered, **wrong))


# ------------------------------------------------------------------------------------------------- quiet hours
@pytest.mark.parametrize(
    ("kind", "later"), [("lead_offered", True), ("mention", True), ("reminder", False)], ids=["offer", "mention", "reminder"]
)
async def test_quiet_hours_leave_the_mail_and_the_screen(sqlite: Database, small: Stage, kind: str, later: bool) -> None:
    night = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)  # 23:30 in Bogotá
    await sqlite.write(lambda session: session.execute(update(User).values(quiet_from="22:00", quiet_until="07:00")))
    await sqlite.write(lambda session: points(small, session))
    await sqlite.write(partial(small.offered, now=night, kind=kind))
    due = {row.channel: row.due_at for row in await deliveries_of(sqlite)}
    morning = datetime(2026, 11, 25, 12, 0, tzinfo=UTC) if later else night
    assert due == {"email": night} | dict.fromkeys(ADDRESSES, morning)
    (shown,) = await sqlite.read(lambda session: alerts.open_for(session, small.seller, 5))
    assert shown.kind == kind, "on screen it shows at any hour"


async def test_the_hours_are_the_companys(sqlite: Database, small: Stage) -> None:
    """22:30 in Madrid is no quiet hour for somebody in Bogotá, and 23:30 in Tokyo no other day than there."""

    def work(session: Session) -> None:
        session.execute(update(Company).values(timezone="Asia/Tokyo"))
        session.execute(update(User).values(quiet_from="22:00", quiet_until="07:00"))
        small.point(session, "push", "https://push.example/1")
        small.offered(session, now=datetime(2026, 11, 24, 14, 30, tzinfo=UTC))

    await sqlite.write(work)
    due = {row.channel: row.due_at for row in await deliveries_of(sqlite)}
    assert due["push"] == datetime(2026, 11, 24, 22, 0, tzinfo=UTC)


# --------------------------------------------------------------------------------------------- acknowledgement
async def test_one_acknowledgement_silences_the_rest_once(database: Database, stage: Stage) -> None:
    def work(session: Session) -> tuple[int, int]:
        points(stage, session)
        first, other = stage.offered(session), stage.offered(session, offer_id=None, kind="mention")
        going = session.scalars(select(Delivery).where(Delivery.alert_id == first.id, Delivery.channel == "push")).one()
        going.state, going.rank = "sending", 5
        return first.id, other.id

    first, other = await database.write(work)
    later = NOW + timedelta(minutes=1)
    ack = partial(alerts.acknowledge, offer_id=stage.offer, user_id=stage.seller, via="whatsapp", now=later)
    silenced = await database.write(ack)
    assert [(row.id, row.state, row.via, row.answered_at) for row in silenced] == [(first, "acknowledged", "whatsapp", later)]
    assert await database.write(partial(ack, via="page")) == []
    states = {(row.alert_id == first, row.channel): (row.state, row.rank) for row in await deliveries_of(database)}
    assert {channel for (mine, channel), state in states.items() if mine and state == ("cancelled", 20)} == {
        "email", "whatsapp", "telegram", "other",
    }  # fmt: skip
    assert states[True, "push"] == ("sending", 5), "it may be out already"
    assert {state for (mine, _), state in states.items() if not mine} == {("queued", 0)}
    open_ones = await database.read(lambda session: alerts.open_for(session, stage.seller, 5), company=stage.company)
    assert [row.id for row in open_ones] == [other]


async def test_nobody_acknowledges_for_another(sqlite: Database, small: Stage) -> None:
    alert = await sqlite.write(small.offered)
    ack = partial(alerts.acknowledge, alert_id=alert.id, via="page", now=NOW)
    assert await sqlite.write(partial(ack, user_id=small.manager)) == []
    assert len(await sqlite.write(partial(ack, user_id=small.seller))) == 1
    with pytest.raises(ValueError, match="which"):
        await sqlite.write(partial(alerts.acknowledge, user_id=small.seller, via="page", now=NOW))


async def test_many_who_acknowledge_at_once_do_it_once(database: Database, stage: Stage) -> None:
    for _ in range(10):
        await database.write(stage.offered)
        ack = partial(alerts.acknowledge, offer_id=stage.offer, user_id=stage.seller, now=NOW)
        ways = 2 * ["page", "email", "whatsapp", "push"]
        done = await asyncio.gather(*(database.write(partial(ack, via=via)) for via in ways))
        assert sorted(map(len, done)) == [0] * 7 + [1]


async def test_what_is_settled_is_withdrawn_and_notes_stay(sqlite: Database, small: Stage) -> None:
    def work(session: Session) -> None:
        small.offered(session)
        for kind in ("lead_waiting", "mention", "reminder"):
            small.offered(session, kind=kind, user_id=small.manager, offer_id=None)

    await sqlite.write(work)
    gone = await sqlite.write(partial(alerts.withdraw, offer_id=small.offer, now=NOW))
    assert [(row.kind, row.state) for row in gone] == [("lead_offered", "withdrawn")]
    gone = await sqlite.write(partial(alerts.withdraw, conversation_id=small.talk, now=NOW))
    assert [row.kind for row in gone] == ["lead_waiting"]
    left = await sqlite.read(lambda session: alerts.open_for(session, small.manager, 5))
    assert [row.kind for row in left] == ["reminder", "mention"], "newest first"
    ended = await sqlite.read(lambda session: alerts.ended(session, small.talk, NOW))
    assert {row.kind for row in ended} == {"lead_offered", "lead_waiting"}, "what ended at that very moment, too"
    assert await sqlite.read(lambda session: alerts.ended(session, small.talk, NOW + timedelta(seconds=1))) == []
    with pytest.raises(ValueError, match="which"):
        await sqlite.write(partial(alerts.withdraw, now=NOW))


async def test_open_alerts_are_looked_for_among_the_newest(sqlite: Database, small: Stage) -> None:
    def work(session: Session) -> None:
        alert = small.offered(session)
        row = {c.name: getattr(alert, c.name) for c in Alert.__table__.columns if c.name != "id"}
        session.add_all(Alert(**row | {"state": "acknowledged"}) for _ in range(alerts.NEWEST - 1))

    await sqlite.write(work)
    assert len(await sqlite.read(lambda session: alerts.open_for(session, small.seller, 5))) == 1
    await sqlite.write(lambda session: small.offered(session, kind="mention"))
    assert [row.kind for row in await sqlite.read(lambda session: alerts.open_for(session, small.seller, 5))] == ["mention"]


# ------------------------------------------------------------------------------------------------------- facts
async def test_the_facts_of_a_hand_over(database: Database, stage: Stage) -> None:
    alert = await database.write(stage.offered, company=stage.company)
    (stored,) = await database.read(lambda session: list(session.scalars(select(Alert))))
    assert stored.id == alert.id
    assert alerts.read_facts(stored) == Facts(
        name="Ana Ruiz",
        phone="+573001234567",
        number="Andina Bogotá",
        interest="Electrónica",
        priority="hot",
        score=70,
        reasons=((40, "lo necesita hoy"), (30, "presupuesto alto")),
        answers=(("Busca", "10 portátiles"),),
        last_words="¿Tienen <b>portátiles</b> hoy?",
        because="next",
        expires_at=NOW + timedelta(minutes=3),
        language="es",
    )


async def test_facts_without_a_lead_or_a_conversation(sqlite: Database, small: Stage) -> None:
    def work(session: Session) -> Facts:
        hand = session.get_one(Assignment, small.assignment)
        hand.lead_id, hand.why = None, None
        return alerts.facts_of(session, hand, by="Valeria", words="¿lo ves?")

    facts = await sqlite.write(work)
    assert (facts.answers, facts.because, facts.expires_at, facts.by, facts.words) == ((), "", None, "Valeria", "¿lo ves?")
    with pytest.raises(LookupError):
        await sqlite.read(lambda session: alerts.facts_about(session, 1))


def test_every_alert_has_words_in_every_language() -> None:
    for language in words.LANGUAGES:
        assert set(words.words(language)["kinds"]) == set(alerts.ALERTS)
    assert words.words("fr") == words.words("es")
    assert words.interest_word("spare_parts", "es") == "Spare parts"

"""What the operator's commands count, add and find wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import maintenance
from bot.maintenance import Refused
from bot.settings import load
from bot.simulator.faults import Fault
from crm_bridge.companies import service
from crm_bridge.learning import service as learning
from data.tables import User


async def test_stats_count_what_is_there(any_shop: Any) -> None:
    shop = any_shop
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz", "un portátil", "hoy mismo")
    shop.network.faults.add(Fault(code=100))
    await shop.person("Luis Gil", "+57 310 222 3344").say(shop.first, "hola")
    await shop.settled()
    await shop.post(b"no JSON")
    counted = await maintenance.stats(shop.service.settings)
    wanted = {
        "companies": 2, "numbers": 3, "people": 2, "conversations": 2, "messages_in": 5, "messages_in_done": 5, "messages_out": 5,
        "messages_out_read": 4, "messages_out_parked": 1, "parked": 1, "leads_hot": 1, "leads_warm": 0, "leads_cold": 0,
        "statuses": 12, "webhook_bodies_unreadable": 1, "oldest_waiting_in_s": 0, "oldest_waiting_out_s": 0,
    }  # fmt: skip
    assert {key: counted[key] for key in wanted} == wanted


async def test_somebody_is_added_to_the_company_that_is_named(shop: Any) -> None:
    settings = shop.service.settings
    told = await maintenance.add_user(settings, email="Ana@Andina.co", name="Ana", role="manager", company="Andina")
    (user,) = await shop.rows(User)
    assert (user.email, user.role) == ("ana@andina.co", "manager")
    assert user.company_id == (await shop.number(shop.first)).company_id
    assert told.startswith("Ana@Andina.co may log in with the password ")
    for wrong in ({"company": "Nadie"}, {"company": ""}, {"role": "boss"}, {"email": "no"}, {"email": "ana@andina.co"}):
        given = {"email": "luis@andina.co", "name": "Luis", "role": "seller", "company": "Andina"} | wrong
        with pytest.raises(Refused):
            await maintenance.add_user(settings, **given)
    assert len(await shop.rows(User)) == 1


async def test_the_doctor_says_what_is_wrong(shop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings = shop.service.settings
    assert await maintenance.doctor(settings)
    capsys.readouterr()
    wrong = settings.model_copy(update={"whatsapp_token": load(_env_file=None, secret_key="k" * 40).whatsapp_token})
    assert not await maintenance.doctor(wrong)
    told = capsys.readouterr().err
    assert told.count("✗") == 3
    assert "the Graph API answers 401" in " ".join(told.split())


async def test_a_database_at_no_revision_is_refused_until_it_is_migrated(tmp_path: Path) -> None:
    settings = load(_env_file=None, secret_key="k" * 40, database_url=f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(Refused, match="mostrador migrate"):
        await maintenance.stats(settings)
    await maintenance.migrate(settings)
    await maintenance.seed(settings, "a password")
    assert (await maintenance.stats(settings))["numbers"] == 3


async def test_what_a_company_taught_is_told_for_rasa(shop: Any) -> None:
    await shop.run_sql("UPDATE numbers SET dialog = 'electronics'")
    andina, now = (await shop.number(shop.first)).company_id, shop.service.clock.now()

    def teach(session: Any) -> None:
        user = service.add_user(session, name="Ana", email="ana@andina.co", role="manager", password_hash="x", now=now)
        told = {"la listica": "catalog", "hay campo": "faq:location", "perritos": "faq:gone", "qué marcas": "faq:pickup"}
        for text, label in told.items():
            learning.add(session, {text: text}, label, user.id, now)

    await shop.database.write(teach, company=andina)
    settings = shop.service.settings
    assert await maintenance.taught(settings, "Andina") == {"la listica": "catalog", "hay campo": "location"}
    with pytest.raises(Refused):
        await maintenance.taught(settings, "Nadie")

"""Told to fail: each kind of failure, how often, for whom; and that what was accepted is never lost."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.simulator.faults import Fault
from bot.simulator.graph_errors import CODES
from bot.simulator.network import Network, Number
from bot.simulator.people import Person

HELLO = {"type": "text", "text": {"body": "Hola"}, "biz_opaque_callback_data": "7"}


@pytest.mark.parametrize("code", [code for code, known in CODES.items() if not known.late])
async def test_a_code_at_once(code: int, client: Any, network: Network, shop: Number, ana: Person) -> None:
    await ana.say(shop, "hola")
    network.faults.add(Fault(code=code))
    status, body = await client.send(shop, HELLO)
    assert (status, body["error"]["code"]) == (CODES[code].http, code)
    assert body["error"]["message"] == f"(#{code}) {CODES[code].title}"
    assert ana.heard(shop) == []
    assert (await client.send(shop, HELLO))[0] == 200


@pytest.mark.parametrize("code", [code for code, known in CODES.items() if known.late])
async def test_a_code_as_a_failed_status(
    code: int, client: Any, network: Network, shop: Number, ana: Person, service: Any
) -> None:
    await ana.say(shop, "hola")
    network.faults.add(Fault(code=code))
    status, body = await client.send(shop, HELLO)
    await network.settled()
    [failed] = service.statuses
    assert status == 200
    assert (failed["status"], failed["errors"][0]["code"], failed["biz_opaque_callback_data"]) == ("failed", code, "7")
    assert failed["id"] == body["messages"][0]["id"]
    assert ana.heard(shop) == []


async def test_a_proxys_error_page(client: Any, network: Network, shop: Number, ana: Person) -> None:
    network.faults.add(Fault(http=502))
    async with client.session.post(f"{client.url}/v26.0/{shop.id}/messages", json={}) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")


async def test_no_answer_and_not_delivered(client: Any, network: Network, shop: Number, ana: Person, service: Any) -> None:
    await ana.say(shop, "hola")
    network.faults.add(Fault(timeout=0.02))
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.send(shop, HELLO)
    await network.settled()
    assert ana.heard(shop) == []
    assert service.statuses == []


async def test_delivered_but_the_answer_is_cut(client: Any, network: Network, shop: Number, ana: Person, service: Any) -> None:
    await ana.say(shop, "hola")
    network.faults.add(Fault(drop_reply=True))
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.send(shop, HELLO)
    await network.settled()
    assert [m.text for m in ana.heard(shop)] == ["Hola"]
    assert {s["biz_opaque_callback_data"] for s in service.statuses} == {"7"}


async def test_times_numbers_and_probability(client: Any, network: Network, shop: Number, ana: Person) -> None:
    other = network.number("2", "+57 601 555 0101", "Otra", "1")
    await ana.say(shop, "hola")
    await ana.say(other, "hola")
    network.faults.add(Fault(number=shop.id, code=131016, times=2))
    assert (await client.send(other, HELLO))[0] == 200
    assert [(await client.send(shop, HELLO))[0] for _ in range(3)] == [503, 503, 200]
    network.faults.add(Fault(http=500, times=1000, probability=0.5))
    got = [(await client.session.post(f"{client.url}/v26.0/{shop.id}/messages", json={})).status for _ in range(40)]
    assert 10 < got.count(500) < 30
    network.faults.clear()
    assert network.faults.view() == []


async def test_reading_a_message_uses_no_fault_up(client: Any, network: Network, shop: Number, ana: Person) -> None:
    asked = await ana.say(shop, "hola")
    network.faults.add(Fault(http=500))
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": asked.id}
    assert (await client.call("POST", f"{shop.id}/messages", read))[0] == 200
    assert len(network.faults.view()) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "one of code"),
        ({"code": 7}, "code: one of"),
        ({"http": 200}, "http: 400"),
        ({"timeout": 1000}, "timeout: seconds"),
        ({"code": 1, "times": 0}, "times: 1"),
        ({"code": 1, "probability": 0}, "probability"),
        ({"explode": True}, "unknown: explode"),
    ],
)
def test_a_fault_that_makes_no_sense(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Fault.read(given)

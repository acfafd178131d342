"""The phone in the terminal: what is typed, what is shown, and the transcript."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.simulator.network import Network, Number
from bot.simulator.people import Person
from bot.simulator.phone import load_texts
from bot.simulator.repl import Talk

BUTTONS = [
    {"type": "reply", "reply": {"id": f"buyer:{key}", "title": title}}
    for key, title in (("empresa", "Empresa"), ("persona", "Para mí"))
]


async def typed(*lines: str) -> AsyncIterator[str]:
    for line in lines:
        yield line


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
async def talk(network: Network, shop: Number, ana: Person, client: Any, service: Any, shown: list[str]) -> Talk:
    async def answer(value: dict[str, Any]) -> None:
        for message in value.get("messages", ()):
            if message["type"] == "text":
                body = {"text": f"Hola, {value['contacts'][0]['profile']['name']}.\n¿Compras para…?"}
                reply: dict[str, Any] = {
                    "type": "interactive",
                    "interactive": {"type": "button", "body": body, "action": {"buttons": BUTTONS}},
                }
            else:
                reply = {"type": "text", "text": {"body": f"Recibí: {message['type']}"}}
            await client.call(
                "POST",
                f"{value['metadata']['phone_number_id']}/messages",
                {"messaging_product": "whatsapp", "to": message["from"]} | reply,
            )

    service.react = answer
    return Talk(network, ana, shop, load_texts()["es"], lambda text, _: shown.append(text), repro=True, patience=2.0, quiet=0.02)


async def test_a_talk_is_printed_as_a_transcript(talk: Talk, shown: list[str], tmp_path: Path) -> None:
    (tmp_path / "rut.pdf").write_bytes(b"%PDF")
    await talk.run(typed("hola", "", "2", "/voz", "/foto", f"/foto {tmp_path}/rut.pdf 'el RUT'", "/dia", "7", "/salir", "nunca"))
    assert shown == [
        "> hola",
        "< Hola, Ana Ruiz.",
        "<   ¿Compras para…?",
        "< [Empresa] [Para mí]",
        "> [boton buyer:persona]",
        "< Recibí: interactive",
        "> [voz]",
        "< Recibí: audio",
        "> [foto]",
        "< Recibí: image",
        "> [documento] el RUT",
        "< Recibí: document",
        "@ +1d",
        "> 7",
        "< Hola, Ana Ruiz.",
        "<   ¿Compras para…?",
        "< [Empresa] [Para mí]",
    ]


async def test_on_a_screen_options_are_numbered(talk: Talk, shown: list[str]) -> None:
    talk.repro = False
    await talk.run(typed("hola"))
    assert shown[-4:] == ["‹ Hola, Ana Ruiz.", "  ¿Compras para…?", "  1. Empresa", "  2. Para mí"]


async def test_another_person_and_another_number(talk: Talk, shown: list[str], network: Network, service: Any) -> None:
    other = network.number("2", "+57 601 555 0101", "Carga Express", "1")
    await talk.run(typed("/yo Beto Díaz +57 310 555 0199", "/numero", "/numero carga", "hola", "/nada", "/foto no.jpg"))
    assert shown == [
        "# Eres Beto Díaz.",
        "  1. Electrónica Andina (+57 601 555 0100)",
        "  2. Carga Express (+57 601 555 0101)",
        "# Escribes a Carga Express (+57 601 555 0101).",
        "> hola",
        "< Hola, Beto Díaz.",
        "<   ¿Compras para…?",
        "< [Empresa] [Para mí]",
        "# No conozco /nada.",
        "# No se puede leer no.jpg.",
    ]
    assert service.messages[0]["from"] == "573105550199"
    assert talk.number is other


async def test_a_service_that_is_not_there(talk: Talk, shown: list[str], network: Network) -> None:
    network.webhooks.url = "http://127.0.0.1:9/webhooks/whatsapp"
    talk.patience = 0.05
    await talk.run(typed("hola"))
    assert shown == [
        "> hola",
        f"# El servicio no recibe mensajes en {network.webhooks.url}; se sigue intentando.",
        "# (sin respuesta todavía)",
    ]

"""Every webhook body of the samples against a table: a line a file, `messages statuses notices: what each holds`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Inbound, Item, Notice, Parsed, Status
from bot.channels.whatsapp_parse import parse

TABLE = dict(row.split(": ", 1) for row in Path(__file__).with_name("samples.txt").read_text("utf-8").splitlines())


def line(parsed: Parsed) -> str:
    counts = [sum(isinstance(item, kind) for item in parsed.items) for kind in (Inbound, Status, Notice)]
    problems = [problem.rpartition(".")[2] for problem in parsed.problems]
    return " | ".join([" ".join(map(str, counts)), *map(words, parsed.items), *problems])


def words(item: Item) -> str:
    match item:
        case Notice():
            return f"{item.field} {item.account} {item.number}"
        case Status():
            who = item.sender.phone if item.sender else None
            return " ".join(map(str, filter(None, (item.status, item.external_id, who, item.callback, item.code))))
        case Inbound():
            kind = f"{item.kind}({item.echoed})" if item.echoed else item.kind
            who = f"{item.sender.phone}/{item.sender.bsuid}/{item.sender.name}"
            held = [
                ("choice", item.choice),
                ("about", item.about),
                ("media", item.media and f"{item.media.id} {item.media.mime}{' animated' * item.media.animated}"),
                ("place", item.place and f"{item.place.latitude},{item.place.longitude} {item.place.name}"),
                ("cards", [f"{card.name} {' '.join(card.phones)}" for card in item.cards]),
                ("order", [f"{each.quantity}x{each.product}@{each.price}{each.currency}" for each in item.order]),
                ("form", sorted(item.form or ())),
                ("forwarded", item.forwarded),
                ("referral", sorted(item.referral or ())),
                ("product", item.product),
                ("system", item.system and item.system.get("type")),
                ("error", item.error),
            ]
            return " ".join([kind, who, repr(item.text), *(f"{name}={value}" for name, value in held if value)])


@pytest.mark.parametrize("name", TABLE)
def test_what_is_in_it(samples: Path, name: str) -> None:
    source, _, stem = name.partition("/")
    assert line(parse((samples / source / "inbound" / f"{stem}.json").read_bytes())) == TABLE[name]


def test_no_file_is_missing_and_nothing_in_any_is_lost(samples: Path) -> None:
    """Counts the elements by itself, without the parser."""
    files = sorted(samples.glob("*/inbound/*.json"))
    assert [f"{file.parts[-3]}/{file.stem}" for file in files] == list(TABLE)
    for file in files:
        body = file.read_bytes()
        expected = sum(_elements(change) for entry in json.loads(body)["entry"] for change in entry["changes"])
        assert len(parse(body).items) == expected, file.name


def _elements(change: dict[str, Any]) -> int:
    value = change["value"]
    if change["field"] not in ("messages", "smb_message_echoes"):
        return 1
    arrays = sum(len(value.get(name, ())) for name in ("messages", "message_echoes", "statuses"))
    return arrays + ("errors" in value)


def test_all_of_them_in_one_body(samples: Path) -> None:
    """Up to a thousand updates may come together: the same items as one by one, in order."""
    bodies = [file.read_bytes() for file in sorted(samples.glob("*/inbound/*.json"))]
    entries = [entry for body in bodies for entry in json.loads(body)["entry"]]
    together = parse(json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode())
    assert together.items == tuple(item for body in bodies for item in parse(body).items)

"""Each of Meta's limits: what just fits is taken, one more is refused with Meta's code."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import Clock
from bot.simulator.graph_errors import GraphError
from bot.simulator.limits import MB, MEDIA_TYPES, check, check_file
from bot.simulator.network import Network

Json = dict[str, Any]


def text(length: int) -> Json:
    return {"type": "text", "text": {"body": "x" * length}}


def interactive(kind: str, action: Json, **more: Any) -> Json:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "¿?"}, "action": action} | more}


def buttons(count: int = 1, title: int = 5, ident: int = 5, **more: Any) -> Json:
    made = [{"type": "reply", "reply": {"id": str(n).rjust(ident, "i"), "title": str(n).rjust(title, "t")}} for n in range(count)]
    return interactive("button", {"buttons": made}, **more)


def rows(
    count: int = 1, *, sections: int = 1, name: int = 5, title: int = 5, ident: int = 5, description: int = 5, opener: int = 5
) -> Json:
    made = [
        {"id": str(n).rjust(ident, "i"), "title": str(n).rjust(title, "t"), "description": "d" * description}
        for n in range(count)
    ]
    parts = [{"title": "s" * name, "rows": made[at::sections]} for at in range(sections)]
    return interactive("list", {"button": "b" * opener, "sections": parts})


def products(count: int) -> Json:
    items = [{"product_retailer_id": str(n)} for n in range(count)]
    return interactive(
        "product_list",
        {"catalog_id": "1", "sections": [{"title": "s", "product_items": items}]},
        header={"type": "text", "text": "h"},
    )


def template(part: str, length: int) -> Json:
    component = {"type": part, "parameters": [{"type": "text", "text": "x" * length}]}
    return {"type": "template", "template": {"name": "t", "language": {"code": "es"}, "components": [component]}}


def cta(length: int) -> Json:
    return interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": "x" * length, "url": "https://example.com"}})


def image(length: int) -> Json:
    return {"type": "image", "image": {"link": "https://example.com/a.jpg", "caption": "x" * length}}


EDGES = [
    ("text body", text(4096), text(4097), 100),
    ("interactive body", buttons(body={"text": "x" * 1024}), buttons(body={"text": "x" * 1025}), 131009),
    ("footer", buttons(footer={"text": "x" * 60}), buttons(footer={"text": "x" * 61}), 131009),
    ("header", buttons(header={"type": "text", "text": "x" * 60}), buttons(header={"type": "text", "text": "x" * 61}), 131009),
    ("buttons", buttons(3), buttons(4), 131009),
    ("button title", buttons(title=20), buttons(title=21), 131009),
    ("button id", buttons(ident=256), buttons(ident=257), 131009),
    ("rows in all", rows(10, sections=2), rows(11, sections=2), 131009),
    ("sections", rows(10, sections=10), rows(11, sections=11), 131009),
    ("list button", rows(opener=20), rows(opener=21), 131009),
    ("section title", rows(name=24), rows(name=25), 131009),
    ("a title where there are two sections", rows(1, name=0), rows(2, sections=2, name=0), 131008),
    ("row title", rows(title=24), rows(title=25), 131009),
    ("row id", rows(ident=200), rows(ident=201), 131009),
    ("row description", rows(description=72), rows(description=73), 131009),
    ("products", products(30), products(31), 131009),
    ("template header", template("header", 60), template("header", 61), 132005),
    ("template body", template("body", 1024), template("body", 1025), 132005),
    ("link button", cta(20), cta(21), 131009),
    ("caption", image(1024), image(1025), 131009),
    ("callback data", text(1) | {"biz_opaque_callback_data": "x" * 512}, text(1) | {"biz_opaque_callback_data": "x" * 513}, 100),
]


@pytest.mark.parametrize(("fits", "too_much", "code"), [edge[1:] for edge in EDGES], ids=[edge[0] for edge in EDGES])
def test_each_limit_at_the_edge_and_one_over(fits: Json, too_much: Json, code: int) -> None:
    head = {"messaging_product": "whatsapp", "to": "573001234567"}
    check(head | fits)
    with pytest.raises(GraphError) as refused:
        check(head | too_much)
    assert refused.value.code == code


WRONG: list[tuple[str, Json, int]] = [
    ("no product", {"messaging_product": None, **text(1)}, 100),
    ("no recipient", {"to": None, **text(1)}, 131008),
    ("not a phone", {"to": "hola", **text(1)}, 131009),
    ("not a BSUID", {"to": None, "recipient": "573001234567", **text(1)}, 131009),
    ("empty text", {"type": "text", "text": {"body": " "}}, 131008),
    ("unknown type", {"type": "poll", "poll": {}}, 131051),
    ("type without its part", {"type": "image", "text": {"body": "x"}}, 131008),
    ("id and link", {"type": "image", "image": {"id": "1", "link": "https://a.b/c"}}, 131008),
    ("no web address", {"type": "image", "image": {"link": "file:///etc/passwd"}}, 131009),
    ("same title twice", interactive("button", {"buttons": [{"reply": {"id": i, "title": "Sí"}} for i in "ab"]}), 131009),
    (
        "same row id twice",
        interactive("list", {"button": "b", "sections": [{"rows": [{"id": "a", "title": t} for t in "xy"]}]}),
        131009,
    ),
    ("off the globe", {"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009),
    ("wrong shape", interactive("button", {"buttons": [{"reply": "Sí"}]}), 100),
    ("contact without a name", {"type": "contacts", "contacts": [{"phones": []}]}, 100),
    ("unknown interactive", interactive("carousel?", {}), 131009),
]


@pytest.mark.parametrize(("message", "code"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_meta_refuses(message: Json, code: int) -> None:
    with pytest.raises(GraphError) as refused:
        check({"messaging_product": "whatsapp", "to": "573001234567"} | message)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("mime", "kind", "most"),
    [
        ("image/jpeg", "image", 5 * MB),
        ("audio/ogg; codecs=opus", "audio", 16 * MB),
        ("video/mp4", "video", 16 * MB),
        ("application/pdf", "document", 100 * MB),
        ("image/webp", "sticker", 100 * 1024),
    ],
)
def test_files_by_type_and_size(mime: str, kind: str, most: int) -> None:
    assert check_file(mime, bytes(most)) == kind
    with pytest.raises(GraphError):
        check_file(mime, bytes(most + 1))


def test_an_animated_sticker_may_be_bigger() -> None:
    animated = b"RIFF....WEBPVP8X....ANIM".ljust(MEDIA_TYPES["sticker"][1])
    assert check_file("image/webp", animated) == "sticker"


def test_a_type_that_whatsapp_does_not_take() -> None:
    with pytest.raises(GraphError) as refused:
        check_file("image/svg+xml", b"<svg/>")
    assert refused.value.code == 100


KEYS = """body text action buttons sections rows id title reply type header name parameters components language code link url
contacts latitude longitude message_id emoji button list template product_list image quick_reply sub_type index"""
WORDS = st.sampled_from(KEYS.split())
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["interactive", "template", "image", "contacts", "location", "reaction", "text"]),
    part=ANYTHING,
    context=ANYTHING,
)
def test_whatever_is_sent_is_taken_or_refused(kind: str, part: Any, context: Any) -> None:
    network = Network(clock=Clock(), webhook_url="", app_secret="s", token="t")
    number = network.number("1", "+57 1", "Andina", "2")
    button = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Sí"}]}
    network.templates.create("2", {"name": "body", "language": "text", "components": [{"type": "BODY", "text": "{{1}}"}, button]})
    message = {"messaging_product": "whatsapp", "to": "573001234567", "type": kind, kind: part, "context": context}
    if kind == "template" and isinstance(part, dict):
        message[kind] = {**part, "name": "body", "language": {"code": "text"}}
    with suppress(GraphError):
        check(message)
        if kind == "template":
            network.templates.render(number.waba, message[kind])

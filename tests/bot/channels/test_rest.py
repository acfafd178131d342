"""Rasa's REST channel: what a widget posts, and how each kind of message is answered."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import (
    Account,
    Action,
    Choices,
    File,
    Inbound,
    Option,
    Outbound,
    Reaction,
    Recipient,
    SendError,
    Template,
    Text,
)
from bot.channels.rest import LONGEST, Envelope, NotAMessage, Rest, read, show

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def parsed(message: str) -> Inbound:
    post = read(msgspec.json.encode({"sender": "visitor-1", "message": message}))
    (item,) = Rest().parse(msgspec.json.encode(Envelope("web", "1", NOW, post))).items
    assert isinstance(item, Inbound)
    return item


def test_a_message() -> None:
    item = parsed("  ¿hacen envíos? 🚚 ")
    assert (item.channel, item.number, item.external_id, item.at) == ("webchat", "web", "1", NOW)
    assert (item.kind, item.text, item.choice, item.sender.webchat) == ("text", "¿hacen envíos? 🚚", None, "visitor-1")


@pytest.mark.parametrize(
    "option", [Option("timing:hoy", "Hoy"), Option("_confirm:yes", 'Sí, "todo" {bien}'), Option('x {"title":1}', "a/b\n")]
)
def test_a_button_comes_back_as_what_it_is(option: Option) -> None:
    payload = show(Choices("¿Cuándo?", (option,)), "visitor-1")["buttons"][0]["payload"]
    item = parsed(payload)
    assert (item.kind, item.choice, item.text) == ("button", option.id, option.title)


@pytest.mark.parametrize(
    "words", ["/", "/get_started", "/stop", "/a{}", '/a{"title":1}', '/a{"title":"x"', '{"title":"x"}', "1/2"]
)
def test_what_only_looks_like_a_button_is_what_was_written(words: str) -> None:
    item = parsed(words)
    assert (item.kind, item.text, item.choice) == ("text", words, None)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"sender": "a"}', b'{"message": "hola"}',
        b'{"sender": "", "message": "hola"}',
        b'{"sender": " ", "message": "hola"}', b'{"sender": "a", "message": ""}', b'{"sender": "a", "message": "\\u0000"}',
        b'{"sender": 1, "message": "hola"}', b'{"sender": "a", "message": ["hola"]}', b'{"sender": "a", "message": null}',
        b'{"sender": "' + b"a" * 129 + b'", "message": "hola"}', b'{"sender": "a", "message": "' + b"a" * (LONGEST + 1) + b'"}',
    ],
)  # fmt: skip
def test_what_is_no_message_says_what_one_is(body: bytes) -> None:
    with pytest.raises(NotAMessage, match=r"sender"):
        read(body)


def test_broken_characters_are_made_whole() -> None:
    post = read(b'{"sender": "a\\u0000b", "message": "hola \\ud83d", "metadata": {"page": "/"}, "input_channel": "rest"}')
    assert (post.sender, post.message) == ("ab", "hola �")


@given(st.binary() | st.text().map(str.encode))
def test_nothing_else_comes_out_of_any_body(body: bytes) -> None:
    with suppress(NotAMessage):
        read(body)
    with pytest.raises(ValueError, match=r"JSON|Object|utf-8|Expected|malformed|truncated"):
        Rest().parse(body)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (Text("hola"), {"text": "hola"}),
        (Choices("¿Cuándo?", (Option("a:b", "Hoy"),), footer="pie"),
         {"text": "¿Cuándo?\n\npie", "buttons": [{"title": "Hoy", "payload": '/a:b{"title":"Hoy"}'}]}),
        (File("image", link="https://a.co/b.png"), {"image": "https://a.co/b.png"}),
        (File("image", link="https://a.co/b.png", caption="así"), {"image": "https://a.co/b.png", "text": "así"}),
        (File("document", link="https://a.co/b.pdf", caption="lista"), {"text": "lista\nhttps://a.co/b.pdf"}),
    ],
)  # fmt: skip
def test_how_it_is_shown(message: Outbound, shown: dict[str, object]) -> None:
    assert show(message, "visitor-1") == {"recipient_id": "visitor-1"} | shown


@pytest.mark.parametrize("message", [Template("seguimos", "es"), Reaction("👍", "1"), File("image", media_id="7")])
async def test_what_a_widget_cannot_show_is_not_sent(message: Outbound) -> None:
    with pytest.raises(SendError) as refused:
        await Rest().send(Account(1, "web", ""), Recipient(webchat="visitor-1"), message, "7")
    assert refused.value.action is Action.PARK

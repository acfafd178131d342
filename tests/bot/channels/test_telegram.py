from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import (
    UNKNOWN_TIME,
    Account,
    Action,
    Choices,
    File,
    Inbound,
    MediaError,
    Notice,
    Option,
    Outbound,
    Place,
    Reaction,
    Recipient,
    SendError,
    Template,
    Text,
    UncertainSend,
)
from bot.channels.telegram import Telegram, secret_matches, to_html
from bot.channels.telegram_parse import parse
from bot.clock import Clock

TOKEN = "4242:secret"
OURS = Account(1, "4242", TOKEN)
ANA = Recipient(telegram="5")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
USER = {"id": 5, "is_bot": False, "first_name": "Ana", "last_name": "Ruiz"}
CHAT = {"id": 5, "type": "private"}


def message(**content: Any) -> dict[str, Any]:
    return {"message_id": 7, "from": USER, "chat": CHAT, "date": 1700000000} | content


def update(**part: Any) -> bytes:
    return json.dumps({"update_id": 1001} | part).encode()


def only(**part: Any) -> Inbound:
    (item,) = parse(update(**part), "4242", NOW).items
    assert isinstance(item, Inbound)
    return item


# ------------------------------------------------------------------------------------------- what comes in
def test_a_text() -> None:
    item = only(message=message(text="¿Precio? 😀", reply_to_message={"message_id": 6}))
    assert (item.channel, item.number, item.external_id) == ("telegram", "4242", "4242:5:7")
    assert (item.sender.telegram, item.sender.name, item.at.year) == ("5", "Ana Ruiz", 2023)
    assert (item.kind, item.text, item.about) == ("text", "¿Precio? 😀", "4242:5:6")


@pytest.mark.parametrize(
    ("content", "kind", "held"),
    [
        ({"photo": [{"file_id": "s"}, {"file_id": "l", "file_size": 9}], "caption": "mira"}, "image", "l"),
        ({"voice": {"file_id": "v", "mime_type": "audio/ogg"}}, "voice", "v"),
        ({"audio": {"file_id": "a"}}, "audio", "a"),
        ({"video": {"file_id": "m"}}, "video", "m"),
        ({"video_note": {"file_id": "n"}}, "video", "n"),
        ({"animation": {"file_id": "g"}, "document": {"file_id": "g"}}, "video", "g"),
        ({"document": {"file_id": "d", "file_name": "rut.pdf", "mime_type": "application/pdf"}}, "document", "d"),
        ({"sticker": {"file_id": "k", "is_animated": True}}, "sticker", "k"),
    ],
)
def test_files(content: dict[str, Any], kind: str, held: str) -> None:
    item = only(message=message(**content))
    assert item.media is not None
    assert (item.kind, item.media.id, item.text) == (kind, held, content.get("caption", ""))


def test_other_content() -> None:
    place = {"latitude": 4.6, "longitude": -74.1}
    assert only(message=message(location=place)).place == Place(4.6, -74.1)
    venue = only(message=message(location=place, venue={"location": place, "title": "Tienda", "address": "Cra 7"}))
    assert venue.place is not None
    assert (venue.kind, venue.place.name, venue.place.address) == ("location", "Tienda", "Cra 7")
    (card,) = only(message=message(contact={"phone_number": "+573001112233", "first_name": "Luis"})).cards
    assert (card.name, card.phones) == ("Luis", ("+573001112233",))
    assert only(message=message(poll={"id": "1"})).kind == "unsupported"
    assert only(message=message(text="x", forward_origin={"type": "user"})).forwarded
    assert only(message=message(text="x", date=0)).at == UNKNOWN_TIME


def test_a_link_with_a_token() -> None:
    item = only(message=message(text="/start AB12"))
    assert (item.text, item.referral) == ("/start", {"source_type": "telegram_link", "start": "AB12"})


def test_a_pressed_button() -> None:
    keyboard = {"inline_keyboard": [[{"text": "Sí", "callback_data": "ok:si"}], [{"text": "Web", "url": "https://x"}]]}
    shown = message(text="¿Seguimos?", reply_markup=keyboard) | {"from": USER | {"is_bot": True}}
    item = only(callback_query={"id": "99", "from": USER, "message": shown, "data": "ok:si"})
    assert (item.kind, item.text, item.choice, item.about) == ("button", "Sí", "ok:si", "4242:5:7")
    assert (item.external_id, item.at) == ("4242:callback:99", NOW)


def test_an_edit_and_a_reaction() -> None:
    edit = only(edited_message=message(text="ya", edit_date=1700000100))
    assert (edit.kind, edit.text, edit.about, edit.external_id) == ("edit", "ya", "4242:5:7", "4242:update:1001")
    reacted = {"chat": CHAT, "message_id": 7, "user": USER, "date": 1700000000}
    item = only(message_reaction=reacted | {"new_reaction": [{"type": "emoji", "emoji": "👍"}]})
    assert (item.kind, item.text, item.about) == ("reaction", "👍", "4242:5:7")
    assert only(message_reaction=reacted | {"new_reaction": []}).text == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("my_chat_member", {"chat": CHAT, "from": USER, "new_chat_member": {"status": "kicked"}}),
        ("message", message(text="x", chat={"id": -5, "type": "group"})),
        ("message", message(text="x", **{"from": USER | {"is_bot": True}})),
        ("algo_nuevo", {"a": 1}),
    ],
)
def test_what_is_no_talk_is_a_notice(field: str, value: dict[str, Any]) -> None:
    parsed = parse(update(**{field: value}), "4242", NOW)
    assert parsed.items == (Notice("telegram", field, "4242", value, "4242"),)


def test_a_broken_message_is_reported() -> None:
    parsed = parse(update(message=message(text=5)), "4242", NOW)
    assert parsed.items == ()
    assert parsed.problems[0].startswith("message: Expected `str | null`, got `int`")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"update_id":true}', b"NaN", b"\xff", b"[" * 99_999, b'{"update_id":"1"}'])
def test_not_an_update(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not an update"):
        parse(raw, "4242", NOW)


def test_strange_text_is_cleaned() -> None:
    raw = update(message=message(text="MARK")).replace(b"MARK", rb"a\u0000b\ud83d")
    (item,) = parse(raw, "4242", NOW).items
    assert isinstance(item, Inbound)
    assert item.text == "ab\ufffd"


@given(st.dictionaries(st.sampled_from(["message", "callback_query", "message_reaction", "x"]), st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from([USER, CHAT, message(text="x")]),
    lambda inner: st.dictionaries(st.sampled_from(["from", "chat", "message", "date", "id", "text", "message_id"]), inner),
    max_leaves=8)))  # fmt: skip
def test_any_update_is_read_or_refused(parts: dict[str, Any]) -> None:
    try:
        msgspec.json.encode(parse(update(**parts), "4242", NOW))
    except ValueError:
        return


# ------------------------------------------------------------------------------------------- what goes out
@pytest.fixture
async def telegram(api: Any, tmp_path: Path) -> AsyncIterator[Telegram]:
    channel = Telegram(TOKEN, api.url + "/", Clock(), tmp_path, connect=1, total=1)
    yield channel
    await channel.close()


def works(api: Any, result: Any = None) -> None:
    api.says(200, {"ok": True, "result": {"message_id": 8, "date": 1, "chat": CHAT} if result is None else result})


def asked(api: Any) -> tuple[str, dict[str, Any]]:
    """The last method called, and its parameters."""
    _, path, _, body = api.asked[-1]
    form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
    return path.removeprefix(f"/bot{TOKEN}/"), form


async def refused(telegram: Telegram, message: Outbound | None = None, to: Recipient = ANA) -> SendError:
    with pytest.raises(SendError) as caught:
        await telegram.send(OURS, to, message or Text("hola"), "77")
    return caught.value


async def test_send_a_text(telegram: Telegram, api: Any) -> None:
    works(api)
    assert await telegram.send(OURS, ANA, Text("*Total*: 5 < 6 & 2*3*4"), "77") == "4242:5:8"
    method, form = asked(api)
    assert (method, form["chat_id"]) == ("sendMessage", "5")
    assert (form["text"], form["parse_mode"]) == ("<b>Total</b>: 5 &lt; 6 &amp; 2*3*4", "HTML")
    assert json.loads(form["link_preview_options"]) == {"is_disabled": True}


@pytest.mark.parametrize(
    ("text", "shown"), [("*a* *b c*", "<b>a</b> <b>b c</b>"), ("* a *", "* a *"), ("**", "**"), ("5*6*7", "5*6*7")]
)
def test_bold(text: str, shown: str) -> None:
    assert to_html(text) == shown


async def test_send_choices(telegram: Telegram, api: Any) -> None:
    works(api)
    await telegram.send(OURS, ANA, Choices("¿Sí?", (Option("q:s", "Sí"), Option("q:n", "No")), footer="pie"), "77")
    _, form = asked(api)
    assert form["text"] == "¿Sí?\n\npie"
    assert json.loads(form["reply_markup"]) == {
        "inline_keyboard": [[{"text": "Sí", "callback_data": "q:s"}], [{"text": "No", "callback_data": "q:n"}]]
    }
    await telegram.send(OURS, ANA, Choices("¿Sí?", (Option("ñ" * 33, "Sí"),)), "77")
    _, form = asked(api)
    assert form["text"] == "¿Sí?\n\n1. Sí"
    assert "reply_markup" not in form


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("image", "sendPhoto"),
        ("audio", "sendAudio"),
        ("video", "sendVideo"),
        ("document", "sendDocument"),
        ("sticker", "sendSticker"),
    ],
)
async def test_send_files(telegram: Telegram, api: Any, kind: Any, method: str) -> None:
    works(api)
    await telegram.send(OURS, ANA, File(kind, link="https://x.co/a", caption="" if kind == "sticker" else "pie"), "77")
    name, form = asked(api)
    assert (name, form[method.removeprefix("send").lower()]) == (method, "https://x.co/a")
    assert form.get("caption") == (None if kind == "sticker" else "pie")


async def test_a_picture_that_telegram_cannot_show_goes_as_a_file(telegram: Telegram, api: Any) -> None:
    works(api)
    shown = api.answer

    async def refuse(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("sendPhoto"):
            return web.json_response({"ok": False, "error_code": 400, "description": "Bad Request: " + why}, status=400)
        return await shown(request)

    api.answer, why = refuse, "PHOTO_INVALID_DIMENSIONS"
    picture = File("image", link="https://x.co/a", caption="plano")
    assert await telegram.send(OURS, ANA, picture, "77") == "4242:5:8"
    name, form = asked(api)
    assert (name, form["document"], form["caption"]) == ("sendDocument", "https://x.co/a", "plano")
    why = "chat not found"
    await refused(telegram, picture)
    assert asked(api)[0] == "sendPhoto", "it would be refused as a file too"


async def test_a_file_that_is_gone_is_left_to_a_person(telegram: Telegram, api: Any) -> None:
    assert (await refused(telegram, File("image", path="1/sent/x"))).action is Action.PARK
    assert api.asked == []


async def test_send_a_reaction(telegram: Telegram, api: Any) -> None:
    works(api, result=True)
    assert await telegram.send(OURS, ANA, Reaction("👍", "4242:5:7"), "77") == "4242:5:7"
    method, form = asked(api)
    assert (method, form["message_id"], json.loads(form["reaction"])[0]["emoji"]) == ("setMessageReaction", "7", "👍")


async def test_what_telegram_has_not_is_parked(telegram: Telegram, api: Any) -> None:
    for sent in (Template("t", "es"), Reaction("👍", "wamid.x"), File("image")):
        assert (await refused(telegram, sent)).action is Action.PARK
    assert (await refused(telegram, to=Recipient(phone="57"))).action is Action.PARK
    assert api.asked == []


@pytest.mark.parametrize(
    ("status", "description", "parameters", "action", "code", "wait"),
    [
        (429, "Too Many Requests: retry after 9", {"retry_after": 9}, Action.SLOW_PAIR, 429, 9.0),
        (403, "Forbidden: bot was blocked by the user", None, Action.PERMANENT, 403, None),
        (400, "Bad Request: chat not found", None, Action.PERMANENT, 400, None),
        (400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": -9}, Action.PERMANENT, 400, None),
        (400, "Bad Request: message text is empty", None, Action.PARK, 400, None),
        (401, "Unauthorized", None, Action.STOP_NUMBER, 401, None),
        (404, "Not Found", None, Action.STOP_NUMBER, 401, None),
        (409, "Conflict", None, Action.PARK, 409, None),
        (500, "Internal Server Error", None, Action.RETRY, 500, None),
    ],
)
async def test_refusals(
    telegram: Telegram, api: Any, status: int, description: str, parameters: Any, action: Action, code: int, wait: float | None
) -> None:
    answer = {"ok": False, "error_code": status, "description": description}
    api.says(status, answer | ({"parameters": parameters} if parameters else {}))
    error = await refused(telegram)
    assert (error.action, error.code, error.retry_after) == (action, code, wait)
    assert not isinstance(error, UncertainSend)
    assert TOKEN not in str(error)


@pytest.mark.parametrize(("status", "answer"), [(502, "<html>"), (200, "<html>")])
async def test_answers_that_leave_it_open(telegram: Telegram, api: Any, status: int, answer: str) -> None:
    api.says(status, answer)
    assert isinstance(await refused(telegram), UncertainSend)


async def test_no_answer_in_time(api: Any) -> None:
    done = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await done.wait()
        return web.Response()

    api.answer = wait
    telegram = Telegram(TOKEN, api.url, Clock(), Path(), total=0.05)
    error = await refused(telegram)
    done.set()
    await telegram.close()
    assert isinstance(error, UncertainSend)


async def test_the_connection_breaks(telegram: Telegram, api: Any) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    api.answer = hang_up
    assert isinstance(await refused(telegram), UncertainSend)


async def test_telegram_is_down() -> None:
    telegram = Telegram(TOKEN, f"http://127.0.0.1:{unused_port()}", Clock(), Path())
    problem = await telegram.start()
    error = await refused(telegram)
    await telegram.mark_read(OURS, ANA, "4242:callback:99", typing=True)
    await telegram.close()
    assert problem
    assert error.action is Action.RETRY
    assert not isinstance(error, UncertainSend)


async def test_start(telegram: Telegram, api: Any) -> None:
    works(api, result={"id": 4242, "is_bot": True, "first_name": "Tienda"})
    assert await telegram.start() is None
    assert asked(api)[0] == "getMe"


async def test_a_wrong_token_is_told_without_showing_it(telegram: Telegram, api: Any) -> None:
    api.says(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
    problem = await telegram.start()
    assert problem
    assert TOKEN not in problem


async def test_subscribe(telegram: Telegram, api: Any) -> None:
    works(api, result=True)
    await telegram.subscribe("https://x.co/webhooks/telegram", "s3cret")
    method, form = asked(api)
    assert (method, form["url"], form["secret_token"]) == ("setWebhook", "https://x.co/webhooks/telegram", "s3cret")
    assert "message_reaction" in json.loads(form["allowed_updates"])


async def test_mark_read(telegram: Telegram, api: Any) -> None:
    works(api, result=True)
    await telegram.mark_read(OURS, ANA, "4242:callback:99", typing=False)
    assert asked(api) == ("answerCallbackQuery", {"callback_query_id": "99"})
    await telegram.mark_read(OURS, ANA, "4242:5:7", typing=True)
    assert asked(api) == ("sendChatAction", {"chat_id": "5", "action": "typing"})
    api.says(400, {"ok": False, "error_code": 400, "description": "Bad Request: query is too old"})
    await telegram.mark_read(OURS, ANA, "4242:callback:99", typing=True)


async def test_fetch(telegram: Telegram, api: Any) -> None:
    about = {"file_id": "v", "file_unique_id": "u", "file_size": 4, "file_path": "photos/1.jpg"}

    async def answer(request: web.Request) -> web.Response:
        if request.path == f"/file/bot{TOKEN}/photos/1.jpg":
            return web.Response(body=b"\xff\xd8\xff\xe0")
        return web.json_response({"ok": True, "result": about})

    api.answer = answer
    fetched = await telegram.fetch(OURS, "v", 4)
    assert (fetched.content, fetched.mime) == (b"\xff\xd8\xff\xe0", "image/jpeg")
    for told in ({}, {"file_size": 0}):
        about |= told
        with pytest.raises(MediaError, match="larger") as caught:
            await telegram.fetch(OURS, "v", 3)
        assert caught.value.final


@pytest.mark.parametrize(("status", "final"), [(400, True), (500, False)])
async def test_a_file_that_does_not_come(telegram: Telegram, api: Any, status: int, final: bool) -> None:
    api.says(status, {"ok": False, "error_code": status, "description": "file is too big"})
    with pytest.raises(MediaError) as caught:
        await telegram.fetch(OURS, "v", 4)
    assert caught.value.final is final


def test_the_secret() -> None:
    assert secret_matches("s3cret", "s3cret")
    for ours, shown in (("s3cret", "other"), ("s3cret", None), ("s3cret", "\udc80"), ("", ""), ("", None)):
        assert not secret_matches(ours, shown)

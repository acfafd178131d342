from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import unused_port

from bot.channels.base import Account, Action, MediaError, Reaction, Recipient, SendError, Text, UncertainSend
from bot.channels.errors import WHATSAPP
from bot.channels.whatsapp import WhatsApp, signature, signed_by

OURS = Account(1, "111", "t0ken")
ANA = Recipient(phone="573001112233")
SENT = {"messaging_product": "whatsapp", "contacts": [{"input": "+57", "wa_id": "57"}], "messages": [{"id": "wamid.9"}]}


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def whatsapp(http: ClientSession, api: Any) -> AsyncIterator[WhatsApp]:
    whatsapp = WhatsApp(http, api.url, "v26.0", connect=1, total=1)
    yield whatsapp
    await whatsapp.close()


async def refused(whatsapp: WhatsApp) -> SendError:
    with pytest.raises(SendError) as caught:
        await whatsapp.send(OURS, ANA, Text("hola"), "77")
    return caught.value


def graph_error(code: int, **other: Any) -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) no", "type": "OAuthException", "code": code, "fbtrace_id": "A"} | other}


# ------------------------------------------------------------------------------------------- signatures
def test_signature() -> None:
    header = signature(b"secret", b"body")
    assert header == "sha256=dc46983557fea127b43af721467eb9b3fde2338fe3e14f51952aa8478c13d355"
    assert signed_by([b"old", b"secret"], b"body", header)
    for secrets, body, given in (
        ([b"old"], b"body", header),
        ([b"secret"], b"body ", header),
        ([b"secret"], b"body", header.removeprefix("sha256=")),
        ([b"secret"], b"body", "sha256=ñ\udc80"),
        ([b"secret"], b"body", None),
        ([], b"body", header),
        ([b""], b"body", signature(b"", b"body")),
    ):
        assert not signed_by(secrets, body, given)


# ------------------------------------------------------------------------------------------- sending
async def test_send(whatsapp: WhatsApp, api: Any) -> None:
    api.says(200, SENT)
    assert await whatsapp.send(OURS, ANA, Text("¡hola! 😀"), "77") == "wamid.9"
    ((method, path, headers, body),) = api.asked
    assert (method, path, headers["Authorization"]) == ("POST", "/v26.0/111/messages", "Bearer t0ken")
    assert headers["Content-Type"] == "application/json"
    sent = json.loads(body)
    assert (sent["text"]["body"], sent["to"], sent["biz_opaque_callback_data"]) == ("¡hola! 😀", "573001112233", "77")


@pytest.fixture
def answers(samples: Path) -> list[Any]:
    files = samples.glob("meta-postman/response/cloud_messages_*.json")
    return [json.loads(file.read_text("utf-8")) for file in files]


async def test_meta_s_own_answers(whatsapp: WhatsApp, api: Any, answers: list[Any]) -> None:
    assert answers
    for answer in answers:
        api.says(200, answer)
        assert await whatsapp.send(OURS, ANA, Text("hola"), "") == answer["messages"][0]["id"]


async def test_what_cannot_be_built_is_parked_unsent(whatsapp: WhatsApp, api: Any) -> None:
    for message, to in ((Text("x" * 5000), ANA), (Reaction("👍", ""), ANA), (Text("hola"), Recipient(telegram="5"))):
        with pytest.raises(SendError) as caught:
            await whatsapp.send(OURS, to, message, "77")
        assert caught.value.action is Action.PARK
    assert api.asked == []


async def test_each_code(whatsapp: WhatsApp, api: Any) -> None:
    for code, action in WHATSAPP.items():
        api.says(400, graph_error(code, error_data={"messaging_product": "whatsapp", "details": "why"}))
        error = await refused(whatsapp)
        assert (error.code, error.action, str(error)) == (code, action, f"(#{code}) no: why")
        assert not isinstance(error, UncertainSend)


async def test_a_number_that_is_gone(whatsapp: WhatsApp, api: Any) -> None:
    api.says(400, graph_error(100, error_subcode=33))
    assert (await refused(whatsapp)).action is Action.STOP_NUMBER


@pytest.mark.parametrize(
    ("status", "answer", "action"),
    [
        (429, "<html>slow down</html>", Action.SLOW_NUMBER),
        (500, "<html>oops</html>", Action.RETRY),
        (503, {"error": "a text"}, Action.RETRY),
        (500, graph_error(131000), Action.RETRY),
        (502, graph_error(131016), Action.RETRY),
        (400, "<html>bad</html>", Action.PARK),
        (400, [1], Action.PARK),
        (400, {"error": {"code": "none", "message": 5, "error_data": "x"}}, Action.PARK),
        (401, "", Action.STOP_NUMBER),
        (307, "", Action.PARK),
    ],
)
async def test_answers_of_every_shape(whatsapp: WhatsApp, api: Any, status: int, answer: Any, action: Action) -> None:
    api.says(status, answer, Location="http://127.0.0.1:9/")
    error = await refused(whatsapp)
    assert error.action is action
    assert not isinstance(error, UncertainSend)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:30 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
async def test_retry_after(whatsapp: WhatsApp, api: Any, headers: dict[str, str], seconds: float | None) -> None:
    api.says(429, graph_error(130429), **headers)
    error = await refused(whatsapp)
    assert (error.action, error.retry_after) == (Action.SLOW_NUMBER, seconds)


@pytest.mark.parametrize(
    ("status", "answer"),
    [(200, "<html>fine</html>"), (200, {}), (200, {"messages": []}), (502, "<html>"), (504, ""), (200, "x" * 1_100_000)],
)
async def test_answers_that_leave_it_open(whatsapp: WhatsApp, api: Any, status: int, answer: Any) -> None:
    api.says(status, answer)
    assert isinstance(await refused(whatsapp), UncertainSend)


async def test_no_answer_in_time(http: ClientSession, api: Any) -> None:
    done = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await done.wait()
        return web.Response()

    api.answer = wait
    whatsapp = WhatsApp(http, api.url, "v26.0", total=0.05)
    error = await refused(whatsapp)
    done.set()
    await whatsapp.close()
    assert isinstance(error, UncertainSend)


async def test_the_connection_breaks_after_the_request(whatsapp: WhatsApp, api: Any) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    api.answer = hang_up
    assert isinstance(await refused(whatsapp), UncertainSend)


async def test_the_connection_breaks_inside_the_answer(whatsapp: WhatsApp, api: Any) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"messages"')
        assert request.transport is not None
        request.transport.abort()
        return response

    api.answer = half
    assert isinstance(await refused(whatsapp), UncertainSend)


async def test_nobody_listens(http: ClientSession) -> None:
    error = await refused(WhatsApp(http, f"http://127.0.0.1:{unused_port()}", "v26.0"))
    assert error.action is Action.RETRY
    assert not isinstance(error, UncertainSend)


async def test_no_such_host(http: ClientSession) -> None:
    error = await refused(WhatsApp(http, "http://graph.invalid", "v26.0"))
    assert error.action is Action.RETRY
    assert not isinstance(error, UncertainSend)


async def test_no_connection_in_time(http: ClientSession, api: Any) -> None:
    done = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await done.wait()
        return web.json_response(SENT)

    api.answer = wait
    whatsapp = WhatsApp(http, api.url, "v26.0", connect=0.05, total=5, connections=1)
    first = asyncio.create_task(whatsapp.send(OURS, ANA, Text("uno"), "1"))
    while not api.asked:
        await asyncio.sleep(0)
    error = await refused(whatsapp)
    done.set()
    assert await first == "wamid.9"
    await whatsapp.close()
    assert not isinstance(error, UncertainSend)
    assert len(api.asked) == 1


async def test_under_a_path_and_each_number_with_its_own_token(http: ClientSession, api: Any) -> None:
    whatsapp = WhatsApp(http, f"{api.url}/graph/", "v26.0")
    api.says(200, SENT)
    accounts = (OURS, Account(1, "111", "newer"), Account(2, "2?x y", "other"))
    for account in accounts:
        await whatsapp.send(account, ANA, Text("hola"), "77")
    await whatsapp.close()
    assert [headers["Authorization"] for _, _, headers, _ in api.asked] == ["Bearer t0ken", "Bearer newer", "Bearer other"]
    assert [path for _, path, _, _ in api.asked][1:] == ["/graph/v26.0/111/messages", "/graph/v26.0/2?x y/messages"]


@pytest.mark.parametrize("token", ["t0ken\r\nX-Other: 1", "t0ken\n", "tóken", "t0ken\0"])
async def test_a_token_that_is_none(whatsapp: WhatsApp, api: Any, token: str) -> None:
    with pytest.raises(SendError) as caught:
        await whatsapp.send(Account(1, "111", token), ANA, Text("hola"), "77")
    assert caught.value.action is Action.STOP_NUMBER
    assert token not in str(caught.value)
    assert api.asked == []


async def test_what_is_on_its_way_at_the_end_is_uncertain(whatsapp: WhatsApp, api: Any) -> None:
    done = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await done.wait()
        return web.Response()

    api.answer = wait
    sending = asyncio.create_task(refused(whatsapp))
    while not api.asked:
        await asyncio.sleep(0)
    await whatsapp.close()
    done.set()
    assert isinstance(await sending, UncertainSend)


async def test_mark_read(whatsapp: WhatsApp, api: Any, samples: Path) -> None:
    api.says(200, {"success": True})
    await whatsapp.mark_read(OURS, ANA, "<WHATSAPP_MESSAGE_ID>", typing=True)
    example = samples / "meta-postman/outbound/cloud_typing_indicators_send_typing_indicator_and_read_receipt.json"
    assert json.loads(api.asked[-1][3]) == json.loads(example.read_text("utf-8"))
    await whatsapp.mark_read(OURS, ANA, "wamid.1", typing=False)
    assert json.loads(api.asked[-1][3]) == {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}


async def test_mark_read_is_a_courtesy(whatsapp: WhatsApp, http: ClientSession, api: Any) -> None:
    api.says(400, graph_error(131009))
    await whatsapp.mark_read(OURS, ANA, "wamid.1", typing=True)
    await WhatsApp(http, f"http://127.0.0.1:{unused_port()}", "v26.0").mark_read(OURS, ANA, "wamid.1", typing=True)


# ------------------------------------------------------------------------------------------- files
async def test_upload(whatsapp: WhatsApp, api: Any) -> None:
    api.says(200, {"id": "4490709327384033"})
    assert await whatsapp.upload(OURS, b"\x89PNG", "image/png", "foto ñ.png") == "4490709327384033"
    _, path, headers, body = api.asked[0]
    assert path == "/v26.0/111/media"
    assert headers["Content-Type"].startswith("multipart/form-data")
    for expected in (b'name="messaging_product"', b"whatsapp", b'name="type"', b'name="file"', b"image/png", b"\x89PNG"):
        assert expected in body
    api.says(400, graph_error(131053))
    with pytest.raises(SendError) as caught:
        await whatsapp.upload(OURS, b"x", "text/x", "x")
    assert caught.value.action is Action.PARK


class Files:
    """Graph's two steps: `/v26.0/{id}` tells where, `/file` gives the bytes."""

    def __init__(self, api: Any, content: bytes = b"OggS", **about: Any) -> None:
        self.about = {"url": f"{api.url}/file", "mime_type": "audio/ogg", "file_size": "4", "id": "7"} | about
        self.content = content
        self.file = web.Response
        api.answer = self.answer

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/file":
            return self.file(body=self.content)
        return web.json_response(self.about)


@pytest.mark.parametrize(
    "sha256",
    [
        hashlib.sha256(b"OggS").hexdigest(),
        base64.b64encode(hashlib.sha256(b"OggS").digest()).decode(),
        "<HASH>",
        None,
    ],
)
async def test_fetch(whatsapp: WhatsApp, api: Any, sha256: str | None) -> None:
    Files(api, sha256=sha256)
    fetched = await whatsapp.fetch(OURS, "7", 4)
    assert (fetched.content, fetched.mime) == (b"OggS", "audio/ogg")
    assert [(path, headers["Authorization"]) for _, path, headers, _ in api.asked] == [
        ("/v26.0/7", "Bearer t0ken"),
        ("/file", "Bearer t0ken"),
    ]


async def failed(whatsapp: WhatsApp, media_id: str = "7", limit: int = 100) -> MediaError:
    with pytest.raises(MediaError) as caught:
        await whatsapp.fetch(OURS, media_id, limit)
    return caught.value


async def test_too_large_by_its_length(whatsapp: WhatsApp, api: Any) -> None:
    Files(api, b"x" * 101)
    assert (await failed(whatsapp)).final


async def test_too_large_while_it_comes(whatsapp: WhatsApp, api: Any) -> None:
    files = Files(api)

    async def endless(request: web.Request) -> web.StreamResponse:
        if request.path != "/file":
            return await files.answer(request)
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(b"x" * 50)
        return response

    api.answer = endless
    assert (await failed(whatsapp)).final


async def test_not_the_file_that_was_told(whatsapp: WhatsApp, api: Any) -> None:
    Files(api, sha256="0" * 64)
    assert not (await failed(whatsapp)).final


@pytest.mark.parametrize(
    ("status", "answer", "final"),
    [
        (400, graph_error(100, error_subcode=33), True),
        (404, "<html>", True),
        (401, graph_error(190), False),
        (500, "<html>", False),
    ],
)
async def test_expired_or_only_failing(whatsapp: WhatsApp, api: Any, status: int, answer: Any, final: bool) -> None:
    api.says(status, answer)
    assert (await failed(whatsapp)).final is final


@pytest.mark.parametrize("url", [None, "", 5, "ftp://127.0.0.1/x", "file:///etc/passwd", "/relative", "http://[bad"])
async def test_an_address_that_is_none(whatsapp: WhatsApp, api: Any, url: object) -> None:
    Files(api, url=url)
    await failed(whatsapp)
    assert len(api.asked) == 1


async def test_a_redirect_is_not_followed_with_our_token(whatsapp: WhatsApp, api: Any) -> None:
    files = Files(api)
    files.file = lambda **_: web.Response(status=302, headers={"Location": "/elsewhere"})  # type: ignore[assignment]
    await failed(whatsapp)
    assert [path for _, path, _, _ in api.asked] == ["/v26.0/7", "/file"]


async def test_over_https_the_file_too(http: ClientSession) -> None:
    secure = WhatsApp(http, "https://graph.example", "v26.0")
    with pytest.raises(MediaError, match="no address"):
        secure._link("http://lookaside.example/file")
    assert secure._link("https://lookaside.example/file?a=%2F").raw_query_string == "a=%2F"


@pytest.mark.parametrize("media_id", ["", "..", "7/../8", "7?x", "a b"])
async def test_an_id_that_is_none(whatsapp: WhatsApp, api: Any, media_id: str) -> None:
    assert (await failed(whatsapp, media_id)).final
    assert api.asked == []


async def test_nobody_listens_for_files(http: ClientSession) -> None:
    assert not (await failed(WhatsApp(http, f"http://127.0.0.1:{unused_port()}", "v26.0"))).final

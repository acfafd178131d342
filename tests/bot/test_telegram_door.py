"""Telegram is the second channel: the same dialog, the same tables, and WhatsApp does not wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer
from sqlalchemy import select
from yarl import URL

from bot.app import telegram_secret
from bot.clock import Clock
from data.tables import Company, Conversation, Identity, InboxMessage, Number, OutboxMessage, User
from tests.bot.web.conftest import HASH, Browser

BOT = "7000000001"
TOKEN = f"{BOT}:telegram-token"


class BotApi:
    """Just as much of the Bot API as the service calls: what it was told to send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.down = False

    async def answer(self, request: web.Request) -> web.Response:
        if self.down:
            return web.json_response({"ok": False, "error_code": 502, "description": "Bad Gateway"}, status=502)
        method = request.path.rsplit("/", 1)[-1].lower()
        if method == "getme":
            return self._ok({"id": int(BOT), "is_bot": True, "first_name": "Luna", "username": "luna_bot"})
        if not method.startswith("send") or method == "sendchataction":
            return self._ok({})
        given: dict[str, Any] = dict(await request.post())
        form = {
            key: (part.filename, part.file.read()) if isinstance(part, web.FileField) else part for key, part in given.items()
        }
        self.sent.append(form | {"method": method})
        chat = {"id": int(form["chat_id"]), "type": "private"}
        return self._ok({"message_id": len(self.sent), "date": 1, "chat": chat, "text": form.get("text")})

    @staticmethod
    def _ok(result: Any) -> web.Response:
        return web.json_response({"ok": True, "result": result})


@pytest.fixture
async def api() -> AsyncIterator[tuple[BotApi, str]]:
    bot_api = BotApi()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", bot_api.answer)
    async with TestServer(app) as server:
        yield bot_api, str(server.make_url("")).rstrip("/")


def update(number: int, text: str, chat: int = 4242) -> dict[str, Any]:
    who = {"id": chat, "is_bot": False, "first_name": "Ana", "last_name": "Ruiz"}
    message = {
        "message_id": number,
        "date": 1_790_000_000 + number,
        "chat": {"id": chat, "type": "private"},
        "from": who,
        "text": text,
    }
    return {"update_id": number, "message": message}


async def open_bot(open_shop: Any, database_url: str, url: str) -> Any:
    shop = await open_shop(database_url, telegram_token=TOKEN, telegram_api_url=url)

    def add(session: Any) -> None:
        company = session.scalar(select(Company.id).order_by(Company.id).limit(1))
        session.add(
            Number(
                company_id=company,
                channel="telegram",
                external_id=BOT,
                display="@luna_bot",
                name="Andina",
                bot_name="Luna",
                dialog="form",
                hours={},
                created_at=Clock().now(),
            )
        )

    await shop.database.write(add)
    await shop.service.numbers.reload(shop.database)
    return shop


async def post(shop: Any, body: dict[str, Any], secret: str | None = None) -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram_secret(shop.service.settings) if secret is None else secret}
    async with shop.http.post(shop.url.replace("whatsapp", "telegram"), json=body, headers=headers) as answer:
        return int(answer.status)


async def test_a_talk_on_telegram_goes_through_the_same_tables(
    open_shop: Any, database_url: str, api: tuple[BotApi, str]
) -> None:
    bot_api, url = api
    shop = await open_bot(open_shop, database_url, url)
    for number, text in enumerate(("hola", "Ana Ruiz"), start=1):
        assert await post(shop, update(number, text)) == 200
        assert await post(shop, update(number, text)) == 200  # delivered again: nothing happens
        await shop.settled()
    assert [form["chat_id"] for form in bot_api.sent] == ["4242", "4242"]
    assert [(row.channel, row.text, row.state) for row in await shop.rows(InboxMessage)] == [
        ("telegram", "hola", "done"),
        ("telegram", "Ana Ruiz", "done"),
    ]
    assert [row.state for row in await shop.rows(OutboxMessage)] == ["sent", "sent"]
    assert [(row.kind, row.value) for row in await shop.rows(Identity)] == [("telegram", "4242")]


OGG = b"OggS" + b"x" * 24 + b"OpusHead" + b"x" * 20


@pytest.mark.parametrize(
    ("content", "name", "method", "part"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"x" * 20, "azul.png", "sendphoto", "photo"),
        (b"%PDF-1 x", "lista de precios.pdf", "senddocument", "document"),
        (OGG, "nota-de-voz.ogg", "sendvoice", "voice"),
        (b"ID3 x", "cuña.mp3", "sendaudio", "audio"),
        (b"\0\0\0\x18ftypmp42" + b"x" * 20, "demo.mp4", "sendvideo", "video"),
    ],
)
async def test_a_seller_sends_a_file(
    open_shop: Any, sqlite_url: str, api: tuple[BotApi, str], content: bytes, name: str, method: str, part: str
) -> None:
    bot_api, url = api
    shop = await open_bot(open_shop, sqlite_url, url)
    await post(shop, update(1, "hola"))
    await shop.settled()
    (talk,) = await shop.rows(Conversation)
    user = User(
        company_id=talk.company_id, email="v@una.co", name="Vera", role="seller", password_hash=HASH, created_at=Clock().now()
    )
    await shop.database.write(lambda session: session.add(user))
    async with ClientSession(URL(shop.url).origin(), cookie_jar=CookieJar(unsafe=True)) as client:
        browser = Browser(cast(Any, client))
        await browser.log_in("v@una.co")
        headers = {"X-CSRF-Token": browser.token, "X-File-Name": quote(name), "X-Caption": quote("Míralo <ya>")}
        async with client.post(f"/conversations/{talk.id}/file", data=content, headers=headers) as answer:
            assert 'data-sent="yes"' in await answer.text()
        await shop.settled()
        sent = next(form for form in bot_api.sent if form["method"] == method)
        assert (sent["chat_id"], sent[part]) == ("4242", (name, content))
        said = bot_api.sent[-1]
        assert said.get("caption") or said["text"] == "Míralo &lt;ya&gt;"
        row = next(row for row in await shop.rows(OutboxMessage) if row.kind == "file")
        assert (row.state, row.author_id, row.external_id) == ("sent", user.id, f"{BOT}:4242:{bot_api.sent.index(sent) + 1}")
        assert f'/sent/{row.id}"' in await browser.get(f"/conversations/{talk.id}/thread")
        async with client.get(f"/sent/{row.id}") as kept:
            assert await kept.read() == content


async def test_a_wrong_secret_is_refused_and_nothing_is_stored(open_shop: Any, sqlite_url: str, api: tuple[BotApi, str]) -> None:
    shop = await open_bot(open_shop, sqlite_url, api[1])
    assert await post(shop, update(1, "hola"), secret="somebody else's") == 401
    assert await shop.rows(InboxMessage) == []


async def test_whatsapp_answers_while_telegram_is_down(open_shop: Any, sqlite_url: str, api: tuple[BotApi, str]) -> None:
    bot_api, url = api
    bot_api.down = True
    shop = await open_bot(open_shop, sqlite_url, url)
    person = shop.person()
    await person.say(shop.first, "hola")
    await person.wait_for(shop.first, 1)
    assert len(person.heard(shop.first)) == 1

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.http import Answer, Client, NotReached

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


async def post(client: Client, body: bytes = b"{}") -> Answer:
    return await client.post(client.head("/x", {}), body)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)


# ------------------------------------------------------------------------------------------- a real server
async def test_against_a_real_server() -> None:
    seen: list[web.Request] = []

    async def echo(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        body = await request.read()
        response = web.StreamResponse(status=201, headers={"X-Kind": request.headers["Content-Type"]})
        if request.query_string == "chunked":
            response.enable_chunked_encoding()
        response.enable_compression()
        await response.prepare(request)
        await response.write(body[:3])
        await response.write(body[3:])
        return response

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/a/{b}", echo)
    server = TestServer(app)
    await server.start_server()
    client = Client(str(server.make_url("")).rstrip("/"))
    for target in ("/a/b", "/a/b?chunked"):
        for size in (0, 10, 500_000):
            answer = await client.post(client.head(target, {"Content-Type": "a/b", "Expect": "100-continue"}), b"x" * size)
            assert (answer.status, answer.headers["x-kind"], answer.body) == (201, "a/b", b"x" * size)
    assert client.connections == 1
    assert seen[0].headers["Accept-Encoding"] == "identity"
    assert seen[0].headers["Host"] == f"127.0.0.1:{server.port}"
    await client.close()
    await server.close()


# ------------------------------------------------------------------------------------------- connections
async def test_a_connection_is_used_again(serve: Any) -> None:
    server = serve(FINE)
    async with server.serving() as client:
        for _ in range(5):
            assert (await post(client)).body == b"fine"
    assert len(server.talks) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfine",
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine",
        FINE + b"HTTP/1.1 200 OK\r\n",
    ],
)
async def test_a_connection_that_is_over_is_not_used_again(serve: Any, answer: bytes) -> None:
    server = serve(answer)
    async with server.serving() as client:
        for number in range(3):
            assert (await post(client)).body == b"fine"
            await server.talks[number].over.wait()
    assert len(server.talks) == 3


async def test_a_body_to_the_end_of_the_connection(serve: Any) -> None:
    async def script(talk: Any) -> None:
        await talk.asked()
        talk.writer.write(b"HTTP/1.1 200 OK\r\n\r\nto the")
        await talk.writer.drain()
        talk.writer.write(b" end")

    async with serve(script).serving() as client:
        assert (await post(client)).body == b"to the end"


async def test_a_connection_closed_while_unused_is_noticed(serve: Any) -> None:
    async def script(talk: Any) -> None:
        await talk.asked()
        talk.writer.write(FINE)

    server = serve(script)
    async with server.serving() as client:
        for _ in range(3):
            await post(client)
            await until(lambda: client.connections == 0)
    assert len(server.talks) == 3


async def test_words_that_nobody_asked_for_answer_nothing(serve: Any) -> None:
    more = asyncio.Event()

    async def script(talk: Any) -> None:
        await talk.asked()
        talk.writer.write(FINE)
        await more.wait()
        talk.writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await talk.ended()

    server = serve(script)
    async with server.serving() as client:
        await post(client)
        more.set()
        await until(lambda: client.connections == 0)
        assert (await post(client)).status == 200


async def test_an_unused_connection_is_closed_after_a_while(serve: Any) -> None:
    server = serve(FINE)
    async with server.serving(idle=0.05) as client:
        await post(client)
        await server.talks[0].over.wait()
        await until(lambda: client.connections == 0)


async def test_at_most_so_many_and_first_come_first_served(serve: Any) -> None:
    order: list[bytes] = []
    go = asyncio.Event()

    async def script(talk: Any) -> None:
        while True:
            order.append(await talk.asked())
            await go.wait()
            talk.writer.write(FINE)

    server = serve(script)
    async with server.serving(size=1) as client:
        asking = [asyncio.create_task(post(client, b"%02d" % number)) for number in range(20)]
        await until(lambda: len(order) == 1)
        late = asyncio.create_task(post(client, b"20"))
        go.set()
        await asyncio.gather(*asking, late)
        assert client.connections == 1
    assert order == [b"%02d" % number for number in range(21)]
    assert len(server.talks) == 1


async def test_a_place_goes_on_when_its_connection_ends(serve: Any) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    async with server.serving(size=1) as client:
        await asyncio.gather(*(post(client) for _ in range(10)))
    assert len(server.talks) == 10


async def test_waiting_too_long_for_a_place(serve: Any) -> None:
    done = asyncio.Event()

    async def script(talk: Any) -> None:
        await talk.asked()
        await done.wait()
        talk.writer.write(FINE)
        await talk.asked()
        talk.writer.write(FINE)

    server = serve(script)
    async with server.serving(size=1, connect=0.05) as client:
        first = asyncio.create_task(post(client))
        await until(lambda: bool(server.talks))
        with pytest.raises(NotReached):
            await post(client)
        done.set()
        assert (await first).body == (await post(client)).body == b"fine"

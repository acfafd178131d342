from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from bot.http import Answer, Client, NoAnswer, NotReached

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


async def post(client: Client, body: bytes = b"{}") -> Answer:
    return await client.post(client.head("/x", {}), body)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)


# ------------------------------------------------------------------------------------------- nothing was sent
@pytest.mark.parametrize("host", ["graph.invalid", "a..b", "127.0.0.1:{free}"])
async def test_not_reached(host: str) -> None:
    client = Client(f"http://{host.format(free=unused_port())}")
    for _ in range(3):
        with pytest.raises(NotReached):
            await post(client)
        assert client.connections == 0


@pytest.mark.parametrize(("connect", "total"), [(0.1, 60), (60, 0.1)])
async def test_a_server_that_never_shakes_hands(serve: Any, connect: float, total: float) -> None:
    async def script(talk: Any) -> None:
        await talk.ended()

    server = serve(script)
    async with server.serving():
        client = Client(f"https://127.0.0.1:{server.port}", connect=connect, total=total, size=1)
        for _ in range(2):
            with pytest.raises(NotReached):
                await asyncio.gather(post(client), post(client))
            await until(lambda: client.connections == 0)
        await client.close()


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/x y", {}),
        ("/x\r\n", {}),
        ("x", {}),
        ("/ñ", {}),
        ("/x", {"A": "b\r\nX: y"}),
        ("/x", {"A": "b\n"}),
        ("/x", {"A": "b\0"}),
        ("/x", {"A": "ñ"}),
        ("/x", {"A": "€"}),
        ("/x", {"A b": "c"}),
        ("/x", {"A:": "c"}),
        ("/x", {"": "c"}),
        ("/x", {"A\r\n": "c"}),
    ],
)
async def test_a_head_stays_within_its_lines(target: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a"):
        Client("http://h").head(target, headers)


@pytest.mark.parametrize("origin", ["", "graph.example", "ftp://h", "http://", "http://h:0"])
async def test_no_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="not the origin"):
        Client(origin)


# ------------------------------------------------------------------------------------------- no answer
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nConte", HALF, b"SSH-2.0-x\r\n\r\n"])
@pytest.mark.parametrize("reset", [True, False])
async def test_the_connection_ends_too_early(serve: Any, said: bytes, reset: bool) -> None:
    async def script(talk: Any) -> None:
        await talk.asked()
        talk.writer.write(said)
        await talk.writer.drain()
        if reset:
            talk.abort()

    server = serve(script)
    async with server.serving() as client:
        with pytest.raises(NoAnswer):
            await post(client)
        await until(lambda: client.connections == 0)


async def test_a_request_is_never_sent_twice(serve: Any) -> None:
    """A used connection that ends under the next request: it may have been taken."""
    asked = []

    async def script(talk: Any) -> None:
        asked.append(await talk.asked())
        talk.writer.write(FINE)
        asked.append(await talk.asked())
        talk.abort()

    async with serve(script).serving() as client:
        await post(client, b"1")
        with pytest.raises(NoAnswer):
            await post(client, b"2")
        await post(client, b"3")
    assert asked == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\n", HALF, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nx"]
)
async def test_an_answer_that_does_not_come_to_an_end(serve: Any, said: bytes) -> None:
    async def script(talk: Any) -> None:
        await talk.asked()
        for at in range(len(said)):
            talk.writer.write(said[at : at + 1])
            await talk.writer.drain()
        await talk.ended()

    server = serve(script)
    async with server.serving(total=0.1) as client:
        with pytest.raises(NoAnswer, match="in time"):
            await post(client)
        await server.talks[0].over.wait()
        await until(lambda: client.connections == 0)


@pytest.mark.parametrize(
    "said", [b"A: b\r\n" * 20_000, b"\r\n" + b"x" * 2_000, b"Transfer-Encoding: chunked\r\n\r\n" + b"2\r\nxx\r\n" * 600]
)
async def test_an_answer_too_large(serve: Any, said: bytes) -> None:
    async def script(talk: Any) -> None:
        await talk.asked()
        talk.writer.write(b"HTTP/1.1 200 OK\r\n" + said)
        await talk.ended()

    async with serve(script).serving(limit=1_000) as client:
        with pytest.raises(NoAnswer, match="too large"):
            await post(client)


async def test_an_answer_before_the_request_was_read(serve: Any) -> None:
    """What is left of the request would be taken for the next one."""

    async def script(talk: Any) -> None:
        if talk.number == 0:
            await talk.reader.readuntil(b"\r\n\r\n")
            talk.writer.transport.pause_reading()  # type: ignore[attr-defined]
        else:
            await talk.asked()
        talk.writer.write(FINE)
        await talk.writer.drain()
        await until(lambda: len(server.talks) == 2)

    server = serve(script)
    async with server.serving() as client:
        for size in (2**24, 1):
            assert (await post(client, b"x" * size)).body == b"fine"
    assert len(server.talks) == 2


# ------------------------------------------------------------------------------------------- giving up
async def test_a_cancelled_request_closes_its_connection(serve: Any) -> None:
    answer = asyncio.Event()

    async def script(talk: Any) -> None:
        while True:
            await talk.asked()
            if talk.number == 0:
                assert await talk.ended()
                answer.set()
            talk.writer.write(FINE)

    server = serve(script)
    async with server.serving(size=1) as client:
        asking = asyncio.create_task(post(client))
        await until(lambda: bool(server.talks))
        waiting = [asyncio.create_task(post(client)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        asking.cancel()
        await answer.wait()
        assert [(await task).body for task in waiting[1:]] == [b"fine", b"fine"]
        for task in (asking, waiting[0]):
            with pytest.raises(asyncio.CancelledError):
                await task
        assert client.connections == 1


async def test_the_end(serve: Any) -> None:
    server = serve(b"")
    async with server.serving(size=1) as client:
        asking, waiting = asyncio.create_task(post(client)), asyncio.create_task(post(client))
        await until(lambda: bool(server.talks))
        await asyncio.sleep(0)
        await client.close()
        for task, error in ((asking, NoAnswer), (waiting, NotReached)):
            with pytest.raises(error):
                await task
        with pytest.raises(NotReached):
            await post(client)
        assert client.connections == 0


async def test_the_end_while_a_connection_is_opened(serve: Any) -> None:
    server = serve(FINE)
    async with server.serving() as client:
        asking = asyncio.create_task(post(client))
        await asyncio.sleep(0)
        assert client.connections == 1
        await client.close()
        with pytest.raises(NotReached):
            await asking
        await until(lambda: client.connections == 0)


async def test_a_request_given_up_as_its_turn_comes(serve: Any) -> None:
    server = serve(FINE)
    async with server.serving(size=1) as client:

        async def first() -> None:
            await post(client)
            given_up.cancel()

        asking = asyncio.create_task(first())
        given_up, last = asyncio.create_task(post(client)), asyncio.create_task(post(client))
        await asking
        assert (await last).body == b"fine"
        assert given_up.cancelled()
    assert len(server.talks) == 1


async def test_a_request_given_up_as_its_answer_comes(serve: Any) -> None:
    async def script(talk: Any) -> None:
        while True:
            await talk.asked()
            talk.writer.write(FINE)
            asyncio.get_running_loop().call_soon(asking.cancel)

    server = serve(script)
    async with server.serving() as client:
        asking = asyncio.create_task(post(client))
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await post(client)).body == b"fine"
    assert len(server.talks) == 1


@pytest.mark.parametrize("seed", range(5))
async def test_answers_are_never_mixed_up(serve: Any, seed: int) -> None:
    """A server of every kind of trouble, and requests that are given up at any time: each answer is its own request's."""
    chance = random.Random(seed)

    async def script(talk: Any) -> None:
        while True:
            body = await talk.asked()
            whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            match chance.randrange(12):
                case 0:
                    return talk.abort()
                case 1:
                    return talk.writer.write(whole[:-1])
                case 2:
                    return talk.writer.write(whole)
                case 3:
                    talk.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                case 4:
                    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
                case 5:
                    await asyncio.sleep(chance.random() / 50)
            at = chance.randrange(len(whole))
            talk.writer.write(whole[:at])
            await asyncio.sleep(0)
            talk.writer.write(whole[at:])

    async def ask(number: int) -> str:
        body = b"number %d" % number
        try:
            async with asyncio.timeout(chance.random() / 20 if chance.random() < 0.3 else None):
                answer = await post(client, body)
        except TimeoutError:
            return "given up"
        except (NotReached, NoAnswer) as error:
            return type(error).__name__
        return "right" if answer.body == body else "wrong"

    server = serve(script)
    async with server.serving(size=4, total=2) as client:
        said = await asyncio.gather(*(ask(number) for number in range(300)))
        assert client.connections <= 4
    assert "wrong" not in said
    assert said.count("right") > 100

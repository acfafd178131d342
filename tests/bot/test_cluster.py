"""Several processes on one database: whose is what, and that whoever goes leaves nothing behind."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import update

from bot.cluster import BEAT, MISSED, Cluster, roles_of
from bot.live import Change
from crm_bridge.learning import service as learning
from data.session import Database, connect
from data.tables import Conversation, InboxMessage, Number, OutboxMessage, Process

HELLO, NAME, NEED, SOON = "hola", "Ana Ruiz", "un portátil", "hoy mismo"
SAID = ["first", "need", "timing", "done"]


def tags(person: Any, number: str) -> list[str]:
    return [message.text.split("]")[0].removeprefix("[") for message in person.heard(number)]


@asynccontextmanager
async def a_redis(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Redis of our own, which may be stopped; the tests fail where there is none."""
    server = shutil.which("redis-server")
    assert server, "redis-server is needed (Debian: apt-get install redis-server)"
    process = await asyncio.create_subprocess_exec(
        server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", stdout=asyncio.subprocess.DEVNULL
    )
    redis = Redis(port=port)
    try:
        for _ in range(200):
            try:
                await redis.ping()
                break
            except RedisError:
                await asyncio.sleep(0.02)
        yield process
    finally:
        await redis.aclose()
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def redis_url() -> AsyncIterator[str]:
    port = unused_port()
    async with a_redis(port):
        yield f"redis://127.0.0.1:{port}/0"


async def beside(open_shop: Any, url: str, *roles: str, **settings: Any) -> list[Any]:
    """A process of each of these roles, over one database and one WhatsApp: the first one's."""
    first = await open_shop(url, roles=roles[0], **settings)
    graph = first.url.replace("/webhooks/whatsapp", "/graph")
    shops = [first] + [await open_shop(url, graph=graph, roles=each, **settings) for each in roles[1:]]
    for shop in shops:
        await until(lambda shop=shop: len(shop.service.cluster.peers) == len(roles))
    return shops


async def until(reached: Any, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not reached():
            await asyncio.sleep(0.01)


async def all_talk(shop: Any, people: list[Any]) -> None:
    for step, text in enumerate((HELLO, NAME, NEED, SOON), 1):
        await asyncio.gather(*(person.say(shop.first, text) for person in people))
        await asyncio.gather(*(person.wait_for(shop.first, step) for person in people))


async def test_two_whole_processes_share_the_talks_and_each_is_answered_once(open_shop: Any, database_url: str) -> None:
    first, second = await beside(open_shop, database_url, "", "")
    people = [first.person(f"Ana {n}", f"+57 300 000 00{n:02}") for n in range(12)]
    await all_talk(first, people)
    await first.settled()
    assert [tags(person, first.first) for person in people] == [SAID] * 12
    talks = await first.rows(Conversation)
    whose = Counter(first.service.cluster.owner("worker", talk.id) for talk in talks)
    assert set(whose) == {first.service.cluster.id, second.service.cluster.id}
    holders = {row.holder for row in await first.rows(OutboxMessage)}
    number = await first.number()
    assert holders == {first.service.cluster.owner("sender", number.id)}, "one process keeps a number's rates"


@pytest.mark.parametrize("redis", [False, True])
async def test_each_role_in_a_process_of_its_own(open_shop: Any, database_url: str, redis_url: str, redis: bool) -> None:
    shops = await beside(open_shop, database_url, "web", "worker", "worker", "sender", redis_url=redis_url if redis else "")
    if redis:
        for shop in shops:
            await until(lambda shop=shop: shop.service.bus.up)
    people = [shops[0].person(f"Ana {n}", f"+57 300 000 00{n:02}") for n in range(6)]
    await all_talk(shops[0], people)
    for shop in shops:
        await shop.settled()
    assert [tags(person, shops[0].first) for person in people] == [SAID] * 6
    assert {row.holder for row in await shops[0].rows(OutboxMessage)} == {shops[3].service.cluster.id}


async def test_redis_may_be_frozen_flushed_and_gone(open_shop: Any, postgres_url: str) -> None:
    """Words are lost, messages are not; where it is away, that shows, and once it is back they travel again."""
    port = unused_port()
    url = f"redis://127.0.0.1:{port}/0"
    async with a_redis(port) as process:
        shops = await beside(open_shop, postgres_url, "web", "worker,sender", redis_url=url)
        web = shops[0]
        await until(lambda: all(shop.service.bus.up for shop in shops))
        ana = web.person()
        await web.talk(ana, web.first, HELLO)
        process.send_signal(19)  # SIGSTOP
        await ana.say(web.first, NAME)
        await ana.wait_for(web.first, 2, timeout=5)
        process.kill()
        await until(lambda: not any(shop.service.bus.up for shop in shops))
        home = web.url.removesuffix("/webhooks/whatsapp")
        async with web.http.get(home + "/readyz") as answer:
            assert (answer.status, (await answer.json())["degraded"]) == (200, ["redis"])
        await web.talk(ana, web.first, NEED)
    async with a_redis(port):
        await until(lambda: all(shop.service.bus.up for shop in shops))
        await web.talk(ana, web.first, SOON)
    assert tags(ana, web.first) == SAID


async def test_what_changed_shows_on_the_pages_of_every_process(open_shop: Any, database_url: str, redis_url: str) -> None:
    first, second = await beside(open_shop, database_url, "", "web", redis_url=redis_url)
    await until(lambda: first.service.bus.up and second.service.bus.up)
    company = (await first.number()).company_id
    with second.service.live.listen(company) as changes:
        await first.talk(first.person(), first.first, HELLO)
        (talk,) = await first.rows(Conversation)
        assert await asyncio.wait_for(changes.get(), 5) == Change("conversation", talk.id)


async def test_an_edited_number_is_noticed_by_the_others(open_shop: Any, sqlite_url: str, redis_url: str) -> None:
    first, second = await beside(open_shop, sqlite_url, "", "", redis_url=redis_url)
    await until(lambda: first.service.bus.up and second.service.bus.up)
    number = await first.number()
    await first.database.write(lambda session: session.execute(update(Number).values(bot_name="Sol")))
    await first.service.numbers.edited(first.service.database)
    await until(lambda: second.service.numbers.by_id(number.id).row.bot_name == "Sol", 5)


async def test_of_two_schedulers_one_does_the_work(open_shop: Any, sqlite_url: str) -> None:
    shops = await beside(open_shop, sqlite_url, "", "scheduler", "web")
    assert [shop.service.cluster.leads("scheduler") for shop in shops] == [True, False, False]


@asynccontextmanager
async def a_cluster(url: str, *, beats: bool = True) -> AsyncIterator[tuple[Cluster, Database]]:
    from bot.clock import Clock

    database = connect(url)
    cluster = Cluster(database, Clock(), roles_of([]), lambda: None)
    await cluster.join()
    task = asyncio.create_task(cluster.run()) if beats else None
    yield cluster, database
    if task is not None:
        task.cancel()
    await database.close()


async def elsewhere(database: Database, cluster: Cluster) -> None:
    """Make a process look as if it ran on another machine: nobody can see there whether it is still running."""
    moved = update(Process).where(Process.id == cluster.id).values(host="elsewhere")
    await database.write(lambda session: session.execute(moved))


async def test_who_shows_no_sign_of_life_is_buried_and_joins_anew_when_it_wakes(database_url: str) -> None:
    async with (
        a_cluster(database_url, beats=False) as (frozen, other),
        a_cluster(database_url, beats=False) as (living, _),
    ):
        await elsewhere(other, frozen)
        assert frozen.id in living.peers
        for _ in range(2 * MISSED):
            await living._beat()
        assert frozen.id in living.peers, "many looks in no time say nothing"
        await asyncio.sleep(MISSED * BEAT)
        await living._beat()
        assert set(living.peers) == {living.id}
        buried = frozen.id
        await frozen._beat()
        assert frozen.id != buried
        assert set(frozen.peers) == {frozen.id, living.id}


async def test_who_died_on_this_machine_is_buried_at_once(database_url: str) -> None:
    async with a_cluster(database_url, beats=False) as (dead, database):
        gone = update(Process).where(Process.id == dead.id).values(born=dead._born - 5000)
        await database.write(lambda session: session.execute(gone))
        async with a_cluster(database_url, beats=False) as (living, _):
            assert set(living.peers) == {living.id}


async def test_what_a_dead_sender_had_under_way_is_not_sent_twice(open_shop: Any, database_url: str) -> None:
    """Its message came through, and its status tells so; what was queued behind it is sent by the one that takes over."""
    shop = await open_shop(database_url, reconcile_seconds=2)
    ana = shop.person()
    await shop.talk(ana, shop.first, HELLO, NAME)
    async with a_cluster(database_url, beats=False) as (dead, database):
        held = update(OutboxMessage).values(state="sending", rank=5, holder=dead.id)
        first, second = await shop.rows(OutboxMessage)
        await shop.database.write(lambda session: session.execute(held.where(OutboxMessage.id == first.id)))
        queued = update(OutboxMessage).where(OutboxMessage.id == second.id).values(state="queued", rank=0, holder=None)
        await shop.database.write(lambda session: session.execute(queued))
        await elsewhere(database, dead)
        await until(lambda: dead.id in shop.service.cluster.peers)
        await until(lambda: dead.id not in shop.service.cluster.peers)
        await until(lambda: shop.service.sender.waiting == 2)
        assert tags(ana, shop.first) == SAID[:2], "the second one waits for the first"
        told = {"id": first.external_id, "status": "read", "timestamp": "1795000000", "biz_opaque_callback_data": str(first.id)}
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": shop.first}, "statuses": [told]}
        assert await shop.post(value) == 200
        await ana.wait_for(shop.first, 3)
        await shop.settled()
    assert tags(ana, shop.first) == ["first", "need", "need"]


async def test_only_what_was_the_gone_ones_changes_hands(sqlite_url: str) -> None:
    async with (
        a_cluster(sqlite_url, beats=False) as (first, _),
        a_cluster(sqlite_url, beats=False) as (second, _),
        a_cluster(sqlite_url, beats=False) as (third, _),
    ):
        await first._beat()
        keys = range(10**15, 10**15 + 3000)
        before = {key: first.owner("worker", key) for key in keys}
        assert before == {key: third.owner("worker", key) for key in keys}
        assert all(900 < count < 1100 for count in Counter(before.values()).values())
        await second.leave()
        await first._beat()
        after = {key: first.owner("worker", key) for key in keys}
        assert all(after[key] == before[key] for key in keys if before[key] != second.id)
        assert Counter(after.values()).keys() == {first.id, third.id}


async def test_two_processes_never_make_the_same_id(sqlite_url: str) -> None:
    async with a_cluster(sqlite_url, beats=False) as (_, database), a_cluster(sqlite_url, beats=False):
        rows = await database.read(lambda session: session.query(Process).all())
        assert sorted(row.node for row in rows) == [0, 1]


async def test_one_who_ends_gets_nothing_new_and_leaves_nothing(open_shop: Any, sqlite_url: str) -> None:
    first = await open_shop(sqlite_url)
    async with a_cluster(sqlite_url, beats=False) as (ending, _):
        await until(lambda: ending.id in first.service.cluster.peers)
        await ending.retire()
        await until(lambda: not first.service.cluster.having("worker"))
        await ending.leave()
        await until(lambda: first.service.cluster.alone)
    ana = first.person()
    await first.talk(ana, first.first, HELLO)
    assert (await first.rows(InboxMessage))[0].state == "done"
    first.service.clock.advance(timedelta(hours=1))
    await asyncio.sleep(0)
    assert first.service.cluster.alone, "a clock that jumps makes nobody dead"


def test_roles_are_named() -> None:
    assert roles_of(["web,worker", "sender"]) == {"web", "worker", "sender"}
    assert roles_of([]) == {"web", "worker", "sender", "scheduler"}
    with pytest.raises(ValueError, match="no role 'wbe'"):
        roles_of(["wbe"])


async def test_what_is_published_in_one_process_is_understood_in_the_others(
    open_shop: Any, sqlite_url: str, redis_url: str
) -> None:
    web, worker = await beside(open_shop, sqlite_url, "web", "worker,sender", redis_url=redis_url)
    await until(lambda: web.service.bus.up and worker.service.bus.up)
    number = await web.number()
    assert worker.service.numbers.by_id(number.id).nlu.understand("la listica porfa").intent != "catalog"

    def publish(session: Any) -> None:
        now = web.service.clock.now()
        learning.add(session, {"listica porfa": "la listica porfa"}, "catalog", None, now)  # type: ignore[arg-type]
        lesson = learning.begin(session, None, now)  # type: ignore[arg-type]
        learning.note(session, lesson.id, state="tried")
        learning.publish(session, lesson.id, None, now)  # type: ignore[arg-type]

    await web.database.write(publish, company=number.company_id)
    await web.service.numbers.edited(web.database)
    await until(lambda: worker.service.numbers.by_id(number.id).nlu.understand("la listica porfa").intent == "catalog")
    await until(lambda: worker.service.numbers.by_id(number.id).nlu.understand("me da la listica porfa").intent == "catalog", 20)

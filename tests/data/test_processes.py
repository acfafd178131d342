"""The processes that serve a database: told apart by their nodes, alive while they beat."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy.orm import Session

from data import processes
from data.session import Database
from data.tables import Process
from data.types import NODES, new_id

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def join(session: Session) -> tuple[int, int]:
    return processes.register(session, "web,worker", "here", 4711, 99, NOW)


async def test_each_has_the_lowest_free_node_and_shows_that_it_lives(database: Database) -> None:
    first, second, third = [await database.write(join) for _ in range(3)]
    assert [node for _, node in (first, second, third)] == [0, 1, 2]
    await database.write(partial(processes.remove, ids=[second[0]]))
    fourth = await database.write(join)
    assert fourth[1] == 1
    await database.write(partial(processes.beat, process_id=third[0]))
    rows = await database.write(partial(processes.beat, process_id=third[0]))
    assert rows is not None
    assert [(row.id, row.node, row.beat) for row in rows] == [(*first, 0), (*third, 2), (*fourth, 0)]
    assert (rows[0].roles, rows[0].host, rows[0].pid, rows[0].born) == ("web,worker", "here", 4711, 99)
    await database.write(partial(processes.remove, ids=[third[0]]))
    assert await database.write(partial(processes.beat, process_id=third[0])) is None


async def test_there_are_so_many_nodes_and_no_more(database: Database) -> None:
    def fill(session: Session) -> None:
        session.add_all(
            Process(id=new_id(), node=node, roles="", host="", pid=1, born=1, started_at=NOW) for node in range(NODES)
        )

    await database.write(fill)
    with pytest.raises(processes.TooManyProcesses):
        await database.write(join)

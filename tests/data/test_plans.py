"""What a statement of the hot path costs does not grow with what is stored: each finds its rows by an index."""

from __future__ import annotations

import re
import sqlite3

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from crm_bridge import journal
from crm_bridge.assignment import ledger, opening, sellers
from crm_bridge.assignment import service as assignment
from crm_bridge.leads import service as leads
from crm_bridge.people import service as people
from data import dialog_state, inbox, outbox, scope
from data.postgres import SERVER, WRITING
from data.prepared import Prepared
from data.sqlite import SqliteDatabase

FEW = {"numbers", "processes", "teams", "json_each"}
"""Tables that stay small."""
OF_WHAT_WAITS = ("ix_inbox_messages_waiting", "ix_outbox_messages_waiting", "ix_outbox_messages_lane", "uq_assignments_open")
"""Indexes that hold only what is not done."""
TABLES = {table.name for table in inbox.OUTBOX.metadata.sorted_tables} - FEW
STATEMENTS = [
    pytest.param(statement, id=f"{module.__name__}.{name}")
    for module in (inbox, outbox, dialog_state, people, leads, journal, assignment, ledger, sellers, opening, scope)
    for name, statement in vars(module).items()
    if isinstance(statement, Prepared)
]


def _reads_all(step: str) -> bool:
    found = re.match(r"SCAN (\w+)", step)
    return found is not None and found[1] in TABLES and not step.endswith(OF_WHAT_WAITS)


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_no_statement_reads_a_table_from_end_to_end(statement: Prepared, sqlite_url: str) -> None:
    database = SqliteDatabase(str(make_url(sqlite_url).database))
    sql = await database.read(lambda session: statement._for(session.get_bind().dialect).sql)
    await database.close()
    with sqlite3.connect(str(make_url(sqlite_url).database)) as file:
        steps = [step for *_, step in file.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))]
    file.close()
    assert not [step for step in steps if _reads_all(step)], steps


async def test_nor_by_a_plan_that_postgresql_made_while_all_was_empty(postgres_url: str) -> None:
    """It keeps the plan of a prepared statement: that has to hold when there are millions."""
    settings = SERVER | WRITING | {"plan_cache_mode": "force_generic_plan"}
    connection = await asyncpg.connect(postgres_url, server_settings=settings)
    wrong = []
    for statement in STATEMENTS:
        (prepared,) = statement.values
        compiled = prepared._for(PGDialect_asyncpg())
        for sql in {compiled.sql, compiled.at_once} - {""}:
            await connection.execute(f"PREPARE hot AS {sql}")
            nothing = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", sql))))
            plan = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE hot{f' ({nothing})' if nothing else ''}")
            await connection.execute("DEALLOCATE hot")
            steps = "\n".join(line for (line,) in plan)
            wrong += [f"{statement.id}: {step}\n{steps}" for step in _whole(steps)]
    await connection.close()
    assert not wrong, "\n\n".join(wrong)


def _whole(plan: str) -> list[str]:
    """The steps that read a table, or an index of it, whole: none of the columns that tell rows apart bounds them."""
    found = []
    for step in re.split(r"\n(?= *->)|\n(?=  (?:CTE|SubPlan))", plan):
        read = re.search(r"(Seq Scan|Index Scan|Index Only Scan|Bitmap Index Scan)(?: using (\w+))? on (\w+)", step)
        if read is None or (read[1] != "Bitmap Index Scan" and read[3] not in TABLES):
            continue
        if (read[2] or read[3]).startswith(OF_WHAT_WAITS):
            continue
        bounds = re.search(r"Index Cond: (.*)", step)
        columns = set(re.findall(r"\(+(\w+)\)?(?:::\w+)? [=<>]", bounds[1] if bounds else ""))
        if not columns - {"channel", "state", "rank"}:
            found.append(step.strip().splitlines()[0])
    return found

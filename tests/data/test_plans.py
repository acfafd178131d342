"""What a statement of the hot path costs does not grow with what is stored: each finds its rows by an index."""

from __future__ import annotations

import re
import sqlite3

import pytest
from sqlalchemy import make_url

from crm_bridge.leads import service as leads
from crm_bridge.people import service as people
from data import dialog_state, inbox, outbox
from data.prepared import Prepared
from data.sqlite import SqliteDatabase

FEW = {"numbers", "processes", "json_each"}
"""Tables that stay small."""
OF_WHAT_WAITS = ("ix_inbox_messages_waiting", "ix_outbox_messages_waiting", "ix_outbox_messages_lane")
"""Indexes that hold only what is not done."""
TABLES = {table.name for table in inbox.OUTBOX.metadata.sorted_tables} - FEW
STATEMENTS = [
    pytest.param(statement, id=f"{module.__name__}.{name}")
    for module in (inbox, outbox, dialog_state, people, leads)
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

"""A database with a past: stored conversations by the million, with people, identities, messages and statuses, in bulk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import asyncpg
from sqlalchemy import make_url

from bot.bench.prospects import known_phone
from crm_bridge.people.rules import canonical_phone

_BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
_APART = timedelta(seconds=30)
"""A million talks in 347 days."""
_FIRST_ID = (_BEGAN - datetime(2024, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
"""Ids grow with time (data/types.py)."""
_CHUNK = 20_000
_BODY = b'{"object":"whatsapp_business_account","entry":[{"id":"WABA","changes":[{"field":"messages","value":%b}]}]}' % (
    b"x" * 500
)
_IN = '{"channel":"whatsapp","kind":"text","text":"Un sistema de ventas para la ferretería"%s}' % ("," + '"x":0,' * 30 + '"x":0')
_OUT = '{"type":"text","body":"¿Cómo se llama la empresa?"}'
COLUMNS = {
    "people": "id company_id name profile_name phone language created_at",
    "identities": "id company_id person_id kind value created_at",
    "webhook_bodies": "id channel body state received_at",
    "conversations": (
        "id company_id number_id person_id recipient owner status score priority reasons preview unread last_in_at created_at"
    ),
    "inbox_messages": "id company_id body_id conversation_id channel external_id kind text payload at received_at state tries",
    "outbox_messages": (
        "id company_id number_id conversation_id channel recipient kind text payload state rank tries due_at external_id "
        "created_at sent_at"
    ),
    "delivery_statuses": "id channel external_id status outbox_id at",
}
Rows = dict[str, list[Sequence[Any]]]


async def seed(url: str, start: int, end: int) -> None:
    """Store the talks from place `start` in time to `end`, with the first number: two messages each way, two statuses each.
    Nothing else may have a SQLite database open."""
    if make_url(url).get_backend_name() == "sqlite":
        _sqlite(str(make_url(url).database), start, end)
    else:
        await _postgres(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), start, end)


def _sqlite(path: str, start: int, end: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):  # it is thrown away when something goes wrong
        connection.execute(f"PRAGMA {pragma}")
    number, company = connection.execute("SELECT id, company_id FROM numbers ORDER BY id LIMIT 1").fetchone()
    zero = datetime(1970, 1, 1, tzinfo=UTC)
    microsecond = timedelta(microseconds=1)
    for rows in _chunks(number, company, start, end, lambda at: (at - zero) // microsecond):
        connection.execute("BEGIN")
        for table, columns in COLUMNS.items():
            names = columns.split()
            marks = ", ".join("?" * len(names))
            connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows[table])  # noqa: S608
        connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA optimize")
    connection.close()


async def _postgres(url: str, start: int, end: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SET session_replication_role = replica; SET synchronous_commit = off"
        )  # no checks of foreign keys
        found = await connection.fetchrow("SELECT id, company_id FROM numbers ORDER BY id LIMIT 1")
        for rows in _chunks(found["id"], found["company_id"], start, end, lambda at: at):
            for table, columns in COLUMNS.items():
                await connection.copy_records_to_table(table, records=rows[table], columns=columns.split())
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _chunks(number: int, company: int, start: int, end: int, instant: Callable[[datetime], Any]) -> Iterator[Rows]:
    talks = (_talk(number, company, at, instant) for at in range(start, end))
    while some := list(islice(talks, _CHUNK)):
        rows: Rows = {table: [] for table in COLUMNS}
        for talk in some:
            for table, found in talk.items():
                rows[table] += found
        yield rows


def _talk(number: int, company: int, place: int, instant: Callable[[datetime], Any]) -> Rows:
    at, ids = instant(_BEGAN + place * _APART), _FIRST_ID + place * 30_000 << 22
    phone, channel = str(known_phone(place)), "whatsapp"
    person, talk = ids + 1, ids + 2
    recipient = f'{{"phone":"{phone}","bsuid":"PE.{phone}"}}'
    rows: Rows = {
        "people": [(person, company, None, "Ana", f"+{phone}", "es", at)],
        "identities": [
            (ids + 3, company, person, "phone", canonical_phone(phone), at),
            (ids + 4, company, person, "bsuid", f"PE.{phone}", at),
        ],
        "webhook_bodies": [],
        "conversations": [
            (talk, company, number, person, recipient, "bot", "open", 0, "cold", "[]", "Un sistema de ventas", 2, at, at)
        ],
        "inbox_messages": [],
        "outbox_messages": [],
        "delivery_statuses": [],
    }
    for turn in (10, 20):
        body, said, told = ids + turn, ids + turn + 1, ids + turn + 2
        mine, theirs = f"wamid.HBgL{phone}FQIAERgS{said:018X}", f"wamid.HBgL{phone}FQIAERgS{told:018X}"
        rows["webhook_bodies"].append((body, channel, _BODY, "split", at))
        rows["inbox_messages"].append((said, company, body, talk, channel, mine, "text", "Ana Torres", _IN, at, at, "done", 0))
        rows["outbox_messages"].append(
            (told, company, number, talk, channel, recipient, "text", _OUT[22:48], _OUT, "read", 60, 0, at, theirs, at, at)
        )
        rows["delivery_statuses"] += [
            (told + after, channel, theirs, status, told, at) for after, status in ((1, "sent"), (2, "read"))
        ]
    return rows

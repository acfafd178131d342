"""What the service's database says, read and now and then changed from outside."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import Any

import asyncpg
from sqlalchemy import make_url

from tests.chaos.prospects import step_of

Line = tuple[str | None, int | None]
"""A line of the script by the phone that said it and its step, from 1."""
ENDLESS = "wamid.flood.person."


class Books:
    """The database of a DATABASE_URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._file = str(make_url(url).database) if url.startswith("sqlite") else None

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement, committed; its rows."""
        if self._file is not None:
            return await asyncio.to_thread(self._in_file, sql)
        connection = await asyncpg.connect(self.url, timeout=20)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    def _in_file(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(str(self._file), timeout=20, isolation_level=None)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    async def refuse_preview(self, text: str) -> None:
        """From now on the database refuses every turn of a conversation whose newest message is this text."""
        if self._file is not None:
            when = f"WHEN NEW.preview = '{text}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
            await self.rows(f"CREATE TRIGGER refused BEFORE UPDATE ON conversations {when}")
        else:
            await self.rows(f"ALTER TABLE conversations ADD CONSTRAINT refused CHECK (preview <> '{text}') NOT VALID")

    async def unanswered(self) -> int:
        """Messages that are to be answered, but for those of somebody who writes more than WhatsApp lets us answer."""
        found = await self.rows(f"SELECT count(*) FROM inbox_messages WHERE state = 'new' AND external_id NOT LIKE '{ENDLESS}%'")
        return int(found[0][0])

    async def states(self, external_id: str) -> dict[str, int]:
        """How many messages there are by state, of those whose id begins so."""
        like = f"external_id LIKE '{external_id}%'"
        return dict(await self.rows(f"SELECT state, count(*) FROM inbox_messages WHERE {like} GROUP BY state"))

    async def waiting(self) -> set[str | None]:
        """The phones for which there is a message that has not left for sure."""
        rows = await self.rows("SELECT recipient FROM outbox_messages WHERE rank < 20")
        return {json.loads(recipient).get("phone") for (recipient,) in rows}

    async def doubtful(self) -> set[str | None]:
        """The phones for which there is a message that may have left."""
        rows = await self.rows("SELECT recipient FROM outbox_messages WHERE state IN ('sending', 'uncertain')")
        return {json.loads(recipient).get("phone") for (recipient,) in rows}

    async def stored(self) -> set[str]:
        return {message for (message,) in await self.rows("SELECT external_id FROM inbox_messages")}

    async def marked(self) -> set[Line]:
        """The lines whose answer is marked uncertain."""
        rows = await self.rows(
            "SELECT recipient, text FROM outbox_messages"
            " WHERE state = 'uncertain' OR state = 'parked' AND error LIKE '%uncertain%'"
        )
        return {(json.loads(recipient).get("phone"), step_of(text)) for recipient, text in rows}

    async def about(self, line: Line) -> str:
        """Everything that was written of a line whose answer was not heard."""
        phone, step = line
        asked = await self.rows(
            f"SELECT text, state, tries, error FROM inbox_messages WHERE payload LIKE '%{phone}%' ORDER BY id"
        )
        answers = await self.rows(
            f"SELECT text, state, tries, error FROM outbox_messages WHERE CAST(recipient AS TEXT) LIKE '%{phone}%' ORDER BY id"
        )
        return f"{phone} misses the answer to line {step}; they said {asked}, and were told {answers}"

"""`make revision MESSAGE=…`: write a migration for what the tables have and an up-to-date database has not."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from data import schema
from data.session import connect


async def main(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = connect(f"sqlite:///{Path(folder) / 'head.db'}")
        await schema.upgrade(database)
        await database.write(lambda session: schema.make_revision(session.connection(), message))
        await database.close()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.exit('say what changes: make revision MESSAGE="add quotes"')
    asyncio.run(main(sys.argv[1]))

"""The schema's version: which one the database has, which one the code wants, and the way between."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from data.session import Database


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def wanted() -> str:
    """The revision that this code works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def behind(revision: str | None) -> bool:
    """Whether a database at `revision` lacks what this code works with. One that is ahead does not: a newer version has migrated
    it while this one still runs, and migrations only add."""
    script = ScriptDirectory.from_config(_config())
    known = {each.revision for each in script.walk_revisions()}
    return revision is None or (revision in known and revision != script.get_current_head())


async def current(database: Database) -> str | None:
    """The revision that the database is at; None when it is empty."""
    return await database.read(lambda session: MigrationContext.configure(session.connection()).get_current_revision())


async def upgrade(database: Database) -> None:
    """Bring the database to the wanted revision; does nothing when it is there."""

    def run(session: Session) -> None:
        command.upgrade(_config(session.connection()), "head")

    await database.write(run, patience=3600)


def make_revision(connection: Connection, message: str) -> None:
    """Write a migration for what the tables have and the database has not; `connection` is to a database at head."""
    command.revision(_config(connection), message, autogenerate=True)

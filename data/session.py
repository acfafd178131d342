"""The database: one `write` and one `read`, the same on SQLite and PostgreSQL. Work is a plain function of a Session."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from data.postgres import PostgresDatabase
from data.scope import T, Work
from data.sqlite import SqliteDatabase


class Database(Protocol):
    dialect: str

    async def write(self, work: Work[T], company: int | None = None, patience: float = 10.0) -> T:
        """Run `work` in a transaction; when this returns, its changes are durable. What it raises undoes it, as does a PostgreSQL
        that is not done with it after `patience` seconds."""

    async def read(self, work: Work[T], company: int | None = None) -> T:
        """Run `work` against a consistent view; whatever it writes is thrown away."""

    async def close(self) -> None: ...


_OF_THE_WORK = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
_CLASSES_OF_THE_WORK = ("0A", "21", "22", "23", "42", "P0")
"""The SQLSTATE classes of PostgreSQL (its manual, appendix A) that tell of values and statements."""


def is_away(error: Exception) -> bool:
    """Whether `error` is the database's own trouble (it starts, stops, is cut off, has no room), and not that of the work it was
    given. From asyncpg most of either kind come as a bare DBAPIError: the SQLSTATE tells them apart."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError)
    state = getattr(error.orig, "sqlstate", None) or ""
    return not isinstance(error, _OF_THE_WORK) and not state.startswith(_CLASSES_OF_THE_WORK)


def connect(url: str) -> Database:
    """Open the database of a `DATABASE_URL`: sqlite:///path or postgresql://…  ValueError for any other."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database:
            raise ValueError("DATABASE_URL: give SQLite a file, such as sqlite:///var/mostrador.db")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return SqliteDatabase(parsed.database)
    if parsed.get_backend_name() == "postgresql":
        return PostgresDatabase(parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False))
    raise ValueError(f"DATABASE_URL: {parsed.get_backend_name()} is not supported; use sqlite:///… or postgresql://…")

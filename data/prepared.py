"""Core statements that are compiled once a dialect and run on the driver's own cursor, in the session's transaction.

On a hot path SQLAlchemy's execution costs more than what the database does. Here it still writes the SQL, its types convert the
values and its errors are raised; what a run leaves out is everything else: events, execution contexts, result objects, autoflush.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NoReturn

from sqlalchemy import ARRAY, Boolean, Column, Connection, Dialect, Insert, Table, Text, Update, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import TypeDecorator, TypeEngine

from data.types import to_json

Row = Mapping[str, Any]
Convert = Callable[[Any], Any]


class _ListOf(TypeDecorator[Sequence[Any]]):
    """A list in one bind: an array on PostgreSQL, JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return list(value or ()) if dialect.name == "postgresql" else to_json(list(value or ()))


class among(FunctionElement[bool]):  # noqa: N801 - a function in SQL
    """`among(column, "ids")`: the column is one of the list that is given as `ids`. The SQL is the same however long it is."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: Column[Any], given: str) -> None:
        super().__init__(column, bindparam(given, type_=_ListOf(column.type)))

    def self_group(self, against: Any = None) -> Any:
        """It stands as it is: SQLAlchemy would write `… = 1` for SQLite, which then uses no index."""
        return self


@compiles(among)
def _any(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, given = element.clauses
    return f"{compiler.process(column, **kw)} = ANY ({compiler.process(given, **kw)})"


@compiles(among, "sqlite")
def _each(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, given = element.clauses
    return f"{compiler.process(column, **kw)} IN (SELECT value FROM json_each({compiler.process(given, **kw)}))"  # noqa: S608


_BIND = re.compile(r"\$(\d+)(?:::[A-Z]+(?:\([\d, ]+\))?(?: WITH TIME ZONE| PRECISION)?)?")
"""A bind in the SQL for asyncpg, with its cast."""
_VALUES = re.compile(r" VALUES \(.*\)(?= ON CONFLICT|$)")


def _at_once(sql: str, types: Sequence[str]) -> str:
    """An INSERT or UPDATE for asyncpg, for all rows in one execution: each bind becomes an array, with the values of all rows."""
    given = f"unnest({', '.join(f'${at}::{kind}[]' for at, kind in enumerate(types, 1))})"
    if sql.startswith("INSERT"):
        return _VALUES.sub(f" SELECT * FROM {given}", sql, count=1)  # noqa: S608
    changed, _, where = _BIND.sub(r"given.v\1", sql).partition(" WHERE ")
    columns = ", ".join(f"v{at}" for at in range(1, len(types) + 1))
    return f"{changed} FROM {given} AS given ({columns}) WHERE {where}"


def _waves(rows: Sequence[Row], by: str) -> Iterator[list[Row]]:
    """The rows in groups that hold each value of `by` once: what comes later for the same one is done later."""
    while rows:
        first: dict[Any, Row] = {}
        later = [row for row in rows if first.setdefault(row[by], row) is not row]
        yield list(first.values())
        rows = later


class _Compiled:
    """One statement for one dialect: its text, how a row of values becomes its binds, and how a found row is read."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        table = statement.table if isinstance(statement, Insert) else None
        keys = list(table.columns.keys()) if isinstance(table, Table) else None
        compiled = statement.compile(dialect=dialect, column_keys=keys)  # type: ignore[attr-defined]
        self.sql = str(compiled)
        names = list(compiled.positiontup or ())
        types = [compiled.binds[name].type for name in names]
        self._constants = {name: compiled.binds[name].effective_value for name in names if not compiled.binds[name].required}
        if isinstance(table, Table):
            self._constants |= {column.key: _default(column) for column in table.columns if not _is_made(column)}
        self._only = frozenset(names) if keys else None
        self._take = _taker(names)
        self._writers = _converters([kind.dialect_impl(dialect).bind_processor(dialect) for kind in types])
        found = _columns(statement)
        self.at_once = ""
        """On PostgreSQL: the statement for many rows in one execution."""
        self.updates = isinstance(statement, Update)
        if dialect.name == "postgresql" and self.sql.startswith(("INSERT", "UPDATE")) and not found:
            self.at_once = _at_once(self.sql, [kind.dialect_impl(dialect).compile(dialect) for kind in types])
        self.columns = tuple(column.key for column in found)
        self.readers = _converters([column.type.dialect_impl(dialect).result_processor(dialect, None) for column in found])

    def binds(self, row: Row) -> Sequence[Any]:
        """The values of a row in the order of the binds. KeyError when one is missing, or none of the table's."""
        given = {**self._constants, **row} if self._constants else row
        if self._only is not None and len(given) != len(self._only):
            raise KeyError(f"not of the table: {sorted(given.keys() ^ self._only)}")
        if not self._writers:
            return self._take(given)
        values = list(self._take(given))
        for index, write in self._writers:
            values[index] = write(values[index])
        return values


def _taker(names: Sequence[str]) -> Callable[[Row], Sequence[Any]]:
    return itemgetter(*names) if len(names) > 1 else lambda row: [row[name] for name in names]


def _default(column: Column[Any]) -> Any:
    return column.default.arg if isinstance(column.default, ScalarElementColumnDefault) else None


def _is_made(column: Column[Any]) -> bool:
    """Whether the column has no constant to stand for it: a key that the caller makes, a value that must be given."""
    return column.primary_key or (column.default is None and not column.nullable)


def _converters(converters: Sequence[Convert | None]) -> list[tuple[int, Convert]]:
    return [(index, convert) for index, convert in enumerate(converters) if convert is not None]


def _columns(statement: Executable) -> Sequence[Any]:
    if isinstance(statement, Select):
        return list(statement.selected_columns)
    return list(statement.exported_columns) if isinstance(statement, UpdateBase) and statement._returning else []


class Prepared:
    """A Core statement, or one for each dialect; each run is one round trip. Errors are SQLAlchemy's.

    An INSERT names every column: what a row leaves out is the column's default. IN is written `among`. A bind whose type does not
    follow from a column beside it is given one."""

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            statement = self._statement[dialect.name] if isinstance(self._statement, Mapping) else self._statement
            found = self._compiled[dialect.name] = _Compiled(statement, dialect)
        return found

    def many(self, session: Session, rows: Sequence[Row], by: str | None = None) -> None:
        """Run it for each row; none is nothing. `by` names the value that orders them: processes that change the same rows then
        wait for each other, and never in a ring. On PostgreSQL all rows are one execution, which costs a third; an UPDATE's then
        need `by`, and each changes the row that it tells."""
        if not rows:
            return
        connection = connection_of(session)
        compiled = self._for(connection.dialect)
        ordered = sorted(rows, key=itemgetter(by)) if by is not None and len(rows) > 1 else rows
        if len(rows) == 1 or not compiled.at_once or (compiled.updates and by is None):
            run(connection, compiled.sql, [compiled.binds(row) for row in ordered], many=True)
            return
        for wave in _waves(ordered, by) if compiled.updates and by is not None else [ordered]:
            run(connection, compiled.at_once, list(zip(*map(compiled.binds, wave), strict=True)))

    def tuples(self, session: Session, given: Row) -> list[tuple[Any, ...]]:
        """The rows that it finds or returns."""
        connection = connection_of(session)
        compiled = self._for(connection.dialect)
        found = run(connection, compiled.sql, compiled.binds(given)).fetchall()
        rows = []
        for row in found:
            values = list(row)
            for index, read in compiled.readers:
                values[index] = read(values[index])
            rows.append(tuple(values))
        return rows

    def dicts(self, session: Session, given: Row) -> list[dict[str, Any]]:
        """The rows that it finds or returns, by column."""
        columns = self._for(connection_of(session).dialect).columns
        return [dict(zip(columns, row, strict=True)) for row in self.tuples(session, given)]


def insert_new(table: Table) -> Mapping[str, Insert]:
    """An insert that passes over rows that are there already, by dialect."""
    return {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing(),
    }


def connection_of(session: Session) -> Connection:
    """The session's connection, without making the session begin anything."""
    return session.bind if isinstance(session.bind, Connection) else session.connection()


def run(connection: Connection, sql: str, values: Sequence[Any] = (), *, many: bool = False) -> DBAPICursor:
    """Run driver SQL in the connection's transaction. Errors are SQLAlchemy's; a connection that broke leaves its pool, with the
    others that are as old."""
    cursor = connection.connection.cursor()
    try:
        if many:
            cursor.executemany(sql, values)
        else:
            cursor.execute(sql, values)
    except BaseException as error:
        _fail(connection, error, sql, values, cursor)
    return cursor


def _fail(connection: Connection, error: BaseException, sql: str, values: Any, cursor: DBAPICursor) -> NoReturn:
    """The way that SQLAlchemy's own executions take: it has no public name."""
    connection._handle_dbapi_exception(error, sql, values, cursor, None)

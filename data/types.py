"""Column types that mean the same on SQLite and PostgreSQL, and the ids of rows."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Dialect, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

NODES = 2048
"""Processes that may be registered at a time; each makes ids of its own."""


_encode = msgspec.json.Encoder().encode
from_json = msgspec.json.Decoder().decode


def to_json(value: Any) -> str:
    return _encode(value).decode()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant: `timestamptz` on PostgreSQL, microseconds since 1970 on SQLite (sorts, compares, costs little)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        if dialect.name == "sqlite":
            return (value - _EPOCH) // _MICROSECOND
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        instant: datetime = value.astimezone(UTC)
        return instant


class Json(TypeDecorator[Any]):
    """Any JSON value: `jsonb` on PostgreSQL, text on SQLite; msgspec does the work."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return msgspec.to_builtins(value)
        return to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return from_json(value)


class Ids:
    """Row ids that grow with time and need no database: 41 bits of milliseconds since 2024, 12 bits of process, 10 of sequence.

    `node` tells processes apart: a registered one (data/processes.py) has 0 to 2047, any other takes a random one above."""

    _START = 1_704_067_200_000
    _SEQUENCE = 0x3FF

    def __init__(self, node: int | None = None) -> None:
        self._node = NODES + secrets.randbelow(NODES) if node is None else node
        self._last = 0

    def __call__(self) -> int:
        fresh = (int(time.time() * 1000) - self._START) << 22 | self._node << 10
        if fresh > self._last:
            self._last = fresh
        elif self._last & self._SEQUENCE == self._SEQUENCE:  # 1,024 in one millisecond, or the clock went back: borrow the next
            self._last = ((self._last >> 22) + 1) << 22 | self._node << 10
        else:
            self._last += 1
        return self._last

    def use(self, node: int) -> None:
        """Make the ids of `node` from here on."""
        self._node = node
        self._last |= self._SEQUENCE

    def at_least(self, stored: int) -> None:
        """Make larger ids than `stored`, whatever the clock says: it may have gone back since another process made that one."""
        self._last = max(self._last, stored | self._SEQUENCE)


new_id = Ids()

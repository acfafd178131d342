"""The base of all tables: names of constraints, and the company that every row belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from data.types import Json, UtcDateTime, new_id

_KEY = BigInteger().with_variant(Integer, "sqlite")
"""SQLite keys its rows by an INTEGER column without a second index."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        datetime: UtcDateTime,
        dict[str, Any]: Json,
        list[Any]: Json,
    }

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False, default=new_id
    )


class OfCompany:
    """Mixin: the row belongs to one company, and `data/scope.py` sees to it that nobody else's session reads it."""

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))

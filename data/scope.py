"""The company filter: the single place. A session opened for a company sees and writes that company's rows and no others.

ORM statements get the filter added; a Core statement carries its own `company_id` condition or is of the installation (the
turn pipeline, which serves all companies at once, runs in an unscoped session and writes the company of the conversation).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Table, bindparam, event, select
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from data.prepared import Prepared
from data.tables.base import OfCompany
from data.tables.companies import Company

T = TypeVar("T")
Work = Callable[[Session], T]

_KEY = "company_id"
_COMPANIES = cast(Table, Company.__table__)
_HOLD = Prepared(select(_COMPANIES.c.id).where(_COMPANIES.c.id == bindparam("company")).with_for_update(key_share=True))


class ForeignCompany(Exception):
    """A row of another company was about to be written."""


def run_work(connection: Connection, work: Work[T], company: int | None, *, savepoint: bool = False) -> T:
    """Do `work` in a session inside the connection's transaction, which is the caller's to commit. `company` None is the
    installation itself. `savepoint`: what ORM objects write stands in one, as the transaction is shared with others' work."""
    with Session(
        connection,
        info={_KEY: company},
        expire_on_commit=False,
        join_transaction_mode="create_savepoint" if savepoint else "rollback_only",
    ) as session:
        result = work(session)
        if session.in_transaction():  # prepared statements do without
            session.commit()
        return result


def company_of(session: Session) -> int:
    """The company that the session was opened for. LookupError in an unscoped one."""
    company = session.info.get(_KEY)
    if company is None:
        raise LookupError("this session is not of one company")
    return int(company)


def alone(session: Session, company: int | None = None) -> None:
    """Nobody else who asks for this changes the company meanwhile, by default the session's own: PostgreSQL holds its row, though
    not against those who only refer to it; SQLite has one writer."""
    company = company_of(session) if company is None else company
    _HOLD.tuples(session, {"company": company})


@event.listens_for(Session, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    company = state.session.info.get(_KEY)
    if company is None or state.is_column_load or state.is_relationship_load:
        return
    if (
        state.is_orm_statement and state.is_insert
    ):  # the filter is of what is there already; new rows are guarded when they are flushed
        raise ForeignCompany("in a session of one company, rows are added as objects")
    state.statement = state.statement.options(*_rows_of(company))


@lru_cache(1024)
def _rows_of(company: int) -> tuple[ExecutableOption, ...]:
    return (
        with_loader_criteria(OfCompany, lambda table: table.company_id == company, include_aliases=True),
        with_loader_criteria(Company, lambda table: table.id == company, include_aliases=True),
    )


@event.listens_for(Session, "before_flush")
def _guard(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    company = session.info.get(_KEY)
    if company is None:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, OfCompany):
            if row.company_id is None:
                row.company_id = company
            elif row.company_id != company:
                raise ForeignCompany(f"{type(row).__name__} of company {row.company_id} in a session of company {company}")

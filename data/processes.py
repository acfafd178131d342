"""Who serves this database: each process registers, beats while it lives, and removes those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from data.tables import Process
from data.types import NODES, new_id

PROCESSES = cast(Table, Process.__table__)

_ADD = insert(PROCESSES)
_NODES = select(PROCESSES.c.node)
_ALL = select(Process).order_by(Process.id)
_BEAT = update(PROCESSES).where(PROCESSES.c.id == bindparam("process")).values(beat=PROCESSES.c.beat + 1)
_REMOVE = delete(PROCESSES).where(PROCESSES.c.id.in_(bindparam("ids", expanding=True)))


class TooManyProcesses(Exception):
    """Every node is taken: rows of processes that are gone are to be removed first."""


def register(session: Session, roles: str, host: str, pid: int, born: int, now: datetime) -> tuple[int, int]:
    """Add a process under the lowest free node; returns its id and node. IntegrityError where another was faster: try again.
    TooManyProcesses when there is no free node."""
    taken = set(session.scalars(_NODES))
    node = next((node for node in range(NODES) if node not in taken), None)
    if node is None:
        raise TooManyProcesses(f"{NODES} processes are registered")
    row: dict[str, Any] = {
        "id": new_id(), "node": node, "roles": roles, "host": host, "pid": pid, "born": born, "beat": 0, "started_at": now,
    }  # fmt: skip
    session.execute(_ADD, [row])
    return row["id"], node


def beat(session: Session, process_id: int) -> list[Process] | None:
    """Show that the process lives; returns the rows of all, oldest first. None when its own row was removed."""
    session.execute(_BEAT, {"process": process_id})
    rows = list(session.scalars(_ALL))
    return rows if any(row.id == process_id for row in rows) else None


def remove(session: Session, ids: Sequence[int]) -> None:
    session.execute(_REMOVE, {"ids": list(ids)})

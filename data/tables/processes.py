"""Who serves this database: the running processes, and that they live."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base


class Process(Base):
    """One running process. Its row goes when it ends, or when the others have not seen `beat` move for a while."""

    __tablename__ = "processes"

    node: Mapped[int] = mapped_column(unique=True)
    """0 to 2047: what tells its rows' ids from those of the others (data/types.py)."""
    roles: Mapped[str]
    """Comma-separated: web, worker, sender, scheduler."""
    host: Mapped[str]
    pid: Mapped[int]
    born: Mapped[int]
    """When the process was started, in the host's own milliseconds: with `host` and `pid`, which process it is."""
    beat: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]

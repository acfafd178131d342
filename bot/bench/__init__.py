"""`mostrador bench`: simulated prospects against the service, beside what this machine can do at all."""

from __future__ import annotations

from bot.bench.pipeline import run

__all__ = ["run"]

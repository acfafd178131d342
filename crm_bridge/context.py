"""What a command is run for: whose talk it came from, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Context:
    company_id: int
    person_id: int
    conversation_id: int
    number_id: int
    source: str
    """The channel and message id that asked for it."""
    language: str
    referral: Mapping[str, Any] | None
    now: datetime

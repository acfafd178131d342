"""How ready a prospect is: from points to priority."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HOT, WARM = 60, 30
PRIORITIES = ("hot", "warm", "cold")


def priority(score: int) -> str:
    """hot from 60 points, warm from 30, cold below."""
    return "hot" if score >= HOT else "warm" if score >= WARM else "cold"


def source(referral: Mapping[str, Any] | None) -> str:
    """Where a prospect came from: ad (a clicked advertisement), form (a landing form's token) or organic."""
    if not referral:
        return "organic"
    return "form" if "form" in referral else "ad"

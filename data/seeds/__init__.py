"""The demo company: a real-looking group to try everything with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.tables import Company, Number, Product, User


def read_demo() -> dict[str, Any]:
    """demo.yaml as it stands."""
    demo: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("demo.yaml").read_text("utf-8"))
    return demo


def seed_demo(session: Session, hash_password: Callable[[str], str], password: str, now: datetime) -> bool:
    """Write the demo company where it is not there yet; True when it was written. All its users get `password`."""
    demo = read_demo()
    first = demo["numbers"][0]["external_id"]
    if session.scalar(select(Number.id).where(Number.channel == "whatsapp", Number.external_id == first)) is not None:
        return False
    company = Company(**demo["company"], created_at=now)
    session.add(company)
    session.flush()
    session.add_all(Number(channel="whatsapp", **number, company_id=company.id, created_at=now) for number in demo["numbers"])
    session.add_all(
        User(**user, password_hash=hash_password(password), company_id=company.id, created_at=now) for user in demo["users"]
    )
    session.add_all(Product(**product, currency=company.currency, company_id=company.id) for product in demo["products"])
    return True

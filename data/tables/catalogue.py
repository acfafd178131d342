"""What the company sells."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfCompany


class Product(OfCompany, Base):
    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("company_id", "sku"),)

    sku: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    price: Mapped[int]
    """Minor units of `currency`."""
    currency: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)

"""How long a lead that is ready takes to reach a seller: from the turn that made it so until a mail server has its alert."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bench.prospects import SCRIPT, Load, numbers
from bot.bench.shapes import SHAPES, Figures, Missing, empty, free_port, serving
from data.session import Database, connect
from data.tables import Alert, Assignment, Delivery, Offer

_SENT = (
    select(Assignment.created_at, Delivery.sent_at)
    .join(Alert, Alert.assignment_id == Assignment.id)
    .join(Delivery, Delivery.alert_id == Alert.id)
)
LEADS = 50
"""Leads a second: prospects who fill in the form at as many times its lines."""
SELLERS = 10
PATIENCE = 60.0
"""Seconds that the last alerts may take."""


async def measure(step: Callable[[str], None], seconds: float) -> Figures:
    """`ready_to_offer_…` and `ready_to_alert_…` p50 and p99, and the alerts that were not sent."""
    try:
        from aiosmtpd.smtp import SMTP
    except ImportError:
        return {"left_out": "hand-overs: no mail server to alert by; pip install aiosmtpd"}
    figures: Figures = {}
    port = free_port()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(_Sink()), "127.0.0.1", port)
    async with server:
        for shape in (SHAPES[0], SHAPES[2]):
            step(f"{shape.title}: {LEADS} leads a second")
            try:
                with tempfile.TemporaryDirectory(prefix="mostrador-bench-") as folder:
                    async with empty(shape.database, Path(folder)) as url:
                        mail = f"smtp://127.0.0.1:{port}"
                        async with serving(
                            shape, database=url, sellers=SELLERS, SMTP_URL=mail, ALERTS_FROM="bench@mostrador.example"
                        ) as service:
                            found = await service.measure(Load(numbers(1), rate=LEADS * len(SCRIPT)), seconds=seconds)
                            times = await _times(url)
            except Missing as error:
                figures["left_out"] = f"{shape.title}: {error}"
                continue
            figures |= {f"{shape.key}handover_{name}": value for name, value in times.items()}
            figures[f"{shape.key}handover_reply_p99_ms"] = found["webhook_to_reply_p99_ms"]
    return figures


class _Sink:
    """A mail server that takes everything."""

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        return "250 OK"


async def _times(url: str) -> Figures:
    database = connect(url)
    try:
        async with asyncio.timeout(PATIENCE):
            while await database.read(_unsent):
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    figures = await _figures(database)
    await database.close()
    return figures


def _unsent(session: Session) -> int:
    waiting = session.scalar(select(func.count(Assignment.id)).where(Assignment.state == "waiting")) or 0
    return waiting + (session.scalar(select(func.count(Delivery.id)).where(Delivery.rank < 20)) or 0)


async def _figures(database: Database) -> Figures:
    def work(session: Session) -> tuple[Any, ...]:
        offers = session.execute(
            select(Assignment.created_at, Offer.offered_at).join(Offer, Offer.assignment_id == Assignment.id)
        ).all()
        alerts = session.execute(_SENT).all()
        return offers, alerts, _unsent(session)

    offers, alerts, unsent = await database.read(work)
    offered, sent = _seconds(offers), _seconds(alerts)
    first, last = min(created for created, _ in offers), max(created for created, _ in offers)
    return {
        "leads_per_s": round(len(offers) / max((last - first).total_seconds(), 0.001), 1),
        **{f"ready_to_offer_p{share}_ms": _quantile(offered, share) for share in (50, 99)},
        **{f"ready_to_alert_p{share}_ms": _quantile(sent, share) for share in (50, 99)},
        "unsent": unsent,
    }


def _seconds(rows: Sequence[tuple[datetime, datetime | None]]) -> list[float]:
    return sorted((later - earlier).total_seconds() for earlier, later in rows if later is not None)


def _quantile(values: Sequence[float], share: int) -> float | None:
    return round(1000 * values[min(len(values) - 1, len(values) * share // 100)], 1) if values else None

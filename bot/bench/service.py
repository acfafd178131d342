"""The service as the bench measures it: the product whole, with a form of seven questions that carry tags."""

from __future__ import annotations

from pathlib import Path

import uvloop
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.app import make_app
from bot.clock import Clock
from bot.serve import run_until_stopped, set_up_logging
from bot.settings import load
from data import schema
from data.session import connect
from data.tables import Company, Number
from dialogs.loader import load_folder


def _company(session: Session) -> None:
    now = Clock().now()
    if session.scalar(select(Company.id)) is not None:
        return
    company = Company(name="Bench", country="PE", currency="PEN", timezone="America/Lima", created_at=now)
    session.add(company)
    session.flush()
    session.add(
        Number(
            company_id=company.id,
            channel="whatsapp",
            external_id="100000000000001",
            display="+51 1 555 0101",
            name="Bench",
            bot_name="Luna",
            dialog="form",
            hours={},
            rate=100_000,
            created_at=now,
        )
    )


async def main() -> None:
    set_up_logging("console")
    settings = load()
    database = connect(settings.database_url)
    await schema.upgrade(database)
    await database.write(_company)
    await database.close()
    app = await make_app(settings, flows=load_folder(Path(__file__).parent))
    await run_until_stopped(app, settings.host, settings.port, lambda: print("ready", flush=True))  # noqa: T201


if __name__ == "__main__":
    uvloop.run(main())

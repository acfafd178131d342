"""The service as the bench measures it: the product whole, with a form that carries tags, for as many numbers as wanted."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvloop
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.app import make_app
from bot.bench.form import dialog
from bot.bench.occupied import Meter
from bot.bench.prospects import numbers
from bot.clock import Clock
from bot.cluster import roles_of
from bot.serve import run_until_stopped, set_up_logging
from bot.settings import load
from crm_bridge.assignment import sellers
from data import schema
from data.session import connect
from data.tables import Company, Number, User
from nlu.engine import load as load_engine
from nlu.meaning import installed


def seed(session: Session, companies: int, count: int, staff: int = 0) -> None:
    """Companies with `staff` sellers each, who have room for everybody, and `count` numbers dealt out among them in turn; does
    nothing where there are any."""
    if session.scalar(select(Company.id).limit(1)) is not None:
        return
    now = Clock().now()
    owners = [
        Company(name=f"Bench {at}", country="PE", currency="PEN", timezone="America/Lima", created_at=now)
        for at in range(companies)
    ]
    session.add_all(owners)
    session.flush()
    people = [
        User(
            company_id=owner.id,
            email=f"v{at}@{owner.id}.example",
            name=f"Seller {at}",
            role="seller",
            password_hash="",
            created_at=now,
        )
        for owner in owners
        for at in range(staff)
    ]
    session.add_all(people)
    session.flush()
    for person in people:
        sellers.seller(session, person.id).capacity = 1_000_000
    session.add_all(
        Number(
            company_id=owners[at % companies].id,
            channel="whatsapp",
            external_id=external_id,
            display=f"+51 1 555 {at:04}",
            name="Bench",
            bot_name="Luna",
            dialog="form",
            hours={},
            rate=100_000,
            created_at=now,
        )
        for at, external_id in enumerate(numbers(count))
    )


async def main(options: argparse.Namespace) -> None:
    set_up_logging("console")
    settings = load()
    database = connect(settings.database_url)
    await schema.upgrade(database)
    await database.write(lambda session: seed(session, options.companies, options.numbers, options.sellers))
    await database.close()
    meter = Meter(load_engine(cache=Path("var/models"), encoder=installed())) if options.metered else None
    app = await make_app(
        settings,
        flows={"form": dialog(options.questions)},
        roles=roles_of([options.role]),
        private=True,
        engine=meter,
        extra=meter.setup if meter else None,
    )
    await run_until_stopped(app, settings.host, settings.port, lambda: print("ready", flush=True))  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bot.bench.service")
    parser.add_argument("--role", default="", help="comma-separated; all where none is given")
    parser.add_argument("--companies", type=int, default=1)
    parser.add_argument("--numbers", type=int, default=1)
    parser.add_argument("--questions", type=int)
    parser.add_argument("--sellers", type=int, default=0, help="of each company")
    parser.add_argument("--metered", action="store_true", help="count what the loop is kept busy with")
    uvloop.run(main(parser.parse_args()))

"""`mostrador demo` and `mostrador chat`: the whole service with the local WhatsApp, on this machine and for it alone."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import tempfile
from pathlib import Path

from aiohttp import web
from rich.console import Console
from sqlalchemy import select

from bot.app import make_app
from bot.clock import Clock
from bot.keys import NUMBERS, SETTINGS
from bot.maintenance import Refused
from bot.serve import run_until_stopped, set_up_logging
from bot.settings import Settings, load
from bot.simulator import cloud_api, phone, repl
from bot.simulator.network import Network
from crm_bridge.companies.rules import hash_password
from data import schema
from data.seeds import read_demo, seed_demo
from data.session import connect
from data.tables import Number

GRAPH = "/simulator/graph"
PASSWORD = "mostrador-demo"
"""Of a demo that listens on this machine only."""
ADMIN = "admin@demo.example"

console = Console(stderr=True)


def demo_settings(port: int, folder: Path, **given: object) -> Settings:
    """Settings of their own, whatever the environment says: a secret key that is made once, the local WhatsApp, and what is
    `given`."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "secret_key"
    if not key.exists():
        key.write_text(secrets.token_urlsafe(48))
        key.chmod(0o600)
    return load(
        _env_file=None,
        database_url=f"sqlite:///{folder / 'mostrador.db'}",
        secret_key=key.read_text(),
        public_url=f"http://127.0.0.1:{port}",
        host="127.0.0.1",
        port=port,
        whatsapp_app_secret="demo-app-secret",
        whatsapp_verify_token="demo-verify-token",
        whatsapp_token="demo-token",
        whatsapp_graph_url=f"http://127.0.0.1:{port}{GRAPH}",
        media_dir=folder / "media",
        **given,
    )


async def prepare(settings: Settings) -> list[Number]:
    """Migrate and seed where needed; returns the demo's numbers."""
    database = connect(settings.database_url)
    try:
        with console.status("preparing the database"):
            await schema.upgrade(database)
            await database.write(lambda session: seed_demo(session, hash_password, PASSWORD, Clock().now()))
        return await database.read(lambda session: list(session.scalars(select(Number).order_by(Number.id))))
    finally:
        await database.close()


async def demo_app(
    settings: Settings, clock: Clock, *, profile: str = "lively", private: bool = False
) -> tuple[web.Application, Network]:
    """The service and the local WhatsApp as one application; they share `clock`. `private` as in `make_app`."""
    numbers = await prepare(settings)
    network = Network(
        clock=clock,
        webhook_url=f"{str(settings.public_url).rstrip('/')}/webhooks/whatsapp",
        app_secret=settings.app_secrets[0].decode(),
        token=settings.whatsapp_token.get_secret_value(),
        profile=profile,
    )
    demo = read_demo()
    for number in numbers:
        if number.channel == "whatsapp":
            network.number(number.external_id, number.display, number.name, number.account)
    for template in demo["templates"]:
        for account in {number.account for number in numbers}:
            network.templates.create(account, template)
    for prospect in demo["prospects"]:
        network.person(**prospect)

    def mount(app: web.Application) -> None:
        app.add_subapp(GRAPH, cloud_api.application(network))
        phone.setup(app, network)

    with console.status("loading the understanding"):
        return await make_app(settings, clock, mount, private=private), network


async def serve_demo(port: int, folder: Path, *, fresh: bool) -> None:
    if fresh:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    set_up_logging("console")
    app, network = await demo_app(demo_settings(port, folder), Clock())
    address = f"http://127.0.0.1:{port}"

    def ready() -> None:
        console.print(f"\n  [bold]Mostrador[/bold] is ready.\n\n  a phone to write from   {address}/simulator/", highlight=False)
        console.print(f"  the team's pages        {address}/\n  log in as               {ADMIN} / {PASSWORD}", highlight=False)
        for number in app[NUMBERS].all():
            console.print(f"  {number.row.display}       {number.row.name} ({number.row.dialog})", highlight=False)
        console.print("\n  Ctrl+C ends it.\n", highlight=False)

    async with network:
        await run_until_stopped(app, "127.0.0.1", port, ready)


async def chat_demo(dialog: str, *, repro: bool) -> None:
    """A talk in the terminal with a service of its own in this process, which is forgotten at the end. Refused when no number
    talks `dialog`."""
    set_up_logging("console")
    with tempfile.TemporaryDirectory(prefix="mostrador-chat-") as folder:
        app, network = await demo_app(demo_settings(_free_port(), Path(folder)), Clock(), profile="calm")
        async with network:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", app[SETTINGS].port).start()
                numbers = {number.row.dialog: number.row for number in app[NUMBERS].all()}
                if dialog not in numbers:
                    raise Refused(f"--number: there is {', '.join(sorted(numbers))}")
                await repl.chat(network, network.get_number(numbers[dialog].external_id), repro=repro)
            finally:
                await runner.cleanup()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

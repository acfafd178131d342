"""Options and fixtures that all tests share; databases of one test each, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web_app
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from data import schema
from data.session import connect
from dialogs.loader import load_folder
from dialogs.model import Dialog

POSTGRES = os.environ.get("TEST_POSTGRES_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"


settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # a busy machine is not a fault of ours


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden transcripts to what is said now")


@pytest.fixture(scope="session")
def electronics() -> Dialog:
    return load_folder()["electronics"]


@pytest.fixture(autouse=True, scope="module")
def _keep_garbage_few() -> Iterator[None]:
    """What the modules before have left is looked through no more: in the end that took eight seconds at a time, and PostgreSQL
    ends a transaction that stands still for five. aiohttp keeps the last thousand applications that answered a request."""
    yield
    web_app._cached_build_middleware.cache_clear()
    gc.collect()
    gc.freeze()


async def _on_server(*statements: str) -> None:
    connection = await asyncpg.connect(POSTGRES)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(url: str) -> None:
    database = connect(url)
    await schema.upgrade(database)
    await database.close()


def _at(name: str) -> str:
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy from."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _migrate(f"sqlite:///{file}")).result()
    return file


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """A migrated database to copy from. The tests fail, and are not skipped, where there is no PostgreSQL. All copies go at the
    end together: each DROP waits for a checkpoint, which they then share."""
    name = f"test_{uuid4().hex[:12]}"

    async def make() -> None:
        await _on_server(f"CREATE DATABASE {name}")
        await _migrate(_at(name))

    async def drop() -> None:
        connection = await asyncpg.connect(POSTGRES)
        names = await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE $1", f"{name}%")
        await connection.close()
        turns = asyncio.Semaphore(20)  # a server takes a hundred connections

        async def drop_one(name: str) -> None:
            async with turns:
                await _on_server(f"DROP DATABASE {name} WITH (FORCE)")

        await asyncio.gather(*(drop_one(row["datname"]) for row in names))

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, make()).result()
        yield name
        thread.submit(asyncio.run, drop()).result()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
async def postgres_url(postgres_template: str) -> str:
    name = f"{postgres_template}_{uuid4().hex[:12]}"
    await _on_server(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    return _at(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated database, on each of the two."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for `localhost` that it signed itself, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*make, *names, "-keyout", file, "-out", file.with_suffix(".crt")], check=True, capture_output=True)  # noqa: S603
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

"""What a user would pick instead, by its public packages: installed on demand under `var/bench`, driven by the same prospects."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.bench.prospects import numbers
from bot.bench.shapes import SECRET, Missing, Running, free_port

_HERE = Path(__file__).parent
_PYWA = ("pywa[server]==4.5.0",)
_PATIENCE = 180
"""Seconds for an installation."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`lacks`: what it does not do that the service does, by its documentation and its code."""

    key: str
    title: str
    runtime: str
    program: str
    lacks: str
    environment: Mapping[str, str] = field(default_factory=dict)
    prospects: int = 64


_BUILDERBOT = (
    "BuilderBot acknowledges before it has done anything, keeps its state in memory, looks at no signature, and takes a message "
    "that comes again for a new one. Its Meta provider does one thing, a message in or out, every 100 ms: *queue opened* is "
    "without that"
)
_PYWA_LACKS = (
    "pywa acknowledges before it has done anything, and leaves state to its user (here a dict); it knows the last 100,000 bodies "
    "again, in memory, and handles messages of one person at the same time"
)
PEERS = (
    Peer("builderbot_", "BuilderBot 1.3.13, as shipped", "node", "builderbot.mjs", _BUILDERBOT, prospects=8),
    Peer("builderbot_open_", "BuilderBot 1.3.13, queue opened", "node", "builderbot.mjs", _BUILDERBOT, {"OPEN_QUEUE": "1"}),
    Peer(
        "pywa_",
        "pywa 4.5.0",
        "python",
        "pywa_form.py",
        _PYWA_LACKS,
    ),
)


@asynccontextmanager
async def running(peer: Peer, cache: Path) -> AsyncIterator[Running]:
    """The peer's form, serving; `cache` is an absolute path. Missing, when it cannot be installed."""
    folder = await (_node if peer.runtime == "node" else _python)(cache)
    program = folder / peer.program
    await asyncio.to_thread(shutil.copyfile, _HERE / peer.program, program)
    interpreter = "node" if peer.runtime == "node" else str(folder / "venv/bin/python")
    port, graph_port = free_port(), free_port()
    environment = {
        "PORT": str(port),
        "NUMBER": numbers(1)[0],
        "APP_SECRET": SECRET,
        "GRAPH_URL": f"http://127.0.0.1:{graph_port}",
        "GRAPH_VERSION": "v23.0",
        "NODE_ENV": "production",
        **peer.environment,
    }
    with TemporaryDirectory(prefix="mostrador-bench-") as logs:
        served = Running([[interpreter, str(program)]], [environment], port, graph_port, "/webhook", Path(logs), announces=False)
        try:
            await served.start()
            yield served
        finally:
            await served.kill()


async def _node(cache: Path) -> Path:
    if not (npm := shutil.which("npm")) or not shutil.which("node"):
        raise Missing("no node and npm")
    folder = cache / "builderbot"
    wanted = (_HERE / "package.json").read_bytes()
    if not (folder / "node_modules").is_dir() or (folder / "package.json").read_bytes() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted)
        options = (
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--fetch-retries=1",
            "--fetch-timeout=30000",
        )
        await _install(npm, "install", "--prefix", str(folder), *options)
    return folder


async def _python(cache: Path) -> Path:
    folder = cache / "pywa"
    done = folder / "installed"
    if not done.is_file() or done.read_text() != repr(_PYWA):
        await _install(sys.executable, "-m", "venv", "--clear", str(folder / "venv"))
        await _install(str(folder / "venv/bin/pip"), "install", "-q", "--disable-pip-version-check", "--retries=1", *_PYWA)
        done.write_text(repr(_PYWA))
    return folder


async def _install(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(_PATIENCE):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Missing(f"not installed within {_PATIENCE} s") from None
    if process.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or [""]
        raise Missing(f"could not be installed: {last[0][:200]}")

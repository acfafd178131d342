"""A real Rasa in its own environment (`.venv-rasa`): trained on an exported project, and served on loopback."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import yaml

from bot.bench.shapes import free_port

ROOT = Path(__file__).parents[2]
RASA = ROOT / ".venv-rasa/bin/rasa"
_START = 180.0
"""Seconds until a server must answer: TensorFlow is long in coming."""
_QUIET = {
    "PYTHONPATH": str(ROOT),
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


class Failed(Exception):
    """Rasa ended with an error; the message is what it said last."""


@dataclass(frozen=True, slots=True)
class Ran:
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Serving:
    url: str
    start_s: float
    process: psutil.Process

    @property
    def rss_mb(self) -> float:
        return _rss(self.process)


def shorten(project: Path, epochs: int) -> None:
    """Let DIET learn for fewer epochs than it is exported with."""
    file = project / "config.yml"
    config = yaml.safe_load(file.read_text("utf-8"))
    (diet,) = [part for part in config["pipeline"] if part["name"] == "DIETClassifier"]
    diet["epochs"] = epochs
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


async def run(project: Path, *command: str) -> Ran:
    """Run a command in the project to its end; what it says is in the project's run.log. Failed."""
    async with _running(project, *command) as (process, log):
        seen, cpu, peak = psutil.Process(process.pid), 0.0, 0.0
        while process.returncode is None:
            peak = max(peak, _rss(seen))
            with suppress(psutil.NoSuchProcess):
                cpu = max(cpu, sum(seen.cpu_times()[:4]))
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 0.1)
        if process.returncode:
            raise Failed(log.read_text("utf-8", "replace")[-2000:])
    return Ran(cpu, peak)


@asynccontextmanager
async def serve(project: Path) -> AsyncIterator[Serving]:
    """`rasa run` on the project's newest model, until the end. Failed."""
    port, started = free_port(), time.perf_counter()
    url = f"http://127.0.0.1:{port}"
    command = (str(RASA), "run", "--enable-api", "--interface", "127.0.0.1", "--port", str(port))
    async with _running(project, *command) as (process, log):
        async with aiohttp.ClientSession() as http:
            while not await _answers(http, url):
                if process.returncode is not None or time.perf_counter() - started > _START:
                    raise Failed(log.read_text("utf-8", "replace")[-2000:])
                await asyncio.sleep(0.2)
        yield Serving(url, time.perf_counter() - started, psutil.Process(process.pid))


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.post(f"{url}/model/parse", json={"text": "hola"}) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def _running(project: Path, *command: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    log = project / "run.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=project, stdout=out, stderr=asyncio.subprocess.STDOUT, env=os.environ | _QUIET
        )
        try:
            yield process, log
        finally:
            if process.returncode is None:
                process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 20)
            if process.returncode is None:
                process.kill()
                await process.wait()


def _rss(process: psutil.Process) -> float:
    """Mebibytes of it and its children."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
    return total / 2**20

"""A real browser before the demo: its phones to write from, its pages to look at, and everything that goes wrong in them."""

from __future__ import annotations

import asyncio
import os
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from aiohttp import web
from aiohttp.test_utils import unused_port
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, async_playwright, expect

from bot.clock import Clock
from bot.demo import PASSWORD, demo_app, demo_settings
from bot.simulator.network import Network

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MORNING = datetime(2026, 11, 24, 15, 4, tzinfo=UTC)
"""A Tuesday, 10:04 in Bogotá: the demo's three numbers are open."""
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
FONTS = """<fontconfig><include>/etc/fonts/fonts.conf</include>
<alias binding="strong"><family>sans</family><prefer><family>Roboto</family></prefer></alias>
<alias binding="strong"><family>sans-serif</family><prefer><family>Roboto</family></prefer></alias></fontconfig>"""
"""The pictures are in what most phones and desktops show, where it is installed (Debian: fonts-roboto-unhinted)."""
WAIT = 10.0
"""Seconds: the longest that anything may take to show."""
TRANSCRIPT = """root => [...root.querySelectorAll(".bubble:not(.writing)")].flatMap(bubble => {
  const mark = bubble.classList.contains("mine") ? "> " : "< ";
  const words = [...bubble.querySelectorAll(":scope > p")].map(p => {
    const copy = p.cloneNode(true);
    copy.querySelectorAll(".meta").forEach(meta => meta.remove());
    return copy.textContent;
  });
  if (bubble.querySelector("audio")) words.push("[audio]");
  const buttons = [...bubble.querySelectorAll(".options button")].map(button => `[${button.textContent}]`).join(" ");
  return [mark + words.join("\\n"), ...(buttons ? [mark + buttons] : [])];
})"""
"""A phone's chat in the notation of the golden transcripts."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", action="store_true", help="take the README's pictures anew: pytest tests/e2e --screenshots")


# ----------------------------------------------------------------------------------------------- the browser
@dataclass
class Watch:
    """What browsers complain about: errors of scripts and of the content policy, failed requests, answers of 400 and above."""

    problems: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", lambda error: self.problems.append(f"script: {error.error}"))
        context.on(
            "response", lambda answer: self.problems.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
        )
        context.on("requestfailed", self._failed)

    def _said(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning"):
            self.problems.append(f"{line.type}: {line.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # which is what a page still waited for when it was left
            self.problems.append(f"failed: {request.method} {request.url} {request.failure}")

    @contextmanager
    def allowing(self, word: str) -> Iterator[None]:
        """Inside, problems that contain `word` are the test's own doing."""
        assert self.problems == []
        yield
        self.problems = [problem for problem in self.problems if word not in problem]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    environment: dict[str, str | float | bool] = dict(os.environ)
    if request.config.getoption("--screenshots", default=False):
        fonts = tmp_path_factory.mktemp("fonts") / "fonts.conf"
        fonts.write_text(FONTS)
        environment["FONTCONFIG_FILE"] = str(fonts)
    async with async_playwright() as playwright:
        path = os.environ.get("TEST_CHROMIUM", "/usr/bin/chromium")
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS, env=environment)
        yield browser
        await browser.close()


OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.problems == []


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(chromium: Browser, watch: Watch) -> AsyncIterator[OpenPage]:
    """A page in a browser of its own (cookies and all), with the size and the colours that are asked for."""
    contexts: list[BrowserContext] = []

    async def open_one(url: str, *, width: int = 1280, height: int = 860, dark: bool = False, **options: Any) -> Page:
        context = await chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale="es-CO",
            timezone_id="America/Bogota",
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(WAIT * 1000)
        watch.over(context)
        page = await context.new_page()
        await page.goto(url)
        return page

    expect.set_options(timeout=WAIT * 1000)
    yield open_one
    for context in contexts:
        await context.close()


# ------------------------------------------------------------------------------------------------- the service
@dataclass
class Demo:
    """A running demo."""

    url: str
    app: web.Application
    network: Network

    async def writes(self, name: str, phone: str, number: str, *texts: str) -> None:
        """Somebody without a browser says `texts` to a number, each when the last was answered."""
        person = self.network.person(name, phone)
        for text in texts:
            heard = len(person.heard(number))
            await person.say(number, text)
            await person.wait_for(number, heard + 1)

    async def log_in(self, page: Page, who: str) -> None:
        """At the log-in page, as one of the demo's accounts."""
        await page.get_by_label("Correo").fill(f"{who}@demo.example")
        await page.get_by_label("Contraseña").fill(PASSWORD)
        await page.get_by_role("button", name="Entrar").click()
        await page.wait_for_url(lambda url: "/login" not in url)


Start = Callable[..., AbstractAsyncContextManager[Demo]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start the demo on this test's folder and port, with these settings; again, it goes on with what is there."""
    warnings.filterwarnings("ignore", category=web.NotAppKeyWarning)  # aiohttp_session names its key as aiohttp used to
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory(), processors=[structlog.stdlib.render_to_log_kwargs])
    port = unused_port()
    begun = time.time()

    @asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[Demo]:
        clock = Clock(MORNING - datetime.fromtimestamp(begun, UTC))
        app, network = await demo_app(demo_settings(port, tmp_path, **settings), clock, profile="calm", private=True)
        async with network:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", port).start()
                yield Demo(f"http://127.0.0.1:{port}", app, network)
            finally:
                await runner.cleanup()

    return run


@pytest_asyncio.fixture(loop_scope="session")
async def demo(start: Start) -> AsyncIterator[Demo]:
    async with start() as running:
        yield running


# -------------------------------------------------------------------------------------------------- the phones
@dataclass
class Phone:
    """One person's phone on the page. `seen` is the whole chat that has to stand there."""

    root: Locator
    hand: asyncio.Lock
    seen: list[str] = field(default_factory=list)

    async def says(self, text: str, *replies: str) -> None:
        """Write `text` and send it with Enter; `replies` follow, and nothing else changes."""
        async with self.hand:
            await self.root.locator(".composer textarea").fill(text)
            await self.root.locator(".composer textarea").press("Enter")
        await self.shows(f"> {text}", *replies)

    async def presses(self, title: str, *replies: str) -> None:
        """Press the newest button that is called `title`."""
        async with self.hand:
            await self.root.locator(".options button", has_text=title).last.click()
        await self.shows(f"> {title}", *replies)

    async def picks(self, button: str, title: str, *replies: str) -> None:
        """Open the newest list and tap one of its rows."""
        async with self.hand:
            await self.root.locator("[data-list]", has_text=button).last.click()
            await self.root.locator(".sheet [data-choice]", has_text=title).click()
        await self.shows(f"> {title}", *replies)

    async def records(self, *replies: str) -> None:
        """Press the microphone; there is none here, so a packaged voice note goes out."""
        async with self.hand:
            await self.root.locator(".mic").click()
        await self.shows("> [audio]", *replies)

    async def shows(self, *lines: str) -> None:
        """Until exactly these lines were added."""
        self.seen += lines
        until = time.monotonic() + WAIT
        while (now := await self.chat()) != self.seen and time.monotonic() < until:
            await asyncio.sleep(0.05)
        assert now == self.seen

    async def chat(self) -> list[str]:
        lines: list[str] = await self.root.evaluate(TRANSCRIPT)
        return lines

    async def ticks(self) -> Sequence[str]:
        """The state of every message of the person, as its tick shows it."""
        ticks: list[str] = await self.root.evaluate(
            "root => [...root.querySelectorAll('.mine .meta svg')].map(tick => tick.classList[0])"
        )
        return ticks


@pytest.fixture
def phone_of() -> Callable[[Page, str], Phone]:
    """The phone of somebody by name; the phones of one page share a hand, since they share a keyboard."""
    hands: dict[Page, asyncio.Lock] = {}

    def find(page: Page, name: str) -> Phone:
        root = page.locator(".phone", has=page.locator(".owner b", has_text=name))
        return Phone(root, hands.setdefault(page, asyncio.Lock()))

    return find


# ------------------------------------------------------------------------------------------------ the pictures
@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Page, str], Awaitable[None]]:
    """Keep what the page shows for the README, when the pictures are asked for."""
    wanted = request.config.getoption("--screenshots", default=False)

    async def take(page: Page, name: str) -> None:
        if not wanted:
            return
        IMAGES.mkdir(parents=True, exist_ok=True)
        await page.mouse.move(0, 0)
        await page.screenshot(path=IMAGES / name, animations="disabled", caret="hide")
        assert (IMAGES / name).stat().st_size < 250_000

    return take

"""The phone in a terminal: `mostrador chat`. With `repro`, the talk is printed as a transcript for tests/transcripts."""

from __future__ import annotations

import asyncio
import shlex
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from bot.simulator.conversation import Message
from bot.simulator.limits import kind_of
from bot.simulator.network import Network, Number
from bot.simulator.people import Person
from bot.simulator.phone import load_texts

_FILES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".mp4": "video/mp4", ".pdf": "application/pdf"}
_FILES |= {".ogg": "audio/ogg; codecs=opus", ".mp3": "audio/mpeg", ".webp": "image/webp"}
_MARKS = {"audio": "[voz]", "image": "[foto]", "video": "[video]", "document": "[documento]", "sticker": "[sticker]"}


@dataclass(slots=True)
class Talk:
    """One person at the terminal. `write` takes a text and its style ("" or Rich's name of one).

    An answer is awaited for `patience` seconds, and is complete when nothing more came for `quiet` seconds.
    """

    network: Network
    person: Person
    number: Number
    texts: dict[str, str]
    write: Callable[[str, str], None]
    repro: bool = False
    patience: float = 8.0
    quiet: float = 0.4
    seen: set[str] = field(default_factory=set)

    async def run(self, lines: AsyncIterator[str]) -> None:
        """Send each line, show what comes back, until the lines end or /salir."""
        if not self.repro:
            self.tell("chat_help")
            self.tell("chat_number", name=self.number.name, display=self.number.display)
        async for line in lines:
            if not line.strip():
                continue
            if line.strip() == "/salir":
                break
            await self.take(line.strip())

    async def take(self, line: str) -> None:
        """One line: a command, the number of an option, or words."""
        word, _, rest = line.partition(" ")
        options = [option for message in self.person.heard(self.number)[-1:] for option in message.choices]
        match word:
            case "/yo":
                await self.become(rest)
            case "/numero":
                self.turn_to(rest)
            case "/dia":
                self.network.advance(timedelta(days=1))
                if self.repro:
                    self.write("@ +1d", "")
                else:
                    self.tell("chat_day", now=f"{self.network.clock.now():%Y-%m-%d %H:%M}")
                await self.listen(self.quiet)
            case "/voz":
                self.echo("[voz]")
                await self.sent(await self.person.send_voice(self.number))
            case "/foto":
                await self.send_file(rest)
            case _ if word.startswith("/"):
                self.tell("chat_unknown", name=word)
            case _ if line.isdigit() and 1 <= int(line) <= len(options):
                option = options[int(line) - 1]
                self.echo(f"[boton {option.id}]")
                await self.sent(await self.person.press(self.number, option.id))
            case _:
                self.echo(line)
                await self.sent(await self.person.say(self.number, line))

    async def become(self, rest: str) -> None:
        words = rest.split()
        phone = " ".join(word for word in words if word.lstrip("+").isdigit())
        name = " ".join(word for word in words if not word.lstrip("+").isdigit())
        if not name:
            return self.tell("chat_unknown", name="/yo " + rest)
        self.person = self.network.person(name, phone or None)
        self.seen.update(message.id for message in self.person.heard(self.number))
        self.tell("chat_you", name=name)
        return None

    def turn_to(self, rest: str) -> None:
        """`/numero` alone lists the business numbers; with a place in that list, or a part of the name, picks one."""
        numbers = list(self.network.numbers.values())
        found = [n for at, n in enumerate(numbers, 1) if rest and (rest == str(at) or rest.lower() in n.name.lower())]
        if found:
            self.number = found[0]
            self.tell("chat_number", name=self.number.name, display=self.number.display)
        else:
            for at, number in enumerate(numbers, 1):
                self.write(f"  {at}. {number.name} ({number.display})", "")

    async def send_file(self, rest: str) -> None:
        """`/foto file caption`; without a file, a packaged photo."""
        name, *caption = shlex.split(rest) or [""]
        if not name:
            self.echo("[foto]")
            await self.sent(await self.person.send_image(self.number))
            return
        path = Path(name)
        mime = _FILES.get(path.suffix.lower(), "application/octet-stream")
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError:
            self.tell("chat_no_file", name=name)
            return
        self.echo(" ".join([_MARKS[kind_of(mime) or "document"], *caption]))
        await self.sent(await self.person.send_file(self.number, content, mime, caption=" ".join(caption), filename=path.name))

    async def sent(self, message: Message) -> None:
        """Say so when the service did not take it; else wait for its answer."""
        if message.status == "sending":
            self.tell("chat_unreachable", url=self.network.webhooks.url)
        await self.listen(self.patience)

    async def listen(self, patience: float) -> None:
        """Show what the business writes, until it has been quiet for a moment."""
        wait = patience
        while True:
            try:
                heard = await self.person.wait_for(
                    self.number, lambda all_: any(m.id not in self.seen for m in all_), timeout=wait
                )
            except TimeoutError:
                if wait == patience and patience > self.quiet:
                    self.tell("chat_silence")
                return
            for message in heard:
                if message.id not in self.seen:
                    self.seen.add(message.id)
                    self.show(message)
            wait = self.quiet

    def show(self, message: Message) -> None:
        shown = message.text or _MARKS.get(message.type, f"[{message.type}]")
        lines = shown.split("\n")
        if self.repro:
            for at, line in enumerate(lines):
                self.write((("<   " if at else "< ") + line).rstrip(), "")
            if message.choices:
                self.write("< " + " ".join(f"[{option.title}]" for option in message.choices), "")
            return
        for at, line in enumerate(lines):
            self.write(("  " if at else "‹ ") + line, "")
        for at, option in enumerate(message.choices, 1):
            self.write(f"  {at}. {option.title}" + (f" · {option.description}" if option.description else ""), "cyan")

    def echo(self, line: str) -> None:
        if self.repro:
            self.write(f"> {line}", "")

    def tell(self, key: str, **values: str) -> None:
        """A notice of the terminal itself: a comment in a transcript."""
        text = self.texts[key].format(**values)
        self.write(f"# {text}" if self.repro else text, "dim")


async def chat(
    network: Network,
    number: Number,
    *,
    name: str = "Ana Ruiz",
    phone: str = "+57 300 123 4567",
    repro: bool = False,
    language: str = "es",
) -> None:
    """Talk on standard input and output as `name`, until it ends or /salir. The service behind `network` must be running."""
    console = Console(highlight=False, soft_wrap=True)

    def write(text: str, style: str) -> None:
        console.print(text, style=style or None, markup=False, emoji=False)

    talk = Talk(network, network.person(name, phone), number, load_texts()[language], write, repro)
    await talk.run(_typed(console if sys.stdin.isatty() and not repro else None))


async def _typed(console: Console | None) -> AsyncIterator[str]:
    """Lines of standard input, from a thread that does not keep the process alive."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()
    ready = threading.Semaphore(0)

    def read() -> None:
        line = "\n"
        while line:
            ready.acquire()
            if console is not None:
                console.print("[bold]›[/] ", end="")
            line = sys.stdin.readline()
            loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while True:
        ready.release()
        line = await lines.get()
        if not line:
            return
        yield line

"""A company's document as text, out of the file that somebody brings: plain text, Markdown or PDF."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from crm_bridge.companies.rules import Refusal

BIGGEST = 3 * 1024 * 1024
"""Bytes of a file; a form of ours holds 4 MiB."""
PATIENCE = 20.0
"""Seconds that reading a PDF may take, in a process of its own: a crafted one takes for ever, or all the memory there is."""
_TEXTS = (".txt", ".md", ".markdown")


class WrongDocument(Refusal):
    """Not a text, not a PDF, or one that cannot be opened."""


class DocumentTooBig(Refusal):
    """More than BIGGEST bytes, or a PDF that takes too long to read."""


class NoTextInside(Refusal):
    """A PDF of pictures: scanned, not written."""


async def text_of(content: bytes, name: str) -> str:
    """What a file says. WrongDocument, DocumentTooBig, NoTextInside."""
    if len(content) > BIGGEST:
        raise DocumentTooBig
    if content.startswith(b"%PDF"):
        return await _pdf(content)
    if Path(name).suffix.lower() not in _TEXTS or b"\0" in content:
        raise WrongDocument
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # what Windows' editors wrote


async def _pdf(content: bytes) -> str:
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.writing.pdf",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            text, _ = await reader.communicate(content)
    except TimeoutError:
        raise DocumentTooBig from None
    finally:
        if reader.returncode is None:
            reader.kill()
            await reader.wait()
    if reader.returncode != 0:
        raise WrongDocument
    if not text.strip():
        raise NoTextInside
    return text.decode(errors="replace")

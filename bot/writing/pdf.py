"""The process that reads one PDF, `python -m bot.writing.pdf`: the file comes in, its text goes out. It ends with an error, as
any other does, when the file is damaged or locked, or wants more memory than a document should."""

from __future__ import annotations

import io
import logging
import sys

from pypdf import PdfReader

from crm_bridge.writing.rules import LONGEST_TEXT

_MEMORY = 1024 * 1024 * 1024


def main() -> None:
    logging.disable()
    _limit()
    characters = 0
    for page in PdfReader(io.BytesIO(sys.stdin.buffer.read())).pages:
        text = page.extract_text()
        sys.stdout.buffer.write(text.encode(errors="replace") + b"\n\n")
        characters += len(text)
        if characters > LONGEST_TEXT:  # whoever counts it says so
            break


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    main()

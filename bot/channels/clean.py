"""Text from outside, made safe to store: no NUL, no half of a surrogate pair, no endless message, no bottomless nesting."""

from __future__ import annotations

import re
from typing import Any

LIMIT = 65_536
"""Characters of one text that are kept."""
DEPTH = 32
"""Levels of nesting that are kept of an object we only store."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def clean_text(text: str, limit: int = LIMIT) -> str:
    """Drop NUL, put U+FFFD for a lone surrogate, keep `limit` characters. Right-to-left marks and emoji stay."""
    if len(text) > limit:
        text = text[:limit]
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_json(body: bytes) -> bytes:
    r"""JSON text with U+FFFD for each lone surrogate escape (`\ud83d` without its second half), which no decoder takes."""
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], body)


def clean_value(value: Any, depth: int = DEPTH) -> Any:
    """A decoded JSON value that any store takes: clean texts, integers of 64 bits (longer ones as text).
    ValueError when it nests deeper than `depth`."""
    match value:
        case str():
            return clean_text(value)
        case int() if not -(2**63) <= value < 2**63:
            return str(value)
        case dict() | list() if not depth:
            raise ValueError("nested too deep")
        case dict():
            return {clean_text(key): clean_value(inner, depth - 1) for key, inner in value.items()}
        case list():
            return [clean_value(inner, depth - 1) for inner in value]
    return value

"""Free words: a need, a company's name, a comment."""

from __future__ import annotations

from dialogs.readers.base import Ask, Heard, Miss, Reading
from nlu.entities.words import clean, is_blank

LONGEST = 4_096
"""Characters kept: as much as WhatsApp lets anybody send in one message."""


class TextReader:
    """Takes whatever was said, cleaned. It finds nothing by itself: any message is text."""

    misses = frozenset({"empty"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        text = clean(heard.text[:LONGEST])
        if is_blank(text):
            return Miss("empty")
        return Reading(text, text)

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        return None

"""Who somebody is stays in the house: names, e-mails, telephones and identity numbers are put aside before a text goes out, and
come back where the answer names their placeholders. Pure.

What is told by a whole sentence ("the one next to the church") cannot be known for what it is, and goes out.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from bot.writing.passages import idle
from dialogs.readers.base import Ask, Heard
from dialogs.readers.email import EmailReader
from dialogs.readers.tax_id import TaxIdReader
from nlu.normalise import unaccent

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+ ?(?:[@＠]|[(\[]at[)\]]) ?[\w-]+(?:(?:\.| \. |\[dot\])[\w-]+)*", re.IGNORECASE)
_RUN = re.compile(r"(?<!\d)(?<!\d[.,])\+?\(?\d(?:[\d()/. \u00a0·‐-―-]{4,}\d)(?:-?[kK](?!\w))?(?!\d)")
_AMOUNT = re.compile(r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?|\d{4,6}000|\d+[.,]\d{1,2}")
_MONEY_BEFORE = re.compile(r"(?:[$€]|s/\.?|\b(?:cop|usd|mxn|pen|clp|ars|brl))\s*$", re.IGNORECASE)
_DATE = re.compile(r"(?:\d{1,2}[/. -]\d{1,2}[/. -]\d{2,4}|\d{4}-\d{2}-\d{2})")
_ACCENTED = {
    "a": "[aáàâãä]", "e": "[eéèêë]", "i": "[iíìîï]", "o": "[oóòôõö]", "u": "[uúùûü]", "n": "[nñ]", "c": "[cç]", "y": "[yýÿ]",
}  # fmt: skip
"""Few people write the accents of their own names."""
_PLACEHOLDER = re.compile(r"\[(?:name|email|phone|id)-\d+\]")
_FEWEST = 7
"""Digits of a telephone, at least."""
_MOST = 50
"""Dictated addresses and named identity numbers of one text, at most."""


@dataclass(slots=True)
class Mask:
    """One question's placeholders: the same thing has the same one wherever it stands. `names` is how the person is called."""

    ask: Ask
    names: Collection[str] = ()
    _names: dict[tuple[str, str], str] = field(default_factory=dict)
    _kept: dict[str, str] = field(default_factory=dict)

    def hide(self, text: str) -> str:
        text = _EMAIL.sub(lambda found: self._aside("email", found.group()), text)
        for kind, reader in (("email", EmailReader()), ("id", TaxIdReader())):
            for _ in range(_MOST):
                reading = reader.find(Heard(text), self.ask)
                if reading is None or reading.span is None:
                    break
                start, end = reading.span
                text = text[:start] + self._aside(kind, text[start:end]) + text[end:]
        text = _RUN.sub(self._run, text)
        for name in sorted((name for name in self.names if len(name) > 2), key=len, reverse=True):
            written = "".join(_ACCENTED.get(letter, re.escape(letter)) for letter in unaccent(name.lower()))
            pattern = rf"(?<![\w\[]){written}(?!\w)"
            text = re.sub(pattern, lambda found: self._aside("name", found.group()), text, flags=re.IGNORECASE)
        return text

    def show(self, text: str) -> str:
        """With everything back in its place. A placeholder that was not given out stays as it is."""
        return _PLACEHOLDER.sub(lambda found: self._kept.get(found.group(), found.group()), text)

    def _run(self, found: re.Match[str]) -> str:
        """A long run of digits is a telephone or an identity number, unless it is an amount of money or a date."""
        run = found.group()
        if sum(sign.isdigit() for sign in run) < _FEWEST or _DATE.fullmatch(run):
            return run
        if _AMOUNT.fullmatch(run) or _MONEY_BEFORE.search(found.string[: found.start()]):
            return run
        return self._aside("phone", run)

    def _aside(self, kind: str, value: str) -> str:
        key = (kind, re.sub(r"[^\w@]", "", value).casefold())
        name = self._names.get(key)
        if name is None:
            count = sum(known == kind for known, _ in self._names) + 1
            name = self._names[key] = f"[{kind}-{count}]"
            self._kept[name] = value
        return name


def names_of(*called: str | None) -> frozenset[str]:
    """Whole names and their parts, but for "de", "los" and the like."""
    parts = (part for each in called if each for part in each.split() if unaccent(part.lower()) not in idle())
    return frozenset((*filter(None, called), *parts))


def asked_in(language: str, country: str, now: datetime) -> Ask:
    """How the readers read a text of this language and country."""
    return Ask(language="pt" if language == "pt" else "en" if language == "en" else "es", country=country, now=now)

"""The words of alerts, in every language; a text that is missing stops the start."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = ("es", "en", "pt")
Words = Mapping[str, Any]


class WrongWords(Exception):
    """notifications/texts.yaml lacks a text; the message names it."""


def words(language: str) -> Words:
    """All texts of a language; Spanish where there is none of it."""
    texts = load()
    return texts.get(language, texts["es"])


@cache
def load() -> Mapping[str, Words]:
    """Read and check them. WrongWords when a language has not the same keys as Spanish."""
    texts: Mapping[str, Words] = yaml.safe_load(Path(__file__).with_name("texts.yaml").read_text("utf-8"))
    for language in LANGUAGES:
        _same(texts["es"], texts.get(language, {}), language)
    return texts


def interest_word(interest: str, language: str) -> str:
    """What a dialog is about, for people: "electronics" is *Electrónica*; of one that we have no word for, its name."""
    return str(words(language)["interest"].get(interest) or interest.replace("_", " ").capitalize())


def _same(model: Any, other: Any, where: str) -> None:
    if isinstance(model, Mapping):
        if not isinstance(other, Mapping) or set(model) != set(other):
            missing = set(model) ^ set(other if isinstance(other, Mapping) else ())
            raise WrongWords(f"notifications/texts.yaml: {where}: {', '.join(map(str, sorted(missing)))}")
        for key in model:
            _same(model[key], other[key], f"{where}.{key}")
    elif not isinstance(other, str) or not other:
        raise WrongWords(f"notifications/texts.yaml: {where}: empty")

"""What a message wants, by the names of the things that a business sells (`things` of a question)."""

from __future__ import annotations

import re
from collections.abc import Collection

from dialogs.model import Dialog, Language
from dialogs.wording import AND, words_of
from nlu.entities.words import fold
from nlu.entities.words import words as listed
from nlu.normalise import sound

_SHORTEST = 4
"""Letters from which an ending may be a plural's."""
_BELONGS = listed(
    "de del para pa pra con sin com sem for of with without mi mis tu tus su sus my your meu minha este esta ese esa"
)
_KNOWN = listed("el la los las al the o os as ao aos lo")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_POINTS_BACK = re.compile(
    r"\b(?:lo|la|los|las|o|a) (?:necesito|nesesito|nesecito|quiero|kiero|ocupo|busco|preciso|quero|querria)\b"
)


def kind_of(word: str) -> str:
    """What a plain word is known by as the name of a thing: its sound, without what a plural adds ("selulares", "cables")."""
    heard = sound(word)
    return heard if len(heard) < _SHORTEST else heard.removesuffix("s").removesuffix("e")


def thing(dialog: Dialog, text: str, things: Collection[str], language: Language, *, definite: bool) -> str:
    """The first thing that a message names, from its article on to where something else is said: "tienen laptops gamer?" →
    "laptops gamer". What something is for ("funda para celular"), or is theirs ("mi celular"), is not wanted; nor, unless
    `definite`, what is spoken of as known ("el portátil no prende")."""
    words, lists = words_of(text), dialog.words

    def beside(place: int, marks: str = " ") -> bool:
        """Whether nothing but spaces stands before a word and the one in front of it."""
        return 0 < place < len(words) and not text[words[place - 1].end : words[place].start].strip(marks)

    def counts(place: int) -> bool:
        """Whether an article or a number stands there."""
        return words[place].plain in lists["article"] or words[place].plain.isdecimal()

    def names_one(place: int) -> bool:
        """Whether one more thing begins there: "y unos audífonos"."""
        return place < len(words) and (kind_of(words[place].plain) in things or counts(place))

    for place, word in enumerate(words):
        if kind_of(word.plain) not in things:
            continue
        first = place
        if language == "en" and beside(first) and not _is_small(dialog, words[first - 1].plain):
            first -= 1  # "gaming laptops"
        if beside(first) and counts(first - 1):
            first -= 1
        before = words[first - 1].plain if beside(first) else ""
        if before in _BELONGS and beside(first - 1) and beside(first - 2) and counts(first - 3):
            first, before = first - 3, ""  # "10 bultos de arroz", "una funda para celular"
        if before in _BELONGS or (before in _KNOWN and not definite):
            continue
        last = place
        while last + 1 < len(words):
            after = lists.spelt(words[last + 1].plain)
            if not (beside(last + 1) or (beside(last + 1, " ,") and names_one(last + 1))):
                break
            if after in lists["ends"] or (after in AND and not names_one(last + 2)):
                break
            last += 1
        while last > place and words[last].plain in lists["joint"]:
            last -= 1
        return text[words[first].start : words[last].end]
    return ""


def is_whole(dialog: Dialog, before: str) -> bool:
    """Whether what stands before a thing belongs to it: its article, or a verb ("alquilar dos portátiles")."""
    said = [word.plain for word in words_of(before)]
    counts = bool(said) and (said[0] in dialog.words["article"] or said[0] in _KNOWN or said[0].isdecimal())
    return not said or counts or any(word.endswith(("ar", "er", "ir")) for word in said)


def _is_small(dialog: Dialog, word: str) -> bool:
    words = dialog.words
    return words.spelt(word) in words["filler"] or any(word in words[name] for name in ("ends", "article", "joint", "lead"))


def link(text: str) -> str:
    """The first address of a page in it, or ""."""
    found = _LINK.search(text)
    return found.group() if found else ""


def points_back(clause: str) -> bool:
    """Whether what it wants was named before: "lo necesito hoy"."""
    return _POINTS_BACK.search(fold(clause)) is not None

"""One of several options: by button, number, label, another word for it, or a typo."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz, process

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading
from nlu.entities.pointing import pointed
from nlu.entities.words import fold, is_blank, unknown, words
from nlu.normalise import sound

_EMPTY_WORDS = words(
    "de la el los las un una uno unos para por con que en y o a al del mi me es son lo mas the of for to in my a an is and or "
    "it do da os as um uma com no na "
    "si sim yes soy ser quiero quero want seria como este esta esto esa ese"
)
_POSSESSIVE = (" mi", " meu", " minha", " my")
_COURTEOUS = words("favor porfa porfavor gracias misma mismo mesmo mesma nomas solo solamente please pues obrigado obrigada")
_WORDS = re.compile(r"[a-z0-9$+]+")
_SHORT_FOR = {"pa": "para", "pra": "para", "xa": "para", "d": "de", "hj": "hoje", "oy": "hoy"}
_NEGATED = re.compile(
    r"\b(?:no|not|nao|ni|sin|sem|tampoco)(?: (?:es|para|la|el|una|un|soy|quiero|for|a|the|e|uma|um|de|somos|son))* $"
    r"|\b(?:que|what|o que) (?:es|significa|quiere decir|is|means|significa)(?: (?:el|la|un|una|eso de))? $"
)
_CLAUSE = re.compile(r"[^,;.!?\n]+[?]?")
_CLOSE, _MARGIN = 78.0, 8.0
"""Likeness (0-100) that a typo must keep, and its lead over the next option."""
_MISSPELT = 88.0
"""Likeness of a misspelling in an answer that was not asked for."""


class ChoiceReader:
    """The value is the option's key, shown as its label. Nothing is guessed where two options fit about equally."""

    misses = frozenset({"empty", "unknown", "not_a_choice", "ambiguous"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        if heard.choice is not None:
            key = heard.choice if heard.choice in ask.choices else heard.choice.rpartition(":")[2]
            if key in ask.choices:
                return _reading(key, ask)
        folded = fold(heard.text[:LOOKED_AT])
        if is_blank(folded):
            return Miss("empty" if heard.choice is None else "not_a_choice")
        said = _plain(folded)
        spelt, heard_as = _ways(tuple(ask.choices.items()))
        exact = spelt.keys(said)
        if len(exact) == 1:
            return _reading(exact.pop(), ask)
        head = _plain(folded.partition(",")[0])
        opening = spelt.keys(head) if head != said else set()
        if len(opening) == 1:  # "sí, hace un año"
            return _reading(opening.pop(), ask)
        places = pointed(folded, [fold(said[0]) if said else key for key, said in ask.choices.items()])
        if len(places) == 1:
            return _reading(list(ask.choices)[places[0]], ask)
        if places:  # "los dos"
            return Miss("ambiguous")
        inside = _inside(said, spelt) or _inside(_by_ear(said), heard_as) or _inside(said, spelt, small=True)
        if len(inside) == 1:
            return _reading(next(iter(inside)), ask)
        if len(inside) > 1:
            return Miss("ambiguous")
        denied = _denied(said, spelt)
        left = [way for way in spelt.all if way.key not in denied]
        part = _part(said, left)
        if len(part) == 1:
            return _reading(part.pop(), ask)
        if unknown(folded):
            return Miss("unknown")
        close = _close(said, left)
        if close is not None:
            return _reading(close, ask)
        return Miss("ambiguous" if len(part) > 1 else "not_a_choice")

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """A label or another word for it, whole, once, not denied and not in a question; words that mean little by themselves
        ("para mí") only where a clause ends with them; a typo only when there is nothing else."""
        ways, _ = _ways(tuple(ask.choices.items()))
        found: dict[str, tuple[int, int] | None] = {}
        folded = fold(heard.text[:LOOKED_AT])
        for clause in _CLAUSE.finditer(folded):
            if clause.group().endswith("?"):
                continue
            said = _plain(clause.group())
            places: list[re.Match[str]] = []
            for key, phrase in _telling(said, ways).items():
                places = places or list(_WORDS.finditer(clause.group()))
                first = f" {said} "[: f" {said} ".find(f" {phrase} ")].count(" ")
                span = clause.start() + places[first].start(), clause.start() + places[first + phrase.count(" ")].end()
                found[key] = span if len(phrase) > 3 or _stands_alone(phrase, said) else None
        if not found and "?" not in folded and (close := _slip(folded, ways)):
            return _reading(close, ask, (0, len(heard.text)))
        key, place = next(iter(found.items()), ("", None))
        return _reading(key, ask, place) if len(found) == 1 and place else None


def _stands_alone(phrase: str, said: str) -> bool:
    """A word as short as "hoy" answers only by itself or after "para": "hoy vi su anuncio" answers nothing."""
    return (
        re.search(
            rf"(?:^|\b(?:para|pa|pra|es|lo necesito|lo quiero|for|by|need it|e|seria) ){re.escape(phrase)}(?: mismo)?$", said
        )
        is not None
    )


def _reading(key: str, ask: Ask, span: tuple[int, int] | None = None) -> Reading:
    labels = ask.choices[key]
    return Reading(key, labels[0] if labels else key, span=span)


def _plain(folded: str) -> str:
    return " ".join(_SHORT_FOR.get(word, word) for word in _WORDS.findall(folded))


def _telling_words(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in _EMPTY_WORDS and len(word) > 3)


def _by_ear(phrase: str) -> str:
    return " ".join(map(sound, phrase.split()))


class _Way(NamedTuple):
    """One way to say an option, in folded words."""

    place: int
    key: str
    phrase: str
    words: frozenset[str]
    telling: tuple[str, ...]
    """Its words of more than three letters that mean something by themselves."""
    little: bool
    """Whether it is made of little words alone: "para mí"."""


class _Ways:
    """Every way to say every option of a question, found by what it begins with."""

    def __init__(self, phrases: Iterable[tuple[str, str]]) -> None:
        self.all: list[_Way] = []
        self.phrases: list[str] = []
        """Of each of `all`."""
        self._by_phrase: dict[str, set[str]] = {}
        self._by_first: dict[str, list[_Way]] = {}
        for place, (key, phrase) in enumerate(dict.fromkeys(phrases)):
            words = phrase.split()
            way = _Way(place, key, phrase, frozenset(words), _telling_words(words), _EMPTY_WORDS.issuperset(words))
            self.all.append(way)
            self.phrases.append(phrase)
            self._by_phrase.setdefault(phrase, set()).add(key)
            self._by_first.setdefault(phrase.partition(" ")[0], []).append(way)

    def keys(self, phrase: str) -> set[str]:
        """The options that are said just so."""
        return set(self._by_phrase.get(phrase, ()))

    def within(self, padded: str) -> list[tuple[_Way, int]]:
        """The ways that are in " what was said ", in their own order, and where each begins."""
        near = [way for word in set(padded.split()) for way in self._by_first.get(word, ())]
        found = [(way, at) for way in near if (at := padded.find(f" {way.phrase} ")) >= 0]
        return sorted(found) if len(found) > 1 else found


@lru_cache(512)
def _ways(choices: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[_Ways, _Ways]:
    """As they are spelt; and the longer ones as they sound: "para mi enpresa", "para mi negosio"."""
    phrases = [(key, phrase) for key, said in choices for way in (key, *said) if (phrase := _plain(fold(way)))]
    return _Ways(phrases), _Ways((key, _by_ear(phrase)) for key, phrase in phrases if len(phrase) > 5)


def _inside(said: str, ways: _Ways, *, small: bool = False) -> dict[str, str]:
    """{key: its longest phrase inside what was said}, without phrases that are only part of a longer one of another option.

    `small`: look at the phrases of little words alone ("para mí"), which are inside many that mean something else."""
    padded = f" {said} "
    found: dict[str, str] = {}
    for way, at in ways.within(padded):
        phrase = way.phrase
        if phrase.isdigit() or way.little != small or (small and " " not in phrase) or _NEGATED.search(padded[: at + 1]):
            continue
        after = padded[at + len(phrase) + 2 :].split() if small and phrase.endswith(_POSSESSIVE) else []
        if after and after[0] not in _EMPTY_WORDS and after[0] not in _COURTEOUS:  # "para mi perro"
            continue
        if len(phrase) > len(found.get(way.key, "")):
            found[way.key] = phrase
    longer = found.values()
    return {key: phrase for key, phrase in found.items() if not any(_is_part(phrase, other) for other in longer)}


def _telling(said: str, ways: _Ways) -> dict[str, str]:
    """`_inside` for a message that answered something else: no phrase of one or two letters, little words at the end alone."""
    found = {key: phrase for key, phrase in _inside(said, ways).items() if len(phrase) > 2}
    return found or {key: phrase for key, phrase in _inside(said, ways, small=True).items() if f" {said}".endswith(f" {phrase}")}


def _slip(folded: str, ways: _Ways) -> str | None:
    """The option of which a short message is a misspelling as a whole."""
    said = _plain(folded)
    if not 6 <= len(said) <= 30 or said.count(" ") > 3:
        return None
    close = process.extract(said, ways.phrases, scorer=fuzz.ratio, score_cutoff=_MISSPELT, limit=None)
    keys = {ways.all[place].key for _, _, place in close}
    return keys.pop() if len(keys) == 1 else None


def _is_part(phrase: str, other: str) -> bool:
    return phrase != other and f" {phrase} " in f" {other} "


def _denied(said: str, ways: _Ways) -> set[str]:
    """The options that were named only to say no to them."""
    padded = f" {said} "
    return {way.key for way, at in ways.within(padded) if _NEGATED.search(padded[: at + 1])}


def _part(said: str, ways: Iterable[_Way]) -> set[str]:
    """The options that hold every telling word of what was said."""
    words = {word for word in said.split() if word not in _EMPTY_WORDS and len(word) > 2}
    return {way.key for way in ways if words <= way.words} if words else set()


def _close(said: str, ways: Iterable[_Way]) -> str | None:
    if not 3 <= len(said) <= 60:
        return None
    telling = _telling_words(said.split())[:8]
    likest: dict[str, float] = {}
    best: dict[str, float] = {}
    for way in ways:
        if len(way.phrase) < 4:
            continue
        score = fuzz.ratio(said, way.phrase, score_cutoff=_CLOSE)
        if telling and way.telling:
            each = 0.0
            for name in way.telling:
                if name not in likest:
                    likest[name] = max(fuzz.ratio(word, name) for word in telling)
                each += likest[name]
            score = max(score, each / len(way.telling) - 2)
        if score > best.get(way.key, -1.0):
            best[way.key] = score
    ranked = sorted(best.items(), key=lambda one: -one[1])
    if not ranked or ranked[0][1] < _CLOSE or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < _MARGIN):
        return None
    return ranked[0][0]

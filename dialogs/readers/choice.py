"""One of several options: by button, number, label, another word for it, or a typo."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import fuzz

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading
from dialogs.readers.words import fold, is_blank, unknown, words
from nlu.normalise import sound

_ORDINALS = (
    "1 uno una um uma one primero primera primer primeiro primeira first",
    "2 dos dois duas two segundo segunda second",
    "3 tres three tercero tercera tercer terceiro terceira third",
    "4 cuatro quatro four cuarto cuarta quarto quarta fourth",
    "5 cinco five quinto quinta fifth",
    "6 seis six sexto sexta sixth",
    "7 siete sete seven septimo septima setimo setima seventh",
    "8 ocho oito eight octavo octava oitavo oitava eighth",
    "9 nueve nove nine noveno novena nono nona ninth",
    "10 diez dez ten decimo decima tenth",
)
_PLACES = {word: place for place, line in enumerate(_ORDINALS, 1) for word in line.split()}
_NUMBERED = re.compile(
    r"(?:(?:la|el|lo|the|a|o|opcion|option|opcao|numero|number|num|nro|no|n|quiero|elijo|escojo|prefiero|seria|es|para mi|"
    r"mejor|quero|i want|de)[ .:]+)*"
    r"(\d{1,2}|[a-z]+)(?: (?:opcion|option|opcao|one|de ellas|de las|porfa|por ?favor|please|gracias|pues))*"
)
_LAST = frozenset({"ultimo", "ultima", "last", "la ultima", "el ultimo", "the last one", "the last", "a ultima", "o ultimo"})
_EMPTY_WORDS = words(
    "de la el los las un una uno unos para por con que en y o a al del mi me es son lo mas the of for to in my a an is and or "
    "it do da os as um uma com no na "
    "si sim yes soy ser quiero quero want seria como este esta esto esa ese"
)
_POSSESSIVE = (" mi", " meu", " minha", " my")
_COURTEOUS = words("favor porfa porfavor gracias misma mismo mesmo mesma nomas solo solamente please pues obrigado obrigada")
_WORDS = re.compile(r"[a-z0-9$+]+")
_SHORT_FOR = {"pa": "para", "pra": "para", "xa": "para", "d": "de"}
_NEGATED = re.compile(
    r"\b(?:no|not|nao|ni|sin|sem|tampoco)(?: (?:es|para|la|el|una|un|soy|quiero|for|a|the|e|uma|um|de|somos|son))* $"
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
        phrases: Iterable[tuple[str, str]] = _phrases(tuple(ask.choices.items()))
        exact = {key for key, phrase in phrases if phrase == said}
        if len(exact) == 1:
            return _reading(exact.pop(), ask)
        head = _plain(folded.partition(",")[0])
        opening = {key for key, phrase in phrases if phrase == head} if head != said else set()
        if len(opening) == 1:  # "sí, hace un año"
            return _reading(opening.pop(), ask)
        numbered = _numbered(said, ask)
        if numbered:
            return _reading(numbered, ask)
        by_ear = _phrases_by_ear(tuple(ask.choices.items()))
        inside = _inside(said, phrases) or _inside(_by_ear(said), by_ear) or _inside(said, phrases, small=True)
        if len(inside) == 1:
            return _reading(next(iter(inside)), ask)
        if len(inside) > 1:
            return Miss("ambiguous")
        phrases = [(key, phrase) for key, phrase in phrases if key not in _denied(said, phrases)]
        part = _part(said, phrases)
        if len(part) == 1:
            return _reading(part.pop(), ask)
        if unknown(folded):
            return Miss("unknown")
        close = _close(said, phrases)
        if close is not None:
            return _reading(close, ask)
        return Miss("ambiguous" if len(part) > 1 else "not_a_choice")

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """A label or another word for it, whole, once, not denied and not in a question; words that mean little by themselves
        ("para mí") only where a clause ends with them; a typo only when there is nothing else."""
        phrases = _phrases(tuple(ask.choices.items()))
        found: dict[str, tuple[int, int] | None] = {}
        folded = fold(heard.text[:LOOKED_AT])
        for clause in _CLAUSE.finditer(folded):
            if clause.group().endswith("?"):
                continue
            places = list(_WORDS.finditer(clause.group()))
            said = _plain(clause.group())
            for key, phrase in _telling(said, phrases).items():
                first = f" {said} "[: f" {said} ".find(f" {phrase} ")].count(" ")
                span = clause.start() + places[first].start(), clause.start() + places[first + phrase.count(" ")].end()
                found[key] = span if len(phrase) > 3 or _stands_alone(phrase, said) else None
        if not found and "?" not in folded and (close := _slip(folded, phrases)):
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


@lru_cache(512)
def _phrases(choices: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[tuple[str, str], ...]:
    """(key, folded words) of every way to say every option."""
    ways = ((key, _plain(fold(way))) for key, said in choices for way in (key, *said))
    return tuple(dict.fromkeys((key, phrase) for key, phrase in ways if phrase))


def _by_ear(phrase: str) -> str:
    return " ".join(map(sound, phrase.split()))


@lru_cache(512)
def _phrases_by_ear(choices: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[tuple[str, str], ...]:
    """The longer ways as they sound: "para mi enpresa", "para mi negosio"."""
    return tuple((key, _by_ear(phrase)) for key, phrase in _phrases(choices) if len(phrase) > 5)


def _numbered(said: str, ask: Ask) -> str | None:
    keys = list(ask.choices)
    if said in _LAST and keys:
        return keys[-1]
    match = _NUMBERED.fullmatch(said)
    if not match:
        return None
    word = match[1]
    place = int(word) if word.isdigit() else _PLACES.get(word, 0)
    return keys[place - 1] if 1 <= place <= len(keys) else None


def _inside(said: str, phrases: Iterable[tuple[str, str]], *, small: bool = False) -> dict[str, str]:
    """{key: its longest phrase inside what was said}, without phrases that are only part of a longer one of another option.

    `small`: look at the phrases of little words alone ("para mí"), which are inside many that mean something else."""
    padded = f" {said} "
    found: dict[str, str] = {}
    for key, phrase in phrases:
        at = padded.find(f" {phrase} ")
        little = set(phrase.split()) <= _EMPTY_WORDS
        after = padded[at + len(phrase) + 2 :].split() if small and at >= 0 and phrase.endswith(_POSSESSIVE) else []
        if after and after[0] not in _EMPTY_WORDS and after[0] not in _COURTEOUS:  # "para mi perro"
            continue
        if at < 0 or phrase.isdigit() or little != small or (small and " " not in phrase) or _NEGATED.search(padded[: at + 1]):
            continue
        if len(phrase) > len(found.get(key, "")):
            found[key] = phrase
    longer = found.values()
    return {key: phrase for key, phrase in found.items() if not any(_is_part(phrase, other) for other in longer)}


def _telling(said: str, phrases: Iterable[tuple[str, str]]) -> dict[str, str]:
    """`_inside` for a message that answered something else: no phrase of one or two letters, little words at the end alone."""
    found = {key: phrase for key, phrase in _inside(said, phrases).items() if len(phrase) > 2}
    return found or {
        key: phrase for key, phrase in _inside(said, phrases, small=True).items() if f" {said}".endswith(f" {phrase}")
    }


def _slip(folded: str, phrases: Iterable[tuple[str, str]]) -> str | None:
    """The option of which a short message is a misspelling as a whole."""
    said = _plain(folded)
    if not 6 <= len(said) <= 30 or said.count(" ") > 3:
        return None
    keys = {key for key, phrase in phrases if fuzz.ratio(said, phrase, score_cutoff=_MISSPELT)}
    return keys.pop() if len(keys) == 1 else None


def _is_part(phrase: str, other: str) -> bool:
    return phrase != other and f" {phrase} " in f" {other} "


def _denied(said: str, phrases: Iterable[tuple[str, str]]) -> set[str]:
    """The options that were named only to say no to them."""
    padded = f" {said} "
    return {key for key, phrase in phrases if (at := padded.find(f" {phrase} ")) >= 0 and _NEGATED.search(padded[: at + 1])}


def _part(said: str, phrases: Iterable[tuple[str, str]]) -> set[str]:
    """The options that hold every telling word of what was said."""
    words = {word for word in said.split() if word not in _EMPTY_WORDS and len(word) > 2}
    return {key for key, phrase in phrases if words and words <= set(phrase.split())}


def _close(said: str, phrases: Iterable[tuple[str, str]]) -> str | None:
    if not 3 <= len(said) <= 60:
        return None
    telling = [word for word in said.split() if word not in _EMPTY_WORDS and len(word) > 3][:8]
    best: dict[str, float] = {}
    for key, phrase in phrases:
        if len(phrase) < 4:
            continue
        score = fuzz.ratio(said, phrase, score_cutoff=_CLOSE)
        names = [word for word in phrase.split() if word not in _EMPTY_WORDS and len(word) > 3]
        if names and telling:
            each = sum(max(fuzz.ratio(word, name) for word in telling) for name in names) / len(names)
            score = max(score, each - 2)
        best[key] = max(best.get(key, 0.0), score)
    ranked = sorted(best.items(), key=lambda one: -one[1])
    if not ranked or ranked[0][1] < _CLOSE or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < _MARGIN):
        return None
    return ranked[0][0]

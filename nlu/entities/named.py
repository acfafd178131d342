"""Which of ours somebody names: a colleague, a product, a warehouse; by name, nickname or code, in part, or with a slip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from msgspec import Struct
from rapidfuzz.distance import OSA

from nlu.entities.words import fold, words
from nlu.normalise import sound

_NICKNAMES = (
    "nacho=ignacio pacho=francisco paco=francisco pancho=francisco kiko=francisco quico=francisco pepe=jose chepe=jose "
    "lucho=luis memo=guillermo willy=guillermo beto=alberto/roberto/humberto tito=alberto/roberto quique=enrique "
    "kike=enrique tono=antonio toni=antonio tonio=antonio manolo=manuel manu=manuel lalo=eduardo edu=eduardo rafa=rafael "
    "santi=santiago seba=sebastian sebas=sebastian nico=nicolas dani=daniel/daniela gabi=gabriel/gabriela gabo=gabriel "
    "alex=alejandro ale=alejandro/alejandra aleja=alejandra caro=carolina cata=catalina nata=natalia nati=natalia "
    "vale=valentina/valeria mafe=maria majo=maria juanpa=juan juancho=juan juanito=juan juanca=juan pipe=felipe "
    "andre=andres/andrea charly=carlos carlitos=carlos migue=miguel mike=miguel fede=federico fer=fernando/fernanda "
    "nando=fernando sofi=sofia isa=isabel/isabella lau=laura pau=paula pao=paola vicky=victoria vero=veronica moni=monica "
    "pati=patricia paty=patricia tere=teresa lupe=guadalupe concha=concepcion lola=dolores chelo=consuelo chayo=rosario "
    "charo=rosario meche=mercedes bea=beatriz betty=beatriz cami=camila/camilo jime=jimena jose=josefina/josefa pepa=josefa "
    "rodri=rodrigo rodo=rodolfo gonza=gonzalo gus=gustavo tavo=gustavo chucho=jesus joaco=joaquin leo=leonardo "
    "maxi=maximiliano mauro=mauricio mao=mauricio neto=ernesto poncho=alfonso ricky=ricardo richi=ricardo "
    "cris=cristina/cristian tati=tatiana"
)
_LITTLE = words("de del la las el los un una uno unos unas y e o a al con para por mi su the of and for with do da com em no na")
_JOINS = words("y e o u and or mas tambien ademas con sin para por and ou tambem")
"""Between two things that are named one after the other."""
_WORD = re.compile(r"[a-z]+|\d+(?:[.,]\d+)?|[^\W\d_a-z]+")
_PIECE = re.compile(r"[a-z0-9]+(?:[-/.][a-z0-9]+)*")
_SHORTEST, _SHORTEST_SLIP, _LONG = 3, 4, 8
_MOST_WORDS = 60
_GAP = 2
"""Words between two of one name: "el iphone ese de 128"."""


NICKNAMES: Mapping[str, frozenset[str]] = {
    short: frozenset(long.split("/")) for short, _, long in (pair.partition("=") for pair in _NICKNAMES.split())
}
"""{"pacho": {"francisco"}}"""


class Entry(Struct, frozen=True):
    """Something of ours. `names` are all it is called, nicknames too; `codes` name it and nothing else."""

    id: int
    names: tuple[str, ...]
    codes: tuple[str, ...] = ()


class Mention(Struct, frozen=True):
    """A part [start, end) of a text that names one of `ids`: sure, likely (a part of its name, or a slip), or several that fit as
    well as each other."""

    ids: tuple[int, ...]
    start: int
    end: int
    sureness: Literal["sure", "likely", "several"]


class Names:
    """The entries, indexed once; `find` then costs little, however many they are."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._codes: dict[str, set[int]] = {}
        self._whole: dict[frozenset[str], set[int]] = {}
        self._of: dict[str, set[int]] = {}
        """{word: the entries in whose names it is}"""
        for entry in entries:
            for code in entry.codes:
                self._codes.setdefault(_bare(fold(code)), set()).add(entry.id)
            for name in entry.names:
                telling = frozenset(word for word in tokens(name) if word not in _LITTLE)
                if telling:
                    self._whole.setdefault(telling, set()).add(entry.id)
                for word in telling:
                    self._of.setdefault(word, set()).add(entry.id)
        self._by_ear: dict[str, str] = {}
        self._by_letter: dict[str, list[str]] = {}
        for word in sorted(self._of):
            if len(word) >= _SHORTEST_SLIP and word.isalpha():
                self._by_ear.setdefault(_ear(word), word)
                self._by_letter.setdefault(word[0], []).append(word)

    def find(self, text: str) -> tuple[Mention, ...]:
        """What a text names, in its order."""
        folded = fold(text)
        coded = self._coded(folded)
        found, part = list(coded), list[tuple[str, bool, int, int]]()
        gap = 0
        for match in list(_WORD.finditer(folded))[:_MOST_WORDS]:
            said, (start, end) = match.group(), match.span()
            known = None if any(one.start < end and start < one.end for one in coded) else self._known(said)
            if known is not None:
                part.append((known, known == said, start, end))
                gap = 0
                continue
            gap += 1
            if gap > _GAP or said in _JOINS:
                found += self._mentioned(part)
                part = []
        found += self._mentioned(part)
        return tuple(sorted(found, key=lambda one: one.start))

    def _coded(self, folded: str) -> list[Mention]:
        mentions = []
        pieces = list(_PIECE.finditer(folded)) if self._codes else []
        at = 0
        while at < len(pieces):
            for many in (2, 1):  # "sm s921b", "sm-s921b"
                run = pieces[at : at + many]
                ids = self._codes.get("".join(_bare(piece.group()) for piece in run), set())
                if ids:
                    sureness: Literal["sure", "several"] = "sure" if len(ids) == 1 else "several"
                    mentions.append(Mention(tuple(sorted(ids)), run[0].start(), run[-1].end(), sureness))
                    at += many - 1
                    break
            at += 1
        return mentions

    def _known(self, word: str) -> str | None:
        """The word of a name that a word is, as it is spelt; None for a word of no name."""
        if word in self._of:
            return word
        if len(word) < _SHORTEST_SLIP or not word.isalpha():
            return None
        if heard := self._by_ear.get(_ear(word)):
            return heard
        singular = word.removesuffix("es") if word.endswith("es") and word[:-2] in self._of else word.removesuffix("s")
        if singular in self._of:
            return singular
        most = 1 if len(word) < _LONG else 2
        slips = [(OSA.distance(word, each, score_cutoff=most), each) for each in self._by_letter.get(word[0], ())]
        near = sorted(slip for slip in slips if slip[0] <= most)
        return near[0][1] if near and (len(near) == 1 or near[0][0] < near[1][0]) else None

    def _mentioned(self, part: Sequence[tuple[str, bool, int, int]]) -> list[Mention]:
        """The entries that hold most of what these words say."""
        rarest = sorted({word for word, *_ in part}, key=lambda word: (len(self._of[word]), word))
        model = any(one[3] == two[2] for one, two in pairwise(part))  # "s24", written together
        if not model and not any(word.isalpha() and len(word) >= _SHORTEST for word in rarest):
            return []
        held = self._of[rarest[0]]
        for word in rarest[1:]:
            held = held & self._of[word] or held
        ids = sorted(held)
        words_of_them = [word for word in part if ids[0] in self._of[word[0]]]
        whole = self._whole.get(frozenset(word for word, *_ in words_of_them), set()) & held
        spelt = all(exact for _, exact, *_ in words_of_them)
        if len(whole) == 1:
            ids = [*whole]
        sureness: Literal["sure", "likely", "several"] = "several" if len(ids) > 1 else "sure" if whole and spelt else "likely"
        start, end = words_of_them[0][2], words_of_them[-1][3]
        rest = [word for word in part if word[2] >= end]
        return [Mention(tuple(ids), start, end, sureness), *(self._mentioned(rest) if rest else [])]


def _ear(word: str) -> str:
    return sound(word.replace("ph", "f"))


def _bare(code: str) -> str:
    return re.sub(r"[^a-z0-9]", "", code)


@lru_cache(4096)
def tokens(said: str) -> tuple[str, ...]:
    """The words of a name or of what is said, folded; letters and digits apart ("s24" is "s", "24")."""
    return tuple(_WORD.findall(fold(said[:200])))


def likeness(wanted: Sequence[str], name: str) -> float:
    """How well a person's name fits what was asked for, from 0 (not at all) to 100: every word of it is one of the name's, its
    nickname, its start, or a slip of it; the whole name fits best."""
    there = tokens(name)
    if not there or not wanted:
        return 0.0
    total = 0.0
    for word in wanted:
        points = max(_fits(word, other) for other in there)
        if not points:
            return 0.0
        total += points
    return total / len(wanted) + (10.0 if len(wanted) == len(there) else 0.0)


def _fits(word: str, other: str) -> float:
    if word == other:
        return 90.0
    if other in NICKNAMES.get(word, ()) or word in NICKNAMES.get(other, ()):
        return 80.0
    if len(word) >= 3 and other.startswith(word):
        return 70.0
    if len(word) < _SHORTEST_SLIP:
        return 0.0
    slips = OSA.distance(word, other, score_cutoff=2)
    return 60.0 if sound(word) == sound(other) else 50.0 if slips <= (1 if len(word) < _LONG else 2) else 0.0

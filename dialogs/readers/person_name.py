"""What a person is called: "soy Ana", "me llamo ana ruiz", "habla Carlos", "JOSE PEREZ"."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

from msgspec.structs import replace

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading
from dialogs.readers.company import find_company
from nlu.entities.cities import CITIES, UNSURE
from nlu.entities.names import GIVEN, NOT_NAMES, OF_A_BUSINESS, PARTICLES, TITLES
from nlu.entities.words import clean, fold, is_blank, words

_NAMED = re.compile(
    r"\b(?:me (?:ll|y|i)amo|mi n[onmbr]{2,5}e?(?: completo)? es|m(?:i|y) nombre(?: completo)?(?: es|:)|mi nombre(?=[ ,]+(?!es))|"
    r"a nombre de|my name(?: is|'s|s)|meu nome e|me chamo|je (?:suis|m'appelle)|(?:le |te |les )?(?:habla|escribe|saluda)(?= )|"
    r"(?:hola|buenas|dias|tardes|noches),? (?:le |te )?habla con(?= )|"
    r"pued(?:es?|en) (?:llamarme|decirme)|ll[ae]m[ae]n?me|"
    r"me (?:dicen|llaman)|diga(?:n)?me|dime|call me|name:|nombre:|nome:|de parte de)\s*:? *"
)
_AM = re.compile(
    r"(?:\b(?:yo |eu )?(?:[sz]o[yi]|sou(?: [oa])?)|\bi'?m|\bit'?s|\bi am|\bthis is|^\W*(?:hola\W+)?(?:aqui|aca|aqui e|con|fala|"
    r"quem fala e))\b:? *"
)
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.\u0300-\u036f-](?=[^\W\d_]|\.?\s|$))*", re.UNICODE)
_BREAK = re.compile(r"[,;:!?¡¿()/|\n\d@\"*_#+=<>{}\[\]\\]|\s-\s|(?<!\b\w)\.(?:\s|$)|$")
_GREETING = re.compile(
    r"^\W*(?:(?:hola|ola|hello|hi|hey|oi|buenas|buenos dias|buen dia|buenas tardes|buenas noches|bom dia|boa tarde|boa noite|"
    r"good morning|es|is|si|claro|ok|listo|bueno|pues|mucho gusto|un gusto|sim|yes|sure)\b[\s,.!:]*)+"
)
_SAYS_HELLO = re.compile(r"\b(?:hola|ola|hello|hi|hey|oi|buen[oa]s?|bom|boa|good)\b")
_GREETS = words("hola ola hello hi hey oi buenas buenos saludos alo")
_TITLE = re.compile(r"\s*(?:(?:el|la|o|a) )?(?:" + "|".join(sorted(TITLES)) + r")\b\.?\s+")
_CODE = re.compile(r"[{}<>\[\]\\*;=|]|--")
_MASHED = re.compile(r"[^aeiouy'-]{5,}|(.)\1\1|^\w{3,}[aei]r(?:l[oa]s?|me|te|se|nos)$")
"""No name: five consonants on end, a letter three times, a verb with its pronoun ("recogerlo")."""
_HELD = re.compile(r"(.)\1{2,}$")
"""A letter held down at the end: "Camiiii"."""
_LONE_OF = words(
    "leon jesus dios souza sousa oliveira lima almeida paula castro silva santos freitas andrade avila haro toro leyva anda "
    "oro paz"
)
_CLAUSE = re.compile(r"(?:^|[,;:.!\n-])\s*(?:(?:es|is|e|soy) )?(?=\S)")
_ONLY_CITIES = frozenset(CITIES) - UNSURE - GIVEN
_MOST_WORDS = 7
_LONGEST = 80
_TRIES = 4
_DENIES = (" no", " nao", " not")


class PersonNameReader:
    """The name alone, spelled as names are. Talk, questions, goods and insults are no names."""

    misses = frozenset({"empty", "a_greeting", "a_question", "not_a_name", "too_long"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        cards = [attachment.name for attachment in heard.attachments if attachment.kind == "contact" and attachment.name]
        text = _level(heard.text)
        if is_blank(text):
            card = _name(clean(cards[0]), 0, alone=True) if cards else None
            return replace(card, span=None) if card else Miss("not_a_name" if cards else "empty")
        said = self._introduced(text, sure=False)
        if said:
            return said
        folded = fold(text)
        if "?" in text:
            return Miss("a_question")
        if _CODE.search(text):
            return Miss("not_a_name")
        greeting = _GREETING.match(folded)
        start = greeting.end() if greeting else 0
        if start >= len(text.rstrip(" .!,")):
            return Miss("a_greeting" if _SAYS_HELLO.search(folded) else "not_a_name")
        if "@" in text or re.search(r"\b(?:www|https?)\b|\.com\b", folded):
            return self.find(heard, ask) or Miss("not_a_name")
        name = _name(text, start, alone=True)
        if name is not None and fold(str(name.value)) not in _ONLY_CITIES:
            return name
        for match in islice(_CLAUSE.finditer(folded), 1, _TRIES):
            name = _name(text, match.end(), alone=True)
            if name is not None and fold(str(name.value)).split()[0] in GIVEN:
                return name
        words = [fold(word) for word in _WORD.findall(text)]
        if words and words[0] in _GREETS and len(words) < 4:
            return Miss("a_greeting")
        return Miss("too_long" if len(words) > _MOST_WORDS and not NOT_NAMES.intersection(words) else "not_a_name")

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """Only after "me llamo", "soy" and the like, or a known given name that stands first and apart ("Ana, ana@ruiz.co")."""
        text = _level(heard.text)
        said = self._introduced(text, sure=True)
        if said:
            return said
        greeting = _GREETING.match(fold(text))
        start = greeting.end() if greeting else 0
        rest = _BREAK.search(text, start)
        if rest is None or rest.start() >= len(text.rstrip()) or text[rest.start()] in "?@*_#=":
            return None
        name = _name(text, start, alone=True)
        return name if name is not None and fold(str(name.value)).split()[0] in GIVEN else None

    def _introduced(self, text: str, *, sure: bool) -> Reading | None:
        folded = fold(text)
        for match in islice(_NAMED.finditer(folded), _TRIES):
            name = _name(text, match.end(), alone=False)
            if name is not None:
                return name
        for match in islice(_AM.finditer(folded), _TRIES):
            if f" {folded[: match.start()].rstrip()}".endswith(_DENIES):
                continue
            name = _name(text, match.end(), alone=False)
            if name is None:
                continue
            first = str(name.value).split()[0]
            capital = name.span is not None and text[name.span[0]].isupper() and not text.isupper()
            if fold(first) in GIVEN or capital or (not sure and match.start() < 12):
                return name
        return None


def _level(text: str) -> str:
    """The text with its accents joined, in one line of the size that is looked at; positions of plain texts do not change."""
    cut = text[:LOOKED_AT]
    return cut if cut.isascii() else unicodedata.normalize("NFC", cut)


def _name(text: str, start: int, *, alone: bool) -> Reading | None:
    """The name that begins at `start`. `alone`: nothing introduced it, so every word up to the next mark has to belong to it."""
    title = _TITLE.match(fold(text), start)
    if title:
        start = title.end()
    stop = _BREAK.search(text, start)
    end = stop.start() if stop else len(text)
    taken: list[re.Match[str]] = []
    for match in _WORD.finditer(text, start, end):
        word = fold(match.group()).strip(".'-")
        if len(taken) > _MOST_WORDS:
            return None
        if word in PARTICLES:
            if taken and not (_leaves_the_name(text, match, end, introduced=not alone)):
                taken.append(match)
                continue
            if taken:
                break
            return None
        if word in NOT_NAMES or word in OF_A_BUSINESS:
            if word in ("por", "gracias", "mucho", "y") and taken:
                break
            if alone or not taken:
                return None
            break
        if alone is False and len(taken) >= 5:
            break
        taken.append(match)
    while taken and fold(taken[-1].group()) in PARTICLES:
        taken.pop()
    if not taken or len(taken) > _MOST_WORDS:
        return None
    words = [_HELD.sub(r"\1", match.group()) for match in taken]
    if len(words) == 1 and len(words[0]) < 2:
        return None
    if alone and not _convincing(words):
        return None
    shown = " ".join(spelled(word, first=place == 0) for place, word in enumerate(words))[:_LONGEST]
    return Reading(clean(shown), clean(shown), span=(taken[0].start(), taken[-1].end()))


def _leaves_the_name(text: str, particle: re.Match[str], end: int, *, introduced: bool) -> bool:
    """Whether "de …" goes on with a company or a city ("Pedro de Ferretería Norte"), not the name."""
    company = find_company(Heard(text))
    if company is not None and company.span is not None and company.span[0] == particle.end() + 1:
        return True  # "Beto Díaz de Textiles del Valle SAS"
    following = [fold(match.group()) for match in _WORD.finditer(text, particle.end(), end)][:3]
    word = fold(particle.group())
    if word in ("y", "e"):
        return introduced or not following or following[0] in NOT_NAMES or following[0] in GIVEN
    article = bool(following) and following[0] in ("la", "los", "las", "el")
    words = following[1:] if article else following
    if not words or words[0] in NOT_NAMES or not OF_A_BUSINESS.isdisjoint(words):
        return True
    if word in ("de", "da", "do") and not article:
        place = " ".join(words[:2]) in CITIES or (words[0] in CITIES and words[0] not in UNSURE)
        return words[0] not in _LONE_OF and (place or (introduced and word == "de"))
    return False


def _convincing(words: list[str]) -> bool:
    """Whether bare words are a name: a known given name among the first two, or no more words than names have."""
    folded = [fold(word) for word in words]
    if GIVEN.intersection(folded[:2]):
        return True
    proper = [word for word in folded if word not in PARTICLES]
    if len(proper) > 4 or not all(len(word) <= 20 and not _MASHED.search(word) for word in proper):
        return False
    return max(len(word) for word in proper) > 2 or (words[0][0].isupper() and re.search("[aeiouy]", folded[0]) is not None)


def spelled(word: str, *, first: bool) -> str:
    """One word of a name: particles small, what is all small or all capitals becomes "Ruiz", "O'Connor", "Jean-Paul"."""
    if not first and fold(word) in PARTICLES:
        return word.lower()
    if not (word.islower() or word.isupper() or word[1:].islower()):
        return word
    return "".join(part[:1].upper() + part[1:].lower() for part in re.split(r"(['’.-])", word))

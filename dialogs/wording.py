"""What the words of a message tell, by the word lists of texts.yaml: wishes, questions, corrections, filler."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from dialogs.model import Dialog, Question
from dialogs.readers.words import fold

_LOOKED_AT = 1_000
"""Characters in which phrases are sought."""
_WORD = re.compile(r"[^\W_]+")
_QUESTION = re.compile(r"¿[^?]*\??|[^.!?¿\n]*\?")
_ASKING_CLAUSE = re.compile(r"¿[^?]*\??|(?:[^.,!?¿\n]|[.,](?=\d))*\?")


@dataclass(frozen=True, slots=True)
class Word:
    plain: str
    start: int
    end: int


@lru_cache(512)
def plain(text: str) -> str:
    """Lower case, no accents, words alone with single spaces: how phrases are compared. Emoji alone stay themselves."""
    return " ".join(_WORD.findall(fold(text))) or text.strip()


def words_of(text: str) -> list[Word]:
    return [Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(fold(text))]


def says(dialog: Dialog, text: str, meaning: str) -> bool:
    """Whether the whole message is one of the plain words for `meaning`."""
    return plain(text) in dialog.words[meaning]


def phrases(dialog: Dialog, text: str, meaning: str) -> bool:
    """Whether the message holds one of the plain words for `meaning`."""
    return bool(_matches(text, dialog.words[meaning]))


def agrees(dialog: Dialog, text: str) -> bool:
    """Whether it is a yes with nothing but courtesies around it: "sí, todo bien, muchas gracias"."""
    words, known = words_of(text), _matches(text, dialog.words["yes"] | dialog.words["courtesy"])
    place = 0
    while place in known:
        place = known[place]
    return bool(words) and place == len(words) and any(word.plain in dialog.words["yes"] for word in words[:2])


def is_question(dialog: Dialog, text: str) -> bool:
    """By its marks, or because it begins like one."""
    if "?" in text or "¿" in text:
        return True
    return 0 in _matches(text, dialog.words["asking"]) or bool(_matches(text, dialog.words["wondering"]))


def statements(text: str, *, clauses: bool = False) -> str:
    """The message without its questions, every other character in its place. With `clauses` a comma ends what comes before a
    question, too ("para mí, hacen envíos?")."""
    return (_ASKING_CLAUSE if clauses else _QUESTION).sub(lambda match: " " * len(match.group()), text)


def without(dialog: Dialog, text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The message without what was read already, nor the small words that tied it in ("de 2 millones"), in its place."""
    for start, end in spans:
        words = words_of(text[:start])
        while words and words[-1].plain in dialog.words["joint"] and not text[words[-1].end : start].strip(" :.(\"'"):
            start = words.pop().start
        text = text[:start] + "," + " " * (end - start - 1) + text[end:] if end > start else text
    return text


def clauses(text: str) -> list[tuple[int, int]]:
    """[start, end) of the parts between commas, stops and line ends."""
    return [(match.start(), match.end()) for match in re.finditer(r"(?:[^,.;!?\n]|[.,](?=\d))+", text)]


def after_correction(dialog: Dialog, text: str) -> str:
    """What follows words of correction that a message begins with; "" when it does not begin so."""
    words, corrections, links = words_of(text), _matches(text, dialog.words["correct"]), _matches(text, dialog.words["link"])
    first = 0
    while first in corrections or (first and first in links):
        first = corrections.get(first) or links[first]
    return text[words[first].start :].strip(" ,.;:") if 0 < first < len(words) else ""


def content(dialog: Dialog, text: str) -> bool:
    """Whether it says more than greetings and the words around a wish."""
    return any(word.plain not in dialog.words["filler"] for word in words_of(text))


def trimmed(dialog: Dialog, text: str) -> str:
    """Without greetings and words of wishing in front: "hola, necesito un portátil" → "un portátil"."""
    words = words_of(text)
    leads = _matches(text, dialog.words["lead"])
    first = 0
    while first in leads and leads[first] < len(words):
        first = leads[first]
    return text[words[first].start :].strip(" ,.;:!¡¿?-\n\t") if words else ""


def wish(dialog: Dialog, text: str, *, asked: bool) -> str:
    """The part of a message that tells what is wanted: what has some content; when that was not `asked`, only the clauses with a
    word of wishing, if there are such."""
    clauses = [clause for clause in re.split(r"[.;!?\n]+|,(?!\d)", text) if content(dialog, clause)]
    wishing = [] if asked else [clause for clause in clauses if phrases(dialog, clause, "want")]
    return ", ".join(trimmed(dialog, clause) for clause in wishing or clauses)


def mentioned(dialog: Dialog, text: str, questions: Mapping[str, Question]) -> tuple[Question, str] | None:
    """The question that a correction names, and what follows the name ("mi correo es otro: ana@ruiz.co")."""
    words = words_of(text)
    best: tuple[int, int, Question] | None = None
    for question in questions.values():
        for start, end in _matches(text, question.called).items():
            if best is None or end - start > best[1] - best[0]:
                best = start, end, question
    if best is None:
        return None
    rest = text[words[best[1] - 1].end :].lstrip(" :=-,")
    while (links := _matches(rest, dialog.words["link"])) and 0 in links:
        rest = rest[words_of(rest)[links[0] - 1].end :].lstrip(" :=-,")
    return best[2], rest.strip()


def _matches(text: str, known: frozenset[str]) -> dict[int, int]:
    """{start: end} of the known phrases in a message, counted in words; at each place the longest."""
    found: dict[int, int] = {}
    for phrase, start, end in _phrases(text):
        if phrase in known and start not in found:
            found[start] = end
    return found


@lru_cache(256)
def _phrases(text: str) -> tuple[tuple[str, int, int], ...]:
    """Every run of up to four words, in order, the longest first at each place."""
    words = [word.plain for word in words_of(text[:_LOOKED_AT])]
    return tuple(
        (" ".join(words[start : start + length]), start, start + length)
        for start in range(len(words))
        for length in (4, 3, 2, 1)
        if start + length <= len(words)
    )

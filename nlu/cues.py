"""What shows in a text before any model is asked: that it is a question, that it is a name."""

from __future__ import annotations

import re
from functools import cache

from nlu.normalise import LONGEST, Normal, lexicon, unaccent


@cache
def _openers() -> tuple[frozenset[str], frozenset[str]]:
    fillers, questions = (frozenset(word for row in lexicon()[name] for word in row) for name in ("fillers", "questions"))
    return fillers, questions


@cache
def _phrases() -> tuple[re.Pattern[str], re.Pattern[str], frozenset[str]]:
    words = lexicon()
    opening, asking, telling = ("|".join(map(re.escape, words[name])) for name in ("openings", "asking", "statements"))
    return re.compile(rf"^(?:{opening})\b|\b(?:{asking})\b"), re.compile(rf"(?:{telling})\b"), frozenset(words["interrogatives"])


def is_question(text: Normal) -> bool:
    """Whether a text asks something, with a question mark or without one ("hacen envios")."""
    fillers, questions = _openers()
    phrases, statements, interrogatives = _phrases()
    if "?" in text.words or any(word in interrogatives for word in text.marked):
        return True
    first = next((word for word in text.words if word not in fillers), "")
    if first in questions and statements.match(text.plain[text.plain.find(first) :]) is None:
        return True
    return phrases.search(text.plain) is not None


_CLAUSE = re.compile(r"[,;.!\n]+| (?=pero |sino |but )")
_UNWANTED = re.compile(
    r"\W*(?:(?:pero|y|e|and|but|hola|buenas|es que|yo) )*(?:"
    r"(?:ya )?no (?:me )?(?:quiero|quisiera|queremos|necesito|necesitamos|deseo|busco|ocupo|interesa|hace falta)|sin |"
    r"no (?:la|el|una|un|los|las|es|para|me mande\w*|me envie\w*) |"
    r"(?:i )?(?:don'?t|do not) (?:want|need)|not (?:a|the) |nao (?:quero|preciso)|sem )"
)
_ONLY = re.compile(
    r"\b(?:solo|solamente|unicamente|nomas|no mas|nada mas|sino|prefiero|mas bien|just|only|so|apenas|somente|dame|dime|mejor)\b"
)


def wanted_part(text: str) -> str:
    """What is wanted, of a message that says besides what is not: "no quiero cotización, solo el precio" → "solo el precio"."""
    if len(text) > LONGEST or _ONLY.search(folded := unaccent(text.lower())) is None or len(folded) != len(text):
        return ""
    starts = [0, *(match.end() for match in _CLAUSE.finditer(folded))]
    parts = [text[start:end].strip(" ,;.!") for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    wanted = [part for part in parts if part and _UNWANTED.match(unaccent(part.lower())) is None]
    only = any(_ONLY.search(unaccent(part.lower())) for part in wanted)
    return ", ".join(wanted) if only and len(wanted) < sum(map(bool, parts)) else ""


def looks_like_a_name(text: str) -> bool:
    """Whether two to six words stand in title case, as in "Tienda El Precio Justo"."""
    words = text.split(maxsplit=6)
    capital = sum(word[0].isupper() and not word.isupper() for word in words)
    return 2 <= len(words) <= 6 and capital >= 2 and capital >= 0.6 * len(words)

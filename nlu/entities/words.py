"""What the readers share about words: folding that keeps positions, cleaning, and the ways of saying "I don't know"."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_INVISIBLE = {*range(0x20), *range(0x7F, 0xA1), 0xAD, 0x061C, 0x180E, *range(0x2000, 0x2010), *range(0x2028, 0x2030)} - {0x0A}
_INVISIBLE |= {*range(0x205F, 0x2070), 0xFEFF, 0xFE0F}


def _base(code: int) -> str:
    decomposed = unicodedata.normalize("NFKD", chr(code)).lower()
    return decomposed[0] if len(decomposed) == 1 or unicodedata.combining(decomposed[1]) else chr(code)


_FOLD: dict[int, str] = {code: _base(code) for code in (*range(0xA1, 0x250), *range(0x1E00, 0x1F00), *range(0xFF01, 0xFF5F))}
_FOLD |= dict.fromkeys(_INVISIBLE, " ") | {0x2019: "'", 0x2018: "'", 0xB4: "'", 0x60: "'", 0x2013: "-", 0x2014: "-", 0x2212: "-"}
_FOLD |= {code: chr(code).lower() for code in range(0x41, 0x5B)}

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[^\S\n]+")

_UNKNOWN = re.compile(
    r"\b(?:nose\b|no (?:lo |la )?(?:se|ce|c)\b(?! (?:puede|preocupe|si ))|ni idea|no tengo (?:ni )?idea|ni se|quien sabe|no "
    r"(?:estoy|estamos) segur[oa]s?"
    r"|(?:aun|todavia) no(?: (?:lo |la )?(?:se|tengo|tenemos|sabemos|he|hemos)\b.*)?$|no (?:lo )?sabemos|depende|lo (?:que|q) "
    r"(?:cueste|valga|sea)"
    r"|(?:sin|no (?:tengo|hay|tenemos)) (?:un )?(?:presupuesto|limite|fecha|prisa|afan|apuro)|no (?:lo )?(?:tengo|tenemos) "
    r"(?:claro|definido)"
    r"|(?:i )?don'?t know|dunno|idk|not sure|no idea|it depends|no (?:rush|hurry|budget)|nao (?:sei|sabemos|tenho (?:ideia|"
    r"certeza))|ainda nao(?: sei)?"
    r"|sem (?:pressa|orcamento)|tanto faz"
    r"|cuando (?:(?:ustede?s?|uds?|tu) )?(?:(?:me|se|lo|la|los|las) )?(?:pued(?:a|as|an)|quier(?:a|as|an)|"
    r"dig(?:a|as|an)|teng(?:a|as|an)|gusten?|avisen?)|sin definir|por definir)\b"
)


def words(listed: str) -> frozenset[str]:
    """The words of a list that is written as one string."""
    return frozenset(listed.split())


@lru_cache(256)
def fold(text: str) -> str:
    """Lower case without accents, every character in its own place, so that positions hold for the original."""
    return text.lower() if text.isascii() and text.isprintable() else text.translate(_FOLD)


def clean(text: str) -> str:
    """What may be stored and sent: no control or direction marks, no lone surrogates, single spaces."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    return _SPACE.sub(" ", _UNPRINTABLE.sub("", _SURROGATE.sub("�", text))).strip()


def unknown(folded: str) -> bool:
    """Whether somebody says not to know (yet)."""
    return _UNKNOWN.search(folded) is not None


def is_blank(text: str) -> bool:
    """No letter and no digit in it: nothing, marks, or emoji only."""
    return not any(character.isalnum() for character in text)

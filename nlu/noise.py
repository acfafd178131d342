"""Spelling slips as people make them: of the fingers, and in Spanish of the ear."""

from __future__ import annotations

import re
from random import Random

_NEAR_KEYS = (
    "a:sqz b:vn c:xv d:sf e:wr f:dg g:fh h:gj i:uo j:hk k:jl l:k m:n n:mb o:ip p:o q:wa r:et s:ad t:ry u:yi "
    "v:cb w:qe x:zc y:tu z:xa"
)
_HEARD_ALIKE = "qu:k v:b b:v z:s ce:se ci:si h: ll:y y:ll ge:je gi:ji c:k s:c x:s gu:w rr:r ñ:n"
_NEAR = dict(pair.split(":") for pair in _NEAR_KEYS.split())
_BY_EAR = [(pair.split(":")[0], pair.split(":")[1]) for pair in _HEARD_ALIKE.split()]
_WORD = re.compile(r"[^\W\d_]{3,}")


def misspell(text: str, rng: Random, share: float) -> str:
    """`share` of the words (0 to 1) of three letters or more, each with one slip."""
    return _WORD.sub(lambda found: _slip(found[0], rng) if rng.random() < share else found[0], text)


def _slip(word: str, rng: Random) -> str:
    at = rng.randrange(len(word))
    kind = rng.randrange(6)
    if kind < 2:
        heard = [(wrote, meant) for wrote, meant in _BY_EAR if wrote in word]
        if heard:
            return word.replace(*rng.choice(heard), 1)
    if kind == 2 and at:
        return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    if kind == 3:
        return word[:at] + word[at + 1 :]
    if kind == 4:
        return word[:at] + word[at] + word[at:]
    return word[:at] + rng.choice(_NEAR.get(word[at].lower(), word[at])) + word[at + 1 :]

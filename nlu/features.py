"""A message as a sparse vector: hashed words, pairs of words and character n-grams."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nlu.normalise import Normal, sound

BUCKETS = 1 << 18
_MASK = BUCKETS - 1
_CACHED = 20_000

Ids = NDArray[np.int32]
Floats = NDArray[np.float32]


_SPELT, _HEARD = crc32(b"c"), crc32(b"s")


def _hash(key: str) -> int:
    return crc32(key.encode("utf-8", "surrogatepass")) & _MASK


def _of_word(word: str) -> list[int]:
    """The word, its sound, its character 2- to 5-grams within its borders, spelt and by ear."""
    heard = sound(word)
    return [_hash("w" + word), _hash("p" + heard), *_grams(word, _SPELT), *_grams(heard, _HEARD)]


def _grams(form: str, space: int) -> list[int]:
    """The n-grams of a form, hashed as if the letter that `space` is the checksum of stood before each."""
    padded = f" {form} "[:40]
    grams = [padded[i : i + n] for n in range(2, 6) for i in range(len(padded) - n + 1)]
    return [crc32(gram.encode("utf-8", "surrogatepass"), space) & _MASK for gram in grams]


class Hasher:
    """Bucket numbers of a message's features, with the words met so far remembered."""

    def __init__(self) -> None:
        self._words: dict[str, Ids] = {}

    def ids(self, text: Normal) -> Ids:
        """The buckets of every feature, with repetition."""
        words = self._words
        parts = []
        for word in text.words:
            known = words.get(word)
            if known is None:
                if len(words) >= _CACHED:
                    words.clear()
                known = words[word] = np.array(_of_word(word), dtype=np.int32)
            parts.append(known)
        parts.append(np.array(list(_across(text)), dtype=np.int32))
        return np.concatenate(parts)


def _across(text: Normal) -> Iterable[int]:
    heard = ["^", *map(sound, text.words), "$"]
    for pair in pairwise(heard):
        yield _hash("b" + " ".join(pair))
    for word in text.marked:
        yield _hash("m" + word)
        for letter in word:
            if not letter.isascii():
                yield _hash("l" + letter)

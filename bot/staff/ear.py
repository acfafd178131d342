"""What our own people mean by words that no rule knows: a model of its own, learnt from nlu/corpus/staff when the first such
words come. It only says what is likely; what is done about it: hunch.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import structlog

from nlu.classifier import Model
from nlu.engine import STAFF, load
from nlu.meaning import Encoder
from nlu.normalise import normalise

log = structlog.get_logger()


class Ear:
    """Learns in a thread of its own, ten seconds once and then a moment from the folder `cache`; some 15 MB."""

    def __init__(self, cache: Path | None = None, encoder: Encoder | None = None) -> None:
        self._cache = cache / STAFF.name if cache else None  # the other models' folder is kept free of what is not theirs
        self._encoder = encoder
        self._model: Model | None = None
        self._thread: Thread | None = None

    def ready(self) -> bool:
        """Whether it has learnt, or cannot; begins to, when it has not yet."""
        if self._thread is None:
            self._thread = Thread(target=self._learn, name="staff ear", daemon=True)
            self._thread.start()
        return not self._thread.is_alive()

    def learn(self) -> None:
        """Be ready before this returns."""
        self.ready()
        if self._thread is not None:
            self._thread.join()

    def _learn(self) -> None:
        try:
            self._model = load(self._cache, STAFF, self._encoder).model
        except Exception:  # the rules go on without it
            log.exception("staff commands are understood by rules alone")

    def likely(self, words: str) -> Sequence[tuple[str, float]]:
        """(intent, probability) of the corpus, the likeliest first; empty where it has not learnt or there is no word."""
        normal = normalise(words)
        if self._model is None or not any(word.isalpha() for word in normal.words):
            return ()
        logits, _ = self._model.scores(self._model.vector(normal))
        chances = self._model.thinks(normal, logits, self._encoder).tolist()
        return sorted(zip(self._model.intents, chances, strict=True), key=lambda each: -each[1])

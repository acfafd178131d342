"""What a text was taken to mean, and the protocol of whatever does the taking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Understanding:
    """`intent` is `out_of_scope` and `confidence` 0 when nothing fits. `language` is None when the text does not tell."""

    intent: str = "out_of_scope"
    confidence: float = 0.0
    faq: str | None = None
    """The key of the frequent question it asks, among those offered."""
    faq_confidence: float = 0.0
    language: str | None = None
    """`es`, `en` or `pt`."""
    also: tuple[str, ...] = ()
    """The other frequent questions that the message asks, in its order."""
    topics: tuple[str, ...] = ()
    """The intents of its parts, where several of them surely ask something."""


NOTHING = Understanding()


class FaqIndex(Protocol):
    """The frequent questions of one dialog, prepared once."""

    def match(self, text: str) -> tuple[str | None, float]: ...


class Nlu(Protocol):
    def understand(self, text: str, expected: str | None = None, faq: FaqIndex | None = None) -> Understanding:
        """`expected` is the reader of the question last asked ("person_name", "email" …), or None."""

    def guesses(self, text: str) -> Sequence[tuple[str, float]]:
        """The three likeliest wishes with their confidence, for people to choose from."""

    def faq_index(self, questions: Mapping[str, Sequence[str]]) -> FaqIndex:
        """Prepare {faq key: ways of asking it, in any language}."""


@runtime_checkable
class Foresees(Protocol):
    """An Nlu that asks elsewhere: `understand` waits for nothing, so it is told beforehand what it will be asked about."""

    async def foresee(self, texts: Iterable[str]) -> None:
        """Have answers ready for these, as far as they come in a moment; never raises."""


async def foresee(nlu: Nlu, texts: Iterable[str]) -> None:
    """Let it ask elsewhere about these, if that is how it understands."""
    if isinstance(nlu, Foresees):
        await nlu.foresee(texts)

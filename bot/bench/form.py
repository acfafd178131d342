"""The form that prospects fill in: `form.yaml`, or one of any length; and the lines that fill it in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.bench.prospects import SCRIPT
from dialogs.loader import Dialog, load_file, load_text

_KINDS = (("text", "sin apuro"), ("money", "5000"), ("text", "lo de siempre"), ("location", "Lima"))
"""What further questions read, and an answer to each."""
_QUESTION = """
  more_{at}:
    read: {kind}
    label: {{es: Dato {at}, en: Fact {at}, pt: Dado {at}}}
    ask: {{es: "[q{at}] ¿Y el dato {at}?", en: "[q{at}] And fact {at}?", pt: "[q{at}] E o dado {at}?"}}"""


def dialog(questions: int | None = None) -> Dialog:
    """The form with so many questions; as it is in the file where none is given."""
    path = Path(__file__).with_name("form.yaml")
    if questions is None:
        return load_file(path)
    head, found, rest = path.read_text("utf-8").partition("\n  business:")
    tail = found + rest
    more = "".join(_QUESTION.format(at=at, kind=_KINDS[at % 4][0]) for at in range(2, questions + 1))
    return load_text(f"{head}{more}\n{tail[tail.index(chr(10) + 'score:') :].replace('budget', 'more_5')}", "form.yaml")


def script(questions: int | None = None) -> Sequence[str]:
    """A line for each question, after the one that begins the talk."""
    if questions is None:
        return SCRIPT
    return (*SCRIPT[:2], *(_KINDS[at % 4][1] for at in range(2, questions + 1)))

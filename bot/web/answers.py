"""What a talk has brought so far, as the seller reads it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.staff.memory import is_memory
from dialogs.engine import state_from_json
from dialogs.loader import Dialog


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    shown: str
    """"" while it has not been answered."""


def so_far(state: str | None, dialog: Dialog) -> list[Line]:
    """The dialog's questions in order with their answers; none before the first turn."""
    if state is None or is_memory(state):
        return []
    answers = state_from_json(state).answers
    return [
        Line(question.label.sources["es"], answers[name].shown if name in answers else "")
        for name, question in dialog.questions.items()
        if name in answers or (question.condition is None and not question.optional)
    ]

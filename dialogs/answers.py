"""The answers of a talk: which questions are open, and what it all adds up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from crm_bridge.commands import Answered, Reason, RegisterLead
from dialogs.model import Answer, Dialog, Language, Question, State, Turn, Value

SELLER: Language = "es"


# -------------------------------------------------------------------------------------------- which are open
def values(dialog: Dialog, state: State, today: date) -> dict[str, Any]:
    """The answers that count now, as conditions compare them: those whose own condition holds."""
    counted: dict[str, Any] = {"today": today}
    for name in dialog.order:
        question = dialog.questions[name]
        answer = state.answers.get(name)
        if answer is not None and (question.condition is None or question.condition.holds(counted)):
            counted[name] = _typed(question.read, answer.value)
    return counted


def open_questions(dialog: Dialog, state: State, today: date) -> list[Question]:
    """Those still to be asked, in order."""
    counted = values(dialog, state, today)
    return [
        question
        for name, question in dialog.questions.items()
        if name not in state.answers
        and name not in state.skipped
        and (question.condition is None or question.condition.holds(counted))
    ]


def answered(dialog: Dialog, state: State, today: date) -> dict[str, Question]:
    """Those with an answer that counts, in order."""
    counted = values(dialog, state, today)
    return {name: question for name, question in dialog.questions.items() if name in counted}


def with_known(dialog: Dialog, state: State, known: Mapping[str, Value]) -> State:
    """Take what the CRM knows of the person for the questions that ask just that."""
    new = {
        name: Answer(known[question.fact], str(known[question.fact]))
        for name, question in dialog.questions.items()
        if question.fact and known.get(question.fact) and name not in state.answers
    }
    return replace(state, answers={**state.answers, **new}) if new else state


def shown(question: Question, answer: Answer, language: Language) -> str:
    """A choice's label follows the language; everything else stays as it was read."""
    option = question.choices.get(answer.value) if isinstance(answer.value, str) else None
    return answer.shown if option is None else option.label.sources[language]


def _typed(read: str, value: Value) -> Any:
    """The stored value itself where it is not (or no longer) of the reader's kind: it then compares with nothing."""
    try:
        match read:
            case "money":
                return Decimal(value["amount"]) if isinstance(value, dict) else value
            case "number":
                return Decimal(str(value))
            case "date":
                return date.fromisoformat(str(value["to"] if isinstance(value, dict) else value)[:10])
            case "location":
                return value.get("name") if isinstance(value, dict) else value
            case _:
                return value
    except (InvalidOperation, ValueError, KeyError):
        return value


# --------------------------------------------------------------------------------------- what it adds up to
def score(dialog: Dialog, state: State, today: date) -> tuple[int, tuple[Reason, ...]]:
    counted = values(dialog, state, today)
    reasons = tuple(Reason(rule.add, rule.because) for rule in dialog.score if rule.condition.holds(counted))
    return sum(reason.points for reason in reasons), reasons


def lead(dialog: Dialog, state: State, turn: Turn, complete: bool) -> RegisterLead:
    """What the seller gets."""
    today = turn.now.date()
    told = answered(dialog, state, today)
    lines = [
        Answered(name, question.label.sources[SELLER], state.answers[name].value, shown(question, state.answers[name], SELLER))
        for name, question in told.items()
    ]
    label = dialog.common["unanswered"].sources[SELLER]
    lines += [Answered(f"unanswered_{index}", label, words, words) for index, words in enumerate(state.noted, 1)]
    points, reasons = score(dialog, state, today)
    return RegisterLead(
        interest=dialog.name,
        facts={question.fact: state.answers[name].value for name, question in told.items() if question.fact},
        answers=tuple(lines),
        score=points,
        reasons=reasons,
        complete=complete,
    )

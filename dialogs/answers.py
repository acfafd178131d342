"""The answers of a talk: which questions are open, and what it all adds up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec.structs import replace

from crm_bridge.commands import Answered, Reason, RegisterLead
from dialogs.model import Answer, Dialog, Language, Question, State, Turn, Value
from dialogs.readers.base import Ask
from dialogs.readers.date import day_in_words
from dialogs.readers.money import money_in_words

SELLER: Language = "es"
_TYPED: Mapping[str, Callable[[Any], Any]] = {
    "money": lambda value: Decimal(value["amount"]) if isinstance(value, dict) else value,
    "number": lambda value: Decimal(str(value)),
    "date": lambda value: date.fromisoformat(str(value["to"] if isinstance(value, dict) else value)[:10]),
    "location": lambda value: value.get("name") if isinstance(value, dict) else value,
}
"""How a stored value compares, by its question's reader; any other stays as it is."""
_IN_WORDS: Mapping[str, Callable[[Any, Ask], str]] = {"money": money_in_words, "date": day_in_words}


# -------------------------------------------------------------------------------------------- which are open
def values(dialog: Dialog, state: State, today: date) -> dict[str, Any]:
    """The answers that count now, as conditions compare them: those whose own condition holds."""
    counted: dict[str, Any] = {"today": today}
    given = state.answers
    for name in dialog.order:
        if name in given:
            question = dialog.questions[name]
            if question.condition is None or question.condition.holds(counted):
                counted[name] = _typed(question.read, given[name].value)
    return counted


def open_questions(dialog: Dialog, state: State, counted: Mapping[str, Any]) -> list[Question]:
    """Those still to be asked, in order; `counted` are the `values`."""
    given, skipped = state.answers, state.skipped
    return [
        question
        for name, question in dialog.questions.items()
        if name not in given and name not in skipped and (question.condition is None or question.condition.holds(counted))
    ]


def answered(dialog: Dialog, counted: Mapping[str, Any]) -> dict[str, Question]:
    """Those with an answer that counts, in order; `counted` are the `values`."""
    return {name: question for name, question in dialog.questions.items() if name in counted}


def with_known(dialog: Dialog, state: State, known: Mapping[str, Value]) -> State:
    """Take what the CRM knows of the person for the questions that ask just that."""
    if not known:
        return state
    new = {
        name: Answer(known[question.fact], str(known[question.fact]), known=True)
        for name, question in dialog.questions.items()
        if question.fact and known.get(question.fact) and name not in state.answers
    }
    return replace(state, answers={**state.answers, **new}) if new else state


def shown(question: Question, answer: Answer, turn: Turn, language: Language) -> str:
    """A choice's label, an amount and a day follow the language; everything else stays as it was read."""
    option = question.choices.get(answer.value) if isinstance(answer.value, str) else None
    if option is not None:
        return option.label.sources[language]
    in_words = _IN_WORDS.get(question.read)
    if in_words is None:
        return answer.shown
    try:
        return in_words(answer.value, Ask(language=language, country=turn.country, currency=turn.currency, now=turn.now))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
        return answer.shown  # stored when the question had another reader


def _typed(read: str, value: Value) -> Any:
    """The stored value itself where it is not (or no longer) of the reader's kind: it then compares with nothing."""
    typed = _TYPED.get(read)
    if typed is None:
        return value
    try:
        return typed(value)
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
    told = answered(dialog, values(dialog, state, today))
    lines = [
        Answered(
            name, question.label.sources[SELLER], state.answers[name].value, shown(question, state.answers[name], turn, SELLER)
        )
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

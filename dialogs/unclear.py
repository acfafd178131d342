"""What was not understood, for people to label: what we could make nothing of, and what we took for something else. Never what
somebody tells of themselves."""

from __future__ import annotations

from dialogs import wording
from dialogs.hearing import ask
from dialogs.model import Dialog, Question, State, Turn, Unclear
from dialogs.readers import READERS
from dialogs.readers.base import Heard
from dialogs.talk import Talk

_LONGEST = 200
"""Characters of a text that others may write, too."""
_FIGURES = 6
"""Digits from which a text may hold a number of theirs: a phone, an identity card."""
_PERSONAL = frozenset({"person_name", "email", "phone", "tax_id", "location", "file"})
"""Readers whose answers are about the person."""
_DENIALS = frozenset({"no", "nao", "not"})


def note(talk: Talk, asked: Question | None) -> None:
    """Tell that nothing could be made of this message, when it was not to be the answer to something personal."""
    text = talk.turn.text
    personal = asked is not None and (asked.fact != "" or asked.read in _PERSONAL)
    only_asks = talk.asks and not ("?" in text and wording.content(talk.dialog, wording.statements(text)))
    if (only_asks or not personal) and is_for_all(talk.dialog, talk.state, talk.turn, text):
        talk.do(Unclear(text, asked.name if asked is not None else ""))


def misheard(talk: Talk, asked: Question | None) -> None:
    """Tell that the message before this one was taken for something else: "no, lo que quiero es cotizar"."""
    first = {word.plain for word in wording.words_of(talk.turn.text)[:3]}
    if talk.holds("misheard") and first & _DENIALS:
        talk.do(Unclear("", asked.name if asked is not None else ""))


def is_for_all(dialog: Dialog, state: State, turn: Turn, text: str) -> bool:
    """Whether others may write the same, and it tells nobody who wrote it: no address, number or name."""
    if not 1 < len(text) <= _LONGEST or "@" in text or sum(map(str.isdigit, text)) >= _FIGURES:
        return False
    said = f" {wording.plain(text)} "
    for name, question in dialog.questions.items():
        told = wording.plain(state.answers[name].shown) if name in state.answers else ""
        if told and (question.fact or question.read in _PERSONAL) and f" {told} " in said:
            return False
        if question.read == "person_name" and READERS["person_name"].find(Heard(text), ask(question, turn, state.language)):
            return False
    return True

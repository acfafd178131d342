"""Whose chat it is: that of the person who is known, or of somebody else who writes from their number."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dialogs import wording
from dialogs.hearing import ask
from dialogs.model import Dialog, Language, Question, State, Turn, Value
from dialogs.readers import READERS
from dialogs.readers.base import Heard, Reading
from nlu.entities.words import fold
from nlu.entities.words import words as listed

_INTRODUCTION = listed("soy llamo habla escribe name am i sou chamo fala")
_RELATIVE = re.compile(
    r"\b(?:hij[oa]|espos[oa]|marido|mujer|novi[oa]|herman[oa]|mama|papa|madre|padre|ti[oa]|sobrin[oa]|prim[oa]|niet[oa]|abuel[oa]|"
    r"socio|secretari[oa]|asistente|emplead[oa]|amig[oa]|vecin[oa]|son|daughter|wife|husband|filh[oa]|marido|irma|irmao|mae|pai)"
    r" (?:del?|d[ao]|of) (?:(?:la|el|don|dona|senora?|sra?|a|o) )?(\w+)"
)
"""Who somebody is to another: "habla el hijo de Ana"."""


def still_known(dialog: Dialog, state: State, turn: Turn) -> Mapping[str, Value]:
    """What is known of the person, without the name where a talk opens with another: "soy Carlos, el esposo de Ana", "habla el
    hijo de Ana"."""
    known = turn.known.get("name")
    asked = dialog.questions.get(state.asked or "")
    if asked is not None and asked.fact == "name" and asked.name not in state.answers:  # somebody else was asked for theirs
        return _nameless(turn.known)
    if state.greeted or not known or not turn.text:
        return turn.known
    question = next((one for one in dialog.questions.values() if one.fact == "name" and one.read == "person_name"), None)
    if question is None:
        return turn.known
    relative = _RELATIVE.search(fold(turn.text)) if introduces(turn.text) else None
    of_theirs = relative is not None and relative[1] in wording.plain(str(known)).split()
    if not of_theirs and not introduces_another(question, turn, state.language, str(known)):
        return turn.known
    return _nameless(turn.known)


def _nameless(known: Mapping[str, Value]) -> Mapping[str, Value]:
    return {fact: value for fact, value in known.items() if fact != "name"}


def introduces(text: str) -> bool:
    return any(word.plain in _INTRODUCTION for word in wording.words_of(text)[:8])


def introduces_another(question: Question, turn: Turn, language: Language, known: str) -> Reading | None:
    """Another name than the `known` one, of somebody who says who it is that writes."""
    if not introduces(turn.text):
        return None
    reading = READERS["person_name"].find(Heard(turn.text), ask(question, turn, language))
    other = reading is not None and not set(wording.plain(reading.shown).split()) & set(wording.plain(known).split())
    return reading if other else None

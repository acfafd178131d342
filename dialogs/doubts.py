"""What is asked back about an answer that can be read in two ways: whether it was meant, or which of several was."""

from __future__ import annotations

from collections.abc import Sequence

from dialogs import wording
from dialogs.hearing import ask
from dialogs.model import Answer, Dialog, Doubt, Language, Question, Turn
from dialogs.readers import READERS
from dialogs.readers.base import Heard, Reading
from nlu.entities.pointing import pointed
from nlu.entities.words import clean, fold
from nlu.entities.words import words as listed

_CHOOSING = 6
"""Words up to which a message picks one of several readings."""
_SMALL = listed("el la los las lo de del en es seria era para mejor the in of on it is it's o a da do no na e eh pues si yes sim")
_TITLE = 20
"""Characters of a reply button."""


def about(reading: Reading) -> Doubt | None:
    """What is to be asked about a reading; None where it is sure."""
    if reading.rivals:
        among = tuple(Answer(each.value, clean(each.shown)) for each in (reading, *reading.rivals))
        return Doubt(among[0].value, among[0].shown, among=among)
    return Doubt(reading.instead.value, reading.instead.shown) if reading.instead is not None else None


def which(dialog: Dialog, question: Question, among: Sequence[Answer], turn: Turn, language: Language) -> Answer | None:
    """The one of several readings of an answer that a message picks: by its button, its words, its place, or told once more."""
    name, _, key = (turn.choice or "").partition(":")
    if name == "_doubt" and key.isdecimal() and int(key) < len(among):
        return among[int(key)]
    if not turn.text or len(turn.text.split()) > _CHOOSING:
        return None
    again = READERS[question.read].read(Heard(turn.text), ask(question, turn, language))
    told = [each for each in among if isinstance(again, Reading) and not again.rivals and again.value == each.value]
    if told:
        return told[0]
    said = wording.unhedged(dialog, turn.text).split()
    words = [wording.plain(each.shown).split() for each in among]
    named = [place for place, own in enumerate(words) if all(word in own or word in _SMALL for word in said)]
    if len(named) == 1:  # "la de Argentina", "el 4"
        return among[named[0]]
    places = pointed(fold(turn.text), [fold(each.shown) for each in among])
    return among[places[0]] if len(places) == 1 else None


def titles(among: Sequence[Answer]) -> list[str]:
    """What the buttons say: a day without its weekday where that would be too long."""
    shown = [each.shown for each in among]
    short = [words.partition(" ")[2] for words in shown]
    days = all(any(sign.isdigit() for sign in words) for words in short)
    return short if days and len(set(short)) == len(short) and any(len(words) > _TITLE for words in shown) else shown

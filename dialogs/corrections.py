"""Answers are kept, and put right: "no, mi correo es otro: …", "mejor Cali", "y que sea negro"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from dialogs import doubts, hearing, wording
from dialogs.hearing import ask
from dialogs.model import Answer, Question, Turn
from dialogs.readers import READERS
from dialogs.readers.base import Heard, Reading
from dialogs.talk import Talk, clip, options_of
from dialogs.whose import introduces, introduces_another
from dialogs.wishes import add_to
from nlu.entities.cities import cities_of
from nlu.entities.pointing import pointed
from nlu.entities.words import clean, fold, unknown

_PLAIN_READERS = ("email", "phone", "tax_id", "money", "date")
"""Whose bare answer corrects a summary without a word of correction."""
_FEW = 4
"""Words up to which what follows a correction is one answer."""
_DENIED = re.compile(
    r"^(?:no|não|not) (?:(?:es|era|é|is) )?[^,;.\n]+(?:[,;.\n]| sino\b| (?:es|era|é|is)\b)(?: *(?:es|era|sino|é|is)\b)*",
    re.IGNORECASE,
)
"""What a correction takes back before it says how it is: "no es Cali, es Palmira"."""
_NAMING = 6
"""Words up to which naming an answer asks to change it."""
_FIGURE = 3
"""Digits from which a number is an answer, not the place in a list."""


def change(talk: Talk, question: Question, others: Iterable[Question] = ()) -> None:
    """Ask an answered question again, and the `others` after it."""
    talk.update(fixing=(question.name, *(one.name for one in others if one is not question)))
    talk.change_next()


def which(talk: Talk) -> None:
    """Ask which answer is to be corrected."""
    told = talk.told()
    if len(told) == 1:
        change(talk, next(iter(told.values())))
        return
    talk.update(offer="fix", failures=0)
    talk.say(talk.common("fix_which"), options_of(talk, told), talk.common("choose"))


def store(talk: Talk, readings: Mapping[str, Reading], asked: Question | None) -> None:
    """Keep what was read; tell what was noted besides the question asked, and what changed."""
    if not readings:
        return
    noted: list[str] = []
    if talk.state.doubt is not None and talk.state.asked in readings:
        talk.update(doubt=None)
    elif talk.state.doubt is not None and asked is not None:
        noted += unanswered_doubt(talk, asked)
    for name in talk.dialog.questions:
        if name not in readings:
            continue
        reading = readings[name]
        old = talk.state.answers.get(name)
        answer = Answer(reading.value, clean(reading.shown))
        talk.answer(name, answer)
        doubt = doubts.about(reading)
        if doubt is not None and talk.state.doubt is None:
            talk.update(doubt=doubt, asked=name)
        elif old is not None:
            talk.add(talk.common("same" if old.value == answer.value else "corrected", shown=talk.shown(name)))
        elif asked is None or name != asked.name:
            noted.append(clip(talk.shown(name), 80))
    if noted:
        talk.add(talk.common("noted", shown=" · ".join(noted)))
    talk.update(failures=0, offer="", draft="")
    if talk.state.doubt is None and talk.changing:
        talk.update(asked=None)


def unanswered_doubt(talk: Talk, asked: Question) -> list[str]:
    """Somebody went on without a yes or no: an amount is what was probably meant, anything else what was written."""
    doubt = talk.state.doubt
    talk.update(doubt=None, asked=None)
    if doubt is None or asked.read != "money":
        return []
    talk.answer(asked.name, doubt.answer)
    return [clip(talk.shown(asked.name), 80)]


def correct(talk: Talk, asked: Question | None) -> bool:
    """An explicit correction: "no, mi correo es otro: ana@ruiz.co", "cambiar el nombre"; whether it was one."""
    text, state = talk.turn.text, talk.state
    told = talk.told()
    words = wording.words_of(text)
    if not told or not words:
        return False
    other = _another_choice(talk, asked)
    if other is not None:
        _put_right(talk, *other)
        return True
    sure = talk.intent == "correct" or state.offer == "fix"
    denies = _denies(talk, asked)
    stated = wording.states(text, told.values())
    if stated is not None and stated[0].takes and not sure and not denies:  # "la carga es frágil" says more of it
        return add_to(talk, stated[0].name, text.strip(" .")) and _closed(talk)
    another = _another_person(talk, told, asked)
    if another is not None:
        _put_right(talk, *another)
        return True
    if state.offer == "fix" and len(words) == 1 and words[0].plain.isdecimal() and len(words[0].plain) < _FIGURE:
        chosen = list(told.values())[int(words[0].plain) - 1 : int(words[0].plain)]
        if chosen:
            change(talk, chosen[0])
        else:
            which(talk)
        return True
    asks = sure or denies or stated is not None or talk.holds("correct") or talk.holds("except")
    named = wording.mentioned(talk.dialog, text, told)
    if named is not None:
        return _correct_named(talk, *named, asked, asks=asks, sure=sure)
    if not asks and state.status != "confirming":
        return False
    return _correct_unnamed(talk, asked, denies=denies, sure=sure)


def _denies(talk: Talk, asked: Question | None) -> bool:
    """Whether it begins with a "no" that takes back what was told: neither "no sé, …" nor the "no" that was asked for."""
    words = wording.words_of(talk.turn.text)
    if len(words) < 2 or words[0].plain not in ("no", "nao"):
        return False
    if unknown(fold(re.split("[,.;]", talk.turn.text, maxsplit=1)[0])):
        return False
    return asked is None or not asked.choices or talk.holds("correct") or not _is_choice(talk, asked)


def _correct_named(talk: Talk, question: Question, rest: str, asked: Question | None, *, asks: bool, sure: bool) -> bool:
    text, state = talk.turn.text, talk.state
    waiting = asked is not None and asked.name not in state.answers and asked.read in ("text", "person_name")
    if not asks and (question.read == "text" or (waiting and question.read == "person_name")):
        return False
    reading = _correction(talk, question, rest)
    if reading is not None:
        _put_right(talk, question, reading)
        return True
    naming = state.status == "confirming" and not talk.asks
    if sure or ((asks or naming) and len(wording.words_of(text)) <= _NAMING):
        change(talk, question, wording.all_mentioned(text, talk.told()))
        return True
    return False


def _correct_unnamed(talk: Talk, asked: Question | None, *, denies: bool, sure: bool) -> bool:
    state, told = talk.state, talk.told()
    # What follows a "no" is not denied by it: "no, hoy".
    heard = replace(talk.turn, text=talk.turn.text[wording.words_of(talk.turn.text)[1].start :]) if denies else talk.turn
    bare = state.status == "confirming" or state.offer == "fix"
    gap = _fills_a_gap(talk) if bare and not sure else None
    if gap is not None:
        store(talk, gap, None)
        return _closed(talk)
    instead = _instead(talk, told) if denies or sure else None
    if instead is not None:
        _put_right(talk, *instead)
        return True
    for question in reversed(told.values()):
        found = _found(talk, question, heard, bare=bare)
        if found is not None and found.value != state.answers[question.name].value:
            _put_right(talk, question, found)
            return True
    last = told.get(list(state.answers)[-1]) if denies else None
    short = _short_reading(talk, last, heard.text.strip()) if last is not None else None
    if last is not None and short is not None and short.value != state.answers[last.name].value:  # "no, el sábado"
        _put_right(talk, last, short)
        return True
    waiting = asked if asked is not None and asked.name not in state.answers and not denies else None
    if waiting is not None and hearing.find(talk.dialog, waiting, talk.turn, state.language) is not None:
        return False  # "mi nombre es Kathe", where the name was asked
    if sure and (asked is None or talk.intent == "correct"):
        which(talk)
        return True
    # A place may be any words: what begins as a correction and names no city is about something else.
    placeless = asked is not None and asked.read == "location" and _found(talk, asked, talk.turn, bare=False) is None
    return placeless and late_correction(talk) and _closed(talk)


def _instead(talk: Talk, told: Mapping[str, Question]) -> tuple[Question, Reading] | None:
    """ "No era Miami, era Panamá": the answer that is taken back by name, and what it is instead."""
    text = wording.after_correction(talk.dialog, talk.turn.text) or talk.turn.text  # "me equivoqué, no es …"
    denied = _DENIED.match(text)
    rest = text[denied.end() :].strip(" ,.;") if denied is not None else ""
    words = set(wording.plain(denied[0]).split()) if denied is not None else set()
    for name, question in reversed(list(told.items())) if rest else ():
        if set(wording.plain(talk.shown(name)).split()) & words:
            reading = READERS[question.read].read(Heard(rest), ask(question, talk.turn, talk.state.language))
            if isinstance(reading, Reading):
                return question, reading
    return None


def _another_choice(talk: Talk, asked: Question | None) -> tuple[Question, Reading] | None:
    """ "No, el otro", "mejor el segundo", when the talk has gone on: what is pointed at of the choices answered last."""
    question = next((one for one in reversed(_in_order(talk)) if one.choices), None)
    if question is None or talk.state.status not in ("open", "confirming") or talk.turn.choice is not None:
        return None
    text, keys = fold(talk.turn.text), list(question.choices)
    if asked is not None and (asked.read == "date" or pointed(text, ("",) * len(asked.choices))):  # it answers that
        return None
    value = talk.state.answers[question.name].value
    chosen = keys.index(str(value)) if value in keys else None
    labels = [fold(talk.render(option.label)) for option in question.choices.values()]
    places = pointed(text, labels, chosen=chosen, counted=False)
    if len(places) != 1 or places[0] == chosen:
        return None
    key = keys[places[0]]
    return question, Reading(key, talk.render(question.choices[key].label))


def _in_order(talk: Talk) -> list[Question]:
    """What was told, in the order in which it was."""
    told = talk.told()
    return [told[name] for name in talk.state.answers if name in told]


def _another_person(talk: Talk, told: Mapping[str, Question], asked: Question | None) -> tuple[Question, Reading] | None:
    question = next((one for one in told.values() if one.fact == "name" and one.read == "person_name"), None)
    if question is None or question is asked or not introduces(talk.turn.text):
        return None
    reading = introduces_another(question, talk.turn, talk.state.language, talk.shown(question.name))
    return (question, reading) if reading else None


def _closed(talk: Talk) -> bool:
    talk.close()
    return True


def _is_choice(talk: Talk, asked: Question) -> bool:
    return isinstance(READERS["choice"].read(Heard(talk.turn.text), ask(asked, talk.turn, talk.state.language)), Reading)


def _fills_a_gap(talk: Talk) -> Mapping[str, Reading] | None:
    """A bare figure or address as the answer to a question that was skipped: "52345679" is the NIT, not an amount."""
    for name in talk.state.skipped:
        question = talk.dialog.questions.get(name)
        if question is not None and question.read in ("email", "phone", "tax_id") and len(talk.turn.text.split()) <= _FEW:
            reading = READERS[question.read].read(Heard(talk.turn.text), ask(question, talk.turn, talk.state.language))
            if isinstance(reading, Reading):
                return {name: reading}
    return None


def _correction(talk: Talk, question: Question, rest: str) -> Reading | None:
    rest = wording.past(talk.dialog, _DENIED.sub("", rest), "correct").strip()
    if rest and not talk.asks:
        reading = READERS[question.read].read(Heard(rest), ask(question, talk.turn, talk.state.language))
        if isinstance(reading, Reading) and (question.read != "text" or wording.content(talk.dialog, rest)):
            return reading
    return _found(talk, question, talk.turn, bare=False)


def _found(talk: Talk, question: Question, turn: Turn, *, bare: bool) -> Reading | None:
    found = hearing.find(talk.dialog, question, turn, talk.state.language)
    if found is None and bare and question.read in _PLAIN_READERS and not wording.is_question(talk.dialog, turn.text):
        read = READERS[question.read].read(Heard(turn.text), ask(question, turn, talk.state.language))
        found = read if isinstance(read, Reading) else None
    return found


def _put_right(talk: Talk, question: Question, reading: Reading) -> None:
    """Store the correction, any other of an answer that is named too, and whatever else the message answers."""
    store(talk, {question.name: reading}, None)
    for name, other in talk.told().items():
        if other is not question and wording.mentioned(talk.dialog, talk.turn.text, {name: other}):
            found = _found(talk, other, talk.turn, bare=False)
            if found is not None and found.value not in (reading.value, talk.state.answers[name].value):
                store(talk, {name: found}, None)
    more = hearing.gather(talk.dialog, talk.state, talk.turn, None, talk.values(), free=False, wish="").readings
    store(talk, {name: other for name, other in more.items() if other.value != reading.value}, None)
    talk.close()


def told_again(talk: Talk) -> bool:
    """What is known already: it is confirmed, or put right where the message is another choice word for word."""
    said = talk.said
    if not said or talk.asks:
        return False
    for name, question in talk.told().items():
        found = hearing.find(talk.dialog, question, talk.turn, talk.state.language)
        if found is not None and (
            found.value == talk.state.answers[name].value
            or said in question.exact
            or question.dated
            or _is_all(talk, question, found)
        ):
            store(talk, {name: found}, None)
            return True
        if _names_it_further(talk, question):
            talk.add(talk.common("same", shown=talk.shown(name)))
            return True
    if talk.holds("already"):
        talk.add(talk.common("already"))
        return True
    return False


def _names_it_further(talk: Talk, question: Question) -> bool:
    """ "Bello Antioquia", where Bello is known: a place, with what it lies in behind it."""
    words, known = wording.plain(talk.turn.text).split(), wording.plain(talk.shown(question.name)).split()
    longer = bool(known) and len(known) < len(words) <= _FEW and words[: len(known)] == known
    if question.read != "location" or not longer or talk.intent not in ("", "inform", "out_of_scope"):
        return False
    return wording.content(talk.dialog, " ".join(words[len(known) :]))


def _is_all(talk: Talk, question: Question, found: Reading) -> bool:
    """Whether a message is one place, amount or address and nothing else: "en Soacha"."""
    if (
        question.read not in ("location", "money", "email", "phone", "tax_id")
        or found.span is None
        or len(talk.turn.text.split()) > _FEW
    ):
        return False
    start, end = found.span
    return not wording.words_of(talk.turn.text[end:]) and len(wording.words_of(talk.turn.text[:start])) < 2


def late_correction(talk: Talk) -> bool:
    """ "Mejor un teclado", "perdón, Ana Milena": words of correction before something that only its own question could read."""
    told = talk.told()
    rest = wording.after_correction(talk.dialog, talk.turn.text)
    if not rest or talk.asks:
        return False
    for name, question in told.items():
        old = wording.plain(talk.shown(name)).split()
        if question.read == "person_name" and set(wording.plain(rest).split()) & set(old):
            reading = READERS["person_name"].read(Heard(rest), ask(question, talk.turn, talk.state.language))
            if isinstance(reading, Reading):
                store(talk, {name: reading}, None)
                return True
    for name, question in reversed(told.items()):
        short = _short_reading(talk, question, rest)
        if short is not None and short.value != talk.state.answers[name].value:
            store(talk, {name: short}, None)
            return True
    for name, question in told.items():
        if question.takes and wording.content(talk.dialog, rest):
            store(talk, {name: Reading(rest, rest)}, None)
            return True
    return False


def _short_reading(talk: Talk, question: Question, rest: str) -> Reading | None:
    """ "Mejor 2 y medio", "mejor Cali": a few words that only a question of their own kind reads."""
    if question.read in ("text", "person_name", "file") or len(rest.split()) > _FEW:
        return None
    if question.read == "location" and not cities_of(wording.plain(rest), talk.turn.country):
        return None
    reading = READERS[question.read].read(Heard(rest), ask(question, talk.turn, talk.state.language))
    return reading if isinstance(reading, Reading) else None

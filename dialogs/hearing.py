"""What a message answers: the question that was asked, and any other that is open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from msgspec.structs import replace

from dialogs import answers, things, wording
from dialogs.model import Dialog, Language, Question, State, Turn
from dialogs.readers import READERS
from dialogs.readers.base import Ask, Heard, Miss, Reading
from dialogs.readers.company import called, find_company
from dialogs.readers.money import counts_things
from nlu.entities.words import fold, unknown

SURE = 0.6
"""Confidence from which an intent is acted on (nlu.md)."""
OF_THEIRS = frozenset({"order_status", "paid", "repairs", "trade_in"})
"""What is about something they have or have bought already, however much they want of it: no wish to buy."""
_NO_WISH = OF_THEIRS | {"complaint", "insult", "details", "warranty", "returns"}
"""What speaks of things without wanting them."""
_RANK = {
    reader: place
    for place, reader in enumerate(
        ("email", "phone", "tax_id", "file", "person_name", "money", "date", "number", "choice", "location", "text")
    )
}
"""Who may take words first: what can only be itself, before what many words could be."""
_STORY = 80
"""Words from which a message tells a story: the days, sums and places in it answer nothing."""
_SHORT = 40
"""Characters up to which "no sé" is the whole answer."""
IN_PIECES = ("email", "phone")
"""Readers whose answer people send in several messages."""
_MODEL_NUMBER = re.compile(r"[^\W\d]\W*\d|\d\W*[^\W\d]")
_MODEL = 5
"""Words up to which a message may be just the name of what is wanted."""
_TERSE = 4
"""Words up to which a message may be a misspelt choice as a whole."""
_VAGUE = ("choice", "location", "text")
"""Readers that may find an answer in words that meant something else."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message answered, by question."""

    readings: Mapping[str, Reading] = field(default_factory=dict)
    miss: str = ""
    """Why it does not answer the question that was asked."""


def ask(question: Question, turn: Turn, language: Language) -> Ask:
    return Ask(
        choices=question.spoken[language], language=language, country=turn.country, currency=turn.currency, now=turn.now,
        way=question.way, minimum=question.minimum, maximum=question.maximum,
    )  # fmt: skip


def gather(
    dialog: Dialog, state: State, turn: Turn, asked: Question | None, counted: Mapping[str, Any], *, free: bool, wish: str
) -> Taken:
    """Read the message as the answer to `asked`, and find in it what answers other open questions.

    `counted` are the `answers.values`. `free`: whether it may be taken whole; otherwise only what is plainly an answer counts,
    and beside a `wish` ("hablar con una persona") not even a choice or a need."""
    hearing = _Hearing(dialog, state, turn, wish)
    others = [one for one in _fillable(dialog, state, counted) if one is not asked]
    free = not (wish == "" and hearing.take_stated(asked)) and free
    if asked is not None and asked.read != "text":
        hearing.read(asked, free=free and not _answers_another(dialog, asked, others, turn, state.language))
    if not wish or asked is None or asked.name not in hearing.taken:
        hearing.find(others, asked)
    if asked is not None and asked.read in ("text", "choice") and free:
        elsewhere = None if hearing.taken else _is_day_elsewhere(asked, others, turn, state.language)
        if elsewhere is not None:  # "en dos meses", where the weight was asked
            hearing.read(elsewhere, free=True)
        elif asked.read == "text":
            hearing.read_words(asked)
    for question in (asked, *others):
        tried = question is asked and free
        if question is not None and question.takes and question.name not in hearing.taken and not tried:
            hearing.wished(question)
    if hearing.taken:
        hearing.imply((one for one in (asked, *others) if one is not None), counted)
    return Taken(hearing.taken, "" if asked is None or asked.name in hearing.taken else hearing.miss or "other")


def overheard(dialog: Dialog, state: State, turn: Turn, counted: Mapping[str, Any]) -> dict[str, Reading]:
    """What answers open questions in a message that was for somebody else: what can only be itself, and an amount where that was
    the question last asked. What would have to be confirmed, and what is asked back, is left."""
    told = wording.statements(turn.text) if wording.is_question(dialog, turn.text) else turn.text
    found: dict[str, Reading] = {}
    for question in _fillable(dialog, state, counted):
        if question.read in IN_PIECES or (question.read == "money" and question.name == state.asked):
            reading = READERS[question.read].find(Heard(told), ask(question, turn, state.language))
            if reading is not None and reading.instead is None and not reading.rivals:
                found[question.name] = reading
    return found


def _fillable(dialog: Dialog, state: State, counted: Mapping[str, Any]) -> list[Question]:
    """What a message may answer unasked: the open questions, also one that was skipped, and the company's name, which people
    give before they say that it is for a company."""
    unskipped = replace(state, skipped=()) if state.skipped else state
    waiting = answers.open_questions(dialog, unskipped, counted)
    for name, question in dialog.questions.items():
        if question.fact == "company" and name not in state.answers and all(one is not question for one in waiting):
            waiting.append(question)
    return waiting


def _is_day_elsewhere(asked: Question, others: Iterable[Question], turn: Turn, language: Language) -> Question | None:
    """The question of another day or amount that all of a short message answers, where words were asked for."""
    if asked.takes or len(turn.text.split()) > _MODEL or not any(character.isalpha() for character in turn.text):
        return None
    for other in others:
        if other.read in ("date", "money"):
            reading = READERS[other.read].read(Heard(turn.text), ask(other, turn, language))
            if isinstance(reading, Reading) and reading.span is not None and reading.instead is None:
                start, end = reading.span
                if not wording.words_of(turn.text[end:]) and len(wording.words_of(turn.text[:start])) < 2:
                    return other
    return None


def _answers_another(dialog: Dialog, asked: Question, others: list[Question], turn: Turn, language: Language) -> bool:
    """Whether what could be any name, or any place, is word for word what another question offers, a company or an amount."""
    if asked.read == "person_name":
        said = wording.plain(turn.text)
        return any(said in one.exact for one in others)
    if asked.read != "location" or find(dialog, asked, turn, language) is not None:
        return False
    if any(wording.plain(turn.text) in one.exact for one in dialog.questions.values()):  # "empresa", said before
        return True
    amounts = (one for one in dialog.questions.values() if one.read == "money")
    named = (one for one in others if one.choices or one.fact == "company")
    if any(find(dialog, one, turn, language) is not None for one in (*named, *amounts)):
        return True
    day = READERS["date"].read(Heard(turn.text), ask(asked, turn, language)) if len(turn.text.split()) <= _TERSE else None
    return isinstance(day, Reading) or READERS["date"].find(Heard(turn.text), ask(asked, turn, language)) is not None


def _dated(question: Question, turn: Turn, language: Language, *, asked: bool) -> Reading | None:
    """The choice that a date means: "el viernes" → this week. When it is not `asked`, only a plain date counts."""
    if not question.dated:
        return None
    date_reader, heard, allowed = READERS["date"], Heard(turn.text), ask(question, turn, language)
    read = date_reader.read(heard, allowed) if asked else date_reader.find(heard, allowed)
    if not isinstance(read, Reading):
        return None
    last = read.value["to"] if isinstance(read.value, dict) else read.value
    days = (date.fromisoformat(str(last)[:10]) - turn.now.date()).days
    key = next((key for within, key in question.dated if days <= within), question.dated[-1][1])
    return Reading(key, question.spoken[language][key][0], span=read.span)


def find(dialog: Dialog, question: Question, turn: Turn, language: Language) -> Reading | None:
    """What the reader finds; besides, a clause that is a choice word for word ("un celular, es para mí")."""
    if question.fact == "company":
        return find_company(Heard(turn.text))
    if question.read == "text" and not question.choices:  # any message is text
        return None
    if question.choices:
        words = [word.plain for word in wording.words_of(turn.text)]
        if len(words) > _TERSE and question.hints.isdisjoint(words):
            return _dated(question, turn, language, asked=False)
    found = READERS[question.read].find(Heard(turn.text, None, turn.attachments), ask(question, turn, language))
    if found is not None or not question.choices:
        return found
    stated = wording.statements(turn.text, clauses=True)
    for start, end in wording.clauses(stated):
        words = [dialog.words.spelt(word.plain) for word in wording.words_of(stated[start:end])]
        for said in (words, words[1:] if words and words[0] in dialog.words["link"] else []):
            key = question.exact.get(" ".join(said)) if len(said) > 1 else None
            if key is not None:
                return Reading(key, question.spoken[language][key][0], span=(start, end))
    return _dated(question, turn, language, asked=False)


class _Hearing:
    """One message, as its parts are taken one by one."""

    def __init__(self, dialog: Dialog, state: State, turn: Turn, wish: str) -> None:
        self.dialog, self.turn, self.language, self.wish = dialog, turn, state.language, wish
        self.heard = Heard(turn.text, None, turn.attachments)
        self.stated = wording.statements(turn.text) if wording.is_question(dialog, turn.text) else turn.text
        self.answers = state.answers
        self.draft = state.draft
        self.opening = state.asked is None and not state.answers
        self.taken: dict[str, Reading] = {}
        self.miss = ""

    def take_stated(self, asked: Question | None) -> bool:
        """ "El volumen es 25 m3", where something else was asked; whether anything is stated so."""
        if not wording.may_state(self.turn.text):
            return False
        pending = [
            one
            for one in self.dialog.questions.values()
            if one.name not in self.answers
            and one.read != "person_name"
            and (one is not asked or one.read in ("text", "location"))
        ]
        for question, rest, span in wording.all_stated(self.turn.text, pending):
            reading = READERS[question.read].read(Heard(rest), ask(question, self.turn, self.language))
            said = wording.content(self.dialog, rest) and not wording.begins(self.dialog, rest, "tie")
            if isinstance(reading, Reading) and (said or question.read != "text"):
                self.taken[question.name] = replace(reading, span=span)
        return bool(self.taken)

    def read(self, asked: Question, *, free: bool) -> None:
        """The whole message, without its questions, as the answer."""
        stated = wording.statements(self.stated, clauses=True)
        whole = wording.trimmed(self.dialog, stated) if asked.read == "person_name" else stated
        heard = replace(self.heard, text=whole) if whole != self.heard.text else self.heard
        allowed = ask(asked, self.turn, self.language)
        instead = wording.instead(whole) if free and not (asked.read == "money" and counts_things(whole, allowed)) else ""
        if instead and isinstance(READERS[asked.read].read(Heard(instead), allowed), Reading):
            whole = instead  # "Pasto no mejor Ipiales"
            heard = Heard(whole, None, heard.attachments)
        result = READERS[asked.read].read(heard, allowed) if free else None
        if isinstance(result, Reading) and any(word.plain.isdecimal() for word in wording.words_of(whole)):
            result = _dated(asked, self.turn, self.language, asked=True) or result  # "antes del 15" is no "lo antes posible"
        if isinstance(result, Miss) and self.draft and asked.read in IN_PIECES:
            joined = READERS[asked.read].read(Heard(f"{self.draft} {whole}"), allowed)
            result = replace(joined, span=None) if isinstance(joined, Reading) else result
        if isinstance(result, Reading):
            moved = max(0, self.turn.text.find(whole))
            span = None if result.span is None else (result.span[0] + moved, result.span[1] + moved)
            self.taken[asked.name] = replace(result, span=span)
            return
        self.miss = result.why if result is not None else "other"
        found = self._found(asked) or (_dated(asked, self.turn, self.language, asked=True) if free else None)
        if found is not None:
            self.taken[asked.name] = found
        elif free and asked.read == "person_name":
            self._name_in_the_rest(asked)

    def find(self, others: Iterable[Question], asked: Question | None) -> None:
        """What is plainly the answer to another question."""
        if asked is not None and asked.read == "person_name" and asked.name in self.taken and not wording.words_of(self._rest()):
            return
        careful = asked is not None and asked.read == "text" and not asked.takes
        if self.turn.text.count(" ") > _STORY:
            others = [one for one in others if one.read in (*IN_PIECES, "person_name")]
        for question in sorted(others, key=lambda question: _RANK[question.read]):
            reading = self._found(question)
            if reading is None or any(old.value == reading.value or _overlap(old, reading) for old in self.taken.values()):
                continue
            exact = wording.plain(self.turn.text) in question.exact
            if careful and not exact and question.read in (*_VAGUE, "person_name") and not _apart(self.turn.text, reading.span):
                continue
            self.taken[question.name] = reading
        if asked is not None and asked.read == "person_name" and asked.name not in self.taken and self.taken and not self.wish:
            self._name_in_the_rest(asked)

    def imply(self, others: Iterable[Question], counted: Mapping[str, Any]) -> None:
        """The one choice that lets what was told count: who names a company buys for it."""
        told = [self.dialog.questions[name] for name in self.taken if self.dialog.questions[name].fact == "company"]
        conditions = [one.condition for one in told if one.condition is not None and not one.condition.holds(counted)]
        for question in others if conditions else ():
            if question.choices and question.name not in self.taken and question.name in conditions[0].names:
                keys = [key for key in question.choices if conditions[0].holds({**counted, question.name: key})]
                if len(keys) == 1:
                    self.taken[question.name] = Reading(keys[0], question.spoken[self.language][keys[0]][0])

    def read_words(self, asked: Question) -> None:
        """What is left of the message, in the person's own words."""
        left = wording.words_of(wording.without(self.dialog, self.stated, self._spans()))
        if self.taken and all(word.plain in self.dialog.words["link"] for word in left):
            self.miss = "other"
            return
        rest = wording.known_part(wording.without(self.dialog, self.stated, self._told()))
        words = wording.wish(self.dialog, rest, asked=True) if asked.takes else called(wording.trimmed(self.dialog, rest))
        result = READERS[asked.read].read(Heard(words), ask(asked, self.turn, self.language))
        said = wording.plain(words)
        if any(said == wording.plain(answer.shown) for answer in self.answers.values()):  # a bubble that was sent twice
            self.miss = "other"
        elif asked.takes and len(words) <= _SHORT and unknown(fold(words)):
            self.miss = "unknown"
        elif isinstance(result, Reading) and self._wanted(asked, words):
            self.taken[asked.name] = replace(result, span=None)
        else:
            self.miss = result.why if isinstance(result, Miss) else "other"

    def wished(self, question: Question) -> None:
        """What is wanted, in a message that was not the answer to a question about it."""
        orders = [one.detail for one in self.turn.attachments if one.kind == "order" and one.detail]
        heard = self.turn.understanding
        sure = heard.intent in question.takes and heard.confidence >= SURE
        if heard.intent in OF_THEIRS and heard.confidence >= SURE:
            return
        words = ""
        if self.turn.text.count(" ") > _STORY and question.things:
            pass  # the thing alone
        elif not self.wish and (sure or self._names_a_model() or wording.phrases(self.dialog, self.turn.text, "want")):
            words = wording.wish(
                self.dialog, wording.known_part(wording.without(self.dialog, self.turn.text, self._told())), asked=False
            )
        elif not self.wish and not wording.is_question(self.dialog, self.turn.text):
            words = self._thing_beside_a_name()
        words = words if self._wanted(question, words) else ""
        if not self.wish and question.things and heard.intent not in _NO_WISH:
            words = self._named_thing(question, words, sure=sure)
        if words or orders:
            text = words or orders[0]
            self.taken[question.name] = Reading(text, text)

    def _wanted(self, question: Question, words: str) -> bool:
        """Whether it tells what is wanted, and not just that something is, nor a frequent question."""
        if not question.takes:
            return wording.content(self.dialog, words)
        heard = self.turn.understanding
        besides = question.called
        for key in (heard.faq, *heard.also) if heard.faq_confidence >= SURE else ():
            frequent = self.dialog.faq.get(key or "")
            besides |= frequent.words if frequent is not None else frozenset()
        said = wording.plain(words)  # "traer" by itself tells the direction, not the goods
        return wording.content(self.dialog, words, besides) and not any(
            said in one.exact for one in self.dialog.questions.values()
        )

    def _named_thing(self, question: Question, words: str, *, sure: bool) -> str:
        """The thing that is named, where no wish was heard, or only more than the thing: "oigan tienen celulares"."""
        text = wording.without(self.dialog, self.turn.text, self._told())
        named = things.thing(self.dialog, text, question.things, self.language, definite=sure) or things.link(text)
        before, found, _ = words.partition(named) if named else (words, "", "")
        if not named or not words:
            return named or words
        if not found:
            return named if things.points_back(words) else words
        return words if things.is_whole(self.dialog, before) else named

    def _thing_beside_a_name(self) -> str:
        """ "Marta Rojas, un iPhone 15 para mí": the clause that begins with an article, where a name is given too."""
        named = any(self.dialog.questions[name].read == "person_name" for name in self.taken)
        rest = wording.without(self.dialog, self.turn.text, self._told()) if named else ""
        for start, end in wording.clauses(rest):
            words = wording.words_of(rest[start:end])
            begins = len(words) > 1 and (words[0].plain in self.dialog.words["article"] or words[0].plain.isdecimal())
            if begins and words[1].plain not in self.dialog.words["filler"]:  # "un amigo me los recomendó"
                return rest[start:end].strip()
        return ""

    def _names_a_model(self) -> bool:
        """Whether a talk opens with the thing alone: "s24 ultra", "tv samsung 55"."""
        text = self.turn.text
        bare = self.opening and not self.taken and self.turn.understanding.intent == "inform" and len(text.split()) <= _MODEL
        return bare and "@" not in text and not things.link(text) and _MODEL_NUMBER.search(text) is not None

    def _found(self, question: Question) -> Reading | None:
        return None if self.wish and question.read in _VAGUE else find(self.dialog, question, self.turn, self.language)

    def _name_in_the_rest(self, asked: Question) -> None:
        """ "Ana, ana@ruiz.co": what is left, when it is a name by itself; in a burst, the line that is one."""
        for part in (self._rest(), *self.stated.split("\n")):
            name = wording.trimmed(self.dialog, part).strip(" ,;.\n")
            result = READERS[asked.read].read(Heard(name), ask(asked, self.turn, self.language)) if name else None
            if isinstance(result, Reading):
                start = self.turn.text.find(name)
                self.taken[asked.name] = replace(result, span=(start, start + len(name)) if start >= 0 else None)
                return

    def _rest(self) -> str:
        return wording.without(self.dialog, self.stated, self._spans())

    def _told(self) -> list[tuple[int, int]]:
        """What need not stay in the person's own words: all but a choice that says less ("para la universidad" → personal)."""
        spans = []
        for name, reading in self.taken.items():
            option = self.dialog.questions[name].choices.get(str(reading.value))
            if reading.span is None:
                continue
            said = wording.plain(self.turn.text[slice(*reading.span)])
            label = () if option is None else (str(reading.value), *map(wording.plain, option.label.sources.values()))
            first = " " not in said and not wording.content(self.dialog, wording.clause_before(self.turn.text, reading.span[0]))
            if option is None or first or said in (*label, wording.plain(self.turn.text)) or _apart(self.turn.text, reading.span):
                spans.append(reading.span)
        return spans

    def _spans(self) -> list[tuple[int, int]]:
        return [reading.span for reading in self.taken.values() if reading.span is not None]


def _overlap(one: Reading, other: Reading) -> bool:
    return one.span is not None and other.span is not None and one.span[0] < other.span[1] and other.span[0] < one.span[1]


def _apart(text: str, span: tuple[int, int] | None) -> bool:
    """Whether it stands in a clause of its own: in "Constructora Bogotá" the city is not an answer."""
    if span is None:
        return False
    before, after = text[: span[0]].rstrip(" "), text[span[1] :].lstrip(" ")
    return (not before or before[-1] in ",.;\n") and (not after or after[0] in ",.;\n") and bool(before or after)

"""What a message answers: the question that was asked, and any other that is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dialogs import answers, wording
from dialogs.model import Dialog, Language, Question, State, Turn
from dialogs.readers import READERS
from dialogs.readers.base import Ask, Heard, Miss, Reading
from dialogs.readers.words import fold, unknown

SURE = 0.6
"""Confidence from which an intent is acted on (nlu.md)."""
# Who may take words first: what can only be itself, before what many words could be.
_RANK = ("email", "phone", "file", "person_name", "money", "date", "number", "choice", "location", "text")
_SHORT = 40
"""Characters up to which "no sé" is the whole answer."""
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
        minimum=question.minimum, maximum=question.maximum,
    )  # fmt: skip


def gather(dialog: Dialog, state: State, turn: Turn, asked: Question | None, *, free: bool, wish: str) -> Taken:
    """Read the message as the answer to `asked`, and find in it what answers other open questions.

    `free`: whether it may be taken whole; otherwise only what is plainly an answer counts, and beside a `wish` ("hablar con una
    persona") not even a choice or a need."""
    hearing = _Hearing(dialog, state, turn, wish)
    if asked is not None and asked.read != "text":
        hearing.read(asked, free=free)
    others = [one for one in answers.open_questions(dialog, replace(state, skipped=()), turn.now.date()) if one is not asked]
    if not wish or asked is None or asked.name not in hearing.taken:
        hearing.find(others, asked)
    if asked is not None and asked.read == "text" and free:
        hearing.read_words(asked)
    for question in (asked, *others):
        tried = question is asked and free
        if question is not None and question.takes and question.name not in hearing.taken and not tried:
            hearing.wished(question)
    return Taken(hearing.taken, "" if asked is None or asked.name in hearing.taken else hearing.miss or "other")


def find(dialog: Dialog, question: Question, turn: Turn, language: Language) -> Reading | None:
    """What the reader finds; besides, a clause that is a choice word for word ("un celular, es para mí")."""
    if question.choices and question.hints.isdisjoint(word.plain for word in wording.words_of(turn.text)):
        return None
    found = READERS[question.read].find(Heard(turn.text, None, turn.attachments), ask(question, turn, language))
    if found is not None or not question.choices:
        return found
    stated = wording.statements(turn.text, clauses=True)
    for start, end in wording.clauses(stated):
        words = [word.plain for word in wording.words_of(stated[start:end])]
        for said in (words, words[1:] if words and words[0] in dialog.words["link"] else []):
            key = question.exact.get(" ".join(said)) if len(said) > 1 else None
            if key is not None:
                return Reading(key, question.spoken[language][key][0], span=(start, end))
    return None


class _Hearing:
    """One message, as its parts are taken one by one."""

    def __init__(self, dialog: Dialog, state: State, turn: Turn, wish: str) -> None:
        self.dialog, self.turn, self.language, self.wish = dialog, turn, state.language, wish
        self.heard = Heard(turn.text, None, turn.attachments)
        self.stated = wording.statements(turn.text) if wording.is_question(dialog, turn.text) else turn.text
        self.told = {wording.plain(answer.shown) for answer in state.answers.values()}
        self.taken: dict[str, Reading] = {}
        self.miss = ""

    def read(self, asked: Question, *, free: bool) -> None:
        """The whole message, without its questions, as the answer."""
        stated = wording.statements(self.stated, clauses=True)
        whole = wording.trimmed(self.dialog, stated) if asked.read == "person_name" else stated
        heard = replace(self.heard, text=whole)
        result = READERS[asked.read].read(heard, ask(asked, self.turn, self.language)) if free else None
        if isinstance(result, Reading):
            moved = max(0, self.turn.text.find(whole))
            span = None if result.span is None else (result.span[0] + moved, result.span[1] + moved)
            self.taken[asked.name] = replace(result, span=span)
            return
        self.miss = result.why if result is not None else "other"
        found = self._found(asked)
        if found is not None:
            self.taken[asked.name] = found
        elif free and asked.read == "person_name":
            self._name_in_the_rest(asked)

    def find(self, others: Iterable[Question], asked: Question | None) -> None:
        """What is plainly the answer to another question."""
        if asked is not None and asked.read == "person_name" and asked.name in self.taken and not wording.words_of(self._rest()):
            return
        careful = asked is not None and asked.read == "text" and not asked.takes
        for question in sorted(others, key=lambda question: _RANK.index(question.read)):
            reading = self._found(question)
            if reading is None or any(old.value == reading.value or _overlap(old, reading) for old in self.taken.values()):
                continue
            exact = wording.plain(self.turn.text) in question.exact
            if careful and not exact and question.read in (*_VAGUE, "person_name") and not _apart(self.turn.text, reading.span):
                continue
            self.taken[question.name] = reading
        if asked is not None and asked.read == "person_name" and asked.name not in self.taken and self.taken and not self.wish:
            self._name_in_the_rest(asked)

    def read_words(self, asked: Question) -> None:
        """What is left of the message, in the person's own words."""
        rest = wording.without(self.dialog, self.stated, self._told())
        words = wording.wish(self.dialog, rest, asked=True) if asked.takes else wording.trimmed(self.dialog, rest)
        result = READERS[asked.read].read(Heard(words), ask(asked, self.turn, self.language))
        if wording.plain(words) in self.told:  # a bubble that was sent twice
            self.miss = "other"
        elif asked.takes and len(words) <= _SHORT and unknown(fold(words)):
            self.miss = "unknown"
        elif isinstance(result, Reading) and wording.content(self.dialog, words):
            self.taken[asked.name] = replace(result, span=None)
        else:
            self.miss = result.why if isinstance(result, Miss) else "other"

    def wished(self, question: Question) -> None:
        """What is wanted, in a message that was not the answer to a question about it."""
        orders = [one.detail for one in self.turn.attachments if one.kind == "order" and one.detail]
        sure = self.turn.understanding.intent in question.takes and self.turn.understanding.confidence >= SURE
        words = ""
        if not self.wish and (sure or wording.phrases(self.dialog, self.turn.text, "want")):
            words = wording.wish(self.dialog, wording.without(self.dialog, self.turn.text, self._told()), asked=False)
        if words or orders:
            text = words or orders[0]
            self.taken[question.name] = Reading(text, text)

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
            if option is None or said in (*label, wording.plain(self.turn.text)) or _apart(self.turn.text, reading.span):
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

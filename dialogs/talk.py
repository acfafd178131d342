"""The voice of one turn: what is said is gathered here and leaves as one message, or two when it is long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, Literal

from msgspec.structs import replace

from dialogs import answers, doubts, wording
from dialogs.hearing import SURE
from dialogs.model import Answer, Choice, Dialog, Do, Doubt, Effect, Handoff, Question, Say, State, Turn
from dialogs.texts import Text, first_name

BODY, TEXT, ROWS = 1024, 4096, 10
_QUOTED = 200
"""Characters of a person's own words that a text repeats."""
_MOST_NOTED = 10
_MARGIN = 60
"""Characters kept free above a summary, for what is acknowledged first."""
_SHORT = 90
_BRIEF = 40
"""Characters up to which a message whose intent is a yes or a no may be nothing else."""
"""Up to here an acknowledgement stands on the line above the question; longer ones get an empty line."""


class Talk:
    """One turn in the making: the state as it becomes, and what is said and done."""

    def __init__(self, dialog: Dialog, state: State, turn: Turn) -> None:
        self.dialog = dialog
        self.state = self._began = state
        self.turn = turn
        self.said = wording.plain(turn.text)
        self.asks = wording.is_question(dialog, turn.text)
        self._holds = wording.phrases_of(dialog, turn.text)
        self.today = turn.now.date()
        self.intent = turn.understanding.intent if turn.understanding.confidence >= SURE else ""
        """What is wanted, when that is sure."""
        self._answers: Mapping[str, Answer] | None = None
        """Those that `_values` and `_told` were worked out for."""
        self._values: Mapping[str, Any] = {}
        self._told: dict[str, Question] | None = None
        self.besides: Callable[[], object] = lambda: None
        """What is to be said with a correction, before the next question."""
        self._parts: list[str] = []
        self._effects: list[Effect] = []

    # ------------------------------------------------------------------------------------------- answers
    def values(self) -> Mapping[str, Any]:
        """The answers that count now, as conditions compare them; worked out once for the same answers."""
        if self._answers is not self.state.answers:
            self._answers, self._told = self.state.answers, None
            self._values = answers.values(self.dialog, self.state, self.today)
        return self._values

    def waiting(self) -> list[Question]:
        """The questions still to be asked, in order."""
        return answers.open_questions(self.dialog, self.state, self.values())

    def open_before(self) -> list[Question]:
        """The questions that were open when the turn began."""
        return answers.open_questions(self.dialog, self._began, answers.values(self.dialog, self._began, self.today))

    def told(self) -> dict[str, Question]:
        """The questions with an answer that counts, in order."""
        values = self.values()
        if self._told is None:
            self._told = answers.answered(self.dialog, values)
        return self._told

    # --------------------------------------------------------------------------------------------- words
    def common(self, key: str, /, **variables: str) -> str:
        return self.render(self.dialog.common[key], **variables)

    def render(self, text: Text, /, **variables: str) -> str:
        filled = {name: variables.get(name) or self._variable(name) for name in text.names}
        return text.render(self.state.language, self.turn.voice.tone, filled)

    def shown(self, name: str, length: int = _QUOTED) -> str:
        """An answer as it is repeated to the person; "" when there is none."""
        answer = self.state.answers.get(name)
        if answer is None or name not in self.dialog.questions:
            return ""
        return clip(answers.shown(self.dialog.questions[name], answer, self.turn, self.state.language), length)

    def _variable(self, name: str) -> str:
        match name:
            case "bot":
                return self.turn.voice.bot
            case "company":
                return self.turn.voice.company
            case "opens":
                return self.turn.opens.get(self.state.language, "")
            case "name":
                return first_name(
                    next((self.shown(one.name) for one in self.dialog.questions.values() if one.fact == "name"), "")
                )
            case _:
                return self.shown(name)

    # ----------------------------------------------------------------------------------------- saying it
    def add(self, text: str) -> None:
        """Say this before whatever comes last."""
        if text and text not in self._parts:
            self._parts.append(text)

    def say(self, text: str, choices: Iterable[Choice] = (), button: str = "") -> None:
        """Say this last, after what was added, as one message where it fits."""
        choices = tuple(choices)
        limit = BODY if 0 < len(choices) <= ROWS else TEXT - sum(len(choice.title) + 6 for choice in choices)
        parts = [*self._parts, text] if text else list(self._parts)
        self._parts.clear()
        joined = _join(parts)
        if len(joined) > limit and len(parts) > 1 and not any(isinstance(effect, Say) for effect in self._effects):
            self._effects.append(Say(clip(_join(parts[:-1]), TEXT)))
            joined = parts[-1]
        if joined:
            self._effects.append(Say(clip(joined, limit), choices, button))

    def do(self, *effects: Effect) -> None:
        self._effects.extend(effects)

    def finish(self) -> tuple[State, list[Effect]]:
        if self._parts:
            self.say("")
        return self.state, self._effects

    # ----------------------------------------------------------------------------------------- questions
    def ask(self, question: Question, text: Text) -> None:
        """Put a question, with its choices where it has some."""
        if question.name == self.state.asked:
            self.update(status="open")
        else:
            self.update(asked=question.name, status="open", doubt=None, draft="")
        choices = [Choice(f"{question.name}:{key}", self.render(option.label)) for key, option in question.choices.items()]
        self.say(self.render(text), choices, self.common("choose") if choices else "")

    def answer(self, name: str, answer: Answer) -> None:
        skipped = self.state.skipped
        if name in skipped:
            skipped = tuple(one for one in skipped if one != name)
        self.state = replace(self.state, answers={**self.state.answers, name: answer}, skipped=skipped)

    def next(self, *, again: bool = False) -> None:
        """Ask what is open; with nothing open, sum up or register. `again` asks the question of last time in its short form."""
        state = self.state
        if state.doubt is not None and state.asked is not None:
            self._ask_doubt(state.doubt)
            return
        asked = self.dialog.questions.get(state.asked or "")
        waiting = self.waiting()
        if state.fixing and not self.changing:
            self.change_next()
            return
        if again and asked is not None and asked.name in state.answers and self.changing:
            waiting = [asked, *waiting]
        if waiting:
            question = waiting[0]
            short = again and question is asked
            self.ask(question, question.again if short else question.ask)
        elif self.dialog.confirm:
            short = again and state.status == "confirming"
            self.state = replace(state, asked=None, status="confirming")
            self.say(self.common("confirm") if short else self.summary(), _confirm(self))
        else:
            self.register()

    def _ask_doubt(self, doubt: Doubt) -> None:
        """Yes or no; or which of several, each by a button."""
        if not doubt.among:
            self.say(self.common("doubt", shown=clip(doubt.shown, _QUOTED)), yes_no(self, "doubt"))
            return
        *first, last = [f"*{clip(each.shown, _QUOTED)}*" for each in doubt.among]
        either = f"{', '.join(first)} {self.common('doubt_or')} {last}"
        choices = [Choice(f"_doubt:{place}", title) for place, title in enumerate(doubts.titles(doubt.among))]
        self.say(self.common("doubt_among", shown=either), choices, self.common("choose"))

    def change_next(self) -> None:
        """Ask an answered question again: the next of those that are to be changed; the old answer stays until there is a new
        one."""
        name, *rest = self.state.fixing
        question = self.dialog.questions.get(name)
        self.update(fixing=tuple(rest), failures=0, doubt=None, offer="")
        if question is None:
            self.next()
            return
        self.update(skipped=tuple(one for one in self.state.skipped if one != name))
        if name in self.state.answers:
            self.add(self.common("fix", shown=self.shown(name)))
        self.ask(question, question.again)

    def close(self) -> None:
        """After a correction: go on, or tell the seller when the talk was done and nothing has opened."""
        self.besides()
        if self.state.status == "done" and self.waiting() == self.open_before():
            self.say("")
            self.do(Do(answers.lead(self.dialog, self.state, self.turn, complete=True)))
        else:
            self.next(again=True)

    @property
    def changing(self) -> bool:
        """Whether the question asked has an answer already, which the person wants to change."""
        return self.state.asked in self.state.answers

    def register(self) -> None:
        """The end: the lead goes to the books, and the talk to a seller."""
        done = self.dialog.done
        self.state = replace(self.state, status="done", asked=None, doubt=None, offer="", failures=0)
        self.say(self.render(done.say if self.turn.open else done.closed))
        self.do(Do(answers.lead(self.dialog, self.state, self.turn, complete=True)), Handoff("finished"))

    def hand_over(self, reason: Literal["asked", "failures", "complaint"]) -> None:
        """A person takes over, with what is known so far."""
        when = "open" if self.turn.open else "closed"
        complete = self.state.status == "done"
        self.say(self.common(f"{'failed' if reason == 'failures' else 'handoff'}_{when}"))
        self.state = replace(self.state, status="human", failures=0, doubt=None, offer="")
        self.do(Do(answers.lead(self.dialog, self.state, self.turn, complete=complete)), Handoff(reason))

    def note(self) -> None:
        """Keep what was said for the seller, as a question that nobody has answered yet."""
        words = clip(self.turn.text, _QUOTED)
        if words and words not in self.state.noted and len(self.state.noted) < _MOST_NOTED:
            self.state = replace(self.state, noted=(*self.state.noted, words))

    def holds(self, meaning: str) -> bool:
        """Whether the message holds one of the plain words for `meaning`."""
        return meaning in self._holds

    def means(self, words: str, intent: str = "") -> bool:
        """Whether the message as a whole is a yes, or a no; what holds an address or a figure says more."""
        short = len(self.turn.text) <= _BRIEF and not any(sign.isdigit() or sign == "@" for sign in self.turn.text)
        return self.said in self.dialog.words[words] or (intent != "" and self.intent == intent and short)

    def pause(self) -> str:
        """What the message is where nothing is said in it yet: announces ("una pregunta"), waits ("un momento"), present ("¿estás
        ahí?"), or ""."""
        lists, said = self.dialog.words, wording.unhedged(self.dialog, self.turn.text).split()
        opens = lists["lead"] | lists["sigh"] | lists["correct"]
        while said:
            whole = " ".join(said)
            found = next((kind for kind in ("announces", "waits", "present") if whole in lists[kind]), "")
            if found or said[0] not in opens:
                return found
            said = said[1:]
        return ""

    def update(self, **changes: Any) -> None:
        state = self.state
        for name, value in changes.items():
            if getattr(state, name) != value:
                self.state = replace(state, **changes)
                return

    def summary(self) -> str:
        """All that was told, the longest answers cut to what fits into one message with buttons."""
        told = self.told()
        labels = {name: self.render(question.label) for name, question in told.items()}
        empty = self.common("summary", options="\n".join(self.common("summary_line", label=label) for label in labels.values()))
        room = _fair(BODY - len(empty) - _MARGIN, [len(self.shown(name, TEXT)) for name in told])
        lines = (self.common("summary_line", label=label, shown=self.shown(name, room)) for name, label in labels.items())
        return self.common("summary", options="\n".join(lines))


def clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _fair(total: int, lengths: list[int]) -> int:
    """The most that each may have so that all fit into `total`."""
    for place, length in enumerate(sorted(lengths)):
        share = total // (len(lengths) - place)
        if length > share:
            return share
        total -= length
    return TEXT


def _join(parts: list[str]) -> str:
    text = parts[0] if parts else ""
    for before, part in pairwise(parts):
        text += ("\n" if len(before) <= _SHORT else "\n\n") + part
    return text


def yes_no(talk: Talk, kind: str) -> tuple[Choice, Choice]:
    """The two buttons of something offered: `kind` is doubt or human."""
    return Choice(f"_{kind}:yes", talk.common(f"{kind}_yes")), Choice(f"_{kind}:no", talk.common(f"{kind}_no"))


def _confirm(talk: Talk) -> tuple[Choice, Choice]:
    return Choice("_confirm:yes", talk.common("confirm_yes")), Choice("_confirm:fix", talk.common("confirm_fix"))


def options_of(talk: Talk, questions: Mapping[str, Question]) -> tuple[Choice, ...]:
    """The answers one may want to correct: a list, or a numbered text where there are more than a list takes."""
    return tuple(Choice(f"_fix:{name}", talk.render(question.label)) for name, question in questions.items())

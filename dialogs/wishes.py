"""Something more is wanted besides what is noted already: "también un mouse", "y que sea negro"; both are kept."""

from __future__ import annotations

from collections.abc import Mapping

from dialogs import things, wording
from dialogs.model import Answer
from dialogs.readers.base import Reading
from dialogs.talk import Talk, clip

_LONGEST_WISH = 400


def another_wish(talk: Talk) -> bool:
    """Something else is wanted besides what is noted already: both are kept."""
    ordered = "; ".join(one.detail for one in talk.turn.attachments if one.kind == "order" and one.detail)
    for name, question in talk.told().items():
        if question.takes and ordered and add_to(talk, name, ordered):
            return True
        more = talk.intent in question.takes or says_more(talk)
        if question.takes and more and not talk.asks:
            wanted = wording.wish(talk.dialog, talk.turn.text, asked=False)
            if wanted and add_to(talk, name, wanted):
                return True
        corrects = wording.after_correction(talk.dialog, talk.turn.text)
        named = (
            ""
            if talk.asks or corrects
            else things.thing(talk.dialog, talk.turn.text, question.things, talk.state.language, definite=False)
        )
        if named and add_to(talk, name, named):
            return True
    return False


def wish_beside(talk: Talk, readings: Mapping[str, Reading]) -> None:
    """ "Ya les compro, y quiero 20 pacas más": something more is wanted in a message that answers something else."""
    text = talk.turn.text
    if not talk.holds("want") or talk.asks:
        return
    known = next((name for name, question in talk.told().items() if question.takes and name not in readings), None)
    if known is None:
        return
    rest = wording.without(talk.dialog, text, (reading.span for reading in readings.values() if reading.span is not None))
    for start, end in wording.clauses(rest):
        clause = rest[start:end]
        said = wording.plain(wording.trimmed(talk.dialog, clause))
        new = not any(said in one.exact for one in talk.dialog.questions.values())
        new = new and not things.points_back(clause)
        if start and new and wording.phrases(talk.dialog, clause, "want") and wording.content(talk.dialog, clause):
            add_to(talk, known, wording.trimmed(talk.dialog, clause))


def says_more(talk: Talk) -> bool:
    """ "También un mouse", "quiero que sea negro"."""
    text = talk.turn.text
    return wording.begins(talk.dialog, text, "also") or wording.plain(wording.trimmed(talk.dialog, text)).startswith("que se")


def add_to(talk: Talk, name: str, more: str) -> bool:
    """Keep more of a wish beside what is known of it; whether it was new, and found room. "Quiero seguir" wants nothing."""
    old = talk.state.answers[name]
    if wording.plain(more) in talk.dialog.words["go_on"]:
        return False
    if not isinstance(old.value, str) or len(old.value) + len(more) >= _LONGEST_WISH or more in old.value:
        return False
    both = f"{old.value}; {more}"
    talk.answer(name, Answer(both, both))
    talk.add(talk.common("noted", shown=clip(more, 80)))
    return True

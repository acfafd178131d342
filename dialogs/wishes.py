"""Something more is wanted besides what is noted already ("también un mouse", "y que sea negro"), or one thing of it no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dialogs import things, wording
from dialogs.hearing import ask
from dialogs.model import Answer
from dialogs.readers.base import Reading
from dialogs.readers.money import counts_things
from dialogs.talk import Talk, clip
from nlu.entities.words import words as listed

_LONGEST_WISH = 400
_BEFORE_A_VERB = 3
"""Words of a clause that may stand before the one that takes something off: "por favor me quita el aceite"."""
_PRONOUNS = listed("me te le lo la nos se vayas vaya vayan a")
_NOT = listed("no nao nunca never not t")
_SMALL = listed("el la los las lo un una unos unas the a an o os as um uma y e and de del do da of todo toda all")
_COURTESY = listed("por favor please mejor ya gracias")
_MARK = re.compile(r"[,;.:!?¿\n]")
_TIES = re.compile(r"(\s*[,;]\s*|\s+(?:y|e|and)\s+)")


def another_wish(talk: Talk) -> bool:
    """Something else is wanted besides what is noted already: both are kept."""
    ordered = "; ".join(one.detail for one in talk.turn.attachments if one.kind == "order" and one.detail)
    for name, question in talk.told().items():
        if question.takes and ordered and add_to(talk, name, ordered):
            return True
        corrects = wording.after_correction(talk.dialog, talk.turn.text)
        counts = question.takes and not talk.asks and not corrects and _counts_goods(talk)
        if counts and add_to(talk, name, talk.turn.text.strip(" .")):
            return True
        more = talk.intent in question.takes or says_more(talk)
        if question.takes and more and not talk.asks:
            wanted = wording.wish(talk.dialog, talk.turn.text, asked=False)
            if wanted and add_to(talk, name, wanted):
                return True
        named = (
            ""
            if talk.asks or corrects
            else things.thing(talk.dialog, talk.turn.text, question.things, talk.state.language, definite=False)
        )
        if named and talk.holds("unwanted"):  # "no quiero arroz partido"
            named = talk.turn.text.strip(" .")
        if named and add_to(talk, name, named):
            return True
    return False


def _counts_goods(talk: Talk) -> bool:
    """ "Unos 20 bultos", where an amount of money was asked for."""
    asked = talk.dialog.questions.get(talk.state.asked or "")
    return (
        asked is not None and asked.read == "money" and counts_things(talk.turn.text, ask(asked, talk.turn, talk.state.language))
    )


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


def take_off(talk: Talk) -> bool:
    """ "Mejor cancela el aceite", where rice and oil were wanted: it is noted no more. Where nothing would be left, it is asked
    anew; "cancela" alone cancels the talk. Whether that settles the turn."""
    for name, question in talk.told().items() if talk.holds("drop") else ():
        value = talk.state.answers[name].value
        if not question.takes or not isinstance(value, str):
            continue
        for rest, denied in _behind_drop(talk):
            named, more = _named(talk, rest, value)
            left = _left(value, named)
            if denied and left is not None:
                talk.add(talk.common("same", shown=talk.shown(name)))
                talk.close()
                return True
            if left:
                talk.answer(name, Answer(left, left))
                talk.add(talk.common("corrected", shown=clip(left, 80)))
                if things.thing(talk.dialog, more, question.things, talk.state.language, definite=False):
                    add_to(talk, name, wording.trimmed(talk.dialog, more))
                talk.update(failures=0, offer="")
                talk.close()
                return True
            if left is not None and talk.intent != "cancel":
                talk.besides()
                talk.update(fixing=(name,))
                talk.change_next()
                return True
    return False


def _behind_drop(talk: Talk) -> Iterator[tuple[str, bool]]:
    """What stands behind the words that take something off, wherever they begin a clause; and whether they are denied."""
    text = talk.turn.text
    for start, end in wording.clauses(text):
        words = [word for word in wording.words_of(text) if start <= word.start < end]
        for place, word in enumerate(words[: _BEFORE_A_VERB + 1]):
            rest = wording.past(talk.dialog, text[word.start :], "drop")
            if rest != text[word.start :]:
                said = [one.plain for one in words[:place] if one.plain not in _PRONOUNS]
                yield rest, bool(said) and said[-1] in _NOT
                break


def _named(talk: Talk, text: str, wanted: str) -> tuple[list[set[str]], str]:
    """What a text names of what is wanted before it says anything else, and what it says then: "el aceite y la panela, y ponme 3
    de azúcar". Nothing, where it is one of another kind: "el arroz partido"."""
    known, words = _kinds(wanted), wording.words_of(text)
    ends = talk.dialog.words["ends"] | talk.dialog.words["tail"] | _COURTESY
    named: list[set[str]] = [set()]
    for place, word in enumerate(words):
        if place and (word.plain in wording.AND or _MARK.search(text, words[place - 1].end, word.start)) and named[-1]:
            named.append(set())
        kind = _kinds(word.plain)
        if kind <= known:
            named[-1] |= kind
        elif named[-1] and word.plain not in ends:
            return [], ""
        else:
            return [one for one in named if one], text[word.start :]
    return [one for one in named if one], ""


def _left(wanted: str, named: Sequence[set[str]]) -> str | None:
    """What is left of a list of things without those that are named; None where nothing in it is."""
    parts = _TIES.split(wanted)
    items, gone = parts[::2], set[int]()
    for one in named:
        gone |= {place for place, item in enumerate(items) if one <= _kinds(item)}
    left = [place for place in range(len(items)) if place not in gone]
    ties = ("" if at == 0 else parts[2 * place - 1] for at, place in enumerate(left))
    return "".join(tie + items[place] for tie, place in zip(ties, left, strict=True)) if gone else None


def _kinds(text: str) -> set[str]:
    return {things.kind_of(word.plain) for word in wording.words_of(text) if word.plain not in _SMALL}

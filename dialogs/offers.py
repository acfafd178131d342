"""The answer to what was offered beside the question: a yes or no, or which of several readings was meant."""

from __future__ import annotations

from dialogs import corrections, doubts, repair, wording
from dialogs.model import Question, State
from dialogs.talk import Talk
from nlu.entities.pointing import same
from nlu.entities.words import fold


def chose(talk: Talk, asked: Question | None) -> bool:
    """Which of several readings was meant, after that was asked: pressed, pointed at, or told once more."""
    doubt = talk.state.doubt
    if doubt is None or not doubt.among or asked is None:
        return False
    if talk.means("yes"):
        talk.next(again=True)
    elif talk.means("no", "deny"):
        corrections.change(talk, asked)
    else:
        meant = doubts.which(talk.dialog, asked, doubt.among, talk.turn, talk.state.language)
        if meant is None:
            return False
        talk.answer(asked.name, meant)
        talk.add(talk.common("noted", shown=talk.shown(asked.name)))
        talk.update(doubt=None, asked=None, failures=0)
        talk.next()
    return True


def yes_or_no(talk: Talk, before: State, asked: Question | None) -> bool:
    """A yes or no to what was offered beside the question, typed or pressed."""
    offered = _offered(talk, before, asked)
    yes, no = _agrees(talk, offered)
    keep = talk.changing and (talk.holds("keep") or same(fold(talk.turn.text)))
    if not (yes or no or keep or talk.means("go_on")):
        return False
    if offered == "fix":
        talk.update(offer="")
        talk.add("" if yes else talk.common("kept"))
        talk.next(again=True)
    elif offered and not (yes or no):
        talk.next(again=True)
    elif offered == "doubt":
        _settle_doubt(talk, asked, before, yes=yes)
    elif offered == "human":
        talk.update(offer="")
        if yes:
            talk.hand_over("complaint")
        else:
            talk.next(again=True)
    elif offered == "confirm":
        if yes:
            repair.answer_question(talk)
            talk.register()
        else:
            corrections.which(talk)
    elif before.status == "done":
        talk.say(talk.common("done_thanks"))
    elif talk.means("go_on") or (yes and (before.reminded or before.status in ("cancelled", "expired"))):
        if talk.changing:
            talk.update(asked=None)
        talk.next(again=True)
    elif no and before.reminded and not (asked and asked.optional):
        repair.apply(talk, "later", asked)
    elif talk.changing and (no or keep):
        talk.add(talk.common("kept"))
        talk.update(asked=None, failures=0)
        talk.next()
    else:
        return False
    return True


def _offered(talk: Talk, before: State, asked: Question | None) -> str:
    """What a yes or no would be about; a button says so itself."""
    pressed = (talk.turn.choice or "").partition(":")[0]
    if pressed == "_human" or (pressed == "_confirm" and before.status == "confirming"):
        return pressed[1:]
    if before.doubt is not None and not before.doubt.among and asked is not None:
        return "doubt"
    return before.offer or ("confirm" if before.status == "confirming" else "")


def _agrees(talk: Talk, offered: str) -> tuple[bool, bool]:
    name, _, key = (talk.turn.choice or "").partition(":")
    if name.startswith("_"):
        return (name == f"_{offered}" and key == "yes", name == f"_{offered}" and key != "yes")
    text = wording.statements(talk.turn.text, clauses=True) if offered == "confirm" else talk.turn.text
    yes, no = talk.means("yes", "affirm") or wording.agrees(talk.dialog, text), talk.means("no", "deny")
    if not talk.turn.choice and talk.holds("except"):
        return False, no and not yes  # "todo bien menos el correo"
    if offered == "doubt" and same(fold(talk.turn.text)):  # "ese mismo"
        return True, False
    if talk.holds("keep"):  # "así está bien" leaves what there is
        yes, no = offered == "confirm", offered == "doubt"
    if offered in ("doubt", "human", "confirm") and not (yes or no):
        said = talk.said
        no_label = talk.common("confirm_fix" if offered == "confirm" else f"{offered}_no")
        yes, no = said in ("1", wording.plain(talk.common(f"{offered}_yes"))), said in ("2", wording.plain(no_label))
    return yes, no and not yes


def _settle_doubt(talk: Talk, asked: Question | None, before: State, *, yes: bool) -> None:
    assert asked is not None
    assert before.doubt is not None
    if yes:
        talk.answer(asked.name, before.doubt.answer)
        talk.add(talk.common("noted", shown=talk.shown(asked.name)))
    talk.update(doubt=None, asked=None, failures=0)
    talk.next()

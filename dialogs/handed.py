"""What is said when the talk is with a seller: the form is filled in, or a person was asked for and has not come yet."""

from __future__ import annotations

from dialogs import answers, corrections, repair, unclear, wishes, wording
from dialogs.model import Do
from dialogs.talk import Talk


def after_done(talk: Talk, wish: str) -> bool:
    """The lead is with a seller; whether that settles the turn (a new interest does not: it starts the form anew)."""
    talk.update(asked=None)
    noted = talk.state.noted
    if talk.turn.choice == "_confirm:fix":
        corrections.which(talk)
    elif wish in ("later", "goodbye") or talk.intent == "thanks":
        talk.say(talk.common("done_thanks"))
    elif wish == "human":
        talk.hand_over("asked")
    elif wish in ("insult", "complaint", "restart"):
        repair.apply(talk, wish, None)
    elif wish == "bot_challenge" or wish.startswith("language_"):
        _say_when_done(talk, wish)
    elif corrections.correct(talk, None):
        pass
    elif any(repair.names_a_thing(talk, one) for one in talk.told().values() if one.things) and corrections.late_correction(talk):
        talk.close()  # "no, espere, son 18 computadores"
    elif wishes.says_more(talk) and wishes.another_wish(talk):
        talk.close()
    elif repair.faq(talk, read=False):
        talk.say("")
    elif not wish and (talk.intent in repair.INTERESTS or repair.wants_more(talk)):
        talk.update(**repair.vars_of(repair.fresh(talk.dialog, talk.state, lasting=True)))
        talk.add(talk.common("new_interest"))
        return False
    else:
        if wish == "cancel" or talk.asks or talk.holds("want"):
            talk.note()
            talk.add(talk.common("unknown_question") if wish != "cancel" else "")
            if talk.asks and talk.intent not in repair.INQUIRIES:
                unclear.note(talk, None)
        elif talk.intent == "greet":
            talk.add(talk.common("hello"))
        repair.media(talk, talk.turn.attachments, {})
        talk.say(talk.common("done_open" if talk.turn.open else "done_closed"))
        if talk.state.noted != noted:
            talk.do(Do(answers.lead(talk.dialog, talk.state, talk.turn, complete=True)))
    return True


def meanwhile(talk: Talk) -> None:
    """Somebody was asked for and has not come: what can be answered is, the rest is kept for them, and that they come is said."""
    noted = talk.state.noted
    wish = "" if talk.turn.choice else repair.wish_of(talk, None)
    if wish in ("later", "goodbye") or talk.intent == "thanks":
        talk.say(talk.common("done_thanks"))
    elif wish == "bot_challenge" or wish.startswith("language_"):
        _say_when_done(talk, wish)
    elif repair.faq(talk, read=False):
        talk.say("")
    elif wish == "cancel":
        talk.note()
        talk.say(talk.common("waits_cancelled"))
    elif not talk.means("yes", "affirm"):  # "ok" wants no answer
        asked = talk.asks and wish != "human" and talk.intent != "greet" and not talk.pause()
        if asked and wording.content(talk.dialog, wording.questions(talk.turn.text)):
            talk.note()
            talk.add(talk.common("unknown_question"))
        elif wish in ("insult", "complaint"):
            talk.add(talk.common("waits_sorry"))
        repair.media(talk, talk.turn.attachments, {})
        talk.say(talk.common("waits_open" if talk.turn.open else "waits_closed"))
    if talk.state.noted != noted:
        talk.do(Do(answers.lead(talk.dialog, talk.state, talk.turn, complete=False)))


def _say_when_done(talk: Talk, wish: str) -> None:
    if wish.startswith("language_"):
        talk.update(language=wish.removeprefix("language_"))
    talk.say(talk.common("language" if wish.startswith("language_") else wish))

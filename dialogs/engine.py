"""One turn of a dialog: step(dialog, state, turn) → (state, effects). Pure, whatever comes in."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from crm_bridge.commands import Reason, RecordConsent
from dialogs import answers, corrections, handed, hearing, offers, repair, unclear, wishes, wording
from dialogs.model import Answer, Dialog, Do, Effect, Language, Question, State, Turn
from dialogs.readers import READERS
from dialogs.readers.base import Heard, Reading
from dialogs.talk import Talk, clip
from dialogs.texts import LANGUAGES
from dialogs.whose import still_known
from nlu.entities.words import clean

_LOOKED_AT = 4_096
"""Characters of a message; what lies behind them nobody writes by hand."""
_FAREWELLS = frozenset({"later", "goodbye", "cancel", "thanks"})
_FEW = 4


# ----------------------------------------------------------------------------------------- what others call
def begin(dialog: Dialog, language: Language) -> State:
    return State(dialog.name, dialog.version, language)


def step(dialog: Dialog, state: State, turn: Turn) -> tuple[State, list[Effect]]:
    """Answer one turn; not to be called while a person answers. One who was asked for and has not come (`status` human) is
    waited for: nothing is asked meanwhile."""
    turn = _cleaned(turn)
    state = _language(dialog, _current(dialog, state), turn)
    talk = Talk(dialog, answers.with_known(dialog, state, still_known(dialog, state, turn)), turn)
    _turn(talk)
    return talk.finish()


def remind(dialog: Dialog, state: State, turn: Turn) -> tuple[State, list[Effect]]:
    """Silence: first "¿seguimos?", then the end, which registers what is known."""
    if silence(dialog, state) is None:
        return state, []
    talk = Talk(dialog, _current(dialog, state), turn)
    if state.reminded == 0:
        talk.add(talk.common("remind"))
        talk.next(again=True)
        talk.update(reminded=1)
    else:
        talk.update(status="expired", failures=0, offer="", doubt=None)
        told = talk.told()
        if state.noted or any(not state.answers[name].known for name in told):
            talk.do(Do(answers.lead(dialog, talk.state, turn, complete=False)))
    return talk.finish()


def silence(dialog: Dialog, state: State) -> timedelta | None:
    """How long after the last word of either side `remind` is due; None when nothing is."""
    if dialog.silence is None or not state.greeted or state.status not in ("open", "confirming") or state.reminded > 1:
        return None
    return dialog.silence.remind if state.reminded == 0 else dialog.silence.expire - dialog.silence.remind


def resume(state: State) -> State:
    """A person hands the talk back: it goes on where it was."""
    return replace(state, status="open", failures=0, doubt=None, offer="") if state.status == "human" else state


def overhear(dialog: Dialog, state: State, turn: Turn) -> State:
    """What a prospect tells the person who answers them and can only be an answer of the form is not asked again afterwards."""
    state = _current(dialog, state)
    counted = answers.values(dialog, state, turn.now.date())
    readings = hearing.overheard(dialog, state, _cleaned(turn), counted)
    new = {name: Answer(reading.value, clean(reading.shown)) for name, reading in readings.items()}
    return replace(state, answers={**state.answers, **new}, asked=None if state.asked in new else state.asked) if new else state


def score(dialog: Dialog, state: State, now: datetime) -> tuple[int, tuple[Reason, ...]]:
    """Points so far, and why, in Spanish."""
    return answers.score(dialog, state, now.date())


def expected(dialog: Dialog, state: State) -> str | None:
    """The reader of the question last asked, for the NLU."""
    question = dialog.questions.get(state.asked or "")
    return question.read if question else None


def state_to_json(state: State) -> str:
    return msgspec.json.encode(state).decode()


def state_from_json(text: str | bytes) -> State:
    """ValueError when it is not a State; unknown fields are ignored, missing ones take their defaults."""
    return msgspec.json.decode(text, type=State)


# --------------------------------------------------------------------------------------------- preparation
def _cleaned(turn: Turn) -> Turn:
    text = clean(turn.text[:_LOOKED_AT])
    if text == turn.text and not turn.attachments:
        return turn
    attachments = tuple(
        dataclasses.replace(one, name=clean(one.name), phone=clean(one.phone), detail=clean(one.detail))
        for one in turn.attachments
    )
    return dataclasses.replace(turn, text=text, attachments=attachments)


def _current(dialog: Dialog, state: State) -> State:
    """The state as the dialog of today sees it: what is no longer asked is not being asked."""
    asked = state.asked if state.asked in dialog.questions else None
    if asked == state.asked and (state.dialog, state.version) == (dialog.name, dialog.version):
        return state
    return replace(state, dialog=dialog.name, version=dialog.version, asked=asked, doubt=state.doubt if asked else None)


def _language(dialog: Dialog, state: State, turn: Turn) -> State:
    """Follow a person who clearly writes in another language; a name, an address or a single word decides nothing."""
    language = turn.understanding.language
    if language is None or language == state.language or language not in LANGUAGES:
        return state
    words = [word for word in turn.text.split() if word.isalpha() or word.strip(".,;:!?¿¡'").isalpha()]
    greeting = not state.greeted and turn.understanding.intent == "greet"
    named = expected(dialog, state) == "person_name" and len(words) < 5
    if not greeting and (len(words) < 3 or sum(map(len, words)) < 9 or named or "@" in turn.text):
        return state
    return replace(state, language=language)


# ------------------------------------------------------------------------------------------------ one turn
def _turn(talk: Talk) -> None:
    """The rules in the order they are tried; the first that settles the turn ends it."""
    before = talk.state
    asked = talk.dialog.questions.get(before.asked or "")
    if _aside(talk, asked):
        return
    if before.status == "human":
        handed.meanwhile(talk)
        return
    if before.status in ("cancelled", "expired") and talk.intent in _FAREWELLS:
        talk.say(talk.common("done_thanks"))
        return
    _greet(talk)
    if talk.turn.choice is not None and _pressed(talk, asked):
        return
    if _only_pauses(talk):
        return
    if offers.chose(talk, asked) or offers.yes_or_no(talk, before, asked):
        return
    exact = _exact_choice(talk, asked)
    if not exact:
        talk.besides = lambda: repair.faq(talk, read=True)
        if wishes.take_off(talk):
            return
    wish = "" if exact else repair.wish_of(talk, asked)
    if before.status == "done":
        if handed.after_done(talk, wish):
            return
        asked = None
    if exact and asked is not None:
        corrections.store(talk, {asked.name: exact}, asked)
    else:
        if not wish and corrections.correct(talk, asked):
            return
        if before.greeted:
            unclear.misheard(talk, asked)
    free = not exact and _free(talk, asked, wish)
    # "Marítimo, ¿se puede en español?": who asks for a language answers with what stands beside that.
    beside = wording.statements(talk.turn.text, clauses=True).strip(" ,;") if wish.startswith("language_") and talk.asks else ""
    turn, heard_as = (dataclasses.replace(talk.turn, text=beside), "") if beside else (talk.turn, wish)
    taken = (
        hearing.Taken()
        if exact
        else hearing.gather(talk.dialog, talk.state, turn, asked, talk.values(), free=free, wish=heard_as)
    )
    read = bool(exact or taken.readings)
    only_asks = not wish and talk.asks and not wording.statements(talk.turn.text, clauses=True).strip(" ,;")
    answered = only_asks and repair.faq(talk, read=read)
    corrections.store(talk, taken.readings, asked)
    if taken.readings and not wish:
        wishes.wish_beside(talk, taken.readings)
    repair.media(talk, talk.turn.attachments, taken.readings)
    if wish:
        repair.apply(talk, wish, asked)
        return
    answered = answered or repair.faq(talk, read=read)
    _price(talk, left=bool(taken.readings) and not answered)
    told = any(talk.dialog.questions[name].takes for name in taken.readings)
    if taken.readings and not (told or answered or talk.intent in repair.INTERESTS) and "?" in talk.turn.text:
        repair.keep_question(talk)
    used = (
        read
        or answered
        or (taken.miss != "unknown" and wishes.another_wish(talk))
        or corrections.late_correction(talk)
        or corrections.told_again(talk)
    )
    if not used and repair.unread(talk, before, asked, taken.miss):
        return
    talk.next(again=True)


def _price(talk: Talk, *, left: bool) -> None:
    """Say who tells the price, where it was asked for beside something else, or is all that is `left` to say."""
    heard, faq = talk.turn.understanding, talk.dialog.faq
    told = any(key in faq and faq[key].intent == "price" for key in (heard.faq or "", *heard.also))
    if "price" in heard.topics and not told:
        own = next((one.say for one in faq.values() if one.intent == "price"), None)
        talk.add(talk.render(own) if own is not None else talk.common("price"))
    elif left and (talk.intent == "price" or (talk.intent == "stock" and talk.asks)):
        talk.add(talk.common("price"))


def _aside(talk: Talk, asked: Question | None) -> bool:
    """What is not for the counter: consent to promotions, somebody who sells, looks for work or for somebody else."""
    if talk.turn.choice is not None or _exact_choice(talk, asked):
        return False
    lost = talk.intent == "wrong_number" and not talk.told()  # later it is a number of theirs that was wrong
    if talk.intent in ("job", "spam", "supplier") or lost:
        talk.say(talk.common(talk.intent))
        return True
    if talk.intent in ("stop", "start"):
        granted = talk.intent == "start"
        talk.say(talk.common("started" if granted else "stopped"))
        talk.do(Do(RecordConsent("marketing", granted, clip(talk.turn.text, 500))))
        return True
    return False


def _greet(talk: Talk) -> None:
    greet, state = talk.dialog.greet, talk.state
    if not state.greeted:
        named = any(question.fact == "name" and name in state.answers for name, question in talk.dialog.questions.items())
        talk.add(talk.render(greet.returning if talk.turn.returning and named else greet.first))
        if not talk.turn.open and greet.closed is not None:
            talk.add(talk.render(greet.closed))
    elif state.status in ("cancelled", "expired"):
        talk.add(talk.common("resumed"))
    talk.update(greeted=True, reminded=0, status="open" if state.status in ("cancelled", "expired") else state.status)


def _only_pauses(talk: Talk) -> bool:
    """Whether nothing is said yet that could be answered, and that settles the turn."""
    if talk.turn.choice is not None or talk.turn.attachments:
        return False
    match talk.pause():
        case "announces":
            talk.say(talk.common("ask_away"))
        case "waits":
            talk.say(talk.common("take_your_time"))
        case "present" if talk.state.status == "done":
            talk.say(talk.common("present"))
        case "present":
            talk.add(talk.common("present"))
            talk.next(again=True)
        case _:
            return False
    return True


def _pressed(talk: Talk, asked: Question | None) -> bool:
    """A button or row, also one of long ago; whether that settles the turn."""
    name, _, key = (talk.turn.choice or "").partition(":")
    question = talk.dialog.questions.get(key if name == "_fix" else name)
    if question is None or (name != "_fix" and key not in question.choices):
        return False
    if name == "_fix":
        corrections.change(talk, question)
        return True
    reading = Reading(key, talk.render(question.choices[key].label))
    corrections.store(talk, {question.name: reading}, asked if asked is question else question)
    if talk.turn.text or talk.turn.attachments:
        return False
    talk.close()
    return True


def _exact_choice(talk: Talk, asked: Question | None) -> Reading | None:
    """The message when it is, word for word, a choice of the question asked: then it is nothing else. A few words that could
    be a wish besides ("baja", "la próxima") are a choice wherever they can be read as one."""
    if asked is None or not asked.choices or not talk.turn.text or talk.turn.choice is not None:
        return None
    key = asked.exact.get(talk.said) or asked.exact.get(wording.unhedged(talk.dialog, talk.turn.text))
    if key is not None:
        return Reading(key, talk.render(asked.choices[key].label))
    if talk.intent not in repair.LIKE_CHOICES or len(talk.turn.text.split()) > _FEW:
        return None
    read = READERS["choice"].read(Heard(talk.turn.text), hearing.ask(asked, talk.turn, talk.state.language))
    return read if isinstance(read, Reading) else None


def _is_a_wish(talk: Talk) -> bool:
    return any(repair.names_a_thing(talk, one) for one in talk.dialog.questions.values() if one.things)


def _opens_with_a_wish(talk: Talk) -> bool:
    """ "Kiero papel y jabón": what is wanted is told first."""
    text = talk.turn.text
    told = next((text[start:end] for start, end in wording.clauses(text) if wording.content(talk.dialog, text[start:end])), "")
    return wording.phrases(talk.dialog, told, "want")


def _free(talk: Talk, asked: Question | None, wish: str) -> bool:
    """Whether the message may be taken whole as the answer: no repair, no small talk, no question back."""
    text = talk.turn.text
    words = asked is not None and asked.read == "text"
    rest = wording.statements(text, clauses=not words) if talk.asks else text
    if rest == text and "?" not in text and talk.asks:
        rest = ""
    pictured = any(one.kind in ("image", "video", "document") for one in talk.turn.attachments)
    if pictured and wording.begins(talk.dialog, text, "points"):  # "[foto] así van las cajas"
        return False
    if wish or (talk.intent in ("greet", "thanks", "affirm", "deny") and not wording.content(talk.dialog, text)):
        return False
    anything = asked is not None and (asked.fact == "company" or asked.read == "location")
    if anything and talk.intent in ("thanks", "affirm", "deny") and not talk.asks:
        return False  # "perdón jaja, sí todo bien"
    if talk.intent in hearing.OF_THEIRS:
        return False
    if talk.intent == "correct" and len(text.split()) < _FEW:
        return False
    if words and asked is not None and not asked.takes and talk.holds("want") and _is_a_wish(talk):
        return False  # "mejor quiero un portátil", where the company's name was asked
    if asked is not None and asked.read == "person_name" and talk.holds("want") and _opens_with_a_wish(talk):
        return False
    if (words and (talk.means("yes") or talk.means("no"))) or talk.means("already"):
        return False
    if asked is None or asked.read not in ("text", "person_name"):
        return bool(rest.strip())
    return wording.content(talk.dialog, rest)

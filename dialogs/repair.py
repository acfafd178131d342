"""What every dialog does besides asking: correct, cancel, repeat, skip, go back, hand over, answer a question in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dialogs import answers, hearing, wording
from dialogs.hearing import SURE, ask
from dialogs.model import Answer, Attachment, Dialog, Language, Question, State
from dialogs.readers import READERS
from dialogs.readers.base import Heard, Reading
from dialogs.readers.words import clean
from dialogs.talk import Talk, clip, options_of, yes_no

REPAIRS = frozenset({
    "cancel", "human", "restart", "repeat", "skip", "back", "help", "language_es", "language_en", "language_pt",
    "bot_challenge", "insult", "complaint", "later", "goodbye",
})  # fmt: skip
INQUIRIES = frozenset({
    "price", "stock", "shipping", "payment", "warranty", "returns", "discount", "hours", "location", "catalog", "order_status",
})  # fmt: skip
INTERESTS = frozenset({"buy", "price", "quote", "stock"})
"""What opens a new interest when the last talk is done."""
_LANGUAGES: Mapping[str, Language] = {"language_es": "es", "language_en": "en", "language_pt": "pt"}
_NOT_OURS = {"order_status": "order_status", "price": "price", "stock": "price"}
"""What a question that only a person can answer is answered with, by intent."""
_FAILURES = 3
_LONGEST_WISH = 400
_PLAIN_READERS = ("email", "phone", "money", "date")
"""Whose bare answer corrects a summary without a word of correction."""


# ----------------------------------------------------------------------------------------- wishes in a word
def wish_of(talk: Talk) -> str:
    """Which of REPAIRS the message is, or ""."""
    if talk.intent not in REPAIRS:
        return ""
    # "¿El teclado viene en inglés?" names a language without asking to talk in it.
    return "" if talk.intent.startswith("language_") and len(talk.turn.text.split()) > 6 else talk.intent


def apply(talk: Talk, wish: str, asked: Question | None) -> None:
    """Do what one of REPAIRS asks for, and say it."""
    match wish:
        case "cancel" | "later" | "goodbye":
            talk.update(status="cancelled", failures=0, doubt=None, offer="")
            talk.say(talk.common("cancelled" if wish == "cancel" else "later"))
        case "human":
            talk.hand_over("asked")
        case "restart":
            talk.update(**vars_of(fresh(talk.dialog, talk.state)))
            talk.add(talk.common("restarted"))
            talk.next()
        case "repeat":
            talk.update(asked=asked.name if asked else None)
            talk.next(again=talk.changing)
        case "skip":
            skip(talk, asked)
        case "back":
            back(talk, asked)
        case "insult" | "complaint":
            talk.update(offer="human")
            talk.say(talk.common(wish), yes_no(talk, "human"))
        case "language_es" | "language_en" | "language_pt":
            talk.update(language=_LANGUAGES[wish])
            talk.add(talk.common("language"))
            talk.next(again=True)
        case _:
            talk.add(talk.common(wish))
            talk.next(again=True)


def fresh(dialog: Dialog, state: State) -> State:
    """From the start, keeping only who the person is."""
    facts = {name: state.answers[name] for name, question in dialog.questions.items() if question.fact and name in state.answers}
    return replace(State(state.dialog, state.version, state.language), answers=facts, greeted=state.greeted)


def vars_of(state: State) -> dict[str, object]:
    return {name: getattr(state, name) for name in State.__slots__}


def skip(talk: Talk, asked: Question | None) -> None:
    if asked is None or talk.changing:
        talk.update(asked=None)
    elif asked.optional:
        talk.update(skipped=(*talk.state.skipped, asked.name), failures=0)
        talk.add(talk.common("skipped"))
    else:
        talk.add(talk.common("cannot_skip"))
    talk.next(again=True)


def back(talk: Talk, asked: Question | None) -> None:
    """To the answer before the question that was asked."""
    told = list(answers.answered(talk.dialog, talk.state, talk.today).values())
    names = list(talk.dialog.questions)
    place = names.index(asked.name) if asked else len(names)
    passed = [*told, *(talk.dialog.questions[name] for name in talk.state.skipped if name in talk.dialog.questions)]
    before = [question for question in passed if names.index(question.name) < place]
    if before:
        change(talk, max(before, key=lambda question: names.index(question.name)))
    else:
        talk.next(again=True)


# --------------------------------------------------------------------------------------------- corrections
def change(talk: Talk, question: Question) -> None:
    """Ask an answered question again; the old answer stays until there is a new one."""
    talk.update(failures=0, doubt=None, offer="")
    talk.update(skipped=tuple(name for name in talk.state.skipped if name != question.name))
    if question.name in talk.state.answers:
        talk.add(talk.common("fix", shown=talk.shown(question.name)))
    talk.ask(question, question.again)


def which(talk: Talk) -> None:
    """Ask which answer is to be corrected."""
    told = answers.answered(talk.dialog, talk.state, talk.today)
    if len(told) == 1:
        change(talk, *told.values())
        return
    talk.update(offer="fix", failures=0)
    talk.say(talk.common("fix_which"), options_of(talk, told), talk.common("choose"))


def store(talk: Talk, readings: Mapping[str, Reading], asked: Question | None) -> None:
    """Keep what was read; tell what was noted besides the question asked, and what changed."""
    noted: list[str] = []
    for name in talk.dialog.questions:
        if name not in readings:
            continue
        reading = readings[name]
        old = talk.state.answers.get(name)
        answer = Answer(reading.value, clean(reading.shown))
        talk.answer(name, answer)
        if reading.instead is not None and talk.state.doubt is None:
            talk.update(doubt=Answer(reading.instead.value, reading.instead.shown), asked=name)
        elif old is not None:
            talk.add(talk.common("same" if old.value == answer.value else "corrected", shown=talk.shown(name)))
        elif asked is None or name != asked.name:
            noted.append(clip(talk.shown(name), 80))
    if noted:
        talk.add(talk.common("noted", shown=" · ".join(noted)))
    if readings:
        talk.update(failures=0, offer="")
        if talk.state.doubt is None and talk.changing:
            talk.update(asked=None)


def correct(talk: Talk, asked: Question | None) -> bool:
    """An explicit correction: "no, mi correo es otro: ana@ruiz.co", "cambiar el nombre"; whether it was one."""
    text, state = talk.turn.text, talk.state
    told = answers.answered(talk.dialog, state, talk.today)
    words = wording.words_of(text)
    if not told or not words:
        return False
    sure = talk.intent == "correct" or state.offer == "fix"
    asks = sure or wording.phrases(talk.dialog, text, "correct") or (len(words) > 1 and words[0].plain in ("no", "nao"))
    chosen = int(words[0].plain) - 1 if state.offer == "fix" and len(words) == 1 and words[0].plain.isdecimal() else -1
    if 0 <= chosen < len(told):
        change(talk, list(told.values())[chosen])
        return True
    named = wording.mentioned(talk.dialog, text, told)
    if named is not None:
        question, rest = named
        waiting = asked is not None and asked.name not in state.answers and asked.read in ("text", "person_name")
        if asks or (question.read != "text" and not (waiting and question.read == "person_name")):
            reading = _correction(talk, question, rest)
            if reading is not None:
                _replace(talk, question, reading)
                return True
            if sure or (asks and len(words) <= 6):
                change(talk, question)
                return True
        return False
    if not asks and state.status != "confirming":
        return False
    for question in reversed(told.values()):
        found = _found(talk, question, bare=state.status == "confirming" or state.offer == "fix")
        if found is not None and found.value != state.answers[question.name].value:
            _replace(talk, question, found)
            return True
    if sure and (asked is None or talk.intent == "correct"):
        which(talk)
        return True
    # A place may be any words: what begins as a correction and names no city is about something else.
    placeless = asked is not None and asked.read == "location" and _found(talk, asked, bare=False) is None
    if placeless and late_correction(talk):
        talk.close()
        return True
    return False


def _correction(talk: Talk, question: Question, rest: str) -> Reading | None:
    if rest and not wording.is_question(talk.dialog, talk.turn.text):
        reading = READERS[question.read].read(Heard(rest), ask(question, talk.turn, talk.state.language))
        if isinstance(reading, Reading) and (question.read != "text" or wording.content(talk.dialog, rest)):
            return reading
    return _found(talk, question, bare=False)


def _found(talk: Talk, question: Question, *, bare: bool) -> Reading | None:
    found = hearing.find(talk.dialog, question, talk.turn, talk.state.language)
    if found is None and bare and question.read in _PLAIN_READERS and not wording.is_question(talk.dialog, talk.turn.text):
        read = READERS[question.read].read(Heard(talk.turn.text), ask(question, talk.turn, talk.state.language))
        found = read if isinstance(read, Reading) else None
    return found


def _replace(talk: Talk, question: Question, reading: Reading) -> None:
    """Store the correction, and whatever else the message answers."""
    store(talk, {question.name: reading}, None)
    more = hearing.gather(talk.dialog, talk.state, talk.turn, None, free=False, wish="").readings
    store(talk, {name: other for name, other in more.items() if other.value != reading.value}, None)
    talk.close()


# ------------------------------------------------------------------------------ questions, media, no answer
def faq(talk: Talk, *, read: bool) -> bool:
    """Answer a frequent question; whether there was one. `read`: the message has answered something already."""
    heard = talk.turn.understanding
    asks = wording.is_question(talk.dialog, talk.turn.text)
    if read and not asks:
        return False
    key = heard.faq if heard.faq in talk.dialog.faq and heard.faq_confidence >= SURE else None
    # "¿Cuánto vale un cargador?" is worded like "¿cuánto vale el envío?", and is not about it.
    about_goods = talk.intent in INTERESTS and wording.content(talk.dialog, talk.turn.text)
    if key is not None and about_goods and talk.dialog.faq[key].intent not in ("", talk.intent):
        key = None
    if key is None and talk.intent:
        key = next((key for key, one in talk.dialog.faq.items() if one.intent == talk.intent), None)
    if key is None:
        return False
    talk.add(talk.render(talk.dialog.faq[key].say))
    return True


def media(talk: Talk, attachments: tuple[Attachment, ...], taken: Mapping[str, Reading]) -> None:
    """Say that a file is kept, unless it was the answer."""
    for attachment in attachments:
        kind = "voice" if attachment.kind == "audio" else attachment.kind
        if not any(_is_from(attachment, reading) for reading in taken.values()):
            talk.add(talk.common(kind))


def _is_from(attachment: Attachment, reading: Reading) -> bool:
    if isinstance(reading.value, dict):
        return reading.value.get("file") == attachment.file or (attachment.kind == "location" and "latitude" in reading.value)
    return attachment.kind in ("contact", "order") and reading.span is None


def another_wish(talk: Talk) -> bool:
    """Something else is wanted besides what is noted already: both are kept."""
    for name, question in answers.answered(talk.dialog, talk.state, talk.today).items():
        if question.takes and talk.intent in question.takes and not wording.is_question(talk.dialog, talk.turn.text):
            more = wording.wish(talk.dialog, talk.turn.text, asked=False)
            old = talk.state.answers[name]
            if more and isinstance(old.value, str) and len(old.value) + len(more) < _LONGEST_WISH:
                both = f"{old.value}; {more}"
                talk.answer(name, Answer(both, both))
                talk.add(talk.common("noted", shown=clip(more, 80)))
                return True
    return False


def late_correction(talk: Talk) -> bool:
    """ "Mejor un teclado", "perdón, Ana Milena": words of correction before something that only its own question could read."""
    told = answers.answered(talk.dialog, talk.state, talk.today)
    rest = wording.after_correction(talk.dialog, talk.turn.text)
    if not rest or wording.is_question(talk.dialog, talk.turn.text):
        return False
    for name, question in told.items():
        old = wording.plain(talk.shown(name)).split()
        if question.read == "person_name" and set(wording.plain(rest).split()) & set(old):
            reading = READERS["person_name"].read(Heard(rest), ask(question, talk.turn, talk.state.language))
            if isinstance(reading, Reading):
                store(talk, {name: reading}, None)
                return True
    for name, question in told.items():
        if question.takes and wording.content(talk.dialog, rest):
            store(talk, {name: Reading(rest, rest)}, None)
            return True
    return False


def unread(talk: Talk, before: State, asked: Question | None, miss: str) -> bool:
    """Nothing in the message could be used. Whether that is said already; otherwise the question comes again."""
    text, intent = talk.turn.text, talk.intent
    if not text:
        return False
    if intent == "greet" or intent == "thanks":
        greeted = before.greeted and before.status == "open"
        talk.add(talk.common("hello" if intent == "greet" else "thanks") if greeted else "")
        return False
    if wording.is_question(talk.dialog, text) or intent in INQUIRIES:
        talk.note()
        talk.add(talk.common(_NOT_OURS.get(intent, "unknown_question")))
        return False
    if asked is None and talk.state.status != "confirming":
        return False
    if asked is not None and asked.optional and not talk.changing and (miss == "unknown" or _has_none(talk)):
        skip(talk, asked)
        return True
    failures = talk.state.failures + 1
    talk.update(failures=failures)
    if failures >= _FAILURES:
        talk.hand_over("failures")
        return True
    if asked is None or talk.state.doubt is not None:
        talk.add(talk.common("help.any.other"))
        return False
    _help(talk, asked, miss, failures)
    return True


def _has_none(talk: Talk) -> bool:
    """ "No", "no tengo correo", "sin correo"."""
    words = wording.words_of(talk.turn.text)
    short = len(words) <= 5 and words[0].plain in ("no", "nao", "sin", "ninguno", "ninguna", "none") if words else False
    return short or talk.means("no", "deny") or wording.phrases(talk.dialog, talk.turn.text, "lack")


def _help(talk: Talk, asked: Question, miss: str, failures: int) -> None:
    common = talk.dialog.common
    first = (f"help.{asked.read}.{miss}", f"help.any.{miss}", f"help.{asked.read}.other", "help.any.other")
    second = (f"help.{asked.read}.simpler", "help.any.simpler")
    own = talk.render(asked.help) if asked.help is not None and failures == 1 and miss != "unknown" else ""
    text = own or talk.common(next(key for key in (first if failures == 1 else second) if key in common))
    talk.add(text)
    if asked.choices or (failures == 1 and not own and miss in ("other", "unknown", "empty")):
        talk.ask(asked, asked.again)
    elif asked.optional:
        talk.say(talk.common("or_skip"))

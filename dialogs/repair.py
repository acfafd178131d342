"""What every dialog does besides asking: correct, cancel, repeat, skip, go back, hand over, answer a question in between."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from dialogs import things, unclear, wording
from dialogs.corrections import change, unanswered_doubt
from dialogs.hearing import IN_PIECES, SURE, ask
from dialogs.model import Attachment, Dialog, Language, Question, State
from dialogs.readers import READERS
from dialogs.readers.base import Heard, Reading
from dialogs.talk import Talk, yes_no
from nlu.entities.words import fold, unknown

REPAIRS = frozenset({
    "cancel", "human", "restart", "repeat", "skip", "back", "help", "language_es", "language_en", "language_pt",
    "bot_challenge", "insult", "complaint", "later", "goodbye",
})  # fmt: skip
LIKE_CHOICES = frozenset({"stop", "start", "skip", "later", "goodbye"})
"""What a few words may mean, unless they are a choice: "baja", "ahorita", "la próxima"."""
INQUIRIES = frozenset({
    "price", "stock", "shipping", "payment", "warranty", "returns", "discount", "hours", "location", "catalog", "order_status",
    "details", "invoice", "paid", "privacy", "recommend", "repairs", "trade_in", "trust",
})  # fmt: skip
INTERESTS = frozenset({"buy", "price", "quote", "stock"})
"""What opens a new interest when the last talk is done."""
_LANGUAGES: Mapping[str, Language] = {"language_es": "es", "language_en": "en", "language_pt": "pt"}
_NOT_OURS = {
    "order_status": "order_status", "paid": "paid", "price": "price", "privacy": "privacy", "recommend": "recommend",
    "stock": "price", "trust": "trust",
}  # fmt: skip
"""What a question that only a person can answer is answered with, by intent."""
_FAILURES = 3
_DECLINED = 6
"""Words up to which "no tengo empresa" is the whole answer."""
_NAME = 2
"""Words of a name that is given alone."""
_MOST_TOPICS = 3
"""Frequent questions that one message is answered."""
_PIECE = 40
"""Characters up to which an unreadable address may be a part of one."""


# ----------------------------------------------------------------------------------------- wishes in a word
def wish_of(talk: Talk, asked: Question | None) -> str:
    """Which of REPAIRS the message is, or ""."""
    if asked is not None and (_declines(talk, asked) or _declines_another(talk, asked)):
        return "skip"
    if talk.intent not in REPAIRS:
        return ""
    heard = talk.turn.understanding
    if talk.intent == "repeat" and heard.faq is not None and heard.faq_confidence > heard.confidence:
        return ""  # "¿qué es incoterm?" asks about the word, not for the question again
    if talk.intent == "skip" and talk.state.offer == "fix" and wording.mentioned(talk.dialog, talk.turn.text, talk.told()):
        return ""  # "correo", as what is to be changed
    if talk.intent in LIKE_CHOICES and any(talk.said in one.exact for one in talk.open_before()):
        return ""
    if talk.intent in ("complaint", "insult", "bot_challenge") and _is_a_name(talk, asked):
        return ""
    if talk.intent in ("later", "goodbye", "skip") and _tells_a_wish(talk):
        return ""
    # "¿El teclado viene en inglés?" names a language without asking to talk in it.
    return "" if talk.intent.startswith("language_") and len(talk.turn.text.split()) > 6 else talk.intent


def _is_a_name(talk: Talk, asked: Question | None) -> bool:
    """Whether a word or two are the name that was asked for, however they sound otherwise."""
    if asked is None or asked.read != "person_name" or talk.asks or len(talk.turn.text.split()) > _NAME:
        return False
    return isinstance(READERS[asked.read].read(Heard(talk.turn.text), ask(asked, talk.turn, talk.state.language)), Reading)


def names_a_thing(talk: Talk, question: Question) -> bool:
    """Whether the message names something that is sold, and may be wanted."""
    return bool(things.thing(talk.dialog, talk.turn.text, question.things, talk.state.language, definite=False))


def _tells_a_wish(talk: Talk) -> bool:
    """ "Estaba manejando, soy Edwin y quiero un parlante": what is wanted, told by somebody who goes nowhere."""
    open_wish = next((one for one in talk.open_before() if one.takes), None)
    return open_wish is not None and names_a_thing(talk, open_wish)


def _declines(talk: Talk, asked: Question) -> bool:
    """ "Mejor por whatsapp" instead of an address; "no tengo empresa" where there may be none."""
    words = wording.words_of(talk.turn.text)
    if not asked.optional or not words or len(words) > _DECLINED or "@" in talk.turn.text or talk.turn.attachments:
        return False
    if asked.read in IN_PIECES:
        return talk.holds("here") and not any(word.plain.isdecimal() for word in words)
    return asked.read in ("text", "tax_id") and wording.begins(talk.dialog, talk.turn.text, "none")


def _declines_another(talk: Talk, asked: Question) -> bool:
    """ "No tengo empresa", where the city was asked: any words may be a place, and these are none."""
    if asked.optional or asked.read != "location" or not wording.begins(talk.dialog, talk.turn.text, "none"):
        return False
    optional = {one.name: one for one in talk.open_before() if one.optional}
    return wording.mentioned(talk.dialog, talk.turn.text, optional) is not None


def apply(talk: Talk, wish: str, asked: Question | None) -> None:
    """Do what one of REPAIRS asks for, and say it."""
    match wish:
        case "cancel" | "later" | "goodbye":
            talk.update(status="cancelled", failures=0, doubt=None, offer="")
            talk.say(talk.common("cancelled" if wish == "cancel" else "later"))
        case "human":
            if talk.holds("call"):
                talk.note()
            talk.hand_over("asked")
        case "restart":
            talk.update(**vars_of(fresh(talk.dialog, talk.state, lasting=False)))
            talk.add(talk.common("restarted"))
            talk.next()
        case "repeat":
            talk.update(asked=asked.name if asked else None)
            talk.next(again=talk.changing)
        case "skip":
            skip(talk, asked)
        case "back":
            back(talk, asked)
        case "insult" | "complaint" if talk.state.offer == "human":
            talk.hand_over("complaint")
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


def fresh(dialog: Dialog, state: State, *, lasting: bool) -> State:
    """From the start, keeping who the person is; with `lasting` also what holds for the next interest."""
    kept = {
        name: state.answers[name]
        for name, question in dialog.questions.items()
        if (question.fact or (lasting and question.lasting)) and name in state.answers
    }
    return replace(State(state.dialog, state.version, state.language), answers=kept, greeted=state.greeted)


def wants_more(talk: Talk) -> bool:
    """ "Ahora quiero exportar bolsos": a word of wishing, and something that is wanted."""
    text = talk.turn.text
    if talk.intent not in ("", "inform", "out_of_scope") or talk.asks:
        return False
    wanted = wording.wish(talk.dialog, text, asked=False)
    first = wording.words_of(wanted)[:1]
    known = first and any(first[0].plain in one.exact for one in talk.dialog.questions.values())
    does = first and first[0].plain.endswith(("ar", "er", "ir")) and not known  # "quiero pasar por la tienda"
    return talk.holds("want") and not does and wording.content(talk.dialog, wanted)


def vars_of(state: State) -> dict[str, object]:
    return {name: getattr(state, name) for name in State.__struct_fields__}


def skip(talk: Talk, asked: Question | None) -> None:
    optional = {one.name: one for one in talk.open_before() if one.optional and one is not asked}
    named = wording.mentioned(talk.dialog, talk.turn.text, optional)
    if named is not None and asked is not None and not asked.optional:  # "sin correo", where the city was asked
        talk.update(skipped=(*talk.state.skipped, named[0].name))
        talk.add(talk.common("skipped"))
    elif asked is not None and talk.state.doubt is not None:
        talk.add("".join(talk.common("noted", shown=shown) for shown in unanswered_doubt(talk, asked)))
    elif asked is None or talk.changing:
        talk.add(talk.common("kept") if talk.changing else "")
        talk.update(asked=None, failures=0)
    elif asked.optional:
        talk.update(skipped=(*talk.state.skipped, asked.name), failures=0)
        talk.add(talk.common("skipped"))
    else:
        failures = talk.state.failures + 1
        talk.update(failures=failures)
        if failures >= _FAILURES:
            talk.hand_over("failures")
            return
        unsure = asked.read not in ("person_name", *IN_PIECES) and unknown(fold(talk.turn.text))
        keys = (f"help.{asked.read}.unknown", "help.any.unknown") if unsure else ("cannot_skip",)
        talk.add(talk.common(next(key for key in keys if key in talk.dialog.common)))
    talk.next(again=True)


def back(talk: Talk, asked: Question | None) -> None:
    """To the answer before the question that was asked; to the question itself while its answer is in doubt."""
    if asked is not None and talk.state.doubt is not None:
        change(talk, asked)
        return
    told = list(talk.told().values())
    names = list(talk.dialog.questions)
    place = names.index(asked.name) if asked else len(names)
    passed = [*told, *(talk.dialog.questions[name] for name in talk.state.skipped if name in talk.dialog.questions)]
    before = [question for question in passed if names.index(question.name) < place]
    if before:
        change(talk, max(before, key=lambda question: names.index(question.name)))
    else:
        talk.next(again=True)


# ------------------------------------------------------------------------------ questions, media, no answer
def faq(talk: Talk, *, read: bool) -> bool:
    """Answer a frequent question; whether there was one. `read`: the message has answered something already."""
    heard = talk.turn.understanding
    asks = talk.asks
    if read and not asks:
        return False
    key = heard.faq if heard.faq in talk.dialog.faq and heard.faq_confidence >= SURE else None
    # "¿Cuánto vale un cargador?" is worded like "¿cuánto vale el envío?", and is not about it.
    about_goods = talk.intent in INTERESTS
    if key is not None and about_goods and talk.dialog.faq[key].intent not in ("", talk.intent):
        key = None
    if key is None and talk.intent:
        key = _of_topic(talk, talk.intent)
    price_left = key is None and talk.intent in ("price", "stock") and "price" not in heard.topics
    # What is asked beside an unsure question is answered all the same; the price is told last.
    asked = dict.fromkeys(one for one in (key, *heard.also) if one is not None and one in talk.dialog.faq)
    told = {talk.dialog.faq[one].intent for one in asked}
    topics = [topic for topic in heard.topics[:_MOST_TOPICS] if topic not in {"price", *told}]
    if not asked and len(topics) < 2:
        return False  # "¿cómo están?" before a price: one topic alone makes no row of questions
    of_topics = (_of_topic(talk, topic) for topic in topics)
    asked |= dict.fromkeys(one for one in of_topics if one is not None)
    for one in asked:
        talk.add(talk.render(talk.dialog.faq[one].say))
    if asked and price_left:
        talk.add(talk.common("price"))
    return bool(asked)


def _of_topic(talk: Talk, topic: str) -> str | None:
    """The frequent question that an intent asks."""
    return next((name for name, one in talk.dialog.faq.items() if one.intent == topic), None)


def answer_question(talk: Talk) -> None:
    """Answer what is asked beside something else, or keep it for the seller."""
    if talk.asks and not faq(talk, read=True):
        keep_question(talk)


def keep_question(talk: Talk) -> None:
    """Leave what is asked for the seller, and say so."""
    talk.note()
    talk.add(talk.common("unknown_question"))


def media(talk: Talk, attachments: tuple[Attachment, ...], taken: Mapping[str, Reading]) -> None:
    """Say that a file is kept, unless it was the answer."""
    for attachment in attachments:
        if not any(_is_from(attachment, reading) for reading in taken.values()):
            talk.add(talk.common("voice" if attachment.kind == "audio" else attachment.kind))


def _is_from(attachment: Attachment, reading: Reading) -> bool:
    if isinstance(reading.value, dict):
        return reading.value.get("file") == attachment.file or (attachment.kind == "location" and "latitude" in reading.value)
    return attachment.kind in ("contact", "order") and reading.span is None


def unread(talk: Talk, before: State, asked: Question | None, miss: str) -> bool:
    """Nothing in the message could be used. Whether that is said already; otherwise the question comes again."""
    text, intent = talk.turn.text, talk.intent
    if not text:
        return False
    if intent == "greet" or intent == "thanks":
        greeted = before.greeted and before.status == "open"
        talk.add(talk.common("hello" if intent == "greet" else "thanks") if greeted else "")
        return False
    if intent in ("buy", "quote") and asked is not None and not asked.takes and not talk.changing:
        talk.add(talk.common("new_interest"))  # "quiero hacer un pedido", where something else was asked
        return False
    if wording.is_foreign(text) or talk.holds("foreign"):
        talk.note()
        talk.add(talk.common("foreign"))
        return False
    if talk.asks or intent in INQUIRIES:
        talk.note()
        talk.add(talk.common(_NOT_OURS.get(intent, "unknown_question")))
        if intent not in INQUIRIES:
            unclear.note(talk, asked)
        return False
    if (asked is None and talk.state.status != "confirming") or before.status in ("cancelled", "expired"):
        if intent in ("", "out_of_scope"):
            unclear.note(talk, asked)
        return False
    if talk.turn.attachments:  # a caption is not a failed answer
        return False
    if asked is not None and asked.optional and not talk.changing and (miss == "unknown" or _has_none(talk)):
        skip(talk, asked)
        return True
    if talk.state.doubt is None and miss != "unknown":
        unclear.note(talk, asked)
    failures = talk.state.failures + 1
    piece = asked is not None and asked.read in IN_PIECES and len(text) <= _PIECE
    talk.update(failures=failures, draft=f"{talk.state.draft} {text}".strip() if piece else "")
    if failures >= _FAILURES:
        talk.hand_over("failures")
        return True
    if asked is not None and talk.state.doubt is not None:
        talk.add("".join(talk.common("noted", shown=shown) for shown in unanswered_doubt(talk, asked)))
        return False
    if asked is None:
        talk.add(talk.common("help.any.other"))
        return False
    _help(talk, asked, miss, failures)
    return True


def _has_none(talk: Talk) -> bool:
    """ "No", "no tengo correo", "sin correo"."""
    words = wording.words_of(talk.turn.text)
    if any(word.plain.isdecimal() for word in words):  # "no más de 600"
        return False
    short = len(words) <= 7 and words[0].plain in ("no", "nao", "sin", "ninguno", "ninguna", "none") if words else False
    return short or talk.means("no", "deny") or talk.holds("lack")


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

"""The embedded understanding: a trained model, the lines it knows by heart, and what was asked."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from math import exp
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

from nlu import classifier, features, meaning, noise, normalise, rasa_yaml
from nlu.classifier import Example, Model
from nlu.cues import is_question, looks_like_a_name, wanted_part
from nlu.faq import Questions
from nlu.features import Floats, Ids
from nlu.language import decide
from nlu.meaning import Encoder
from nlu.normalise import Normal, lexicon
from nlu.understanding import NOTHING, FaqIndex, Understanding

CORPUS = Path(__file__).parent / "corpus"
STAFF = CORPUS / "staff"
"""What sellers, managers, suppliers and customers ask for: a model of its own, lest "mis prospectos" be a prospect's wish."""
_QUESTION = re.compile(r"¿[^?]*\?+|(?:[^.,;!?¿\n]|[.,](?=\d))*\?+")
_PART = re.compile(
    r"[?¿,;.!\n]+| (?:y|e|and|n) |"  # "i" is "y" by ear, where no English word asks for an "I"
    r"(?<! do)(?<!can)(?<! if)(?<!may)(?<!hen)(?<!how)(?<!uld)(?<!ill)(?<!hat)(?<!ere)(?<!did)(?<!but)(?<! am)(?<! so)(?<! as) i "
    r"(?!am |'m |have |need |want |would |can |do )"
)
LEAST, MARGIN = 0.35, 0.10
"""Below either, a text counts as not understood (design/nlu.md)."""
LONG, SURE = 8, 0.80
"""A text of more than LONG words must be this sure before it ends or leaves a talk."""
KNOWN = 0.99
"""The confidence in a text that is, word for word, one of the corpus."""

CONSENT, CONSENTS = frozenset({"stop", "start"}), 0.9
"""What goes to the books as a person's will must be this sure, and is never a question."""
NEEDS_SURE = frozenset({"cancel", "stop", "human", "insult", "later", "restart"})
OUTBURSTS = frozenset({"insult", "complaint"})
REPAIRS = (
    NEEDS_SURE
    | {"back", "bot_challenge", "complaint", "correct", "help", "job", "repeat", "skip", "spam", "start"}
    | {"language_en", "language_es", "language_pt"}
)
"""What is never an answer, whatever was asked, once the text alone says it clearly."""
TOPICS = frozenset(
    {
        "catalog",
        "details",
        "discount",
        "hours",
        "invoice",
        "location",
        "order_status",
        "payment",
        "price",
        "privacy",
        "quote",
        "recommend",
        "repairs",
        "returns",
        "shipping",
        "stock",
        "trade_in",
        "trust",
        "warranty",
        "wholesale",
    }
)
"""What a person may ask about, and may also pick as one of our choices."""
FAVOUR: Mapping[str, float] = {
    **dict.fromkeys(("person_name", "email", "phone", "money", "date", "number", "location", "choice", "tax_id"), 3.5),
    "text": 2.0,
}
"""What is added to the logit of `inform` when a question of this reader was asked: three in four texts are answers then, one
in fourteen of the corpus is (the difference of the log odds); what is asked as free text is answered less often."""
NO_WISH = frozenset({"inform", "out_of_scope"})
"""What a text is when it wants nothing of us: an answer, or no matter of ours."""
GUESSES = 3
NAMES = frozenset({"person_name", "email", "phone", "location", "number", "tax_id"})
"""Readers whose bare answer belongs to no language."""
_TITLED = frozenset({"person_name", "text"})
"""Readers whose answer may stand in title case: "Tienda El Precio Justo"."""
CHOICE = 0.6
"""The least confidence in a few words about a topic as one of the choices offered."""
SECOND = 0.8
"""The least confidence in each of several frequent questions in one message."""
MOST_PARTS = 4
_SHORT, _REMEMBERED = 32, 2048
"""Characters of a text that many people write alike ("hola", "sí, gracias"), and how many such are remembered, at about 3 KB."""
QUESTION = -2.0
"""What is added to the logit of `inform` when the text asks something."""


def load(cache: Path | None = None, corpus: Path = CORPUS, encoder: Encoder | None = None) -> Engine:
    """The engine that has learnt the lines of the folder `corpus`, by default the shipped ones; with the help of an `encoder`.

    It is trained on the first start and kept in the folder `cache` under the hash of what it was made from. A damaged or missing
    file is made anew; a folder that cannot be written costs the next start its speed, nothing else.
    """
    lines = rasa_yaml.read(corpus)
    file = cache / f"nlu-{_fingerprint(corpus, encoder)}.npz" if cache else None
    model: Model | None = None
    if file is not None and file.exists():
        try:
            model = Model.load(file)
        except Exception:  # whatever zipfile and numpy make of a damaged file
            model = None
    if model is None:
        model = classifier.train([Example(line.text, line.intent, line.language) for line in lines], encoder=encoder)
        if file is not None:
            with contextlib.suppress(OSError):
                model.save(file)
                _prune(file)
    return Engine(model, {normalise.normalise(line.text).plain: line.intent for line in lines}, encoder)


def _prune(newest: Path) -> None:
    """Delete the models that were made from an earlier corpus."""
    for old in newest.parent.glob("nlu-*.npz"):
        if old != newest:
            old.unlink(missing_ok=True)


def _fingerprint(corpus: Path, encoder: Encoder | None) -> str:
    """Of everything a model is made from: the corpus, the encoder, and the code that reads it."""
    digest = hashlib.sha256((encoder.name if encoder else "").encode())
    code = [Path(module.__file__ or "") for module in (classifier, features, meaning, noise, normalise)]
    for file in [*sorted(f for f in corpus.iterdir() if f.suffix in {".yml", ".yaml"}), normalise.WORDS, *code]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _asked_parts(text: str) -> list[str]:
    """The parts of two words or more between marks and "and": "hacen envíos | cuánto demora | aceptan tarjeta"."""
    return [part for part in _PART.split(normalise.shortened(text)) if len(part.split()) > 1][:MOST_PARTS]


def _asking_part(text: str) -> str:
    """The last question of a message that says something else besides; "" when it is all question."""
    text = normalise.shortened(text)
    if "?" in text:
        found = _QUESTION.findall(text)
        asking = found[-1].strip() if found else ""
    else:
        *_, last = None, *_asking().finditer(normalise.unaccent(text.lower()))
        asking = text[last.end() :].strip() if last is not None else ""
    return asking if len(asking) + 3 < len(text.strip()) else ""


@cache
def _asking() -> re.Pattern[str]:
    """What comes before a question without marks: "quiero saber si"."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, lexicon()['asking']))})\b")


def looked_at(text: str) -> set[str]:
    """Every text whose intent `understand` wants to know for this one: itself, and what it asks in parts."""
    parts = _asked_parts(text) if is_question(normalise.normalise(text)) else []
    return {text, wanted_part(text), _asking_part(text), *(parts if len(parts) > 1 else ())} - {""}


@cache
def _answers() -> Mapping[str, frozenset[str]]:
    """The words that answer a question, by its reader."""
    return {reader: frozenset(words) for reader, words in lexicon()["answers"].items()}


class Look(NamedTuple):
    """What a text alone tells, whatever was asked."""

    normal: Normal
    vector: tuple[Ids, Floats]
    intents: Floats
    """Probabilities."""
    likely: Sequence[float]
    """The same, one by one."""
    languages: Floats
    """Logits."""
    asks: bool


class Engine:
    """Implements `nlu.understanding.Nlu` over a model. Another opinion on what a text alone tells is a subclass with its own
    `look`: everything else asks that."""

    def __init__(self, model: Model, by_heart: Mapping[str, str] | None = None, encoder: Encoder | None = None) -> None:
        self.model = model
        self.encoder = encoder
        self.by_heart = by_heart or {}
        """{plain text: intent} of the texts that need no model."""
        self._inform = model.intents.index("inform") if "inform" in model.intents else None
        self._consents = [place for place, intent in enumerate(model.intents) if intent in CONSENT]
        self._unsure = [place for place, intent in enumerate(model.intents) if intent in NEEDS_SURE]
        self._known_look = lru_cache(_REMEMBERED)(self.look_anew)
        self._indexes: WeakValueDictionary[tuple[object, ...], Questions] = WeakValueDictionary()

    def taught(self, known: Mapping[str, str], model: Model | None = None) -> Engine:
        """The same with what one company taught besides: `known` {plain text: intent}, and the `model` that learnt from it, once
        there is one."""
        other = copy.copy(self)
        other.model = model or self.model
        other.by_heart = {**self.by_heart, **known}
        other._known_look = lru_cache(_REMEMBERED)(other.look_anew)
        other._indexes = WeakValueDictionary()
        return other

    def guesses(self, text: str) -> list[tuple[str, float]]:
        look = Engine.look(self, text)  # the model's own, whoever else is asked
        if look is None:
            return []
        likeliest = sorted(zip(look.likely, self.model.intents, strict=True), reverse=True)
        return [(intent, round(sure, 4)) for sure, intent in likeliest if intent not in NO_WISH][:GUESSES]

    def faq_index(self, questions: Mapping[str, Sequence[str]]) -> FaqIndex:
        """The same index for the same questions: it takes megabytes, and many numbers ask alike."""
        asked = tuple((key, tuple(ways)) for key, ways in questions.items())
        index = self._indexes.get(asked)
        if index is None:
            index = self._indexes[asked] = Questions(self.model, questions)
        return index

    def understand(self, text: str, expected: str | None = None, faq: FaqIndex | None = None) -> Understanding:
        look = self.look(text)
        if look is None:
            return NOTHING
        normal, asks = look.normal, look.asks
        intent, confidence = self._intent(text, look, expected)
        wanted = wanted_part(text)
        part = wanted or (_asking_part(text) if asks else "")
        asking = self.look(part) if part else None
        if asking is not None:  # "Camila, ¿qué portátiles tienen?": what is asked is looked at by itself
            topic, sure = self._intent(part, asking, expected)
            if wanted or (topic in TOPICS and sure > confidence):
                intent, confidence = topic, sure
        if intent == "out_of_scope":  # "¿están ahí? son unos ladrones"
            intent, confidence = self._outburst(text) or (intent, confidence)
        parts = _asked_parts(text) if asks else []
        topics = self._topics(parts) if len(parts) > 1 else ()
        key, likeness, also = None, 0.0, tuple[str, ...]()
        if intent != "inform" or expected is None or asks:  # an answer is no frequent question
            if isinstance(faq, Questions):
                asked = asking or look
                key, likeness = faq.nearest(asked.vector, asked.intents)
                if key is not None and len(parts) > 1:
                    key, likeness, also = self._several(parts, faq, key, likeness)
            elif faq is not None:
                key, likeness = faq.match(text)
        named = intent == "inform" and expected in NAMES and len(normal.words) <= 4
        language = None if named else decide(normal, self.model.languages, look.languages)
        return Understanding(intent, round(confidence, 4), key, likeness, language, also, topics)

    def look(self, text: str) -> Look | None:
        """What a text alone tells; None when there is no word in it. What is short is said often, and looked at once."""
        return self._known_look(text) if len(text) <= _SHORT else self.look_anew(text)

    def look_anew(self, text: str) -> Look | None:
        """The same without remembering it."""
        normal = normalise.normalise(text)
        if not normal.words:
            return None
        vector = self.model.vector(normal)
        logits, languages = self.model.scores(vector)
        intents = self.model.thinks(normal, logits, self.encoder)
        return Look(normal, vector, intents, intents.tolist(), languages, is_question(normal))

    def _outburst(self, text: str) -> tuple[str, float] | None:
        """What somebody who is angry says beside something else, where it is sure by itself."""
        for part in _PART.split(text):
            look = self.look(part) if " " in part.strip() and part.strip() != text.strip() else None
            intent, sure = self._intent(part, look, None) if look is not None else ("", 0.0)
            if intent in OUTBURSTS and sure >= CONSENTS:
                return intent, sure
        return None

    def _topics(self, parts: Sequence[str]) -> tuple[str, ...]:
        """What the parts of a message surely ask about."""
        found: dict[str, None] = {}
        for part in parts:
            look = self.look(part)
            intent, sure = self._intent(part, look, None) if look is not None else ("", 0.0)
            if intent in TOPICS and sure >= SECOND:
                found[intent] = None
        return tuple(found)

    def _several(self, parts: Sequence[str], faq: Questions, key: str, likeness: float) -> tuple[str, float, tuple[str, ...]]:
        """The frequent questions that the parts of a message ask surely, in its order; where they are fewer than two, the one
        that the whole is nearest to."""
        found: dict[str, float] = {}
        for part in parts:
            near, sure = faq.match(part)
            if near is not None and sure >= SECOND:
                found[near] = max(found.get(near, 0.0), sure)
        first, *others = found or [key]
        return (first, found[first], tuple(others)) if others else (key, likeness, ())

    def _intent(self, text: str, look: Look, expected: str | None) -> tuple[str, float]:
        """What is wanted, and how sure that is."""
        normal, asks = look.normal, look.asks
        intents = self.model.intents
        if self._inform is not None and expected is not None and normal.plain in _answers().get(expected, ()):
            return "inform", KNOWN
        known = self.by_heart.get(normal.plain)
        sure = max(look.likely)
        likeliest = intents[look.likely.index(sure)]
        titled = known is None and expected in _TITLED and not asks and looks_like_a_name(text)
        if titled and (likeliest not in REPAIRS or sure < SURE):
            return "inform", KNOWN
        if known is not None:
            return ("inform" if expected == "choice" and self._could_answer(known, normal, asks=asks) else known), KNOWN
        scores = list(look.likely)
        if self._inform is not None:
            scores[self._inform] *= exp(self._favour(normal, likeliest, sure, expected, asks=asks))
            total = sum(scores)
            scores = [score / total for score in scores]
            if expected == "choice" and self._could_answer(likeliest, normal, asks=asks):
                return "inform", max(scores[self._inform], CHOICE)
        if max(scores) < CONSENTS or asks:
            for place in self._consents:
                scores[place] = 0.0
        if len(normal.words) > LONG and max(scores) < SURE:
            for place in self._unsure:
                scores[place] = 0.0
        best = max(scores)
        first = scores.index(best)
        scores[first] = -1.0
        if best < LEAST or best - max(scores) < MARGIN:
            return "out_of_scope", best
        return intents[first], best

    def _could_answer(self, intent: str, text: Normal, *, asks: bool) -> bool:
        """Whether a few words about a topic ("efectivo", "envío a domicilio") may be one of the choices offered."""
        return not asks and len(text.words) <= 4 and intent in TOPICS

    def _favour(self, normal: Normal, intent: str, sure: float, expected: str | None, *, asks: bool) -> float:
        """How much more (logit) the text is taken for an answer than without context."""
        if asks:
            return QUESTION
        if expected is None or (intent in REPAIRS and sure >= 0.6):
            return 0.0
        favour = FAVOUR.get(expected, 0.0)
        return favour if _answers().get(expected, frozenset()).isdisjoint(normal.words) else favour * 2

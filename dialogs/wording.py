"""What the words of a message tell, by the word lists of texts.yaml: wishes, questions, corrections, filler."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from dialogs.lexicon import Lexicon
from dialogs.model import Dialog, Question
from nlu.entities.words import fold, unknown
from nlu.entities.words import words as listed

_LOOKED_AT = 4_096
"""Characters in which phrases are sought."""
_LISTED = 6
"""Words of one thing in a list."""
_LOOKED_THROUGH = 128
"""Words without any content after which none is looked for."""
_BEYOND_LATIN = re.compile(r"[^\u0000-\u024f]")
"""A sign that is in none of the scripts that we write in."""
_PREAMBLE = 3
"""Words before a wish that may belong to it."""
_WORD = re.compile(r"[^\W_]+")
_TIED = re.compile(r"[ ,]+(?:y|e|and) ")
_STOP = re.compile(r"[;!?\n]|,(?!\d)|\.(?=\s|$)")
_ASKS = re.compile(r"\W*(?:(?:hola|buenas|oye|oiga|y|e|o|pero|ah|eh)\W+)*(?:cómo|cuándo|qué|dónde|cuánto|cuál)\b", re.IGNORECASE)
"""With its accent the word asks, whatever follows."""
_THE = listed("el la los las lo mi mis nuestro nuestra su the my our o a os as meu minha y e and ah")
_IS = listed("es son era sera seria is are e sao")
_TELLS = listed(
    "soy es me mi lo te le les si que pero somos vivo vivimos estoy estamos tengo tenemos no ya porque i my it is eu meu e sou"
)
"""How a clause begins that tells something else than one more thing."""
_OWN = listed("mia mio nuestra nuestro propia propio mine ours minha meu")
AND = listed("y e and")
_GREETS = listed(
    "ok okay n so hey bro hola ola hello hi oi buenas buenos buen dia dias tarde tardes noche noches wenas bom boa good morning"
)
_INTERROGATIVES = listed("que cual cuando donde quien when where who qual quando onde quem")
_FROM = listed("desde from hasta hacia")
_CLAUSE = re.compile(r"(?:[^,.;!?\n]|[.,](?=\d))+")
_MARK = re.compile(r"([.;!?\n]+|,(?!\d))")
_ASKS_MORE = re.compile(
    r"[ ,]+(?:y|e|and) (?=(?:(?:[kq]u?iero|quisiera|quer[ií]a|necesito|quero|want to|me gustar[ií]a) )?"
    r"(?:sa[bv]er|know|[ckq]u?anto|cu[aá]nto|how much|quanto|a c[oó]mo) )"
    r"|[ ,]+(?=(?:a c[oó]mo|[ckq]u?[aá]nto|how much) (?:dan|est[aá]n?|sale|salen|[vb]alen?|[ck]uestan?|cobran|me|is|are|does)\b)",
    re.IGNORECASE,
)
"""Before what a message asks besides: "un televisor y quiero saber si hacen domicilios"."""
_TAKEN_BACK = re.compile(
    r"(?=[ ,.](?:no,? mejor|mejor dicho|perd[oó]n|no perd[oó]n|quise decir|digo|no wait|i mean|quer dizer|não,? melhor)([ ,]+))",
    re.IGNORECASE,
)
"""Before what a message says instead of what it began with."""
_MARKS = re.compile(r"[,.;!?\n]")
_NONE: Mapping[int, int] = {}
_QUESTION = re.compile(r"¿[^?]*\??|[^.!?¿\n]*\?")
_ASKING_CLAUSE = re.compile(r"¿[^?]*\??|(?:[^.,!?¿\n]|[.,](?=\d))*\?")


class Word(Struct, frozen=True):
    plain: str
    start: int
    end: int


@lru_cache(512)
def plain(text: str) -> str:
    """Lower case, no accents, words alone with single spaces: how phrases are compared. Emoji alone stay themselves."""
    return " ".join(_WORD.findall(fold(text))) or text.strip()


@lru_cache(256)
def words_of(text: str) -> tuple[Word, ...]:
    return tuple(Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(fold(text)))


def phrases(dialog: Dialog, text: str, meaning: str) -> bool:
    """Whether the message holds one of the plain words for `meaning`."""
    return meaning in _holds(text, dialog.words)


def phrases_of(dialog: Dialog, text: str) -> Collection[str]:
    """Everything that the message holds plain words for."""
    return _holds(text, dialog.words).keys()


def begins(dialog: Dialog, text: str, meaning: str) -> bool:
    """Whether the message begins with one of the plain words for `meaning`, sighs ("ah, y") left aside."""
    found, sighs = _matches(dialog, text, meaning), dialog.words["sigh"]
    if not found:
        return False
    first = next((place for place, word in enumerate(words_of(text)) if place in found or word.plain not in sighs), -1)
    return first in found


def past(dialog: Dialog, text: str, meaning: str) -> str:
    """The text behind the plain words for `meaning` that it begins with: "mejor Cartagena"."""
    words, found, place = words_of(text), _matches(dialog, text, meaning), 0
    while place in found:
        place = found[place]
    return text[words[place].start :] if 0 < place < len(words) else text


def agrees(dialog: Dialog, text: str) -> bool:
    """Whether it is a yes with nothing but courtesies around it: "sí, todo bien, muchas gracias"."""
    yes, polite = _matches(dialog, text, "yes"), _matches(dialog, text, "courtesy")
    if 0 not in yes and 0 not in polite:
        return False
    words, place = words_of(text), 0
    while place in yes or place in polite:
        place = max(yes.get(place, 0), polite.get(place, 0))
    return bool(words) and place == len(words) and any(word.plain in dialog.words["yes"] for word in words[:2])


def is_question(dialog: Dialog, text: str) -> bool:
    """By its marks, or because it begins like one ("como 500" and "que tenga buena cámara" do not ask)."""
    return "?" in text or "¿" in text or _asks(text, dialog.words)


@lru_cache(64)
def _asks(text: str, lexicon: Lexicon) -> bool:
    if _ASKS.match(text):
        return True
    holds = _holds(text, lexicon)
    words = words_of(text[:60])
    first = next((place for place, word in enumerate(words) if word.plain not in _GREETS), 0)
    if first in holds.get("asking", _NONE):
        second = words[first + 1 : first + 2]
        return first not in holds.get("telling", _NONE) and not (second and second[0].plain[0].isdigit())
    return "wondering" in holds


def statements(text: str, *, clauses: bool = False) -> str:
    """The message without its questions, every other character in its place. With `clauses` a comma ends what comes before a
    question, too ("para mí, hacen envíos?")."""
    if "?" not in text and "¿" not in text:
        return text
    return (_ASKING_CLAUSE if clauses else _QUESTION).sub(lambda match: " " * len(match.group()), text)


def questions(text: str) -> str:
    """The questions of a message, by their marks; all of it where there are none."""
    return " ".join(match.group() for match in _QUESTION.finditer(text)) or text


def without(dialog: Dialog, text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The message without what was read already, nor the small words that tied it in ("de 2 millones"), in its place."""
    for start, end in spans:
        words = list(words_of(text[:start]))
        while words and words[-1].plain in dialog.words["joint"] and not text[words[-1].end : start].strip(" :.(\"'"):
            start = words.pop().start
        text = text[:start] + "," + " " * (end - start - 1) + text[end:] if end > start else text
    return text


def clauses(text: str) -> list[tuple[int, int]]:
    """[start, end) of the parts between commas, stops and line ends."""
    return [(match.start(), match.end()) for match in _CLAUSE.finditer(text)]


def instead(text: str) -> str:
    """What a message says after it has taken something back, the last time it does; "" when it does not."""
    said = ""
    for match in _TAKEN_BACK.finditer(text):
        before = text[: match.start()].rstrip(" ")
        if before and not before[-1].isspace():
            said = text[match.end(1) :]
    return said


def clause_before(text: str, place: int) -> str:
    """What stands before a place in its own clause: in "quiero importar llantas" nothing that "importar" would add to."""
    return _MARKS.split(text[:place])[-1]


def known_part(text: str) -> str:
    """ "No sé, pesa como 300 kilos", "un celular pero no sé cuál": what is known beside the not knowing, when something is."""
    known, but, rest = text.partition(" pero ")
    if but and known.strip() and not unknown(fold(known)) and unknown(fold(rest)):
        return known
    parts = clauses(text)
    if len(parts) > 1 and unknown(fold(text[slice(*parts[0])])) and text[parts[1][0] :].strip(" ,.;"):
        return text[parts[1][0] :].strip(" ,.;")
    return text


def after_correction(dialog: Dialog, text: str) -> str:
    """What follows words of correction that a message begins with; "" when it does not begin so."""
    corrections, links = _matches(dialog, text, "correct"), _matches(dialog, text, "link")
    if not corrections:
        return ""
    words, first = words_of(text), 0
    while first < len(words) and words[first].plain in dialog.words["sigh"]:
        first += 1
    if first not in corrections:
        return ""
    while first in corrections or (first and first in links):
        first = corrections.get(first) or links[first]
    return text[words[first].start :].strip(" ,.;:") if 0 < first < len(words) else ""


def is_foreign(text: str) -> bool:
    """Whether most of its letters are of another script than ours: "你好", "Здравствуйте"."""
    foreign = sum(map(str.isalpha, _BEYOND_LATIN.findall(text, 0, _LOOKED_AT)))
    return foreign > 0 and foreign * 2 > sum(map(str.isalpha, text[:_LOOKED_AT]))


def content(dialog: Dialog, text: str, besides: frozenset[str] = frozenset()) -> bool:
    """Whether it says more than greetings, the words around a wish, and those `besides`; then not "desde China" either."""
    filler, before = dialog.words["filler"], ""
    for word in words_of(text)[:_LOOKED_THROUGH]:
        said = dialog.words.spelt(word.plain)
        of_a_place = besides and (said in _FROM or before in _FROM)
        if said not in filler and said not in besides and word.plain not in besides and not of_a_place:
            return True
        before = said
    return False


def trimmed(dialog: Dialog, text: str) -> str:
    """Without greetings and words of wishing in front: "hola, necesito un portátil" → "un portátil"."""
    words = words_of(text)
    leads = _matches(dialog, text, "lead")
    first = 0
    while first in leads and leads[first] < len(words):
        first = leads[first]
    last, tail = len(words), dialog.words["tail"]
    while last - 1 > first and dialog.words.spelt(words[last - 1].plain) in tail:
        last -= 1
    end = words[last - 1].end if words and last < len(words) else len(text)
    return text[words[first].start : end].strip(" ,.;:!¡¿?-\n\t") if words else ""


def unhedged(dialog: Dialog, text: str) -> str:
    """The plain words without a doubt or a courtesy at the end: "exportación será?", "para mi po"."""
    words = [dialog.words.spelt(word.plain) for word in words_of(text)]
    while len(words) > 1 and (words[-1] in dialog.words["hedge"] or words[-1] in dialog.words["tail"]):
        words.pop()
    return " ".join(words)


def wish(dialog: Dialog, text: str, *, asked: bool) -> str:
    """The part of a message that tells what is wanted: what has some content; when that was not `asked`, only the clauses with a
    word of wishing, if there are such."""
    clauses: list[str] = []
    before = ""
    opened = False
    parts = _parts(text)
    for (mark, clause), (ended, _) in zip(parts, [*parts[1:], ("", "")], strict=True):
        if ended == "?" and not phrases(dialog, clause, "want"):
            before = ""  # "quiero surtir mi tienda, ¿qué días reparten?"
        whole = f"{before} {clause}".strip()
        # "ando buscando", then "un televisor" in the next bubble: one wish.
        before = whole if phrases(dialog, whole, "want") and not content(dialog, whole) else ""
        wishes = phrases(dialog, whole, "want")
        tied = any(word.plain in dialog.words["tie"] for word in words_of(whole)[:1])
        if min(_matches(dialog, whole, "unwanted"), default=_PREAMBLE) < _PREAMBLE:  # "no quiero cotización, solo el precio"
            before = ""
            continue
        if mark == "\n" and tied and clauses and opened and not wishes:
            clauses[-1] += " " + whole.strip()
        elif mark == "," and clauses and opened and not asked and not wishes and _lists(dialog, whole):
            clauses[-1] += "" if ended == "?" else f", {whole}"  # "quiero papa, cebolla y tomate"
        elif mark == "\n" and clauses and opened and not asked and not wishes and _counts(dialog, whole):
            clauses[-1] += f", {whole.strip()}"  # a list, a line each
        elif ended == "?" and not wishes and plain(trimmed(dialog, whole)).partition(" ")[0] in _INTERROGATIVES:
            continue  # "¿qué días reparten por Kennedy?"
        elif content(dialog, whole):
            clauses.append(whole)
            opened = wishes or asked
    clauses = [clause for clause in clauses if not phrases(dialog, clause, "wondering")] or clauses
    wishing = [] if asked else [_from_the_wish(dialog, clause) for clause in clauses if phrases(dialog, clause, "want")]
    return ", ".join(trimmed(dialog, clause) for clause in wishing or clauses)


def _lists(dialog: Dialog, clause: str) -> bool:
    """Whether it may be one more of the things that are wanted."""
    words = words_of(clause)
    return 0 < len(words) <= _LISTED and words[0].plain not in _TELLS and content(dialog, clause)


def _counts(dialog: Dialog, clause: str) -> bool:
    """Whether it begins with how many of a thing: "5 pacas de papel"."""
    words = words_of(clause)
    return len(words) > 1 and (words[0].plain.isdecimal() or words[0].plain in dialog.words["article"])


def _from_the_wish(dialog: Dialog, clause: str) -> str:
    """ "… espero que bien, le cuento que estoy buscando una impresora": from the word of wishing on, when much comes before."""
    first = min(_matches(dialog, clause, "want"))
    return clause[words_of(clause)[first].start :] if first > _PREAMBLE else clause


def _parts(text: str) -> list[tuple[str, str]]:
    """(the mark before it, the part) for every clause."""
    pieces = _MARK.split(_ASKS_MORE.sub("; ", text))
    return list(zip(["", *(mark.strip(" ")[-1:] for mark in pieces[1::2])], pieces[::2], strict=True))


@lru_cache(16)
def may_state(text: str) -> bool:
    """Whether it has what ties an answer to its name: "es", a colon."""
    return "?" not in text and (":" in text or any(word.plain in _IS for word in words_of(text)[:6]))


def states(text: str, questions: Iterable[Question]) -> tuple[Question, int, int] | None:
    """The question that a message names first and answers ("el volumen es 25 m3", "NIT: 900…"), and where the answer stands."""
    if not may_state(text):
        return None
    words = words_of(text)
    first = next((place for place, word in enumerate(words) if word.plain not in _THE), 0)
    for length in (3, 2, 1):
        name = " ".join(word.plain for word in words[first : first + length])
        question = next((one for one in questions if name in one.called), None)
        after = first + length
        if question is None or after > len(words) - 1:
            continue
        if text[words[after - 1].end : words[after].start].strip() == ":":
            start = words[after].start
        elif words[after].plain in _IS and after + 1 < len(words):
            start = words[after + 1].start
        else:
            continue
        stop = _STOP.search(text, start)
        end = stop.start() if stop else len(text)
        rest = plain(text[start:end])
        return None if rest.startswith(("otr", "nuev", "new ")) or rest in _OWN else (question, start, end)
    return None


def all_stated(text: str, questions: Sequence[Question]) -> list[tuple[Question, str, tuple[int, int]]]:
    """Every question that a message names and answers from its start on, the answer, and the part that says so: "el destino es
    Cali y el origen es Lima"."""
    found: list[tuple[Question, str, tuple[int, int]]] = []
    begin = 0
    while begin < len(text) and (one := states(text[begin:], questions)) is not None:
        question, start, end = one[0], begin + one[1], begin + one[2]
        tie = next((match for match in _TIED.finditer(text, start, end) if states(text[match.end() :], questions)), None)
        stop = tie.start() if tie else end
        found.append((question, text[start:stop].strip(" ,.;:"), (begin, stop)))
        begin = tie.end() if tie else end + 1
    return found


def all_mentioned(text: str, questions: Mapping[str, Question]) -> list[Question]:
    """The questions that a correction names, in its order: "cambiar el presupuesto y la fecha"."""
    named = _found(text, Lexicon({name: question.called for name, question in questions.items()}))
    return [questions[name] for name in sorted((one for one in questions if one in named), key=lambda name: min(named[name]))]


def mentioned(dialog: Dialog, text: str, questions: Mapping[str, Question]) -> tuple[Question, str] | None:
    """The question that a correction names, and what follows the name ("mi correo es otro: ana@ruiz.co")."""
    named = _holds(text, dialog.naming)
    best: tuple[int, int, Question] | None = None
    for name, question in questions.items() if named else ():
        for start, end in named.get(name, _NONE).items():
            if best is None or end - start > best[1] - best[0]:
                best = start, end, question
    if best is None:
        return None
    words = words_of(text)
    others = (name for name, one in questions.items() if one is not best[2])
    other = min((at for name in others for at in named.get(name, ()) if at >= best[1]), default=len(words))
    end = len(text)
    if any(word.plain in AND for word in words[best[1] : other]) and other < len(words):  # "el presupuesto y la fecha"
        end = next(word.start for word in reversed(words[best[1] : other]) if word.plain in AND)
    rest = text[words[best[1] - 1].end : end].lstrip(" :=-,")
    while 0 in (links := _matches(dialog, rest, "link")):
        rest = rest[words_of(rest)[links[0] - 1].end :].lstrip(" :=-,")
    return best[2], rest.strip()


def _matches(dialog: Dialog, text: str, meaning: str) -> Mapping[int, int]:
    """{start: end} of the phrases for `meaning` in a message, counted in words; at each place the longest."""
    return _holds(text, dialog.words).get(meaning, _NONE)


@lru_cache(512)
def _holds(text: str, lexicon: Lexicon) -> Mapping[str, Mapping[int, int]]:
    """The `_matches` for every meaning that a message holds."""
    return _found(text, lexicon)


def _found(text: str, lexicon: Lexicon) -> Mapping[str, Mapping[int, int]]:
    words = [lexicon.spelt(word.plain) for word in words_of(text[:_LOOKED_AT])]
    found: dict[str, dict[int, int]] = {}
    for start, word in enumerate(words):
        for end in range(min(start + lexicon.longest.get(word, 0), len(words)), start, -1):
            phrase = word if end == start + 1 else " ".join(words[start:end])
            for meaning in lexicon.meanings.get(phrase, ()):
                found.setdefault(meaning, {}).setdefault(start, end)
    return found

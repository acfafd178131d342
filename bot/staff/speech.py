"""How our own people talk in their chat, whatever it is about: yes and no, greetings, and what stands around a
request or a name. Pure."""

from __future__ import annotations

import re

from nlu.entities import words as readers
from nlu.entities.words import fold

_THAT = "(?:que|q|k|ke)"
SHORT = {"que": _THAT, "para": "(?:para|pa)", "por": "(?:por|x)", "estoy": "(?:estoy|toy|ando)"}
"""Words as they are written in a chat."""
PROSPECT, BOT = "(?:client[ea]|prospect[oa]|lead)", "(?:bot|asistente|robot)"
"""Whom a command is about, and to whom it gives them back."""
_WORD = re.compile(r"\w+")
_COURTESY = ("por favor", "porfavor", "porfa", "porfis", "plis", "gracias", "pues", "ya", "ahora", "parce", "che")
_AGREED = ("si", "sip", "claro", "dale", "ok", "oka", "okay", "okey", "listo", "vale", "bueno", "perfecto")
_HELLO = ("hola", "holi", "buenas tardes", "buenas noches", "buenas", "buenos dias", "buen dia", "hey")
_BESIDE = readers.words(" ".join(_COURTESY))
"""What may stand beside anything, and changes nothing of it."""
_YES = readers.words(
    f"{' '.join(_AGREED)} s sisas va sale simon orale confirmo confirmado hagale hazlo de una envia enviar envialo enviala "
    "enviale enviaselo manda mandalo mandala mandale mandaselo obvio correcto eso"
)
_NO = readers.words(
    "no nop nel nanai cancela cancelar cancelalo cancele dejalo dejala dejemoslo nada ninguno ninguna olvidalo espera espere "
    "esperame para pare stop envies envie mandes mande todavia aun jamas nunca"
)
_BESIDE_VERDICTS = _BESIDE | readers.words("mejor un momento lo la le asi yo esta bien mismo")
_GREETING = re.compile(rf"(?:{'|'.join(_HELLO)}|que mas|que tal|que hubo|quiubo)(?: .{{0,12}})?")
_SMALL_TALK = readers.words(
    "gracias muchas mil muy amable ok oka okay listo dale vale va bueno perfecto genial excelente super chevere bien jaja jajaja "
    "jajajaja jeje chao chau adios bye hasta luego manana nos vemos entendido de acuerdo"
)
LEAD = re.compile(
    rf"(?:{'|'.join(_HELLO + _AGREED)}|oye|oiga|che|parce|por favor|porfa|muestra(?:me)?|mostrar|mostrame|dame|deme|dime|"
    r"decime|pasame|listame|regalame|quiero ver|quiero|quisiera|necesito|cuales son|ver|pues|entonces|ya|mejor|ahora|ahorita|"
    r"a ver|mira|y|(?:me )?(?:puedes?|podrias?))\b[\s,:!.]*(?=\S)"
)
"""What a request may begin with."""
_TO_THEM = re.compile(rf"(?:(?:{'|'.join(_HELLO + _AGREED)})\b\W*)+(?:respond[ae]|escrib[aei]|contest[ae])\b")
TAIL = re.compile(rf"[\s.,;!?¡¿)]*(?:\b(?:{'|'.join(_COURTESY)})\b[\s.,;!?)]*)*")
"""What one may end with."""
_BESIDE_NAMES = _BESIDE | readers.words("a al de del con sobre para la el los las lo yo mismo entonces")
"""What stands before or behind a name."""
_NO_NAMES = _BESIDE_NAMES | readers.words(
    "ese esa este esta eso esto aquel aquella ella ellos usted cliente clienta prospecto prospecta lead persona tipo senora "
    "senor chica chico muchacho muchacha misma ultimo ultima gusto una"
)
"""Words for whoever is spoken of, without a name."""
_REPORTED = re.compile(rf"{_THAT}\s+(?!tal\b)(?=\S)", re.IGNORECASE)


def verdict(folded: str) -> bool | None:
    """Whether words are nothing but a yes, or a no; None when there is more in them: "sí, pero espera" is no yes."""
    said = _WORD.findall(folded)
    if not said or not all(word in _YES or word in _NO or word in _BESIDE_VERDICTS for word in said):
        return None
    if any(word in _NO for word in said):
        return False
    return True if any(word in _YES for word in said) else None


def is_greeting(folded: str) -> bool:
    return _GREETING.fullmatch(folded) is not None


def is_to_them(folded: str) -> bool:
    """Whether words that could be an order speak to whom they are for: "hola, escribe cuando puedas"."""
    return _TO_THEM.match(folded) is not None


def is_small_talk(folded: str) -> bool:
    """Thanks, goodbye, an emoji: nothing is asked for."""
    return "?" not in folded and all(word in _SMALL_TALK for word in _WORD.findall(folded))


def called(words: str) -> str:
    """The name in `words`, without what stands around it; empty where they only point at somebody ("la cliente", "ese")."""
    found = list(_WORD.finditer(fold(words)))
    if all(match.group() in _NO_NAMES for match in found):
        return ""
    while found and found[0].group() in _BESIDE_NAMES:
        del found[0]
    while found and found[-1].group() in _BESIDE_NAMES:
        del found[-1]
    return words[found[0].start() : found[-1].end()]


def reported(words: str) -> str:
    """What is to be written, of "(dile) que ya salió": the words themselves. A question keeps its "que"."""
    return words if "?" in words else _REPORTED.sub("", words, count=1) if _REPORTED.match(words) else words

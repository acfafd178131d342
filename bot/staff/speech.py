"""How our own people talk in their chat, whatever it is about: yes and no, greetings, and what stands around a name. Pure."""

from __future__ import annotations

import re

from nlu.entities import words as readers
from nlu.entities.words import fold

SHORT = {"que": "(?:que|q|k)", "para": "(?:para|pa)", "por": "(?:por|x)", "estoy": "(?:estoy|toy|ando)"}
"""Words as they are written in a chat."""
_WORD = re.compile(r"\w+")
_YES = readers.words(
    "si s sip sisas claro dale ok oka okay okey listo va vale bueno sale simon orale confirmo confirmado hagale hazlo de una "
    "envia enviar envialo enviala enviale enviaselo manda mandalo mandala mandale mandaselo perfecto obvio correcto eso"
)
_NO = readers.words(
    "no nop nel nanai cancela cancelar cancelalo cancele dejalo dejala dejemoslo nada ninguno ninguna olvidalo espera espere "
    "esperame para pare stop envies envie mandes mande todavia aun jamas nunca"
)
_BESIDE = readers.words("gracias por favor porfa porfis pues ya ahora mejor un momento lo la le asi yo esta bien mismo parce che")
_GREETING = re.compile(
    r"(?:hola|holi|buenas|buen dia|buenos dias|buenas tardes|buenas noches|hey|que mas|que tal|que hubo|quiubo)(?: .{0,12})?"
)
_SMALL_TALK = readers.words(
    "gracias muchas mil muy amable ok oka okay listo dale vale va bueno perfecto genial excelente super chevere bien jaja jajaja "
    "jajajaja jeje chao chau adios bye hasta luego manana nos vemos entendido de acuerdo"
)
_BESIDE_NAMES = readers.words(
    "a al de del con sobre para la el los las lo porfa porfis por favor plis gracias pues ya ahora yo mismo entonces"
)
"""What stands before or behind a name."""
_NO_NAMES = _BESIDE_NAMES | readers.words(
    "ese esa este esta eso esto aquel aquella ella ellos usted cliente clienta prospecto prospecta lead persona tipo senora "
    "senor chica chico muchacho muchacha misma ultimo ultima gusto una"
)
"""Words for whoever is spoken of, without a name."""
_REPORTED = re.compile(r"(?:que|q|k)\s+(?!tal\b)(?=\S)", re.IGNORECASE)


def verdict(folded: str) -> bool | None:
    """Whether words are nothing but a yes, or a no; None when there is more in them: "sí, pero espera" is no yes."""
    said = _WORD.findall(folded)
    if not said or not all(word in _YES or word in _NO or word in _BESIDE for word in said):
        return None
    if any(word in _NO for word in said):
        return False
    return True if any(word in _YES for word in said) else None


def is_greeting(folded: str) -> bool:
    return _GREETING.fullmatch(folded) is not None


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

"""Which of several things that were shown somebody points at: "el segundo", "la de abajo", "el más barato", "el primero no"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from nlu.entities.numbers import numbers
from nlu.entities.words import words

_CARDINALS = (
    "1 uno una um uma one", "2 dos dois duas two", "3 tres three", "4 cuatro quatro four", "5 cinco five", "6 seis six",
    "7 siete sete seven", "8 ocho oito eight", "9 nueve nove nine", "10 diez dez ten",
)  # fmt: skip
_ORDINALS = (
    "primero primera primer primeiro primeira first 1ro 1ra 1er 1st", "segundo segunda second 2do 2da 2nd",
    "tercero tercera tercer terceiro terceira third 3ro 3ra 3er 3rd", "cuarto cuarta quarto quarta fourth 4to 4ta 4th",
    "quinto quinta fifth 5to 5ta 5th", "sexto sexta sixth", "septimo septima setimo setima seventh",
    "octavo octava oitavo oitava eighth", "noveno novena nono nona ninth", "decimo decima tenth",
)  # fmt: skip
_COUNT_OF = {word: place for place, line in enumerate(_CARDINALS) for word in line.split()}
_PLACE_OF = {word: place for place, line in enumerate(_ORDINALS) for word in line.split()}
_FROM_THE_END = {
    **dict.fromkeys(words("ultimo ultima last abajo bottom embaixo baixo final"), -1),
    **dict.fromkeys(words("penultimo penultima"), -2),
}
_FROM_THE_START = words("arriba top encima cima")
_MIDDLE = words("medio centro mitad middle meio")
_OTHER = words("otro otra other outro outra")
_SAME = words("ese esa eso este esta esto mismo misma that this same esse essa mesmo mesma igual")
_BOTH, _ALL = words("ambos ambas both"), words("todos todas all")
_LEAST = re.compile(
    r"(?:mas|mais|most) (?:barat[oa]|economic[oa]|comod[oa]|baj[oa]|pequen[oa]|chic[oa]|em conta)"
    r"|menos (?:car[oa]|costos[oa])|de menor (?:precio|costo|valor)|cheapest|lowest|smallest|least expensive|menor"
)
_MOST = re.compile(
    r"(?:mas|mais|most) (?:car[oa]|costos[oa]|alt[oa]|grande|expensive)|menos barat[oa]|de mayor (?:precio|costo|valor)"
    r"|priciest|highest|biggest|maior|mayor"
)
_LEAD = re.compile(
    r"(?:(?:la|el|lo|los|las|the|a|o|opcion|option|opcao|numero|number|num|nro|no(?= \d)|n|quiero|elijo|escojo|"
    r"prefiero|seria|es|para mi|mejor|si|sim|yes|dame|deme|me quedo con|me llevo|entonces|pero|y|quero|fico com|i want|"
    r"i ?'?ll take|de la|de|del|al|con|da|do|en|at|on) )+"
)
_TAIL = re.compile(
    r"(?: (?:opcion|option|opcao|one|de ellas|de ellos|de las|de los|de la lista|de todos|de todas|of them|porfa|por ?favor|"
    r"please|gracias|pues|mismo|misma|mesmo|entonces|nomas|de antes|de siempre|as before|"
    r"que (?:me |te |le )?(?:mostro|mostraste|dijo|dijiste|dije|di|mando|mandaste|puso|pusiste|salio|sale|aparece)))+$"
)
_PART = re.compile(r"[,;.!\n]+| sino | mejor | pero | y si ")
_DENIED = re.compile(r"(?:no|not|nao) (?!\d)(.+)|(.+?) (?:no|not|nao)")
_MOST_WORDS = 12


def pointed(folded: str, shown: Sequence[str], *, chosen: int | None = None, counted: bool = True) -> tuple[int, ...]:
    """The places (from 0) of what is meant, of `shown` (folded, in their order); () where it points at none of them or says more.

    `chosen`: the one that stands, for "el otro" and "ese mismo". `counted`: whether "2" and "dos" are places, too."""
    if not shown or folded.count(" ") > _MOST_WORDS:
        return ()
    meant: list[int] = []
    denied: list[int] = []
    for part in _PART.split(folded):
        said = " ".join(re.findall(r"[a-z0-9']+", part))
        if not said or said in ("no", "nao", "si", "yes", "sim"):
            continue
        no = _DENIED.fullmatch(said)
        around = denied[-1] if denied else chosen
        places = _places((no[1] or no[2]) if no else said, shown, around, counted=counted)
        if not places:
            return ()
        (denied if no else meant).extend(places)
    if denied and not meant and len(shown) == 2 and len(denied) == 1:
        return (1 - denied[0],)
    return tuple(dict.fromkeys(place for place in meant if place not in denied))


def _places(said: str, shown: Sequence[str], chosen: int | None, *, counted: bool) -> tuple[int, ...]:
    """What one clause points at."""
    many = len(shown)
    if extreme := _extreme(said, shown):
        return extreme
    if said in ("los dos", "las dos", "os dois", "as duas", "the two"):
        return (0, 1) if many == 2 else ()
    lead = _LEAD.match(said)
    word = _TAIL.sub("", said[lead.end() if lead else 0 :])
    if word in _PLACE_OF or (counted and word in _COUNT_OF and not said.startswith(("a la ", "a las "))):  # "a las 2"
        place = _PLACE_OF.get(word, _COUNT_OF.get(word, many))
        return (place,) if place < many else ()
    if word in _FROM_THE_END:
        return (many + _FROM_THE_END[word],) if many + _FROM_THE_END[word] >= 0 else ()
    if word in _FROM_THE_START:
        return (0,)
    if word in _MIDDLE:
        return (many // 2,) if many % 2 else ()
    if word in _OTHER:
        return (1 - chosen,) if many == 2 and chosen is not None else ()
    if word in _ALL or (word in _BOTH and many == 2):
        return tuple(range(many))
    if word in _SAME or (word.count(" ") == 1 and _SAME.issuperset(word.split())):
        return (0,) if many == 1 else (chosen,) if chosen is not None else ()
    return ()


def same(folded: str) -> bool:
    """Whether it says only that something is the same: "ese mismo", "lo mismo de antes"."""
    lead = _LEAD.match(folded)
    said = _TAIL.sub("", folded[lead.end() if lead else 0 :].strip(" .,!")).split()
    return 0 < len(said) <= 2 and _SAME.issuperset(said)


def _extreme(said: str, shown: Sequence[str]) -> tuple[int, ...]:
    """ "El más barato": by the amounts in what was shown, where each has one and one of them leads."""
    least, most = _LEAST.search(said), _MOST.search(said)
    if (least is None) == (most is None):
        return ()
    worth = [_amounts(label) for label in shown]
    ends = [(min(each), max(each)) if least else (max(each), min(each)) for each in worth if each]
    if len(ends) < len(shown):
        return ()
    wanted = min(ends) if least else max(ends)
    return (ends.index(wanted),) if ends.count(wanted) == 1 else ()


def _amounts(label: str) -> list[Decimal]:
    """The amounts in a label: "entre 1 y 3 millones" holds one million."""
    found = numbers(label, money=True)
    scale = max((number.scale for number in found), default=Decimal(1))
    return [one.value * (scale if one.scale == 1 and one.value < 1000 else 1) for one in found]

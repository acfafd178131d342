"""A company's name where it is plain to see: by its legal form, or by the kind of business it begins with."""

from __future__ import annotations

import re

from dialogs.readers.base import LOOKED_AT, Heard, Reading
from nlu.entities.names import GIVEN, OF_A_BUSINESS
from nlu.entities.words import clean, fold, words

_FORM = re.compile(
    r"(?<![a-z0-9])(?:s\.? ?a\.? ?s|s\.? ?r\.? ?l|s\.? ?a\.? de c\.? ?v|s\.? de r\.? ?l|e\.? ?i\.? ?r\.? ?l|ltda?|limitada|"
    r"l\.?l\.?c|inc|spa|s\.a|s/a|cia|eireli|gmbh|ltd|sa)\b\.?(?![a-z0-9])"
)
_ALONE = words("sa spa inc cia")
"""Forms that are words besides: they end a name only where they are written in capitals."""
_WORD = re.compile(r"[^\W_](?:[^\W_]|['’&.-](?=[^\W_]))*")
_KINDS = OF_A_BUSINESS - words(
    "empresa compania oficina negocio local parte area compras ventas company shop store office school loja escritorio mercado "
    "compu computadores soluciones servicios seguros estudio bar colegio universidad bodega grupo agencia sistemas tienda taller"
)
_OF = re.compile(r" (?:de|of|from|da|do) ")
_INSIDE = words("de del la las los el y e & do da dos das the of and san santa")
_BEFORE = words(
    "empresa compania negocio firma company llama llamamos soy somos de del para por es la el mi nuestra una con a nombre en for "
    "my our we are is called from represento trabajo empresa: aqui habla hola buenas tardes dias buenos necesitamos necesito"
)
_LONGEST = 7
_CALLED = re.compile(r"^(?:[^\W_]+ ){0,3}?(?:se llama|is called|se chama) +(?=\w)", re.IGNORECASE)


def called(text: str) -> str:
    """ "El colegio se llama San José" → "San José"; any other text as it is."""
    return _CALLED.sub("", text)


def find_company(heard: Heard) -> Reading | None:
    """ "para mi empresa Ferretería Norte SAS" → "Ferretería Norte SAS"; None when nothing says where the name begins."""
    text = heard.text[:LOOKED_AT]
    folded = fold(text)
    form = next((match for match in _FORM.finditer(folded) if _is_form(text, match)), None)
    places = list(_WORD.finditer(text))
    if form is not None:
        before = [place for place in places if place.end() <= form.start() and _joined(text, place.end(), form.start())]
        start = _first(text, before)
        if start is None:
            return None
        # "Carlos Duarte de Metalmecánica SAS": who writes comes before the company.
        of = _OF.search(folded, start, form.start()) if fold(text[start:].split()[0]) in GIVEN else None
        return _named(text, of.end() if of else start, form.end())
    for index, place in enumerate(places[:40]):
        if fold(place.group()) not in _KINDS or place.group()[0].islower():
            continue
        end = place.end()
        for following in places[index + 1 : index + _LONGEST]:
            if text[end : following.start()].strip() or not (
                following.group()[0].isupper() or following.group()[0].isdigit() or fold(following.group()) in _INSIDE
            ):
                break
            end = following.end()
        name = text[place.start() : end]
        while name and fold(name.split()[-1]) in _INSIDE:
            name = name.rpartition(" ")[0]
        if len(name.split()) > 1:
            return _named(text, place.start(), place.start() + len(name))
    return None


def _is_form(text: str, match: re.Match[str]) -> bool:
    plain = re.sub(r"[^a-z]", "", match.group().lower())
    return match.start() > 0 and (plain not in _ALONE or text[match.start() : match.end()].rstrip(".").isupper())


def _joined(text: str, start: int, end: int) -> bool:
    """Whether no mark or line end stands between a word and the legal form."""
    return re.search(r"[,;:!?\n]|\.\s", text[start:end].rstrip(" ,")) is None


def _first(text: str, before: list[re.Match[str]]) -> int | None:
    """Where the name begins: after a word that announces one, at a kind of business, or with the first capital."""
    start: int | None = None
    for place in reversed(before[-_LONGEST:]):
        word = fold(place.group())
        if word in OF_A_BUSINESS and place.group()[0].isupper():
            return place.start()
        if word in _BEFORE and not (word in _INSIDE and start is not None and place is not before[0] and _goes_on(before, place)):
            break
        start = place.start()
    return start


def _goes_on(before: list[re.Match[str]], place: re.Match[str]) -> bool:
    """Whether "de", "la" … stands inside a name: after a word in capitals that announces nothing."""
    index = before.index(place)
    earlier = before[index - 1].group()
    return earlier[0].isupper() and fold(earlier) not in _BEFORE


def _named(text: str, start: int, end: int) -> Reading:
    name = clean(text[start:end])
    return Reading(name, name, span=(start, end))

"""Where somebody is: a pin, a city, or an address in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from dialogs.model import Attachment
from dialogs.readers.base import LOOKED_AT, MOST_RIVALS, Ask, Heard, Miss, Reading
from nlu.entities.cities import CITIES, COUNTRIES, UNSURE, City, cities_of, country_name, likely_cities, split_country
from nlu.entities.numbers import numbers
from nlu.entities.words import clean, fold, is_blank, unknown

_INTRO = re.compile(
    r"^\W*(?:(?:hola|buenas|bueno|pues)\W+)*(?:yo )?(?:(?:estoy|estamos|vivo|vivimos|queda|es|seria|me encuentro|i am|i'm|i "
    r"live|we are|it's|"
    r"estou|moro|fica|ubicad[oa]|envio|enviar|entrega|mi direccion es|la direccion es|direccion|address|endereco|ciudad|city|"
    r"cidade|desde|from|en|in|em|para|"
    r"to|de|a|aca|aqui|la ciudad de|la ciudad es|mi ciudad es|los|el|na|no)(?: (?=\S)|: *))+"
)
_PLACE_BEFORE = re.compile(
    r"\b(?:en|desde|a|hasta|para|de|hacia|from|in|to|near|em|para|pra|ate|vivo|ciudad|city|cidade)(?: la ciudad de)?:? $"
)
_ROUTE = re.compile(r"(?P<start>[a-z]+(?:[ ,]+[a-z]+){0,3}?)[ ,]+(?:a|hasta|hacia|to|ate) (?P<end>[a-z ]+)")
""" "Shenzhen a Bogotá"."""
_TO = r"(?:a|hasta|hacia|para|pa|to|ate|pra)(?: la ciudad de| el puerto de)?"
_LAND = rf"[ ,]+(?:{'|'.join(sorted(COUNTRIES, key=len, reverse=True))})"
_NAME = (
    r"(?:(?:la|el|los|las|san|santa|santo|puerto|ciudad|villa|nueva|new|hong|long|buenos|punta) )*[a-z]{4,}(?: del? [a-z]+)?"
    rf"(?:{_LAND}\b)?"
)
_WAY = re.compile(
    rf"\b(?:(?:desde|from) (?:la ciudad de |el puerto de )?(?P<start>{_NAME})(?:[, ]+{_TO} (?P<end>{_NAME}))?"
    rf"|de (?P<of>{_NAME})[, ]+{_TO} (?P<to>{_NAME})|(?:hasta|hacia|con destino a) (?P<goal>{_NAME}))\b"
)
""" "Desde Shenzhen", "de Valencia, España, a Bogotá", "hasta Cali"."""
_COUNTRY = re.compile(rf"{_LAND}\b")
_FIRST_WORDS = {name.split()[0] for name in CITIES}
_LONGEST = 200
_LONGEST_CITY = 40
_TALK = re.compile(
    r"\b(?:soy|somos|quiero|necesito|cuanto|cuando|precio|tienen|hacen|gracias|por ?favor|hola|busco|what|how|quanto|quero|"
    r"preciso)\b"
)
_WORD = re.compile(r"[a-z']+")
_MARKS = re.compile(r"[^a-z0-9']+")


class LocationReader:
    """A pin keeps its coordinates; of words the name alone is known. A known city is spelled as it should be."""

    misses = frozenset({"empty", "unknown", "not_a_place"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        pin = _pin(heard)
        if pin:
            return pin
        text = clean(heard.text[:LOOKED_AT])
        if is_blank(text):
            return Miss("empty")
        folded = fold(text)
        if unknown(folded):
            return Miss("unknown")
        intro = _INTRO.match(folded)
        place = text[intro.end() if intro else 0 :].strip(" .,;:!¡")
        if sum(character.isalpha() for character in place) < 2:
            return Miss("not_a_place")
        route = _ROUTE.fullmatch(fold(place))
        name = _plain((route["start"] if ask.way == "from" else route["end"]) if route else fold(place))
        if cities := likely_cities(name, ask.country):
            return _named(cities, ask, whole=split_country(name)[1] != "")
        if "@" in text or _is_a_number(fold(place)):
            return Miss("not_a_place")
        if "?" in text or _TALK.search(folded):
            return self.find(heard, ask) or Miss("not_a_place")
        return _place(place[:1].upper() + place[1:_LONGEST])

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """A pin, or one known city; what is a name or a word besides only after a preposition. Of a way, the end asked for."""
        pin = _pin(heard)
        if pin:
            return pin
        folded = fold(heard.text[:LOOKED_AT])
        if ask.way:
            return _end_of_way(folded, ask)
        whole = cities_of(_plain(folded), ask.country) if 3 < len(folded.strip()) <= _LONGEST_CITY else ()
        if whole:
            return _named(whole, ask, (0, len(heard.text)))
        words = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(folded)][:120]
        found: dict[tuple[City, ...], tuple[int, int, bool]] = {}
        at = 0
        while at < len(words):
            step = 1
            word, begins = words[at][0], words[at][1]
            first = word in _FIRST_WORDS
            near = first or len(word) > 5
            preposition = near and _PLACE_BEFORE.search(folded[max(0, begins - 30) : begins]) is not None
            for length in (4, 3, 2, 1) if first else (1,) if preposition else ():
                part = words[at : at + length]
                if len(part) < length:
                    continue
                name, (start, end) = " ".join(word for word, _, _ in part), (part[0][1], part[-1][2])
                slips = length == 1 and preposition and len(name) > 5
                cities = cities_of(name, ask.country) or (likely_cities(name, ask.country) if slips else ())
                land = _COUNTRY.match(folded, end) if cities else None
                if land is not None:  # "valencia españa"
                    there = likely_cities(_plain(folded[start : land.end()]), ask.country)
                    cities, end = (there, land.end()) if there else (cities, end)
                if cities and (preposition or (name not in UNSURE and len(name) > 3)):
                    found.setdefault(tuple(cities), (start, end, land is not None))
                    step = length
                    break
            at += step
        if len(found) != 1:
            return None
        one, (begins, end, told) = next(iter(found.items()))
        return _named(one, ask, (begins, end), whole=told)


def _end_of_way(folded: str, ask: Ask) -> Reading | None:
    """Where a way begins or ends that is told in a message, when it is a known place; a city alone is where it ends."""
    groups = ("start", "of") if ask.way == "from" else ("end", "to", "goal")
    for match in _WAY.finditer(folded):
        for group in groups:
            told = match[group] or ""
            if cities := likely_cities(_plain(told), ask.country):
                return _named(cities, ask, match.span(group), whole=_COUNTRY.search(told) is not None)
            if cities := likely_cities(_plain(_COUNTRY.sub("", told)), ask.country):  # "Hong Kong, China"
                return _named(cities, ask, match.span(group))
    intro = _INTRO.match(folded)
    alone = cities_of(_plain(folded[intro.end() if intro else 0 :]), ask.country) if ask.way == "to" else ()
    return _named(alone, ask, (0, len(folded))) if alone else None


def _is_a_number(place: str) -> bool:
    """ "Dos millones", said again where the city was asked."""
    found = numbers(place)
    return len(found) == 1 and place[: found[0].start].strip() == "" and place[found[0].end :].strip() in ("", "pesos")


def _pin(heard: Heard) -> Reading | None:
    pins: list[Attachment] = [attachment for attachment in heard.attachments if attachment.kind == "location"]
    if not pins:
        return None
    pin = pins[-1]
    name = clean(pin.name or pin.detail)
    value = {"latitude": pin.latitude, "longitude": pin.longitude, "name": name}
    return Reading(value, f"📍 {name or f'{pin.latitude:.5f}, {pin.longitude:.5f}'}")


def _place(name: str, span: tuple[int, int] | None = None) -> Reading:
    return Reading({"latitude": None, "longitude": None, "name": name}, name, span=span)


def _named(cities: Sequence[City], ask: Ask, span: tuple[int, int] | None = None, *, whole: bool = False) -> Reading:
    """One city; with its country where that was told (`whole`), or where several have a city of that name."""
    if len(cities) == 1 and not whole:
        return _place(cities[0].name, span)
    first, *others = (_place(f"{city.name}, {country_name(city.country, ask.language)}", span) for city in cities[:MOST_RIVALS])
    return replace(first, rivals=tuple(others))


def _plain(folded: str) -> str:
    return _MARKS.sub(" ", folded).strip()

"""Where somebody is: a pin, a city, or an address in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from dialogs.model import Attachment
from dialogs.readers.base import LOOKED_AT, MOST_RIVALS, Ask, Heard, Miss, Reading
from nlu.entities.cities import CITIES, UNSURE, City, cities_of, country_name, likely_cities, split_country
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
_ROUTE = re.compile(r"(?:[a-z]+[ ,]+){1,4}(?:a|hasta|hacia|to|ate) ([a-z ]+)")
""" "Shenzhen a Bogotá": where it ends."""
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
        name = _plain(route[1] if route else fold(place))
        if cities := likely_cities(name, ask.country):
            return _named(cities, ask, abroad=split_country(name)[1] not in ("", ask.country))
        if "@" in text or _is_a_number(fold(place)):
            return Miss("not_a_place")
        if "?" in text or _TALK.search(folded):
            return self.find(heard, ask) or Miss("not_a_place")
        return _place(place[:1].upper() + place[1:_LONGEST])

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        """A pin, or one known city; a city that is also a name or a word only after a preposition."""
        pin = _pin(heard)
        if pin:
            return pin
        folded = fold(heard.text[:LOOKED_AT])
        whole = cities_of(_plain(folded), ask.country) if 3 < len(folded.strip()) <= _LONGEST_CITY else ()
        if whole:
            return _named(whole, ask, (0, len(heard.text)))
        words = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(folded)][:120]
        found: dict[tuple[City, ...], tuple[int, int]] = {}
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
                if cities and (preposition or (name not in UNSURE and len(name) > 3)):
                    found.setdefault(tuple(cities), (start, end))
                    step = length
                    break
            at += step
        if len(found) != 1:
            return None
        cities, span = next(iter(found.items()))
        return _named(cities, ask, span)


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


def _named(cities: Sequence[City], ask: Ask, span: tuple[int, int] | None = None, *, abroad: bool = False) -> Reading:
    """One city; with its country where that was told and is another one, or where several have a city of that name."""
    if len(cities) == 1 and not abroad:
        return _place(cities[0].name, span)
    first, *others = (_place(f"{city.name}, {country_name(city.country, ask.language)}", span) for city in cities[:MOST_RIVALS])
    return replace(first, rivals=tuple(others))


def _plain(folded: str) -> str:
    return _MARKS.sub(" ", folded).strip()

"""What days and months are called in Spanish, English and Portuguese, also as they are spelt by ear."""

from __future__ import annotations

_MONTHS = (
    "enero january janeiro ene jan",
    "febrero february fevereiro feb fev",
    "marzo march marco mar",
    "abril april abr apr",
    "mayo may maio",
    "junio june junho jun",
    "julio july julho jul",
    "agosto august ago aug",
    "septiembre setiembre september setembro sept sep",
    "octubre october outubro oct",
    "noviembre november novembro nov",
    "diciembre december dezembro dic dec dez",
)
_WEEKDAYS = (
    "lunes monday segunda-feira segunda.feira lun",
    "martes tuesday terca-feira terca.feira",
    "miercoles wednesday quarta-feira quarta.feira mie",
    "jueves thursday quinta-feira quinta.feira jue",
    "viernes friday sexta-feira sexta.feira vie viernez",
    "sabado saturday sab",
    "domingo sunday dom",
)


def _by_ear(word: str) -> set[str]:
    """The word, and as it is spelt by ear: "viernes", "biernes", "viernez", "biernez"."""
    heard = {word}
    for wrote, meant in (("v", "b"), ("b", "v"), ("ci", "si"), ("ce", "se"), ("s", "z"), ("gos", "jos")):
        heard |= {other[::-1].replace(wrote[::-1], meant[::-1], 1)[::-1] for other in heard}
    return heard


PT_WEEKDAYS = {"segunda": 0, "terca": 1, "quarta": 2, "quinta": 3, "sexta": 4}
MONTH_OF = {
    heard: number
    for number, words in enumerate(_MONTHS, 1)
    for place, word in enumerate(words.split())
    for heard in (_by_ear(word) if not place else {word})
}
WEEKDAY_OF = {
    heard: number
    for number, words in enumerate(_WEEKDAYS)
    for place, word in enumerate(words.split())
    for heard in (_by_ear(word) if not place else {word.replace(".", " ")})
} | PT_WEEKDAYS

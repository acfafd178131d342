"""Hours of the day: "a las 3 de la tarde", "10 am", "15:30", "al mediodía"."""

from __future__ import annotations

import re
from datetime import time

from nlu.entities.days import either
from nlu.entities.numbers import SMALL

_PART = (
    r"(?:(?:de|por|en) la (?:manana|tarde|noche|madrugada)|da (?:manha|tarde|noite)|in the (?:morning|afternoon|evening)|"
    r"[ap]\.? ?m\b\.?)"
)
_HOURS = either(word for word, value in SMALL.items() if 1 <= value <= 12 and len(word) > 2)
_TIME = re.compile(
    rf"(?:a las?|las|at|as|sobre las|tipo|around) (?P<hour>\d{{1,2}}|{_HOURS})(?:[:.h](?P<minute>\d\d))?"
    rf"(?P<more> y media| y cuarto)? ?(?P<part>{_PART})?(?:h\b|hs\b|hrs\b| horas)?"
    r"|\b(?P<hour2>\d{1,2})(?:[:.](?P<minute2>\d\d))? ?(?P<part2>[ap]\.? ?m\b\.?|de la (?:manana|tarde|noche)|hrs\b)"
    r"|\b(?P<hour3>[01]?\d|2[0-3]):(?P<minute3>[0-5]\d)\b|\b(?P<hour4>1[3-9]|2[0-3]) ?hs?\b"
    r"|(?P<noon>\bal? ?medio ?dia\b|\bnoon\b|\bmeio.dia\b)"
)


def time_of_day(folded: str) -> tuple[time, int, int] | None:
    """An hour of the day and where it stands. From one to six without more is the afternoon, when shops are open."""
    match = _TIME.search(folded)
    if not match:
        return None
    if match["noon"]:
        return time(12), match.start(), match.end()
    hour = _hour(match["hour"] or match["hour2"] or match["hour3"] or match["hour4"])
    minute = int(
        match["minute"] or match["minute2"] or match["minute3"] or {" y media": 30, " y cuarto": 15}.get(match["more"] or "", 0)
    )
    part = match["part"] or match["part2"] or ""
    evening = re.search(r"tarde|noche|noite|afternoon|evening|^p", part) is not None
    if (evening and hour < 12) or (not part and not match["hour3"] and 1 <= hour <= 6):
        hour += 12
    elif hour == 12 and part.startswith("a"):
        hour = 0
    return (time(hour, minute), match.start(), match.end()) if hour < 24 and minute < 60 else None


def _hour(word: str) -> int:
    return int(word) if word.isdigit() else int(SMALL[word])

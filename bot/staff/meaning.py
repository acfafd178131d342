"""What words mean: which command of the table, said as it stands there, in another form of its verb, or with a slip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from rapidfuzz import fuzz

from bot.staff.heard import HEARD
from bot.staff.speech import LEAD, SHORT, TAIL
from bot.staff.table import COMMANDS, Command
from nlu.entities.words import fold


@dataclass(frozen=True, slots=True)
class Meant:
    """`sure`: said as it stands in the table, and not only like it."""

    command: Command
    words: str
    sure: bool


_START = re.compile(r"[\s¿¡!.,]*")
_SLASH = re.compile(r"\s*/\s*([a-z_]+)(?:@\w+)?")
_BREAK = re.compile(r"[\s:,.;!?¡¿-]|$")
_BETWEEN = re.compile(r"[\s.,;!¡-]*(?:(?:que|porque|es que|pues)\b\s*)?")
_TOKEN = re.compile(r"[^\s¿?¡!.,;:]+")
_EDGES = " \t\n,.-–"
_LATER = re.compile(r"\b(?:recue?rdame|acu?e?rdame|avisame|recordarme)\b")
"""Being asked to remind, wherever it stands ("mañana a las 9 recuérdame llamarla")."""
_CLOSE, _MARGIN = 84.0, 4.0
"""How alike a slip must be to what was meant, and its lead over any other command."""
_MOST_LEADS = 8
_SHORTEST_SLIP = 4
"""Letters of a word in which a slip may change anything: "yo puedo" is no slip of "no puedo"."""


@cache
def _ways() -> tuple[tuple[re.Pattern[str], Command, bool], ...]:
    """(pattern of folded words, command, whether the table tells it): what else is heard comes behind."""
    told = [(re.escape(fold(said)), command, True) for command in COMMANDS for said in command.says]
    heard = [(way, command, False) for command in COMMANDS for way in HEARD.get(command.name, ())]
    return tuple((re.compile(_loose(way)), command, told) for way, command, told in (*told, *heard))


def _loose(pattern: str) -> str:
    """Takes any space for a space, and the short forms of a chat for the words."""
    pattern = pattern.replace("\\ ", " ").replace(" ", r"\s+")
    return re.sub(r"(?<![a-z\\])[a-z]+", lambda match: SHORT.get(match.group(), match.group()), pattern)


@cache
def _said() -> tuple[tuple[str, Command], ...]:
    """(folded way to say it, command), as the table tells them."""
    return tuple((fold(said), command) for command in COMMANDS for said in command.says)


def understand(said: str, role: str = "admin") -> Meant | None:
    """The command that `said` is, with the words behind it; None when it is none. A slip is only of what the role may do."""
    folded = fold(said)
    slash = _SLASH.match(folded)
    if slash:
        said = slash[1].replace("_", " ") + said[slash.end() :]
        folded = fold(said)
    starts = list(islice(_starts(folded), _MOST_LEADS))
    exact = [found for start in starts for found in _exact(said, folded, start)]
    if exact:
        return max(exact, key=lambda each: (each.length, role in each.meant.command.roles, each.told)).meant
    later = _LATER.search(folded)
    if later:
        remind = next(command for command in COMMANDS if command.name == "remind")
        return Meant(remind, f"{said[later.end() :].strip(_EDGES)} {said[: later.start()].strip(_EDGES)}".strip(), sure=False)
    return _slip(said, folded, starts[-1], role)


def _starts(folded: str) -> Iterator[int]:
    """Where a command may begin: behind each word that a request is led in with."""
    start = _START.match(folded)
    at = start.end() if start else 0
    yield at
    while lead := LEAD.match(folded, at):
        at = lead.end()
        yield at


@dataclass(frozen=True, slots=True)
class _Found:
    meant: Meant
    length: int
    told: bool


def _exact(said: str, folded: str, start: int, *, again: bool = True) -> Iterator[_Found]:
    """The ways to say something that stand there; `again`: also with the same or its reason behind it."""
    for pattern, command, told in _ways():
        match = pattern.match(folded, start)
        if match is None or match.end() == start or not _BREAK.match(folded, match.end()):
            continue
        end = match.end()
        alone = TAIL.fullmatch(folded, end) is not None or (again and _repeated(said, folded, end, command))
        if alone or command.words:
            words = "" if alone else said[start:] if command.whole else said[end:]
            yield _Found(Meant(command, words.strip(_EDGES), sure=True), end - start, told)


def _repeated(said: str, folded: str, end: int, command: Command) -> bool:
    """Whether what follows says the same again, or why ("paso, no puedo"; "paso, estoy ocupado")."""
    between = _BETWEEN.match(folded, end)
    if command.words or between is None or between.end() == end:
        return False
    meant = [found.meant.command.name for found in _exact(said, folded, between.end(), again=False)]
    return any(name in (command.name, *command.because) for name in meant)


def _slip(said: str, folded: str, start: int, role: str) -> Meant | None:
    """A way to say it with a slip of the finger: as many words as it has, alone unless the command takes words."""
    tokens = [(match.group(), match.end()) for match in _TOKEN.finditer(folded, start)]
    scores: dict[str, tuple[float, int, Command]] = {}
    for way, command in _said():
        many = way.count(" ") + 1
        if role not in command.roles or len(way) < 5 or many > len(tokens) or (many < len(tokens) and not command.words):
            continue
        written = [token for token, _ in tokens[:many]]
        short = any(len(word) < _SHORTEST_SLIP and word != token for word, token in zip(way.split(), written, strict=True))
        if short and not command.looks:
            continue
        likeness = fuzz.ratio(way, " ".join(written))
        if likeness >= _CLOSE and likeness > scores.get(command.name, (0.0, 0, command))[0]:
            scores[command.name] = likeness, tokens[many - 1][1], command
    ranked = sorted(scores.values(), key=lambda score: -score[0])
    if not ranked or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < _MARGIN):
        return None
    _, end, command = ranked[0]
    rest = said[start:] if command.whole else said[end:]
    return Meant(command, rest.strip(_EDGES) if command.words else "", sure=False)

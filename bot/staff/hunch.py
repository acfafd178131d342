"""What is done about words that no rule knows and that most likely ask for something (ear.py): what only shows is shown, what
would change anything is asked first, and where several are likely they are offered. Never more than the role may do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.channels.base import Text
from bot.staff import find, writing
from bot.staff.desk import Desk, Reply
from bot.staff.find import Prospect
from bot.staff.table import BY_NAME, Command
from bot.staff.words import button, catalogue, choices, say, short, text, word
from data.tables import User
from nlu.entities.named import tokens

Answer = Reply | list[Reply]

SURE, LEAST, WORTH, SURER = 0.6, 0.35, 0.12, 0.8
"""The chances that a command is meant: from the first on it is taken for that, below the second for none; the least that makes
one worth an offer; and the least where a prospect may be meant just as well."""
_OFFERS = 3
_PREVIEW = 300
_ABOUT = frozenset({"take", "pass", "summary", "reply", "note", "return", "transfer"})
"""Commands about a prospect."""
_SAID = re.compile(r"(?:que\s+)?[^:]*?(?::|\b(?:que|q|k|ke|that)\b)\s*(?P<words>\S.*)", re.IGNORECASE | re.DOTALL)
"""Words that are told to somebody: "coméntale que ya salió", "ponle: mañana"."""
_TITLED = re.compile(
    r"\b(?:don|doña|dona|doñita|señor|señora|señorita|sr|sra|seu|senhor|senhora|mr|mrs|miss)\b\.?\s+(?P<name>[^\W\d_]{3,})",
    re.IGNORECASE,
)
_WRITTEN_LARGE = re.compile(r"(?<=[^\W\d_,;] )(?P<name>[A-ZÁÉÍÓÚÑÇ][a-záéíóúñç]{2,})\b")
_ASKING = re.compile(
    r"(?:por ?f(?:a|is|avor)?[\s,]+)?(?:no me dejes olvidar|que no se me (?:olvide|pase|vaya)(?: a (?:olvidar|pasar))?|"
    r"no dejes que (?:se me )?(?:olvide|pase)|(?:que )?me (?:avis|recuerd)[ae]s|hazme (?:acuerdo|acordar)|"
    r"ac[uo]e?rdate de (?:avisar|recordar)me|don.t let me forget(?: to)?|me lembr[ae](?: de)?|"
    r"n[ãa]o me deix[ae] esquecer(?: de)?)[\s,:]+",
    re.IGNORECASE,
)
"""What a reminder is asked for with, and is not a part of it."""


@dataclass(frozen=True, slots=True)
class _Named:
    """Whom a sentence speaks of."""

    prospects: list[Prospect]
    colleague: User | None
    stranger: str
    """The name of somebody who is neither."""


def order(desk: Desk, words: str) -> Command | None:
    """The command that words which may be meant for a prospect are just as likely; a reply only to whom they name."""
    name, chance = next(iter(desk.ear.likely(words)), ("", 0.0))
    command = BY_NAME.get(name)
    if command is None or chance < SURER or desk.staff.role not in command.roles:
        return None
    if name == "reply" and not (_told(words) and _named(desk, command, words).prospects):
        return None
    return command


def follow(desk: Desk, words: str) -> Answer | None:
    """Do, ask or offer what was most likely meant. None where nothing is likely."""
    ranked = desk.ear.likely(words)
    name, chance = ranked[0] if ranked else ("", 0.0)
    if chance < LEAST:
        return None
    if name in catalogue()["later"]:
        return text("not_here", what=word("later", name)) if chance >= SURE else None
    command = BY_NAME.get(name)
    if command is None:
        return None
    if chance < SURE:
        return _offer(desk, words, [BY_NAME[each] for each, likely in ranked[:_OFFERS] if likely >= WORTH and each in BY_NAME])
    if desk.staff.role not in command.roles:
        return text("not_allowed", says=command.says[0])
    return do(desk, command, words) if command.looks or command.name == "reply" else _ask(desk, command, words)


def _offer(desk: Desk, words: str, likely: list[Command]) -> Answer | None:
    may = [command for command in likely if desk.staff.role in command.roles]
    if len(may) < 2:
        return _ask(desk, may[0], words) if may else None
    desk.ask("as", words=words)
    lines = "\n".join(f"• {_shown(command)}" for command in may)
    return choices(
        say("one_of_these", commands=lines), tuple(button(f"as_{each.name}", desk.source, _title(each)) for each in may)
    )


def _ask(desk: Desk, command: Command, words: str) -> Answer:
    told = _plan(desk, command, words)
    if isinstance(told, Text):
        return told
    desk.ask(f"as_{command.name}", words=words)
    go_on = button(f"as_{command.name}", desk.source, say("go_on"))
    return choices(say("is_it_this", command=_shown(command), told=told), (go_on, button("drop", desk.source)))


def _plan(desk: Desk, command: Command, words: str) -> Text | str:
    """What would be done, as far as the sentence tells: about whom, on to whom, in which words."""
    told = {"note": _told(words) or words, "remind": _reminder(words)}.get(command.name, "")
    lines = [f"«{short(told, _PREVIEW)}»"] if told else []
    if command.name in _ABOUT:
        named = _named(desk, command, words)
        if named.stranger and not named.prospects:
            return text("nobody_named", name=named.stranger)
        whom = [each.name for each in named.prospects] if len(named.prospects) == 1 else []
        if command.name == "transfer" and named.colleague is not None:
            whom.append(named.colleague.name)
        lines[:0] = [" → ".join(whom)] if whom else []
    return "".join(f"\n{line}" for line in lines)


def _shown(command: Command) -> str:
    return say("command", says=command.says[0], help=word("help", command.name))


def _title(command: Command) -> str:
    return command.says[0].capitalize()


def said_yes(desk: Desk, verb: str, row: int) -> Answer:
    """The button that says which command the words of a message were. `verb` is "as_" and its name."""
    asked, command = desk.asked, BY_NAME.get(verb.removeprefix("as_"))
    if asked is None or command is None or asked.id != row or asked.verb not in ("as", verb):
        return text("old_button")
    return do(desk, command, asked.words) if desk.staff.role in command.roles else text("not_allowed", says=command.says[0])


def do(desk: Desk, command: Command, words: str) -> Answer:
    """The command, with what the sentence tells for it. Words to a prospect are only shown."""
    name = command.name
    if name not in _ABOUT:
        return command.handler(desk, {"busy": words, "remind": _reminder(words)}.get(name, ""), None)
    named = _named(desk, command, words)
    found = named.prospects
    if named.stranger and not found:
        return text("nobody_named", name=named.stranger)
    told = ""
    if name in ("note", "reply"):
        told = _told(words) or (words if name == "note" else "")
    elif name == "transfer" and named.colleague is not None:
        told = f"a {named.colleague.name}"
    verb = "confirm" if name == "reply" and told else name
    if len(found) > 1:
        return desk.choose(verb, say("which"), found, told)
    row = found[0].id if found else None
    return writing.confirm(desk, told, row) if verb == "confirm" else command.handler(desk, told, row)


def _told(words: str) -> str:
    """What is to be written, of "coméntale a Ana que ya salió"; empty where that is not told apart."""
    match = _SAID.fullmatch(words)
    return match["words"].strip() if match else ""


def _reminder(words: str) -> str:
    return _ASKING.sub("", words, count=1)


def _named(desk: Desk, command: Command, words: str) -> _Named:
    head = words.removesuffix(_told(words)) if command.name in ("note", "reply") else words
    words = head if command.name == "reply" else words  # who is named in what is told is not who is told
    said = {*tokens(words)}
    prospects = find.mentioned(desk.session, words, desk.staff.user_id)
    theirs = {token for each in prospects for token in tokens(each.name)}
    team = [user for user in find.colleagues(desk.session, desk.staff.user_id) if {*tokens(user.name)[:1]} & said - theirs]
    known = theirs.union(*(tokens(user.name) for user in team))
    strangers = [match["name"] for way in (_TITLED, _WRITTEN_LARGE) for match in way.finditer(head)]
    stranger = next((each for each in strangers if not known.issuperset(tokens(each))), "")
    return _Named(prospects, team[0] if len(team) == 1 else None, stranger)

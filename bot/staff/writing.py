"""What a seller writes about prospects: words to them, which leave only where nobody can be mistaken for another, and notes."""

from __future__ import annotations

import re

import msgspec

from bot import notes, takeover
from bot.channels.base import Option
from bot.staff import find
from bot.staff.desk import Desk, Reply
from bot.staff.find import Prospect
from bot.staff.speech import PROSPECT, called, reported
from bot.staff.words import button, choices, say, short, text
from nlu.entities.named import tokens

_PREVIEW = 600
"""Characters shown of what is to be sent."""
_NAME_WORDS = 4
"""Words of a name that stands before what is to be written."""
_NAMED = re.compile(r"(?P<to>(?:a|al|para)\s+)?(?P<name>[^:\n]{1,60}?)\s*:\s*(?P<words>.*)", re.IGNORECASE | re.DOTALL)
_TO = re.compile(r"(?:a|al)\s+(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_TO_THEM = re.compile(rf"(?:al?)\s+(?:ella|[eé]l|(?:(?:la|ese|esa|este|esta|mi)\s+)?{PROSPECT})\b[\s:,]*", re.IGNORECASE)
"""Whoever is spoken of."""
_ABOUT = re.compile(r"(?:(?P<about>sobre|de|a|al|para|en)\s+)?(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_EDGES = " \t\n:,"


# ------------------------------------------------------------------------------------------------------ to prospects
def reply(desk: Desk, words: str, row: int | None) -> Reply:
    """Words to a prospect. Those to somebody who was not named, or not by their very name, are shown before they leave."""
    if row is not None:
        one = desk.which("reply", "", row)
        return _write(desk, one, words) if isinstance(one, Prospect) else one
    words = _TO_THEM.sub("", words, count=1) if _TO_THEM.match(words) else words
    if named := _named(desk, words):
        name, said = named
        one = desk.which("reply", name, words=said)
        if not isinstance(one, Prospect):
            return one
        return _write(desk, one, said) if not said or find.is_called(one, called(name)) else _confirm(desk, one, said)
    to = None if words.startswith(":") else _TO.fullmatch(words)
    if to:
        if find.named(desk.session, called(to["rest"]), desk.staff.user_id):
            one = desk.which("reply", to["rest"])
            return _write(desk, one, "") if isinstance(one, Prospect) else one
        _, found, rest = _addressed(desk, to["rest"])
        if found:
            return _confirm(desk, found[0], rest) if len(found) == 1 else desk.choose("confirm", say("which"), found, rest)
        if len(to["rest"].split()) <= 3:
            return text("nobody_named", name=short(to["rest"], 60))
    said = words.strip(_EDGES) if words.startswith(":") else reported(words.strip())
    one = desk.which("reply", words=said)
    if not isinstance(one, Prospect):
        return one
    return _confirm(desk, one, said) if said and desk.about is None else _write(desk, one, said)


def _named(desk: Desk, words: str) -> tuple[str, str] | None:
    """(the name, what is to be written) of "a Ana: hola"; without the "a", only where somebody is called so."""
    match = _NAMED.fullmatch(words)
    if match is None or not called(match["name"]):
        return None
    if not match["to"] and not _somebody(desk, match["name"]):
        return None
    return match["name"], match["words"].strip()


def _addressed(desk: Desk, words: str) -> tuple[str, list[Prospect], str]:
    """The name that words begin with, who has it, and what follows: "Ana Ruiz que ya salió"."""
    said = words.split()
    for many in range(min(_NAME_WORDS, len(said) - 1), 0, -1):
        name = called(" ".join(said[:many]))
        if not name or tokens(said[many - 1])[-1:] != tokens(name)[-1:]:
            continue  # it ends in a word that is none of the name
        found = find.named(desk.session, name, desk.staff.user_id)
        if found:
            return name, found, reported(words.split(maxsplit=many)[many].strip(_EDGES))
    return "", [], words


def _write(desk: Desk, one: Prospect, words: str) -> Reply:
    words = words.strip()
    if not words:
        desk.ask("reply", one.id)
        return text("what_to_write", name=desk.name(one))
    theirs = one.is_of(desk.staff.user_id)
    desk.sent.append(takeover.reply(desk.session, one.id, desk.staff.user_id, words, desk.now, via=desk.staff.channel))
    desk.settled(one)
    desk.ask("more", one.id)
    return text("sent" if theirs else "sent_and_took", name=desk.name(one))


def confirm(desk: Desk, words: str, row: int | None) -> Reply:
    """Offer to send words that were no command."""
    one = desk.which("confirm", "", row, words)
    return _confirm(desk, one, words) if isinstance(one, Prospect) else one


def is_it_for_them(desk: Desk, words: str, row: int | None) -> Reply:
    """Words for a prospect were asked for, and these could be a command as well."""
    one = desk.which("confirm", "", row, words)
    return _confirm(desk, one, words, (button("order", desk.source),)) if isinstance(one, Prospect) else one


def _confirm(desk: Desk, one: Prospect, words: str, besides: tuple[Option, ...] = ()) -> Reply:
    """Show what would be sent, and to whom."""
    desk.speak_of(one.id)
    desk.ask("send", one.id, words)
    body = say("send_this", name=desk.name(one), words=short(words, _PREVIEW))
    return choices(body, (button("send", desk.source), *besides, button("drop", desk.source)))


def send(desk: Desk, words: str, row: int | None) -> Reply:
    asked = desk.asked
    if row is not None and row in desk.memory.sent:
        return text("sent_already")
    if asked is None or asked.verb != "send" or asked.id != row or asked.talk is None:
        return text("old_button")
    one = desk.find(asked.talk)
    if not isinstance(one, Prospect):
        return one
    done = _write(desk, one, asked.words)
    desk.memory = msgspec.structs.replace(desk.memory, sent=desk.memory.with_sent(row))
    return done


def drop(desk: Desk, words: str, row: int | None) -> Reply:
    return text("cancelled")


# ------------------------------------------------------------------------------------------------------------- notes
def note(desk: Desk, words: str, row: int | None) -> Reply:
    """A note to colleagues."""
    name, said = _noted(desk, words) if row is None else ("", words)
    one = desk.which("note", name, row, said)
    if not isinstance(one, Prospect):
        return one
    if not said:
        desk.ask("note", one.id)
        return text("what_to_note", name=desk.name(one))
    kept, told = notes.add(desk.session, one.id, desk.staff.user_id, said, desk.now)
    desk.change(one, *told)
    names = find.names(desk.session, kept.mentions)
    return text("noted", name=desk.name(one), told=say("noted_told", names=", ".join(names)) if names else "")


def _noted(desk: Desk, words: str) -> tuple[str, str]:
    """(whom a note is about, the note): "sobre Ana: paga a 30 días", "de Ana que pide factura", "Ana Ruiz llamó"."""
    about = _ABOUT.fullmatch(words)
    if about is None or words.startswith((":", "@")):
        return "", words.strip(_EDGES)
    match = _NAMED.fullmatch(about["rest"])
    if match and called(match["name"]) and (about["about"] or _somebody(desk, match["name"])):
        return match["name"], match["words"].strip()
    name, found, rest = _addressed(desk, about["rest"]) if match is None else ("", [], "")
    if found and all(find.is_called(each, name) for each in found):
        return name, rest
    return "", reported(words)


def _somebody(desk: Desk, name: str) -> bool:
    """Whether a prospect has that name."""
    return any(find.is_called(each, called(name)) for each in find.named(desk.session, called(name), desk.staff.user_id))

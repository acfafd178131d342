"""What a seller asks for themselves: reminders, and being busy or back."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bot.live import Change
from bot.staff import find
from bot.staff.desk import ROWS, Desk, Reply
from bot.staff.find import Prospect
from bot.staff.times import when
from bot.staff.words import button, choices, line, refused, say, short, text, word
from crm_bridge.assignment import reminders, sellers
from crm_bridge.companies.rules import Refusal
from nlu.entities.named import tokens
from nlu.entities.words import fold

_VAGUE = re.compile(r"(?:mas tarde|luego|(?:mas )?al rato|mas rato|despues|ahorita|otro dia|pronto)?")
_PERSON = re.compile(r"\b(?:a|con) (?:mi )?(?!(?:l[ao]s?|el|una?|mi|que|eso|mano|tiempo|diario)\b)(?P<name>[a-z]{3,})")
_INFINITIVE = re.compile(r"[aei]r(?:l[aeo]s?|me|se)?$")
_UNTIL = re.compile(r"\b(?:hasta|vuelvo|regreso|en|dentro)\b")
_LATER = re.compile(r"\b(?:de|desde|entre) (?:las? )?\d{1,2}\b")


# --------------------------------------------------------------------------------------------------------- reminders
def remind(desk: Desk, words: str, row: int | None) -> Reply:
    """ "llamar a Ana mañana a las 9": what, and when. Without a time it is asked for; without a what, it is to write to them."""
    words = words.strip(" :,")
    one = _about(desk, words, row)
    waits = desk.asked if desk.asked is not None and desk.asked.verb == "remind" else None
    given = waits.words if waits else ""
    try:
        found = when(words, desk.local)
    except Refusal as refusal:  # said again, it may be right
        return _ask_when(desk, refused(refusal), one, given or words)
    if found is None:
        what = given or ("" if _VAGUE.fullmatch(fold(words)) else words)
        if not what and one is None:
            desk.ask("remind")
            return text("what_to_remind")
        return _ask_when(desk, say("no_time" if given and words else "when"), one, what)
    what = given or found.rest
    if not what and one is None:
        desk.ask("what", words=words)
        return text("what", at=desk.at(found.at))
    made = reminders.add(
        desk.session,
        user_id=desk.staff.user_id,
        conversation_id=one.id if one else None,
        words=what or say("call_back", name=desk.name(one) if one else ""),
        at=found.at.astimezone(UTC),
        now=desk.now,
    )
    said = {"at": desk.at(made.due_at), "words": made.words}
    return text("reminder_about", name=desk.name(one), **said) if one else text("reminder", **said)


def what(desk: Desk, words: str, row: int | None) -> Reply:
    """What they are to be reminded of, whose time was told before."""
    return remind(desk, f"{words} {desk.asked.words if desk.asked else ''}", row)


def _ask_when(desk: Desk, question: str, one: Prospect | None, what: str) -> Reply:
    what = short(what, reminders.LONGEST) or (say("call_back", name=desk.name(one)) if one else "")
    desk.ask("remind", one.id if one else None, what)
    return choices(question, (button("in_an_hour", desk.source), button("tomorrow", desk.source)))


def in_an_hour(desk: Desk, words: str, row: int | None) -> Reply:
    return _chosen(desk, "in_an_hour", row)


def tomorrow(desk: Desk, words: str, row: int | None) -> Reply:
    return _chosen(desk, "tomorrow", row)


def _chosen(desk: Desk, title: str, row: int | None) -> Reply:
    if desk.asked is None or desk.asked.verb != "remind" or desk.asked.id != row:
        return text("old_button")
    return remind(desk, word("buttons", title), desk.asked.talk)


def _about(desk: Desk, words: str, row: int | None) -> Prospect | None:
    """Whom a reminder is about: the alert's prospect that is quoted, who is named in it, or, where nobody else is, who is spoken
    of."""
    talk = row or desk.about
    if talk is None:
        named, talk = _named_in(desk, words)
        talk = talk if named else desk.memory.talk
    one = find.prospect(desk.session, talk) if talk is not None else None
    if one is not None:
        desk.speak_of(one.id)
    return one


def _named_in(desk: Desk, words: str) -> tuple[bool, int | None]:
    """(whether somebody is named, the prospect's conversation where it is plain who)."""
    said = tokens(words)
    found = [each for each in find.mine(desk.session, desk.staff.user_id) if set(tokens(each.name)[:1]) & {*said}]
    persons = [match["name"] for match in _PERSON.finditer(fold(words)) if not _INFINITIVE.search(match["name"])]
    if not found:
        for name in persons[:2]:
            found += [each for each in find.named(desk.session, name, desk.staff.user_id) if find.is_called(each, name)]
    if len(found) > 1:
        found = [each for each in found if {*said}.issuperset(tokens(each.name))]
        return bool(found), found[0].id if len(found) == 1 else None
    return bool(found or persons), found[0].id if found else None


def listed(desk: Desk, words: str, row: int | None) -> Reply:
    found = sorted(reminders.waiting(desk.session, desk.staff.user_id), key=lambda each: (each.due_at, each.id))
    if not found:
        return text("no_reminders")
    return choices(say("reminders"), tuple(line("forget", each.id, each.words, desk.at(each.due_at)) for each in found[:ROWS]))


def forget(desk: Desk, words: str, row: int | None) -> Reply:
    gone = row is not None and reminders.cancel(desk.session, row, desk.staff.user_id)
    return text("reminder_off" if gone else "reminder_gone")


# ----------------------------------------------------------------------------------------------------- busy and back
def busy(desk: Desk, words: str, row: int | None) -> Reply:
    """Until the hour that is told, or until they say so. TimePassed."""
    found = when(words, desk.local, lasting=True) if words else None
    folded = fold(words)
    if not _UNTIL.search(folded) and (_LATER.search(folded) or (found and found.at.date() > desk.local.date())):
        return text("busy_from_now")
    until: datetime | None = found.at.astimezone(UTC) if found else None
    sellers.set_away(desk.session, desk.staff.user_id, away=True, now=desk.now, until=until)
    desk.changed.append(Change("assignment", 0))
    said = [say("busy_until", at=desk.at(until)) if until else say("busy")]
    mine = find.mine(desk.session, desk.staff.user_id)
    if have := sum(each.is_of(desk.staff.user_id) for each in mine):
        said.append(say("kept", count=_people(have)))
    offered = next((each for each in mine if each.is_offered_to(desk.staff.user_id)), None)
    if offered is None:
        return text("plain", words="\n\n".join(said))
    said.append(say("still_offered", name=desk.name(offered)))
    return choices("\n\n".join(said), (button("take", offered.id), button("pass", offered.id)))


def back(desk: Desk, words: str, row: int | None) -> Reply:
    sellers.set_away(desk.session, desk.staff.user_id, away=False, now=desk.now)
    desk.changed.append(Change("assignment", 0))
    return choices(say("back"), (button("next", 0), button("leads", 0)))


def _people(count: int) -> str:
    return say("one_person") if count == 1 else say("people", count=count)

"""What a seller asks for themselves: reminders, and being busy or back."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.live import Change
from bot.staff import find
from bot.staff.desk import ROWS, Desk, Reply
from bot.staff.find import Prospect
from bot.staff.times import when
from bot.staff.words import button, choices, line, refused, say, short, text, word
from crm_bridge.assignment import reminders, sellers
from crm_bridge.companies.rules import Refusal


# --------------------------------------------------------------------------------------------------------- reminders
def remind(desk: Desk, words: str, row: int | None) -> Reply:
    """ "llamar a Ana mañana a las 9": what, and when. Without a time it is asked for; without a what, it is to write to them."""
    one = _about(desk, words, row)
    waits = desk.asked if desk.asked is not None and desk.asked.verb == "remind" else None
    problem = "when"
    try:
        found = when(words, desk.local)
    except Refusal as refusal:  # said again, it may be right
        return _ask_when(desk, refused(refusal), one, waits.words if waits else words)
    if found is None:
        what = waits.words if waits and waits.words else words
        if not what and one is None:
            return text("what_to_remind")
        problem = "no_time" if waits and waits.words and words else "when"
        return _ask_when(desk, say(problem), one, what)
    what = waits.words if waits and waits.words else found.rest
    if not what:
        if one is None:
            return text("what_to_remind")
        what = say("call_back", name=desk.name(one))
    made = reminders.add(
        desk.session,
        user_id=desk.staff.user_id,
        conversation_id=one.id if one else None,
        words=what,
        at=found.at.astimezone(UTC),
        now=desk.now,
    )
    said = {"at": desk.at(made.due_at), "words": made.words}
    return text("reminder_about", name=desk.name(one), **said) if one else text("reminder", **said)


def _ask_when(desk: Desk, question: str, one: Prospect | None, what: str) -> Reply:
    what = short(what, reminders.LONGEST) or (say("call_back", name=desk.name(one)) if one else "")
    desk.ask("remind", one.id if one else None, what)
    return choices(question, (button("in_an_hour", desk.source), button("tomorrow", desk.source)))


def in_an_hour(desk: Desk, words: str, row: int | None) -> Reply:
    return _chosen(desk, "in_an_hour")


def tomorrow(desk: Desk, words: str, row: int | None) -> Reply:
    return _chosen(desk, "tomorrow")


def _chosen(desk: Desk, title: str) -> Reply:
    if desk.asked is None or desk.asked.verb != "remind":
        return text("old_button")
    return remind(desk, word("buttons", title), desk.asked.talk)


def _about(desk: Desk, words: str, row: int | None) -> Prospect | None:
    """Whom a reminder is about: the alert's prospect that is quoted, one of theirs who is named in it, or who is spoken of."""
    talk = row or desk.about
    if talk is None:
        said = {token for token in find.tokens(words) if len(token) > 2}
        named = [each for each in find.mine(desk.session, desk.staff.user_id) if said.intersection(find.tokens(each.name)[:1])]
        if len(named) > 1:
            named = [each for each in named if said.issuperset(find.tokens(each.name))]
        talk = named[0].id if len(named) == 1 else desk.memory.talk
    one = find.prospect(desk.session, talk) if talk is not None else None
    if one is not None:
        desk.speak_of(one.id)
    return one


def listed(desk: Desk, words: str, row: int | None) -> Reply:
    found = reminders.waiting(desk.session, desk.staff.user_id)
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
    until: datetime | None = found.at.astimezone(UTC) if found else None
    sellers.set_away(desk.session, desk.staff.user_id, away=True, now=desk.now, until=until)
    desk.changed.append(Change("assignment", 0))
    said = [say("busy_until", at=desk.at(until)) if until else say("busy")]
    have = [each for each in find.mine(desk.session, desk.staff.user_id) if each.is_of(desk.staff.user_id)]
    return text("plain", words="\n\n".join([*said, *([say("kept", count=_people(len(have)))] if have else [])]))


def back(desk: Desk, words: str, row: int | None) -> Reply:
    sellers.set_away(desk.session, desk.staff.user_id, away=False, now=desk.now)
    desk.changed.append(Change("assignment", 0))
    return choices(say("back"), (button("next", 0), button("leads", 0)))


def _people(count: int) -> str:
    return say("one_person") if count == 1 else say("people", count=count)

"""What a seller does about prospects: look at them, take them or let them pass, hand them on."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

from bot import takeover, workplace
from bot.channels.base import Option, Text
from bot.staff import find
from bot.staff.desk import ROWS, Desk, Reply
from bot.staff.find import Prospect
from bot.staff.speech import BOT, called
from bot.staff.words import LONGEST, LONGEST_BODY, button, choices, lasting, line, phone, say, short, text, word
from crm_bridge.assignment import service as assignment
from crm_bridge.assignment.rules import NotYours, Taken
from data.tables import Alert, User
from nlu.entities.named import likeness, tokens
from notifications import alerts

SOON = timedelta(minutes=15)
"""How long before its end a target is told of."""
_LINE = 200
"""Characters shown of each message on a card."""
_WHY = re.compile(r"(?P<to>.+?)(?:\s*[,;:]\s*|\s+(?=(?:porque|ya que|para que|es que)\b))(?P<why>.+)", re.IGNORECASE)
_ON_TO = re.compile(r"(?:(?P<name>.*?)\s+)?(?:a|con|para)\s+(?P<to>(?:(?!\s(?:a|con|para)\s).)+)", re.IGNORECASE)
_TO_BOT = re.compile(rf"\s*(?:al?|con el|para el)\s+{BOT}\b", re.IGNORECASE)


# -------------------------------------------------------------------------------------------------------- to look at
def leads(desk: Desk, words: str, row: int | None) -> Reply:
    """Theirs, as a list to choose from; `row` is where it goes on."""
    found = find.mine(desk.session, desk.staff.user_id)
    if not found:
        return text("no_leads")
    start = row if row and row < len(found) else 0
    rest = found[start:]
    page = rest if len(rest) <= ROWS else rest[: ROWS - 1]
    rows = [line("summary", each.id, desk.name(each), desk.glance(each)) for each in page]
    if len(rest) > len(page):
        rows.append(line("leads", start + len(page), say("more"), say("more_of", count=len(rest) - len(page))))
    return choices(say("leads", count=len(found)), tuple(rows))


def next_one(desk: Desk, words: str, row: int | None) -> Reply | list[Reply]:
    """Whom to answer now: an offer, a target that is over or about to be, who is not read yet, any other target."""
    ranked = [(rank, each) for each in find.mine(desk.session, desk.staff.user_id) if (rank := _urgency(desk, each)) is not None]
    if not ranked:
        return text("nothing_next")
    _, first = min(ranked, key=lambda pair: (pair[0], pair[1].heat, pair[1].id))
    desk.speak_of(first.id)
    return card(desk, first, _reason(desk, first))


def _urgency(desk: Desk, one: Prospect) -> tuple[int, float] | None:
    hand, now = one.hand, desk.now
    if one.talk.snoozed_until is not None and one.talk.snoozed_until > now:
        return None
    if hand is not None and hand.state == "offered":
        return 0, hand.due_at.timestamp() if hand.due_at else 0.0
    deadline = hand.deadline_at if hand is not None else None
    if deadline is not None and deadline <= now + SOON:
        return 1, deadline.timestamp()
    if one.talk.unread:
        return 2, 0.0
    return (3, deadline.timestamp()) if deadline is not None else None


def _reason(desk: Desk, one: Prospect) -> str:
    hand, now = one.hand, desk.now
    if hand is not None and hand.state == "offered":
        return (
            say("reason_offer", left=lasting(hand.due_at - now))
            if hand.due_at and hand.due_at > now
            else say("reason_offer_over")
        )
    deadline = hand.deadline_at if hand is not None else None
    if deadline is not None and (deadline <= now + SOON or not one.talk.unread):
        return say("reason_due", left=lasting(deadline - now)) if deadline > now else say("reason_late")
    return say("reason_unread", ago=desk.since(one.talk.last_in_at)) if one.talk.last_in_at else ""


def summary(desk: Desk, words: str, row: int | None) -> Reply | list[Reply]:
    one = desk.which("summary", words, row)
    return card(desk, one) if isinstance(one, Prospect) else one


def card(desk: Desk, one: Prospect, reason: str = "") -> Reply | list[Reply]:
    """All that is known of somebody, with what can be done now."""
    lead = find.newest_lead(desk.session, one.person.id)
    about = lead or one.talk
    heat = [say("priority", word=word("priority", about.priority), score=about.score)]
    heat += [say("reason", points=each["points"], because=each["because"]) for each in about.reasons]
    head = say(
        "card",
        name=desk.name(one),
        organisation=say("of_organisation", organisation=one.person.organisation) if one.person.organisation else "",
        contact="".join(f"{each}\n" for each in (phone(one.person.phone), one.person.email) if each),
        number=one.number.name,
        priority="\n".join(heat),
    )
    parts = [reason, head]
    if lead is not None and lead.answers:
        parts.append("\n".join([say("answers"), *(f"• {each['label']}: {each['shown']}" for each in lead.answers)]))
    if said := find.last_said(desk.session, one.id):
        parts.append("\n".join([say("talk"), *(_line(desk, one, each) for each in said)]))
    parts.append(_owner(desk, one))
    body = "\n\n".join(filter(None, parts))
    options = _ways(desk, one)
    if not options:
        return Text(short(body, LONGEST))
    if len(body) <= LONGEST_BODY:
        return choices(body, options)
    return [Text(short(body, LONGEST)), choices(f"*{desk.name(one)}*", options)]


def _line(desk: Desk, one: Prospect, said: find.Line) -> str:
    words = short(" ".join(said.words.split()), _LINE) or word("kind", said.kind)
    if said.by is None:
        return say("theirs", name=desk.name(one).split()[0], words=words)
    return say("ours", by=said.by, words=words) if said.by else say("ours_bot", words=words)


def _owner(desk: Desk, one: Prospect) -> str:
    if one.is_of(desk.staff.user_id):
        return say("owned_by_you")
    match one.talk.owner:
        case "human":
            return say("owned_by", by=one.owner) if one.owner else say("owned_by_nobody")
        case "queued" if one.is_offered_to(desk.staff.user_id):
            return say("offered_to_you")
        case "queued":
            return say("offered_to", by=one.owner) if one.owner else say("owned_by_nobody")
        case _:
            return say("owned_by_bot")


def _ways(desk: Desk, one: Prospect) -> tuple[Option, ...]:
    if one.is_offered_to(desk.staff.user_id):
        return button("take", one.id), button("pass", one.id)
    if one.is_of(desk.staff.user_id):
        return button("reply", one.id), button("remind", one.id), button("return", one.id)
    return (
        () if one.talk.owner == "human" and one.talk.owner_id is not None else (button("take", one.id), button("reply", one.id))
    )


# ---------------------------------------------------------------------------------------------------- take and pass
def take(desk: Desk, words: str, row: int | None) -> Reply:
    """Accept what was offered, or make theirs whoever is named."""
    one = _offered(desk, "take", words, row)
    if one is None:
        last = find.prospect(desk.session, desk.memory.talk or 0)
        if last is None:
            return text("nothing_offered")
        if last.talk.owner == "human" and not last.is_of(desk.staff.user_id):
            raise Taken(last.owner)
        if not last.is_of(desk.staff.user_id):  # looked at some time ago, perhaps: they say that it is meant
            return _is_it(desk, "take_this", last)
        one = last
    if not isinstance(one, Prospect):
        return one
    name = called(words)
    if row is None and name and not (find.is_called(one, name) or one.is_of(desk.staff.user_id)):
        return _is_it(desk, "take_whom", one)
    return text("yours_already", name=desk.name(one)) if one.is_of(desk.staff.user_id) else _take(desk, one)


def _is_it(desk: Desk, question: str, one: Prospect) -> Reply:
    desk.ask("take", one.id)
    return choices(say(question, name=desk.name(one)), (button("take", one.id), button("drop", desk.source)))


def _take(desk: Desk, one: Prospect) -> Reply:
    takeover.take(desk.session, one.id, desk.staff.user_id, desk.now, via=desk.staff.channel)
    desk.settled(one)
    return _took(desk, one)


def _took(desk: Desk, one: Prospect) -> Reply:
    return choices(
        say("took", name=desk.name(one)), (button("reply", one.id), button("summary", one.id), button("return", one.id))
    )


def let_pass(desk: Desk, words: str, row: int | None) -> Reply:
    one = _offered(desk, "pass", words, row)
    if one is None:
        return text("nothing_offered")
    if not isinstance(one, Prospect):
        return one
    offer = find.offer_of(desk.session, one.hand, desk.staff.user_id) if one.hand is not None else None
    if offer is None:
        return text("yours_not_offered" if one.is_of(desk.staff.user_id) else "nothing_offered", name=desk.name(one))
    assignment.decline(desk.session, offer.id, desk.staff.user_id, desk.staff.channel, desk.now)
    told = alerts.acknowledge(desk.session, offer_id=offer.id, user_id=desk.staff.user_id, via=desk.staff.channel, now=desk.now)
    desk.change(one, *told)
    return text("passed", name=desk.name(one))


def _offered(desk: Desk, verb: str, name: str, row: int | None) -> Prospect | Reply | None:
    """Whom a *tomar* or *paso* means: whoever is named, or was offered; None when nobody is."""
    name = called(name)
    if row is not None or name or desk.about is not None:
        return desk.which(verb, name, row)
    found = [each for each in find.mine(desk.session, desk.staff.user_id) if each.is_offered_to(desk.staff.user_id)]
    if len(found) > 1:
        return desk.choose(verb, say("which_offer"), found)
    return desk.find(found[0].id) if found else None


def alert_pressed(desk: Desk, alert_id: int, action: str) -> Reply:
    """A button of an alert. The refusals of `assignment.answer`; NotYours."""
    alert = desk.session.scalar(select(Alert).where(Alert.id == alert_id))
    if alert is None:
        return text("old_button")
    if alert.user_id != desk.staff.user_id:
        raise NotYours
    one = desk.find(alert.conversation_id) if alert.offer_id is not None and alert.conversation_id is not None else None
    if isinstance(one, Text):
        return one
    if one is not None and one.is_of(desk.staff.user_id):
        return text("yours_already" if action == "accept" else "yours_not_offered", name=desk.name(one))
    desk.changed += takeover.answer_alert(desk.session, alert, action, desk.staff.channel, desk.now)
    if one is None:
        return text("seen")
    desk.touched.append(one.id)
    return _took(desk, one) if action == "accept" else text("passed", name=desk.name(one))


# ---------------------------------------------------------------------------------------------------------- hand on
def give_back(desk: Desk, words: str, row: int | None) -> Reply:
    """The bot goes on; a manager may say so of anybody's."""
    one = desk.which("return", _TO_BOT.sub("", _one_line(words)), row, held=True)
    if not isinstance(one, Prospect):
        return one
    if one.talk.owner == "bot":
        return text("with_bot_already", name=desk.name(one))
    if not _may_hand(desk, one):
        return text("not_yours", name=desk.name(one))
    takeover.give_back(desk.session, one.id, desk.staff.user_id, desk.now, over=desk.manages)
    desk.change(one, *alerts.withdraw(desk.session, conversation_id=one.id, now=desk.now))
    return text("returned", name=desk.name(one))


def _one_line(words: str) -> str:
    """Names, as far as anybody has one."""
    return " ".join(words[:200].split())


def _may_hand(desk: Desk, one: Prospect) -> bool:
    """Whether it is theirs to hand on; a manager hands on anybody's. Taken."""
    if desk.manages or one.is_of(desk.staff.user_id) or one.is_offered_to(desk.staff.user_id):
        return True
    if one.talk.owner == "human" and one.talk.owner_id is not None:
        raise Taken(one.owner)
    return one.talk.owner == "bot"  # then it is said so


def transfer(desk: Desk, words: str, row: int | None) -> Reply:
    """ "a Camilo", "Ana a Camilo", or nothing: then the colleagues are shown."""
    words, why = _why(_one_line(words))
    said = _ON_TO.fullmatch(words)
    to, name = (called(said["to"]), said["name"] or "") if said else (called(words), "")
    wanted = tokens(to)
    team = find.colleagues(desk.session, desk.staff.user_id)
    scored = [(likeness(wanted, user.name), user) for user in team] if wanted else []
    best = max((points for points, _ in scored), default=0.0)
    found = [user for points, user in scored if points and points == best]
    one = desk.which("transfer", name, row, f"a {to}, {why}".rstrip(", ") if to else "", held=True)
    if not isinstance(one, Prospect):
        return text("nobody_so", name=short(to, 60)) if wanted and not found else one
    if not team:
        return text("nobody_else")
    if len(found) == 1:
        return _hand(desk, one, found[0], why)
    question = "to_whom" if not wanted else "colleague_which" if found else "colleague_unknown"
    desk.ask("to", one.id)
    rows = tuple(line("to", f"{user.id}:{one.id}", user.name, word("role", user.role)) for user in (found or team)[:ROWS])
    return choices(say(question, name=short(to, 60) if wanted else desk.name(one)), rows)


def _why(words: str) -> tuple[str, str]:
    """To whom, and what they are told with it ("a Camilo, está en su zona")."""
    match = _WHY.fullmatch(words)
    return (match["to"], match["why"]) if match else (words, "")


def to(desk: Desk, words: str, row: int | None) -> Reply:
    """The colleague who was chosen; `words` is the conversation's id, as the row has it."""
    one = desk.find(int(words)) if words.isdecimal() else None
    user = desk.session.scalar(select(User).where(User.id == row, User.active)) if one is not None else None
    if one is None or user is None:
        return text("old_button")
    return _hand(desk, one, user) if isinstance(one, Prospect) else one


def _hand(desk: Desk, one: Prospect, user: User, why: str = "") -> Reply:
    if not _may_hand(desk, one):
        return text("not_yours", name=desk.name(one))
    handed = workplace.transfer(desk.session, one.id, user.id, desk.staff.user_id, why, desk.now, over=desk.manages)
    desk.change(one, *handed.alerts)
    return text("transferred", name=desk.name(one), to=user.name)

"""What a message of our own people means where it stands: a button, the answer to what was asked, a yes to an offer, a command,
or words for the prospect whose alert they quote. Words leave for a prospect only where that was asked for, or is confirmed."""

from __future__ import annotations

import re

import msgspec

from bot.channels.base import Inbound
from bot.staff import find, hunch, writing
from bot.staff.desk import Desk, Reply
from bot.staff.find import Prospect
from bot.staff.meaning import Meant, understand
from bot.staff.memory import FRESH, Asked
from bot.staff.prospects import alert_pressed
from bot.staff.speech import called, is_greeting, is_small_talk, is_to_them, verdict
from bot.staff.table import BY_NAME, Command, handler_of
from bot.staff.words import button, choices, say, text
from nlu.entities.named import likeness, tokens
from nlu.entities.pointing import pointed
from nlu.entities.words import fold

Answer = Reply | list[Reply]

_LARGEST_ID = 2**63 - 1
_CHOICE = re.compile(
    r"(?:staff:(?P<verb>[a-z_]+):(?P<row>\d{1,19})(?::(?P<of>\d{1,19}))?|alert:(?P<alert>\d{1,19}):(?P<action>accept|pass))"
)
_NAME_WORDS = 4
_NUMBER = re.compile(r"([1-9]\d?)[.)]?")


def take_in(desk: Desk, message: Inbound) -> Answer:
    """Do what a message asks for. The refusals of what it asks for; LookupError."""
    asked, desk.memory = desk.memory.asked, msgspec.structs.replace(desk.memory, asked=None)
    desk.asked = asked if asked is not None and asked.at + FRESH > desk.now else None
    late = asked if desk.asked is None else None
    if message.choice is not None:
        again = late is not None and message.choice == f"staff:send:{late.id}" and late.verb == "send"
        return writing.confirm(desk, late.words, late.talk) if late and again else _pressed(desk, message.choice)
    words = message.text.strip()
    if not words or message.kind not in ("text", "button", "list"):
        return text("only_text")
    if message.about is not None:
        desk.about = find.told_of(desk.session, desk.staff.conversation_id, message.about, desk.staff.user_id)
    folded = " ".join(fold(words).strip(" .,!¡¿?").split())
    option = _counted(desk, folded)
    if option is not None:
        return _pressed(desk, option)
    meant = understand(words, desk.staff.role)
    sure = meant if meant is not None and meant.sure else None
    if desk.asked is not None and not (sure and _interrupts(desk.asked, sure, words)):
        answered = _answered(desk, desk.asked, words, folded, meant)
        if answered is not None:
            return answered
    if sure is None and (answered := _to_offer(desk, folded)):
        return answered
    if late is not None and meant is None and desk.about is None and (answered := _late(desk, late, words, folded)):
        return answered
    if desk.about is not None and sure is None:
        return _for_them(desk, words, desk.about)
    if desk.about is not None and is_to_them(folded):
        return writing.is_it_for_them(desk, words, desk.about)
    if meant is not None:
        return _run(desk, meant.command, meant.words)
    return _other(desk, words, folded)


def _counted(desk: Desk, folded: str) -> str | None:
    """The option of those shown lately that is meant by its number, or by "la segunda"."""
    options = desk.memory.options if _lately(desk) else ()
    number = _NUMBER.fullmatch(folded)
    if number:
        return options[int(number[1]) - 1] if int(number[1]) <= len(options) else None
    places = pointed(folded, options, counted=False) if len(options) > 1 else ()
    return options[places[0]] if len(places) == 1 else None


def _late(desk: Desk, late: Asked, words: str, folded: str) -> Answer | None:
    """What is said long after it was asked for is shown once more, and never sent."""
    yes = verdict(folded)
    if late.verb == "send" and yes is not None:
        return writing.confirm(desk, late.words, late.talk) if yes else text("cancelled")
    if late.verb == "reply" and late.talk is not None and not is_small_talk(folded) and not is_greeting(folded):
        return writing.confirm(desk, words, late.talk)
    return None


def _lately(desk: Desk) -> bool:
    """Whether they were told anything lately, so that a number is one of what was shown."""
    return desk.memory.at is not None and desk.memory.at + FRESH > desk.now


def _interrupts(asked: Asked, meant: Meant, words: str) -> bool:
    """Whether a command counts where words were asked for: what is written to a prospect may begin like one, or be one in their
    eyes ("no puedo"); what is to be noted or recalled is often one ("escribirle a Ana")."""
    name = meant.command.name
    if words.startswith("/") or (asked.verb != "reply" and name == asked.verb):
        return True
    if name == "undo":
        return False
    match asked.verb:
        case "reply":
            return meant.command.looks and not meant.words
        case "note" | "what":
            return not meant.words or name == "remind"
        case "remind":
            return bool(asked.words) or not meant.words
        case _:
            return True


def _run(desk: Desk, command: Command, words: str, row: int | None = None) -> Answer:
    if desk.staff.role not in command.roles:
        return text("not_allowed", says=command.says[0])
    return command.handler(desk, words, row)


def _answered(desk: Desk, asked: Asked, words: str, folded: str, meant: Meant | None) -> Answer | None:
    """What was written after a question of ours, where it is an answer to it."""
    yes = verdict(folded)
    off = meant is not None and meant.command.name == "undo"
    if asked.verb != "more" and (off or (yes is False and asked.verb != "reply")):
        return text("cancelled")
    match asked.verb:
        case "send" | "take" if yes and asked.talk is not None:
            row = asked.id if asked.verb == "send" else asked.talk
            return _pressed(desk, f"staff:{asked.verb}:{row}")
        case "take" if asked.talk is not None:
            return None
        case verb if verb.startswith("as_") and yes:
            return _pressed(desk, f"staff:{verb}:{asked.id}")
        case "send" | "more":  # put in other words, or one more message
            return _for_them(desk, words, asked.talk) if meant is None and not is_small_talk(folded) else None
        case "reply" if asked.talk is not None and yes is False:  # to us, or to them
            return writing.confirm(desk, words, asked.talk)
        case "reply" if asked.talk is not None and meant is not None:
            return writing.is_it_for_them(desk, words, asked.talk)
        case "to":
            to = words if folded.startswith("a ") else f"a {words}"
            return BY_NAME["transfer"].handler(desk, to, asked.talk)
    handler = handler_of(asked.verb)
    if handler is None:
        return None
    if asked.talk is not None or asked.verb in ("remind", "what"):
        return handler(desk, words, asked.talk)
    one = _chosen(desk, words)  # "which one?"
    return handler(desk, asked.words, one) if one is not None else None


def _chosen(desk: Desk, words: str) -> int | None:
    """Whom of those shown last they name; else whoever has that very name."""
    shown = [int(match["row"]) for each in desk.memory.options if (match := _CHOICE.fullmatch(each)) and match["row"]]
    name = called(words)
    wanted = tokens(name)
    fitting = [each.id for each in find.prospects(desk.session, shown) if wanted and likeness(wanted, each.name)]
    if len(fitting) == 1:
        return fitting[0]
    found = [each.id for each in find.named(desk.session, name, desk.staff.user_id) if find.is_called(each, name)]
    return found[0] if len(found) == 1 else None


def _to_offer(desk: Desk, folded: str) -> Answer | None:
    """A bare yes or no is the answer to the offer that is quoted, was shown last, or came since our last word."""
    yes = verdict(folded)
    if yes is None or (yes and "gracias" in folded) or (desk.asked is not None and desk.asked.verb != "more"):
        return None
    offered = [each for each in find.mine(desk.session, desk.staff.user_id) if each.is_offered_to(desk.staff.user_id)]
    found = [each for each in offered if (desk.about == each.id if desk.about is not None else _stands(desk, each))]
    return _run(desk, BY_NAME["take" if yes else "pass"], "", found[0].id) if len(found) == 1 else None


def _stands(desk: Desk, one: Prospect) -> bool:
    """Whether an offer is what they were told last."""
    if _lately(desk) and f"staff:pass:{one.id}" in desk.memory.options:
        return True
    offered = one.hand.offered_at if one.hand is not None else None
    return offered is not None and (desk.memory.at is None or offered >= desk.memory.at)


def _pressed(desk: Desk, choice: str) -> Answer:
    """A button or row of ours, whenever it was shown."""
    match = _CHOICE.fullmatch(choice)
    if match is None or max(int(match["row"] or match["alert"]), int(match["of"] or 0)) > _LARGEST_ID:
        return text("old_button")
    if match["alert"]:
        return alert_pressed(desk, int(match["alert"]), match["action"])
    verb, row = match["verb"], int(match["row"])
    if verb.startswith("as_"):
        return hunch.said_yes(desk, verb, row)
    asked, words = desk.asked, match["of"] or ""
    if asked is not None and asked.talk is None and asked.verb == verb and choice in desk.memory.options:
        words = asked.words
    if verb == "order":
        return _order(desk, row)
    command = BY_NAME.get(verb)
    if command is not None:
        return _run(desk, command, words, row)
    handler = handler_of(verb)
    return handler(desk, words, row) if handler is not None else text("old_button")


def _for_them(desk: Desk, words: str, talk: int | None) -> Answer:
    """Words that are most likely meant for a prospect; where they may be meant for us, that is a button too."""
    order = hunch.order(desk, words)
    if order is not None and order.name == "reply":  # to whom they name: shown first all the same
        return hunch.do(desk, order, words)
    return writing.is_it_for_them(desk, words, talk) if order is not None else writing.confirm(desk, words, talk)


def _order(desk: Desk, row: int) -> Answer:
    """What looked like words for a prospect was a command."""
    asked = desk.asked
    if asked is None or asked.id != row:
        return text("old_button")
    meant = understand(asked.words, desk.staff.role)
    return _run(desk, meant.command, meant.words) if meant is not None else _by_ear(desk, asked.words)


def _by_ear(desk: Desk, words: str) -> Answer:
    """What no rule knows."""
    done = hunch.follow(desk, words)
    return done if done is not None else _unknown()


def _unknown() -> Reply:
    return choices(say("unknown"), (button("leads", 0), button("next", 0), button("help", 0)))


def _other(desk: Desk, words: str, folded: str) -> Answer:
    """What is no command: a greeting, thanks, or only a name."""
    if is_greeting(folded) or (folded == "" and "?" in words):
        return BY_NAME["help"].handler(desk, "", None)
    if is_small_talk(folded):
        return text("welcome", name=desk.staff.first_name)
    name = called(words)
    if name and len(tokens(name)) <= _NAME_WORDS:
        found = find.named(desk.session, name, desk.staff.user_id)
        if found and all(find.is_called(each, name) for each in found):
            return BY_NAME["summary"].handler(desk, name, None)
    return _by_ear(desk, words) if verdict(folded) is None else _unknown()

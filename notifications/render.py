"""One alert as each channel shows it: what is said is decided once (`compose`), each way out has its own form and limits.

Sources of the limits: WhatsApp's interactive body (1,024 characters) and template parameter (1,024); Telegram's message (4,096);
push services' payload (4,096 bytes, encryption included); RFC 5322's lines, which `EmailMessage` folds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from data.tables import Alert, Company, User
from notifications.alerts import ALERTS, Facts, read_facts
from notifications.links import sign
from notifications.words import Words, words

LINK_LIFE = timedelta(hours=24)
"""How long the links of an alert can be used, from when it was raised."""
CHAT = {"whatsapp": 1024, "telegram": 4096}
"""Characters of a chat message with buttons."""
PARAMETER = 600
"""Characters of a template's summary: readable on a phone, and far below what WhatsApp takes."""
_SUBJECT = 150
_PUSH_BODY = 400
"""Characters, of which each is four bytes at most."""


@dataclass(frozen=True, slots=True)
class Message:
    """What an alert says, in the language of the company. Parts that it does not have are empty."""

    alert: Alert
    facts: Facts
    texts: Words
    language: str
    company: str
    title: str
    intro: str
    until: str
    """By when to answer, as a sentence."""
    note: str
    """What a colleague writes with it."""
    name: str
    priority: str
    rows: tuple[tuple[str, str], ...]
    """(label, value): the prospect's data and why it is for this seller."""
    url: str
    """The conversation, or the page of what it is about."""
    accept: str
    """The signed links; "" when it is only to be read."""
    decline: str
    whatsapp: str
    """The chat with the prospect, the greeting filled in."""

    @property
    def tag(self) -> str:
        """What tells a device that two messages are of one alert."""
        return f"alert-{self.alert.id}"


def compose(alert: Alert, user: User, company: Company, base: str, secret: str) -> Message:
    """What `user` is told. `base`: PUBLIC_URL; `secret`: SECRET_KEY, for the links."""
    facts, texts = read_facts(alert), words(company.language)
    base = base.rstrip("/")
    name = one_line(facts.name) or texts["somebody"]
    priority = texts["priority"].get(facts.priority, "")
    said = {
        "name": name,
        "by": one_line(facts.by) or texts["colleague"],
        "priority": priority,
        "interest": one_line(facts.interest or facts.number),
        "words": one_line(facts.words),
    }
    kind = texts["kinds"][alert.kind]
    until = ""
    if facts.expires_at is not None:
        local = facts.expires_at.astimezone(ZoneInfo(company.timezone))
        until = texts["until"].format(until=format_time(local, "short", locale=company.language))
    answerable = ALERTS[alert.kind].buttons and alert.offer_id is not None

    def link(action: str) -> str:
        if not answerable:
            return ""
        return f"{base}/a/{sign(secret, alert_id=alert.id, action=action, expires=alert.created_at + LINK_LIFE)}"

    title = _cut(kind["title"].format_map(said).strip(" ,:"), _SUBJECT)
    told = "{words}" in kind["intro"] or ("{words}" in kind["title"] and said["words"] in title)
    return Message(
        alert=alert,
        facts=facts,
        texts=texts,
        language=company.language,
        company=company.name,
        title=title,
        intro=kind["intro"].format_map(said),
        until=until,
        note="" if told else said["words"],
        name=name,
        priority=priority,
        rows=tuple(_rows(facts, texts, priority, why=ALERTS[alert.kind].buttons)),
        url=_page(alert, base),
        accept=link("accept"),
        decline=link("pass"),
        whatsapp=_whatsapp(facts, user, company),
    )


# ------------------------------------------------------------------------------------------------------ e-mail
def email(message: Message, sender: Address, to: Address, delivery_id: int) -> EmailMessage:
    """A mail in plain text and HTML. The same delivery is always the same mail, to the byte: one that is sent twice, because
    nobody knows whether it came through, is shown once."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = message.title
    mail["From"] = sender
    mail["To"] = to
    mail["Date"] = message.alert.created_at
    mail["Message-ID"] = f"<delivery-{delivery_id}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_template("alert.txt.j2")(m=message, t=message.texts), cte="quoted-printable")
    mail.add_alternative(_template("alert.html.j2")(m=message, t=message.texts), subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_alert_{delivery_id}")
    return mail


# -------------------------------------------------------------------------------------------------------- chat
def chat(message: Message, channel: str) -> str:
    """The words of a chat message, with `*bold*`. What the prospect told is cut where it is too long; the links never are."""
    texts = message.texts
    head = [f"*{message.title}*", " ".join(filter(None, (message.intro, message.until)))]
    if message.note:
        head.append(f"«{message.note}»")
    rows = [f"{label}: {value}" for label, value in message.rows]
    rows += [f"{label}: {one_line(shown)}" for label, shown in message.facts.answers]
    if message.facts.last_words:
        rows.append(f"{texts['said']}: «{one_line(message.facts.last_words)}»")
    links = [f"{texts['open']}: {message.url}"]
    if message.whatsapp:
        links.append(f"{texts['write']}: {message.whatsapp}")
    tail = "\n\n" + "\n".join(links)
    room = CHAT[channel] - len(tail)
    return _cut("\n".join([*head, "", *rows]).strip(), room) + tail


def parameters(message: Message) -> tuple[str, str, str]:
    """The three of the template that goes out when the 24-hour window is closed: name, priority, summary."""
    facts = message.facts
    parts = [
        "" if message.accept else message.title,  # of an offer it is what the other parts tell
        message.intro,
        message.note,
        facts.interest,
        *(f"{label}: {shown}" for label, shown in facts.answers),
        facts.last_words,
    ]
    summary = ". ".join(one_line(part).rstrip(".") for part in parts if part)
    return _cut(message.name, 60), message.priority or "–", _cut(summary, PARAMETER) or message.title


# ------------------------------------------------------------------------------------------------- push, plain
def push(message: Message) -> bytes:
    """The JSON that the service worker shows (bot/web/static/sw.js). What is in it is cut so that it has far less than
    the 3,800 bytes that a push may have."""
    texts = message.texts
    actions = [
        {"action": action, "title": texts[action], "url": url}
        for action, url in (("accept", message.accept), ("pass", message.decline))
        if url
    ]
    payload = {
        "alert": str(message.alert.id),  # too large for a number of JavaScript
        "kind": message.alert.kind,
        "title": message.title,
        "body": _cut(_brief(message), _PUSH_BODY),
        "tag": message.tag,
        "url": message.url,
        "actions": actions,
    }
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def plain(message: Message) -> tuple[str, str]:
    """Title and body without any marks, for all that Apprise reaches."""
    texts = message.texts
    links = [(texts["accept"], message.accept), (texts["pass"], message.decline), (texts["open"], message.url)]
    lines = [_brief(message), *(f"{label}: {url}" for label, url in links if url)]
    return message.title, "\n".join(lines)


# ------------------------------------------------------------------------------------------------------- parts
def _brief(message: Message) -> str:
    """The essence: what to do, who it is, what they want."""
    facts = message.facts
    answers = [f"{label}: {one_line(shown)}" for label, shown in facts.answers[:4]]
    reasons = ", ".join(because for _, because in facts.reasons[:3])
    parts = [" ".join(filter(None, (message.intro, message.until))), message.note, reasons, *answers, one_line(facts.last_words)]
    return _cut("\n".join(filter(None, parts)), 1000)


def _rows(facts: Facts, texts: Words, priority: str, *, why: bool) -> list[tuple[str, str]]:
    labels: Mapping[str, str] = texts["facts"]
    rated = priority
    if priority and facts.score:
        reasons = ", ".join(f"{points:+d} {because}" for points, because in facts.reasons)
        rated = f"{priority}, {texts['points'].format(points=facts.score)}" + (f" ({reasons})" if reasons else "")
    found = [
        (labels["phone"], _phone(facts.phone)),
        (labels["number"], facts.number),
        (labels["interest"], facts.interest),
        (labels["priority"], rated),
        (labels["why"], texts["because"].get(facts.because, "") if why else ""),
    ]
    return [(label, one_line(value)) for label, value in found if value]


def _page(alert: Alert, base: str) -> str:
    if alert.conversation_id is not None:
        return f"{base}/conversations/{alert.conversation_id}"
    return f"{base}/leads/{alert.lead_id}" if alert.lead_id is not None else f"{base}/"


def _whatsapp(facts: Facts, user: User, company: Company) -> str:
    digits = "".join(filter(str.isdigit, facts.phone))
    if not digits:
        return ""
    texts = words(facts.language)
    first = next(iter(facts.name.split()), "")
    named = first if any(map(str.isalpha, first)) else ""
    greeting = texts["greeting" if named else "greeting_unknown"].format(
        name=_cut(named, 40), seller=_cut(one_line(user.name), 40), company=_cut(one_line(company.name), 60)
    )
    return f"https://wa.me/{digits}?text={quote(greeting, safe='')}"


def _phone(phone: str) -> str:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def one_line(text: str) -> str:
    """On one line, without control characters: what somebody wrote, or a server said, stands in headers, lists and the log."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(0, most - 1)].rstrip() + "…"


@cache
def _template(name: str) -> Callable[..., str]:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["line"] = one_line
    return environment.get_template(name).render

"""E-mail addresses, also as they are dictated ("ana arroba gmail punto com") and mistyped ("ana@gmial.com")."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email
from msgspec.structs import replace
from rapidfuzz.distance import OSA

from dialogs.readers.base import LOOKED_AT, Ask, Heard, Miss, Reading, one_of
from nlu.entities.words import fold, is_blank, unknown, words

_PLAIN = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,24}(?![\w@])")
_LOOSE = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*")
_COMMON = sorted(
    words(
        "gmail.com hotmail.com outlook.com yahoo.com icloud.com live.com hotmail.es yahoo.es outlook.es yahoo.com.mx "
        "yahoo.com.ar yahoo.com.br hotmail.com.br outlook.com.br hotmail.com.ar live.com.mx live.com.ar prodigy.net.mx "
        "uol.com.br bol.com.br terra.com.br terra.com msn.com une.net.co protonmail.com fibertel.com.ar"
    )
)
_GENUINE = words(
    "mail.com email.com ymail.com gmx.com gmx.net aol.com me.com mac.com zoho.com proton.me ig.com.br yahoo.co "
    "yahoo.fr yahoo.it yahoo.de hotmail.fr hotmail.it live.cl hotmail.cl yahoo.cl yahoo.com.co yahoo.com.pe "
    "outlook.cl outlook.pt gmx.es mail.ru gmail.google.com yahoo.com.ve yahoo.com.cl yahoo.ca"
)
_BARE = "gmail|hotmail|outlook|yahoo|icloud|live"
_SPOKEN = (
    (re.compile(r"^mailto:|<mailto:|[<>\"()\[\]]"), " "),
    (re.compile(r"\s*(?:\b(?:arr?oba|aroba|arrova)\b|\[at\]|\{at\}|＠)\s*"), "@"),
    (re.compile(r"\s+at\s+(?=[\w-]+(?:\s*\.|\s+(?:dot|punto|ponto)\b))"), "@"),
    (re.compile(r"\s*\b(?:punto|ponto|dot)\b\s*"), "."),
    (re.compile(r"\s*\b(?:guion bajo|guionbajo|underscore|underline|underscor|raya al piso)\b\s*"), "_"),
    (re.compile(r"\s*\b(?:guion(?: medio)?|dash|hifen|tracinho)\b\s*"), "-"),
    (re.compile(r"\s*@\s*"), "@"),
    (re.compile(rf"(?<=@)({_BARE})\s*,?\s*(com|es)\b"), r"\1.\2"),
    (re.compile(r"(?<=@)([\w-]+)(?:\s*,\s*|\s+\.\s*|\.\s+)(?=(?:com|net|org|co|es|br|mx|pe|cl|ar|edu|gob|gov)\b)"), r"\1."),
    (re.compile(r"(?<=\.com|\.net|\.org|\.edu|\.gob|\.gov)(?:\s*,\s*|\s+\.\s*|\.\s+)(?=(?:co|mx|ar|pe|cl|br|ec|uy)\b)"), "."),
    (re.compile(r"\.{2,}"), "."),
)  # fmt: skip
_DICTATED = re.compile(
    r"[\w.+-]+(?: (?:punto|guion(?: bajo)?) [\w.+-]+)* ?\b(?:arr?oba)\b ?[\w.-]+(?: ?(?:punto|ponto|\.) ?\w+)*"
)
_OR = re.compile(r"\s*,?\s*(?:o|u|y|or|and|ou|e|/)\s+(?:a |al |el |tambi[eé]n |a este |to )?", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:pues|bueno|claro|ok|si|sim|yes|a ver|anota|anote|apunta|apunte)[ ,]+)*"
    r"(?:(?:puede|podria|pode|it can|can) (?:ser|be) |"
    r"(?:seria|sera|would be) )?(?:(?:(?:mi|el|my|meu|o|al) )?(?:correo|mail|email|e-mail)"
    r"(?: electronico)?(?: (?:es|is|e))?[: ]+|"
    r"(?:es|is|e|al|a|para|to)[: ]+)?"
)
_WRONG_END = dict.fromkeys(words("con cmo ocm vom xom comm coom cm om cpm cim copm conm clm comn"), "com") | {
    "nte": "net",
    "ner": "net",
    "ogr": "org",
}


class EmailReader:
    """Checked by shape alone (no DNS). A domain that is one slip away from a common one is kept, and offered corrected."""

    misses = frozenset({"empty", "unknown", "not_an_email", "no_at_sign", "ambiguous"})

    def read(self, heard: Heard, ask: Ask) -> Reading | Miss:
        cards = [attachment.email for attachment in heard.attachments if attachment.kind == "contact" and attachment.email]
        if cards:
            card = _checked(cards[0].strip())
            return _reading(card, None) if card else Miss("not_an_email")
        if is_blank(heard.text):
            return Miss("empty")
        found = self._written(heard.text[:LOOKED_AT])
        if found:
            return _several(found, heard.text)
        folded = fold(heard.text[:LOOKED_AT]).strip()
        spoken = _spoken(folded)
        address = _last_address(spoken)
        if address:
            return _reading(address, None)
        if "@" in spoken:
            return Miss("not_an_email")
        return Miss(
            "unknown" if unknown(folded) else "no_at_sign" if re.search(r"\w\.(?:com|net|org|co)\b", spoken) else "not_an_email"
        )

    def find(self, heard: Heard, ask: Ask) -> Reading | None:
        text = heard.text[:LOOKED_AT]
        found = self._written(text)
        if found:
            reading = _several(found, text)
            return reading if isinstance(reading, Reading) else None
        folded = fold(text)
        if not re.search(r"\barr?oba\b", folded) or not re.search(rf"\bpunto\b|\.|\b(?:{_BARE})\b", folded):
            return None
        address = _last_address(_spoken(folded))
        span = _DICTATED.search(folded)
        return _reading(address, span.span() if span else None) if address else None

    def _written(self, text: str) -> list[Reading]:
        """Addresses that stand in the text as they are."""
        if "@" not in text:
            return []
        found = []
        for match in list(_PLAIN.finditer(text))[:4]:
            written = match.group()
            start = match.start() + len(written) - len(written.lstrip("'*_.~"))
            if written.lower().startswith("mailto:"):
                start += 7
            address = _checked(text[start : match.end()].rstrip("_.*"))
            if address:
                found.append(_reading(address, (start, match.end())))
        return found


def _several(found: list[Reading], text: str) -> Reading | Miss:
    """Of two addresses the last: "no es ana@a.co, es ana@b.co"; of those that "o" joins, or of more, any."""
    first, last = found[0].span or (0, 0), found[-1].span or (0, 0)
    several = len({reading.value for reading in found}) > 2 or _OR.fullmatch(text[first[1] : last[0]])
    return one_of(found) if several else found[-1]


def _spoken(folded: str) -> str:
    text = folded
    for pattern, by in _SPOKEN:
        text = pattern.sub(by, text)
    return _LEAD.sub("", text.strip()).strip()


def _last_address(text: str) -> str | None:
    """The address in a text that was put together from dictation; spaces inside the name are closed up."""
    for candidate in reversed(_LOOSE.findall(text)[:4]):
        local, _, domain = candidate.partition("@")
        before = text[: text.find(candidate)].strip()
        if before and re.fullmatch(r"[a-z]{1,20}(?: [a-z0-9]{1,20}){0,2}", before) and not _TALK.search(before):
            local = before.replace(" ", "") + local
        if re.fullmatch(_BARE, domain):
            domain += ".com"
        elif re.fullmatch(rf"(?:{_BARE})com", domain):
            domain = domain[:-3] + ".com"
        address = _checked(f"{local}@{domain.rstrip('.')}")
        if address:
            return address
    return None


_TALK = re.compile(r"\b(?:es|mi|el|correo|mail|email|is|my|a|al|escribanme|por|favor|hola|si|claro|seria|soy|e|meu|no|otro)\b")


def _checked(address: str) -> str | None:
    """The normalised address (domain in lower case), or None."""
    try:
        checked = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except (EmailNotValidError, ValueError):
        return None
    return f"{checked.local_part}@{checked.domain}".lower()


def _reading(address: str, span: tuple[int, int] | None) -> Reading:
    local, _, domain = address.rpartition("@")
    reading = Reading(address, address, span=span)
    meant = _meant(domain)
    if meant is None:
        return reading
    return replace(reading, instead=Reading(f"{local}@{meant}", f"{local}@{meant}", span=span))


def _meant(domain: str) -> str | None:
    if domain in _COMMON or domain in _GENUINE:
        return None
    slips = ((OSA.distance(domain, common, score_cutoff=2), common) for common in _COMMON)
    slip, common = min(slips, key=lambda one: one[0])
    same_start = domain[0] == common[0]
    if slip <= (2 if same_start else 1) and (len(common) >= 9 or (same_start and slip == 1)):
        return common
    head, _, end = domain.rpartition(".")
    return f"{head}.{_WRONG_END[end]}" if end in _WRONG_END and head else None

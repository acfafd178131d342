"""What each channel shows of an alert: whole, in its form, within its limits, and inert."""

from __future__ import annotations

import json
from datetime import timedelta
from email.headerregistry import Address
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest

from data.tables import Alert, Company, User
from notifications import links, render
from notifications.alerts import ALERTS, Facts
from notifications.render import Message
from notifications.senders.webpush import PAYLOAD
from tests.notifications.conftest import NOW, SECRET

SENDER = Address("Mostrador", addr_spec="alertas@andina.co")
CAMILO = Address(addr_spec="camilo@andina.co")
FACTS = Facts(
    name="Ana María Ruiz",
    phone="+573001234567",
    number="Andina Bogotá",
    interest="Electrónica",
    priority="hot",
    score=70,
    reasons=((40, "lo necesita hoy"), (30, "presupuesto alto")),
    answers=(("Busca", "10 portátiles"), ("Presupuesto", "$ 20.000.000")),
    last_words="¿Los tienen\npara hoy?",
    because="next",
    expires_at=NOW + timedelta(minutes=3),
)
HOSTILE = Facts(
    name="Ana\r\nBcc: all@andina.co <script>alert(1)</script>\x1b[31m\u202e",
    phone="+573001234567",
    number="{0.__class__} {{ 7 * 7 }}",
    interest="<b>x</b>",
    priority="hot",
    answers=(("<i>", '"><img src=x onerror=alert(1)>'),),
    last_words="</p><script>alert(2)</script>",
    by="{by}\nSubject: gone",
    words="{words} <a href=x>",
)


def message(facts: Facts = FACTS, kind: str = "lead_offered", language: str = "es", offer: int | None = 5) -> Message:
    alert = Alert(
        id=2**60, company_id=1, user_id=2, kind=kind, conversation_id=7, lead_id=8, offer_id=offer,
        facts=msgspec.to_builtins(facts), created_at=NOW,
    )  # fmt: skip
    company = Company(id=1, name="Andina & Cía", timezone="America/Bogota", language=language)
    return render.compose(alert, User(id=2, name="Camilo Torres"), company, "https://andina.co/", SECRET)


def test_the_mail_holds_everything() -> None:
    made = message()
    mail = render.email(made, SENDER, CAMILO, 99)
    assert mail["Subject"] == "Caliente: Ana María Ruiz, Electrónica"
    assert (mail["To"], mail["From"]) == ("camilo@andina.co", "Mostrador <alertas@andina.co>")
    assert mail["Message-ID"] == "<delivery-99@andina.co>"
    text, html = (mail.get_body([kind]).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    for part in (
        "Ana María Ruiz", "+57 300 1234567", "Andina Bogotá", "70 puntos", "+40 lo necesita hoy", "Es tu turno", "10 portátiles",
        "para hoy?", "https://andina.co/conversations/7", made.accept, made.decline, "antes de las 15:03",
    ):  # fmt: skip
        assert part in text, part
        assert part in html, part
    assert made.whatsapp in text
    assert made.whatsapp in html


def test_the_same_delivery_is_the_same_mail_to_the_byte() -> None:
    first, second, other = (bytes(render.email(message(), SENDER, CAMILO, row)) for row in (99, 99, 98))
    assert first == second != other


def test_the_links_are_for_this_alert_and_end() -> None:
    made = message()
    for url, action in ((made.accept, "accept"), (made.decline, "pass")):
        head, _, token = url.rpartition("/")
        assert head == "https://andina.co/a"
        assert links.read(SECRET, token, NOW) == links.Link(2**60, action, NOW + render.LINK_LIFE)
    assert (message(offer=None).accept, message(kind="mention").accept) == ("", "")


def test_the_greeting_is_filled_in_and_in_the_prospects_language() -> None:
    address = urlsplit(message().whatsapp)
    assert (address.hostname, address.path) == ("wa.me", "/573001234567")
    assert parse_qs(address.query)["text"] == [
        "Hola Ana, soy Camilo Torres, de Andina & Cía. Gracias por escribirnos, ¿seguimos por aquí?"
    ]
    english = message(msgspec.structs.replace(FACTS, language="en", name="+57 300"))
    assert unquote(english.whatsapp).partition("text=")[2].startswith("Hello, this is Camilo")
    assert message(Facts(name="Ana")).whatsapp == "", "nobody to write to"


def test_what_a_prospect_writes_is_inert() -> None:
    for kind in ALERTS:
        made = message(HOSTILE, kind)
        mail = render.email(made, SENDER, CAMILO, 1)
        headers = [line.partition(b":")[0] for line in bytes(mail).partition(b"\r\n\r\n")[0].splitlines() if line[:1] != b" "]
        assert headers == [
            b"Subject",
            b"From",
            b"To",
            b"Date",
            b"Message-ID",
            b"Auto-Submitted",
            b"MIME-Version",
            b"Content-Type",
        ]
        html = mail.get_body(["html"]).get_content()  # type: ignore[union-attr]
        for tag in ("<script", "<img", "<i>", "<b>x", "<a href=x"):
            assert tag not in html, tag
        assert "{{ 7 * 7 }}" in html
        assert "\x1b" not in render.chat(made, "telegram") + "".join(render.parameters(made)) + made.title


# ------------------------------------------------------------------------------------------------------ limits
LONG = Facts(
    name="Ñ" * 5000,
    phone="+573001234567",
    number="ñ" * 2000,
    interest="ñ" * 2000,
    priority="hot",
    score=70,
    reasons=tuple((10, "ñ" * 100) for _ in range(50)),
    answers=tuple(("ñ" * 200, "🙂" * 3000) for _ in range(30)),
    last_words="🙂" * 500,
    by="ñ" * 3000,
    words="🙂" * 500,
)


@pytest.mark.parametrize("kind", ALERTS)
@pytest.mark.parametrize("facts", [FACTS, LONG, HOSTILE, Facts()], ids=["usual", "long", "hostile", "empty"])
def test_every_form_of_every_alert_is_within_its_limits(kind: str, facts: Facts) -> None:
    for language in ("es", "en", "pt"):
        made = message(facts, kind, language)
        for channel, limit in (("whatsapp", 1024), ("telegram", 4096)):
            said = render.chat(made, channel)
            assert 0 < len(said) <= limit
            assert said.count(made.url) == 1
            assert made.whatsapp in said
        assert all(0 < len(part) <= 1024 for part in render.parameters(made))
        assert len(render.push(made)) <= PAYLOAD
        payload = json.loads(render.push(made))
        assert (payload["tag"], payload["url"], payload["alert"]) == (made.tag, made.url, str(2**60))
        assert [each["url"] for each in payload["actions"]] == [url for url in (made.accept, made.decline) if url]
        assert 0 < len(made.title) <= 150
        assert payload["body"] or not facts.words
        title, body = render.plain(made)
        assert title
        assert made.url in body
        mail = bytes(render.email(made, SENDER, CAMILO, 1))
        assert all(len(line) <= 998 for line in mail.splitlines())


def test_a_long_chat_keeps_what_matters() -> None:
    said = render.chat(message(msgspec.structs.replace(LONG, name="Ana", interest="", number="", words="")), "whatsapp")
    assert said.startswith("*Caliente: Ana*\nTienes un prospecto para atender.\n\n")
    assert "https://andina.co/conversations/7" in said
    assert "https://wa.me/573001234567" in said


def test_a_note_stands_once() -> None:
    facts = Facts(name="Ana", by="Valeria", words="llámala ya")
    for kind in ("mention", "reminder", "transferred"):
        said = render.chat(message(facts, kind), "telegram")
        assert said.count("llámala ya") == 1, said


def test_a_note_whose_words_stand_in_the_title_by_chance_is_shown() -> None:
    said = render.chat(message(Facts(name="Amaya", by="Valeria", words="ya"), "transferred"), "telegram")
    assert "«ya»" in said


def test_a_template_tells_what_the_alert_is_about() -> None:
    def summary(kind: str, words: str) -> str:
        return render.parameters(message(Facts(name="Ana", by="Valeria", words=words), kind))[2]

    assert summary("mention", "llámala ya") == "Valeria te menciona: Ana. llámala ya"
    assert "con 2 de 5" in summary("bad_rating", "2")
    assert summary("transferred", "llámala ya") == "Valeria te pide que atiendas a Ana. llámala ya"
    assert summary("reminder", "llámala ya").count("llámala ya") == 1

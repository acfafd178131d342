"""The rules of a turn that a transcript does not show: state, score, silence, limits, language, old states."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from crm_bridge.commands import RecordConsent, RegisterLead
from dialogs import engine
from dialogs.expressions import compile_condition
from dialogs.loader import with_overrides
from dialogs.model import Answer, Attachment, Dialog, Do, Effect, Handoff, Say, State, Turn, Voice
from dialogs.texts import compile_text
from nlu.understanding import NOTHING, Understanding

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("America/Bogota"))
ANA = {"full_name": Answer("Ana Ruiz", "Ana Ruiz")}
TOLD = ANA | {
    "need": Answer("un portátil", "un portátil"),
    "buyer": Answer("personal", "Uso personal"),
    "budget": Answer({"amount": "6000000", "currency": "COP"}, "$ 6.000.000"),
    "timing": Answer("hoy", "Hoy mismo"),
    "city": Answer({"latitude": None, "longitude": None, "name": "Bogotá"}, "Bogotá"),
    "mail": Answer("ana@ruiz.co", "ana@ruiz.co"),
}


def turn(text: str = "", intent: str = "", language: str | None = None, **more: Any) -> Turn:
    understood = Understanding(intent, 0.95, language=language) if intent else replace(NOTHING, language=language)
    return Turn(text, understanding=understood, now=NOW, voice=Voice("Luna", "TecnoCentro"), **more)


def text_of(effects: list[Effect]) -> str:
    return "\n".join(effect.text for effect in effects if isinstance(effect, Say))


def commands(effects: list[Effect]) -> list[object]:
    return [effect.command for effect in effects if isinstance(effect, Do)]


@pytest.fixture
def at(electronics: Dialog) -> Callable[..., State]:
    """A talk under way."""

    def state(**changes: Any) -> State:
        return msgspec.structs.replace(engine.begin(electronics, "es"), greeted=True, **changes)

    return state


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (turn("hola? nadie me escribió", "greet"), "ya está en la fila"),
        (turn("hola", "greet", open=False), "apenas abramos"),
        (turn("quiero hablar con alguien", "human"), "ya está en la fila"),
        (turn("¿hacen envíos?", "shipping"), "enviamos a todo el país"),
        (turn("gracias", "thanks"), "Con mucho gusto"),
        (turn("ok", "affirm"), ""),
    ],
)
def test_while_a_person_is_waited_for(electronics: Dialog, at: Callable[..., State], said: Turn, heard: str) -> None:
    state = at(status="human", asked="need")
    after, effects = engine.step(electronics, state, said)
    assert after == state
    assert heard in text_of(effects) if heard else effects == []
    assert not commands(effects)


def test_what_is_asked_while_a_person_is_waited_for_is_kept_for_them(electronics: Dialog, at: Callable[..., State]) -> None:
    state = at(status="human", asked="need")
    after, effects = engine.step(electronics, state, turn("¿me guardan dos hasta el lunes?"))
    assert after.noted == ("¿me guardan dos hasta el lunes?",)
    assert "ya se la dejé anotada" in text_of(effects)
    assert len(commands(effects)) == 1
    assert after.status == "human"
    assert isinstance(commands(engine.step(electronics, state, turn("STOP", "stop"))[1])[0], RecordConsent)
    assert engine.remind(electronics, state, turn()) == (state, [])
    assert engine.resume(state).status == "open"


def test_score_counts_only_what_holds(electronics: Dialog, at: Callable[..., State]) -> None:
    points, reasons = engine.score(electronics, at(answers=TOLD), NOW)
    assert points == 75
    assert [reason.because for reason in reasons] == ["lo necesita hoy", "presupuesto alto", "dejó su correo"]
    assert engine.score(electronics, at(), NOW) == (0, ())


def test_an_answer_whose_condition_fell_is_kept_but_not_told(electronics: Dialog, at: Callable[..., State]) -> None:
    state = at(answers=TOLD | {"business": Answer("Ruiz SAS", "Ruiz SAS")}, status="confirming")
    state, effects = engine.step(electronics, state, turn("sí", "affirm"))
    lead = commands(effects)[0]
    assert isinstance(lead, RegisterLead)
    assert "company" not in lead.facts
    assert "business" not in [answer.question for answer in lead.answers]
    assert state.answers["business"].value == "Ruiz SAS"
    assert effects[-1] == Handoff("finished")


def test_silence_ends_within_the_window(electronics: Dialog, at: Callable[..., State]) -> None:
    state = at(answers=ANA, asked="need")
    assert engine.silence(electronics, state) == timedelta(hours=2)
    state, effects = engine.remind(electronics, state, turn())
    assert "¿Seguimos, Ana?" in text_of(effects)
    assert engine.silence(electronics, state) == timedelta(hours=18)
    state, effects = engine.remind(electronics, state, turn())
    assert (state.status, text_of(effects)) == ("expired", "")
    assert [type(command) for command in commands(effects)] == [RegisterLead]
    assert engine.silence(electronics, state) is None
    assert engine.remind(electronics, state, turn()) == (state, [])


def test_nothing_new_told_registers_nothing(electronics: Dialog, at: Callable[..., State]) -> None:
    state = at(answers={"full_name": Answer("Ana Ruiz", "Ana Ruiz", known=True)}, asked="need", reminded=1)
    assert engine.remind(electronics, state, turn(known={"name": "Ana Ruiz"}))[1] == []


def test_no_silence_before_the_first_word_or_without_the_rule(electronics: Dialog, at: Callable[..., State]) -> None:
    assert engine.silence(electronics, engine.begin(electronics, "es")) is None
    assert engine.silence(replace(electronics, silence=None), at()) is None


def test_an_old_state_of_another_version(electronics: Dialog) -> None:
    old = msgspec.json.encode(
        {
            "dialog": "electronics", "version": 0, "asked": "gone", "greeted": True, "unheard_of": 1,
            "answers": {
                "gone": {"value": 1, "shown": "1"}, "full_name": {"value": "Ana Ruiz", "shown": "Ana Ruiz"},
                "budget": {"value": "mucho", "shown": "mucho"}, "timing": {"value": "ayer", "shown": "Ayer"},
            },
        }
    )  # fmt: skip
    state, effects = engine.step(electronics, engine.state_from_json(old), turn("buenas", "greet"))
    assert state.version == electronics.version
    assert state.answers["gone"].value == 1
    assert "¿Qué equipo" in text_of(effects) or "estás buscando" in text_of(effects)
    assert engine.score(electronics, state, NOW) == (0, ())


def test_not_a_state() -> None:
    with pytest.raises(ValueError, match="truncated"):
        engine.state_from_json("{")


def test_a_long_answer_leaves_as_two(electronics: Dialog, at: Callable[..., State]) -> None:
    edited = with_overrides(electronics, {"faq.shipping.say": {"es": "x" * 1000}}, 2)
    _, effects = engine.step(edited, at(answers=ANA | {"need": TOLD["need"]}, asked="buyer"), turn("¿hacen envíos?", "shipping"))
    says = [effect for effect in effects if isinstance(effect, Say)]
    assert [bool(say.choices) for say in says] == [False, True]
    assert len(says[0].text) == 1000


@pytest.mark.parametrize(
    ("text", "language", "asked", "then"),
    [
        ("do you have this laptop in blue?", "en", "need", "en"),
        ("John Smith Junior", "en", "full_name", "es"),
        ("john.smith@mail.com is my mail", "en", "mail", "es"),
        ("laptop", "en", "need", "es"),
        ("quero um notebook para trabalho", "pt", "need", "pt"),
        ("bonjour, vous avez des ordinateurs", "fr", "need", "es"),
    ],
)
def test_language_follows_clear_writing(
    electronics: Dialog, at: Callable[..., State], text: str, language: str, asked: str, then: str
) -> None:
    state, _ = engine.step(
        electronics, at(answers=ANA if asked != "full_name" else {}, asked=asked), turn(text, language=language)
    )
    assert state.language == then


@pytest.mark.parametrize(("intent", "granted"), [("stop", False), ("start", True)])
def test_consent_whatever_was_asked(electronics: Dialog, at: Callable[..., State], intent: str, granted: bool) -> None:
    state = at(answers=ANA, asked="need")
    after, effects = engine.step(electronics, state, turn("BAJA", intent))
    assert commands(effects) == [RecordConsent("marketing", granted, "BAJA")]
    assert (after.answers, after.asked) == (state.answers, state.asked)


def test_starting_anew_keeps_who_it_is(electronics: Dialog, at: Callable[..., State]) -> None:
    state, _ = engine.step(electronics, at(answers=TOLD, asked=None, status="confirming"), turn("empezar de nuevo", "restart"))
    assert set(state.answers) == {"full_name", "mail"}
    assert state.asked == "need"


def test_a_word_that_is_a_choice_is_no_repair(electronics: Dialog, at: Callable[..., State]) -> None:
    state, effects = engine.step(
        electronics, at(answers=ANA | {"need": TOLD["need"]}, asked="buyer"), turn("persona natural", "human")
    )
    assert state.answers["buyer"].value == "personal"
    assert not any(isinstance(effect, Handoff) for effect in effects)


@pytest.mark.parametrize(
    ("text", "intent", "key"),
    [("baja", "stop", "baja"), ("es alta", "start", "alta"), ("media", "inform", "media"), ("STOP", "stop", None)],
)
def test_a_choice_comes_before_consent(
    electronics: Dialog, at: Callable[..., State], text: str, intent: str, key: str | None
) -> None:
    grades = {grade: {"es": f"Urgencia {grade}", "en": grade, "pt": grade} for grade in ("alta", "media", "baja")}
    dialog = with_overrides(electronics, {"questions.buyer.choices": grades}, 2)
    state, effects = engine.step(dialog, at(answers=ANA | {"need": TOLD["need"]}, asked="buyer"), turn(text, intent))
    assert state.answers.get("buyer") == (Answer(key, f"Urgencia {key}") if key else None)
    assert [type(command) for command in commands(effects)] == ([] if key else [RecordConsent])


def test_an_address_may_come_in_pieces(electronics: Dialog, at: Callable[..., State]) -> None:
    told = {name: answer for name, answer in TOLD.items() if name != "mail"}
    state = at(answers=told, asked="mail")
    for piece in ("ana.ruiz", "arroba", "gmail.com"):
        assert "mail" not in state.answers
        state, _ = engine.step(electronics, state, turn(piece, "inform"))
    assert state.answers["mail"].value == "ana.ruiz@gmail.com"
    assert (state.draft, state.failures) == ("", 0)


def test_a_doubt_never_answers_another_question(electronics: Dialog, at: Callable[..., State]) -> None:
    told = {name: TOLD[name] for name in ("full_name", "need", "buyer")}
    state, _ = engine.step(electronics, at(answers=told, asked="budget"), turn("100", "inform"))
    state, _ = engine.step(electronics, state, turn("no sé todavía", "skip"))
    assert (state.asked, state.doubt) == ("timing", None)
    state, _ = engine.step(electronics, state, turn("sí", "affirm"))
    assert "timing" not in state.answers


def test_every_answer_can_be_picked_to_correct(electronics: Dialog, at: Callable[..., State]) -> None:
    more = {f"extra_{number}": Answer("x", "x") for number in range(9)}
    questions = {
        **electronics.questions,
        **{name: dataclasses.replace(electronics.questions["need"], name=name) for name in more},
    }
    dialog = dataclasses.replace(electronics, questions=questions, order=(*electronics.order, *more))
    _, effects = engine.step(dialog, at(answers=TOLD | more, status="confirming"), turn(choice="_confirm:fix"))
    say = effects[0]
    assert isinstance(say, Say)
    assert len(say.choices) == len(TOLD) + len(more)


def test_the_summary_shows_all_that_fits(electronics: Dialog, at: Callable[..., State]) -> None:
    told = {name: answer for name, answer in TOLD.items() if name != "mail"}
    long = Answer("x" * 300, "x" * 300)
    _, effects = engine.step(electronics, at(answers=told | {"need": long}, asked="mail"), turn("ana@ruiz.co", "inform"))
    assert "x" * 300 in text_of(effects)
    longer = Answer("y" * 2000, "y" * 2000)
    _, effects = engine.step(electronics, at(answers=told | {"need": longer}, asked="mail"), turn("ana@ruiz.co", "inform"))
    say = effects[0]
    assert isinstance(say, Say)
    assert 900 < len(say.text) <= 1024
    assert "ana@ruiz.co" in say.text


def test_the_seller_reads_amounts_in_spanish(electronics: Dialog, at: Callable[..., State]) -> None:
    state = at(answers=TOLD, language="en", status="confirming")
    _, effects = engine.step(electronics, state, turn("", "repeat"))
    assert "$ 6,000,000" in text_of(effects)
    _, effects = engine.step(electronics, state, turn("yes", "affirm"))
    lead = commands(effects)[0]
    assert isinstance(lead, RegisterLead)
    assert [one.shown for one in lead.answers if one.question == "budget"] == ["$ 6.000.000"]


def test_what_lasts_is_not_asked_for_the_next_interest(electronics: Dialog, at: Callable[..., State]) -> None:
    state, _ = engine.step(electronics, at(answers=TOLD, status="done"), turn("ahora quiero un televisor", "buy"))
    assert set(state.answers) == {"full_name", "mail", "city", "need"}


def test_known_facts_are_not_asked(electronics: Dialog) -> None:
    state, effects = engine.step(
        electronics,
        engine.begin(electronics, "es"),
        turn("hola", "greet", known={"name": "Ana Ruiz", "phone": "+573105551234"}, returning=True),
    )
    assert "Ana" in text_of(effects)
    assert state.asked == "need"


def test_an_order_from_the_catalogue_is_the_need(electronics: Dialog, at: Callable[..., State]) -> None:
    order = Attachment("order", "17", detail="2 × Monitor LG 27")
    state, _ = engine.step(electronics, at(answers=ANA, asked="need"), turn(attachments=(order,)))
    assert state.answers["need"].value == "2 × Monitor LG 27"


def test_a_doubt_keeps_what_was_written_until_a_yes(electronics: Dialog, at: Callable[..., State]) -> None:
    written, effects = engine.step(electronics, at(answers=TOLD | {}, asked="mail"), turn("ana@gmial.com", "inform"))
    assert "ana@gmail.com" in text_of(effects)
    assert written.answers["mail"].value == "ana@gmial.com"
    kept, _ = engine.step(electronics, written, turn("no", "deny"))
    assert (kept.answers["mail"].value, kept.doubt) == ("ana@gmial.com", None)
    taken, _ = engine.step(electronics, written, turn("sí", "affirm"))
    assert taken.answers["mail"].value == "ana@gmail.com"


def test_failures_start_over_after_an_answer(electronics: Dialog, at: Callable[..., State]) -> None:
    state = at(answers=ANA | {"need": TOLD["need"], "buyer": TOLD["buyer"]}, asked="budget")
    for _ in range(2):
        state, _ = engine.step(electronics, state, turn("normalito"))
    assert state.failures == 2
    state, _ = engine.step(electronics, state, turn("2 millones", "inform"))
    assert state.failures == 0
    for _ in range(3):
        state, effects = engine.step(electronics, state, turn("zzz"))
    assert effects[-1] == Handoff("failures")
    assert state.status == "human"


def test_formal_where_the_number_is(electronics: Dialog, at: Callable[..., State]) -> None:
    formal = replace(turn("Ana Ruiz", "inform"), voice=Voice("Luna", "TecnoCentro", "usted"))
    assert "Cuénteme, Ana" in text_of(engine.step(electronics, at(asked="full_name"), formal)[1])


@pytest.mark.parametrize(
    ("source", "values", "holds"),
    [
        ("buyer == 'empresa'", {"buyer": "empresa"}, True),
        ("buyer != 'empresa'", {}, False),
        ("budget >= 5000", {}, False),
        ("budget >= 5000", {"budget": "mucho"}, False),
        ("buyer == 'empresa' or budget > 1", {"buyer": "empresa"}, True),
        ("not buyer", {}, True),
        ("buyer in ['empresa', 'tienda']", {"buyer": "tienda"}, True),
        ("day|days_from(today) <= 7", {"day": NOW.date() + timedelta(days=3), "today": NOW.date()}, True),
        ("day|days_from(today) <= 7", {"today": NOW.date()}, False),
    ],
)
def test_conditions(source: str, values: dict[str, Any], holds: bool) -> None:
    assert compile_condition(source, {"buyer", "budget", "day"}).holds(values) is holds


@pytest.mark.parametrize(
    ("source", "name", "text"),
    [
        ("¡Gracias, {name|first_name}!", "Ana María Ruiz", "¡Gracias, Ana!"),
        ("¡Gracias, {name|first_name}!", "", "¡Gracias!"),
        ("{name}: ¿seguimos?", "", ": ¿seguimos?"),
        ("Apenas abramos, {name}.", "", "Apenas abramos."),
        ("¡Hola {name}!", "", "¡Hola!"),
        ("¡Hola {name}!", "{bot}", "¡Hola {bot}!"),
    ],
)
def test_texts_without_a_value_stay_clean(source: str, name: str, text: str) -> None:
    sources = dict.fromkeys(("es", "en", "pt"), source)
    assert compile_text(sources, {"name"}).render("es", "tu", {"name": name}) == text


def test_the_summary_can_be_sent_while_asked_what_to_correct(electronics: Dialog, at: Callable[..., State]) -> None:
    state = at(answers=TOLD, status="confirming")
    state, effects = engine.step(electronics, state, turn(choice="_confirm:fix"))
    assert "¿Qué dato quieres cambiar?" in text_of(effects)
    assert engine.step(electronics, state, turn(choice="_confirm:yes"))[0].status == "done"
    after, effects = engine.step(electronics, state, turn("no", "deny"))
    assert (after.status, after.offer) == ("confirming", "")


def test_what_was_on_offer_is_not_pressed_twice(electronics: Dialog, at: Callable[..., State]) -> None:
    state = at(answers=TOLD, status="done")
    after, effects = engine.step(electronics, state, turn(choice="_confirm:yes"))
    assert after.status == "done"
    assert not commands(effects)


def test_a_correction_and_an_answer_in_one_message(electronics: Dialog, at: Callable[..., State]) -> None:
    told = {name: TOLD[name] for name in ("full_name", "need", "buyer", "mail")}
    said = turn("no, mi correo es otro: luis@ruiz.co, y lo necesito hoy, tengo 3 millones", "correct")
    state, effects = engine.step(electronics, at(answers=told, asked="budget"), said)
    assert state.answers["mail"].value == "luis@ruiz.co"
    assert state.answers["timing"].value == "hoy"
    assert state.answers["budget"].shown == "$ 3.000.000"
    assert "Corregido: luis@ruiz.co." in text_of(effects)
    assert state.asked == "city"


@pytest.mark.parametrize(
    ("asked", "said", "told"),
    [
        ("budget", "unos 4 millones, y escríbeme a ana@ruiz.co", {"budget": "$ 4.000.000", "mail": "ana@ruiz.co"}),
        ("mail", "tengo 4 millones", {}),  # an amount is only what was asked where it was asked
        ("budget", "¿me cobran 300 mil de envío?", {}),
        ("mail", "ana@gmial.com", {}),  # it would have to be confirmed
        ("buyer", "para una empresa, hoy mismo, en Cali", {}),  # a seller may have asked for anything
        ("need", "un televisor", {}),
        (None, "mi correo es ana@ruiz.co", {"mail": "ana@ruiz.co"}),
    ],
)
def test_what_can_only_be_an_answer_is_overheard(
    electronics: Dialog, at: Callable[..., State], asked: str | None, said: str, told: dict[str, str]
) -> None:
    before = at(answers=ANA, asked=asked, status="human")
    state = engine.overhear(electronics, before, turn(said))
    assert {name: answer.shown for name, answer in state.answers.items() if name not in ANA} == told
    assert (state.status, state.asked) == ("human", None if asked in told else asked)


def test_what_is_known_is_not_overheard_anew(electronics: Dialog, at: Callable[..., State]) -> None:
    before = at(answers=TOLD, asked="mail")
    assert engine.overhear(electronics, before, turn("mi contador es conta@otro.co")) is before


@pytest.mark.parametrize(
    ("intent", "first", "sure", "also"),
    [("out_of_scope", "shipping", 0.3, "payment"), ("price", "shipping", 0.9, "payment"), ("out_of_scope", None, 0.0, "payment")],
)
def test_what_is_asked_beside_an_unsure_question_is_answered(at, electronics, intent, first, sure, also):
    understood = Understanding(intent, 0.95, faq=first, faq_confidence=sure, also=(also,))
    asked = dataclasses.replace(turn("¿y eso cómo? ¿aceptan Nequi?"), understanding=understood)
    _, effects = engine.step(electronics, at(answers=ANA, asked="need"), asked)
    assert electronics.faq[also].say.sources["es"] in text_of(effects)
    assert electronics.faq["shipping"].say.sources["es"] not in text_of(effects)
    assert (electronics.common["price"].sources["es"] in text_of(effects)) == (intent == "price")


def test_all_but_one_thing_is_no_yes(electronics: Dialog, at: Callable[..., State]) -> None:
    state, effects = engine.step(
        electronics, at(answers=TOLD, asked=None, status="confirming"), turn("todo bien menos el correo", "affirm")
    )
    assert (commands(effects), state.status, state.asked) == ([], "open", "mail")


@pytest.mark.parametrize(("asked", "status"), [("mail", "confirming"), ("need", "cancelled")])
def test_a_no_to_a_reminder_skips_what_need_not_be_told(
    electronics: Dialog, at: Callable[..., State], asked: str, status: str
) -> None:
    told = {name: answer for name, answer in TOLD.items() if name != asked}
    state, _ = engine.step(electronics, at(answers=told, asked=asked, reminded=True), turn("no", "deny"))
    assert state.status == status


def test_the_same_wish_is_kept_once(electronics: Dialog, at: Callable[..., State]) -> None:
    state, _ = engine.step(electronics, at(answers=TOLD, asked=None, status="done"), turn("también un portátil", "buy"))
    assert state.answers["need"].value == "un portátil"

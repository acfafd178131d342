"""What our own people's words mean: commands in every form, names, yes and no, times; and the sentences they read."""

from __future__ import annotations

import string
import time
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.staff import speech, words
from bot.staff.heard import HEARD
from bot.staff.meaning import understand
from bot.staff.table import BY_NAME
from bot.staff.times import when
from crm_bridge.assignment.rules import Taken
from data.tables import Alert
from nlu.entities.words import fold

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("America/Bogota"))


# --------------------------------------------------------------------------------------------------------- commands
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (command, said)
        for command, ways in {
            "leads": "cuales tengo|mi prospectos|q hay pa mi|listame los prospectos|tengo algo nuevo?|qué clientes tengo|"
            "buenas noches, mis prospectos|vale, mis prospectos|ke hay pa mi",
            "next": "dale el siguiente|pasame el siguiente|otro|quien mas|a quien le respondo|regálame el próximo|"
            "perfecto, siguiente plis",
            "take": "dale lo tomo|yo lo tomo|la cojo|yo la agarro|listo yo la atiendo|la tomo yo|mío|me la quedo",
            "pass": "paso no puedo|no puedo ahora|ahora no puedo|paso de este|dáselo a otro|que lo tome otro|paso, estoy ocupado",
            "summary": "info de ana|dame los datos de ana|q pasó con ana|contame de ana|buscame a ana",
            "reply": "respondele que sí|escribile hola|contéstele: ya|dígale que ya|avísale que ya sale|mandale: ya sale",
            "note": "anotá que pide factura|apuntale que sí|pon una nota: paga|agregá una nota a ana: paga",
            "remind": "recordame mañana|acuerdame mañana|haceme acordar mañana|ponme una alarma a las 5|mañana recuérdame llamar",
            "reminders": "que recordatorios tengo|borra el recordatorio|cuales son mis recordatorios",
            "busy": "toy almorzando|voy a almorzar, vuelvo en una hora|en reunión|vuelvo a las 3|no me pases mas leads",
            "back": "ya volvi|ya regresé|ya estoy de vuelta|estoy disponible|aqui estoy|listo ya llegué",
            "return": "devuelve a ana al bot|devuélvesela al bot|regresalo al bot|que lo atienda el bot",
            "transfer": "pasa a ana a camilo|pasale ana a camilo|transferí a camilo|asignaselo a camilo|dáselo a camilo",
            "undo": "deshacer|me equivoqué|borra eso|cancelalo",
            "help": "q mas puedes hacer|como funciona esto|ayúdame",
        }.items()
        for said in ways.split("|")
    ],
)
def test_commands_are_heard_in_every_form(command: str, said: str) -> None:
    meant = understand(said, "seller")
    assert (meant.command.name if meant else None) == command


@pytest.mark.parametrize(
    "said",
    [
        "Dime si te sirve", "Paso mañana por su oficina", "La tengo lista", "Tengo 3 disponibles", "Está disponible en negro",
        "Otro modelo", "El siguiente modelo es mejor", "¿Quién recibe el pedido?", "No puedo bajar más", "Vuelvo con el precio",
        "no espera", "Yo puedo", "Un lo tomo", "Claro, paso mañana por su oficina", "Perfecto, quedo pendiente",
        "Buenas tardes, el siguiente modelo ya llegó",
    ],
)  # fmt: skip
def test_what_is_said_to_customers_is_no_command(said: str) -> None:
    assert understand(said, "seller") is None


def test_a_slip_in_a_short_word_is_none() -> None:
    """It says the contrary: "yo lo tomo" was a slip of "no lo tomo" once, and "pasa a Ana a Camilo" one of "pausa"."""
    assert [understand(said, "seller").command.name for said in ("yo lo tomo", "pasa a Ana a Camilo")] == ["take", "transfer"]  # type: ignore[union-attr]
    assert understand("yo lo pazo", "seller") is None


def test_a_slip_that_may_be_of_two_commands_is_of_none() -> None:
    assert understand("recordatoro", "seller") is None, "a new one, or those that there are"
    assert understand("recordatoros", "seller").command.name == "reminders"  # type: ignore[union-attr]


def test_a_question_of_two_commands_is_the_one_that_they_may_ask() -> None:
    assert understand("¿qué hay pendiente?", "seller").command.name == "leads"  # type: ignore[union-attr]
    assert understand("¿qué hay pendiente?", "manager").command.name == "waiting"  # type: ignore[union-attr]


def test_every_pattern_is_a_commands() -> None:
    assert set(HEARD) <= set(BY_NAME)


@pytest.mark.parametrize("piece", ["paso ", "ya ", "pasa a ", "no me pases mas ", "a ", "estoy en a la ", "¿¡ ", "si no "])
def test_no_words_take_long(piece: str) -> None:
    begin = time.perf_counter()
    understand((piece * 4096)[:4096])
    assert time.perf_counter() - begin < 1


# ------------------------------------------------------------------------------------------------- yes, no, names
@pytest.mark.parametrize(
    ("said", "yes"),
    [
        ("sí", True), ("dale, envíalo", True), ("ok listo", True), ("de una", True), ("sí por favor", True), ("órale va", True),
        ("sí plis", True),
        ("no", False), ("ok no", False), ("no, espera", False), ("mejor no", False), ("todavía no", False), ("cancela", False),
        ("sí pero espera", None), ("sí hay 20", None), ("no hay", None), ("gracias", None), ("", None), ("👍", None),
    ],
)  # fmt: skip
def test_a_yes_is_nothing_else(said: str, yes: bool | None) -> None:
    assert speech.verdict(fold(said)) is yes


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("de Ana Ruiz porfa", "Ana Ruiz"), ("a la Torres", "Torres"), ("ese cliente", ""), ("la de ella", ""), ("yo", ""),
        ("", ""), ("María de la Cruz, gracias", "María de la Cruz"), ("Ana Ruiz parce", "Ana Ruiz"),
        ("+57 300 123", "57 300 123"),
    ],
)  # fmt: skip
def test_a_name_is_what_is_left(said: str, name: str) -> None:
    assert speech.called(said) == name


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("que ya salió", "ya salió"),
        ("q si", "si"),
        ("que tal", "que tal"),
        ("que prefieres?", "que prefieres?"),
        ("hola", "hola"),
    ],
)
def test_reported_words_become_the_words(said: str, written: str) -> None:
    assert speech.reported(said) == written


# ------------------------------------------------------------------------------------------------------------- times
@pytest.mark.parametrize(
    ("said", "at", "rest"),
    [
        ("en 15", "24 10:15", ""), ("mañana 9", "25 09:00", ""), ("llamar en la tarde", "24 15:00", "llamar"),
        ("llamar por la mañana", "25 09:00", "llamar"), ("cobrar mañana 45", "25 09:00", "cobrar 45"),
    ],
)  # fmt: skip
def test_half_told_times(said: str, at: str, rest: str) -> None:
    found = when(said, NOW)
    assert found is not None
    assert (f"{found.at:%d %H:%M}", found.rest) == (at, rest)


def test_a_day_that_is_none_is_no_time() -> None:
    assert when("llamar el viernes 00", NOW) is None


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("ocupado por hoy", "24 23:59"), ("no vuelvo hoy", "24 23:59"), ("ocupado toda la tarde", "24 18:00"),
        ("ocupado esta tarde", "24 18:00"), ("vuelvo en 10", "24 10:10"), ("en almuerzo vuelvo a las 2", "24 14:00"),
        ("ocupado hasta nuevo aviso", None),
    ],
)  # fmt: skip
def test_until_when_somebody_is_away(said: str, until: str | None) -> None:
    found = when(said, NOW, lasting=True)
    assert (f"{found.at:%d %H:%M}" if found else None) == until


# --------------------------------------------------------------------------------------------------------- sentences
@pytest.mark.parametrize("key", words.catalogue()["say"])
def test_no_sentence_has_two_full_stops(key: str) -> None:
    """Whatever stands in a text may end in one of its own: "a las 3:00 p. m.", "Ruiz y Cía. S. A."."""
    pattern = words.catalogue()["say"][key]
    names = {name for _, name, _, _ in string.Formatter().parse(pattern) if name}
    values = {name: 3 if f"{{{name}:" in pattern else "3:00 p. m." for name in names}
    assert ".." not in words.say(key, **values)


def test_no_refusal_has_two_full_stops() -> None:
    assert words.refused(Taken("Ruiz S. A.")) == "Ya lo atiende Ruiz S. A."


def test_what_somebody_wrote_is_shown_as_it_is() -> None:
    assert "«ya voy..»" in words.say("send_this", name="Ana", words="ya voy..")


# -------------------------------------------------------------------------------------------------------------- lists
async def test_a_colleague_of_an_older_list_gets_whom_it_asked_about(chat: Any) -> None:
    await chat.say("carla", "tomar a Ana Ruiz")
    await chat.say("carla", "transferir")
    older = chat.shown["carla", "Camilo Duarte"]
    await chat.say("carla", "tomar a Luis")
    await chat.say("carla", "transferir")
    told = await chat.say("carla", "Camilo Duarte", choice=older)
    assert told == "< Se lo ofrecí a Camilo Duarte: Ana Ruiz es suyo cuando lo acepte."


async def test_one_of_a_list_is_pointed_at(chat: Any) -> None:
    await chat.say("carla", "tomar a Ana Ruiz")
    await chat.say("carla", "transferir")
    told = await chat.say("carla", "al de abajo")
    assert told == "< Se lo ofrecí a Germán Rojas: Ana Ruiz es suyo cuando lo acepte."


@pytest.mark.parametrize("said", ["a las 2", "todos", "ese mismo", "el otro", "el segundo turno"])
async def test_what_points_at_none_of_a_list_presses_nothing(chat: Any, said: str) -> None:
    await chat.say("carla", "tomar a Ana Ruiz")
    await chat.say("carla", "transferir")
    assert not (await chat.say("carla", said)).startswith("< Se lo ofrecí")


@pytest.mark.parametrize(
    ("said", "day"),
    [("el primer lunes de diciembre a las 9", "lunes 7 de diciembre"),
     ("el último viernes del mes a las 3", "viernes 27 de noviembre"),
     ("de hoy en ocho a las 10", "de diciembre"), ("en la primera semana de enero", "1 de enero"),
     ("pasao mañana a las 9", "de noviembre")],
)  # fmt: skip
async def test_reminders_know_the_days_that_dialogs_do(chat: Any, said: str, day: str) -> None:
    assert day in await chat.say("carla", f"recuérdame pagar {said}")


async def test_words_go_to_whom_their_list_showed(chat: Any) -> None:
    """A row or button that stands further up names another question."""
    await chat.say("carla", "resumen de Luis")
    older = chat.shown["carla", "Responder"]
    await chat.say("carla", "responder a Ana: secreto")
    assert await chat.say("carla", "Responder", choice=older) == "< ¿Qué le escribo a Luis Ñáñez?"


async def test_a_time_is_for_the_reminder_it_was_shown_with(chat: Any) -> None:
    await chat.say("carla", "recuérdame pagar")
    older = chat.shown["carla", "Mañana a las 9"]
    await chat.say("carla", "recuérdame cobrar")
    assert await chat.say("carla", "Mañana a las 9", choice=older) == "< " + words.say("old_button")


async def test_why_it_is_handed_on_is_told_to_the_colleague(chat: Any) -> None:
    await chat.say("carla", "tomar a Ana Ruiz")
    await chat.say("carla", "transferir a Camilo, está en su zona")
    (alert,) = await chat.rows(Alert, Alert.kind == "transferred")
    assert "está en su zona" in str(alert.facts)


async def test_a_yes_is_no_answer_to_several_offers_or_to_one_of_before(chat: Any) -> None:
    await chat.offer("Ana Ruiz", "carla")
    await chat.say("carla", "ayuda")
    chat.now += chat.now.resolution
    await chat.say("carla", "ayuda")
    assert await chat.say("carla", "gracias") == "< Con gusto, Carla."
    assert (await chat.say("carla", "sí")).startswith("< No entendí")
    await chat.do(partial(chat.prospect, name="Eva Luna"))
    await chat.offer("Eva Luna", "carla")
    await chat.offer("Luis Ñáñez", "carla")
    assert (await chat.say("carla", "sí")).startswith("< No entendí")
    assert await chat.owner("Eva Luna") == ("queued", None)

"""What the staff chat must hold besides its words: who may do what, old and foreign buttons, one-time codes, its catalogue."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import update

from bot import staff_chat, takeover, workplace
from bot.channels import whatsapp_build
from bot.staff import codes, words
from bot.staff.desk import EVERYBODY, MANAGERS
from bot.staff.meaning import understand
from bot.staff.memory import Memory, is_memory, keep, recall
from bot.staff.table import BY_NAME, COMMANDS, handler_of
from crm_bridge.assignment import reminders, rules
from data.tables import (
    Alert,
    Assignment,
    ContactPoint,
    Conversation,
    Delivery,
    LinkCode,
    Note,
    Offer,
    OutboxMessage,
    Person,
    Reminder,
    Seller,
    User,
)
from dialogs import engine
from dialogs.model import State
from nlu.entities.words import fold
from notifications import alerts
from tests.crm_bridge.assignment.conftest import decide

CODE = "ABCD2345"


# ------------------------------------------------------------------------------------------------------ buttons
async def test_acepto_in_the_chat_takes_the_conversation_and_silences_every_alert(any_chat: Any, alert_of: Any) -> None:
    alert = await any_chat.offer("Ana Ruiz", "carla")
    await any_chat.press("carla", "Acepto")
    assert await any_chat.owner("Ana Ruiz") == ("human", any_chat.users["carla"])
    assert (await alert_of(alert)).state == "acknowledged"
    assert (await alert_of(alert)).via == "whatsapp"
    (offer,) = await any_chat.rows(Offer)
    assert (offer.state, offer.via) == ("accepted", "whatsapp")
    assert {row.state for row in await any_chat.rows(Delivery, Delivery.channel == "email")} == {"cancelled"}


async def test_whoever_was_told_besides_is_shown_that_it_is_settled(chat: Any) -> None:
    alert, german = await chat.offer("Ana Ruiz", "carla"), chat.users["german"]
    besides = partial(
        alerts.raise_alert, kind="lead_waiting", user_id=german, company_id=chat.company, facts=alerts.Facts(), now=chat.now,
        conversation_id=chat.talks["Ana Ruiz"],
    )  # fmt: skip
    await chat.do(besides)
    accept = partial(takeover.answer_alert, action="accept", via="page", now=chat.now)
    changed = await chat.do(lambda session: accept(session, session.get_one(Alert, alert)))
    assert {change.id for change in changed if change.topic == "alert"} == {chat.users["carla"], german}


async def test_paso_gives_the_lead_on_and_costs_no_turn(any_chat: Any, alert_of: Any) -> None:
    alert = await any_chat.offer("Ana Ruiz", "carla")
    assert await any_chat.press("carla", "Paso") == "< Listo, Ana Ruiz pasa a otra persona. No pierdes turno."
    assert await any_chat.press("carla", "Paso") == "< Listo, Ana Ruiz pasa a otra persona. No pierdes turno."
    (offer,) = await any_chat.rows(Offer)
    assert (offer.state, offer.via) == ("declined", "whatsapp")
    assert (await alert_of(alert)).state == "acknowledged"
    assert (await any_chat.hand("Ana Ruiz")).state == "waiting"


async def test_what_was_put_off_is_not_next_before_its_time(chat: Any) -> None:
    talk, hour = chat.talks["Ana Ruiz"], timedelta(hours=1)
    await chat.do(partial(takeover.take, talk_id=talk, user_id=chat.users["carla"], now=chat.now))
    due = update(Assignment).where(Assignment.conversation_id == talk).values(deadline_at=chat.now + hour)
    await chat.do(lambda session: session.execute(due))
    await chat.do(
        partial(workplace.snooze, talk_id=talk, user_id=chat.users["carla"], until=chat.now + hour, words="", now=chat.now)
    )
    assert await chat.say("carla", "siguiente") == "< " + words.say("nothing_next")
    chat.now += hour
    assert "Ana Ruiz" in await chat.say("carla", "siguiente")


async def test_each_refusal_of_a_button_has_its_sentence(any_chat: Any) -> None:
    await any_chat.offer("Ana Ruiz", "carla")
    mine = any_chat.shown["carla", "Acepto"]
    assert await any_chat.say("camilo", "Acepto", choice=mine) == "< Ese aviso era para otra persona."
    await any_chat.do(
        partial(decide, assignment_id=(await any_chat.hand("Ana Ruiz")).id, now=any_chat.now + timedelta(minutes=4))
    )
    assert await any_chat.say("carla", "Acepto", choice=mine) == "< Ese prospecto ya pasó a otra persona."
    await any_chat.do(
        partial(takeover.take, talk_id=any_chat.talks["Ana Ruiz"], user_id=any_chat.users["camilo"], now=any_chat.now)
    )
    assert await any_chat.say("carla", "Acepto", choice=mine) == "< Ya lo atiende Camilo Duarte."
    any_chat.now += timedelta(days=7)
    await any_chat.do(
        partial(takeover.give_back, talk_id=any_chat.talks["Ana Ruiz"], user_id=any_chat.users["camilo"], now=any_chat.now)
    )
    assert await any_chat.say("carla", "Paso", choice=mine.replace("accept", "pass")) == "< Ese prospecto ya no espera a nadie."


@pytest.mark.parametrize(
    "choice",
    [
        "alert:1:accept",
        "alert:99999999999999999999:pass",
        "staff:open:1",
        "staff:send:5",
        "staff:to:5",
        "staff:tomorrow:1",
        "si",
        "x:y",
    ],
)
async def test_a_button_that_means_nothing_any_more_says_so(chat: Any, choice: str) -> None:
    assert await chat.say("carla", "Acepto", choice=choice) == "< " + words.say("old_button")


async def test_nobody_reaches_another_company(chat: Any) -> None:
    foreign = chat.talks["Pedro Ajeno"]
    for verb in BY_NAME:
        told = await chat.say("german", "x", choice=f"staff:{verb}:{foreign}")
        assert "Pedro" not in told
        assert verb not in ("take", "summary", "reply", "note", "return", "transfer") or told == "< " + words.say("gone")
    (talk,) = await chat.rows(Conversation, Conversation.id == foreign)
    assert (talk.owner, talk.owner_id) == ("bot", None)


async def test_our_own_people_are_no_prospects(chat: Any) -> None:
    assert await chat.say("german", "resumen de Carla") == "< No encuentro a nadie que se llame «Carla»."
    assert await chat.say("german", "Tomar", choice=f"staff:take:{chat.talks['carla']}") == "< " + words.say("gone")


async def test_a_refusal_leaves_nothing_behind(any_chat: Any) -> None:
    any_chat.now += timedelta(days=2)
    assert (await any_chat.say("carla", "responder a Ana Ruiz: hola")).startswith("< Pasaron más de 24 horas")
    assert await any_chat.owner("Ana Ruiz") == ("queued", None)
    assert await any_chat.rows(OutboxMessage, OutboxMessage.author_id.is_not(None)) == []


# ------------------------------------------------------------------------------------------------- what is written
async def test_notes_reminders_and_presence_are_rows(chat: Any) -> None:
    await chat.say("carla", "nota sobre Ana Ruiz: pide factura")
    await chat.say("carla", "recuérdame llamarla mañana a las 9")
    await chat.say("carla", "ocupado hasta las 3")
    (note,) = await chat.rows(Note)
    assert (note.words, note.author_id, note.conversation_id) == ("pide factura", chat.users["carla"], chat.talks["Ana Ruiz"])
    (reminder,) = await chat.rows(Reminder)
    assert (reminder.words, f"{reminder.due_at:%d %H:%M}", reminder.conversation_id) == (
        "llamarla",
        "25 14:00",
        note.conversation_id,
    )
    (seller,) = await chat.rows(Seller)
    assert (seller.away, f"{seller.away_until:%H:%M}") == (True, "20:00")
    await chat.say("carla", "vuelvo")
    (seller,) = await chat.rows(Seller)
    assert (seller.away, seller.away_until) == (False, None)


async def test_what_is_said_a_quarter_of_an_hour_later_is_shown_and_not_sent(chat: Any) -> None:
    await chat.say("carla", "tomar a Ana Ruiz")
    await chat.press("carla", "Responder")
    chat.now += timedelta(minutes=16)
    assert (await chat.say("carla", "el precio es 20")).startswith("< ¿Le escribo esto a Ana Ruiz?")
    assert await chat.rows(OutboxMessage, OutboxMessage.author_id.is_not(None)) == []


async def test_a_command_is_a_command_after_a_question_too(chat: Any) -> None:
    await chat.say("carla", "tomar a Ana Ruiz")
    await chat.press("carla", "Responder")
    assert (await chat.say("carla", "mis prospectos")).startswith("< Tus prospectos (1)")
    assert await chat.rows(OutboxMessage, OutboxMessage.author_id.is_not(None)) == []


async def test_what_prospects_are_written_may_begin_like_a_command(chat: Any) -> None:
    await chat.say("carla", "tomar a Ana Ruiz")
    await chat.press("carla", "Responder")
    assert (await chat.say("carla", "Nota: el envío sale hoy")).startswith("< ¿Le escribo esto a Ana Ruiz?")
    assert await chat.rows(OutboxMessage, OutboxMessage.author_id.is_not(None)) == []
    await chat.press("carla", "Sí, enviar")
    (sent,) = await chat.rows(OutboxMessage, OutboxMessage.author_id.is_not(None))
    assert sent.text == "Nota: el envío sale hoy"


@pytest.mark.parametrize("kind", ["voice", "image", "location", "sticker"])
async def test_files_are_refused_and_not_passed_over(chat: Any, kind: str) -> None:
    assert await chat.say("carla", "", kind=kind) == "< " + words.say("only_text")


async def test_a_long_list_goes_on(chat: Any) -> None:
    for number in range(13):
        name = f"Cliente {number:02}"
        await chat.do(partial(chat.prospect, name=name))
        await chat.do(partial(takeover.take, talk_id=chat.talks[name], user_id=chat.users["carla"], now=chat.now))
    first = await chat.say("carla", "mis prospectos")
    assert first.count("[Cliente") == 9
    assert "[Ver más | 4 más]" in first
    assert (await chat.press("carla", "Ver más")).count("[Cliente") == 4


async def test_every_message_is_one_that_whatsapp_takes(chat: Any) -> None:
    def crowd(session: Any) -> None:
        chat.prospect(session, "María de los Ángeles " * 8, priority="hot")
        talk = session.get_one(Conversation, chat.talks["María de los Ángeles " * 8])
        talk.last_in_at, talk.unread = chat.now, 1

    await chat.do(crowd)
    await chat.do(
        partial(takeover.take, talk_id=chat.talks["María de los Ángeles " * 8], user_id=chat.users["german"], now=chat.now)
    )
    for _ in range(5):
        await chat.writes("María de los Ángeles " * 8, "muy largo " * 200)
    said = [example for command in COMMANDS for example in (*command.examples, *command.says)]
    for text in [*said, "responder a María: " + "x" * 4000, "nota " + "y" * 4096, "z" * 5000]:
        turn = await chat.turn("german", text)
        for reply in turn.replies:
            whatsapp_build.check(reply)


# ---------------------------------------------------------------------------------------------------------- access
async def test_who_was_removed_is_told_so_and_can_do_nothing(chat: Any) -> None:
    await chat.offer("Ana Ruiz", "carla")
    await chat.do(lambda session: session.execute(update(User).where(User.id == chat.users["carla"]).values(active=False)))
    told = "< " + words.say("no_access", company="Andina")
    assert await chat.press("carla", "Acepto") == told
    assert await chat.say("carla", "responder a Ana Ruiz: hola") == told
    assert await chat.say("carla", "mis prospectos") == told
    assert await chat.owner("Ana Ruiz") == ("queued", None)
    (person,) = await chat.rows(Person, Person.name == "Carla Mejía")
    assert person.user_id == chat.users["carla"]


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.roles != EVERYBODY], ids=lambda each: each.name)
async def test_a_seller_gets_nothing_of_a_managers_commands(chat: Any, command: Any) -> None:
    refused = "< " + words.say("not_allowed", says=command.says[0])
    assert await chat.say("carla", command.says[0]) == refused
    assert await chat.say("carla", "x", choice=f"staff:{command.name}:0") == refused
    assert f"*{command.says[0]}*" not in await chat.say("carla", "ayuda")
    assert f"*{command.says[0]}*" in await chat.say("german", "ayuda")


async def test_strangers_are_none_of_ours(chat: Any) -> None:
    assert await chat.say("Ana Ruiz", "mis prospectos") == "-"
    assert await chat.say("Ana Ruiz", "x", choice="staff:leads:0") == "-"


# ---------------------------------------------------------------------------------------------------- one-time codes
async def _code(chat: Any, user: str = "camilo", code: str = CODE, company: int | None = None) -> None:
    def add(session: Any) -> None:
        digest = hashlib.sha256(code.encode()).hexdigest()
        session.add(
            LinkCode(user_id=chat.users[user], code_hash=digest, expires_at=chat.now + timedelta(minutes=15), company_id=company)
        )

    await chat.do(add)


@pytest.mark.parametrize("said", [f"VINCULAR {CODE}", CODE, f"vincular: {CODE.lower()}", f"/start {CODE}", f" {CODE}. "])
async def test_a_code_binds_the_chat_to_its_account(chat: Any, said: str) -> None:
    await _code(chat)
    assert (await chat.say("Luis Ñáñez", said)).startswith("< ¡Listo, Camilo! Este chat quedó vinculado a tu cuenta de Andina.")
    (person,) = await chat.rows(Person, Person.name == "Luis Ñáñez")
    assert person.user_id == chat.users["camilo"]
    (point,) = await chat.rows(ContactPoint, ContactPoint.channel == "whatsapp")
    assert (point.user_id, point.address, point.conversation_id, point.enabled) == (
        chat.users["camilo"], "573005550000", chat.talks["Luis Ñáñez"], True
    )  # fmt: skip
    (code,) = await chat.rows(LinkCode)
    assert code.used_at == chat.now
    assert (await chat.hand("Luis Ñáñez")).state == "closed", "they are no prospect any more"
    assert await chat.say("Luis Ñáñez", "mis prospectos") == "< " + words.say("no_leads")


async def test_a_code_works_once_for_its_company_and_in_its_time(chat: Any) -> None:
    await _code(chat)
    wrong = "< " + words.say("wrong_code")
    assert await chat.say("Pedro Ajeno", f"vincular {CODE}") == wrong, "another company's"
    chat.now += timedelta(minutes=16)
    assert await chat.say("Luis Ñáñez", f"vincular {CODE}") == wrong, "late"
    chat.now -= timedelta(minutes=16)
    await chat.say("Luis Ñáñez", f"vincular {CODE}")
    assert await chat.say("Ana Ruiz", f"vincular {CODE}") == wrong, "used"
    assert await chat.say("Ana Ruiz", CODE) == "-", "for the dialog: nobody said that it was a code"
    assert [row.name for row in await chat.rows(Person, Person.user_id == chat.users["camilo"])] == [
        "Camilo Duarte",
        "Luis Ñáñez",
    ]


async def test_codes_cannot_be_tried_out(chat: Any) -> None:
    await _code(chat)
    told = [await chat.say("Luis Ñáñez", f"vincular ZZZZ222{number}") for number in range(codes.TRIES + 1)]
    assert told == ["< " + words.say("wrong_code")] * codes.TRIES + ["< " + words.say("too_many_codes")]
    assert await chat.say("Luis Ñáñez", f"vincular {CODE}") == "< " + words.say("too_many_codes")
    assert [await chat.say("Ana Ruiz", f"ZZZZ222{number}") for number in range(2, 9)] == ["-"] * 7
    assert await chat.say("Ana Ruiz", CODE) == "-"
    chat.now += timedelta(minutes=61)
    await chat.do(lambda session: session.execute(update(LinkCode).values(expires_at=chat.now + timedelta(minutes=1))))
    assert (await chat.say("Luis Ñáñez", f"vincular {CODE}")).startswith("< ¡Listo, Camilo!")


async def test_a_removed_account_binds_nothing(chat: Any) -> None:
    await _code(chat)
    await chat.do(lambda session: session.execute(update(User).where(User.id == chat.users["camilo"]).values(active=False)))
    assert await chat.say("Luis Ñáñez", f"vincular {CODE}") == "< " + words.say("wrong_code")


async def test_a_phone_that_changes_hands_tells_the_one_before_nothing_more(any_chat: Any) -> None:
    await _code(any_chat)
    await any_chat.say("Luis Ñáñez", CODE)
    await _code(any_chat, "carla", "WXYZ6789")
    assert (await any_chat.say("Luis Ñáñez", "vincular WXYZ6789")).startswith("< ¡Listo, Carla!")
    points = await any_chat.rows(ContactPoint, ContactPoint.channel == "whatsapp")
    assert [(point.user_id, point.enabled) for point in points] == [
        (any_chat.users["camilo"], False),
        (any_chat.users["carla"], True),
    ]


async def test_a_wrong_code_changes_nothing_in_a_conversation_that_somebody_answers(chat: Any) -> None:
    await chat.do(partial(takeover.take, talk_id=chat.talks["Ana Ruiz"], user_id=chat.users["carla"], now=chat.now))
    turn = await chat.turn("Ana Ruiz", "vincular ZZZZ2222")
    assert turn.row == {}
    assert await chat.owner("Ana Ruiz") == ("human", chat.users["carla"])


# ------------------------------------------------------------------------------------------------- table, texts, memory
def test_memory_is_no_dialogs_state() -> None:
    kept = keep(Memory(talk=3))
    assert is_memory(kept)
    assert recall(kept) == Memory(talk=3)
    dialog = engine.state_to_json(State("form"))
    assert not is_memory(dialog)
    assert recall(dialog) == recall(None) == recall('{"staff":"0","talk":"x"}') == Memory()


def test_every_command_is_told_of_and_found_by_all_its_words() -> None:
    texts = words.catalogue()
    assert set(texts["help"]) == set(BY_NAME)
    for command in COMMANDS:
        for said in (*command.says, *command.examples):
            meant = understand(said)
            assert meant is not None, said
            assert (meant.command.name, meant.sure) == (command.name, True), said
        assert command.roles in (EVERYBODY, MANAGERS)
        assert command.examples


def test_no_two_commands_are_said_alike() -> None:
    said = [fold(way) for command in COMMANDS for way in command.says]
    assert len(said) == len(set(said))


def test_every_button_has_words_and_does_something() -> None:
    texts = words.catalogue()["buttons"]
    runs_what_was_written = {"order"}
    assert set(texts) - {"choose"} - runs_what_was_written == {verb for verb in texts if handler_of(verb) is not None}


@pytest.mark.parametrize(
    "refusal",
    [
        *rules.AssignmentRefusal.__subclasses__(), takeover.WindowClosed, takeover.NothingWritten, takeover.TooLong,
        workplace.StillTheBots, reminders.TimePassed, reminders.TooFar,
    ],
)  # fmt: skip
def test_every_refusal_has_a_sentence(refusal: Any) -> None:
    if refusal is not rules.WrongShare:  # nobody changes shares in a chat
        assert words.refused(refusal())


def test_no_text_is_left_over() -> None:
    source = "".join(file.read_text("utf-8") for file in Path(staff_chat.__file__).parent.glob("staff*/*.py"))
    source += Path(staff_chat.__file__).read_text("utf-8")
    said = yaml.safe_load(Path(staff_chat.__file__).with_name("staff_texts.yaml").read_text("utf-8"))["say"]
    assert [key for key in said if f'"{key}"' not in source] == []


@pytest.mark.parametrize(
    ("said", "command", "rest"),
    [
        ("¿Me muestras mis prospectos?", None, ""),
        ("Muéstrame mis prospectos, porfa", "leads", ""),
        ("ver mis prospectos", "leads", ""),
        ("ver a Ana", "summary", "Ana"),
        ("SIGUIENTE!!", "next", ""),
        ("recuerdme llamar a Ana mañana a las 9", "remind", "llamar a Ana mañana a las 9"),
        ("Recuérdame: pagar", "remind", ": pagar"),
        ("/nota hola: mundo", "note", "hola: mundo"),
        ("/responder@bot a Ana: hola", "reply", "a Ana: hola"),
        ("notable", None, ""),
        ("paso mañana", None, ""),
        ("paso, gracias", "pass", ""),
        ("", None, ""),
        ("/", None, ""),
        ("a" * 5000, None, ""),
    ],
)
def test_what_words_mean(said: str, command: str | None, rest: str) -> None:
    meant = understand(said)
    assert (meant.command.name if meant else None, meant.words if meant else "") == (command, rest)

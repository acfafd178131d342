"""What is done about words that no rule knows: by the lines that neither the rules nor the model have seen."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.lessons import MODELS
from bot.staff import find, hunch, words
from bot.staff.ear import Ear
from bot.staff.meaning import understand
from bot.staff.memory import FRESH
from bot.staff.table import BY_NAME
from data.tables import Assignment, Conversation, Note, OutboxMessage, Person, Reminder, Seller
from nlu.engine import STAFF
from nlu.rasa_yaml import Line, read

HELD_OUT = [line for line in read(STAFF / "held_out") if understand(line.text, "manager") is None]
"""What only the model can know."""


class Says(Ear):
    """An ear that hears what it is told to."""

    def __init__(self, *likely: tuple[str, float]) -> None:
        super().__init__()
        self._likely = likely

    def likely(self, words: str) -> Any:
        return self._likely


async def _books(chat: Any) -> Any:
    """All that a command could change."""
    talks = await chat.rows(Conversation)
    hands = await chat.rows(Assignment)
    sellers = await chat.rows(Seller)
    return (
        [(talk.id, talk.owner, talk.owner_id) for talk in talks],
        [(hand.id, hand.state, hand.user_id) for hand in hands],
        [(seller.id, seller.away, seller.away_until) for seller in sellers],
        [len(await chat.rows(table)) for table in (Note, Reminder, OutboxMessage)],
    )


# ------------------------------------------------------------------------------------------------------ what it does
@pytest.mark.parametrize(("who", "lines"), [("carla", HELD_OUT[::4]), ("german", HELD_OUT[2::4])], ids=["seller", "manager"])
async def test_nothing_changes_before_a_yes(chat: Any, who: str, lines: list[Line]) -> None:
    """However sure it is, and whatever is said: lines that were held out, one after the other."""
    await chat.offer("Ana Ruiz", who)
    before = await _books(chat)
    for line in lines:
        chat.now += timedelta(seconds=1)
        await chat.say(who, line.text)
        await chat.say(who, "ayuda")  # leave what was asked
    assert await _books(chat) == before


async def test_most_held_out_lines_are_done_asked_or_offered_as_meant(chat: Any) -> None:
    seen: Counter[str] = Counter()
    for line in HELD_OUT:
        if line.intent not in BY_NAME or line.language != "es":
            continue
        ranked = chat.ear.likely(line.text)
        name, chance = ranked[0]
        offered = [each for each, likely in ranked[:3] if likely >= hunch.WORTH]
        right = name == line.intent if chance >= hunch.SURE else line.intent in offered
        seen["right" if right else "unclear" if chance < hunch.LEAST or name not in BY_NAME else "wrong"] += 1
    assert seen["right"] / seen.total() >= 0.88
    assert seen["wrong"] / seen.total() <= 0.1


@pytest.mark.parametrize("name", ["team", "waiting", "today"])
async def test_a_seller_gets_no_managers_command_however_likely(chat: Any, name: str) -> None:
    said = BY_NAME[name].says[0]
    chat.ear = Says((name, 0.99))
    assert await chat.say("carla", "blah blah blah") == f"< *{said}* es para gerentes."
    chat.ear = Says((name, 0.4), ("leads", 0.35), ("next", 0.2))
    told = await chat.say("carla", "blah blah blah")
    assert f"*{said}*" not in told
    assert told.endswith("< [Mis prospectos]\n< [Siguiente]")
    asked = chat.shown["carla", "Siguiente"].removeprefix("staff:as_next:")
    assert await chat.say("carla", "x", choice=f"staff:as_{name}:{asked}") == f"< *{said}* es para gerentes."


@pytest.mark.parametrize(
    ("likely", "told"),
    [
        ([("out_of_scope", 0.9), ("leads", 0.1)], "No entendí"),
        ([("leads", 0.34), ("next", 0.33)], "No entendí"),
        ([("out_of_scope", 0.5), ("leads", 0.4)], "No entendí"),
        ([("sales", 0.5), ("leads", 0.4)], "No entendí"),
        ([("sales", 0.9)], "Eso todavía no se puede pedir por este chat: las ventas"),
        ([("leads", 0.6)], "No tienes prospectos"),
        ([("leads", 0.59), ("next", 0.11)], "¿Quieres esto?"),
        ([("leads", 0.45), ("next", 0.4)], "No estoy seguro"),
        ([("busy", 0.99)], "¿Quieres esto?"),
        ([], "No entendí"),
    ],
)
async def test_how_sure_it_must_be(chat: Any, likely: list[tuple[str, float]], told: str) -> None:
    chat.ear = Says(*likely)
    assert (await chat.say("carla", "blah blah blah")).startswith(f"< {told}")


async def test_a_fault_of_ours_is_not_said_to_be_theirs(chat: Any) -> None:
    class Broken(Ear):
        def likely(self, words: str) -> Any:
            return {}[words]

    chat.ear = Broken()
    with pytest.raises(KeyError):
        await chat.say("carla", "blah blah blah")


async def test_an_old_question_is_no_order_any_more(chat: Any) -> None:
    chat.ear = Says(("busy", 0.9))
    await chat.say("carla", "blah blah blah")
    older = chat.shown["carla", "Sí"]
    await chat.say("carla", "bleh bleh bleh")
    assert (await chat.say("carla", "Sí", choice=older)).startswith("< Ese botón ya no sirve")
    await chat.say("carla", "blah blah blah")
    chat.now += FRESH
    assert (await chat.press("carla", "Sí")).startswith("< Ese botón ya no sirve")


# ------------------------------------------------------------------------------------------------------ what it reads
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("coméntale a luis que ya salió", "ya salió"), ("ponle a ana: mañana", "mañana"), ("tell him that it sold", "it sold"),
        ("avisa a ana que saiu", "saiu"), ("mandale a ana q ya", "ya"), ("ponle un mensaje a luis", ""),
        ("que ana sepa que ya salió", "ya salió"),
    ],
)  # fmt: skip
def test_what_is_to_be_told(said: str, told: str) -> None:
    assert hunch._told(said) == told


@pytest.mark.parametrize(
    ("intent", "said", "told"),
    [
        ("reply", "cuéntale a Luis que Ana Ruiz ya llegó con el Samsung", "¿Le escribo esto a Luis Ñáñez?"),
        ("reply", "cuéntale al señor Pinzón que ya llegó", "No encuentro a nadie que se llame «Pinzón»."),
        ("summary", "en qué quedamos con Gerardo", "No encuentro a nadie que se llame «Gerardo»."),
        ("return", "que con Luis siga la máquina", "Luis Ñáñez"),
        ("transfer", "que a Luis lo lleve Camilo", "Luis Ñáñez → Camilo Duarte"),
        ("note", "deja escrito que Luis quiere el Samsung", "Luis Ñáñez"),
        ("note", "deja escrito que quiere el Samsung", "«quiere el Samsung»"),
        ("take", "la señora Ana Torres pa mí", "Ana Torres"),
    ],
)
async def test_whom_a_sentence_is_about(chat: Any, intent: str, said: str, told: str) -> None:
    chat.ear = Says((intent, 0.9))
    assert told in await chat.say("carla", said)


async def test_one_word_of_a_company_names_nobody(chat: Any) -> None:
    """It may be any word: two are needed."""
    luis = update(Person).where(Person.name == "Luis Ñáñez").values(organisation="Comercial Andina")
    await chat.do(lambda session: session.execute(luis))

    async def named(words: str) -> list[str]:
        found = await chat.do(lambda session: find.mentioned(session, words, chat.users["carla"]))
        return [each.name for each in found]

    assert await named("mándale la factura comercial") == []
    assert await named("escríbele a los de comercial andina") == ["Luis Ñáñez"]


def test_every_intent_is_a_command_or_said_to_come() -> None:
    intents = {line.intent for line in read(STAFF)}
    assert intents == {*BY_NAME, *words.catalogue()["later"], "out_of_scope"}


# ------------------------------------------------------------------------------------------------------------ the ear
def test_what_was_learnt_is_kept(ear: Ear) -> None:
    again = Ear(MODELS)
    assert again.likely("mis clientes") == ()
    again.learn()
    assert again.likely("a ver qué clientes tengo") == ear.likely("a ver qué clientes tengo")
    assert list((MODELS / STAFF.name).glob("nlu-*.npz"))


def test_without_a_model_the_rules_go_on(tmp_path: Path) -> None:
    deaf = Ear(tmp_path, encoder=object())  # type: ignore[arg-type]
    deaf.learn()
    assert deaf.ready()
    assert deaf.likely("a ver qué clientes tengo") == ()


@pytest.mark.parametrize("said", ["", "7", "¿?", "3.000", "👍", "x" * 5000])
def test_any_words_are_heard(ear: Ear, said: str) -> None:
    likely = ear.likely(said)
    assert [chance for _, chance in likely] == sorted((chance for _, chance in likely), reverse=True)
    if not any(letter.isalpha() for letter in said):
        assert likely == ()

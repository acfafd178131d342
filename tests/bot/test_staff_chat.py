"""Our own people's chat through the whole service: a code binds a phone, commands are answered, prospects read what is sent."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select

from bot.channels.base import Inbound
from bot.conversation import LEARNING, Conversations
from bot.staff.ear import Ear
from crm_bridge.people import queries
from data.tables import Conversation, InboxMessage, LinkCode, Person, User

CODE = "ABCD2345"


async def _seller(shop: Any) -> int:
    company, now = (await shop.number()).company_id, shop.service.clock.now()

    def add(session: Any) -> int:
        user = User(company_id=company, email="c@una.co", name="Carla Mejía", role="seller", password_hash="x", created_at=now)
        session.add(user)
        session.flush()
        digest = hashlib.sha256(CODE.encode()).hexdigest()
        session.add(LinkCode(company_id=company, user_id=user.id, code_hash=digest, expires_at=now + timedelta(minutes=15)))
        return user.id

    user: int = await shop.database.write(add)
    return user


async def test_a_seller_binds_a_phone_and_answers_a_prospect_from_it(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    user = await _seller(shop)
    carla = shop.person("Carla", "+57 310 555 1234")
    assert (await shop.talk(carla, shop.first, "hola"))[-1].startswith("[first"), "a stranger talks with the dialog"
    assert (await shop.talk(carla, shop.first, f"VINCULAR {CODE}"))[-1].startswith("¡Listo, Carla!")
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    told = await shop.talk(carla, shop.first, "siguiente", "responder a Ana Ruiz: Hola Ana, soy Carla")
    assert told[-1] == "Enviado a Ana Ruiz. Desde ahora le respondes tú."
    assert ana.heard(shop.first)[-1].text == "Hola Ana, soy Carla"
    talks = {talk.person_id: talk for talk in await shop.rows(Conversation)}
    people = {person.name or person.profile_name: person for person in await shop.rows(Person)}
    assert people["Carla"].user_id == user
    assert (talks[people["Ana Ruiz"].id].owner, talks[people["Ana Ruiz"].id].owner_id) == ("human", user)
    assert (talks[people["Carla"].id].owner, talks[people["Carla"].id].unread) == ("bot", 0)
    listed = await shop.database.read(lambda session: queries.talks(session, queries.TalkFilter(), 10))
    assert [line.person.name for line in listed] == ["Ana Ruiz"], "our own people are no prospects"


async def test_what_a_seller_changes_is_not_undone_by_a_turn_of_the_same_batch(any_shop: Any, nlu: Any, ear: Any) -> None:
    shop = any_shop
    user = await _seller(shop)
    carla, ana = shop.person("Carla", "+57 310 555 1234"), shop.person()
    await shop.talk(carla, shop.first, f"VINCULAR {CODE}")
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    talks = {talk.recipient["phone"]: talk.id for talk in await shop.rows(Conversation)}

    def both(session: Any) -> Any:
        for phone, words in (("573001234567", "un portátil"), ("573105551234", "responder a Ana Ruiz: Hola Ana")):
            _write(session, talks[phone], words, shop.service.clock.now())
        conversations = Conversations(shop.service.numbers, nlu, ear, shop.service.clock)
        return conversations.answer(session, list(talks.values()))

    written = await shop.database.write(both)
    ids = {phone: talks[phone] for phone in ("573001234567", "573105551234")}
    assert written.turned == [ids["573105551234"]]
    assert [again.conversation_id for again in written.again] == [ids["573001234567"]]
    (talk,) = await shop.rows(Conversation, Conversation.id == ids["573001234567"])
    assert (talk.owner, talk.owner_id) == ("human", user)


async def test_what_no_rule_knows_waits_until_it_can_be_understood(any_shop: Any, nlu: Any) -> None:
    shop = any_shop
    await _seller(shop)
    carla, ana = shop.person("Carla", "+57 310 555 1234"), shop.person()
    await shop.talk(carla, shop.first, f"VINCULAR {CODE}")
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    talks = {talk.recipient["phone"]: talk.id for talk in await shop.rows(Conversation)}
    theirs, ours = talks["573001234567"], talks["573105551234"]

    class Learning(Ear):
        def ready(self) -> bool:
            return False

    async def turn(words: str) -> Any:
        def both(session: Any) -> Any:
            for talk in (ours, theirs):
                _write(session, talk, words, shop.service.clock.now())
            conversations = Conversations(shop.service.numbers, nlu, Learning(), shop.service.clock)
            return conversations.answer(session, [ours, theirs])

        return await shop.database.write(both)

    written = await turn("muéstrame porfa los que tengo a cargo")
    assert written.turned == [theirs], "prospects are answered meanwhile"
    assert [(again.conversation_id, again.wait) for again in written.again] == [(ours, LEARNING)]
    (state,) = {row.state for row in await shop.rows(InboxMessage, InboxMessage.external_id == f"late.{ours}")}
    assert state == "new"


def _write(session: Any, talk: int, words: str, now: Any) -> None:
    """A message that came and nobody has answered yet."""
    last = session.scalars(
        select(InboxMessage).where(InboxMessage.conversation_id == talk).order_by(InboxMessage.id.desc())
    ).first()
    message = msgspec.json.decode(last.payload, type=Inbound)
    fresh = msgspec.structs.replace(message, external_id=f"late.{talk}", text=words)
    session.add(
        InboxMessage(
            company_id=last.company_id, body_id=last.body_id, conversation_id=talk, channel="whatsapp",
            external_id=fresh.external_id, kind="text", text=words,
            payload=msgspec.json.encode(fresh).decode(), at=now, received_at=now, state="new",
        )
    )  # fmt: skip
    session.flush()


async def test_who_is_unbound_is_a_prospect_again(any_shop: Any) -> None:
    shop = any_shop
    await _seller(shop)
    carla = shop.person("Carla", "+57 310 555 1234")
    await shop.talk(carla, shop.first, f"VINCULAR {CODE}", "mis prospectos")
    await shop.run_sql("UPDATE people SET user_id = NULL")
    assert (await shop.talk(carla, shop.first, "hola"))[-1].startswith("[first")

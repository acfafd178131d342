"""What a seller does in a conversation: files, templates, notes, ready answers, handing it on, putting it off."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import notes, workplace
from bot.attachments import FileTooBig, WrongFile, attachment
from bot.channels.base import File
from bot.channels.whatsapp_templates import Approved, approved
from bot.takeover import NothingWritten, TooLong, WindowClosed, give_back, take
from bot.workplace import ShortcutTaken, StillTheBots, WrongShortcut, WrongTemplate
from crm_bridge.assignment.reminders import TimePassed, TooFar
from crm_bridge.assignment.rules import Taken, UnknownSeller
from crm_bridge.people import queries
from crm_bridge.people.queries import TalkFilter
from data.tables import Alert, Assignment, Conversation, Note, OutboxMessage, Reminder, User

PHOTO = (Path(__file__).parents[2] / "bot" / "simulator" / "static" / "photo.jpg").read_bytes()
SAMPLE = {
    "photo.jpg": (PHOTO, "image", "image/jpeg"),
    "a.png": (b"\x89PNG\r\n\x1a\n", "image", "image/png"),
    "a.ogg": (b"OggS" + b"\0" * 24 + b"OpusHead", "audio", "audio/ogg"),
    "a.mp3": (b"ID3", "audio", "audio/mpeg"),
    "a.amr": (b"#!AMR\n", "audio", "audio/amr"),
    "a.m4a": (b"\0\0\0\x20ftypM4A ", "audio", "audio/mp4"),
    "a.mp4": (b"\0\0\0\x20ftypisom", "video", "video/mp4"),
    "a.3gp": (b"\0\0\0\x20ftyp3gp4", "video", "video/3gpp"),
    "../../etc/a.pdf": (b"%PDF-1.7", "document", "application/pdf"),
    "C:\\a.docx": (b"PK\x03\x04", "document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "a.xls": (b"\xd0\xcf\x11\xe0", "document", "application/vnd.ms-excel"),
    "a.csv": ("año;mes".encode(), "document", "text/plain"),
}


@pytest.mark.parametrize("name", SAMPLE)
def test_what_a_file_is_its_bytes_tell(name: str) -> None:
    content, kind, mime = SAMPLE[name]
    found = attachment(content, name)
    assert (found.kind, found.mime, found.name) == (kind, mime, name.replace("\\", "/").split("/")[-1])


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "a.pdf"), (b"MZ", "a.exe"), (b"MZ", "a.pdf"), (b"<svg", "a.svg"), (b"RIFF....WEBP", "a.webp"), (b"a\0", "a.txt"),
     (b"OggS" + b"\0" * 24 + b"\x01vorbis", "a.ogg"), (b"", "")],
)  # fmt: skip
def test_what_whatsapp_does_not_carry_is_refused(content: bytes, name: str) -> None:
    with pytest.raises(WrongFile):
        attachment(content, name)


def test_a_file_may_be_as_big_as_its_kind_allows() -> None:
    for head, name, most in ((b"\xff\xd8\xff", "a.jpg", 5), (b"ID3", "a.mp3", 16), (b"%PDF", "a.pdf", 16)):
        assert attachment(head.ljust(most * 1024 * 1024), name)
        with pytest.raises(FileTooBig):
            attachment(head.ljust(most * 1024 * 1024 + 1), name)


def test_only_templates_that_words_fill_are_offered() -> None:
    def template(*parts: Any, **more: Any) -> dict[str, Any]:
        return {"name": "x", "language": "es", "status": "APPROVED", "components": parts} | more

    body = {"type": "BODY", "text": "Hola {{1}}, {{2}}"}
    plain = [{"type": "HEADER", "format": "TEXT", "text": "Hola"}, body, {"type": "FOOTER", "text": "f"}]
    buttons = [{"type": "QUICK_REPLY", "text": "Sí"}, {"type": "URL", "url": "https://a.co"}]
    assert approved([template(*plain, {"type": "BUTTONS", "buttons": buttons})]) == [Approved("x", "es", body["text"], 2, 1)]
    for wrong in (
        template(body, status="PENDING"),
        template(body, category="AUTHENTICATION"),
        template({"type": "BODY", "text": "Hola {{nombre}}"}),
        template({"type": "BODY", "text": "{{2}}"}),
        template({"type": "HEADER", "format": "IMAGE"}, body),
        template({"type": "HEADER", "text": "{{1}}"}, body),
        template(body, {"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://a.co/{{1}}"}]}),
        template(body, {"type": "CAROUSEL"}),
        template(),
        template("x"),
        "x",
    ):
        assert approved([wrong]) == []
    assert Approved("x", "es", "Hola {{1}}: {{ 2 }}", 2).filled(("Ana", "{{1}}")) == "Hola Ana: {{1}}"


def test_a_ready_answer_is_filled_in() -> None:
    words = "Hola {nombre}, soy {vendedor} {otro}"
    assert workplace.filled(words, "Ana María Ruiz", "Valeria Pardo") == "Hola Ana, soy Valeria {otro}"
    assert workplace.filled(words, None, "Valeria") == "Hola, soy Valeria {otro}"


def test_who_is_named_in_a_note() -> None:
    users = [User(id=n, name=name) for n, name in enumerate(("Ana Ruiz", "Ana Díaz", "Luz", "Camilo Ríos"))]
    for words, named in (
        ("@Ana Ruiz mira", [0]),
        ("@ana díaz, @CAMILO", [1, 3]),
        ("@Ana", []),
        ("luz@Luz.co", []),
        ("@Luzmila", []),
        ("@Luz.", [2]),
        ("Camilo", []),
    ):
        assert [user.id for user in notes.mentioned(words, users)] == named, words


# ------------------------------------------------------------------------------------------------ with a database
async def _sellers(shop: Any, *names: str) -> list[int]:
    company, now = (await shop.number()).company_id, shop.service.clock.now()

    def add(session: Any) -> list[int]:
        rows = [User(company_id=company, email=f"{name}@una.co", name=name, role="seller", password_hash="x", created_at=now)
                for name in names]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]

    ids: list[int] = await shop.database.write(add)
    return ids


async def _does(shop: Any, work: Any, *arguments: Any, **options: Any) -> Any:
    (talk,) = await shop.rows(Conversation)
    now = shop.service.clock.now()
    return await shop.database.write(
        lambda session: work(session, talk.id, *arguments, now=now, **options), company=talk.company_id
    )


async def test_a_file_and_a_template_go_out_as_the_seller(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    carla, beto = await _sellers(shop, "Carla", "Beto")
    await shop.talk(ana, shop.first, "hola", "Ana Ruiz")
    number = shop.service.numbers.find("whatsapp", shop.first)
    whatsapp = shop.service.channels["whatsapp"]

    async def uploaded(content: bytes, name: str) -> File:
        found = attachment(content, name)
        media = await whatsapp.upload(number.account, found.content, found.mime, found.name)
        return File(found.kind, media_id=media, filename=found.name)

    photo, sound = await uploaded(PHOTO, "photo.jpg"), await uploaded(b"ID3", "a.mp3")
    shop.service.on_said(await _does(shop, workplace.send_file, carla, photo, "Míralo"))
    shop.service.on_said(await _does(shop, workplace.send_file, carla, sound, "óyelo"))
    await shop.settled()
    assert [message.type for message in ana.heard(shop.first)][-3:] == ["image", "audio", "text"]
    shop.service.on_said(await _does(shop, workplace.send_file, carla, sound, ""))
    await shop.settled()
    assert [message.type for message in ana.heard(shop.first)][-2:] == ["text", "audio"], "no words, no message of them"
    assert (await shop.rows(Conversation))[0].owner_id == carla
    with pytest.raises(Taken):
        await _does(shop, workplace.send_file, beto, photo, "")
    shop.network.advance(timedelta(hours=25))
    with pytest.raises(WindowClosed):
        await _does(shop, workplace.send_file, carla, photo, "")
    (template,) = [each for each in await whatsapp.templates(number.account, number.row.account) if each.name == "seguimos"]
    for values in ((), ("Ana", "x"), (" ",)):
        with pytest.raises(WrongTemplate):
            await _does(shop, workplace.send_template, carla, template, values)
    shop.service.on_said([await _does(shop, workplace.send_template, carla, template, ("Ana",))])
    await shop.settled()
    assert ana.heard(shop.first)[-1].text == "[template] Hola Ana, ¿seguimos?"
    last = (await shop.rows(OutboxMessage))[-1]
    assert (last.author_id, last.kind, last.text) == (carla, "template", "[template] Hola Ana, ¿seguimos?")


async def test_a_note_is_kept_beside_and_tells_whom_it_names(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    carla, beto, luz = await _sellers(shop, "Carla Paz", "Beto Gil", "Luz")
    await shop.run_sql(f"UPDATE users SET active = {'false' if shop.database.dialect == 'postgresql' else 0} WHERE id = {luz}")
    await shop.talk(ana, shop.first, "hola")
    note, alerts = await _does(shop, notes.add, carla, "@Beto Gil, @Luz y @carla: pide factura")
    assert (note.mentions, [(alert.user_id, alert.kind) for alert in alerts]) == ([beto], [(beto, "mention")])
    assert alerts[0].facts["by"] == "Carla Paz"
    for words, refusal in ((" ", NothingWritten), ("x" * 4097, TooLong)):
        with pytest.raises(refusal):
            await _does(shop, notes.add, carla, words)
    (talk,) = await shop.rows(Conversation)
    said = await shop.database.read(lambda session: queries.said(session, [talk.id], 10), company=talk.company_id)
    assert [row.id for row in said.notes] == [row.id for row in await shop.rows(Note)]
    assert said.authors == {carla: "Carla Paz", beto: "Beto Gil"}
    assert len(ana.heard(shop.first)) == 1
    assert talk.owner == "bot", "a note takes nothing over"


async def test_a_note_is_changed_and_taken_back_by_its_author_and_told_once(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    carla, beto, luz = await _sellers(shop, "Carla", "Beto", "Luz")
    await shop.talk(ana, shop.first, "hola")
    note, _ = await _does(shop, notes.add, carla, "@Beto pide factura")

    async def told() -> list[tuple[int, str, str]]:
        return [(alert.user_id, alert.state, alert.facts["words"]) for alert in await shop.rows(Alert)]

    with pytest.raises(LookupError):
        await _does(shop, notes.edit, note.id, beto, "x")
    with pytest.raises(LookupError):
        await _does(shop, notes.delete, note.id, beto)
    with pytest.raises(NothingWritten):
        await _does(shop, notes.edit, note.id, carla, " ")
    assert (await _does(shop, notes.edit, note.id, carla, "@Beto pide factura"))[1] == []
    assert (await shop.rows(Note))[0].edited_at is None, "the same again is no change"
    await _does(shop, notes.edit, note.id, carla, "@Beto y @Luz: pide recibo")
    (row,) = await shop.rows(Note)
    assert (row.words, row.mentions, row.edited_at is None) == ("@Beto y @Luz: pide recibo", [beto, luz], False)
    new = "@Beto y @Luz: pide recibo"
    assert await told() == [(beto, "open", new), (luz, "open", new)]
    await _does(shop, notes.edit, note.id, carla, "@Luz: pide recibo")
    await _does(shop, notes.edit, note.id, carla, new)
    assert [each[:2] for each in await told()] == [(beto, "withdrawn"), (luz, "open")], "Beto was told once, and is not again"
    await _does(shop, notes.delete, note.id, carla)
    assert await shop.rows(Note) == []
    assert [each[:2] for each in await told()] == [(beto, "withdrawn"), (luz, "withdrawn")]


async def test_a_conversation_is_handed_on(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    carla, beto, luz = await _sellers(shop, "Carla", "Beto", "Luz")
    await shop.talk(ana, shop.first, "hola")
    with pytest.raises(StillTheBots):
        await _does(shop, workplace.transfer, beto, carla, "")
    await _does(shop, take, carla)
    for to, by, refusal in ((carla, carla, UnknownSeller), (5, carla, UnknownSeller), (luz, beto, Taken)):
        with pytest.raises(refusal):
            await _does(shop, workplace.transfer, to, by, "")
    handed = await _does(shop, workplace.transfer, beto, carla, "quiere azul")
    (talk,) = await shop.rows(Conversation)
    (hand,) = await shop.rows(Assignment)
    assert (talk.owner, talk.owner_id, hand.state, hand.user_id) == ("queued", None, "offered", beto)
    (alert,) = await shop.rows(Alert)
    assert (alert.id, alert.user_id, alert.kind, alert.facts["words"]) == (
        handed.alerts[0].id, beto, "transferred", "quiere azul",
    )  # fmt: skip
    handed = await _does(shop, workplace.transfer, luz, carla, "", over=True)
    assert [(each.user_id, each.state) for each in handed.alerts] == [(luz, "open"), (beto, "withdrawn")]
    await _does(shop, take, luz)
    (talk,) = await shop.rows(Conversation)
    assert (talk.owner, talk.owner_id) == ("human", luz)


async def test_what_is_put_off_comes_back_in_time_or_with_a_message(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    carla, beto = await _sellers(shop, "Carla", "Beto")
    await shop.talk(ana, shop.first, "hola")
    now = shop.service.clock.now()
    with pytest.raises(StillTheBots):
        await _does(shop, workplace.snooze, carla, now + timedelta(hours=1), "")
    await _does(shop, take, carla)
    for user, at, refusal in (
        (carla, now, TimePassed), (carla, now + timedelta(days=400), TooFar), (beto, now + timedelta(hours=1), Taken),
    ):  # fmt: skip
        with pytest.raises(refusal):
            await _does(shop, workplace.snooze, user, at, "")

    async def views() -> tuple[int, ...]:
        """In the whole list, theirs, and put off; as counted and as listed."""
        at, (talk,) = shop.service.clock.now(), await shop.rows(Conversation)

        def read(session: Any) -> tuple[int, ...]:
            counts = queries.view_counts(session, carla, at)
            lists = [queries.talks(session, TalkFilter(view=view, user=carla, now=at), 10) for view in ("", "mine", "snoozed")]
            assert [counts.mine, counts.snoozed] == [len(lists[1]), len(lists[2])]
            return tuple(map(len, lists))

        seen: tuple[int, ...] = await shop.database.read(read, company=talk.company_id)
        return seen

    await _does(shop, workplace.snooze, carla, now + timedelta(hours=3), "Retoma con Ana")
    await _does(shop, workplace.snooze, carla, now + timedelta(hours=2), "Retoma con Ana")
    assert [(row.state, row.words) for row in await shop.rows(Reminder)] == [
        ("cancelled", "Retoma con Ana"), ("waiting", "Retoma con Ana"),
    ]  # fmt: skip
    assert await views() == (0, 0, 1)
    shop.network.advance(timedelta(hours=2, minutes=1))
    assert await views() == (1, 1, 0)
    await _does(shop, workplace.snooze, carla, shop.service.clock.now() + timedelta(hours=2), "")
    await _does(shop, workplace.snooze, carla, None, "")
    assert await views() == (1, 1, 0)
    await _does(shop, workplace.snooze, carla, shop.service.clock.now() + timedelta(hours=2), "")
    await ana.say(shop.first, "¿hola?")
    await shop.settled()
    assert await views() == (1, 1, 0)
    (talk,) = await shop.rows(Conversation)
    assert talk.snoozed_until is None, "it ends for good, and not until it is read"
    await shop.database.write(lambda session: queries.mark_read(session, talk.id), company=talk.company_id)
    assert await views() == (1, 1, 0), "read, it stays"


async def test_what_one_put_off_is_not_put_off_for_the_next(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    carla, beto = await _sellers(shop, "Carla", "Beto")
    await shop.talk(ana, shop.first, "hola")
    for work, arguments in ((take, (beto,)), (workplace.transfer, (beto, carla, "")), (give_back, (carla,))):
        await _does(shop, take, carla, over=True)
        await _does(shop, workplace.snooze, carla, shop.service.clock.now() + timedelta(hours=3), "")
        await _does(shop, work, *arguments, over=True)
        assert [talk.snoozed_until for talk in await shop.rows(Conversation)] == [None], work


async def test_the_views_tell_whose_it_is_and_since_when_it_waits(any_shop: Any) -> None:
    shop, ana = any_shop, any_shop.person()
    carla, beto = await _sellers(shop, "Carla", "Beto")
    await shop.talk(ana, shop.first, "hola")
    company = (await shop.number()).company_id

    async def line() -> queries.TalkLine:
        lines: list[queries.TalkLine] = await shop.database.read(
            lambda session: queries.talks(session, TalkFilter(), 10), company=company
        )
        return lines[0]

    assert ((await line()).who, (await line()).waits_since) == ("", None)
    await _does(shop, take, carla)
    await _does(shop, workplace.transfer, beto, carla, "")
    now = shop.service.clock.now()
    counts = {
        user: await shop.database.read(lambda session, user=user: queries.view_counts(session, user, now), company=company)
        for user in (carla, beto)
    }
    assert (counts[carla].mine, counts[beto].mine, counts[beto].unassigned) == (0, 1, 1)
    offered = await line()
    assert offered.hand is not None
    assert (offered.who, offered.waits_since) == ("Beto", offered.hand.created_at)
    await _does(shop, take, beto)
    assert ((await line()).who, (await line()).waits_since) == ("Beto", (await line()).talk.last_in_at)


async def test_ready_answers_have_shortcuts_of_their_own(any_shop: Any) -> None:
    shop = any_shop
    company = (await shop.number()).company_id

    async def save(row: int | None, shortcut: str, words: str = "x") -> Any:
        return await shop.database.write(lambda session: workplace.save_canned(session, row, shortcut, words), company=company)

    first = await save(None, " /Envíos ", "Enviamos")
    await save(None, "pago-2")
    await save(first.id, "envíos", "Enviamos hoy")
    for row, shortcut, words, refusal in (
        (None, "envíos", "x", ShortcutTaken),
        (first.id, "pago-2", "x", ShortcutTaken),
        (None, "dos palabras", "x", WrongShortcut),
        (None, "", "x", WrongShortcut),
        (None, "a" * 31, "x", WrongShortcut),
        (None, "b", "", NothingWritten),
        (5, "b", "x", LookupError),
    ):
        with pytest.raises(refusal):
            await save(row, shortcut, words)
    rows = await shop.database.read(workplace.canned, company=company)
    assert [(row.shortcut, row.words) for row in rows] == [("envíos", "Enviamos hoy"), ("pago-2", "x")]
    await shop.database.write(lambda session: workplace.delete_canned(session, first.id), company=company)
    with pytest.raises(LookupError):
        await shop.database.write(lambda session: workplace.delete_canned(session, first.id), company=company)

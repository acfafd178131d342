"""Voice notes: turned into words before they are answered, and never waited for in vain."""

from __future__ import annotations

import asyncio
import operator
import timeit
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.media import LEASE
from bot.settings import load
from bot.simulator.media import sample
from bot.transcription import NoModel, Unheard, Whisper, whisper
from data.tables import InboxMessage, MediaFile


class Ear:
    """Hears what it is told to; `stuck` never ends."""

    def __init__(self, words: str | None = None, *, stuck: bool = False) -> None:
        self.words, self.stuck = words, stuck
        self.files: list[tuple[bytes, str]] = []

    async def text(self, file: Path, language: str) -> str:
        self.files.append((await asyncio.to_thread(file.read_bytes), language))
        if self.stuck:
            await asyncio.Event().wait()
        if self.words is None:
            raise Unheard("noise")
        return self.words

    async def close(self) -> None:
        pass


async def _listened(shop: Any) -> None:
    await shop.service.media.fetch_due()
    await asyncio.gather(*shop.service.media._listening)
    await shop.settled()


async def test_a_note_is_answered_by_its_words(open_shop: Any, database_url: str) -> None:
    ear = Ear("Me llamo Ana Ruiz")
    shop = await open_shop(database_url, transcriber=ear)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    await ana.send_voice(shop.first)
    await shop.settled()
    assert [row.state for row in await shop.rows(InboxMessage)] == ["done", "held"]
    assert len(ana.heard(shop.first)) == 1, "it waits for the words"
    await _listened(shop)
    assert ear.files == [(sample("voice.ogg"), "es")]
    (row,) = await shop.rows(InboxMessage, InboxMessage.kind == "voice")
    assert (row.state, row.text) == ("done", "Me llamo Ana Ruiz")
    assert [file.state for file in await shop.rows(MediaFile)] == ["fetched"]
    assert ana.heard(shop.first)[-1].text.startswith("[need]"), "the name was heard"


@pytest.mark.parametrize("words", [None, ""])
async def test_a_note_without_words_is_asked_for_in_writing(open_shop: Any, sqlite_url: str, words: str | None) -> None:
    shop = await open_shop(sqlite_url, transcriber=Ear(words))
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    await ana.send_voice(shop.first)
    await _listened(shop)
    assert "audio" in ana.heard(shop.first)[1].text
    assert [row.state for row in await shop.rows(InboxMessage)] == ["done", "done"]


async def test_a_note_that_nobody_finished_listening_to_is_answered(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, transcriber=Ear(stuck=True))
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    await ana.send_voice(shop.first)
    await shop.settled()
    await shop.service.media.fetch_due()
    await shop.service.media.close()  # as when the process is killed
    assert await shop.service.media.fetch_due() == 0, "somebody may be listening"
    shop.network.advance(LEASE + timedelta(seconds=1))
    await shop.service.media.fetch_due()
    await shop.settled()
    assert [row.state for row in await shop.rows(InboxMessage)] == ["done", "done"]
    assert len(ana.heard(shop.first)) == 2


async def test_a_note_whose_file_cannot_be_had_is_answered_at_once(open_shop: Any, sqlite_url: str) -> None:
    ear = Ear("x")
    shop = await open_shop(sqlite_url, transcriber=ear)
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    shop.network.token = "another"
    await ana.send_voice(shop.first)
    await shop.service.media.fetch_due()
    shop.network.token = "local-token"
    await shop.settled()
    assert ear.files == []
    assert len(ana.heard(shop.first)) == 2
    (file,) = await shop.rows(MediaFile)
    assert file.state == "waiting", "it is still fetched for the adviser"


async def test_whom_a_seller_answers_is_not_held_back(open_shop: Any, sqlite_url: str) -> None:
    shop = await open_shop(sqlite_url, transcriber=Ear("x"))
    ana = shop.person()
    await shop.talk(ana, shop.first, "hola")
    await shop.run_sql("UPDATE conversations SET owner = 'human'")
    await ana.send_voice(shop.first)
    await shop.settled()
    assert [row.state for row in await shop.rows(InboxMessage)] == ["done", "done"]


async def test_the_process_that_listens_may_be_slow_or_die(tmp_path: Path) -> None:
    """What runs there is `timeit`: the file's name is the statement."""
    slow = Whisper(tmp_path, patience=3, hear=timeit.timeit)  # type: ignore[arg-type]
    with pytest.raises(Unheard, match="died"):
        await slow.text(Path("__import__('os')._exit(1)"), "pass")
    with pytest.raises(Unheard, match="took longer"):
        await slow.text(Path("__import__('time').sleep(60)"), "pass")
    with pytest.raises(Unheard, match="NameError"):
        await slow.text(Path("nothing"), "pass")
    await slow.close()
    ear = Whisper(tmp_path, hear=operator.add)
    assert await ear.text(Path(" hola "), " ") == "hola"
    await ear.close()


def test_a_folder_without_a_model_stops_the_start(tmp_path: Path) -> None:
    assert load(_env_file=None, secret_key="k" * 40).whisper_model is None
    with pytest.raises(NoModel, match=r"model\.bin"):
        whisper(tmp_path)
    (tmp_path / "model.bin").touch()
    with pytest.raises(NoModel, match="pip install"):
        whisper(tmp_path)

"""What is said in a voice note, as text: a port, and Whisper models behind it that run on this machine."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import structlog

log = structlog.get_logger()

LONGEST = 2 * 1024 * 1024
"""Bytes of a note that is listened to: some fifteen minutes of what WhatsApp records."""
PATIENCE = 45.0
"""Seconds that a note may take; the person waits meanwhile."""
NICE = 10
_LANGUAGES = ("es", "en", "pt")
_SILENCE, _GUESSED = 0.6, -1.0
"""A part with more than this probability of holding no speech, and words less likely than this (mean log probability), is
left out: Whisper makes up words for noise. Both are the thresholds of its paper (Radford et al. 2022, section 4.5)."""


class Unheard(Exception):
    """The note could not be turned into words; the person is asked to write."""


class Transcriber(Protocol):
    async def text(self, file: Path, language: str) -> str:
        """The words in a recording, "" when there are none; `language` (es, en, pt) is the likely one. Unheard."""

    async def close(self) -> None: ...


class NoModel(ValueError):
    """WHISPER_MODEL names no usable model; the message says what to do."""


class Whisper:
    """A CTranslate2 Whisper model in a process of its own at low priority, so that answering anybody else is not slowed. The
    process starts with the first note and is ended when a note takes longer than `patience` seconds."""

    def __init__(self, model: Path, patience: float = PATIENCE, hear: Callable[[str, str], str] | None = None) -> None:
        self._patience = patience
        self._hear = hear or partial(_hear, str(model))
        self._pool: ProcessPoolExecutor | None = None
        self._one = asyncio.Lock()

    async def text(self, file: Path, language: str) -> str:
        """One note at a time; the time in which others are listened to counts."""
        began = False
        try:
            async with asyncio.timeout(self._patience), self._one:
                if self._pool is None:
                    self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (NICE,))
                began = True
                return (await asyncio.get_running_loop().run_in_executor(self._pool, self._hear, str(file), language)).strip()
        except TimeoutError:
            if began:
                await self.close()
            raise Unheard(f"it took longer than {self._patience:.0f} s") from None
        except BrokenProcessPool as error:
            await self.close()
            raise Unheard("the process that listens died") from error
        except Exception as error:  # whatever a decoder makes of a damaged file
            raise Unheard(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """End the process, whatever it is at."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # a public way comes with Python 3.14
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)


def whisper(model: Path) -> Whisper:
    """The model in a folder on disk. NoModel."""
    if not (model / "model.bin").is_file():
        raise NoModel(f"{model} holds no model.bin; give the folder of a CTranslate2 Whisper model, such as faster-whisper-small")
    if find_spec("faster_whisper") is None:
        raise NoModel("listening needs faster-whisper: pip install 'mostrador[voice]'")
    return Whisper(model)


_loaded: dict[str, Any] = {}
"""The model of the process that listens."""


def _hear(model: str, file: str, language: str) -> str:
    """Runs in the process that listens."""
    from faster_whisper import WhisperModel  # type: ignore[import-not-found,unused-ignore]

    if model not in _loaded:
        _loaded[model] = WhisperModel(model, device="cpu", compute_type="int8", local_files_only=True)
    segments, info = _loaded[model].transcribe(file, condition_on_previous_text=False)
    if info.language not in _LANGUAGES:  # a short note in a noisy street is often taken for another language
        segments, _ = _loaded[model].transcribe(file, language=language, condition_on_previous_text=False)
    return " ".join(part.text.strip() for part in segments if part.no_speech_prob <= _SILENCE or part.avg_logprob >= _GUESSED)

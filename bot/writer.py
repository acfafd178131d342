"""Who drafts texts: a port, and behind it any server that speaks OpenAI's chat completions, local or remote. None by default.

Source of the shapes: OpenAI's API reference, "Create chat completion", and what llama.cpp, Ollama and vLLM take of it. A model
has no tools here: it is given an instruction and data, and gives back a text, which people judge.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from crm_bridge.companies.rules import Refusal

log = structlog.get_logger()

TOKENS = 1_000
"""What one answer may cost at most; models that think before they write spend most of it on that."""
LIMIT = 256 * 1024
"""Bytes of an answer that are read."""
AT_ONCE = 4
FAILURES, REST = 3, 30.0
"""Askings on end without an answer, after which the server is left alone for so many seconds."""
_CAPS = ("max_tokens", "max_completion_tokens")
"""How servers call the cap: all know the first, but for OpenAI's newer models, which say so and take the second."""


class NoDraft(Refusal):
    """Nothing was written.

    NoDraft
      ├── WriterAway       no answer: not reached, too late, an error of the server, or it is left alone after such
      ├── WriterBusy       it takes no more for now, or its account is used up (429)
      ├── WriterRefused    it does not take the key, the model or the address (other 4xx): whoever runs it has to look
      └── WriterUnusable   what came back is no text
    """


class WriterAway(NoDraft): ...


class WriterBusy(NoDraft): ...


class WriterRefused(NoDraft): ...


class WriterUnusable(NoDraft): ...


class Writer(Protocol):
    @property
    def host(self) -> str:
        """Where the texts go, for people to read."""

    async def write(self, instruction: str, data: str) -> str:
        """What it writes about `data`, which is never an instruction. NoDraft."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


_read = msgspec.json.Decoder(_Completion).decode


class ChatCompletions:
    """The model `model` at `{url}/chat/completions`. `patience` is the seconds that an answer may take, waiting for its turn
    included. Nothing that may cost is asked twice."""

    def __init__(
        self,
        http: ClientSession,
        url: str,
        model: str,
        key: str = "",
        patience: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._url = URL(url)
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._patience = patience
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._cap = _CAPS[0]
        self._failures = 0
        self._rests_until = 0.0

    @property
    def host(self) -> str:
        return self._url.host or ""

    async def write(self, instruction: str, data: str) -> str:
        if self._failures >= FAILURES and self._clock() < self._rests_until:
            raise WriterAway
        try:
            async with asyncio.timeout(self._patience), self._slots:
                status, body = await self._ask(instruction, data)
        except (ClientError, TimeoutError, OSError) as error:
            self._failed(f"{type(error).__name__}: {error}")
            raise WriterAway from None
        if status >= 500:
            self._failed(f"status {status}")
            raise WriterAway
        self._failures = 0
        if status != 200:
            log.warning("the writing assistant refuses", status=status)
            raise WriterBusy if status == 429 else WriterRefused
        return _text_of(body)

    async def models(self) -> tuple[int, frozenset[str]]:
        """The status of `{url}/models`, which costs nothing, and what it lists: for `mostrador doctor`. ClientError,
        TimeoutError."""
        async with (
            asyncio.timeout(self._patience),
            self._http.get(self._at("models"), headers=self._headers, allow_redirects=False) as answer,
        ):
            listed = _listed(await _body(answer)) if answer.status == 200 else frozenset()
            return answer.status, listed

    async def _ask(self, instruction: str, data: str) -> tuple[int, bytes]:
        """(status, body); asked again only where the server refused the name of the cap, which costs nothing."""
        status, body = await self._post(instruction, data)
        if status == 400 and self._cap == _CAPS[0] and _CAPS[1].encode() in body:
            self._cap = _CAPS[1]
            status, body = await self._post(instruction, data)
        return status, body

    async def _post(self, instruction: str, data: str) -> tuple[int, bytes]:
        messages = [{"role": "system", "content": instruction}, {"role": "user", "content": data}]
        asked: dict[str, Any] = {"model": self._model, "messages": messages, self._cap: TOKENS, "stream": False}
        # A redirect would show the key, and the company's texts, to another host.
        async with self._http.post(
            self._at("chat/completions"),
            json=asked,
            headers=self._headers,
            allow_redirects=False,
            timeout=ClientTimeout(total=None),
        ) as answer:
            return answer.status, await _body(answer)

    def _at(self, path: str) -> URL:
        return self._url.joinpath(*path.split("/"))

    def _failed(self, problem: str) -> None:
        self._failures += 1
        self._rests_until = self._clock() + REST
        log.warning("the writing assistant does not answer", problem=problem, failures=self._failures)


async def _body(answer: ClientResponse) -> bytes:
    """As much of it as is read; what is longer is no answer of ours, and is cut off."""
    content = bytearray()
    async for chunk in answer.content.iter_chunked(16_384):
        content += chunk
        if len(content) > LIMIT:
            answer.close()
            return b""
    return bytes(content)


def _text_of(body: bytes) -> str:
    """WriterUnusable when there is none."""
    try:
        choices = _read(body).choices
    except (msgspec.DecodeError, UnicodeDecodeError):
        choices = []
    text = (choices[0].message.content or "").strip() if choices else ""
    if not text:
        log.warning("the writing assistant answered without a text")
        raise WriterUnusable
    return text


def _listed(body: bytes) -> frozenset[str]:
    try:
        told = msgspec.json.decode(body)
        return frozenset(str(each["id"]) for each in told["data"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return frozenset()

"""What is put to the writing assistant, and what of its answer is used: a proposed answer to a frequent question, and a summary
of one conversation. It never sees more than these functions are given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bot.writer import NoDraft, Writer
from bot.writing.claims import Claim, claims, tidy, without_new_links
from bot.writing.masking import Mask
from bot.writing.passages import Passage

LONGEST_ANSWER = 900
LONGEST_SUMMARY = 800
"""Characters of what is drafted."""
ASKS = 12
MESSAGES = 80
MOST_SAID = 8_000
"""Ways of asking, messages, and characters of them that go out; of a longer conversation, the end."""
LONGEST_SAID = 600
"""Characters of one message."""


class NothingNear(NoDraft):
    """The company's documents do not answer this."""


@dataclass(frozen=True, slots=True)
class Proposal:
    words: str
    claims: Sequence[Claim]


async def propose(
    writer: Writer,
    asks: Sequence[str],
    near: Sequence[Passage],
    mask: Mask,
    *,
    language: str,
    tone: str,
    prices: Collection[Decimal],
) -> Proposal:
    """An answer out of these passages, with what in it they do not hold. NoDraft; NothingNear, without asking, where there are
    none, and where the assistant sees no answer in them."""
    if not near:
        raise NothingNear
    data = {"question": list(asks[:ASKS]), "passages": [mask.hide(f"{passage.title}: {passage.words}") for passage in near]}
    told = tidy(await writer.write(_instruction("answer", language, tone), _json(data)), LONGEST_ANSWER)
    if not told or instructions()["nothing"] in told:
        raise NothingNear
    words = mask.show(told)
    sources = [f"{passage.title}\n{passage.words}" for passage in near]
    return Proposal(words, claims(words, sources, prices, language))


async def summarise(writer: Writer, said: Sequence[tuple[str, str]], mask: Mask, *, language: str) -> str:
    """What the prospect wants, in some lines. `said`: (prospect or shop, text), the last at the end. NoDraft."""
    told, room = [], MOST_SAID
    for who, text in reversed(said[-MESSAGES:]):
        hidden = mask.hide(text[:LONGEST_SAID])
        room -= len(hidden)
        if room < 0:
            break
        told.append({"from": who, "text": hidden})
    words = tidy(await writer.write(_instruction("summary", language), _json(told[::-1])), LONGEST_SUMMARY)
    words = without_new_links(mask.show(words), (text for _, text in said))
    return words.replace("@", "＠")  # in a note, @ and a name would alert a colleague


@cache
def instructions() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "instructions.yaml").read_text("utf-8"))
    return loaded


def _instruction(name: str, language: str, tone: str = "tu") -> str:
    told = instructions()
    text: str = told[name]
    return text.format(nothing=told["nothing"], language=told["languages"].get(language, "Spanish"), tone=told["tones"][tone])


def _json(data: object) -> str:
    return msgspec.json.encode(data).decode()

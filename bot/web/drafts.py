"""Proposed answers on the page of a dialog: how one is shown, and that none is saved before somebody looked at what is marked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from bot.keys import DATABASE, WRITER
from bot.web.edits import Edits
from bot.web.guard import viewer_of
from bot.web.pages import as_id
from bot.writing.claims import found, marked
from crm_bridge.writing import queries
from data.tables import Draft, Number


@dataclass(frozen=True, slots=True)
class Proposed:
    """A draft beside its field. `parts`: [(text, the kind of claim it is or "")]."""

    id: int
    box: str
    words: str
    parts: list[tuple[str, str]]
    passages: list[dict[str, Any]]

    @property
    def kinds(self) -> list[str]:
        return sorted({kind for _, kind in self.parts if kind})


def proposed(draft: Draft, words: str, keys: Collection[str]) -> Proposed:
    """`draft` beside a field that holds `words`, of which what has one of `keys` is marked."""
    return Proposed(draft.id, draft.box, words, marked(words, keys, spoken(draft.box)), draft.passages)


def spoken(box: str) -> str:
    """The language of a text by its field: es, en or pt."""
    return box.rpartition("|")[2].partition("-")[0]


async def unseen(request: web.Request, row: Number, edits: Edits, in_use: Edits) -> dict[str, Proposed]:
    """What a draft of the last month put into a text that is to be saved now, and that nobody ticked as seen: {field: draft}."""
    if request.app.get(WRITER) is None:
        return {}
    drafts = await request.app[DATABASE].read(partial(queries.drafts, number_id=row.id), company=viewer_of(request).company_id)
    ticked = {as_id(str(value)) for value in (await request.post()).getall("seen", [])}
    by_box: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_box.setdefault(draft.box, []).append(draft)
    held = {}
    for box, of_box in by_box.items():
        path, _, language = box.rpartition("|")
        words = edits.get(path, {}).get(language, "")
        if words and words != in_use.get(path, {}).get(language, ""):
            left = _left(words, spoken(box), of_box, ticked)
            if left:
                newest = next(draft for draft in reversed(of_box) if left & _keys(draft))
                held[box] = proposed(newest, words, left)
    return held


def _keys(draft: Draft) -> set[str]:
    return {claim["key"] for claim in draft.claims}


def _left(words: str, language: str, drafts: list[Draft], ticked: Collection[int | None]) -> set[str]:
    """The keys of claims that stand in `words`, come from one of `drafts`, and were not ticked with another of them."""
    keys: dict[bool, set[str]] = {True: set(), False: set()}
    for draft in drafts:
        keys[draft.id in ticked] |= _keys(draft)
    return (keys[False] - keys[True]) & {each.key for each in found(words, language)}

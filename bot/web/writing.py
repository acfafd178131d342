"""The writing assistant's pages: the company's documents, a proposed answer in the page of a dialog, a summary for a seller. None
of them is there where no assistant is set (404), and nothing is asked of it for a company that has not switched it on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

from aiohttp import web
from sqlalchemy.orm import Session

from bot.keys import CLOCK, DATABASE, FLOWS, WRITER
from bot.web.bubbles import Bubble, items
from bot.web.dialogs import number_of
from bot.web.drafts import proposed, spoken
from bot.web.guard import MANAGERS, viewer_of
from bot.web.inbox import line_of
from bot.web.pages import field, render, row_id, word
from bot.writer import Writer
from bot.writing import drafting
from bot.writing.files import text_of
from bot.writing.masking import Mask, asked_in, names_of
from bot.writing.passages import Passage, nearest, passages
from crm_bridge.companies import queries as companies
from crm_bridge.companies.rules import Refusal
from crm_bridge.people import queries as people
from crm_bridge.writing import queries, rules, service
from data.tables import Company, Document


def _writer(request: web.Request) -> Writer:
    writer = request.app.get(WRITER)
    if writer is None:
        raise web.HTTPNotFound
    return writer


def _allowed(request: web.Request) -> Writer:
    """The assistant, where the viewer's company has switched it on. HTTPNotFound."""
    if not viewer_of(request).writer:
        raise web.HTTPNotFound
    return _writer(request)


# --------------------------------------------------------------------------------------------------- documents
async def page(request: web.Request, error: str = "", title: str = "", text: str = "") -> web.Response:
    writer = _writer(request)
    lines = await request.app[DATABASE].read(queries.document_lines, company=viewer_of(request).company_id)
    context = {"host": writer.host, "lines": lines, "error": error, "title": title, "text": text}
    return await render("documents.html", request, context | {"an_hour": rules.AN_HOUR}, status=422 if error else 200)


async def switch(request: web.Request) -> web.Response:
    _writer(request)
    on = await field(request, "on", 3) == "yes"
    await request.app[DATABASE].write(partial(service.switch, on=on), company=viewer_of(request).company_id)
    raise web.HTTPSeeOther(f"/documents?done=writer_{'on' if on else 'off'}")


async def add(request: web.Request) -> web.Response:
    """A document out of a file, or of what was pasted, which stays on the page when it is refused."""
    _writer(request)
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    title, text = await field(request, "title", 2 * rules.LONGEST_TITLE), await field(request, "text", 2 * rules.LONGEST_TEXT)
    file = (await request.post()).get("file")
    try:
        if isinstance(file, web.FileField):
            read = await text_of(await asyncio.to_thread(file.file.read), file.filename)
            title = title or Path(file.filename.replace("\\", "/")).stem
        else:
            read = text
        keep = partial(service.add_document, title=title, text=_plain(read), author=viewer.user_id, now=now)
        await request.app[DATABASE].write(keep, company=viewer.company_id)
    except Refusal as refusal:
        return await page(request, type(refusal).__name__, title, text)
    raise web.HTTPSeeOther("/documents?done=document")


async def document(request: web.Request) -> web.Response:
    _writer(request)
    return await render("document.html", request, {"document": await _document(request)})


async def remove(request: web.Request) -> web.Response:
    _writer(request)
    gone = partial(service.remove_document, document_id=row_id(request))
    try:
        await request.app[DATABASE].write(gone, company=viewer_of(request).company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    raise web.HTTPSeeOther("/documents?done=document_gone")


async def _document(request: web.Request) -> Document:
    read = partial(queries.document, document_id=row_id(request))
    row = await request.app[DATABASE].read(read, company=viewer_of(request).company_id)
    if row is None:
        raise web.HTTPNotFound
    return row


def _plain(text: str) -> str:
    return text.replace("\0", "").replace("\r\n", "\n").encode(errors="replace").decode()


# ------------------------------------------------------------------------------------------- a proposed answer
async def propose(request: web.Request) -> web.Response:
    """An answer for one frequent question, out of the company's own documents, for its field: nothing is saved by it."""
    writer, viewer, now = _allowed(request), viewer_of(request), request.app[CLOCK].now()
    row, box = await number_of(request), await field(request, "box", 200)
    path, _, language = box.rpartition("|")
    faq = request.app[FLOWS][row.dialog].faq.get(path.removeprefix("faq.").removesuffix(".say"))
    if faq is None or path not in request.app[FLOWS][row.dialog].texts() or language not in ("es", "es-usted", "en", "pt"):
        raise web.HTTPNotFound
    books = request.app[DATABASE]

    def read(session: Session) -> tuple[Company, list[Document], frozenset[Decimal]]:
        return companies.company(session), queries.documents(session), queries.prices(session)

    company, documents, prices = await books.read(read, company=viewer.company_id)
    try:
        near = await asyncio.to_thread(_near, documents, faq.asks, row.language)
        if not near:
            raise drafting.NothingNear
        asking = partial(service.ask, author=viewer.user_id, now=now, number_id=row.id, box=box)
        draft_id = await books.write(asking, company=viewer.company_id)
        tone = "usted" if language == "es-usted" or row.tone == "usted" else "tu"
        mask = Mask(asked_in(spoken(box), company.country, now))
        proposal = await drafting.propose(writer, faq.asks, near, mask, language=spoken(box), tone=tone, prices=prices)
    except Refusal as refusal:
        return await render("_draft.html", request, {"draft": None, "draft_error": type(refusal).__name__})
    kept = partial(
        service.answered,
        draft_id=draft_id,
        words=proposal.words,
        claims=[{"words": claim.words, "kind": claim.kind, "key": claim.key} for claim in proposal.claims],
        passages=[{"document": each.document, "title": each.title, "words": each.words} for each in near],
    )
    draft = await books.write(kept, company=viewer.company_id)
    shown = proposed(draft, proposal.words, {claim.key for claim in proposal.claims})
    return await render("_draft.html", request, {"draft": shown, "draft_error": ""})


def _near(documents: Sequence[Document], asks: Sequence[str], language: str) -> list[Passage]:
    return nearest(asks, [piece for each in documents for piece in passages(each.id, each.title, each.text)], language)


# -------------------------------------------------------------------------------------------------- a summary
async def summary(request: web.Request) -> web.Response:
    """What the prospect of one conversation wants, for who answers it: shown, and kept only where they save it as a note."""
    writer, viewer, now = _allowed(request), viewer_of(request), request.app[CLOCK].now()
    line = await line_of(request)
    if viewer.role not in MANAGERS and line.talk.owner_id != viewer.user_id:
        raise web.HTTPForbidden
    books, person = request.app[DATABASE], line.person

    def read(session: Session) -> tuple[Company, people.Said]:
        return companies.company(session), people.said(session, [line.talk.id], drafting.MESSAGES)

    company, said = await books.read(read, company=viewer.company_id)
    bubbles = [each for each in items(said) if isinstance(each, Bubble) and each.text and not each.revoked]
    if not any(not each.ours for each in bubbles):
        return await render("_summary.html", request, {"line": line, "words": "", "summary_error": "NothingSaid"})
    told = [("shop" if each.ours else "prospect", each.text) for each in bubbles]
    mask = Mask(asked_in(company.language, company.country, now), names_of(person.name, person.profile_name))
    try:
        await books.write(partial(service.ask, author=viewer.user_id, now=now, talk_id=line.talk.id), company=viewer.company_id)
        words = await drafting.summarise(writer, told, mask, language=company.language)
    except Refusal as refusal:
        return await render("_summary.html", request, {"line": line, "words": "", "summary_error": type(refusal).__name__})
    words = f"{word('writing', 'summary')}\n{words}"
    return await render("_summary.html", request, {"line": line, "words": words, "summary_error": ""})

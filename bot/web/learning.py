"""What the bot did not understand, and what a manager teaches it: phrases get a label, are tried, published, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy.orm import Session

from bot.keys import CLOCK, DATABASE, LESSONS, NUMBERS, SERVICE, SETTINGS
from bot.lessons import TrialFailed, questions
from bot.live import Change
from bot.web.guard import viewer_of
from bot.web.pages import as_id, clean, field, render, row_id, word
from crm_bridge.learning import queries, rules, service
from crm_bridge.learning.queries import LabelLine, LessonLine
from data.tables import Lesson, Phrase
from dialogs.loader import Dialog
from nlu import own
from nlu.normalise import normalise
from nlu.own import OwnLine

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Labels:
    """What a company's phrases may mean: the intents of its labels, and what people call them."""

    intents: Mapping[str, str]

    @property
    def names(self) -> dict[str, str]:
        """{label: name}, by name."""
        return dict(sorted(((label, label_name(label)) for label in self.intents), key=lambda pair: pair[1].lower()))

    def of(self, written: str) -> str | None:
        """The label that was pressed, or whose name was written; None for any other."""
        if written in self.intents:
            return written
        return next((label for label, name in self.names.items() if name.lower() == written.lower()), None)


def label_name(label: str) -> str:
    key = own.faq_of(label)
    if key is None:
        return word("intent", label)
    return word("learning", "faq").format(_faq_name(key))


def _faq_name(key: str) -> str:
    return word("faq", key, key.replace("_", " ").capitalize())


def _dialogs(request: web.Request) -> dict[int, Dialog]:
    """{number: dialog} of the viewer's company."""
    company = viewer_of(request).company_id
    return {each.row.id: each.dialog for each in request.app[NUMBERS].all() if each.row.company_id == company}


def _labels(request: web.Request) -> Labels:
    return Labels(request.app[LESSONS].intents(_dialogs(request).values()))


# --------------------------------------------------------------------------------------------------- the pages
async def page(request: web.Request, error: str = "", given: Mapping[str, str] | None = None, clash: str = "") -> web.Response:
    viewer = viewer_of(request)

    def read(session: Session) -> tuple[list[Phrase], int, list[LabelLine], list[LessonLine]]:
        return (
            queries.waiting(session),
            queries.count_waiting(session),
            queries.label_lines(session),
            queries.versions(session),
        )

    waiting, count, lines, versions = await request.app[DATABASE].read(read, company=viewer.company_id)
    context = {
        "waiting": waiting,
        "count": count,
        "lines": lines,
        "versions": versions,
        "given": given or {"phrases": "", "label": ""},
        "clash": clash,
        "error": error,
        "rasa": request.app[SETTINGS].nlu_backend == "rasa",
        **_of_labels(request),
        **await _state(request),
    }
    return await render("learning.html", request, context, 422 if error else 200)


def _of_labels(request: web.Request) -> dict[str, object]:
    faqs = {number: [(own.faq_label(key), _faq_name(key)) for key in dialog.faq] for number, dialog in _dialogs(request).items()}
    return {"names": _labels(request).names, "label_name": label_name, "faqs": faqs}


async def count(request: web.Request) -> web.Response:
    """How many phrases wait, for the bar."""
    waiting = await request.app[DATABASE].read(queries.count_waiting, company=viewer_of(request).company_id)
    return web.Response(text=str(waiting or ""))


# ------------------------------------------------------------------------------------------------- the phrases
async def label(request: web.Request) -> web.Response:
    """Say what the phrase in the path means: a `label` that was pressed, or its name that was written."""
    row = await _phrase_of(request)
    found = _labels(request).of(await field(request, "label", 200))
    if found is None:
        return await _row(request, row, "UnknownLabel")
    return await _decided(request, found)


async def ignore(request: web.Request) -> web.Response:
    return await _decided(request, None)


async def _decided(request: web.Request, found: str | None) -> web.Response:
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    decide = partial(service.decide, phrase_id=row_id(request), label=found, by=viewer.user_id, now=now)
    try:
        row = await request.app[DATABASE].write(decide, company=viewer.company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    tell(request)
    return await _row(request, row)


async def undo(request: web.Request) -> web.Response:
    """The phrase waits again; from the list of labelled ones it goes."""
    forget = partial(service.undo, phrase_id=row_id(request))
    try:
        row = await request.app[DATABASE].write(forget, company=viewer_of(request).company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    tell(request)
    if "HX-Request" not in request.headers:
        raise web.HTTPSeeOther("/learning?done=phrase_gone")
    return await _row(request, row) if row is not None else web.Response()


async def add(request: web.Request) -> web.Response:
    """Phrases that nobody has written yet, one a line; what was written stays on the page when it is refused."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    written, name = await field(request, "phrases", 20_000), await field(request, "label", 200)
    texts = [text for line in written.splitlines() if (text := clean(line, 1_000))]
    phrases = {normalise(text).plain: text for text in reversed(texts) if normalise(text).plain.strip("? ")}
    try:
        found = _labels(request).of(name)
        if found is None:
            raise rules.UnknownLabel
        save = partial(service.add, phrases=phrases, label=found, by=viewer.user_id, now=now)
        await request.app[DATABASE].write(save, company=viewer.company_id)
    except rules.CannotTeach as refusal:
        clash = ""
        if isinstance(refusal, rules.MeansSomethingElse):
            clash = word("learning", "clash").format(refusal.text, label_name(refusal.label))
        return await page(request, type(refusal).__name__, {"phrases": written, "label": name}, clash)
    tell(request)
    raise web.HTTPSeeOther("/learning?done=phrases")


async def _phrase_of(request: web.Request) -> Phrase:
    """The phrase in the path (HTTPNotFound)."""
    read = partial(queries.phrase, phrase_id=row_id(request))
    row = await request.app[DATABASE].read(read, company=viewer_of(request).company_id)
    if row is None:
        raise web.HTTPNotFound
    return row


async def _row(request: web.Request, row: Phrase, error: str = "") -> web.Response:
    return await render("_phrase.html", request, {"row": row, "error": error, **_of_labels(request)})


def tell(request: web.Request) -> None:
    """The pages count anew what waits, and what is not published."""
    request.app[SERVICE].on_changed([(viewer_of(request).company_id, Change("phrase", 0))])


# ------------------------------------------------------------------------------------------------- the lessons
async def state(request: web.Request) -> web.Response:
    """How the trial stands."""
    return await render("_lesson.html", request, {**await _state(request), "label_name": label_name, "error": ""})


async def try_out(request: web.Request) -> web.Response:
    """Learn what is labelled now, beside everything else, and measure what that does."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    try:
        begin = partial(service.begin, by=viewer.user_id, now=now)
        lesson = await request.app[DATABASE].write(begin, company=viewer.company_id)
    except rules.AlreadyTrying:
        return await state(request)
    request.app[SERVICE].later(_try(request.app, lesson, list(_dialogs(request).values())))
    return await state(request)


async def publish(request: web.Request) -> web.Response:
    """Use what was tried, here and in every other process."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    lesson = as_id(await field(request, "lesson", 20)) or 0
    try:
        use = partial(service.publish, lesson_id=lesson, by=viewer.user_id, now=now)
        await request.app[DATABASE].write(use, company=viewer.company_id)
    except rules.CannotTeach as refusal:
        return await page(request, type(refusal).__name__)
    await request.app[NUMBERS].edited(request.app[DATABASE])
    raise web.HTTPSeeOther("/learning?done=lesson")


async def take_back(request: web.Request) -> web.Response:
    """An earlier version again; 0 is what all share."""
    viewer, now = viewer_of(request), request.app[CLOCK].now()
    version = await field(request, "version", 9)
    if not version.isdecimal():
        raise web.HTTPBadRequest
    try:
        use = partial(service.take_back, version=int(version), by=viewer.user_id, now=now)
        await request.app[DATABASE].write(use, company=viewer.company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    except rules.CannotTeach as refusal:
        return await page(request, type(refusal).__name__)
    await request.app[NUMBERS].edited(request.app[DATABASE])
    raise web.HTTPSeeOther("/learning?done=lesson_back")


async def _state(request: web.Request) -> dict[str, object]:
    viewer, now = viewer_of(request), request.app[CLOCK].now()

    def read(session: Session) -> tuple[list[Phrase], Lesson | None, Lesson | None]:
        return queries.labelled(session), queries.newest(session), queries.in_use(session)

    labelled, newest, in_use = await request.app[DATABASE].read(read, company=viewer.company_id)
    lines = {(row.text, row.label) for row in labelled}
    used = {tuple(line) for line in in_use.lines} if in_use is not None else set()
    lost = newest is not None and newest.state == "trying" and now - newest.created_at >= rules.PATIENCE
    return {
        "lesson": newest if newest is not None and newest.state != "published" else None,
        "lost": lost,
        "same": newest is not None and {tuple(line) for line in newest.lines} == lines,
        "problems": [(text, _problem(kind, labels)) for kind, text, labels in newest.problems] if newest is not None else [],
        "unpublished": len(lines ^ used),
        "taught": len(lines),
    }


def _problem(kind: str, labels: list[str]) -> str:
    return word("lesson_problem", kind).format(*map(label_name, labels))


async def _try(app: web.Application, lesson: Lesson, dialogs: list[Dialog]) -> None:
    database, lessons, company = app[DATABASE], app[LESSONS], lesson.company_id

    async def note(**told: Any) -> None:
        await database.write(partial(service.note, lesson_id=lesson.id, **told), company=company)

    async def tell(done: int) -> None:
        await note(done=done)

    intents = lessons.intents(dialogs)
    problems = own.check([OwnLine(text, label) for text, label in lesson.lines], frozenset(intents))
    if problems:
        await note(state="refused", problems=[list(asdict(problem).values()) for problem in problems])
        return
    try:
        effect = await lessons.try_out(company, lesson.lines, intents, questions(dialogs), tell)
    except (TrialFailed, TimeoutError, OSError) as error:
        log.error("a trial failed", company=company, problem=str(error))
        await note(state="failed")
    else:
        await note(state="tried", done=100, effect=effect)

"""What a seller has at hand in a conversation: ready answers, templates, files, notes to colleagues, handing it on, putting it
off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from urllib.parse import unquote
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.orm import Session

from bot import workplace
from bot.attachments import BIGGEST, Attachment, FileTooBig, attachment, keep, kept_path, sent_path, shown_as
from bot.channels.base import File, Outbound, SendError
from bot.channels.whatsapp import WhatsApp
from bot.channels.whatsapp_templates import Approved
from bot.keys import CLOCK, DATABASE, NUMBERS, SERVICE, SETTINGS
from bot.standin import Outgoing
from bot.takeover import LONGEST
from bot.web.approved import approved_of
from bot.web.guard import MANAGERS, viewer_of
from bot.web.inbox import file_response, line_of, owner_of
from bot.web.pages import as_id, clean, field, render, row_id, word
from bot.web.takeover import composer_of, write
from crm_bridge.assignment.reminders import TimePassed, TooFar
from crm_bridge.companies import queries as companies
from crm_bridge.companies.rules import Refusal
from crm_bridge.people import queries
from crm_bridge.people.queries import TalkLine

log = structlog.get_logger()

_PLACES = 20
"""Places that are filled in at most in one template."""
_MORNING = time(9)


class NoFiles(Refusal):
    """This messenger takes no files from us yet."""


class UploadFailed(Refusal):
    """The messenger did not take the file now."""


# --------------------------------------------------------------------------------------------------- at hand
async def at_hand(request: web.Request) -> web.Response:
    """JSON for the lists that open while one writes: `canned` answers, filled in for this person, and colleagues (`people`)."""
    line, viewer = await line_of(request), viewer_of(request)

    def read(session: Session) -> dict[str, object]:
        person = line.person.name or line.person.profile_name
        return {
            "canned": [
                {"key": row.shortcut, "words": workplace.filled(row.words, person, viewer.name)}
                for row in workplace.canned(session)
            ],
            "people": [user.name for user in companies.users(session) if user.active and user.id != viewer.user_id],
        }

    return web.json_response(await request.app[DATABASE].read(read, company=viewer.company_id), headers={"Vary": "Cookie"})


async def templates(request: web.Request, error: str = "") -> web.Response:
    """What may be sent when the window is closed: the account's approved templates, the number's own first."""
    line = await line_of(request)
    choices, known = await _approved(request, line)
    person = (line.person.name or line.person.profile_name or "").split()
    context = {"line": line, "choices": choices, "known": known, "first": person[0] if person else "", "error": error}
    return await render("_templates.html", request, context)


async def send_template(request: web.Request) -> web.Response:
    line, viewer = await line_of(request), viewer_of(request)
    name, language = await field(request, "name", 512), await field(request, "language", 16)
    choices, _ = await _approved(request, line)
    chosen = next((each for each in choices if (each.name, each.language) == (name, language)), None)
    values = tuple([await field(request, f"v{place}", 600) for place in range(1, (chosen.places if chosen else 0) + 1)][:_PLACES])
    now = request.app[CLOCK].now()

    def send(session: Session) -> Outgoing:
        if chosen is None:
            raise workplace.WrongTemplate
        return workplace.send_template(session, line.talk.id, viewer.user_id, chosen, values, now)

    try:
        message = await write(request, send)
    except Refusal as refusal:
        return await composer_of(request, line, error=type(refusal).__name__)
    request.app[SERVICE].on_said([message])
    return await composer_of(request, await line_of(request))


async def _approved(request: web.Request, line: TalkLine) -> tuple[list[Approved], bool]:
    """The number's choices, and whether Meta told them: else its own template is all we know."""
    own, language = line.number.template, line.number.language
    told = await approved_of(request.app, line.number)
    if told is None:
        return [Approved(own, language, "", 1)] if own else [], False
    found = [each for each in told if each.places <= _PLACES]
    found.sort(key=lambda each: (each.name != own, each.language != language, each.name, each.language))
    return found, True


# ------------------------------------------------------------------------------------------------------ files
async def file(request: web.Request) -> web.Response:
    """Send the body of the request as a file; its name and caption stand in headers, percent-encoded."""
    line, viewer = await line_of(request), viewer_of(request)
    caption = clean(unquote(request.headers.get("X-Caption", "")), 4 * LONGEST).replace("\r\n", "\n")
    name = clean(unquote(request.headers.get("X-File-Name", "")), 400)
    now = request.app[CLOCK].now()
    try:
        workplace.check_file(line.talk, line.number.channel, viewer.user_id, caption, now)
        found = await asyncio.to_thread(attachment, await _body(request), name, request.content_type)
        kept = await _kept(request, line, found)
        send = partial(workplace.send_file, talk_id=line.talk.id, user_id=viewer.user_id, file=kept, caption=caption, now=now)
        messages = await write(request, send)
    except Refusal as refusal:
        return await composer_of(request, line, error=type(refusal).__name__, words=caption)
    request.app[SERVICE].on_said(messages)
    return await composer_of(request, await line_of(request))


async def _kept(request: web.Request, line: TalkLine, found: Attachment) -> File:
    """Keep the file for the thread, and give it to the messenger where that is done before it is sent. NoFiles, UploadFailed."""
    channel = request.app[SERVICE].channels.get(line.number.channel)
    if isinstance(channel, WhatsApp):
        try:
            account = request.app[NUMBERS].by_id(line.number.id).account
            media = await channel.upload(account, found.content, found.mime, found.name)
        except SendError as error:
            log.warning("a file was not taken", number=line.number.id, code=error.code, problem=str(error))
            raise UploadFailed from None
        path, file = sent_path(line.talk.company_id, media), File(found.kind, media_id=media, filename=found.name)
    elif channel is not None and channel.name == "telegram":
        path = sent_path(line.talk.company_id, uuid4().hex)
        file = File(found.kind, path=str(path), filename=found.name)
    else:
        raise NoFiles
    await asyncio.to_thread(keep, request.app[SETTINGS].media_dir / path, found.content)
    return file


async def _body(request: web.Request) -> bytes:
    """FileTooBig when it goes on after BIGGEST bytes."""
    if (request.content_length or 0) > BIGGEST:
        raise FileTooBig
    content = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        content += chunk
        if len(content) > BIGGEST:
            raise FileTooBig
    return bytes(content)


async def sent(request: web.Request) -> web.StreamResponse:
    """A file that one of us sent. What browsers might run is only ever downloaded."""
    read = partial(queries.sent_message, outbox_id=row_id(request))
    row = await request.app[DATABASE].read(read, company=viewer_of(request).company_id)
    message: Outbound | None = msgspec.json.decode(row.payload, type=Outbound) if row is not None else None
    kept = kept_path(row.company_id, message) if row is not None and isinstance(message, File) else None
    if kept is None or not isinstance(message, File):
        raise web.HTTPNotFound
    path = request.app[SETTINGS].media_dir / kept
    try:
        kind = await asyncio.to_thread(shown_as, path, message.kind)
    except OSError:
        raise web.HTTPNotFound from None
    return file_response(path, kind, message.filename or message.kind)


# -------------------------------------------------------------------------------------------- handing on, putting off
async def transfer(request: web.Request) -> web.Response:
    """Offer the conversation to a colleague."""
    viewer, now, talk_id = viewer_of(request), request.app[CLOCK].now(), row_id(request)
    to, words = await field(request, "user", 20), await field(request, "words", 500)

    def hand_on(session: Session) -> workplace.Handed:
        return workplace.transfer(session, talk_id, as_id(to) or 0, viewer.user_id, words, now, over=viewer.role in MANAGERS)

    return await _bar(request, await _refused(request, hand_on))


async def snooze(request: web.Request) -> web.Response:
    """Put the conversation off: for `hours`, till `tomorrow` morning, `until` a local time, or not any more."""
    line, viewer, now = await line_of(request), viewer_of(request), request.app[CLOCK].now()
    words = word("workplace", "back").format(name=line.person.name or line.person.profile_name or line.person.phone or "")
    span, written = await field(request, "for", 20), await field(request, "until", 40)
    try:
        until = _until(span, written, now, ZoneInfo(viewer.timezone))
    except Refusal as refusal:
        return await _bar(request, type(refusal).__name__)
    work = partial(workplace.snooze, talk_id=line.talk.id, user_id=viewer.user_id, until=until, words=words, now=now)
    return await _bar(request, await _refused(request, work))


def _until(span: str, written: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """TimePassed where no time can be made of it; TooFar."""
    if span == "none":
        return None
    if span in ("1", "3"):
        return now + timedelta(hours=int(span))
    if span == "tomorrow":
        local = now.astimezone(zone)
        return datetime.combine(local.date() + timedelta(days=1), _MORNING, zone).astimezone(UTC)
    try:
        return datetime.fromisoformat(written).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        raise TimePassed from None
    except OverflowError:
        raise TooFar from None


async def _refused(request: web.Request, work: Callable[[Session], object]) -> str:
    """Do it; the name of the refusal, "" when there was none."""
    try:
        await write(request, work)
    except Refusal as refusal:
        return type(refusal).__name__
    return ""


async def _bar(request: web.Request, error: str) -> web.Response:
    line = await line_of(request)
    return await render("_owner.html", request, {"line": line, **await owner_of(request, line), "error": error})


# ----------------------------------------------------------------------------------------------- ready answers
async def canned(request: web.Request, error: str = "", given: Mapping[str, str] | None = None) -> web.Response:
    rows = await request.app[DATABASE].read(workplace.canned, company=viewer_of(request).company_id)
    blank = {"id": "", "shortcut": "", "words": ""}
    context = {"rows": rows, "error": error, "given": given or blank, "may": viewer_of(request).role in MANAGERS}
    return await render("canned.html", request, context, status=422 if error else 200)


async def save_canned(request: web.Request) -> web.Response:
    """Add one, or change the one in the path; what was written stays on the page when it is refused."""
    row = row_id(request) if "id" in request.match_info else None
    shortcut = await field(request, "shortcut", 200)
    words = (await field(request, "words", 4 * LONGEST)).replace("\r\n", "\n")
    save = partial(workplace.save_canned, canned_id=row, shortcut=shortcut, words=words)
    try:
        await request.app[DATABASE].write(save, company=viewer_of(request).company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    except Refusal as refusal:
        return await canned(request, type(refusal).__name__, {"id": str(row or ""), "shortcut": shortcut, "words": words})
    raise web.HTTPSeeOther("/canned?done=canned")


async def delete_canned(request: web.Request) -> web.Response:
    gone = partial(workplace.delete_canned, canned_id=row_id(request))
    try:
        await request.app[DATABASE].write(gone, company=viewer_of(request).company_id)
    except LookupError:
        raise web.HTTPNotFound from None
    raise web.HTTPSeeOther("/canned?done=canned_gone")

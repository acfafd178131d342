"""Rendering: the Jinja2 environment, the words of the catalogue, times in the company's zone, and reading what forms send."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp_jinja2
import jinja2
import phonenumbers
import yaml
from aiohttp import web
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from jinja2.runtime import Context
from markupsafe import Markup, escape

from bot.channels.base import WINDOW
from bot.keys import CLOCK, WRITER
from bot.web.sessions import VIEWER

HERE = Path(__file__).parent
STATIC = {path.name: path for path in (HERE / "static").iterdir()}
CSRF = web.RequestKey("csrf", str)
"""What the forms of the page carry."""
_LOCALE = "es"
_LARGEST_ID = 2**63 - 1


async def render(template: str, request: web.Request, context: Mapping[str, Any], status: int = 200) -> web.Response:
    """A page or, from templates whose names begin with `_`, a part of one."""
    viewer = request.get(VIEWER)
    always = {
        "viewer": viewer,
        "csrf": request.get(CSRF, ""),
        "here": request.path,
        "now": request.app[CLOCK].now(),
        "zone": ZoneInfo(viewer.timezone) if viewer else UTC,
        "done": request.query.get("done", ""),
        "writer": WRITER in request.app,
        "writing": WRITER in request.app and viewer is not None and viewer.writer,
    }
    return await aiohttp_jinja2.render_template_async(template, request, always | dict(context), status=status)


def setup_templates(app: web.Application) -> None:
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        filters=FILTERS,
        enable_async=True,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(asset=_asset, word=word, words=lambda group: texts()[group])


@cache
def _asset(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep it for ever."""
    return f"/static/{name}?v={hashlib.sha256(STATIC[name].read_bytes()).hexdigest()[:10]}"


# ------------------------------------------------------------------------------------------------------- words
@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    loaded: Mapping[str, Mapping[str, str]] = yaml.safe_load((HERE / "texts.yaml").read_text("utf-8"))["es"]
    return loaded


def word(group: str, key: object, otherwise: str = "") -> str:
    """What people read for a key of the system; `otherwise`, or the key itself, where the catalogue has none."""
    return texts()[group].get(str(key), otherwise or str(key))


# ----------------------------------------------------------------------------------------------------- filters
@jinja2.pass_context
def _clock(context: Context, at: datetime) -> str:
    return format_time(at.astimezone(context["zone"]), "HH:mm", locale=_LOCALE)


@jinja2.pass_context
def _when(context: Context, at: datetime) -> str:
    """As short as a list needs it: 14:05, ayer, lun, 12 nov."""
    local, today = at.astimezone(context["zone"]), context["now"].astimezone(context["zone"]).date()
    days = (today - local.date()).days
    if days <= 0:
        return format_time(local, "HH:mm", locale=_LOCALE)
    if days == 1:
        return word("times", "yesterday")
    return format_date(local, "EEE" if days < 7 else "d MMM" if local.year == today.year else "d MMM y", locale=_LOCALE)


@jinja2.pass_context
def _day(context: Context, at: datetime) -> str:
    """The heading of a day: Hoy, Ayer, lunes 23 de noviembre."""
    local, today = at.astimezone(context["zone"]), context["now"].astimezone(context["zone"]).date()
    days = (today - local.date()).days
    if days in (0, 1):
        return word("times", "today" if days == 0 else "yesterday").capitalize()
    return format_date(local, "EEEE d 'de' MMMM" if local.year == today.year else "d 'de' MMMM 'de' y", locale=_LOCALE)


@jinja2.pass_context
def _full(context: Context, at: datetime) -> str:
    return format_datetime(at.astimezone(context["zone"]), "d MMM y, HH:mm", locale=_LOCALE)


@jinja2.pass_context
def _ago(context: Context, at: datetime) -> str:
    passed = context["now"] - at
    if passed < timedelta(minutes=1):
        return word("times", "just_now")
    return format_timedelta(-passed, add_direction=True, locale=_LOCALE, threshold=1, format="short")


@jinja2.pass_context
def _window(context: Context, last_in_at: datetime | None) -> str:
    """How long free text may still be written: "5 h", "20 min"; "" once it is closed."""
    left = last_in_at + WINDOW - context["now"] if last_in_at else timedelta()
    if left <= timedelta():
        return ""
    return f"{left // timedelta(hours=1)} h" if left >= timedelta(hours=1) else f"{max(1, left // timedelta(minutes=1))} min"


def phone(number: str) -> str:
    """+57 300 1234567, as people read it; as it came when it is not a number."""
    try:
        parsed = phonenumbers.parse(number if number.startswith("+") else "+" + number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


_URL = re.compile(r"(https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]])")
_BOLD = re.compile(r"(?<!\w)\*(?=\S)([^*\n]+?)(?<=\S)\*(?!\w)")


def _chat(text: str) -> Markup:
    """A message as messengers show it: *bold*, and addresses that can be opened."""
    parts = _URL.split(text)
    for index, part in enumerate(parts):
        safe = str(escape(part))
        parts[index] = (
            f'<a href="{safe}" target="_blank" rel="noopener noreferrer nofollow">{safe}</a>'
            if index % 2
            else _BOLD.sub(r"<strong>\1</strong>", safe)
        )
    return Markup("".join(parts))  # noqa: S704 -- every part is escaped above


def _initials(name: str) -> str:
    return "".join(part[0] for part in name.split()[:2] if part[:1].isalnum()).upper() or "·"


def _preview(text: str) -> str:
    """The start of a message; one without words is stored as its kind in brackets."""
    return word("kind", text[1:-1], text) if text.startswith("[") and text.endswith("]") else text


def _device(agent: str) -> str:
    """ "Chrome · Android" out of a browser's User-Agent, as far as it tells."""
    browsers = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "Mac", "Linux": "Linux"}
    found = [next((name for mark, name in table.items() if mark in agent), "") for table in (browsers, systems)]
    return " · ".join(filter(None, found)) or agent[:40] or word("times", "unknown_device")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "clock": _clock, "when": _when, "day": _day, "full": _full, "ago": _ago, "window": _window,
    "phone": phone, "chat": _chat, "initials": _initials,
    "preview": _preview, "device": _device,
}  # fmt: skip


# ----------------------------------------------------------------------------------------------- what forms send
def clean(value: object, longest: int = 5_000) -> str:
    """Text from a form or address that any database takes: no NUL, no lone surrogate, not longer than `longest`."""
    return str(value).replace("\0", "").encode(errors="replace").decode()[:longest].strip()


async def field(request: web.Request, name: str, longest: int = 5_000) -> str:
    """A field of the form that was sent; "" when it is missing."""
    return clean((await request.post()).get(name, ""), longest)


def row_id(request: web.Request, name: str = "id") -> int:
    """The id in the path. HTTPNotFound when no row can have it."""
    value = int(request.match_info[name])
    if value > _LARGEST_ID:
        raise web.HTTPNotFound
    return value


def chosen(request: web.Request, name: str, options: tuple[str, ...]) -> str:
    """A filter from the address; "" when it is not one of `options`."""
    value = request.query.get(name, "")
    return value if value in options else ""


def chosen_id(request: web.Request, name: str) -> int | None:
    return as_id(request.query.get(name, ""))


def as_id(value: str) -> int | None:
    """None when no row can have it."""
    return int(value) if re.fullmatch(r"\d{1,19}", value) and int(value) <= _LARGEST_ID else None


_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_cursor(*parts: int | datetime) -> str:
    """The place of a row in a list, for the address of what follows it."""
    return "-".join(str((part - _EPOCH) // _MICROSECOND if isinstance(part, datetime) else part) for part in parts)


def from_cursor(value: str, size: int) -> tuple[int, ...] | None:
    """The `size` numbers of a cursor; None when it is no such cursor."""
    if not re.fullmatch(rf"\d{{1,19}}(-\d{{1,19}}){{{size - 1}}}", value):
        return None
    numbers = tuple(map(int, value.split("-")))
    return numbers if max(numbers) <= _LARGEST_ID else None


def stretch(request: web.Request) -> tuple[int | None, int | None]:
    """Which stretch of a thread is asked for: before an id, or all since one; neither for the newest."""
    before, since = (from_cursor(request.query.get(name, ""), 1) for name in ("before", "since"))
    return before[0] if before else None, since[0] if since else None


def moment(microseconds: int) -> datetime:
    """HTTPBadRequest when no calendar has it."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise web.HTTPBadRequest from None

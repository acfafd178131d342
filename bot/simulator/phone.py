"""A phone in the browser: the page at /simulator/, what it does, and the controls (faults, clock). Only for this machine."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2
import yaml
from aiohttp import web
from aiohttp_sse import sse_response
from yarl import URL

from bot.simulator import limits
from bot.simulator.cloud_api import NETWORK
from bot.simulator.faults import Fault
from bot.simulator.network import Network
from bot.simulator.people import Person

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATIC = Path(__file__).parent / "static"
LANGUAGES = ("es", "en", "pt")

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_PAGE: web.AppKey[jinja2.Template] = web.AppKey("simulator_page", jinja2.Template)
_TEXTS: web.AppKey[dict[str, dict[str, str]]] = web.AppKey("simulator_texts")


def load_texts() -> dict[str, dict[str, str]]:
    """What people read, by language and key. KeyError when a text is missing in a language."""
    catalogue = yaml.safe_load((STATIC / "texts.yaml").read_text("utf-8"))
    return {language: {key: texts[language] for key, texts in catalogue.items()} for language in LANGUAGES}


def setup(app: web.Application, network: Network) -> None:
    """Mount the phone at /simulator/. Its pages' streams end when `app` shuts down; closing `network` is its owner's part."""
    phone = web.Application(middlewares=[_only_here])
    phone[NETWORK] = network
    phone[_TEXTS] = load_texts()
    loader = jinja2.FileSystemLoader(STATIC)
    phone[_PAGE] = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined).get_template("phone.html")
    phone.router.add_get("/", _page)
    phone.router.add_static("/static/", STATIC)
    phone.router.add_get("/state", _state)
    phone.router.add_get("/events", _events)
    phone.router.add_get("/media/{id}", _media)
    phone.router.add_post("/people", _add_person)
    phone.router.add_post("/acts", _act)
    phone.router.add_post("/files", _file)
    phone.router.add_post("/clock", _clock)
    phone.router.add_get("/faults", _faults)
    phone.router.add_post("/faults", _add_fault)
    phone.router.add_delete("/faults", _clear_faults)
    app.add_subapp("/simulator/", phone)

    async def hang_up(_: web.Application) -> None:
        network.hang_up()

    app.on_shutdown.append(hang_up)


@web.middleware
async def _only_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other machines, other sites' pages (also by DNS rebinding), and say what is wrong with a request."""
    try:
        remote = ipaddress.ip_address(request.remote or "0.0.0.0")  # noqa: S104
    except ValueError:
        raise web.HTTPNotFound from None
    origin = request.headers.get("Origin")
    if (
        not remote.is_loopback
        or request.url.host not in ("localhost", "127.0.0.1", "::1")
        or "X-Forwarded-For" in request.headers
    ):
        raise web.HTTPNotFound
    if origin is not None and URL(origin).authority != request.url.authority:
        raise web.HTTPForbidden
    try:
        response = await handler(request)
    except KeyError as error:
        return web.json_response({"error": f"missing or unknown: {error}"}, status=400)
    except LookupError as error:
        return web.json_response({"error": str(error)}, status=404)
    except (TypeError, ValueError) as error:
        return web.json_response({"error": str(error)}, status=400)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = _CSP
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-cache"
    return response


async def _json(request: web.Request) -> Json:
    """The body; ValueError unless it is declared as JSON, which other sites' forms cannot do."""
    body = await request.json() if request.content_type == "application/json" else None
    if not isinstance(body, dict):
        raise ValueError("a JSON object is needed")
    return body


async def _page(request: web.Request) -> web.StreamResponse:
    language = request.query.get("lang", LANGUAGES[0])
    texts = request.app[_TEXTS].get(language) or request.app[_TEXTS][LANGUAGES[0]]
    return web.Response(text=request.app[_PAGE].render(language=language, t=texts), content_type="text/html")


async def _state(request: web.Request) -> web.StreamResponse:
    return web.json_response(request.app[NETWORK].view())


async def _events(request: web.Request) -> web.StreamResponse:
    async with sse_response(request) as stream:
        with request.app[NETWORK].listen() as events, suppress(ConnectionResetError):
            await stream.send(json.dumps({"event": "refresh"}))
            while stream.is_connected() and (event := await events.get()) is not None:
                await stream.send(json.dumps(event))
    return stream


async def _media(request: web.Request) -> web.StreamResponse:
    file = request.app[NETWORK].media.get(request.match_info["id"])
    if file is None:
        raise web.HTTPNotFound
    headers = {"Content-Type": file.mime, "Content-Disposition": "attachment" if file.kind == "document" else "inline"}
    if "Range" not in request.headers:
        return web.Response(body=file.content, headers=headers | {"Accept-Ranges": "bytes"})
    start, stop, _ = request.http_range.indices(len(file.content))
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(file.content)}"
    return web.Response(body=file.content[start:stop], headers=headers, status=206)


async def _add_person(request: web.Request) -> web.StreamResponse:
    given = await _json(request)
    name, phone = str(given.get("name", "")).strip(), str(given.get("phone") or "").strip()
    if not 1 <= len(name) <= 80:
        raise ValueError("name: 1 to 80 characters")
    if phone and not 7 <= sum(map(str.isdigit, phone)) <= 15:
        raise ValueError("phone: 7 to 15 digits, with the country's code")
    return web.json_response(request.app[NETWORK].person(name, phone or None).view())


def _who(network: Network, person: object, number: object) -> tuple[Person, str]:
    return network.people[str(person)], network.numbers[str(number)].id


async def _act(request: web.Request) -> web.StreamResponse:
    """`{"person": bsuid, "number": phone_number_id, "do": …}` and what that act needs."""
    given = await _json(request)
    person, number = _who(request.app[NETWORK], given.get("person"), given.get("number"))
    match given.get("do"):
        case "say":
            if not 1 <= len(given["text"]) <= 65_536:
                raise ValueError("text: 1 to 65536 characters")
            await person.say(number, given["text"], about=given.get("about"), referral=given.get("referral"))
        case "press":
            await person.press_in(number, given["message"], given["choice"])
        case "location":
            place = {key: str(given.get(key, "")) for key in ("name", "address")}
            await person.send_location(number, float(given["latitude"]), float(given["longitude"]), **place)
        case "contact":
            await person.send_contact(number, given["name"], given["phone"])
        case "voice":
            await person.send_voice(number)
        case "sticker":
            await person.send_sticker(number)
        case "react":
            await person.react(number, given["message"], given["emoji"])
        case "edit":
            await person.edit(number, given["message"], given["text"])
        case "delete":
            await person.delete(number, given["message"])
        case unknown:
            raise ValueError(f"do: {unknown!r} is not known")
    return web.Response(status=204)


async def _file(request: web.Request) -> web.StreamResponse:
    """A file as the body; who sends it to whom, `filename`, `caption` and `voice` in the query."""
    query = request.query
    person, number = _who(request.app[NETWORK], query.get("person"), query.get("number"))
    content = await limits.read_all(request.content.iter_chunked(65_536), limits.BIGGEST)
    mime = request.headers.get("Content-Type", "application/octet-stream")
    if not content or mime.startswith(("application/x-www-form-urlencoded", "multipart/form-data", "text/html")):
        raise ValueError("a file is needed as the body")
    caption, filename = query.get("caption", ""), query.get("filename", "")
    await person.send_file(number, content, mime, caption=caption, filename=filename, voice="voice" in query)
    return web.Response(status=204)


async def _clock(request: web.Request) -> web.StreamResponse:
    hours = float((await _json(request)).get("advance_hours", 0))
    if not 0 < hours <= 24 * 366:
        raise ValueError("advance_hours: above 0, up to 8784")
    network = request.app[NETWORK]
    network.advance(timedelta(hours=hours))
    return web.json_response({"now": network.clock.now().isoformat()})


async def _faults(request: web.Request) -> web.StreamResponse:
    return web.json_response({"faults": request.app[NETWORK].faults.view()})


async def _add_fault(request: web.Request) -> web.StreamResponse:
    network, fault = request.app[NETWORK], Fault.read(await _json(request))
    if fault.number is not None and fault.number not in network.numbers:
        raise ValueError(f"number: {fault.number} is not one of ours")
    network.faults.add(fault)
    network.publish({"event": "refresh"})
    return await _faults(request)


async def _clear_faults(request: web.Request) -> web.StreamResponse:
    network = request.app[NETWORK]
    network.faults.clear()
    network.publish({"event": "refresh"})
    return await _faults(request)

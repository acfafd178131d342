"""The Graph API on this machine: the part of WhatsApp's Cloud API that a business calls, with Meta's limits and errors.

Mount `application(network)` anywhere, and point `WHATSAPP_GRAPH_URL` there.
Source: developers.facebook.com/docs/whatsapp/cloud-api/reference.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import BodyPartReader, web

from bot.simulator import limits
from bot.simulator.faults import Fault
from bot.simulator.graph_errors import CODES, GraphError, not_found
from bot.simulator.media import UPLOADED, MediaFile
from bot.simulator.network import Network, Number

log = logging.getLogger(__name__)

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NETWORK: web.AppKey[Network] = web.AppKey("simulator_network", Network)

V = r"/{version:v\d+\.\d+}"


def application(network: Network) -> web.Application:
    """The API as a sub-application."""
    app = web.Application(middlewares=[_graph])
    app[NETWORK] = network
    app.router.add_post(V + "/{id}/messages", _messages)
    app.router.add_post(V + "/{id}/media", _upload)
    app.router.add_get("/media/{ticket}", _download, name="media")
    app.router.add_get(V + "/{id}/whatsapp_business_profile", _profile)
    app.router.add_post(V + "/{id}/whatsapp_business_profile", _set_profile)
    app.router.add_get(V + "/{waba}/phone_numbers", _numbers)
    app.router.add_get(V + "/{waba}/message_templates", _templates)
    app.router.add_post(V + "/{waba}/message_templates", _create_template)
    app.router.add_delete(V + "/{waba}/message_templates", _delete_template)
    app.router.add_get(V + "/{waba}/subscribed_apps", _subscriptions)
    app.router.add_post(V + "/{waba}/subscribed_apps", _subscribe)
    app.router.add_get(V + "/{id}", _object)
    app.router.add_delete(V + "/{id}", _delete_media)
    return app


@web.middleware
async def _graph(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the token, and turn refusals into Meta's error bodies."""
    try:
        if request.headers.get("Authorization") != f"Bearer {request.app[NETWORK].token}":
            raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
        return await handler(request)
    except GraphError as error:
        log.info("%s %s: %s %s", request.method, request.path, error, error.details)
        return web.json_response(error.body(), status=error.http)
    except web.HTTPNotFound:
        return web.json_response(not_found(request.path, request.method.lower()).body(), status=400)


async def _json(request: web.Request) -> Json:
    try:
        body = await request.json()
    except ValueError:
        raise GraphError(100, "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise GraphError(100, "The body is not a JSON object.")
    return body


def _number(request: web.Request) -> Number:
    return request.app[NETWORK].get_number(request.match_info["id"], request.method.lower())


def _waba(request: web.Request) -> str:
    waba = request.match_info["waba"]
    if not any(number.waba == waba for number in request.app[NETWORK].numbers.values()):
        raise not_found(waba, request.method.lower())
    return waba


# ---------------------------------------------------------------------------------------------------- messages
async def _messages(request: web.Request) -> web.StreamResponse:
    network, number = request.app[NETWORK], _number(request)
    body = await _json(request)
    if "status" in body:
        return _read(network, number, body)
    fault = network.faults.draw(number.id)
    if fault is not None:
        return await _fail(request, number, body, fault)
    limits.check(body)
    return web.json_response(network.delivery.accept(number, body))


def _read(network: Network, number: Number, body: Json) -> web.Response:
    """`{"status": "read", "message_id", "typing_indicator"?}`"""
    if body["status"] != "read" or not body.get("message_id"):
        raise GraphError(131009, "Parameter 'status' must be read, with a 'message_id'.")
    typing = body.get("typing_indicator")
    if typing is not None and typing != {"type": "text"}:
        raise GraphError(131009, "Parameter 'typing_indicator.type' must be text.")
    network.delivery.read(number, str(body["message_id"]), typing is not None)
    return web.json_response({"success": True})


async def _fail(request: web.Request, number: Number, body: Json, fault: Fault) -> web.StreamResponse:
    """Answer as the fault says; a message that is taken all the same keeps the limits as ever."""
    network = request.app[NETWORK]
    network.publish({"event": "refresh"})
    late = fault.code is not None and CODES[fault.code].late
    answer = web.json_response({})
    if fault.drop_reply or late:
        limits.check(body)
        failure = GraphError(fault.code) if late and fault.code is not None else None
        answer = web.json_response(network.delivery.accept(number, body, failure))
    if fault.timeout:
        await asyncio.sleep(fault.timeout)
    if fault.timeout or fault.drop_reply:
        if request.transport is not None:
            request.transport.abort()
    elif fault.http:
        title = f"Error {fault.http}"
        return web.Response(
            text=f"<html><title>{title}</title><h1>{title}</h1></html>", content_type="text/html", status=fault.http
        )
    elif fault.code is not None and not late:
        raise GraphError(fault.code, "The simulator was told to answer this.")
    return answer


# ---------------------------------------------------------------------------------------------------- media
async def _upload(request: web.Request) -> web.StreamResponse:
    number = _number(request)
    if request.content_type != "multipart/form-data":
        raise GraphError(100, message="(#100) The parameter file is required.")
    product, content, mime, name = "", b"", "", ""
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "file":
            mime, name = part.headers.get("Content-Type", "application/octet-stream"), part.filename or ""
            content = await limits.read_all(_chunks(part), limits.BIGGEST)
        elif part.name == "messaging_product":
            product = await part.text()
    if product != "whatsapp":
        raise GraphError(100, message="(#100) The parameter messaging_product is required.")
    if not content:
        raise GraphError(100, message="(#100) The parameter file is required.")
    kind = limits.check_file(mime, content)
    file = request.app[NETWORK].media.keep(number.id, content, mime, kind, life=UPLOADED, filename=name)
    return web.json_response({"id": file.id})


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(65_536):
        yield chunk


def _media(request: web.Request, file: MediaFile) -> web.Response:
    path = request.app.router["media"].url_for(ticket=request.app[NETWORK].media.ticket(file))
    return web.json_response(
        {
            "messaging_product": "whatsapp",
            "url": str(request.url.origin().join(path)),
            "mime_type": file.mime,
            "sha256": file.sha256_hex,
            "file_size": len(file.content),
            "id": file.id,
        }
    )


async def _download(request: web.Request) -> web.StreamResponse:
    file = request.app[NETWORK].media.by_ticket(request.match_info["ticket"])
    if file is None:
        return web.Response(status=404)
    return web.Response(body=file.content, headers={"Content-Type": file.mime, "Content-Disposition": "attachment"})


async def _delete_media(request: web.Request) -> web.StreamResponse:
    if not request.app[NETWORK].media.remove(request.match_info["id"]):
        raise not_found(request.match_info["id"], "delete")
    return web.json_response({"success": True})


# ---------------------------------------------------------------------------------------------------- account
def _number_json(number: Number) -> Json:
    level = "HIGH" if number.throughput > 80 else "STANDARD"
    return {
        "verified_name": number.name,
        "code_verification_status": "VERIFIED",
        "display_phone_number": number.display,
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": level},
        "id": number.id,
    }


async def _object(request: web.Request) -> web.StreamResponse:
    """`GET /{id}`: a media file, a phone number, a template or an account, as in Meta's graph."""
    network, name = request.app[NETWORK], request.match_info["id"]
    if file := network.media.get(name):
        return _media(request, file)
    if name in network.numbers:
        return web.json_response(_pick(request, _number_json(network.numbers[name])))
    if template := network.templates.by_id(name):
        return web.json_response(_pick(request, template))
    if any(number.waba == name for number in network.numbers.values()):
        return web.json_response(
            {"id": name, "name": "WhatsApp", "timezone_id": "1", "message_template_namespace": f"local_{name}"}
        )
    raise not_found(name)


def _pick(request: web.Request, whole: Json) -> Json:
    """Only the `fields` that were asked for, and the id."""
    fields = request.query.get("fields")
    return whole if not fields else {key: value for key, value in whole.items() if key in fields.split(",") or key == "id"}


def _page(items: list[Json], more: Json | None = None) -> web.Response:
    return web.json_response({"data": items, "paging": {"cursors": {"before": "MAZDZD", "after": "MjQZD"}}} | (more or {}))


async def _numbers(request: web.Request) -> web.StreamResponse:
    waba = _waba(request)
    numbers = [number for number in request.app[NETWORK].numbers.values() if number.waba == waba]
    return _page([_pick(request, _number_json(number)) for number in numbers])


async def _profile(request: web.Request) -> web.StreamResponse:
    about = _number(request).about | {"messaging_product": "whatsapp"}
    return web.json_response({"data": [_pick(request, about) | {"messaging_product": "whatsapp"}]})


async def _set_profile(request: web.Request) -> web.StreamResponse:
    number, body = _number(request), await _json(request)
    for field, most in (("about", 139), ("address", 256), ("description", 512), ("email", 128)):
        if len(str(body.get(field, ""))) > most:
            raise GraphError(100, message=f"(#100) Param {field} must be at most {most} characters long.")
    number.about |= {key: value for key, value in body.items() if key != "messaging_product"}
    return web.json_response({"success": True})


async def _templates(request: web.Request) -> web.StreamResponse:
    wanted = {key: request.query[key] for key in ("name", "language", "status", "category") if key in request.query}
    found = request.app[NETWORK].templates.of(_waba(request))
    found = [template for template in found if all(str(template[key]) == value for key, value in wanted.items())]
    counts = {"total_count": len(found), "message_template_count": len(found), "message_template_limit": 6000}
    summary = {"summary": counts | {"are_translations_complete": True}} if "summary" in request.query else {}
    return _page([_pick(request, template) for template in found], summary)


async def _create_template(request: web.Request) -> web.StreamResponse:
    template = request.app[NETWORK].templates.create(_waba(request), await _json(request))
    return web.json_response({key: template[key] for key in ("id", "status", "category")})


async def _delete_template(request: web.Request) -> web.StreamResponse:
    if not request.app[NETWORK].templates.delete(_waba(request), request.query.get("name", "")):
        raise GraphError(100, "Message template not found.", subcode=2593002)
    return web.json_response({"success": True})


async def _subscriptions(request: web.Request) -> web.StreamResponse:
    waba = _waba(request)
    app = {"link": "https://www.facebook.com/games/?app_id=1", "name": "Mostrador", "id": "1"}
    return web.json_response({"data": [{"whatsapp_business_api_data": app}], "id": waba})


async def _subscribe(request: web.Request) -> web.StreamResponse:
    _waba(request)
    return web.json_response({"success": True})

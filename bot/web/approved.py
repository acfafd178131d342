"""The approved templates of a number's account, as Meta tells them."""

from __future__ import annotations

import structlog
from aiohttp import web

from bot.channels.base import SendError
from bot.channels.whatsapp import WhatsApp
from bot.channels.whatsapp_templates import Approved
from bot.keys import NUMBERS, SERVICE
from data.tables import Number

log = structlog.get_logger()


async def approved_of(app: web.Application, number: Number) -> list[Approved] | None:
    """None when they are not to be had: another messenger, no account, or Meta does not tell."""
    channel = app[SERVICE].channels.get("whatsapp")
    if not isinstance(channel, WhatsApp) or number.channel != "whatsapp" or not number.account:
        return None
    try:
        return await channel.templates(app[NUMBERS].by_id(number.id).account, number.account)
    except SendError as error:
        log.warning("the templates of a number are not to be had", number=number.id, problem=str(error))
        return None

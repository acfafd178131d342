"""Everything else, through Apprise: ntfy, Gotify, Slack, Discord … Each way is an address that the user writes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from notifications.senders.errors import Refused, Trouble, TryAgain

SCHEMES = (
    "discord", "gchat", "gotify", "gotifys", "json", "jsons", "matrixs", "msteams", "ntfy", "ntfys", "opsgenie", "pbul",
    "pover", "slack", "workflows",
)  # fmt: skip
"""What may be written; those of Apprise that run something on this machine, or send as us, are not among them."""
TIMEOUT = 10.0
"""Seconds that a service may take to connect, and for each part of its answer."""
BODY = 1800
"""Characters of a message: the tightest of them takes 2,000."""


class WrongAddress(ValueError):
    """Not an address that may be written."""


class Other:
    """Sends in threads of its own: Apprise blocks. `private` lets hosts of our own network through: for tests."""

    def __init__(self, *, private: bool = False, threads: int = 4) -> None:
        self._private = private
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="apprise")

    async def send(self, url: str, title: str, body: str) -> None:
        """TryAgain, Refused. Apprise does not tell why it failed."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._send, url, title, body)

    def _send(self, url: str, title: str, body: str) -> None:
        try:
            service = read_address(url)
        except WrongAddress as error:
            raise Refused(Trouble.NOT_AN_ADDRESS) from error
        from notifications.senders.connections import watched  # with Apprise, which took a while

        with watched(private=self._private) as refused:
            taken = service.notify(title=title, body=body[:BODY], body_format="text")
        if refused:
            raise Refused(Trouble.PRIVATE_NETWORK)
        if not taken:
            raise TryAgain(Trouble.NOT_TAKEN)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def read_address(url: str) -> Any:
    """The service behind an address, as Apprise has it. WrongAddress unless it is one of SCHEMES, whole, and reads no file. Loads
    a lot, so not on the event loop."""
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError as error:
        raise WrongAddress(str(error)) from error
    if scheme not in SCHEMES:
        raise WrongAddress(f"{scheme or 'it'}: not one of {', '.join(SCHEMES)}")
    import apprise  # takes a while, and is seldom used

    asset = apprise.AppriseAsset(app_id="Mostrador", app_desc="Mostrador", secure_logging=True, storage_mode="memory")
    service: Any = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        raise WrongAddress(f"{scheme}: something is missing in it")
    if any(isinstance(part, apprise.AppriseAttachment) and len(part) for part in vars(service).values()):
        raise WrongAddress(f"{scheme}: it names a file")  # template=, keyfile=: of this machine, or of our own network
    # whatever the address asks for: a redirect, or a home server that Matrix discovers, may be in our own network
    service.redirects, service.discovery, service.retry = False, False, 0
    service.socket_connect_timeout = service.socket_read_timeout = TIMEOUT
    return service

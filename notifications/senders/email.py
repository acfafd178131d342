"""E-mail over SMTP."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import parseaddr
from ssl import SSLError
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from notifications.senders.errors import Gone, Refused, SendFailed, Trouble, TryAgain, Unsure

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponseException

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_NO_MAILBOX = re.compile(r"\b5\.(1\.[1-36]|2\.1)\b")
"""RFC 3463: there is no such mailbox, host or address, it has moved, or it is disabled. A bare 550 may be about us."""


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    tls: bool
    """From the first byte on."""
    starttls: bool
    user: str = ""
    password: str = ""


def read_server(url: str) -> MailServer:
    """smtp://host, smtp+starttls://user:password@host:587 or smtps://user:password@host:465. ValueError, which shows no
    password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("not an address; use smtp+starttls://user:password@host:587") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("use smtp://host, smtp+starttls://user:password@host:587 or smtps://user:password@host:465")
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp+starttls",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def read_sender(written: str) -> Address:
    """ "Mostrador <alertas@ejemplo.co>" as an address. ValueError."""
    name, address = parseaddr(written)
    return read_address(address if written.isprintable() else "", name)


def read_address(address: str, name: str = "") -> Address:
    """An address that can stand in a header and be written to over SMTP. ValueError."""
    try:
        found = Address(name, addr_spec=address)
    except (ValueError, IndexError, MessageError):
        found = Address()
    if not found.username or not found.domain or not address.isascii():
        raise ValueError("use an e-mail address, such as Mostrador <alertas@ejemplo.co>")
    return found


class Email:
    """One mail server. Each message has a connection of its own, so that a server that stalls holds up no more than `total`
    seconds of one slot. `timeout`: seconds for one answer of the server."""

    def __init__(self, server: MailServer, sender: Address, *, timeout: float = 10.0, total: float = 30.0) -> None:
        self._server = server
        self._timeout = timeout
        self._total = total
        self.sender = sender

    async def send(self, message: EmailMessage, to: str) -> None:
        """Hand the message over to the address `to` (`read_address`). TryAgain, Unsure, Refused, Gone."""
        from aiosmtplib import SMTP, SMTPException, SMTPResponseException  # loaded by those who use it

        server, content = self._server, message.as_bytes(policy=WIRE)
        client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls=server.starttls,
            timeout=self._timeout,
            local_hostname=self.sender.domain,
        )
        handed = False
        try:
            async with asyncio.timeout(self._total):
                await client.connect()
                if server.user:
                    await client.login(server.user, server.password)
                await client.mail(self.sender.addr_spec)
                await client.rcpt(to)
                handed = True
                await client.data(content)
            await _say_goodbye(client)
        except SMTPResponseException as error:
            await _say_goodbye(client)
            raise _refusal(error) from error
        except (SMTPException, OSError, ValueError) as error:
            raise (Unsure(Trouble.NO_ANSWER) if handed else TryAgain(_hindrance(error))) from error
        finally:
            client.close()


def _refusal(error: SMTPResponseException) -> SendFailed:
    """What a refusing answer means: 4xx may be taken later, 5xx never (RFC 5321, 4.2.1)."""
    from aiosmtplib import SMTPAuthenticationError, SMTPConnectResponseError, SMTPRecipientRefused

    words = f"{error.code} {error.message}"[:300]
    if isinstance(error, SMTPAuthenticationError | SMTPConnectResponseError) or error.code < 500:
        return TryAgain(words)  # our own log-in is not this message's fault
    if isinstance(error, SMTPRecipientRefused) and _NO_MAILBOX.search(error.message):
        return Gone(words)
    return Refused(words)


def _hindrance(error: Exception) -> Trouble:
    """Why nothing could be handed over. aiosmtplib has no error of its own for a server that does not offer STARTTLS."""
    unsafe = isinstance(error, SSLError) or isinstance(error.__cause__, SSLError) or "STARTTLS" in str(error)
    return Trouble.NO_TLS if unsafe else Trouble.NO_CONNECTION


async def _say_goodbye(client: SMTP) -> None:
    """What became of the message is known: a server that does not answer this changes nothing."""
    with suppress(Exception):
        await client.quit(timeout=1.0)

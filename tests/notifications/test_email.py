"""E-mail, against a real mail server that accepts, refuses, and stalls."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from unittest.mock import Mock

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from notifications.senders.email import Email, MailServer, read_address, read_sender, read_server
from notifications.senders.errors import Gone, Refused, SendFailed, Trouble, TryAgain, Unsure
from tests.notifications.conftest import MailHost

SENDER = read_sender("Mostrador <alertas@andina.co>")


def mail(words: str = "Hola, ¿sí?\n.\nfin") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"], made["Message-ID"] = "Años", str(SENDER), "c@andina.co", "<1@andina.co>"
    made.set_content(words)
    return made


def to(host: MailHost, **more: float) -> Email:
    return Email(read_server(f"smtp://127.0.0.1:{host.port}"), SENDER, **{"timeout": 0.3, "total": 0.5} | more)


async def test_what_was_taken_is_whole(mail_host: MailHost) -> None:
    await to(mail_host).send(mail(), "c@andina.co")
    (got,) = mail_host.got
    assert (got.mail_from, got.rcpt_tos) == ("alertas@andina.co", ["c@andina.co"])
    assert isinstance(got.content, bytes)
    assert b"Subject: =?utf-8?" in got.content
    assert b"Message-ID: <1@andina.co>" in got.content


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        ("550 5.1.1 no such user", Gone),
        ("550 5.2.1 mailbox disabled", Gone),
        ("550 5.7.1 relaying denied", Refused),
        ("550 go away", Refused),
        ("450 4.2.0 greylisted, come back", TryAgain),
        ("452 4.2.2 mailbox full", TryAgain),
    ],
)
async def test_what_a_refused_recipient_means(mail_host: MailHost, answer: str, means: type[SendFailed]) -> None:
    mail_host.at_rcpt = lambda _: answer
    with pytest.raises(SendFailed, match=answer[:3]) as told:
        await to(mail_host).send(mail(), "c@andina.co")
    assert type(told.value) is means
    assert mail_host.got == []


@pytest.mark.parametrize(("answer", "means"), [("554 5.6.0 spam", Refused), ("451 4.3.0 later", TryAgain)])
async def test_what_a_refused_message_means(mail_host: MailHost, answer: str, means: type[SendFailed]) -> None:
    mail_host.at_data = answer
    with pytest.raises(SendFailed) as told:
        await to(mail_host).send(mail(), "c@andina.co")
    assert type(told.value) is means


async def test_a_server_that_never_answers_leaves_the_fate_open(mail_host: MailHost) -> None:
    mail_host.stalls = asyncio.Event()
    with pytest.raises(Unsure, match=Trouble.NO_ANSWER):
        await to(mail_host).send(mail(), "c@andina.co")
    assert len(mail_host.got) == 1, "it had been taken"


async def test_a_mail_that_cannot_be_written_out_is_our_fault_and_never_left(mail_host: MailHost) -> None:
    broken = Mock(as_bytes=Mock(side_effect=ValueError("broken")))
    with pytest.raises(ValueError, match="broken"):
        await to(mail_host).send(broken, "c@andina.co")
    assert mail_host.got == []


async def test_a_server_that_stalls_before_or_is_not_there_took_nothing(unused_tcp_port: int) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", unused_tcp_port)
    server = Email(MailServer("127.0.0.1", unused_tcp_port, tls=False, starttls=False), SENDER, timeout=5, total=0.15)
    try:
        with pytest.raises(TryAgain, match=Trouble.NO_CONNECTION):
            await server.send(mail(), "c@andina.co")
    finally:
        silent.close()
    with pytest.raises(TryAgain, match=Trouble.NO_CONNECTION):
        await server.send(mail(), "c@andina.co")


# ------------------------------------------------------------------------------------------------------- over TLS
@asynccontextmanager
async def serving(host: MailHost, url: str, certificate: Path | None) -> AsyncIterator[Email]:
    """`host` with TLS as the scheme of `url` asks for, and before it who sends there; without a certificate it has no TLS."""
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    whole = context if url.startswith("smtps:") else None

    def log_in(server: object, session: object, envelope: object, mechanism: str, given: object) -> AuthResult:
        host.log_ins.append(given)
        return AuthResult(success=host.lets_in, handled=False)

    def protocol() -> SMTP:
        return SMTP(
            host,
            hostname="localhost",
            tls_context=None if whole else context,
            require_starttls=not whole and context is not None,
            authenticator=log_in,
            auth_require_tls=False,
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=whole)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Email(read_server(f"{url}:{port}"), SENDER, timeout=5, total=10)
    finally:
        server.close()


SECURE = pytest.mark.parametrize("url", ["smtps://u:word@localhost", "smtp+starttls://u:word@localhost"])


@SECURE
@pytest.mark.usefixtures("trusted")
async def test_a_mail_goes_over_tls(mail_host: MailHost, certificate: Path, url: str) -> None:
    async with serving(mail_host, url, certificate) as server:
        await server.send(mail(), "c@andina.co")
    assert [got.rcpt_tos for got in mail_host.got] == [["c@andina.co"]]
    assert len(mail_host.log_ins) == 1


@pytest.mark.usefixtures("trusted")
async def test_a_password_that_is_wrong_is_not_the_messages_fault(mail_host: MailHost, certificate: Path) -> None:
    mail_host.lets_in = False
    async with serving(mail_host, "smtps://u:word@localhost", certificate) as server:
        with pytest.raises(TryAgain, match="535"):
            await server.send(mail(), "c@andina.co")
    assert mail_host.got == []


@SECURE
async def test_a_certificate_that_nobody_vouches_for_gets_neither_mail_nor_password(
    mail_host: MailHost, certificate: Path, url: str
) -> None:
    async with serving(mail_host, url, certificate) as server:
        with pytest.raises(TryAgain, match=Trouble.NO_TLS):
            await server.send(mail(), "c@andina.co")
    assert (mail_host.got, mail_host.log_ins) == ([], [])


@SECURE
@pytest.mark.usefixtures("trusted")
async def test_another_hosts_certificate_gets_neither(mail_host: MailHost, certificate: Path, url: str) -> None:
    async with serving(mail_host, url.replace("localhost", "127.0.0.1"), certificate) as server:
        with pytest.raises(TryAgain, match=Trouble.NO_TLS):
            await server.send(mail(), "c@andina.co")
    assert (mail_host.got, mail_host.log_ins) == ([], [])


@SECURE
async def test_a_server_without_tls_gets_neither(mail_host: MailHost, url: str) -> None:
    async with serving(mail_host, url, None) as server:
        with pytest.raises(TryAgain, match=Trouble.NO_TLS):
            await server.send(mail(), "c@andina.co")
    assert (mail_host.got, mail_host.log_ins) == ([], [])


@pytest.mark.parametrize("wrong", ["ñandú@andina.co", "", "a b@c.co", "@b.co", "a@b.co\r\nBcc: x@y.co", "a@", "a@b@c"])
def test_addresses_that_mail_does_not_carry(wrong: str) -> None:
    with pytest.raises(ValueError, match="e-mail address"):
        read_address(wrong)


def test_the_address_of_a_server() -> None:
    assert read_server("smtp://localhost") == MailServer("localhost", 25, tls=False, starttls=False)
    assert read_server("smtps://u%40a.co:p%3Aw@mx.a.co") == MailServer(
        "mx.a.co", 465, tls=True, starttls=False, user="u@a.co", password="p:w"
    )
    assert read_server("smtp+starttls://u:p@mx.a.co:2525") == MailServer(
        "mx.a.co", 2525, tls=False, starttls=True, user="u", password="p"
    )
    for wrong in ("mx.a.co", "http://mx.a.co", "smtp://", "smtp://a:hunter2@b:x"):
        with pytest.raises(ValueError, match="use") as told:
            read_server(wrong)
        assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("wrong", ["", "Mostrador", "a@", "@b.co", "A <a@b.co>\nBcc: x@y.co", "ñ@b.co"])
def test_whom_mails_cannot_be_from(wrong: str) -> None:
    with pytest.raises(ValueError, match="address"):
        read_sender(wrong)

"""What Apprise connects to, by requests and urllib3: addresses of the public internet alone. A name is looked up once, when it is
connected to, and only to what was checked: another answer of the name server a moment later changes nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from notifications.senders.addresses import PrivateAddress, public_addresses

_thread = threading.local()


@contextmanager
def watched(*, private: bool) -> Iterator[list[str]]:
    """What this thread sends inside; yields the hosts that were refused, as they are met. `private` lets all through: for
    tests."""
    refused: list[str] = []
    _thread.private, _thread.refused = private, refused
    try:
        yield refused
    finally:
        del _thread.private, _thread.refused


def _connect(connection: HTTPConnection) -> socket.socket:
    host, port = connection.host.strip("[]"), connection.port
    try:
        addresses = public_addresses(host)
    except PrivateAddress:
        getattr(_thread, "refused", []).append(host)
        raise
    for address in addresses[:-1]:
        try:
            return create_connection((address, port), connection.timeout, connection.source_address, connection.socket_options)
        except OSError:
            continue
    return create_connection((addresses[-1], port), connection.timeout, connection.source_address, connection.socket_options)


def _is_free(connection: HTTPConnection) -> bool:
    """A proxy that the installation itself has set looks names up in our place."""
    return connection.proxy is not None or getattr(_thread, "private", False)


class _Http(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return super()._new_conn() if _is_free(self) else _connect(self)


class _Https(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return super()._new_conn() if _is_free(self) else _connect(self)


HTTPConnectionPool.ConnectionCls = _Http  # of the whole process: nothing else in it sends with urllib3
HTTPSConnectionPool.ConnectionCls = _Https

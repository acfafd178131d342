"""Which addresses on the network we send to: users name hosts, and none of these may be of our own network."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddress(OSError):
    """The host is on this machine or in a private network."""


def is_public(address: str) -> bool:
    """Whether an IP address is of the public internet, also where an IPv4 one is wrapped in an IPv6 one. ValueError: not an IP
    address."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour
        if wrapped is None and ip in _NAT64:
            wrapped = IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = wrapped or ip
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def public_addresses(host: str) -> list[str]:
    """The IP addresses of `host`, the one to be tried first at the front. PrivateAddress when any of them is not public; OSError
    when there is no such name. Asks the name server, so not on the event loop."""
    found = list(dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)))
    if not all(map(is_public, found)):
        raise PrivateAddress(f"{host} is in a private network")
    return found


class PublicOnly(AbstractResolver):
    """Resolves for aiohttp, at the very moment of connecting, so that a name cannot mean another address a moment later."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise PrivateAddress(f"{host} is in a private network")
        return found

    async def close(self) -> None:
        await self._resolver.close()

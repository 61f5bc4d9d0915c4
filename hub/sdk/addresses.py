"""Where the hub never sends a request, whoever asks: clouds' metadata services, and names that turn out to be us.

A name in hub.yaml may be answered by whoever runs the DNS. An answer that is this machine or its link (rebinding) is
refused; an address written as such is taken, for the operator wrote it: gateways do run on the hub's own machine.
"""

from __future__ import annotations

import socket
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

#: Metadata of Amazon, Azure, Google, Tencent and others; of ECS tasks; of Alibaba; of Amazon by IPv6.
_METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "169.254.0.23", "fd00:ec2::254"))
)
_NAT64 = ip_network("64:ff9b::/96")
_BROADCAST = IPv4Address("255.255.255.255")


def refused(text: str, *, named: bool) -> bool:
    """Tell whether nothing is sent to an address; ``named``: a resolver answered it, nobody wrote it down.

    Read as a client reads it, who takes full-width digits and dots and a final dot for the same (UTS 46).
    """
    written = unicodedata.normalize("NFKC", text).replace("\u3002", ".").rstrip(".").partition("%")[0]
    try:
        address = _plain(ip_address(written))
    except ValueError:
        return _odd(written)
    if address in _METADATA or address.is_multicast or address == _BROADCAST:
        return True
    return address.is_unspecified or (named and (address.is_loopback or address.is_link_local or address.is_reserved))


def _odd(written: str) -> bool:
    """Tell whether a text is an IPv4 address as only resolvers read it: decimal, hexadecimal, octal, cut short."""
    try:
        socket.inet_aton(written)
    except (OSError, UnicodeEncodeError):
        return False
    return True


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Take IPv4 out of the forms in which IPv6 carries it (RFC 4291 2.5.5, RFC 3056, RFC 6052)."""
    if isinstance(address, IPv4Address):
        return address
    wrapped = address.ipv4_mapped or address.sixtofour
    if wrapped is None and (address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1)):
        wrapped = IPv4Address(int(address) & 0xFFFFFFFF)
    return wrapped or address


class GuardedResolver(ThreadedResolver):
    """The system's resolver without answers that are refused; a request goes to what was checked (aiohttp pins it)."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``. Raises OSError where none is left."""
        found = await super().resolve(host, port, family)
        known = host.rstrip(".").lower() == "localhost"
        kept = [one for one in found if not refused(one["host"], named=not known)]
        if not kept:
            raise OSError(f"{host[:80]} is an address that the hub does not call")
        return kept


def session(resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """Return a session for requests to devices: no proxy of the environment, any number of connections."""
    connector = aiohttp.TCPConnector(limit=0, resolver=resolver or GuardedResolver())
    return aiohttp.ClientSession(trust_env=False, connector=connector)

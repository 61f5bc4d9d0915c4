"""Finds ONVIF devices in the local network by WS-Discovery (OASIS draft of April 2005, ONVIF Core, section 7).

One multicast datagram asks for video transmitters; each answers by unicast. Nothing said is trusted: the addresses are
to be shown to a person, not to be connected to unasked.
"""

from __future__ import annotations

import asyncio
import re
import socket
import uuid
from dataclasses import dataclass
from urllib.parse import unquote

from hub.sdk import DecodeError, Unreachable, Unsupported, check_address, clean
from integrations.onvif.address import MAX_ADDRESS
from integrations.onvif.soap import ENVELOPE
from integrations.onvif.tree import Element, children, find, local, parse, text

#: Where WS-Discovery listens: link-local multicast and its registered port.
MULTICAST = ("239.255.255.250", 3702)
#: Every interface; the system chooses the one that the probe leaves by.
ANYWHERE = "0.0.0.0"  # noqa: S104 - answers come in on whatever interface they come
#: Largest datagram that is read, in bytes; most datagrams of one probe; most devices; most addresses of one.
MAX_DATAGRAM, MAX_DATAGRAMS, MAX_FOUND, _MAX_ADDRESSES = 16 * 1024, 2048, 256, 8
#: Seconds after which the probe is sent again: datagrams get lost (SOAP-over-UDP 1.1, appendix I: 50 to 500 ms).
_AGAIN = 0.2
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_SCOPE = "onvif://www.onvif.org/"
_IDENTITY = re.compile(r"(?:urn:)?(?:uuid:)?([0-9A-Za-z-]{4,64})\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """One device that answered. All texts are cleaned, any but ``uuid`` and ``addresses`` may be empty."""

    uuid: str
    addresses: tuple[str, ...]
    """Of its device service, as it names them; at least one."""
    name: str
    hardware: str
    location: str
    sender: str
    """IP address that the answer came from."""


async def probe(
    timeout_s: float = 3.0, address: tuple[str, int] = MULTICAST, local: str = ANYWHERE
) -> tuple[Found, ...]:
    """Return what answers within ``timeout_s`` seconds, first come first. Raises Unreachable without a network.

    ``local`` is the hub's own IPv4 address in the cameras' network, where it is in several.
    """
    identity = f"urn:uuid:{uuid.uuid4()}"
    listener = _Listener(identity)
    again = min(_AGAIN, timeout_s / 2)
    try:
        own = _socket(local)
    except OSError as error:
        raise Unreachable(f"no socket for discovery ({type(error).__name__})") from None
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: listener, sock=own)
    try:
        for pause in (again, timeout_s - again):
            transport.sendto(question(identity), address)
            await asyncio.sleep(pause)
    finally:
        transport.close()
    if listener.failure and not listener.found:
        raise Unreachable(f"no network for discovery ({listener.failure})")
    return tuple(listener.found.values())


def _socket(local: str) -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own.setblocking(False)
        own.bind((local, 0))
        if local != ANYWHERE:
            own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(local))
    except OSError:
        own.close()
        raise
    return own


def question(identity: str) -> bytes:
    """Return the probe for video transmitters with the message id ``identity``."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{ENVELOPE}" xmlns:a="{_ADDRESSING}"'
        f' xmlns:d="{_DISCOVERY}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>'
        f"<a:MessageID>{identity}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
        f"<a:Action>{_DISCOVERY}/Probe</a:Action></s:Header>"
        "<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
    ).encode()


def answers(datagram: bytes, identity: str, sender: str) -> tuple[Found, ...]:
    """Read one datagram: the devices in the answer to ``identity``. Raises DecodeError for anything else."""
    if len(datagram) > MAX_DATAGRAM:
        raise DecodeError(f"a datagram of more than {MAX_DATAGRAM} bytes")
    root = parse(datagram)
    matches = find(root, "Body", "ProbeMatches")
    if local(root) != "Envelope" or matches is None:
        raise DecodeError("no ProbeMatches")
    if text(root, "Header", "RelatesTo", limit=128) != identity:
        raise DecodeError("an answer to somebody else")
    return tuple(_found(match, sender) for match in children(matches, "ProbeMatch"))


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, identity: str) -> None:
        self.found: dict[str, Found] = {}
        self.failure = ""
        self._identity = identity
        self._left = MAX_DATAGRAMS

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._left -= 1
        if self._left < 0:
            return
        try:
            for device in answers(data, self._identity, addr[0]):
                if len(self.found) < MAX_FOUND:
                    self.found.setdefault(device.uuid, device)
        except DecodeError:
            return  # anybody can send anything here

    def error_received(self, exc: Exception) -> None:
        self.failure = type(exc).__name__


def _found(match: Element, sender: str) -> Found:
    identity = _IDENTITY.match(text(match, "EndpointReference", "Address", limit=128))
    named = text(match, "XAddrs", limit=4 * MAX_ADDRESS).split()[:_MAX_ADDRESSES]
    addresses = tuple(address for address in named if _is_address(address))
    if identity is None or not addresses:
        raise DecodeError("a device without an identity or an address")
    scopes = text(match, "Scopes", limit=4 * MAX_ADDRESS).split()
    name, hardware, location = (_scope(scopes, part) for part in ("name", "hardware", "location"))
    return Found(identity[1].lower(), addresses, name, hardware, location, sender)


def _is_address(named: str) -> bool:
    try:
        check_address(named, "http", "https")
    except Unsupported:
        return False
    return len(named) <= MAX_ADDRESS and named.isascii() and named.isprintable()


def _scope(scopes: list[str], part: str) -> str:
    """Return the values of one scope: ``onvif://www.onvif.org/location/city/Nanjing`` may come several times."""
    start = f"{_SCOPE}{part}/"
    return clean(" ".join(unquote(scope.removeprefix(start)) for scope in scopes if scope.startswith(start)))

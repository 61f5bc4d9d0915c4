"""Cameras that answer a WS-Discovery probe (WS-Discovery 1.0, ONVIF Core Specification section 7)."""

from __future__ import annotations

import asyncio
import socket
import uuid
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from hub.discovery.matchers import Matcher, match
from hub.model.found import Found, Source

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

GROUP, PORT = "239.255.255.250", 3702
#: Seconds between two probes, and in which answers to one are taken.
EVERY, ANSWERING = 300.0, 4.0
#: Seconds after which a probe is sent once more: datagrams get lost (SOAP-over-UDP 1.1, appendix I).
AGAIN = 0.2
#: Largest answer in bytes, and most answers to one probe.
LARGEST, MOST = 16 * 1024, 256
_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" \
xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" \
xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">\
<e:Header><w:MessageID>uuid:{id}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>\
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>\
<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"""
_D = "{http://schemas.xmlsoap.org/ws/2005/04/discovery}"
_W = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
_SCOPE = "onvif://www.onvif.org/"


async def look(
    known: Iterable[Matcher],
    interfaces: tuple[str, ...],
    see: Callable[[Found], Awaitable[None]],
    target: tuple[str, int] = (GROUP, PORT),
) -> None:
    """Probe on ``interfaces`` again and again until cancelled. Raises OSError when one is not there."""
    known = tuple(known)
    while True:
        for interface in interfaces:
            for one in await probe(known, interface, target):
                await see(one)
        await asyncio.sleep(EVERY)


async def probe(
    known: Iterable[Matcher], interface: str, target: tuple[str, int] = (GROUP, PORT), seconds: float = ANSWERING
) -> tuple[Found, ...]:
    """Ask once; return who answered. Raises OSError."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((interface, 0))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    answers = _Answers()
    transport, _ = await loop.create_datagram_endpoint(lambda: answers, sock=sock)
    asked = _PROBE.format(id=uuid.uuid4()).encode()
    try:
        transport.sendto(asked, target)
        await asyncio.sleep(min(AGAIN, seconds / 2))
        transport.sendto(asked, target)
        await asyncio.sleep(seconds - min(AGAIN, seconds / 2))
    finally:
        transport.close()
    found = {one.key: one for data, sender in answers.taken for one in read(known, data, sender)}
    return tuple(found.values())


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str]] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self.taken) < MOST and len(data) <= LARGEST:
            self.taken.append((data, addr[0]))


def read(known: Iterable[Matcher], data: bytes, sender: str) -> list[Found]:
    """Read the matches of one answer; one that is no XML, or holds a DTD, is none. ``sender`` is its IP address."""
    if b"<!" in data or b"\0" in data:  # no DTD belongs into SOAP (SOAP 1.2, section 5), and none hides in UTF-16
        return []
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - no DTD, see above, and small
    except ElementTree.ParseError:
        return []
    return [one for item in root.iter(f"{_D}ProbeMatch") if (one := _match(known, item, sender)) is not None]


def _match(known: Iterable[Matcher], item: ElementTree.Element, sender: str) -> Found | None:
    identity = (item.findtext(f"{_W}EndpointReference/{_W}Address") or "").strip()
    addresses = (item.findtext(f"{_D}XAddrs") or "").split()
    url = next((address for address in addresses if _is_at(address, sender)), "")
    if not identity or not url:
        return None  # it names another host than the one that answers: behind a translation, or a lie
    scopes = [
        scope.removeprefix(_SCOPE) for scope in (item.findtext(f"{_D}Scopes") or "").split() if scope.startswith(_SCOPE)
    ]
    told = {key: unquote(value) for key, _, value in (scope.partition("/") for scope in scopes) if value}
    types = [name.rpartition(":")[2] for name in (item.findtext(f"{_D}Types") or "").split()]
    return match(
        known,
        Source.ONVIF,
        types,
        identity=identity,
        name=told.get("name", "") or told.get("hardware", ""),
        facts={"address": sender, **{key: told[key] for key in ("hardware", "location") if key in told}},
        properties={"url": url, "host": sender},
    )


def _is_at(url: str, host: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and ip_address(parts.hostname or "") == ip_address(host)
    except ValueError:
        return False

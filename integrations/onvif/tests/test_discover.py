"""A probe over real datagrams: an answerer on loopback that tells the truth, lies, floods or keeps silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast
from xml.etree import ElementTree

import pytest

from hub.sdk import DecodeError, Unreachable
from integrations.onvif.discover import MAX_DATAGRAM, MAX_FOUND, MULTICAST, Found, answers, probe

HOME = "127.0.0.1"
_S = "http://www.w3.org/2003/05/soap-envelope"
_A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_D = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
Speak = Callable[[str], list[bytes]]


def matches(relates_to: str, *names: str) -> bytes:
    rows = "".join(
        f"<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:{name}</a:Address></a:EndpointReference>"
        f"<d:Scopes>onvif://www.onvif.org/name/{name} onvif://www.onvif.org/hardware/IPC</d:Scopes>"
        f"<d:XAddrs>http://10.0.0.1/{name}</d:XAddrs></d:ProbeMatch>"
        for name in names
    )
    header = f"<s:Header><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header>"
    spaces = f'xmlns:s="{_S}" xmlns:a="{_A}" xmlns:d="{_D}"'
    body = f"<s:Body><d:ProbeMatches>{rows}</d:ProbeMatches></s:Body>"
    return f"<s:Envelope {spaces}>{header}{body}</s:Envelope>".encode()


class Answerer(asyncio.DatagramProtocol):
    def __init__(self, speak: Speak) -> None:
        self.speak = speak
        self.probes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        root = ElementTree.fromstring(data)  # noqa: S314 - our own probe
        assert root.findtext(f"{{{_S}}}Header/{{{_A}}}Action") == f"{_D}/Probe"
        assert root.findtext(f"{{{_S}}}Body/{{{_D}}}Probe/{{{_D}}}Types") == "dn:NetworkVideoTransmitter"
        self.probes += 1
        for datagram in self.speak(root.findtext(f"{{{_S}}}Header/{{{_A}}}MessageID", "")):
            self.transport.sendto(datagram, addr)


@asynccontextmanager
async def answering(speak: Speak, group: str = HOME) -> AsyncIterator[tuple[tuple[str, int], Answerer]]:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setblocking(False)
    own.bind((group, 0))
    if group != HOME:
        own.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(HOME))
    loop = asyncio.get_running_loop()
    transport, answerer = await loop.create_datagram_endpoint(lambda: Answerer(speak), sock=own)
    try:
        yield transport.get_extra_info("sockname"), answerer
    finally:
        transport.close()


async def test_devices_are_found_once() -> None:
    def speak(identity: str) -> list[bytes]:
        lies = [b"", b"\xff" * 100, b"<a>", matches("urn:uuid:else", "evil"), matches(identity, "../x")]
        return [*lies, matches(identity, "CAM1"), matches(identity, "cam1", "cam2"), b"x" * 60_000]

    async with answering(speak) as (address, answerer):
        found = await probe(0.4, address, HOME)
        assert answerer.probes == 2
    assert found == (
        Found("cam1", ("http://10.0.0.1/CAM1",), "CAM1", "IPC", "", "127.0.0.1"),
        Found("cam2", ("http://10.0.0.1/cam2",), "cam2", "IPC", "", "127.0.0.1"),
    )


async def test_by_multicast() -> None:
    async with answering(lambda identity: [matches(identity, "cam1")], MULTICAST[0]) as (address, _):
        assert address[0] == "239.255.255.250"
        assert [device.uuid for device in await probe(0.3, address, HOME)] == ["cam1"]


async def test_silence_finds_nothing_and_ends() -> None:
    began = asyncio.get_running_loop().time()
    async with answering(lambda _: []) as (address, _):
        assert await probe(0.2, address, HOME) == ()
    assert asyncio.get_running_loop().time() - began < 2.0


async def test_a_flood_has_its_limit() -> None:
    def speak(identity: str) -> list[bytes]:
        return [matches(identity, *(f"cam-{number}-{row}" for row in range(20))) for number in range(20)]

    async with answering(speak) as (address, _):
        assert len(await probe(0.8, address, HOME)) == MAX_FOUND


async def test_no_way_to_the_network() -> None:
    with pytest.raises(Unreachable):
        await probe(0.2, ("255.255.255.255", 3702), HOME)  # without permission to broadcast
    with pytest.raises(Unreachable):
        await probe(0.2, MULTICAST, "::1")


def test_the_address_of_the_standard() -> None:
    assert MULTICAST == ("239.255.255.250", 3702)


def test_a_datagram_that_is_too_large() -> None:
    with pytest.raises(DecodeError, match="more than"):
        answers(b" " * (MAX_DATAGRAM + 1), "", "")

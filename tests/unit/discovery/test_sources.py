"""Devices found on USB (a sysfs tree), by ONVIF WS-Discovery and by mDNS (real sockets on loopback)."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hub.discovery import mdns, onvif, usb
from hub.discovery.matchers import matchers
from hub.model.found import Found, Source

LOOPBACK = "127.0.0.1"
KNOWN = (
    *matchers("serial_lines", [{"usb": "10C4:ea60", "fill": {"port": "path"}}]),
    *matchers("onvif", [{"onvif": "NetworkVideoTransmitter", "fill": {"url": "url"}}]),
    *matchers("axis_speaker", [{"mdns": "_axis-audio._tcp.local.", "fill": {"url": "url"}}]),
)


def test_lines_that_say_nothing_known_are_left_out() -> None:
    assert matchers("x", [{"smoke": "signals"}, {"usb": 5}, {"usb": "1:2", "fill": {"port": "password"}}]) == ()


def plug(sysfs: Path, socket_name: str, tty: str, **attributes: str) -> None:
    """Lay a USB serial adapter into a sysfs tree as Linux does."""
    unit = sysfs / "devices" / "usb1" / socket_name
    port = unit / f"{socket_name}:1.0" / tty
    port.mkdir(parents=True)
    for name, value in attributes.items():
        (unit / name).write_text(value + "\n", "utf-8")
    (sysfs / "class" / "tty" / tty).mkdir(parents=True)
    (sysfs / "class" / "tty" / tty / "device").symlink_to(port)


def test_a_serial_adapter_keeps_its_identity_in_another_socket(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "b"
    chip = {"idVendor": "10c4", "idProduct": "ea60", "serial": "0001", "product": "CP2102\x1b[2J", "manufacturer": "SL"}
    plug(here, "1-1.2", "ttyUSB0", **chip)
    plug(here, "1-1.3", "ttyACM0", idVendor="2341", idProduct="0043")
    (here / "class" / "tty" / "ttyS0").mkdir()
    plug(there, "2-4", "ttyUSB7", **chip)
    first, second = sorted(usb.scan(KNOWN, here, Path("/dev")), key=lambda one: one.integration, reverse=True)
    assert (first.source, first.integration, first.values) == (Source.USB, "serial_lines", {"port": "/dev/ttyUSB0"})
    assert first.name == "CP2102 [2J"
    assert (second.integration, second.identity) == ("", "2341:0043:1-1.3")
    (moved,) = usb.scan(KNOWN, there, Path("/dev"))
    assert moved.key == first.key
    assert moved.values == {"port": "/dev/ttyUSB7"}


ANSWER = """<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Body><d:ProbeMatches><d:ProbeMatch>
 <w:EndpointReference><w:Address>{id}</w:Address></w:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>
 <d:Scopes>onvif://www.onvif.org/name/IPC%20{id} onvif://www.onvif.org/hardware/DS-2CD onvif://www.onvif.org/type/x
 </d:Scopes><d:XAddrs>{url}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"""


class Camera(asyncio.DatagramProtocol):
    """Answers each probe with all of its answers."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.asked: list[bytes] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append(data)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for answer in self.answers:
                sock.sendto(answer, addr)


async def test_cameras_answer_a_probe_and_liars_are_not_believed() -> None:
    good = ANSWER.format(id="urn:uuid:7", url="http://[fe80::1]/x http://127.0.0.1:8080/onvif/device_service").encode()
    elsewhere = ANSWER.format(id="urn:uuid:8", url="http://169.254.169.254/latest").encode()
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + good
    camera = Camera(good, good, elsewhere, bomb, b"\xff<", b"", good + b" " * onvif.LARGEST)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: camera, local_addr=(LOOPBACK, 0))
    found = await onvif.probe(KNOWN, LOOPBACK, transport.get_extra_info("sockname"), seconds=0.3)
    transport.close()
    probe, again = camera.asked
    assert probe == again, "once more, as datagrams get lost, and with the same number"
    assert b"NetworkVideoTransmitter" in probe
    (one,) = found
    assert one == Found(
        Source.ONVIF, "urn:uuid:7", "IPC urn:uuid:7", "onvif", {"address": LOOPBACK, "hardware": "DS-2CD"},
        {"url": "http://127.0.0.1:8080/onvif/device_service"},
    )  # fmt: skip


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: ANSWER.format(id=text, url=text).encode()))
def test_no_answer_makes_it_fail(data: bytes) -> None:
    for one in onvif.read(KNOWN, data, LOOPBACK):
        assert one.identity.isprintable()


async def test_a_loudspeaker_announces_itself_by_mdns_and_moves() -> None:
    seen: asyncio.Queue[Found] = asyncio.Queue()
    try:
        speaker = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    except OSError as error:
        pytest.skip(f"multicast on loopback is not possible here ({error}): mDNS cannot be tried")

    def service(port: int) -> ServiceInfo:
        return ServiceInfo(
            "_axis-audio._tcp.local.", "AXIS C1310 - 北门._axis-audio._tcp.local.",
            addresses=[socket.inet_aton(LOOPBACK)],
            port=port, properties={"macaddress": "00408C123456", "model": "C1310\x1b[2J"}, server="c1310.local.",
        )  # fmt: skip

    browsing = asyncio.create_task(mdns.browse(KNOWN, (LOOPBACK,), seen.put))
    try:
        await (await speaker.async_register_service(service(8080)))
        first = await asyncio.wait_for(seen.get(), 20)
        assert (first.integration, first.identity) == ("axis_speaker", "00408C123456")
        assert first.values == {"url": "http://127.0.0.1:8080/"}
        assert first.name == "AXIS C1310 - 北门"
        assert first.facts["model"] == "C1310 [2J"
        await (await speaker.async_update_service(service(9090)))
        while (moved := await asyncio.wait_for(seen.get(), 20)).values == first.values:
            pass
        assert (moved.key, moved.values) == (first.key, {"url": "http://127.0.0.1:9090/"})
    finally:
        browsing.cancel()
        await asyncio.wait({browsing})
        await speaker.async_unregister_all_services()
        await speaker.async_close()

"""Malformed MQTT at the hub's own broker (S1): the connection ends, nothing dies, memory stays.

At the hub's link the same is tried by a broker that breaks the protocol (tests.abuse.test_bad_input).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.runtime.mqtt.accounts import Accounts
from hub.runtime.mqtt.broker import PACKET, Broker
from tests.abuse.test_broker_accounts import connect
from tests.kit.broker import find_mosquitto, free_port

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(120)]

MIB = 1024 * 1024


def field(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


def packet(first: int, body: bytes) -> bytes:
    """Return a packet with its remaining length (MQTT 3.1.1, 2.2.3)."""
    length, rest = b"", len(body)
    while True:
        length += bytes((rest % 128 | (0x80 if rest >= 128 else 0),))
        rest //= 128
        if not rest:
            return bytes((first,)) + length + body


#: Sent instead of a CONNECT.
BEFORE: dict[str, bytes] = {
    "nothing known": b"\xf0\x00",
    "zeros": bytes(1_000),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(508),
    "publish first": packet(0x30, field(b"a") + b"x"),
    "subscribe first": packet(0x82, b"\x00\x01" + field(b"#") + b"\x00"),
    "length of five bytes": b"\x10\xff\xff\xff\xff\x7f",
    "256 MB announced": b"\x10\xff\xff\xff\x7f" + bytes(100),
    "flags of CONNECT": b"\x1f" + connect("evil", "x")[1:],
    "no protocol": packet(0x10, field(b"") + b"\x04\x02\x00\x3c" + field(b"a")),
    "other protocol": packet(0x10, field(b"XXXX") + b"\x04\x02\x00\x3c" + field(b"a")),
    "version 99": packet(0x10, field(b"MQTT") + b"\x63\x02\x00\x3c" + field(b"a")),
    "reserved flag": packet(0x10, field(b"MQTT") + b"\x04\x03\x00\x3c" + field(b"a")),
    "will QoS 3": packet(0x10, field(b"MQTT") + b"\x04\x1e\x00\x3c" + field(b"a") + field(b"w") + field(b"p")),
    "password without user": packet(0x10, field(b"MQTT") + b"\x04\x42\x00\x3c" + field(b"a") + field(b"p")),
    "cut": connect("evil", "x")[:-3],
    "client id cut": packet(0x10, field(b"MQTT") + b"\x04\x02\x00\x3c\xff\xff"),
    "10,000 user properties": packet(
        0x10, field(b"MQTT") + b"\x05\x02\x00\x3c" + b"\xe0\xd4\x03" + b"\x26\x00\x00\x00\x00" * 10_000 + field(b"a")
    ),
}
#: Sent after a CONNECT that was accepted.
AFTER: dict[str, bytes] = {
    "nothing known": b"\x00\x00",
    "second CONNECT": connect("evil", "x"),
    "CONNACK": b"\x20\x02\x00\x00",
    "QoS 3": packet(0x36, field(b"evil/a") + b"\x00\x01x"),
    "packet id 0": packet(0x32, field(b"evil/a") + b"\x00\x00x"),
    "bad UTF-8": packet(0x30, field(b"evil/\xff\xfe") + b"x"),
    "surrogate": packet(0x30, field(b"evil/\xed\xa0\x80") + b"x"),
    "NUL in a topic": packet(0x30, field(b"evil/\x00") + b"x"),
    "wildcard in a topic": packet(0x30, field(b"evil/#") + b"x"),
    "plus in a topic": packet(0x30, field(b"+/a") + b"x"),
    "no topic": packet(0x30, field(b"") + b"x"),
    "topic cut": packet(0x30, b"\xff\xffevil"),
    "topic of 65,535 bytes": packet(0x30, field(b"e" * 65_535) + b"x"),
    "deep topic": packet(0x30, field(b"evil" + b"/" * 60_000) + b"x"),
    "over the cap": b"\x30" + b"\xff\xff\xff\x7f" + bytes(1_000),
    "SUBSCRIBE without a filter": packet(0x82, b"\x00\x01"),
    "SUBSCRIBE with flags 0": packet(0x80, b"\x00\x01" + field(b"evil/a") + b"\x00"),
    "SUBSCRIBE QoS 3": packet(0x82, b"\x00\x01" + field(b"evil/a") + b"\x03"),
    "filter in the middle": packet(0x82, b"\x00\x01" + field(b"evil/#/a") + b"\x00"),
    "UNSUBSCRIBE of nothing": packet(0xA2, b"\x00\x01"),
    "PUBREL for nothing": packet(0x62, b"\x00\x09"),
    "PUBACK for nothing": packet(0x40, b"\x00\x09"),
    "PINGREQ with a body": packet(0xC0, b"xx"),
    "same id twice": packet(0x34, field(b"evil/a") + b"\x00\x01x") * 2,
}


class Own:
    """The hub's own broker, with one account."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.password = Accounts(folder).add("evil")
        self.broker = Broker("127.0.0.1", self.port, folder, accounts=True)

    @property
    def resident(self) -> int:
        process = self.broker._process
        assert process is not None
        assert process.returncode is None, "it died"
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the system does not tell")

    def throw(self, *pieces: bytes) -> bytes:
        """Send pieces, close our side, and return all that came until the broker closed its side."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as link:
            came = b""
            try:
                for piece in pieces:
                    link.sendall(piece)
                link.shutdown(socket.SHUT_WR)
                while more := link.recv(4096):
                    came += more
            except OSError:  # it was closed while we still spoke
                return came
            return came


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Own]:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    made = Own(tmp_path_factory.mktemp("packets"))
    await made.broker.start()
    try:
        yield made
    finally:
        await made.broker.stop()


@pytest.mark.parametrize("name", sorted(BEFORE))
async def test_before_the_login(own: Own, name: str) -> None:
    before = own.resident
    for _ in range(20):
        came = await asyncio.to_thread(own.throw, BEFORE[name])
        assert not came.startswith(b"\x20\x02\x00\x00"), "it was let in"
    assert own.resident - before < 10 * MIB
    assert (await asyncio.to_thread(own.throw, connect("evil", own.password))).startswith(b"\x20\x02\x00\x00")


@pytest.mark.parametrize("name", sorted(AFTER))
async def test_after_the_login(own: Own, name: str) -> None:
    before = own.resident
    for _ in range(20):
        came = await asyncio.to_thread(own.throw, connect("evil", own.password), AFTER[name])
        assert came.startswith(b"\x20\x02\x00\x00") or not came
    assert own.resident - before < 10 * MIB
    assert (await asyncio.to_thread(own.throw, connect("evil", own.password))).startswith(b"\x20\x02\x00\x00")


async def test_a_hundred_unfinished_packets_take_no_memory(own: Own) -> None:
    """Mosquitto CVE-2017-7651, CVE-2023-0809: what is announced before the login was set aside at once."""
    before = own.resident
    links = [socket.create_connection(("127.0.0.1", own.port), timeout=5) for _ in range(100)]
    for link in links:
        link.sendall(b"\x10\xff\xff\xff\x7f" + bytes(50))
    assert (await asyncio.to_thread(own.throw, connect("evil", own.password))).startswith(b"\x20\x02\x00\x00")
    assert own.resident - before < 10 * MIB
    for link in links:
        link.close()
    assert PACKET < 10 * MIB

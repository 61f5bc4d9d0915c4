"""Hostile messages: each is counted, each kind is logged once, and the story goes on (S1, S2, S19)."""

from __future__ import annotations

import json
import socket
import struct
import time
from pathlib import Path

import pytest

from tests.kit.broker import Broker
from tests.kit.generator import Generator
from tests.kit.http import request
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

MIB = 1024 * 1024
#: What a state topic must refuse: no JSON, no number, too deep, too large, of a wrong type, of a wrong value.
BAD_STATES: dict[str, bytes] = {
    "cut": b'{"occupancy": "O',
    "nan": b'{"occupancy": NaN}',
    "infinite": b'{"occupancy": -Infinity}',
    "depth bomb": b"[" * 50_000,
    "object bomb": b'{"occupancy":' * 20_000,
    "list": b'{"occupancy": ["ON"]}',
    "object": b'{"occupancy": {"on": true}}',
    "number": b'{"occupancy": 1e400}',
    "digits": b'{"occupancy": ' + b"9" * 5_000 + b"}",
    "bare list": b'["ON"]',
    "bare text": b'"ON"',
    "no such value": b'{"occupancy": "MAYBE"}',
    "terminal": b'{"occupancy": "\\u001b[31mON\\u202e"}',
    "surrogate": b'{"occupancy": "\\ud800"}',
    "not utf-8": b'{"occupancy": "\xff\xfe"}',
    "bytes": bytes(range(256)),
    "BOM": b'\xef\xbb\xbf{"occupancy": "ON"}',
    "ten megabytes": b'{"occupancy": "' + b"A" * (10 * MIB) + b'"}',
}
#: Names as an attacker would choose them.
HOSTILE = (
    "车辆\n2026-11-21 [critical] all is lost",
    "\x1b[2J\x1b[31mred\x07",
    "\u202egnp.exe",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "${jndi:ldap://127.0.0.1/x} {{7*7}} %s%n",
    "'; DROP TABLE readings; --",
    "a" * 5_000,
    "\u0000\ufeff\u2028\U000e0041",
)
REPEATS = 3


def resident(hub: HubProcess) -> int:
    """Return the resident memory of the hub in bytes."""
    for line in Path(f"/proc/{hub.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the system does not tell")


def refused(hub: HubProcess) -> int:
    return hub.messages().get(("mqtt_discovery", "refused"), 0)


def fires(hub: HubProcess, lane: Lane, speaker: Speaker) -> None:
    """The ordinary story, after all that."""
    before = len(speaker.begun())
    began = time.time()
    lane.occupied()
    heard = until(speaker.heard, lambda said: len(said) == before + 1, within=1 + 3 + 4)
    assert 1 <= heard[-1]["started_at"] - began <= 1 + 3
    lane.free()
    until(lambda: {found["state"] for found in hub.incidents()}, lambda states: states == {"closed"}, within=8)


def test_bad_states_are_counted_logged_once_and_survived(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    with Speaker(tmp_path) as speaker, Generator(broker.port) as farm:
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
        short_rule(config, "1 s")
        hub = hub_of(config)
        hub.start()
        lane = Lane(broker.port)
        lane.announce()
        until(hub.entities, lambda known: lane.entity in known)
        lane.free()
        until(lambda: hub.entities()[lane.entity]["value"], lambda value: value == "absent")
        before = resident(hub)
        for number in range(REPEATS):
            for name, payload in BAD_STATES.items():
                farm.send(lane.topic, payload)
                farm.flush()
                wanted = number * len(BAD_STATES) + list(BAD_STATES).index(name) + 1
                until(lambda: refused(hub), lambda count, wanted=wanted: count == wanted, within=5, what=name)  # type: ignore[misc]
            assert hub.ready()
        for topic in ("unknown/topic", "homeassistant/nonsense", "zigbee2mqtt/nobody", "$menshen", "a" * 60_000):
            farm.send(topic, b"\xff" * 100)
        farm.flush()
        logged = [(line["topic"], line["reason"]) for line in hub.said("message.refused")]
        assert len(logged) == len(set(logged)), "a complaint was logged twice"
        assert 5 <= len(logged) <= len(BAD_STATES)
        assert hub.entities()[lane.entity]["value"] == "absent"
        assert resident(hub) - before < 100 * MIB
        assert not set(hub.words()) & set("\x1b\u202e\x07")
        fires(hub, lane, speaker)
        assert hub.problems() == []


def test_a_thousand_announcements_with_hostile_names(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    with Speaker(tmp_path) as speaker, Generator(broker.port) as farm:
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
        short_rule(config, "1 s")
        hub = hub_of(config)
        hub.start()
        lane = Lane(broker.port)
        lane.announce()
        for number in range(1_000):
            name = HOSTILE[number % len(HOSTILE)]
            content = {
                "name": name,
                "unique_id": f"{name[:40]} {number}",
                "device_class": "occupancy" if number % 5 else name,
                "state_topic": f"evil/{number}" if number % 7 else f"evil/{name}/#",
                "device": {"name": name, "identifiers": [name[:50], number]},
            }
            farm.send(f"homeassistant/binary_sensor/evil_{number}/x/config", json.dumps(content), retain=True)
        farm.send("homeassistant/binary_sensor/list/x/config", b"[]")
        farm.send("homeassistant/binary_sensor/bomb/x/config", b'{"a":' * 20_000)
        farm.send("homeassistant/binary_sensor/mega/x/config", b'{"name": "' + b"A" * (10 * MIB) + b'"}')
        farm.send("zigbee2mqtt/bridge/devices", b'[{"ieee_address": 1}, null, 7, "x", [[]]]')
        farm.flush()

        def settled() -> bool:
            counts = hub.messages()
            seen = sum(counts.get(("mqtt_discovery", result), 0) for result in ("announced", "refused"))
            return seen >= 1_001 and "mqtt_discovery.lane_3_vehicle" in hub.entities()

        until(settled, within=30, what="all announcements read")
        until(lambda: hub.messages().get(("zigbee2mqtt", "refused"), 0), within=10)
        assert hub.ready()
        found = hub.entities()
        assert 500 <= len(found) <= 1_002
        for entity in found.values():
            for text in (*entity["name"].values(), entity["device"]):
                assert not text or text.isprintable()
                assert len(text) <= 200
        assert len(hub.said("message.refused")) <= 210
        assert not set(hub.words()) & set("\x1b\u202e\x07\u2028")
        assert all(line.startswith("{") for line in hub.words().splitlines()), "a name forged a log line"
        metrics = request("GET", f"{hub.url}metrics")[1]
        assert b"<script" not in metrics
        assert len(metrics) < 20_000
        fires(hub, lane, speaker)


def test_a_broker_that_breaks_the_protocol(tmp_path: Path, hub_of: MakeHub) -> None:
    """A topic that is no UTF-8, packets that do not exist, a length without end: the link ends and comes back."""
    rogue = [
        b"\x30\x05\x00\x02\xff\xfex",  # PUBLISH to an invalid topic
        b"\x32\x07\x00\x02\xc3\x28\x00\x07x",  # the same at QoS 1
        b"\xf0\x00",  # no such packet
        b"\x30\xff\xff\xff\xff\xff\x7f",  # a remaining length of more than four bytes
        b"\x36\x05\x00\x01aXY",  # QoS 3
        b"\x40\x02\x00\x09",  # PUBACK for nothing
        b"\x90\x03\x00\x01\x80",  # SUBACK: refused
    ]
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(15)
        port = server.getsockname()[1]
        config = write_site(tmp_path / "site", {"url": f"mqtt://127.0.0.1:{port}"}, Ends())
        short_rule(config, "1 s")
        hub = hub_of(config)
        hub.start()
        for packet in rogue:
            with server.accept()[0] as link:
                link.settimeout(10)
                assert link.recv(4096)[:1] == b"\x10"  # CONNECT
                link.sendall(b"\x20\x02\x00\x00")
                link.sendall(packet)
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
                until(hub.ready, within=5)
                assert hub.running
        assert hub.said("hub.part_died") == []
        assert "Traceback" not in hub.words()
        assert hub.terminate()[0] == 0

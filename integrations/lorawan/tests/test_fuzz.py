"""Whatever a network server publishes, only DecodeError escapes and what comes out keeps its promises."""

from __future__ import annotations

import base64
import math
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from hub.sdk import Alarm, Capability, Contact, DecodeError, Message, Presence, Quality, Sample, Vitals
from integrations.lorawan import decode
from integrations.lorawan.codecs import CODECS
from integrations.lorawan.config import Config
from tests.kit.captures import check_reason

EUI = "1000000000000001"
TOPICS = st.sampled_from(
    [
        f"application/a/device/{EUI}/event/up",
        "v3/lanes@ttn/devices/gate/up",
        "v3/device/devices/event/up",
        "",
        "/",
        "up",
    ]
)
PORTS = st.sampled_from([0, 1, 2, 3, 6, 10, 85, 255]) | st.integers(0, 255)
TYPES = {Capability.PRESENCE: Presence, Capability.CONTACT: Contact, Capability.ALARM: Alarm, Capability.MEASURE: float}
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from([EUI, "AQ==", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "\x1b[2J", "\u202e", "x" * 600]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def mostly(sound: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the sound value nine times of ten, else nonsense."""
    return st.integers(0, 9).flatmap(lambda n: sound if n else JSON)


#: Beginnings of real messages, so that the fuzz gets behind the first check.
HEADS = st.sampled_from(
    [b"", *(bytes.fromhex(head) for head in ("8000310217", "8000020115", "7e11000000000000001d0100", "01755c"))]
)
BODIES = st.builds(lambda head, tail: (head + tail)[:260], HEADS, st.binary(max_size=250))
DATA = BODIES.map(lambda body: base64.b64encode(body).decode())
TIMES = mostly(st.datetimes().map(lambda when: f"{when.isoformat()}Z"))
RSSI = mostly(st.lists(st.fixed_dictionaries({}, optional={"rssi": mostly(st.floats(-150, 0))}), max_size=3))
CHIRPSTACK = st.fixed_dictionaries(
    {
        "deviceInfo": mostly(
            st.fixed_dictionaries(
                {"devEui": mostly(st.just(EUI))}, optional={"deviceName": mostly(st.text(max_size=90))}
            )
        )
    },
    optional={"fPort": mostly(PORTS), "data": mostly(DATA), "rxInfo": RSSI, "time": TIMES},
)
UPLINK = st.fixed_dictionaries(
    {},
    optional={"f_port": mostly(PORTS), "frm_payload": mostly(DATA), "rx_metadata": RSSI, "received_at": TIMES},
)
THINGS_STACK = st.fixed_dictionaries(
    {
        "end_device_ids": mostly(st.fixed_dictionaries({"dev_eui": st.just(EUI), "device_id": mostly(st.text())})),
        "uplink_message": mostly(UPLINK),
    }
)
PAYLOADS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"[" * 5000, b"{" * 5000, b" " * 70_000, b"\xff", b'{"deviceInfo":' + b"[" * 900]),
    CHIRPSTACK.map(msgspec.json.encode),
    THINGS_STACK.map(msgspec.json.encode),
)


@given(TOPICS, PAYLOADS, st.sampled_from(sorted(CODECS)))
def test_only_decode_errors_escape(topic: str, payload: bytes, codec: str) -> None:
    config = Config(default=codec)
    try:
        uplink = decode(Message(topic, payload), config)
    except DecodeError as error:
        return check_reason(error)
    assert decode(Message(topic, payload), config) == uplink
    assert (uplink.device.id, uplink.device.routes) == (EUI, ())
    entities = {entity.id: entity for entity in uplink.device.entities}
    assert [entity.id for entity in uplink.device.entities] == [
        f"lorawan.{EUI}_{channel.key}" for channel in CODECS[codec].channels
    ], "an uplink that leaves one out would withdraw it"
    for said in uplink.said:
        if isinstance(said, Vitals):
            assert said.device == uplink.device.name.zh
            assert said.device.isprintable()
            assert len(said.device) <= 80
            assert said.battery is None or 0 <= said.battery <= 100
            assert said.signal is None or -200 <= said.signal <= 20
        else:
            check_sample(said, entities[said.entity].capability)
    return None


def check_sample(sample: Sample, capability: Capability) -> None:
    """Assert that a sample is of its entity's kind, finite, and of this century."""
    assert (sample.value is None) == (sample.quality is Quality.UNKNOWN)
    assert sample.value is None or isinstance(sample.value, TYPES[capability])
    assert not isinstance(sample.value, float) or math.isfinite(sample.value)
    assert sample.device_at is None or 900_000_000 < sample.device_at / 1_000_000 < 4_200_000_000


@given(st.sampled_from(sorted(CODECS)), st.integers(1, 255) | PORTS.filter(bool), BODIES.filter(bool))
@example("moko_lw009_sm", 1, b"\x7e\x11" + bytes(6) + b"\x00\xe6\x01\x00\x29\xe4" + b"\xff" * 228)
def test_a_codec_reads_or_refuses(codec: str, port: int, data: bytes) -> None:
    try:
        said = CODECS[codec].read(port, data[:242])
    except DecodeError as error:
        return check_reason(error)
    assert said.values.keys() <= {channel.key for channel in CODECS[codec].channels}
    return None

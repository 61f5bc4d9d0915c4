"""Whatever the bridge publishes, only DecodeError escapes and what comes out keeps its promises."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import Message
from integrations.zigbee2mqtt import plugin
from integrations.zigbee2mqtt.config import Config
from integrations.zigbee2mqtt.exposes import KINDS
from tests.kit.captures import check_only_decode_errors

LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["online", "offline", "\x1b[2J", "\u202e", "a/b", "x" * 600]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*KINDS, "state", "action"])


def mostly(sound: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the sound value four times of five, else nonsense."""
    return st.integers(0, 4).flatmap(lambda n: sound if n else JSON)


FEATURE = st.fixed_dictionaries(
    {"type": mostly(st.sampled_from(["binary", "numeric", "switch"])), "name": mostly(NAMES)},
    optional={
        "property": mostly(NAMES),
        "value_on": mostly(st.booleans()),
        "value_off": mostly(st.booleans()),
        "access": mostly(st.integers(0, 7)),
        "unit": mostly(st.text(max_size=40)),
        "features": mostly(st.just([])),
    },
)
FEATURES = st.recursive(
    FEATURE,
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["light", "composite"]), "features": st.lists(inner, max_size=3)}
    ),
    max_leaves=5,
)
ENTRY = st.fixed_dictionaries(
    {
        "ieee_address": mostly(st.sampled_from(["0x00158d0004a1b2c3", "0x01"])),
        "friendly_name": mostly(st.sampled_from(["a", "a/b c", "+"])),
        "definition": mostly(st.fixed_dictionaries({"exposes": mostly(st.lists(FEATURES, max_size=4))})),
    },
    optional={
        "type": JSON,
        "disabled": st.booleans(),
        "interviewing": st.booleans(),
        "supported": mostly(st.just(True)),
    },
)
PAYLOADS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"online", b"offline", b'{"state":"online"}', b"", b"[" * 5000, b'{"smoke":' + b"[" * 900 + b"]" * 900 + b"}"]
    ),
    JSON.map(msgspec.json.encode),
    st.dictionaries(NAMES, LEAVES | JSON, max_size=4).map(msgspec.json.encode),
)


@given(st.lists(mostly(ENTRY), max_size=4).map(msgspec.json.encode) | PAYLOADS, st.lists(PAYLOADS, max_size=4))
def test_only_decode_errors_escape(devices: bytes, payloads: list[bytes]) -> None:
    check_only_decode_errors(plugin, Config(), Message("zigbee2mqtt/bridge/devices", devices), payloads)

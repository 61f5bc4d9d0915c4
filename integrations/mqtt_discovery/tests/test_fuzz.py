"""Whatever is announced and sent, only DecodeError escapes and what comes out keeps its promises."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import Message
from integrations.mqtt_discovery import plugin
from integrations.mqtt_discovery.config import Config
from integrations.mqtt_discovery.keys import ABBREVIATIONS, DEVICE_ABBREVIATIONS
from tests.kit.captures import check_only_decode_errors

NAMES = sorted({"~", "device", "name", *ABBREVIATIONS, *ABBREVIATIONS.values(), *DEVICE_ABBREVIATIONS})
TEXTS = [
    *("a/b", "a/#", "~/s", "door", "occupancy", "sensor", "binary_sensor", "all", "any", "online", "ON", "°C", "60"),
    *("{{ value }}", "{{ value_json.a }}", "{{ 'ON' if value_json.a > 1 else 'OFF' }}"),
    *("\x1b[2J", "\u202e", "x" * 600),
]
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(TEXTS),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
#: Mostly sound, so that routes come out to be fuzzed too; any key may be replaced by nonsense.
SOUND = st.fixed_dictionaries(
    {},
    optional={
        "stat_t": st.just("a/b"),
        "dev_cla": st.sampled_from(["door", "motion", "smoke", "temperature"]),
        "unit_of_meas": st.just("W"),
        "val_tpl": st.sampled_from(
            ["{{ value_json.a }}", "{{ value_json.a|int }}", "{{ 'ON' if value_json.a < 2 else 'OFF' }}"]
        ),
        "avty_t": st.just("a/c"),
        "exp_aft": st.integers(0, 100),
        "dev": st.fixed_dictionaries({"ids": JSON}),
        "cmps": st.dictionaries(
            st.text(max_size=4), st.fixed_dictionaries({"p": st.just("sensor"), "val_tpl": LEAVES})
        ),
    },
)
OPTIONS = st.builds(
    lambda sound, noise: {**sound, **noise}, SOUND, st.dictionaries(st.sampled_from(NAMES), JSON, max_size=2)
)
PAYLOADS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"ON", b"OFF", b"online", b"offline", b"1e5", b"", b'{"a":' * 2000, b"\xef\xbb\xbfON"]),
    JSON.map(msgspec.json.encode),
    st.fixed_dictionaries({"a": LEAVES}).map(msgspec.json.encode),
)
TOPICS = st.sampled_from(["binary_sensor/x", "sensor/n/x", "device/x", "light/x", "sensor/x y", "sensor", "\x1b/\n"])


@given(TOPICS, OPTIONS.map(msgspec.json.encode) | PAYLOADS, st.lists(PAYLOADS, max_size=4))
def test_only_decode_errors_escape(place: str, config: bytes, payloads: list[bytes]) -> None:
    check_only_decode_errors(plugin, Config(), Message(f"homeassistant/{place}/config", config), payloads)

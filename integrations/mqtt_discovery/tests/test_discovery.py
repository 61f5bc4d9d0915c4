"""Discovery messages and availability, said one by one where a recording would hide the point."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hub.sdk import Alarm, Announcement, Contact, DecodeError, Message, Presence, Quality, Sample, Value
from integrations.mqtt_discovery import announce
from integrations.mqtt_discovery.config import Config, filters, parse_topic
from integrations.mqtt_discovery.keys import ABBREVIATIONS
from tests.kit.captures import check_routes


def said(platform: str = "binary_sensor", /, **options: Any) -> Announcement:
    payload = msgspec.json.encode({"state_topic": "s", "unique_id": "u", **options})
    return announce(Message(f"homeassistant/{platform}/x/config", payload, retained=True), Config())


def decode(announcement: Announcement, topic: str, payload: bytes) -> list[Sample]:
    (device,) = announcement.devices
    message = Message(topic, payload)
    return [sample for route in device.routes if route.topic == topic for sample in route.decode(message)]


@pytest.mark.parametrize(
    ("device_class", "on", "off"),
    [
        ("occupancy", Presence.PRESENT, Presence.ABSENT),
        ("presence", Presence.PRESENT, Presence.ABSENT),
        ("motion", Presence.PRESENT, Presence.ABSENT),
        ("moving", Presence.PRESENT, Presence.ABSENT),
        ("door", Contact.OPEN, Contact.CLOSED),
        ("window", Contact.OPEN, Contact.CLOSED),
        ("garage_door", Contact.OPEN, Contact.CLOSED),
        ("opening", Contact.OPEN, Contact.CLOSED),
        ("smoke", Alarm.ACTIVE, Alarm.CLEAR),
        ("tamper", Alarm.ACTIVE, Alarm.CLEAR),
        (None, Alarm.ACTIVE, Alarm.CLEAR),
    ],
)
def test_device_class_gives_the_meaning(device_class: str | None, on: Value, off: Value) -> None:
    announcement = said(device_class=device_class)
    assert [sample.value for sample in decode(announcement, "s", b"ON")] == [on]
    assert [sample.value for sample in decode(announcement, "s", b"OFF")] == [off]


@pytest.mark.parametrize("device_class", ["connectivity", "power", "plug", "running", "light", "nonsense", 7, True])
def test_what_is_no_alarm_is_refused(device_class: object) -> None:
    announcement = said(device_class=device_class)
    assert not announcement.devices
    assert len(announcement.refused) == 1


@pytest.mark.parametrize("word", [b"None", b"unknown", b"unavailable"])
@pytest.mark.parametrize("platform", ["binary_sensor", "sensor"])
def test_words_that_say_unknown(platform: str, word: bytes) -> None:
    announcement = said(platform, unit_of_measurement="V")
    assert decode(announcement, "s", word) == [Sample(announcement.devices[0].entities[0].id, None, Quality.UNKNOWN)]


def qualities(announcement: Announcement, topic: str, payload: bytes) -> list[Quality]:
    samples = decode(announcement, topic, payload)
    assert all(sample.value is None for sample in samples)
    return [sample.quality for sample in samples]


@pytest.mark.parametrize(
    ("mode", "topics", "online"),
    [
        (None, 1, [Quality.GOOD]),
        ("all", 1, [Quality.GOOD]),
        ("latest", 2, [Quality.GOOD]),
        ("any", 2, [Quality.GOOD]),
        ("all", 2, []),  # the other topic may still say offline
    ],
)
def test_availability_never_claims_more_trust_than_one_message_gives(
    mode: str | None, topics: int, online: list[Quality]
) -> None:
    announcement = said(availability=[{"topic": f"a{n}"} for n in range(topics)], availability_mode=mode)
    assert qualities(announcement, "a0", b"online") == online
    assert qualities(announcement, "a0", b"offline") == [Quality.STALE]
    with pytest.raises(DecodeError):
        decode(announcement, "a0", b"Online")


def test_availability_template_of_the_single_topic() -> None:
    announcement = said(
        availability_topic="a", availability_template="{{ 'online' if value_json.up == 1 else 'offline' }}"
    )
    assert qualities(announcement, "a", b'{"up":1}') == [Quality.GOOD]
    assert qualities(announcement, "a", b'{"up":0}') == [Quality.STALE]
    assert qualities(announcement, "a", b"{}") == []


@pytest.mark.parametrize(
    "options",
    [
        {"availability": [{"topic": "a"}], "availability_topic": "b"},
        {"availability": "a"},
        {"availability": ["a"]},
        {"availability": [{"topic": "a/#"}]},
        {"availability": [{"topic": "a"}] * 9},
        {"availability": [{"topic": "a", "value_template": "{{ x }}"}]},
        {"availability_topic": "a", "payload_available": "offline"},
    ],
)
def test_availability_that_cannot_be_followed_refuses_the_entity(options: dict[str, Any]) -> None:
    assert not said(**options).devices


@pytest.mark.parametrize(("seconds", "microseconds"), [(60, 60_000_000), ("60", 60_000_000), (0, None), (None, None)])
def test_expire_after(seconds: object, microseconds: int | None) -> None:
    assert said(expire_after=seconds).devices[0].entities[0].expire_after == microseconds


@pytest.mark.parametrize("seconds", [-1, 1.5, "1 min", True, 10**9, "9" * 5000, [60]])
def test_expire_after_of_another_kind_is_refused(seconds: object) -> None:
    assert not said(expire_after=seconds).devices


def test_long_and_short_keys_mean_the_same() -> None:
    options = {
        "device_class": "door",
        "payload_on": "1",
        "payload_off": "0",
        "expire_after": 9,
        "availability_topic": "a",
    }
    short = {long: key for key, long in ABBREVIATIONS.items()}
    assert (
        said(**options).devices[0].entities == said(**{short[key]: v for key, v in options.items()}).devices[0].entities
    )
    assert len(short) == len(ABBREVIATIONS)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [("~/state", "base/x/state"), ("state/~", "state/base/x"), ("s", "s"), ("a/~/b", "a/~/b")],
)
def test_base_topic_at_either_end(topic: str, expected: str) -> None:
    announcement = said(**{"~": "base/x", "state_topic": topic, "availability": {"topic": topic}})
    assert {route.topic for route in announcement.devices[0].routes} == {expected}


def test_base_topic_is_of_no_use_in_other_keys() -> None:
    assert said(**{"~": "base", "name": "~"}).devices[0].entities[0].name.zh == "~"


def test_a_component_of_a_bundle_overrides_what_is_shared() -> None:
    payload = {
        "dev": {"ids": ["d"]},
        "cmps": {
            "a": {"p": "binary_sensor", "dev_cla": None},
            "gone": {"p": "sensor"},
            "b": {"p": "binary_sensor", "stat_t": "own", "~": "x"},
        },
        "stat_t": "shared",
    }
    message = Message("homeassistant/device/x/config", msgspec.json.encode(payload))
    (device,) = announce(message, Config()).devices
    assert [route.topic for route in device.routes] == ["shared", "own"]
    assert [entity.id for entity in device.entities] == ["mqtt_discovery.x_a", "mqtt_discovery.x_b"]


def test_hostile_text_is_cleaned() -> None:
    evil = "门\n\x1b[2J\u202e\x00" + "x" * 5000
    announcement = said(
        "sensor", name=evil, unit_of_measurement=evil, unique_id=evil, device={"ids": evil, "name": evil}
    )
    check_routes(announcement)
    (entity,) = announcement.devices[0].entities
    assert entity.unit.isprintable()
    assert len(entity.unit) <= 16
    refused = said(device_class=evil)
    check_routes(refused)
    assert refused.refused


@pytest.mark.parametrize(
    ("topic", "place"),
    [
        ("homeassistant/sensor/a/config", ("sensor", "a")),
        ("homeassistant/sensor/n/a/config", ("sensor", "n_a")),
        ("homeassistant/sensor/config", None),
        ("homeassistant/sensor/n/m/a/config", None),
        ("homeassistant/sensor/a/state", None),
        ("other/homeassistant/sensor/a/config", None),
        ("homeassistant/sensor/\u202e/config", None),
        ("homeassistant/sensor/" + "a" * 200 + "/config", None),
    ],
)
def test_discovery_topics(topic: str, place: tuple[str, str] | None) -> None:
    found = parse_topic(topic, "homeassistant")
    assert (found and (found.platform, found.object_id)) == place


def test_prefix_is_configurable_and_checked() -> None:
    config = msgspec.convert({"prefix": "site/ha"}, Config)
    assert filters(config) == ("site/ha/+/+/config", "site/ha/+/+/+/config")
    message = Message("site/ha/binary_sensor/x/config", b'{"stat_t":"s"}')
    assert announce(message, config).devices
    for wrong in ("", "a/#", "/a", "a/", "a b", "x" * 200):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"prefix": wrong}, Config)

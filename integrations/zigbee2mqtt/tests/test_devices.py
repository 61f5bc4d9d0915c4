"""The device list and what devices send, said one by one where a recording would hide the point."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hub.sdk import Alarm, Announcement, Contact, DecodeError, Message, Presence, Quality, Sample, Value
from integrations.zigbee2mqtt import announce
from integrations.zigbee2mqtt.config import Config, filters
from integrations.zigbee2mqtt.exposes import KINDS
from integrations.zigbee2mqtt.wire import MAX_LIST
from tests.kit.captures import check_routes


def entry(*exposes: Any, **keys: Any) -> dict[str, Any]:
    return {
        "ieee_address": "0x00158d0004a1b2c3",
        "friendly_name": "dev",
        "type": "EndDevice",
        "definition": {"exposes": list(exposes)},
        **keys,
    }


def binary(name: str, on: Any = True, off: Any = False) -> dict[str, Any]:
    return {"type": "binary", "name": name, "property": name, "value_on": on, "value_off": off, "access": 1}


def said(*entries: Any) -> Announcement:
    return announce(Message("zigbee2mqtt/bridge/devices", msgspec.json.encode(entries), retained=True), Config())


def decode(announcement: Announcement, topic: str, payload: bytes) -> list[Sample]:
    (device,) = announcement.devices
    message = Message(topic, payload)
    return [sample for route in device.routes if route.topic == topic for sample in route.decode(message)]


@pytest.mark.parametrize(("on", "off"), [(False, True), (True, False)])
def test_contact_true_is_closed_whatever_is_called_on(on: bool, off: bool) -> None:
    announcement = said(entry(binary("contact", on, off)))
    assert [sample.value for sample in decode(announcement, "zigbee2mqtt/dev", b'{"contact":true}')] == [Contact.CLOSED]
    assert [sample.value for sample in decode(announcement, "zigbee2mqtt/dev", b'{"contact":false}')] == [Contact.OPEN]


@pytest.mark.parametrize(
    ("name", "active", "calm"),
    [(name, Presence.PRESENT, Presence.ABSENT) for name in ("occupancy", "presence")]
    + [
        (name, Alarm.ACTIVE, Alarm.CLEAR)
        for name in ("smoke", "gas", "carbon_monoxide", "water_leak", "tamper", "vibration", "sos", "battery_low")
    ],
)
def test_binary_exposes(name: str, active: Value, calm: Value) -> None:
    announcement = said(entry(binary(name, "yes", "no")))
    for word, value in (("yes", active), ("no", calm)):
        payload = msgspec.json.encode({name: word})
        assert [sample.value for sample in decode(announcement, "zigbee2mqtt/dev", payload)] == [value]
    with pytest.raises(DecodeError):
        decode(announcement, "zigbee2mqtt/dev", msgspec.json.encode({name: True}))


def test_absent_says_nothing_and_null_says_unknown() -> None:
    announcement = said(entry(binary("smoke")))
    identity = announcement.devices[0].entities[0].id
    assert identity == "zigbee2mqtt.0x00158d0004a1b2c3_smoke"
    assert decode(announcement, "zigbee2mqtt/dev", b'{"linkquality":1}') == []
    assert decode(announcement, "zigbee2mqtt/dev", b'{"smoke":null}') == [Sample(identity, None, Quality.UNKNOWN)]


@pytest.mark.parametrize("topic", ["zigbee2mqtt/dev/availability", "zigbee2mqtt/bridge/state"])
@pytest.mark.parametrize("form", ["{}", '{{"state":"{}"}}'])
def test_availability_in_both_forms(topic: str, form: str) -> None:
    announcement = said(entry(binary("smoke")))
    identity = announcement.devices[0].entities[0].id
    assert decode(announcement, topic, form.format("offline").encode()) == [Sample(identity, None, Quality.STALE)]
    restored = [Sample(identity, None, Quality.GOOD)] if topic.endswith("availability") else []
    assert decode(announcement, topic, form.format("online").encode()) == restored
    with pytest.raises(DecodeError):
        decode(announcement, topic, form.format("ONLINE").encode())


@pytest.mark.parametrize("keys", [{"disabled": True}, {"type": "Coordinator"}])
def test_left_out_without_a_word(keys: dict[str, Any]) -> None:
    assert said(entry(binary("smoke"), **keys)) == Announcement()


@pytest.mark.parametrize("keys", [{"interviewing": True}, {"supported": False}, {"definition": None}])
def test_not_ready_is_refused_with_its_name(keys: dict[str, Any]) -> None:
    announcement = said(entry(binary("smoke"), **keys))
    assert not announcement.devices
    assert "dev" in announcement.refused[0]


def test_features_of_a_switch_count_and_those_of_a_composite_do_not() -> None:
    inner = binary("occupancy")
    announcement = said(
        entry({"type": "switch", "features": [inner]}, {"type": "composite", "features": [binary("gas")]})
    )
    assert [entity.capability.value for entity in announcement.devices[0].entities] == ["presence"]
    assert not said(entry({"type": "composite", "name": "smoke", "features": [inner]})).devices


def test_deeply_nested_features_end() -> None:
    nested: dict[str, Any] = binary("smoke")
    for _ in range(150):
        nested = {"type": "switch", "features": [nested]}
    assert not said(entry(nested)).devices


def test_what_is_only_set_is_no_entity() -> None:
    assert not said(entry({**binary("smoke"), "access": 2})).devices


def test_one_bad_device_does_not_cost_the_others() -> None:
    other = entry(binary("smoke"), ieee_address="0x01", friendly_name="good")
    announcement = said({"ieee_address": 5}, entry(binary("gas"), friendly_name="a+b"), other)
    assert [device.name.zh for device in announcement.devices] == ["good"]
    assert len(announcement.refused) == 2


def test_hostile_names() -> None:
    announcement = said(
        *(
            entry(binary("smoke"), friendly_name=name)
            for name in ("a\x1b[2J", "\u202e", "a\nb", "#", "x" * 300, "a\x00")
        )
    )
    check_routes(announcement)
    assert not announcement.devices
    assert len(announcement.refused) == 6


def test_a_list_larger_than_a_message_is_read_up_to_its_own_limit() -> None:
    definition = {"exposes": [binary("smoke")], "description": "x" * 4000}
    many = [entry(ieee_address=f"0x{n:x}", friendly_name=f"d{n}", definition=definition) for n in range(200)]
    assert len(said(*many).devices) == 200
    with pytest.raises(DecodeError):
        announce(Message("zigbee2mqtt/bridge/devices", b" " * (MAX_LIST + 1)), Config())


def test_names_are_in_both_languages() -> None:
    assert all(kind.name.zh and kind.name.en for kind in KINDS.values())


def test_base_topic_is_configurable_and_checked() -> None:
    config = msgspec.convert({"base": "site/z2m"}, Config)
    assert filters(config) == ("site/z2m/bridge/devices",)
    payload = msgspec.json.encode([entry(binary("smoke"))])
    (device,) = announce(Message("site/z2m/bridge/devices", payload), config).devices
    assert [route.topic for route in device.routes] == [
        "site/z2m/dev",
        "site/z2m/dev/availability",
        "site/z2m/bridge/state",
    ]
    for wrong in ("", "a/#", "/a", "a/"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"base": wrong}, Config)

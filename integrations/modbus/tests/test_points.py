"""Registers into values, points into requests, maps into points, addresses of a bus. All pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import integrations.modbus as integration
from hub.sdk import (
    Alarm,
    Capability,
    Contact,
    DecodeError,
    Entity,
    EntityId,
    Presence,
    Quality,
    Sample,
    Text,
    Unsupported,
    Value,
)
from integrations.modbus.address import Serial, Tcp, parse
from integrations.modbus.bus import Read
from integrations.modbus.config import Config, MapUse, Register
from integrations.modbus.maps import load, points
from integrations.modbus.plan import Sensed, groups
from integrations.modbus.values import CAPABILITIES, decode

ENTITY = EntityId("modbus.b_x")


def register(**fields: Any) -> Register:
    defaults = {"key": "x", "name": "x", "kind": "input", "address": 0, "meaning": "number"}
    return msgspec.convert(defaults | fields, Register)


@pytest.mark.parametrize(
    ("fields", "numbers", "value"),
    [
        ({}, (0xFFFF,), 65535.0),
        ({"type": "i16"}, (0xFFFE,), -2.0),
        ({"type": "i16", "scale": 0.1, "offset": -5}, (300,), 25.0),
        ({"type": "u32"}, (1, 2), 65538.0),
        ({"type": "u32", "swap": True}, (1, 2), 131073.0),
        ({"type": "i32"}, (0xFFFF, 0xFFFE), -2.0),
        ({"type": "f32"}, (0x4148, 0), 12.5),
        ({"type": "f32"}, (0x7FC0, 0), None),  # not a number
        ({"type": "f32", "scale": 1e300}, (0x7F00, 0), None),  # beyond all bounds
        ({"invalid": [65535]}, (65535,), None),
        ({"type": "i16", "invalid": [-32768]}, (0x8000,), None),
        ({"meaning": "contact"}, (0,), Contact.CLOSED),
        ({"meaning": "contact", "active": [1, 7]}, (7,), Contact.OPEN),
        ({"meaning": "contact", "active": [1, 7]}, (6,), Contact.CLOSED),
        ({"meaning": "alarm", "bit": 2}, (0b100,), Alarm.ACTIVE),
        ({"meaning": "alarm", "bit": 2}, (0b011,), Alarm.CLEAR),
        ({"meaning": "presence", "kind": "coil", "inverted": True}, (0,), Presence.PRESENT),
        ({"meaning": "presence", "kind": "discrete", "inverted": True}, (1,), Presence.ABSENT),
    ],
)
def test_values(fields: dict[str, Any], numbers: tuple[int, ...], value: Value | None) -> None:
    quality = Quality.UNKNOWN if value is None else Quality.GOOD
    assert decode(register(**fields), ENTITY, numbers) == Sample(ENTITY, value, quality)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "coil", "type": "u16"},
        {"kind": "discrete", "bit": 1},
        {"type": "bit"},
        {"type": "u32", "bit": 0},
        {"type": "u32", "address": 65535},
        {"scale": 0},
        {"active": [1]},
        {"inverted": True},
        {"key": "x\n"},
        {"key": "Über"},
        {"address": -1},
        {"unknown": 1},
    ],
)
def test_points_that_fit_nowhere_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        register(**fields)


REGISTERS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    kind=st.sampled_from(["coil", "discrete", "holding", "input"]),
    type=st.sampled_from([None, "bit", "u16", "i16", "u32", "i32", "f32"]),
    bit=st.none() | st.integers(0, 15),
    swap=st.booleans(),
    meaning=st.sampled_from(sorted(CAPABILITIES)),
    inverted=st.booleans(),
    active=st.lists(st.integers(0, 3), max_size=2),
    invalid=st.lists(st.integers(-1, 3), max_size=2),
    scale=st.floats(allow_nan=False, allow_infinity=False),
)


@given(REGISTERS, st.lists(st.integers(-5, 70_000) | st.integers(0, 1), max_size=3).map(tuple))
def test_only_decode_errors_escape(fields: dict[str, Any], numbers: tuple[int, ...]) -> None:
    try:
        point = register(**fields)
    except msgspec.ValidationError:
        return
    try:
        sample = decode(point, ENTITY, numbers)
    except DecodeError:
        return
    assert (sample.value is None) == (sample.quality is Quality.UNKNOWN)
    if point.meaning == "number" and sample.value is not None:
        assert isinstance(sample.value, float)
        assert abs(sample.value) < float("inf")


def sensed(*places: tuple[int, str, int, str]) -> tuple[Sensed, ...]:
    entity = Entity(ENTITY, Capability.MEASURE, Text("x"), "x")
    return tuple(
        Sensed(unit, register(kind=kind, address=address, type=form or None), entity)
        for unit, kind, address, form in places
    )


def test_neighbours_are_read_together() -> None:
    found = groups(
        sensed(
            (1, "input", 4, "u32"), (1, "input", 2, ""), (1, "input", 3, ""), (1, "input", 7, ""),
            (1, "holding", 3, ""), (2, "input", 3, ""), (1, "coil", 0, ""), (1, "coil", 1, ""),
        ),
        max_gap=0,
    )  # fmt: skip
    assert [group.read for group in found] == [
        Read(1, "coil", 0, 2),
        Read(1, "holding", 3, 1),
        Read(1, "input", 2, 4),
        Read(1, "input", 7, 1),
        Read(2, "input", 3, 1),
    ]
    assert [sample.value for sample in found[2].samples((10, 11, 1, 2))] == [10.0, 11.0, 65538.0]


def test_gaps_are_read_over_only_where_the_site_says_so() -> None:
    places = sensed((1, "input", 0, ""), (1, "input", 4, ""))
    assert [group.read.count for group in groups(places, max_gap=2)] == [1, 1]
    assert [group.read.count for group in groups(places, max_gap=3)] == [5]


def test_no_request_is_larger_than_the_protocol_allows() -> None:
    words = sensed(*((1, "input", address, "") for address in range(126)))
    bits = sensed(*((1, "coil", address, "") for address in range(2_001)))
    assert [group.read.count for group in groups(words, 0)] == [125, 1]
    assert [group.read.count for group in groups(bits, 0)] == [2_000, 1]


USE = MapUse(map="lift_generic", key="lift_a", name="1号梯", unit_id=4, base=100)


def test_the_lift_map(tmp_path: Path) -> None:
    found = {point.key: point for point in points(USE, load("lift_generic", tmp_path))}
    assert {key: CAPABILITIES[point.meaning] for key, point in found.items()} == {
        "lift_a_floor": Capability.MEASURE,
        "lift_a_direction": Capability.MEASURE,
        "lift_a_door": Capability.CONTACT,
        "lift_a_mode": Capability.MEASURE,
        "lift_a_load": Capability.MEASURE,
        "lift_a_alarm": Capability.ALARM,
        "lift_a_stopped": Capability.ALARM,
        "lift_a_fault": Capability.ALARM,
        "lift_a_person": Capability.PRESENCE,
    }
    door = found["lift_a_door"]
    assert (door.unit_id, door.address, door.name) == (4, 102, Text("1号梯 轿门", "1号梯 Car door"))
    said = [decode(door, ENTITY, (number,)).value for number in range(8)]
    assert said == [Contact.CLOSED, Contact.OPEN, None, None, None, None, Contact.OPEN, Contact.OPEN]


def test_a_map_of_the_site_comes_first(tmp_path: Path) -> None:
    (tmp_path / "modbus_maps").mkdir()
    point = {"key": "door", "name": "门", "kind": "coil", "address": 1, "meaning": "contact"}
    own = {"name": {"zh": "自有"}, "points": [point]}
    (tmp_path / "modbus_maps" / "lift_generic.yaml").write_text(yaml.safe_dump(own, allow_unicode=True))
    assert [point.key for point in load("lift_generic", tmp_path).points] == ["door"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[", b"name: x", b"\xff\xfe\x00", b"!!python/object/apply:os.getcwd []", b"- " * 5_000, b" " * 300_000,
        b"name: {zh: x}\npoints: []", b"name: {zh: x}\npoints: [{key: a}]",
    ],
)  # fmt: skip
def test_a_map_that_does_not_check_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "modbus_maps").mkdir()
    (tmp_path / "modbus_maps" / "own.yaml").write_bytes(content)
    with pytest.raises(Unsupported):
        load("own", tmp_path)


def test_a_map_that_is_not_there_or_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="no register map"):
        load("missing", tmp_path)
    with pytest.raises(Unsupported, match="beyond"):
        points(msgspec.structs.replace(USE, base=65_533), load("lift_generic", tmp_path))


def test_addresses() -> None:
    assert parse("tcp://gateway") == Tcp("gateway", 502, rtu=False)
    assert parse("rtu+tcp://[::1]:8899/") == Tcp("::1", 8899, rtu=True)
    assert parse("serial:///dev/ttyUSB0?baudrate=19200&parity=E&stopbits=2") == Serial("/dev/ttyUSB0", 19200, "E", 2)
    assert parse("serial:///dev/ttyS1") == Serial("/dev/ttyS1")
    assert Serial("/dev/ttyS1").quiet == pytest.approx(0.00401, abs=1e-5)
    assert Serial("/dev/ttyS1", 115_200).quiet == 0.00175


@pytest.mark.parametrize(
    "url",
    [
        "", "http://gateway", "tcp://", "tcp://gateway:x", "tcp://a:secret@gateway", "tcp://gateway/path",
        "tcp://gateway?x=1", "serial://dev/ttyUSB0", "serial:///dev/ttyUSB0?baudrate=fast",
        "serial:///dev/ttyUSB0?baudrate=1", "serial:///dev/ttyUSB0?parity=X", "serial:///dev/ttyUSB0?stopbits=3",
        "serial:///dev/ttyUSB0?speed=1", "serial:socket://x", "serial:///dev/x\0", "serial:///x#y", "serial:///x?a",
    ],
)  # fmt: skip
def test_wrong_addresses_are_refused(url: str) -> None:
    with pytest.raises(Unsupported) as caught:
        parse(url)
    assert "secret" not in caught.value.reason


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert (manifest["domain"], manifest["extra"]) == (integration.plugin.domain, "modbus")
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    expected = {field.name: field.default for field in msgspec.structs.fields(Config)}
    assert declared == {name: [] if default == () else default for name, default in expected.items()}


def test_the_example_in_the_documentation_checks() -> None:
    page = (Path(integration.__file__).parents[2] / "docs" / "integrations" / "modbus.md").read_text()
    example = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    config = msgspec.convert(example["devices"]["modbus"]["lift_room"], Config)
    assert {use.map for use in config.maps} == {"lift_generic"}
    assert config.relays[0].pulse_register == 0x200

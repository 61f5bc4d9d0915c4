"""Lines become what the captures say, and nothing but DecodeError comes of the rest."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import integrations.serial_lines as integration
from hub.sdk import Capability, DecodeError, EntityId, Sample, Text, Unsupported
from integrations.serial_lines.config import Config, Line, Usb, address
from integrations.serial_lines.garbage import Garbage, garbage_entity
from integrations.serial_lines.rules import Rules, decode, rules
from integrations.serial_lines.splitter import MAX_LINE, Splitter
from tests.kit.captures import check_reason

FOLDER = Path(integration.__file__).parent
BOARDS = yaml.safe_load((FOLDER / "captures" / "boards.yaml").read_text(encoding="utf-8"))
COUNTER = EntityId("serial_lines.x_garbage")


def build(values: dict[str, Any]) -> Rules:
    return rules("x", msgspec.convert(values, Config), COUNTER)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["config"]["name"]["zh"])
def test_captures(board: dict[str, Any]) -> None:
    known = build(board["config"])
    for capture in board["lines"]:
        line = bytes.fromhex(capture["hex"]) if "hex" in capture else capture["line"].encode()
        if "error" in capture:
            with pytest.raises(DecodeError) as caught:
                decode(line, known)
            assert caught.value.reason == capture["error"], capture
        else:
            said = {sample.entity.removeprefix("serial_lines.x_"): sample.value for sample in decode(line, known)}
            assert said == capture["says"], capture


def test_entities() -> None:
    bay, distance, tamper = build(BOARDS[0]["config"]).entities
    assert (bay.id, bay.name, bay.capability) == ("serial_lines.x_bay_3", Text("3号车位", "Bay 3"), Capability.PRESENCE)
    assert (distance.name, distance.unit) == (Text("车位控制板 distance", "Bay board distance"), "cm")
    assert (distance.capability, tamper.capability) == (Capability.MEASURE, Capability.ALARM)
    assert {entity.expire_after for entity in (bay, distance, tamper)} == {60_000_000}
    door, *_ = build(BOARDS[1]["config"]).entities
    assert (door.name, door.expire_after, door.device) == (Text("门控板 door"), None, "门控板")
    assert garbage_entity("x", msgspec.convert(BOARDS[1]["config"], Config)).id == COUNTER


def test_the_first_rule_that_matches_has_it() -> None:
    lines = [
        {"entity": "a", "prefix": "A1", "means": "open"},
        {"entity": "a", "prefix": "A", "means": "closed"},
        {"entity": "b", "prefix": "A", "means": "active"},
    ]
    known = build({"name": {"zh": "x"}, "port": "/dev/x", "lines": lines})
    assert [(sample.entity[-1], sample.value) for sample in decode(b"A1", known)] == [("a", "open"), ("b", "active")]
    assert [(sample.entity[-1], sample.value) for sample in decode(b"A2", known)] == [("a", "closed"), ("b", "active")]


@pytest.mark.parametrize(
    "lines",
    [
        [{"entity": "a", "means": "open"}],
        [{"entity": "a", "means": "open", "text": "x", "prefix": "y"}],
        [{"entity": "a", "means": "open", "key": "x"}],
        [{"entity": "a", "means": "number", "key": "x", "equals": 1}],
        [{"entity": "a", "means": "open", "text": "x", "equals": 1}],
        [{"entity": "a", "means": "number", "text": "x"}],
        [{"entity": "a", "means": "open", "text": "x", "unit": "cm"}],
        [{"entity": "a", "means": "open", "text": " x"}],
        [{"entity": "a", "means": "open", "text": "x "}],
        [{"entity": "a", "means": "open", "prefix": "x\x00"}],
        [{"entity": "a", "means": "open", "text": "x"}, {"entity": "a", "means": "absent", "text": "y"}],
        [{"entity": "garbage", "means": "open", "text": "x"}],
        [{"entity": "a", "means": "open", "text": "x"}, {"entity": "a_", "means": "open", "text": "y"}],
    ],
)
def test_lines_that_contradict_are_refused(lines: list[dict[str, Any]]) -> None:
    with pytest.raises(Unsupported):
        build({"name": {"zh": "x"}, "port": "/dev/x", "lines": lines})


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("/dev/serial/by-id/usb-Arduino__www.arduino.cc__0043-if00", None),
        ("usb:2341:0043", Usb(0x2341, 0x43, None)),
        ("usb:1a86:7523:85036313530351D0E1A1", Usb(0x1A86, 0x7523, "85036313530351D0E1A1")),
    ],
)
def test_ports(port: str, expected: Usb | None) -> None:
    assert address(port) == (expected or port)


@pytest.mark.parametrize("port", ["", "ttyUSB0", "socket://10.0.0.1:23", "usb:234:43", "/dev/x\n", "usb:2341:0043:a b"])
def test_no_other_ports(port: str) -> None:
    with pytest.raises(Unsupported):
        address(port)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_lines_are_found_however_they_are_cut(end: bytes, size: int) -> None:
    data = end.join([b"one", b"", b"x" * MAX_LINE, b"y" * (MAX_LINE + 1), b"z" * 9_000, b"two", b"half"])
    splitter, lines = Splitter(mid_line=False), list[bytes]()
    for place in range(0, len(data), size):
        lines += splitter.feed(data[place : place + size])
    assert lines == [b"one", b"x" * MAX_LINE, b"two"]
    assert splitter.dropped == 2


def test_the_rest_of_a_line_is_dropped() -> None:
    splitter = Splitter(mid_line=True)
    assert splitter.feed(b"Y3 1\nBAY3 0\nBA") == [b"BAY3 0"]
    assert splitter.feed(b"Y3 1\n") == [b"BAY3 1"]
    assert splitter.dropped == 0


@given(st.lists(st.binary(max_size=400), max_size=12), st.booleans())
def test_hostile_bytes(chunks: list[bytes], mid_line: bool) -> None:
    splitter, known = Splitter(mid_line), [build(board["config"]) for board in BOARDS]
    for chunk in chunks:
        for line in splitter.feed(chunk):
            assert 0 < len(line) <= MAX_LINE
            for each in known:
                check(line, each)


KEYS = st.sampled_from(["door", "smoke", "t", "x"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@given(st.dictionaries(KEYS, SCALARS | st.lists(SCALARS, max_size=3)) | SCALARS)
def test_hostile_json(value: Any) -> None:
    check(msgspec.json.encode(value), build(BOARDS[1]["config"]))


@given(st.sampled_from(["D=", "BAY3 ", "TAMPER", "{"]), st.text(max_size=60))
def test_hostile_text_behind_a_prefix(prefix: str, text: str) -> None:
    check((prefix + text).encode("utf-8", "surrogatepass"), build(BOARDS[0]["config"]))


def check(line: bytes, known: Rules) -> None:
    try:
        samples = decode(line, known)
    except DecodeError as error:
        check_reason(error)
        return
    kinds = {entity.id: entity.capability for entity in known.entities}
    assert len({sample.entity for sample in samples}) == len(samples)
    for sample in samples:
        if kinds[sample.entity] is Capability.MEASURE:
            assert isinstance(sample.value, float)
            assert math.isfinite(sample.value)


def test_garbage_is_told_when_it_has_doubled() -> None:
    garbage, told = Garbage(COUNTER), list[Sample]()
    for count in range(100):
        told += garbage.news(count)
    assert [sample.value for sample in told] == [0, 1, 2, 4, 8, 16, 32, 64]


def test_a_rule_that_is_no_data_is_refused() -> None:
    for wrong in ({"regex": "x"}, {"entity": "../x"}, {"means": "boom"}, {"text": ""}, {"prefix": "x" * 129}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"entity": "a", "means": "open", "text": "x"} | wrong, Line)


def test_the_example_on_the_page() -> None:
    page = (FOLDER.parents[1] / "docs" / "integrations" / "serial.md").read_text(encoding="utf-8")
    example = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    known = build(example["devices"]["serial_lines"]["lane_board"])
    said = [sample.value for line in (b"BAY3 1", b"D=80 cm", b'{"door":true,"t":3}') for sample in decode(line, known)]
    assert said == ["present", 80.0, "open", 3.0]


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load((FOLDER / "manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}

"""What is read of events and frames, entries that can never work, and the manifest."""

from __future__ import annotations

import binascii
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from osdp import Event, EventNotification, StatusReportType

import integrations.osdp as integration
from hub.sdk import Alarm, Capability, Contact, DecodeError, Quality, Sample, Unsupported
from integrations.osdp.config import Config, ReaderConfig
from integrations.osdp.events import Answered, Card, Inputs, Local, Online, Said, read
from integrations.osdp.frames import take_replies
from integrations.osdp.reader import CARD_SECONDS, Reader

STATUS, NOTE = {"event": Event.Status}, {"event": Event.Notification}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"event": Event.CardRead, "data": b"\x0b\xad", "length": 16}, Card()),
        ({**STATUS, "type": StatusReportType.Local, "report": b"\x01\x00"}, Local(tamper=True, power_failed=False)),
        ({**STATUS, "type": StatusReportType.Local, "report": b"\x00\x02"}, Local(tamper=False, power_failed=True)),
        ({**STATUS, "type": StatusReportType.Input, "report": b"\x00\x01\x00"}, Inputs((False, True, False))),
        ({**STATUS, "type": StatusReportType.Output, "report": b"\x01"}, None),
        ({**STATUS, "type": StatusReportType.Remote, "report": b"\x01"}, None),
        ({**NOTE, "type": EventNotification.PeripheralDeviceStatus, "arg0": 1, "arg1": 0}, Online(True)),
        ({**NOTE, "type": EventNotification.PeripheralDeviceStatus, "arg0": 0, "arg1": 0}, Online(False)),
        ({**NOTE, "type": EventNotification.Command, "arg0": 9, "arg1": 0}, Answered(False)),
        ({**NOTE, "type": EventNotification.SecureChannelStatus, "arg0": 1, "arg1": 0}, None),
        ({"event": Event.KeyPress, "data": b"1234"}, None),
        ({}, None),
    ],
)
def test_events(event: dict[str, Any], said: Said | None) -> None:
    assert read(event) == said


@pytest.mark.parametrize("report", [None, b"", b"\x01", b"\x01\x00\x00", "10", [1, 0]])
def test_a_status_of_another_form(report: object) -> None:
    with pytest.raises(DecodeError):
        read({**STATUS, "type": StatusReportType.Local, "report": report})


SCALARS = st.none() | st.booleans() | st.integers(-9, 2**40) | st.binary(max_size=70) | st.sampled_from(["", "x"])


@given(st.dictionaries(st.sampled_from(["event", "type", "report", "arg0", "arg1", "data"]), SCALARS))
def test_only_decode_errors_escape(event: dict[str, Any]) -> None:
    gate = reader(door_input=3)
    try:
        said = read(event)
    except DecodeError:
        return
    mine = {entity.id for entity in gate.entities}
    assert said is None or {sample.entity for sample in gate.hear(said, 0)} <= mine


def reader(**changed: Any) -> Reader:
    return Reader("line", "gate", ReaderConfig("大门", 5, **changed))


def test_a_second_card_prolongs_the_first() -> None:
    gate = reader()
    card = gate.entities[0]
    assert gate.tick(0) == ()
    assert gate.hear(Card(), 0) == gate.hear(Card(), 1.5) == (Sample(card.id, Alarm.ACTIVE),)
    assert gate.tick(CARD_SECONDS) == ()
    assert gate.tick(1.5 + CARD_SECONDS) == (Sample(card.id, Alarm.CLEAR),)
    assert gate.tick(9) == ()


def test_a_lost_reader_takes_its_card_with_it() -> None:
    gate = reader()
    gate.hear(Card(), 0)
    assert {sample.quality for sample in gate.hear(Online(False), 1)} == {Quality.STALE}
    assert gate.tick(9) == ()


def test_doors() -> None:
    assert len(reader().entities) == 3
    assert reader().hear(Inputs((True,)), 0) == ()
    door = reader(door_input=1).entities[-1]
    assert (door.id, door.capability) == ("osdp.line_gate_door", Capability.CONTACT)
    assert reader(door_input=1).hear(Inputs((False, True)), 0) == (Sample(door.id, Contact.OPEN),)
    assert reader(door_input=1, door_active="closed").hear(Inputs((True, True)), 0) == (
        Sample(door.id, Contact.CLOSED),
    )
    assert reader(door_input=1).hear(Inputs((True,)), 0) == (Sample(door.id, None, Quality.UNKNOWN),)


def frame(address: int, data: bytes = b"\x40", control: int = 0x04) -> bytes:
    body = bytes([0x53, address]) + (len(data) + 7).to_bytes(2, "little") + bytes([control]) + data
    return body + binascii.crc_hqx(body, 0x1D0F).to_bytes(2, "little")


def test_frames() -> None:
    buffer = bytearray(b"\x53noise" + frame(0x85) + frame(0x06) + frame(0x87, bytes(60)) + frame(0x88)[:5])
    assert take_replies(buffer) == {5, 7}
    assert take_replies(buffer) == set()
    buffer += frame(0x88)[5:]
    assert take_replies(buffer) == {8}
    assert take_replies(bytearray(frame(0x85)[:-1] + b"\x00")) == set()


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\x53\x85", b"\x53\xff\xff\xff", frame(0x85)]), max_size=20))
def test_a_buffer_stays_small(chunks: list[bytes]) -> None:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        assert take_replies(buffer) <= set(range(128))
        assert len(buffer) <= 256


GOOD = {"name": "x", "address": 5}


@pytest.mark.parametrize(
    "values",
    [
        {"port": "/dev/ttyUSB0"},
        {"port": "/dev/ttyUSB0", "readers": {}},
        {"port": "ttyUSB0", "readers": {"gate": GOOD}},
        {"port": "/dev/ttyUSB0", "readers": {"Gate 1": GOOD}},
        {"port": "/dev/ttyUSB0", "readers": {"gate": {**GOOD, "address": 127}}},
        {"port": "/dev/ttyUSB0", "readers": {"gate": {**GOOD, "key": "00"}}},
        {"port": "/dev/ttyUSB0", "readers": {"gate": GOOD}, "baud": 1200},
    ],
)
def test_wrong_entries(values: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, Config)


async def test_two_readers_with_one_address_and_the_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = ReaderConfig("x", 5)
    with pytest.raises(Unsupported, match="same address"):
        await integration.connect("line", Config("/dev/null", {"a": gate, "b": gate}), None)  # type: ignore[arg-type]  # unused
    monkeypatch.setitem(sys.modules, "osdp", None)
    with pytest.raises(Unsupported, match=r"menshen\[osdp\]"):
        await integration.connect("line", Config("/dev/null", {"a": gate}), None)  # type: ignore[arg-type]  # unused


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text(encoding="utf-8"))
    assert (manifest["domain"], manifest["extra"]) == (integration.plugin.domain, "osdp")
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
    assert all(field["zh"] and field["en"] for field in manifest["config"].values())

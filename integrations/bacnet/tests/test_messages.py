"""Messages as a BACnet device sends them, and what no hostile one may do."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from bacpypes3.basetypes import EngineeringUnits, LiftFault, PropertyIdentifier
from bacpypes3.primitivedata import ObjectType
from hypothesis import given, settings
from hypothesis import strategies as st

import integrations.bacnet as integration
from hub.sdk import DecodeError, Quality
from integrations.bacnet import answers, points
from integrations.bacnet.answers import Done, Reading, Refusal, Reply, Target
from integrations.bacnet.config import InputConfig, LiftConfig
from integrations.bacnet.points import LIFT_POINTS, judge, read_input
from integrations.bacnet.wire import MAX_DATAGRAM, decode, noticed, read_multiple, read_property

CAPTURES = Path(integration.__file__).with_name("captures")
ROWS: list[dict[str, Any]] = [json.loads(line) for line in (CAPTURES / "exchanges.jsonl").read_text().splitlines()]
ANSWERS = [bytes.fromhex(row["answer"]) for row in ROWS]
LIFT = LiftConfig(instance=3, key="a", name="1号梯", rated_kg=800)
INPUT = InputConfig(instance=7, key="pit", name="底坑门", meaning="contact")


def plain(content: Reading | Refusal | Done) -> Any:
    def one(value: object) -> object:
        return {"refused": dataclasses.astuple(value)} if isinstance(value, Refusal) else value

    assert not isinstance(content, Done)
    if isinstance(content, Refusal):
        return one(content)
    return {"target": content.target, "properties": {str(key): one(val) for key, val in content.properties.items()}}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['source']} {row['number']}")
def test_exchanges(row: dict[str, Any]) -> None:
    number, target, asked = row["ask"]
    if "sent" in row:
        sent = (
            read_property(number, Target(*target), asked)
            if isinstance(asked, int)
            else read_multiple(number, Target(*target), tuple(asked))
        )
        assert sent.hex(" ") == row["sent"]
    reply = decode(bytes.fromhex(row["answer"]))
    assert reply.invoke_id == number
    assert json.dumps(plain(reply.content)) == json.dumps(row["content"])  # as text, in which false is not 0


def test_the_header_is_that_of_a_recorded_request() -> None:
    """Recorded by J. Dearden (jdearden.org/kb, ReadPropertyMultiple): 118 bytes for six objects, here its first one."""
    assert read_multiple(0xD2, Target(0, 5), (77, 85, 36, 81)).hex(" ") == (
        "81 0a 00 19 01 04 00 05 d2 0e 0c 00 00 00 05 1e 09 4d 09 55 09 24 09 51 1f"
    )


def test_numbers_are_those_of_the_library() -> None:
    named = {
        "carPosition": points.POSITION,
        "carMovingDirection": points.DIRECTION,
        "carDoorStatus": points.DOOR,
        "carMode": points.MODE,
        "carLoad": points.LOAD,
        "carLoadUnits": points.LOAD_UNITS,
        "passengerAlarm": points.ALARM,
        "faultSignals": points.FAULTS,
        "outOfService": points.OUT_OF_SERVICE,
        "presentValue": points.PRESENT_VALUE,
    }
    assert {name: int(PropertyIdentifier(name)) for name in named} == named
    assert set(points.LIFT_PROPERTIES) | set(points.INPUT_PROPERTIES) == set(named.values())
    assert tuple(int(ObjectType(name)) for name in ("lift", "device", "binaryInput")) == (
        answers.LIFT,
        answers.DEVICE,
        answers.BINARY_INPUT,
    )
    assert (int(EngineeringUnits("percent")), int(EngineeringUnits("kilograms"))) == (98, 39)
    assert int(LiftFault("carStoppedOutsideLandingZone")) == 8


def framed(apdu: bytes) -> bytes:
    return b"\x81\x0a" + (6 + len(apdu)).to_bytes(2, "big") + b"\x01\x00" + apdu


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x81",
        ANSWERS[0][:-1],  # truncated, and its length says so
        ANSWERS[0] + b"\x00",
        framed(ANSWERS[0][6:-1]),  # truncated, and its length does not say so
        b"\x81\x0b" + ANSWERS[0][2:],  # a broadcast
        b"\x82" + ANSWERS[0][1:],  # another link
        ANSWERS[0][:4] + b"\x02\x00" + ANSWERS[0][6:],  # another version
        ANSWERS[0][:4] + b"\x01\x80" + ANSWERS[0][6:],  # a message of the network layer
        ANSWERS[0][:4] + b"\x01\x08" + ANSWERS[0][6:],  # from another network
        framed(b"\x10\x08"),  # Who-Is
        framed(b"\x00\x05\x01\x0c\x0c\x02\x00\x00\x08\x19\x4b"),  # a request to us
        framed(b"\x20\x01\x0c"),  # a simple acknowledgement: it wrote something
        framed(b"\x38\x01\x00\x01\x0c" + ANSWERS[12][9:]),  # the first of many segments
        framed(b"\x30\x01\x63\x00"),  # an unknown service
        framed(b"\x30\x01\x0e"),  # no object at all
        framed(bytes.fromhex("30 16 0c 0c 0e c0 00 03 1a 01 cf 3e 91 08")),  # a list that does not end
        framed(b"\xf0\x01\x0e"),  # no such kind of message
        framed(b"\x30\x01\x0c\x0c\x00\x00\x00\x05\x19\x55\x29\x01\x3e\x21\x01\x3f"),  # one element of an array
        framed(b"\x30\x01\x0c\x0c\x00\x00\x00\x05\x19\x55\x3e" + b"\x21\x01" * 300 + b"\x3f"),  # too many values
        bytes(MAX_DATAGRAM + 1),
        b"\x81\x0a\xff\xff\x01\x00" + bytes(0xFFFF - 6),
    ],
    ids=len,
)
def test_what_is_no_answer(datagram: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(datagram)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("00", None),
        ("10", False),
        ("11", True),
        ("21 ff", 255),
        ("23 01 00 00", 65536),
        ("31 ff", -1),
        ("44 7f c0 00 00", "nan"),
        ("55 08 3f f0 00 00 00 00 00 00", 1.0),
        ("75 05 00 68 61 63 6b", None),  # text
        ("91 09", 9),
        ("25 09 01 02 03 04 05 06 07 08 09", None),  # nine bytes of number
        ("43 00 00 00", None),  # a real of three bytes
        ("0e 21 01 0f", None),  # a structure
    ],
)
def test_values(tag: str, value: object) -> None:
    reply = decode(framed(bytes.fromhex("30 01 0c 0c 00 00 00 05 19 55 3e" + tag + "3f")))
    assert isinstance(reply.content, Reading)
    said = reply.content.properties[85]
    assert isinstance(said, tuple)
    assert (str(said[0]) if value == "nan" else said[0]) == value
    assert type(said[0]) is (float if value == "nan" else type(value))


def is_harmless(datagram: bytes) -> None:
    try:
        reply = decode(datagram)
    except DecodeError:
        return
    assert isinstance(reply, Reply)
    if isinstance(reply.content, Refusal):
        reply.content.as_error("it")
    if not isinstance(reply.content, Reading):
        return
    for point in LIFT_POINTS:
        value, quality = judge(reply.content.properties, lambda said, point=point: point.read(said, LIFT))  # type: ignore[misc]
        assert (value is None) == (quality is not Quality.GOOD)
    judge(reply.content.properties, lambda said: read_input(said, INPUT))


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=120))
def test_fuzz_of_all_bytes(body: bytes) -> None:
    is_harmless(body)
    is_harmless(framed(body))
    for said in (body, framed(body), framed(b"\x10\x02" + body)):
        assert noticed(said) is None or isinstance(noticed(said), Target)
    is_harmless(framed(b"\x30\x01\x0c" + body))
    is_harmless(framed(b"\x30\x01\x0e" + body))
    is_harmless(framed(b"\x30\x01\x0c\x0c\x0e\xc0\x00\x03\x1a\x01\xc2\x3e" + body + b"\x3f"))


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(ANSWERS), st.lists(st.tuples(st.integers(6, 90), st.integers(0, 255)), max_size=4), st.data())
def test_fuzz_of_answers(answer: bytes, changes: list[tuple[int, int]], data: st.DataObject) -> None:
    apdu = bytearray(answer)
    for place, byte in changes:
        if place < len(apdu):
            apdu[place] = byte
    end = data.draw(st.integers(6, len(apdu)))
    is_harmless(framed(bytes(apdu[6:])))
    is_harmless(framed(bytes(apdu[6:end])))

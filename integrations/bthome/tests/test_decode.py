"""Every example of the published format becomes what is printed beside it; nothing else than DecodeError escapes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import Alarm, Capability, Contact, DecodeError, Presence
from integrations.bthome.config import Sensor
from integrations.bthome.decode import Heard, decode, is_encrypted
from integrations.bthome.listener import Listener
from integrations.bthome.objects import NAMES, OBJECTS, PROPERTIES, VARIABLE

LINES = (Path(__file__).parents[1] / "captures" / "format.jsonl").read_text(encoding="utf-8").splitlines()
CAPTURES: list[dict[str, Any]] = [json.loads(line) for line in LINES]
WORDS = {str(value): value for kind in (Contact, Presence, Alarm) for value in kind}


def read(data: bytes) -> Heard:
    return Heard() if is_encrypted(data) else decode(data[1:])


@pytest.mark.parametrize("line", CAPTURES, ids=lambda line: line["data"][:24] or "empty")
def test_capture(line: dict[str, Any]) -> None:
    data = bytes.fromhex(line["data"])
    if "error" in line:
        with pytest.raises(DecodeError):
            read(data)
        return
    expected = tuple((name, WORDS[value] if isinstance(value, str) else value) for name, value in line["values"])
    assert read(data) == Heard(expected, line.get("packet"))


def test_every_object_of_the_page_has_its_example() -> None:
    examples = {bytes.fromhex(line["data"])[1] for line in CAPTURES if "the page's example" in line["note"]}
    beyond_the_page = set(range(0x60, 0x65))
    assert examples | {0x00} == (set(OBJECTS) | VARIABLE) - beyond_the_page


def test_properties_are_named_and_one_unit_each() -> None:
    assert PROPERTIES.keys() == NAMES.keys()
    assert all(name.zh and name.en for name in NAMES.values())
    for item in OBJECTS.values():
        if item.capability is not None:
            known = PROPERTIES[item.property]
            assert (item.capability, item.unit) == (known.capability, known.unit)


@pytest.mark.parametrize("identity", sorted(OBJECTS))
def test_length_leads_to_what_follows(identity: int) -> None:
    size = OBJECTS[identity].size
    heard = decode(bytes([identity]) + bytes(size) + b"\x2d\x01")
    assert heard.values[-1][0].startswith("window")
    for cut in range(size):
        with pytest.raises(DecodeError):
            decode(bytes([identity]) + bytes(cut))


OBJECT = st.sampled_from(sorted(OBJECTS)).flatmap(
    lambda identity: st.binary(min_size=OBJECTS[identity].size, max_size=OBJECTS[identity].size).map(
        lambda raw: bytes([identity]) + raw
    )
)
DATA = st.binary(max_size=300) | st.tuples(
    st.sampled_from([b"\x40", b"\x44", b"\x41"]), st.lists(OBJECT | st.binary(max_size=4), max_size=8)
).map(lambda parts: parts[0] + b"".join(parts[1]))


@given(DATA)
def test_only_decode_errors_escape(data: bytes) -> None:
    try:
        heard = read(data)
    except DecodeError:
        return
    assert len({name for name, _ in heard.values}) == len(heard.values)
    assert all(not isinstance(value, float) or math.isfinite(value) for _, value in heard.values)


@given(st.lists(DATA, max_size=6))
def test_a_listener_says_only_what_it_declared(messages: list[bytes]) -> None:
    listener = Listener("A4:C1:38:00:00:01", Sensor("门", ("door", "temperature", "temperature_2", "battery")))
    kinds = {entity.id: entity.capability for entity in listener.entities.values()}
    for at, data in enumerate(messages):
        try:
            said = listener.hear(data, -60, float(at))
        except DecodeError:
            continue
        for part in said[:-1]:
            measured = isinstance(part.value, float)  # type: ignore[union-attr]  # the last one is the vitals
            assert measured == (kinds[part.entity] is Capability.MEASURE)  # type: ignore[union-attr]

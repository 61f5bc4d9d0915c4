"""What the properties of a lift mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import integrations.bacnet as integration
from hub.sdk import Alarm, Contact, Presence, Quality
from integrations.bacnet.answers import Refusal
from integrations.bacnet.config import InputConfig, LiftConfig
from integrations.bacnet.points import (
    ALARM,
    DIRECTION,
    DOOR,
    FAULTS,
    LIFT_POINTS,
    LOAD,
    LOAD_UNITS,
    MODE,
    OUT_OF_SERVICE,
    POSITION,
    PRESENT_VALUE,
    Said,
    judge,
    read_input,
)

UNKNOWN, STALE = (None, Quality.UNKNOWN), (None, Quality.STALE)
REFUSED = Refusal("error", 2, 32)


def read(key: str, said: Said, **fields: Any) -> tuple[Any, Quality]:
    (point,) = (point for point in LIFT_POINTS if point.key == key)
    lift = LiftConfig(instance=1, key="a", name="1号梯", **fields)
    return judge(said, lambda said: point.read(said, lift))


def good(value: object) -> tuple[object, Quality]:
    return value, Quality.GOOD


@pytest.mark.parametrize(
    ("lowest", "position", "floor"),
    [(1, 1, 1), (1, 33, 33), (-2, 1, -2), (-2, 2, -1), (-2, 3, 1), (-2, 4, 2), (0, 1, 0), (0, 2, 1), (3, 1, 3)],
)
def test_floors(lowest: int, position: int, floor: int) -> None:
    assert read("floor", {POSITION: (position,)}, lowest_floor=lowest) == good(float(floor))


@pytest.mark.parametrize("values", [(256,), (-1,), (1.0,), (True,), (None,), (), (1, 2), REFUSED])
def test_no_floors(values: Any) -> None:
    assert read("floor", {POSITION: values}) == STALE
    assert read("floor", {}) == STALE
    assert read("floor", {POSITION: (0,)}) == UNKNOWN


def test_words() -> None:
    assert read("direction", {DIRECTION: (4,)}) == good(4.0)
    assert read("direction", {DIRECTION: (0,)}) == UNKNOWN
    assert read("mode", {MODE: (12,)}) == good(12.0)
    assert read("mode", {MODE: (1024,)}) == good(1024.0)  # the vendor's own
    assert read("mode", {MODE: (65536,)}) == STALE


def test_doors_mean_what_they_mean_on_modbus() -> None:
    lift_map = Path(integration.__file__).parents[1] / "modbus" / "maps" / "lift_generic.yaml"
    (door,) = (point for point in yaml.safe_load(lift_map.read_text())["points"] if point["key"] == "door")
    for status in range(10):
        expected = Contact.OPEN if status in door["active"] else Contact.CLOSED
        judged = read("door", {DOOR: (status,)})
        assert judged == (UNKNOWN if status in door["invalid"] else good(expected)), status
    assert read("door", {DOOR: (1024,)}) == UNKNOWN


def test_keys_are_those_of_modbus() -> None:
    lift_map = Path(integration.__file__).parents[1] / "modbus" / "maps" / "lift_generic.yaml"
    said = {
        point["key"]: (point["name"], point.get("unit", "")) for point in yaml.safe_load(lift_map.read_text())["points"]
    }
    for point in LIFT_POINTS:
        assert ({"zh": point.name.zh, "en": point.name.en}, point.unit) == said[point.key]


def test_one_door_of_several() -> None:
    assert read("door", {DOOR: (0, 1)}) == good(Contact.CLOSED)
    assert read("door", {DOOR: (0, 1)}, door=2) == good(Contact.OPEN)
    assert read("door", {DOOR: (0, 1)}, door=3) == STALE
    assert read("door", {DOOR: ()}) == STALE
    assert read("door", {DOOR: REFUSED}) == STALE


@pytest.mark.parametrize(
    ("said", "rated", "load"),
    [
        ({LOAD: (50.0,), LOAD_UNITS: (98,)}, None, good(50.0)),
        ({LOAD: (50.0,)}, None, good(50.0)),
        ({LOAD: (50.0,), LOAD_UNITS: REFUSED}, 800.0, good(50.0)),
        ({LOAD: (400.0,), LOAD_UNITS: (39,)}, 800.0, good(50.0)),
        ({LOAD: (400.0,), LOAD_UNITS: (39,)}, None, STALE),
        ({LOAD: (400.0,), LOAD_UNITS: (40,)}, 800.0, STALE),
        ({LOAD: (float("nan"),), LOAD_UNITS: (98,)}, None, UNKNOWN),
        ({LOAD: (float("inf"),), LOAD_UNITS: (39,)}, 800.0, UNKNOWN),
        ({LOAD: (-1.0,), LOAD_UNITS: (98,)}, None, UNKNOWN),
        ({LOAD: (1e30,), LOAD_UNITS: (98,)}, None, UNKNOWN),
        ({LOAD: (None,), LOAD_UNITS: (98,)}, None, STALE),
        ({LOAD: (True,), LOAD_UNITS: (98,)}, None, STALE),
        ({LOAD: REFUSED, LOAD_UNITS: (98,)}, None, STALE),
    ],
)
def test_loads(said: Said, rated: float | None, load: tuple[object, Quality]) -> None:
    assert read("load", said, rated_kg=rated) == load


def test_alarms() -> None:
    assert read("alarm", {ALARM: (True,)}) == good(Alarm.ACTIVE)
    assert read("alarm", {ALARM: (False,)}) == good(Alarm.CLEAR)
    assert read("alarm", {ALARM: (1,)}) == STALE
    assert read("fault", {FAULTS: ()}) == good(Alarm.CLEAR)
    assert read("fault", {FAULTS: (0,)}) == good(Alarm.ACTIVE)
    assert read("stopped", {FAULTS: (0,)}) == good(Alarm.CLEAR)
    assert read("stopped", {FAULTS: (0, 8)}) == good(Alarm.ACTIVE)
    assert read("stopped", {FAULTS: (None,)}) == STALE
    assert read("fault", {FAULTS: REFUSED}) == STALE


def test_out_of_service_is_not_believed() -> None:
    assert read("alarm", {ALARM: (True,), OUT_OF_SERVICE: (True,)}) == STALE
    assert read("alarm", {ALARM: (True,), OUT_OF_SERVICE: (False,)}) == good(Alarm.ACTIVE)
    assert read("alarm", {ALARM: (True,), OUT_OF_SERVICE: REFUSED}) == good(Alarm.ACTIVE)


@pytest.mark.parametrize(
    ("meaning", "inactive", "active"),
    [
        ("contact", Contact.CLOSED, Contact.OPEN),
        ("presence", Presence.ABSENT, Presence.PRESENT),
        ("alarm", Alarm.CLEAR, Alarm.ACTIVE),
    ],
)
def test_inputs(meaning: Any, inactive: object, active: object) -> None:
    straight = InputConfig(instance=1, key="x", name="x", meaning=meaning)
    turned = InputConfig(instance=1, key="x", name="x", meaning=meaning, inverted=True)
    assert judge({PRESENT_VALUE: (0,)}, lambda said: read_input(said, straight)) == good(inactive)
    assert judge({PRESENT_VALUE: (1,)}, lambda said: read_input(said, straight)) == good(active)
    assert judge({PRESENT_VALUE: (0,)}, lambda said: read_input(said, turned)) == good(active)
    assert judge({PRESENT_VALUE: (2,)}, lambda said: read_input(said, straight)) == STALE


VALUES = st.lists(st.none() | st.booleans() | st.integers() | st.floats(), max_size=3).map(tuple) | st.just(REFUSED)


@given(st.dictionaries(st.sampled_from([ALARM, DIRECTION, DOOR, FAULTS, LOAD, LOAD_UNITS, MODE, POSITION]), VALUES))
def test_fuzz(said: Said) -> None:
    for point in LIFT_POINTS:
        value, quality = read(point.key, said, rated_kg=0.001)
        assert (value is None) == (quality is not Quality.GOOD)

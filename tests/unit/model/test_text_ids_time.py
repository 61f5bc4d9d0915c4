"""Small vocabulary: clean text, identifiers, durations, the next state of an entity, and the tree of errors."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub
from hub.model import errors
from hub.model.ids import ENTITY, entity_id, slug
from hub.model.incident import CommandStatus
from hub.model.reading import (
    NEVER_HEARD,
    Alarm,
    Contact,
    Presence,
    Quality,
    Reading,
    State,
    next_state,
    value_from_store,
)
from hub.model.text import Text, clean
from hub.model.time import DAY, HOUR, MINUTE, Instant, format_duration, isoformat, parse_duration
from tests.kit.lane import CAR

HOSTILE = {
    "line break": ("a\r\nERROR forged", "a ERROR forged"),
    "ANSI": ("\x1b[31mred", "[31mred"),
    "right to left": ("abc\u202etxt.exe", "abc txt.exe"),
    "isolate": ("a\u2066b\u2069", "a b"),
    "zero width": ("a\u200bb", "a b"),
    "line separator": ("a\u2028b", "a b"),
    "lone surrogate": ("a\ud800b", "a b"),
    "private": ("a\ue000b", "a b"),
    "NUL": ("\0\0", ""),
    "spaces": ("  a \t b  ", "a b"),
    "Chinese": ("3号楼 北侧", "3号楼 北侧"),
}


@pytest.mark.parametrize(("text", "cleaned"), HOSTILE.values(), ids=HOSTILE)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(), st.integers(1, 50))
def test_clean_is_short_one_line_and_stays_as_it_is(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned.isprintable()
    assert clean(cleaned, limit) == cleaned


def test_a_text_falls_back_to_chinese() -> None:
    assert Text("车", "car").in_language("en") == "car"
    assert Text("车").in_language("en") == "车"


@given(st.text(max_size=300))
def test_every_identifier_of_a_vendor_becomes_an_entity(text: str) -> None:
    assert ENTITY.match(entity_id("mqtt_discovery", text))
    assert slug(text) == slug(text)


def test_slug() -> None:
    assert slug("Lane-3/Vehicle") == "lane_3_vehicle"
    assert slug("0x00158D0004866F11") == "0x00158d0004866f11"
    assert slug("车位1") != slug("车位一")
    assert slug("车位").isascii()
    assert slug("") != ""
    assert len(slug("x" * 500)) <= 96


def test_durations() -> None:
    assert [parse_duration(text) for text in ("3 min", "90s", "1.5 h", "250 ms", " 2 d ")] == [
        3 * MINUTE, 90_000_000, HOUR + 30 * MINUTE, 250_000, 2 * DAY,
    ]  # fmt: skip
    for text in ("3", "min", "3 m", "-1 s", "1e3 s", "22:30", "1.2345 s", "1234567 s", "3 min 2 s", ""):
        with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
            parse_duration(text)
    assert [format_duration(d) for d in (3 * MINUTE, 90_000_000, 250_000, 0, DAY)] == [
        "3 min", "90 s", "0.25 s", "0 s", "1 d",
    ]  # fmt: skip


@given(st.integers(0, 999_999), st.sampled_from(["s", "min", "h", "d"]))
def test_a_duration_is_read_as_it_was_written(number: int, unit: str) -> None:
    duration = parse_duration(f"{number} {unit}")
    assert parse_duration(format_duration(duration)) == duration


def test_instants_are_written_in_utc() -> None:
    assert isoformat(0) == "1970-01-01T00:00:00.000Z"
    assert isoformat(1_700_000_000_123_456) == "2023-11-14T22:13:20.123Z"


GOOD = State(Presence.PRESENT, Quality.GOOD, Instant(5), Instant(7))
NEXT = {
    "repeat": (GOOD, Presence.PRESENT, Quality.GOOD, State(Presence.PRESENT, Quality.GOOD, Instant(5), Instant(9))),
    "change": (GOOD, Presence.ABSENT, Quality.GOOD, State(Presence.ABSENT, Quality.GOOD, Instant(9), Instant(9))),
    "stale": (GOOD, None, Quality.STALE, State(Presence.PRESENT, Quality.STALE, Instant(5), Instant(7))),
    "forgotten": (GOOD, None, Quality.UNKNOWN, State(None, Quality.UNKNOWN, Instant(9), Instant(7))),
    "never known": (NEVER_HEARD, None, Quality.GOOD, State(None, Quality.UNKNOWN, Instant(0), Instant(0))),
    "first": (NEVER_HEARD, Presence.ABSENT, Quality.GOOD, State(Presence.ABSENT, Quality.GOOD, Instant(9), Instant(9))),
}


@pytest.mark.parametrize(("prior", "value", "quality", "after"), NEXT.values(), ids=NEXT)
def test_next_state(prior: State, value: Presence | None, quality: Quality, after: State) -> None:
    assert next_state(prior, Reading(CAR, value, quality, Instant(9))) == after


@pytest.mark.parametrize("value", [*Presence, *Contact, *Alarm, 3.5, None])
def test_values_come_back_from_the_store(value: Presence | float | None) -> None:
    stored = str(value) if isinstance(value, str) else value
    assert value_from_store(stored) is value or value_from_store(stored) == value
    with pytest.raises(KeyError):
        value_from_store("ajar")


def test_final_states_of_commands() -> None:
    assert {status for status in CommandStatus if status.final} == {"done", "failed", "dropped"}


def test_the_tree_of_errors_names_every_error() -> None:
    for module in pkgutil.walk_packages(hub.__path__, "hub."):
        if not module.name.endswith(("__main__", "_child", "_worker")):
            importlib.import_module(module.name)
    drawn = dict.fromkeys(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    found = {kind.__name__ for kind in _below(errors.HubError) if kind.__module__.startswith("hub.")}
    assert found == set(drawn)


def _below(kind: type[Exception]) -> set[type[Exception]]:
    return {found for child in kind.__subclasses__() for found in (child, *_below(child))}

"""What several rules, channels and moments make of an entity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.sdk import Alarm, Presence, Quality, Value, entity_id
from integrations.onvif.board import MAX_SOURCES, Board, Channel
from integrations.onvif.kinds import BY_ID
from integrations.onvif.notification import Event, Operation

START = datetime(2026, 1, 1, tzinfo=UTC)
FIELD, LINE = entity_id("onvif", "c_field"), entity_id("onvif", "c_line")
ONE = entity_id("onvif", "c_field_lane")


def event(kind: str, rule: str, active: bool | None, operation: str = "Changed", at: datetime | None = START) -> Event:
    return Event(BY_ID[kind], (("", "topic"), ("Rule", rule)), active, Operation(operation), at)


@pytest.fixture
def board() -> Board:
    channels = (
        Channel(FIELD, BY_ID["field"]),
        Channel(ONE, BY_ID["field"], "Lane"),
        Channel(LINE, BY_ID["line"]),
    )
    board = Board(channels, 10.0, frozenset({"vs2"}))
    assert [(sample.entity, sample.value) for sample in board.begin(START)] == [(LINE, Alarm.CLEAR)]
    return board


def told(board: Board, *events: Event, now: float = 0.0) -> list[tuple[str, Value | None, Quality]]:
    return [
        (sample.entity.removeprefix("onvif.c_"), sample.value, sample.quality) for sample in board.take(events, now)
    ]


GOOD, UNKNOWN = Quality.GOOD, Quality.UNKNOWN
IN, OUT = Presence.PRESENT, Presence.ABSENT


def test_present_as_long_as_one_rule_says_so(board: Board) -> None:
    assert told(board, event("field", "Lane", True)) == [("field", IN, GOOD), ("field_lane", IN, GOOD)]
    assert told(board, event("field", "Door", True)) == [("field", IN, GOOD)]
    assert told(board, event("field", "Lane", False)) == [("field", IN, GOOD), ("field_lane", OUT, GOOD)]
    assert told(board, event("field", "Door", False)) == [("field", OUT, GOOD)]


def test_a_rule_that_is_gone(board: Board) -> None:
    told(board, event("field", "Lane", True), event("field", "Door", False))
    gone = told(board, event("field", "Lane", None, "Deleted"))
    assert gone == [("field", OUT, GOOD), ("field_lane", None, UNKNOWN)], "nobody knows any more"
    assert told(board, event("field", "Door", None, "Deleted")) == [("field", None, UNKNOWN)]


def test_the_state_at_the_start_is_one_state(board: Board) -> None:
    initial = [event("field", rule, rule == "B", "Initialized") for rule in "ABC"]
    assert told(board, *initial) == [("field", IN, GOOD)]
    pulse = [event("field", "A", active) for active in (True, False, True)]
    board.begin(START)
    assert told(board, *initial, *pulse) == [("field", IN, GOOD)] * 4


def test_a_new_subscription_forgets_rules_that_are_gone(board: Board) -> None:
    told(board, event("field", "Old", True))
    board.begin(START)
    assert told(board, event("field", "New", False, "Initialized")) == [("field", OUT, GOOD)]


def test_moments_are_held(board: Board) -> None:
    assert board.next_over() is None
    assert told(board, event("line", "Gate", None), now=100.0) == [("line", Alarm.ACTIVE, GOOD)]
    assert told(board, event("line", "Gate", None), now=105.0) == [("line", Alarm.ACTIVE, GOOD)]
    assert board.next_over() == 115.0
    assert board.over(114.9) == []
    assert [(sample.entity, sample.value) for sample in board.over(115.0)] == [(LINE, Alarm.CLEAR)]
    assert board.over(116.0) == []


def test_moments_with_true_and_false(board: Board) -> None:
    assert told(board, event("line", "Gate", True)) == [("line", Alarm.ACTIVE, GOOD)]
    assert board.next_over() is None
    assert told(board, event("line", "Gate", False)) == [("line", Alarm.CLEAR, GOOD)]


@pytest.mark.parametrize(
    ("at", "counts"),
    [(START, True), (START + timedelta(seconds=1), True), (START - timedelta(days=1), False), (None, False)],
)
def test_a_crossing_that_was(at: datetime | None, counts: bool, board: Board) -> None:
    assert bool(told(board, event("line", "Gate", None, "Initialized", at))) is counts


def test_other_channels(board: Board) -> None:
    foreign = (("", "topic"), ("VideoSource", "vs2"))
    assert told(board, Event(BY_ID["field"], foreign, True, Operation.CHANGED, None)) == []
    named_like_one = (("", "vs2"), ("Rule", "vs2"))
    assert told(board, Event(BY_ID["field"], named_like_one, True, Operation.CHANGED, None)) != []


def test_a_flood_of_rules_is_not_kept(board: Board) -> None:
    assert len(told(board, *(event("field", f"r{number}", False) for number in range(MAX_SOURCES + 5)))) == MAX_SOURCES
    assert told(board, event("field", "r0", True)) == [("field", IN, GOOD)], "those that are known still speak"

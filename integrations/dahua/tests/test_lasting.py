"""When an event begins and when it is over, on a clock that the test turns."""

from __future__ import annotations

from math import inf

from integrations.dahua.event import Event
from integrations.dahua.lasting import Lasting


def test_a_start_lasts_until_its_stop() -> None:
    lasting = Lasting(("parking",), channel=1, quiet=10)
    assert lasting.heard(Event("ParkingDetection", "Start", 0), 0) == [("parking", True)]
    assert lasting.heard(Event("ParkingDetection", "Start", 0), 5) == []
    assert lasting.due() == inf
    assert lasting.expire(10_000) == []
    assert lasting.heard(Event("ParkingDetection", "Stop", 0), 10_000) == [("parking", False)]
    assert lasting.heard(Event("ParkingDetection", "Stop", 0), 10_001) == []


def test_a_pulse_is_over_after_a_while() -> None:
    lasting = Lasting(("line",), channel=1, quiet=10)
    assert lasting.heard(Event("CrossLineDetection", "Pulse", 0), 0) == [("line", True)]
    assert lasting.heard(Event("CrossLineDetection", "Pulse", 0), 5) == []
    assert lasting.due() == 15
    assert lasting.expire(14.9) == []
    assert lasting.expire(15) == [("line", False)]


def test_a_pulse_within_a_start_does_not_end_it_nor_a_stop_the_pulse() -> None:
    lasting = Lasting(("line",), channel=1, quiet=10)
    lasting.heard(Event("CrossLineDetection", "Start", 0), 0)
    lasting.heard(Event("CrossLineDetection", "Pulse", 0), 1)
    assert lasting.expire(11) == []
    lasting.heard(Event("CrossLineDetection", "Pulse", 0), 12)
    assert lasting.heard(Event("CrossLineDetection", "Stop", 0), 13) == []
    assert lasting.expire(22) == [("line", False)]


def test_other_channels_actions_and_codes_are_not_ours() -> None:
    lasting = Lasting(("motion",), channel=3, quiet=10)
    assert lasting.heard(Event("VideoMotion", "Start", 0), 0) == []
    assert lasting.heard(Event("VideoMotion", "Update", 2), 0) == []
    assert lasting.heard(Event("VideoLoss", "Start", 2), 0) == []
    assert lasting.heard(Event("VideoMotion", "Start", 2), 0) == [("motion", True)]
    assert lasting.heard(Event("VideoMotion", "Stop", None), 0) == [("motion", False)]


def test_what_the_camera_says_at_first() -> None:
    lasting = Lasting(("motion", "parking"), channel=2, quiet=10)
    assert lasting.found("VideoMotion", frozenset({0})) == [("motion", False)]
    assert lasting.found("ParkingDetection", frozenset({1})) == [("parking", True)]
    assert lasting.heard(Event("ParkingDetection", "Stop", 1), 0) == [("parking", False)]


def test_storage_is_calm_when_both_of_its_codes_are() -> None:
    lasting = Lasting(("storage",), channel=2, quiet=10)
    assert lasting.found("StorageFailure", frozenset()) == []
    assert lasting.found("StorageNotExist", frozenset({0})) == [("storage", True)]  # of the whole device
    assert lasting.heard(Event("StorageFailure", "Start", 0), 0) == []
    assert lasting.heard(Event("StorageNotExist", "Stop", 0), 0) == []
    assert lasting.heard(Event("StorageFailure", "Stop", 0), 0) == [("storage", False)]


def test_storage_ends_although_the_camera_did_not_say_how_it_began() -> None:
    lasting = Lasting(("storage",), channel=1, quiet=10)
    assert lasting.heard(Event("StorageFailure", "Start", 0), 0) == [("storage", True)]
    assert lasting.heard(Event("StorageFailure", "Stop", 0), 0) == [("storage", False)]

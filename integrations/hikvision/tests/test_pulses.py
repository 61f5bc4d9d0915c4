"""When an event begins and when it is over, on a clock that the test turns."""

from __future__ import annotations

from math import inf

from integrations.hikvision.alert import Alert
from integrations.hikvision.pulses import Pulses


def said(event: str, *, active: bool = True, channel: int | None = 1) -> Alert:
    return Alert(event, active=active, channel=channel)


BEAT = said("videoloss", active=False, channel=0)


def test_an_event_ends_when_it_is_not_repeated() -> None:
    pulses = Pulses(("motion",), channel=1, quiet=10)
    assert pulses.due() == inf
    assert pulses.heard(said("vmd"), 100) == [("motion", True)]
    assert pulses.heard(said("vmd"), 105) == []
    assert pulses.due() == 115
    assert pulses.expire(114.9) == []
    assert pulses.expire(115) == [("motion", False)]
    assert pulses.due() == inf
    assert pulses.heard(said("vmd"), 116) == [("motion", True)]


def test_inactive_ends_it_at_once() -> None:
    pulses = Pulses(("motion",), channel=1, quiet=10)
    pulses.heard(said("vmd"), 0)
    assert pulses.heard(said("vmd", active=False), 1) == [("motion", False)]
    assert pulses.heard(said("vmd", active=False), 2) == []
    assert pulses.expire(99) == []


def test_a_camera_that_is_heard_and_silent_is_calm() -> None:
    pulses = Pulses(("motion", "line"), channel=1, quiet=10)
    assert pulses.expire(50) == []  # nothing was heard: nothing is known
    assert pulses.heard(BEAT, 60) == []
    assert pulses.heard(said("linedetection"), 65) == [("line", True)]
    assert pulses.expire(70) == [("motion", False)]
    assert pulses.expire(75) == [("line", False)]


def test_other_channels_and_other_events_are_not_ours() -> None:
    pulses = Pulses(("motion",), channel=2, quiet=10)
    assert pulses.heard(said("vmd", channel=1), 0) == []
    assert pulses.heard(said("linedetection", channel=2), 0) == []
    assert pulses.heard(said("vmd", channel=None), 0) == [("motion", True)]
    assert pulses.heard(said("vmd", channel=1, active=False), 0) == []
    assert pulses.heard(said("vmd", channel=2, active=False), 0) == [("motion", False)]


def test_a_heartbeat_does_not_end_a_video_loss() -> None:
    pulses = Pulses(("video_loss",), channel=1, quiet=10)
    assert pulses.heard(said("videoloss"), 0) == [("video_loss", True)]
    assert pulses.heard(BEAT, 1) == []
    assert pulses.heard(said("videoloss", active=False), 2) == [("video_loss", False)]


def test_both_names_of_tampering() -> None:
    pulses = Pulses(("tamper",), channel=1, quiet=10)
    assert pulses.heard(said("shelteralarm"), 0) == [("tamper", True)]
    assert pulses.heard(said("tamperdetection"), 1) == []
    assert pulses.due() == 11

"""``see`` of a zone: what cameras look for, bound by itself, each mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.config.site import load_site
from hub.model.ids import ZoneId
from hub.model.site import Decode, Role, Sees, Sight
from tests.unit.config.test_site import GOOD, RULE, findings, write

LANE = "{camera: generic_camera.lane, as: lane, polygon: [[0.1, 0.9], [0.9, 0.9], [0.5, 0.2]]}"


def seeing(see: str) -> str:
    return GOOD.replace("name: 车道,", f"name: 车道, see: {see},")


def test_what_a_camera_sees_serves_its_zone_without_being_bound(tmp_path: Path) -> None:
    floors = "[[0.5, 0.9, 1], [0.5, 0.8, 2], [0.5, 0.7, 3], [0.4, 0.6, 4]]"
    falling = f"{{camera: onvif.wall, as: falling, floors: {floors}}}"
    site = load_site(write(tmp_path, seeing(f"[{LANE}, {falling}, {{camera: onvif.yard, as: health}}]"))).settings.site
    zone = site.zones[ZoneId("lane")]
    assert zone.bound(Role.VEHICLE) == ("mqtt_discovery.car", "vision.lane_vehicle")
    assert zone.bound(Role.FALLING) == ("vision.lane_falling",)
    assert [sight.sees for sight in zone.see] == [Sees.LANE, Sees.FALLING, Sees.HEALTH]
    assert zone.see[0].polygon == ((0.1, 0.9), (0.9, 0.9), (0.5, 0.2))
    assert zone.see[1].floors[3] == (0.4, 0.6, 4)
    assert zone.see[2] == Sight(zone.see[2].camera, Sees.HEALTH)


def test_two_cameras_of_one_lane_have_names_of_their_own(tmp_path: Path) -> None:
    site = load_site(write(tmp_path, seeing(f"[{LANE}, {LANE}]"))).settings.site
    assert site.zones[ZoneId("lane")].bound(Role.VEHICLE)[1:] == ("vision.lane_vehicle", "vision.lane_vehicle_2")


def test_the_camera_of_a_lift_car_serves_as_its_ebike(tmp_path: Path) -> None:
    lift = LANE.replace("as: lane", "as: lift")
    zone = load_site(write(tmp_path, seeing(lift))).settings.site.zones[ZoneId("lane")]
    assert zone.bound(Role.EBIKE) == ("vision.lane_ebike",)
    assert len(zone.see[0].polygon) == 3


def test_how_much_is_decoded_may_be_said(tmp_path: Path) -> None:
    see = LANE.replace("as: lane", "as: lane, decode: adaptive")
    zone = load_site(write(tmp_path, seeing(see))).settings.site.zones[ZoneId("lane")]
    assert (zone.see[0].decode, zone.see[0].entity) == (Decode.ADAPTIVE, "vision.lane_vehicle")


@pytest.mark.parametrize(
    ("see", "finding"),
    [
        ("{camera: a.b, as: falling, decode: key}", "in every picture or not at all"),
        ("{camera: a.b, as: health, decode: keys}", "did you mean `key`?"),
        ("{camera: generic_camera.lane}", "`see` needs `as`"),
        ("{camera: Lane 3, as: health}", "`Lane 3` is no entity"),
        ("{camera: a.b, as: lan}", "did you mean `lane`?"),
        ("{camera: a.b, as: lane}", "a lane needs a `polygon` of 3 to 64 corners"),
        ("{camera: a.b, as: lift}", "a lift car needs a `polygon` of 3 to 64 corners"),
        ("{camera: a.b, as: lane, polygon: [[0, 0], [1, 1]]}", "a lane needs a `polygon`"),
        ("{camera: a.b, as: lane, polygon: [[0, 0], [1, 1], [0, 2]]}", "between 0 (left, top) and 1"),
        ("{camera: a.b, as: lane, polygon: [[0, 0], [1, 1], [0, 1, 1]]}", "is written like `[0.2, 0.9]`"),
        ("{camera: a.b, as: lane, polygon: [[0, 0], [1, 1], [0, x]]}", "must be a number"),
        ("{camera: a.b, as: health, polygon: [[0, 0], [1, 1], [0, 1]]}", "`polygon` belongs to `as: lane`"),
        ("{camera: a.b, as: health, floors: []}", "`floors` belongs to `as: falling`"),
        ("{camera: a.b, as: falling, floors: [[0, 0, 1]]}", "`floors` needs 4 to 400 points, or none"),
        ("{camera: a.b, as: falling, floors: [[0, 0, 1.5]]}", "a floor is a whole number from -5 to 150"),
    ],
)
def test_findings(tmp_path: Path, see: str, finding: str) -> None:
    (found,) = findings(write(tmp_path, seeing(see)))
    assert finding in found
    assert found.startswith(("hub.yaml:3:", "3:")), found


def test_a_clip_needs_a_camera_that_watches(tmp_path: Path) -> None:
    rule = RULE.replace("capture: snapshot", "capture: {before: 10 s, after: 20 s}")
    warned = [finding.sentence for finding in load_site(write(tmp_path, blocked=rule)).warnings]
    assert any("no camera watches lane" in sentence for sentence in warned)
    watched = load_site(write(tmp_path, seeing(LANE), blocked=rule))
    assert not any("watches" in finding.sentence for finding in watched.warnings)
    (action,) = watched.rules[0].actions
    assert action.is_clip  # type: ignore[union-attr]

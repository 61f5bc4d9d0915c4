"""Facade tours in hub.yaml: hours, stops, and what they must not turn away."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.config.edit import SiteEditor
from hub.config.site import load_site
from hub.model.errors import ConfigError
from hub.model.ids import ZoneId
from tests.unit.config.test_site import GOOD, RULE, findings, write

LANE = "lane: {kind: fire_lane, name: 车道, bind: {vehicle: mqtt_discovery.car, camera: generic_camera.lane}"


def zones(tour: str, see: str = "") -> str:
    return GOOD.replace(LANE, f"{LANE}, tour: {tour}{see}")


def test_hours_and_stops(tmp_path: Path) -> None:
    site = zones('[{camera: onvif.roof, preset: "南侧 5-10 层"}, {camera: generic_camera.yard}, {camera: onvif.roof}]')
    folder = load_site(write(tmp_path, site + 'tour: {at: ["15:30", "10:00"]}\n', blocked=RULE))
    assert folder.settings.tour.at == (36_000, 55_800)
    stops = folder.settings.site.zones[ZoneId("lane")].tour
    assert [stop.id for stop in stops] == ["onvif.roof#南侧 5-10 层", "generic_camera.yard", "onvif.roof"]


def test_one_of_each_needs_no_list(tmp_path: Path) -> None:
    site = zones("{camera: onvif.roof}") + 'tour: {at: "10:00"}\n'
    assert load_site(write(tmp_path, site, blocked=RULE)).settings.tour.at == (36_000,)


@pytest.mark.parametrize(
    ("site", "said"),
    [
        (GOOD + "tour: {}\n", "`tour` needs `at`"),
        (GOOD + "tour: {at: 10:00}\n", "must be a time of day"),
        (GOOD + "tour: {at: []}\n", "`at` names 1 to 8 hours"),
        (zones("{camera: Roof}"), "`Roof` is no entity"),
        (zones("{preset: south}"), "needs `camera`"),
        (zones(f"[{', '.join('{camera: a.b}' for _ in range(65))}]"), "at most 64 stops"),
        (zones(f"{{camera: a.b, preset: {'x' * 65}}}"), "must have 1 to 64 characters"),
        (
            zones("{camera: a.b, preset: south}", ", see: {camera: a.b, as: falling}"),
            "`a.b` watches `lane`: a tour must not turn it away",
        ),
    ],
)
def test_findings(site: str, said: str, tmp_path: Path) -> None:
    assert any(said in found for found in findings(write(tmp_path, site, blocked=RULE)))


def test_a_camera_that_is_only_looked_after_may_turn(tmp_path: Path) -> None:
    site = zones("{camera: a.b, preset: south}", ", see: {camera: a.b, as: health}")
    assert load_site(write(tmp_path, site, blocked=RULE)).settings.site.zones[ZoneId("lane")].tour[0].preset == "south"


def test_the_page_names_stops_and_takes_them_out(tmp_path: Path) -> None:
    config = write(tmp_path, GOOD, blocked=RULE)
    editor = SiteEditor(config)

    def stops() -> list[str]:
        return [stop.id for stop in load_site(config).settings.site.zones[ZoneId("lane")].tour]

    for camera, preset in (("onvif.roof", "10:30"), ("onvif.roof", ""), ("onvif.roof", "南侧 #2")):
        editor.stop("lane", camera, preset, named=True)
    assert stops() == ["onvif.roof#10:30", "onvif.roof", "onvif.roof#南侧 #2"]
    for wrong in (("lane", "onvif.roof", "", True), ("lane", "onvif.roof", "west", False), ("gate", "a.b", "", True)):
        with pytest.raises(ConfigError):
            editor.stop(*wrong[:3], named=wrong[3])
    with pytest.raises(ConfigError, match="is no entity"):
        editor.stop("lane", "Roof", "", named=True)
    for preset in ("10:30", "", "南侧 #2"):
        editor.stop("lane", "onvif.roof", preset, named=False)
    assert stops() == []
    assert "tour" not in config.read_text("utf-8")

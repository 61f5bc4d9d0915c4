"""Building 6 of the demo: whatever is missing on a machine, the rest of it joins a site that checks."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub import demo
from hub.config.site import load_site
from hub.demo.join import main
from hub.demo.quarter import ALONE, PARTS, SITE, Quarter, find, join
from hub.model.ids import ZoneId
from hub.model.site import Role

PORT = 26_000


def joined(folder: Path, quarter: Quarter, up: tuple[str, ...]) -> Any:
    site = demo.prepare(folder, PORT, (), quarter)
    before = set(load_site(site.config).settings.site.zones)
    join(site.config, quarter.played_by(up), demo.moving(PORT))
    after = load_site(site.config)
    assert before <= set(after.settings.site.zones)
    return after


@pytest.mark.parametrize("left_out", ["sound", "lift", "cellar", "sound lift cellar", ""])
def test_a_part_that_is_left_out_leaves_a_site_that_checks(left_out: str, tmp_path: Path) -> None:
    quarter = Quarter(tuple(part for part in PARTS if part.file not in left_out.split()))
    settings = joined(tmp_path, quarter, quarter.programs).settings
    zones = settings.site.zones
    files = {part.file for part in quarter.parts}
    assert (ZoneId("lift_6") in zones, ZoneId("cellar_6") in zones) == ("lift" in files, "cellar" in files)
    assert ("local_speaker" in settings.devices) is ("sound" in files)
    speaker = "local_speaker.duty_room" if "sound" in files else "file_speaker.pump_6"
    assert zones[ZoneId("pump_6")].bound(Role.SPEAKER) == (speaker,)
    assert settings.devices["dahua"][0].values["address"] == f"http://127.0.0.1:{PORT + 18}"


def test_what_did_not_start_does_not_join(tmp_path: Path) -> None:
    after = joined(tmp_path, Quarter(PARTS), ("bacnet_lift",))
    assert "bacnet" in after.settings.devices
    assert "dahua" not in after.settings.devices


def test_its_times_are_shortened_as_all_others(tmp_path: Path) -> None:
    quarter = Quarter(PARTS)
    joined(tmp_path, quarter, quarter.programs)
    text = (tmp_path / "site" / "rules" / "gate_stirs.yaml").read_text("utf-8")
    assert "after: 60 s" in (SITE / "rules" / "building_6" / "gate_stirs.yaml").read_text("utf-8")
    assert "after: 3 s" in text


def test_on_a_machine_with_nothing_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there: Callable[[str], Any] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "bacpypes3" else there(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find()
    assert [part.file for part in found.parts] == ["building_6"]
    assert found.bus == ""
    lacks = {part.file: lack.zh for part, lack in found.left_out}
    assert lacks["lift"] == "bacpypes3"
    assert lacks["cellar"] in {"dbus-daemon", "bleak", "dbus_fast", "Linux"}
    assert "bacpypes3 missing" in found.words()
    assert ALONE.words() == ""


def test_each_part_says_what_it_is_in_both_languages() -> None:
    assert all(part.name.en for part in PARTS)


def test_what_cannot_join_says_why_and_leaves_the_site_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = demo.prepare(tmp_path, PORT)
    site.config.write_text("zones: {}\n")
    assert main(str(site.config), str(PORT), "building_6") == 1
    assert "building 6 did not join: hub.yaml" in capsys.readouterr().err
    assert site.config.read_text() == "zones: {}\n"

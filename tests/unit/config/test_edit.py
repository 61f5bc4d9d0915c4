"""The page edits hub.yaml: comments stay, secrets go where they belong, and what does not check is not written."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hub.config.edit import SiteEditor
from hub.config.site import load_secrets, load_site
from hub.model.errors import ConfigError
from hub.model.ids import ZoneId
from hub.model.site import Role

SITE = """\
# 示范小区
site: {id: test, name: "小区"}   # the name
zones:
  lane:                         # north
    kind: fire_lane
    name: 车道
    bind: {vehicle: mqtt_discovery.car}
  gate: {kind: unit_door, name: 大门, bind: {}}
integrations: {mqtt_discovery: {prefix: homeassistant}}
devices:
  http_speaker:
    north: {name: 北, url: "http://127.0.0.1/play"}
"""
VALUES = {"name": "南门", "url": "http://127.0.0.1/s"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    file = tmp_path / "hub.yaml"
    file.write_text(SITE, "utf-8")
    return file


def refusal(call: object, *arguments: object, **more: object) -> str:
    with pytest.raises(ConfigError) as caught:
        call(*arguments, **more)  # type: ignore[operator]
    return str(caught.value)


def test_a_device_is_added_and_everything_else_stays_as_it_was(config: Path) -> None:
    SiteEditor(config).add_device("http_speaker", "south", VALUES)
    text = config.read_text("utf-8")
    assert text.startswith(SITE)
    assert [line.strip() for line in text.removeprefix(SITE).splitlines()] == [
        "south:", "name: 南门", "url: http://127.0.0.1/s",
    ]  # fmt: skip
    assert [entry.name for entry in load_site(config).settings.devices["http_speaker"]] == ["north", "south"]


def test_a_secret_goes_into_its_own_file(config: Path) -> None:
    editor = SiteEditor(config)
    editor.add_device("http_speaker", "south", {**VALUES, "user": "u", "password": 'p"1: #'})
    assert "p\\" not in config.read_text("utf-8")
    assert "{secret: " in config.read_text("utf-8").replace("secret:", "{secret: ")
    secrets = config.with_name("secrets.yaml")
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert load_secrets(config.parent) == {"http_speaker_south_password": 'p"1: #'}
    editor.add_device("http_speaker", "west", {**VALUES, "password": "p2"})
    assert load_secrets(config.parent)["http_speaker_west_password"] == "p2"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("http_speaker", "north", VALUES), "is there already"),
        (("http_speaker", "South", VALUES), "is no name"),
        (("http_speaker", "south", {"name": "南门"}), "url"),
        (("http_speaker", "south", {**VALUES, "password": "p", "colour": "red"}), "colour"),
        (("mqtt_discovery", "south", {}), "belongs under"),
    ],
)
def test_what_does_not_check_is_not_written(
    config: Path, arguments: tuple[str, str, dict[str, str]], says: str
) -> None:
    assert says in refusal(SiteEditor(config).add_device, *arguments)
    assert config.read_text("utf-8") == SITE
    assert not config.with_name("secrets.yaml").exists()
    assert [path.name for path in config.parent.iterdir() if path.name.startswith(".")] == []


def test_a_device_is_removed(config: Path) -> None:
    editor = SiteEditor(config)
    editor.add_device("http_speaker", "south", VALUES)
    editor.remove_device("http_speaker", "south")
    assert config.read_text("utf-8") == SITE
    assert "no device" in refusal(editor.remove_device, "http_speaker", "south")


def bound(config: Path, zone: str = "lane", role: Role = Role.VEHICLE) -> tuple[str, ...]:
    return load_site(config).settings.site.zones[ZoneId(zone)].bound(role)


def test_entities_are_bound_and_taken_away(config: Path) -> None:
    editor = SiteEditor(config)
    editor.bind("lane", Role.VEHICLE, "mqtt_discovery.second")
    assert bound(config) == ("mqtt_discovery.car", "mqtt_discovery.second")
    before = config.read_text("utf-8")
    editor.bind("lane", Role.VEHICLE, "mqtt_discovery.second")
    assert config.read_text("utf-8") == before
    editor.bind("lane", Role.VEHICLE, "mqtt_discovery.car", bound=False)
    assert bound(config) == ("mqtt_discovery.second",)
    editor.bind("gate", Role.DOOR, "mqtt_discovery.door")
    assert bound(config, "gate", Role.DOOR) == ("mqtt_discovery.door",)
    editor.bind("gate", Role.DOOR, "mqtt_discovery.door", bound=False)
    assert bound(config, "gate", Role.DOOR) == ()
    assert "no zone" in refusal(editor.bind, "roof", Role.DOOR, "mqtt_discovery.door")
    assert refusal(editor.bind, "gate", Role.DOOR, "not an entity!")
    assert "# north" in config.read_text("utf-8")


def test_a_file_that_was_broken_by_hand_is_left_alone(config: Path) -> None:
    config.write_text(SITE + "site: {}\n", "utf-8")
    assert "twice" in refusal(SiteEditor(config).bind, "lane", Role.VEHICLE, "mqtt_discovery.second")
    assert config.read_text("utf-8") == SITE + "site: {}\n"


def test_edits_at_the_same_time_do_not_lose_each_other(config: Path) -> None:
    editor = SiteEditor(config)
    threads = [
        threading.Thread(target=editor.bind, args=("lane", Role.VEHICLE, f"mqtt_discovery.n{number}"))
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(bound(config)) == {"mqtt_discovery.car", *(f"mqtt_discovery.n{number}" for number in range(6))}


def test_entries_of_any_section_join_and_what_is_there_stays(config: Path) -> None:
    first = {"zones": {"lane": {"name": "不", "bind": {"vehicle": "x.y", "camera": "dahua.a"}}}}
    device = {"north": {"name": "不", "url": "http://192.0.2.1/"}, "south": {"name": "南", "url": "http://127.0.0.1/s"}}
    contact = {"guard": {"name": "保安", "webhook": "http://127.0.0.1/notify"}}
    SiteEditor(config).join([first, {"devices": {"http_speaker": device}, "contacts": contact}])
    settings = load_site(config).settings
    zone = settings.site.zones[ZoneId("lane")]
    assert (zone.name.zh, zone.bound(Role.VEHICLE), zone.bound(Role.CAMERA)) == (
        "车道", ("mqtt_discovery.car",), ("dahua.a",)
    )  # fmt: skip
    assert {entry.name: entry.values["url"] for entry in settings.devices["http_speaker"]} == {
        "north": "http://127.0.0.1/play", "south": "http://127.0.0.1/s"
    }  # fmt: skip
    assert "guard" in settings.site.contacts
    assert "# north" in config.read_text("utf-8")


def test_entries_that_do_not_check_do_not_join(config: Path) -> None:
    before = config.read_text("utf-8")
    assert "is no zone kind" in refusal(
        SiteEditor(config).join, [{"zones": {"new": {"kind": "none", "name": "新", "bind": {}}}}]
    )
    assert config.read_text("utf-8") == before

"""Every shipped integration has a place in the demo; building 6, which joins later, tells a story with each of its own.

All its stories are told at once in one demo, and each is asked about for itself. With test_demo_gate, test_demo_lift,
test_demo_nodes and test_demo_smoke every place of the table below has a story that comes to its end.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.config import integrations
from tests.kit.broker import find_mosquitto
from tests.kit.demo import Demo, running_demo
from tests.kit.http import get_json, request
from tests.kit.site import ROOT
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

#: One entity of each integration, and what it says when nothing happens; None for one that is only commanded.
PLACES: dict[str, tuple[str, str | None]] = {
    "axis_speaker": ("axis_speaker.unit_3_1", None),
    "bacnet": ("bacnet.lift_6_car_alarm", "clear"),
    "bthome": ("bthome.a4c138000006_door", "closed"),
    "dahua": ("dahua.lane_6_parking", "absent"),
    "dingtalk": ("dingtalk.property_group", None),
    "email": ("email.office", None),
    "feishu": ("feishu.volunteers", None),
    "field_magnetometer": ("field_magnetometer.gate_north", "absent"),
    "file_speaker": ("file_speaker.lane_6_south", None),
    "firmware_node": ("firmware_node.lane_5_1_bay", "absent"),
    "generic_camera": ("generic_camera.lane_3", None),
    "hikvision": ("hikvision.facade_6_speaker", None),
    "http_speaker": ("http_speaker.lift_6", None),
    "local_speaker": ("local_speaker.duty_room", None),
    "lorawan": ("lorawan.1000000000000008_parking", "absent"),
    "modbus": ("modbus.building_6_pump", "closed"),
    "mqtt_discovery": ("mqtt_discovery.lane_3_vehicle", "absent"),
    "onenet": ("onenet.bays_south", "absent"),
    "onvif": ("onvif.gate_west_motion", "absent"),
    "osdp": ("osdp.roof_5_reader_door", "closed"),
    "rtp_speaker": ("rtp_speaker.lane_3", None),
    "serial_lines": ("serial_lines.smoke_5_3_smoke", "clear"),
    "sms_gateway": ("sms_gateway.duty_phone", None),
    "wecom": ("wecom.lift_group", None),
    "zigbee2mqtt": ("zigbee2mqtt.0x00158d0004866f11_contact", "closed"),
}
#: What is seen in each zone of building 6, the rule that it fires, and the actions that must be done.
STORIES: dict[str, tuple[str, str, set[str]]] = {
    "lane_6_west": ("lane6", "fire_lane_blocked", {"capture", "say"}),
    "lane_6_south": ("bay7", "fire_lane_blocked", {"say"}),
    "gate_west": ("west", "gate_stirs", {"capture", "notify"}),
    "facade_6": ("fall", "falling_object", {"capture", "notify"}),
    "lift_6": ("ebike", "ebike_in_lift", {"say", "switch"}),
    "pump_6": ("pump", "plant_door_opened", {"say", "notify"}),
    "cellar_6": ("cellar", "plant_door_opened", {"say", "notify"}),
}
#: Those that speak by themselves in building 6.
LATE = ("bacnet", "bthome", "dahua", "modbus", "onenet", "onvif")
#: Seconds until all are heard, and until a story has come to its end.
HEARD, ENDED = 60, 60


@dataclass
class Seen:
    """What was seen of it all."""

    heard: dict[str, Any]
    running: set[str]
    began: dict[str, dict[str, Any]]
    ended: dict[str, dict[str, Any]]
    alarm: dict[str, Any]
    told: set[str]
    held: int
    """How often the relay of the lift's door was closed."""
    played: Path
    words: str


def _need() -> None:
    for name in ("osdp", "bacpypes3", "bleak", "dbus_fast"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: the demo runs without what needs it")
    for program in ("dbus-daemon", "gcc", "make"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: the demo runs without what needs it")
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: the demo needs a broker")


def _sound_card(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Have a program ``aplay`` that keeps what it plays."""
    folder.mkdir()
    program = folder / "aplay"
    source = ROOT / "integrations" / "local_speaker" / "tests" / "player.py"
    program.write_text(f"#!{sys.executable}\n{source.read_text('utf-8')}", "utf-8")
    program.chmod(0o700)
    (folder / "mode").write_text("play")
    patch.setenv("PATH", str(folder), prepend=":")
    return folder / "heard.wav"


def _values(demo: Demo) -> dict[str, Any]:
    return {item["id"]: item["value"] for item in get_json(f"{demo.url}api/v1/entities", token=demo.token)["items"]}


def _scene(demo: Demo, **seen: bool) -> None:
    status, body = request("POST", f"http://127.0.0.1:{demo.base + 6}/scene", seen)
    assert status == 200, body


def _incident(demo: Demo, zone: str, rule: str) -> dict[str, Any]:
    found = get_json(f"{demo.url}api/v1/incidents?limit=100", token=demo.token)["items"]
    return next((item for item in found if (item["zone"], item["rule"]) == (zone, rule)), {})


def _done(incident: dict[str, Any]) -> set[str]:
    steps = incident.get("timeline", [])
    return {step["action"] for step in steps if step["kind"] == "command" and step["status"] == "done"}


def _stories(demo: Demo) -> dict[str, dict[str, Any]]:
    return {zone: _incident(demo, zone, rule) for zone, (_, rule, _) in STORIES.items()}


def _state(incident: dict[str, Any]) -> str:
    return str(incident.get("state"))


def _via(demo: Demo) -> set[str]:
    return {one["body"].get("via", "") for one in get_json(f"http://127.0.0.1:{demo.base + 5}/messages")}


def _reviewed(demo: Demo, incident: dict[str, Any]) -> None:
    """Nothing fell, says who looked: what a camera saw fall ends by a person's word."""
    url = f"{demo.url}api/v1/incidents/{incident['id']}/review"
    status, body = request("PUT", url, {"fell": False, "seen": incident["state"], "note": "a leaf"}, token=demo.token)
    assert status in {200, 204}, body


def _wait(look: Any, holds: Any, within: float) -> Any:
    """Return what is seen last: each is asked about for itself."""
    found: list[Any] = []

    def looked() -> Any:
        found[:] = [look()]
        return found[0]

    with suppress(AssertionError):
        until(looked, holds, within=within)
    return found[0]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    _need()
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        played = _sound_card(folder / "bin", patch)
        with running_demo(folder, small=False) as demo:
            yield _told_all(demo, played)
            demo.terminate()


def _told_all(demo: Demo, played: Path) -> Seen:
    """Tell all stories at once; what has ended is as calm as what had no story here."""
    _wait(lambda: _values(demo), lambda said: all(said.get(PLACES[one][0]) == PLACES[one][1] for one in LATE), HEARD)
    _scene(demo, **{word: True for word, _, _ in STORIES.values()})
    began = _wait(
        lambda: _stories(demo),
        lambda all_of: all(STORIES[zone][2] <= _done(one) for zone, one in all_of.items()),
        ENDED,
    )
    _wait(lambda: _via(demo), lambda via: {"dingtalk", "feishu", "sms"} <= via, ENDED)
    _scene(demo, lift6=True, **{word: False for word, _, _ in STORIES.values()})
    if began["facade_6"]:
        _reviewed(demo, began["facade_6"])

    def alarm() -> dict[str, Any]:
        return _incident(demo, "lift_6", "lift_alarm")

    _wait(alarm, lambda one: {"say", "notify"} <= _done(one), ENDED)
    _scene(demo, lift6=False)
    ended = _wait(lambda: _stories(demo), lambda all_of: {_state(one) for one in all_of.values()} == {"closed"}, ENDED)
    _wait(alarm, lambda one: _state(one) == "closed", ENDED)
    via = _wait(lambda: _via(demo), lambda via: "email" in via, ENDED)
    calm = {entity: value for entity, value in PLACES.values() if value is not None}
    heard = _wait(lambda: _values(demo), lambda said: all(said.get(one) == it for one, it in calm.items()), HEARD)
    devices = get_json(f"{demo.url}api/v1/devices", token=demo.token)["items"]
    running = {one["integration"] for one in devices if one["state"] == "running" and one["entities"]}
    held = get_json(f"http://127.0.0.1:{demo.base + 17}/scene")["held"]
    return Seen(heard, running, began, ended, alarm(), via, held, played, demo.words())


def test_every_shipped_integration_has_a_place() -> None:
    shipped = {path.parent.name for path in (ROOT / "integrations").glob("*/manifest.yaml")}
    assert shipped == PLACES.keys()
    assert shipped <= set(integrations.known())


@pytest.mark.parametrize("domain", PLACES)
def test_it_is_heard_in_the_demo(domain: str, seen: Seen) -> None:
    entity, value = PLACES[domain]
    assert entity in seen.heard
    assert seen.heard[entity] == value
    assert domain in seen.running


@pytest.mark.parametrize("zone", STORIES)
def test_its_story_begins_and_ends(zone: str, seen: Seen) -> None:
    _, rule, actions = STORIES[zone]
    assert seen.began[zone].get("rule") == rule
    assert actions <= _done(seen.began[zone])
    assert seen.ended[zone]["state"] == "closed"


def test_who_is_trapped_in_the_bacnet_lift_is_comforted_until_help_has_come(seen: Seen) -> None:
    assert {"say", "notify"} <= _done(seen.alarm)
    assert (seen.alarm["state"], seen.alarm["close_reason"]) == ("closed", "cleared")


def test_the_door_of_the_lift_was_held_for_the_e_bike_by_a_relay(seen: Seen) -> None:
    assert seen.held == 1


def test_the_gate_tells_everybody_in_his_own_way(seen: Seen) -> None:
    assert {"dingtalk", "feishu", "sms", "email"} <= seen.told


def test_the_sound_card_played_the_sentence(seen: Seen) -> None:
    assert seen.played.read_bytes().startswith(b"RIFF")


def test_nothing_went_wrong_on_the_way(seen: Seen) -> None:
    assert "Traceback" not in seen.words
    assert "estate:" not in seen.words

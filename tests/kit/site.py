"""Site folders of a test's own: hub.yaml with free ports, copies of the shipped rules with other times."""

from __future__ import annotations

import json
import math
import re
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.runtime.troubles import Cause

ROOT = Path(__file__).parents[2]

#: The door of the simulated Zigbee2MQTT (integrations.sim.zigbee_door).
DOOR = "zigbee2mqtt.0x00158d0004866f11_contact"
_MANAGER = re.compile(r"  - after: \d+ min\n    actions:\n      - notify: manager\n")
_TIME = re.compile(r"\b(for|after): \d+ (?:s|min|h)\b")


@dataclass(frozen=True)
class Ends:
    """Loopback ports of the far ends; 0 leaves the device out of the site."""

    camera: int = 0
    rtp: int = 0
    play: int = 0
    webhook: int = 0


def write_site(
    folder: Path,
    mqtt: dict[str, str],
    ends: Ends,
    *,
    lanes: tuple[str, ...] = ("lane_3",),
    door: bool = False,
) -> Path:
    """Write hub.yaml (JSON is YAML) and a short recording; return its path. Rules are added by ``write_rule``."""
    zones: dict[str, Any] = {lane: _lane(lane, ends) for lane in lanes}
    if door:
        bind = {"door": DOOR} | ({"speaker": "http_speaker.unit_5_1"} if ends.play else {})
        zones["unit_5_1"] = {"kind": "unit_door", "name": "5号楼1单元门", "bind": bind}
    site = {
        "site": {"id": "test", "name": {"zh": "测试小区", "en": "Test community"}},
        "mqtt": mqtt,
        "zones": zones,
        "integrations": {"mqtt_discovery": {"prefix": "homeassistant"}, "zigbee2mqtt": {"base": "zigbee2mqtt"}},
        "devices": _devices(ends, lanes, door=door),
        "contacts": {"guard": {"name": "值班保安", "webhook": f"http://127.0.0.1:{ends.webhook or 9}/notify"}},
        "prompts": {
            "second_warning": {"text": {"zh": "请马上移车。", "en": "Please move your car now."}},
            "beep": {"text": "嘀", "audio": "prompts/beep.wav"},
        },
    }
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    _beep(folder / "prompts" / "beep.wav")
    config = folder / "hub.yaml"
    config.write_text(json.dumps(site, ensure_ascii=False, indent=1), "utf-8")
    return config


def write_rule(config: Path, name: str, *times: str, more: str = "") -> Path:
    """Copy a shipped rule with its times replaced in their order; ``more`` is put in front of it.

    The last step, which tells the manager, is left out: these sites have a guard only.
    """
    text = _MANAGER.sub("", (ROOT / "rules" / f"{name}.yaml").read_text("utf-8"))
    given = iter(times)
    copy, count = _TIME.subn(lambda match: f"{match[1]}: {next(given)}", text)
    assert count == len(times), f"{name} has {count} times"
    path = config.parent / "rules" / f"{name}.yaml"
    path.write_text(more + copy, "utf-8")
    return path


def short_rule(config: Path, limit: str, clear: str = "1 s") -> Path:
    """Write a fire-lane rule that says a beep of 0.1 s and opens an incident, nothing else."""
    path = config.parent / "rules" / "short.yaml"
    path.write_text(
        f"rule: short\nzones: {{kind: fire_lane}}\ntrigger: {{vehicle: present, for: {limit}}}\n"
        "actions: [{say: beep}, {open_incident: {severity: high}}]\n"
        f"clear: {{vehicle: absent, for: {clear}, actions: [{{close_incident: cleared}}]}}\n",
        "utf-8",
    )
    return path


def watch_itself(config: Path, *times: str) -> None:
    """Bind the hub's own entities to zones, and watch them by the shipped rule with its ``times`` replaced."""
    site = json.loads(config.read_text("utf-8"))
    site["zones"] |= {
        f"hub_{cause}": {"kind": "hub", "name": f"主机 {cause}", "bind": {"alarm": f"hub.{cause}"}} for cause in Cause
    }
    site["contacts"]["manager"] = site["contacts"]["guard"]
    config.write_text(json.dumps(site, ensure_ascii=False, indent=1), "utf-8")
    write_rule(config, "hub_trouble", *times)


def _lane(lane: str, ends: Ends) -> dict[str, Any]:
    bind = {"vehicle": f"mqtt_discovery.{lane}_vehicle"}
    bind |= {"camera": f"generic_camera.{lane}"} if ends.camera else {}
    bind |= {"speaker": f"rtp_speaker.{lane}"} if ends.rtp else {}
    return {"kind": "fire_lane", "name": {"zh": f"消防通道 {lane}", "en": f"Fire lane {lane}"}, "bind": bind}


def _devices(ends: Ends, lanes: tuple[str, ...], *, door: bool) -> dict[str, Any]:
    devices: dict[str, Any] = {}
    if ends.camera:
        url = f"http://127.0.0.1:{ends.camera}/snapshot.jpg"
        devices["generic_camera"] = {lane: {"name": f"摄像机 {lane}", "snapshot": url} for lane in lanes}
    if ends.rtp:
        where = {"address": "127.0.0.1", "port": ends.rtp}
        devices["rtp_speaker"] = {lane: {"name": f"喇叭 {lane}", **where} for lane in lanes}
    if ends.play and door:
        url = f"http://127.0.0.1:{ends.play}/play"
        devices["http_speaker"] = {"unit_5_1": {"name": "单元喇叭", "url": url}}
    return devices


def _beep(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    samples = array("h", (int(9000 * math.sin(number * 0.35)) for number in range(800)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())

"""The site of many devices: hub.yaml, a rule that looks at each of them, and the plugins of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.kit.crowd.units import DISCOVERY, ISOLATED, LORAWAN, PUSHING, WIRED, ZIGBEE, Unit
from tests.kit.hub import HubProcess
from tests.kit.wait import until

PLUGINS = Path(__file__).parent / "plugins"
#: Never true: the engine decides on every reading and nothing comes of it.
RULE = (
    "rule: hot\nzones: {kind: gate}\ntrigger: {temperature: {above: 9000, until: 8000}, for: 10 min}\n"
    "actions: [{open_incident: {severity: low}}]\n"
    "clear: {not: {temperature: {above: 9000, until: 8000}}, actions: []}\n"
)
#: One incident for what falls silent together, one for a zone that falls silent alone: R12 in seconds.
ALONE = (
    "rule: alone\nzones: {kind: gate}\ntrigger: {silent: {temperature: QUIET s}, for: 3 s}\n"
    "conditions: [{not: {silent: {supply: 3 s}}}]\nactions: [{open_incident: {severity: low}}]\n"
    "clear: {not: {silent: {temperature: QUIET s}}, actions: [{close_incident: cleared}]}\n"
)
TOGETHER = (
    "rule: together\nzones: {kind: supply}\ntrigger: {silent: {device: QUIET s}}\n"
    "actions: [{open_incident: {severity: medium}}]\n"
    "clear: {not: {silent: {device: QUIET s}}, actions: [{close_incident: cleared}]}\n"
)
MAINS = "mains"


def write_site(folder: Path, broker: str, panels: int, units: Sequence[Unit], silence: int) -> Path:
    """Write a site whose wired panels listen on port ``panels`` and whose devices are stale after ``silence`` s."""
    (folder / "rules").mkdir(parents=True)
    for name, rule in (("hot", RULE), ("alone", ALONE), ("together", TOGETHER)):
        (folder / "rules" / f"{name}.yaml").write_text(rule.replace("QUIET", str(silence + 2)), "utf-8")
    for domain in (*WIRED, ISOLATED):
        _plugin(folder, "wired_panel", domain)
    _plugin(folder, "pushing_panel", PUSHING)
    zones: dict[str, Any] = {}
    for unit in units:
        fresh = {"kind": "gate", "name": unit.zone, "supplied_by": [MAINS], "bind": {"temperature": []}}
        zone = zones.setdefault(unit.zone, fresh)
        zone["bind"]["temperature"].append(unit.entity)
    zones[MAINS] = {"kind": "supply", "name": "总配电", "bind": {"device": [unit.entity for unit in units]}}
    site = {
        "site": {"id": "crowd", "name": "千户小区"},
        "mqtt": {"url": broker},
        "zones": zones,
        "integrations": {
            ZIGBEE: {},
            DISCOVERY: {},
            LORAWAN: {"default": "milesight_em300_mcs", "stale_after_h": round(silence / 3_600, 9)},
        },
        "devices": _devices(panels, units, silence),
    }
    config = folder / "hub.yaml"
    config.write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    return config


def _plugin(folder: Path, source: str, domain: str) -> None:
    target = folder / "integrations" / domain
    shutil.copytree(PLUGINS / source, target, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = target / "manifest.yaml"
    text = manifest.read_text("utf-8").replace(f"domain: {source}", f"domain: {domain}")
    manifest.write_text(text + ("isolation: process\n" if domain == ISOLATED else ""), "utf-8")


def _devices(port: int, units: Sequence[Unit], silence: int) -> dict[str, Any]:
    devices: dict[str, dict[str, dict[str, Any]]] = {}
    for unit in units:
        if unit.domain not in {*WIRED, ISOLATED, PUSHING}:
            continue
        name, number = unit.panel
        entry = devices.setdefault(unit.domain, {}).setdefault(name, {"name": name, "silence": silence})
        if unit.domain != PUSHING:
            entry |= {"port": port, "units": number + 1}
    return devices


def told(hub: HubProcess) -> list[tuple[str, str]]:
    """Return the incidents once every zone has been silent for as long as its own rule asks."""

    def held_back() -> bool:
        zones = [zone for zone in hub.get("zones")["items"] if zone["kind"] == "gate"]
        phases = [rule for zone in zones for rule in zone["rules"] if rule["rule"] == "alone"]
        return len(phases) == len(zones) and all(rule["phase"] == "pending" and not rule["due"] for rule in phases)

    until(held_back, bool, within=20)
    return [(incident["rule"], incident["zone"]) for incident in hub.incidents()]

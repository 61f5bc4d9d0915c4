"""A community in which everything that has a name or says a text has a hostile one: sixty of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hub.model.text import clean
from tests.kit.broker import Broker
from tests.kit.hostile import NAMES
from tests.kit.hub import HubProcess
from tests.kit.mqtt import Lane, Lines
from tests.kit.site import Ends, write_site
from tests.kit.wait import until

LANES = tuple(f"lane_{number}" for number in range(len(NAMES)))
PASSWORD = "correct horse battery"
#: Where all sensors speak at once.
SAID = "estate/state"
#: The smallest PNG there is: one white point (RFC 2083).
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001010000000037"
    "6ef9240000000a49444154789c6368000000820081dd436af40000000049454e44ae426082"
)
_RULE = """\
rule: rule_{number}
name: {name}
zones: {{kind: fire_lane, only: [lane_{number}]}}
trigger: {{vehicle: present, for: 1 s}}
actions: [{{say: prompt_{number}}}, {{open_incident: {{severity: high}}}}, {{notify: contact_{number}}}]
clear: {{vehicle: absent, for: 1 s, actions: [{{close_incident: cleared}}]}}
"""


class Hostile(Lane):
    """A sensor whose unit, entity, model, maker and version are hostile."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(port, LANES[number])
        self.called = NAMES[number]

    def configuration(self) -> tuple[str, str]:
        topic, text = super().configuration()
        config = json.loads(text)
        config |= {"name": self.called, "state_topic": SAID}
        config["device"] |= dict.fromkeys(("name", "model", "manufacturer", "sw_version"), self.called)
        return topic, json.dumps(config)


def file_name(name: str) -> str:
    """Return a hostile name as a file may bear it."""
    return name.replace("/", "\N{DIVISION SLASH}").replace("\t", " ")


def estate(folder: Path, broker: Broker) -> Path:
    """Write the site: zones, areas, rules and their files, contacts, prompts, cameras, plan."""
    config = write_site(folder, {"url": f"mqtt://127.0.0.1:{broker.port}"}, Ends(camera=9), lanes=LANES)
    site: dict[str, Any] = json.loads(config.read_text("utf-8"))
    site["site"]["name"] = NAMES[0]
    site["areas"] = {f"area_{number}": {"name": _both(name)} for number, name in enumerate(NAMES)}
    for number, (lane, name) in enumerate(zip(LANES, NAMES, strict=True)):
        site["zones"][lane] |= {"name": _both(name), "area": f"area_{number}"}
        site["devices"]["generic_camera"][lane]["name"] = _both(name)
        site["contacts"][f"contact_{number}"] = {"name": _both(name), "webhook": "http://127.0.0.1:9/x"}
        spoken = name.replace("{", "(")  # a variable that nobody knows is refused
        site["prompts"][f"prompt_{number}"] = {"text": _both(spoken)}
        text = _RULE.format(number=number, name=json.dumps(name[:40]))  # the longest name of a rule
        (folder / "rules" / f"{number} {file_name(name)}.yaml").write_text(f"# {name}\n{text}", "utf-8")
    site["zones"]["facade"] = {"kind": "facade", "name": _both(NAMES[1]), "bind": {"camera": "generic_camera.lane_0"}}
    (folder / "plans").mkdir()
    (folder / "plans" / "main.png").write_bytes(PICTURE)
    corners = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
    site["plans"] = {
        "main": {"name": _both(NAMES[2]), "image": "plans/main.png", "zones": dict.fromkeys(LANES, corners),
                 "devices": {f"generic_camera.{lane}": [0.5, 0.5] for lane in LANES}}
    }  # fmt: skip
    config.write_text(json.dumps(site), "utf-8")
    return config


def live(hub: HubProcess, broker: Broker) -> None:
    """Let people and devices say their hostile things: users, tokens, roster, notes, tickets, incidents."""
    for number in range(len(NAMES)):
        Hostile(broker.port, number).announce()
    until(hub.entities, lambda known: len([one for one in known if one.startswith("mqtt")]) == 60, what="all sensors")
    for name in NAMES:
        _done(hub, "POST", "users", {"name": name, "role": "guard", "password": PASSWORD}, 200)
        _done(hub, "POST", "tokens", {"name": f"{name[:62]} t", "role": "viewer"}, 200)
        ticket = {"device": f"mqtt_discovery/{clean(name)}", "note": name, "assigned": name[:40]}
        _done(hub, "POST", "tickets", ticket, 201)
    people = [{"id": f"p{number}", "name": name[:40], "phone": name[:40]} for number, name in enumerate(NAMES)]
    _done(hub, "PUT", "roster", {"version": 0, "roster": {"people": people}}, 200)
    _done(hub, "POST", "handovers", {"giver": NAMES[3][:40], "note": "\n".join(NAMES)[:500]}, 201)
    _done(hub, "POST", "session", {"name": NAMES[2], "password": NAMES[3]}, 401)
    with Lines(broker.port, SAID) as lines:
        lines.send('{"occupancy": "OFF"}')
        lines.send('{"occupancy": "ON"}')
        _incidents(hub)
    for number, one in enumerate(hub.incidents()):
        closed = {"state": "closed", "seen": one["state"], "verdict": "repair", "note": NAMES[number]}
        if number % 2:
            _done(hub, "PUT", f"incidents/{one['id']}/state", closed, 200)


def _incidents(hub: HubProcess) -> None:
    until(hub.incidents, lambda found: len(found) >= 50, within=30, what="an incident in each zone")


def _done(hub: HubProcess, method: str, path: str, body: Any, wanted: int) -> None:
    status, said = hub.send(method, path, body)
    assert status == wanted, (path, status, said)


def _both(name: str) -> dict[str, str]:
    return {"zh": name, "en": name}

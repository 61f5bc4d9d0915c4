"""A large site: as many zones and rule files as are asked for, none like another, with steps, texts and conditions."""

from __future__ import annotations

from pathlib import Path

_HEAD = """\
site: {id: large, name: 大型小区}
contacts:
  guard: {name: 保安, webhook: "http://127.0.0.1:9/notify"}
prompts:
  second_warning: {text: 请马上移车}
zones:
"""
_RULE = """\
rule: rule_{number}
name: {{zh: 规则{number}, en: Rule {number}}}
zones: {{kind: fire_lane, only: [lane_{zone}]}}
trigger:
  vehicle: present
  for: {minutes} min
conditions:
  - not: {{mode: maintenance}}
  - any: [{{time: {{from: "22:00", to: "06:00"}}}}, {{door: closed}}]
actions:
  - capture: snapshot
  - say:
      text: {{zh: 您好，消防车通道禁止停车，请立即驶离，谢谢配合。, en: No parking in the fire lane.}}
      volume: 80
  - open_incident: {{severity: high}}
escalation:
  - after: 2 min
    actions: [{{say: second_warning}}]
  - after: 5 min
    every: 5 min
    times: 3
    actions: [{{notify: guard}}]
clear:
  vehicle: absent
  for: 30 s
  actions: [{{capture: snapshot}}, {{close_incident: cleared}}]
"""


def write_large_site(folder: Path, rules: int, zones: int, extra: str = "") -> Path:
    """Write hub.yaml and ``rules`` files below ``folder``; return the path of hub.yaml."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    roles = ("vehicle", "door", "camera", "speaker")
    lanes = "".join(
        f"  lane_{number}: {{kind: fire_lane, name: 通道{number}, bind: "
        f"{{{', '.join(f'{role}: mqtt_discovery.{role}_{number}' for role in roles)}}}}}\n"
        for number in range(zones)
    )
    config = folder / "hub.yaml"
    config.write_text(_HEAD + lanes + extra, "utf-8")
    for number in range(rules):
        text = _RULE.format(number=number, zone=number % zones, minutes=1 + number % 30)
        (folder / "rules" / f"rule_{number:06}.yaml").write_text(text, "utf-8")
    return config

"""hub.yaml and rules: every finding at once, each at its place with what to write instead; ``menshen check``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.config.settings import Listen
from hub.config.site import fingerprint, load_secrets, load_site
from hub.engine.terms import Is
from hub.model.errors import ConfigError
from hub.model.proof import Retention
from hub.model.reading import Presence
from hub.model.site import Role
from hub.model.time import MINUTE

ROOT = Path(__file__).parents[3]

GOOD = """\
site: {id: test, name: 小区}
zones:
  lane: {kind: fire_lane, name: 车道, bind: {vehicle: mqtt_discovery.car, camera: generic_camera.lane}}
integrations: {mqtt_discovery: {prefix: homeassistant}}
contacts: {guard: {name: 保安, webhook: "http://127.0.0.1:9/x"}}
prompts: {second_warning: {text: 请马上移车}}
"""
RULE = """\
rule: blocked
zones: {kind: fire_lane}
trigger: {vehicle: present, for: 3 min}
actions: [{capture: snapshot}]
clear: {vehicle: absent}
"""


def write(folder: Path, site: str = GOOD, **rules: str) -> Path:
    (folder / "rules").mkdir(exist_ok=True)
    for name, text in rules.items():
        (folder / "rules" / f"{name}.yaml").write_text(text, "utf-8")
    config = folder / "hub.yaml"
    config.write_text(site, "utf-8")
    return config


def findings(config: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_site(config)
    return [str(finding) for finding in caught.value.findings]


def test_a_good_site(tmp_path: Path) -> None:
    folder = load_site(write(tmp_path, blocked=RULE))
    (rule,) = folder.rules
    assert (rule.trigger.condition, rule.trigger.hold) == (Is(Role.VEHICLE, Presence.PRESENT), 3 * MINUTE)
    assert rule.name.zh == "blocked", "without a name it is called by its id"
    assert folder.settings.web.listen == Listen("127.0.0.1", 8420)
    assert folder.settings.site.timezone == "Asia/Shanghai"


SITE_FINDINGS = {
    "key": (
        "site: {id: a, name: b}\nzonse: {}\nzones: {}\n",
        "2:1: `zonse` is not a key of hub.yaml; did you mean `zones`?",
    ),
    "no site": ("zones: {}\n", "1:1: hub.yaml needs `site`"),
    "no mapping": ("- a\n", "1:1: hub.yaml must be a list of `key: value` lines"),
    "kind": (GOOD.replace("fire_lane", "fire_lan"), "3:16: `fire_lan` is no zone kind; did you mean `fire_lane`?"),
    "role": (GOOD.replace("{vehicle:", "{vehicel:"), "3:44: `vehicel` is not a key of `bind`; did you mean `vehicle`?"),
    "entity": (GOOD.replace("mqtt_discovery.car", "Car 3"), "3:53: `Car 3` is no entity"),
    "area": (GOOD.replace("name: 车道,", "name: 车道, area: b3,"), "3:43: no area `b3`"),
    "supply": (GOOD.replace("name: 车道,", "name: 车道, supplied_by: box,"), "3:50: `box` is no zone of kind `supply`"),
    "name": (GOOD.replace("  lane:", "  Lane-3:"), "3:3: `Lane-3` is no name"),
    "text": (
        GOOD.replace("name: 小区", "name: 12"),
        '1:24: `name` is text, but `12` reads as a number or switch: write "12"',
    ),
    "time zone": (GOOD.replace("小区}", "小区, timezone: Asia/Pekin}"), "1:38: `Asia/Pekin` is no time zone"),
    "listen": (GOOD + "web: {listen: localhost}\n", "7:15: `listen` must be an address and a port"),
    "port": (GOOD + "web: {listen: 127.0.0.1:70000}\n", "7:15: `listen` must be an address and a port"),
    "public broker": (GOOD + "mqtt: {listen: 0.0.0.0:1883}\n", "7:16: without accounts the hub's own broker"),
    "scheme": (GOOD.replace("http://", "ftp://"), "5:39: `webhook` must begin with http:// or https://"),
    "two ways to a contact": (
        GOOD.replace("webhook:", "notifier: wecom.duty, webhook:"),
        "5:19: a contact has a `webhook`, or a `notifier`",
    ),
    "no entity": (GOOD.replace('webhook: "http://127.0.0.1:9/x"', "notifier: duty"), "5:40: `duty` is no entity"),
    "password in a URL": (GOOD.replace("http://", "http://a:b@"), "5:39: `webhook` holds a password"),
    "audio outside": (
        GOOD.replace("请马上移车", "请马上移车, audio: ../x.wav"),
        "6:48: `audio` must be a .wav file inside",
    ),
    "integration": (
        GOOD.replace("{mqtt_discovery:", "{mqtt_discover:"),
        "4:31: no integration `mqtt_discover`; did you mean",
    ),
    "authority": (GOOD + "evidence: {tsa: ftp://x}\n", "7:17: `tsa` must be an address"),
    "retention": (
        GOOD + "evidence: {retention: {readings: 0}}\n",
        "7:34: `readings` must be a whole number of days, 1 to 3650",
    ),
    "kind of entry": (
        GOOD.replace("{mqtt_discovery:", "{http_speaker:"),
        "4:30: `http_speaker` belongs under `devices`",
    ),
}


@pytest.mark.parametrize(("site", "finding"), SITE_FINDINGS.values(), ids=SITE_FINDINGS)
def test_findings_of_hub_yaml(tmp_path: Path, site: str, finding: str) -> None:
    (found,) = findings(write(tmp_path, site))
    assert found.startswith(f"hub.yaml:{finding}")


RULE_FINDINGS = {
    "key": (RULE + "escalaton: []\n", "6:1: `escalaton` is not a key of a rule; did you mean `escalation`?"),
    "missing": ("rule: x\n", "1:1: a rule needs `zones`"),
    "zone kind": (RULE.replace("fire_lane", "firelane"), "2:15: `firelane` is no zone kind; did you mean `fire_lane`?"),
    "value": (RULE.replace("present", "presnt"), "3:20: `presnt` is no value of vehicle; did you mean `present`?"),
    "value of another role": (RULE.replace("present", "open"), "3:20: `open` is no value of vehicle"),
    "unit": (RULE.replace("3 min", "180"), "3:34: `for` must be a number with a unit, like `3 min`"),
    "time of day": (RULE.replace("3 min", "22:30"), "3:34: `for` must be a number with a unit, like `3 min`"),
    "too long": (RULE.replace("3 min", "25 h"), "3:34: `for` must lie between 0 s and 1 d"),
    "two roles": (
        RULE.replace("{vehicle: absent}", "{vehicle: absent, door: open}"),
        "5:8: `clear` needs exactly one condition",
    ),
    "no role": (RULE.replace("{vehicle: absent}", "{for: 3 s}"), "5:8: `clear` needs exactly one condition"),
    "commanded role": (RULE.replace("{vehicle: absent}", "{speaker: x}"), "5:9: `speaker` is not a key of `clear`"),
    "action": (
        RULE.replace("capture:", "captur:"),
        "4:12: `captur` is not a key of an action; did you mean `capture`?",
    ),
    "two in one": (
        RULE.replace("{capture: snapshot}", "{capture: snapshot, notify: guard}"),
        "4:11: an action is one line",
    ),
    "clip": (RULE.replace("snapshot", "clip"), "4:21: `capture` takes `snapshot`, or a clip like"),
    "long clip": (RULE.replace("snapshot", "{before: 2 min}"), "4:30: `before` must lie between"),
    "empty clip": (RULE.replace("snapshot", "{}"), "4:21: a clip needs `before`, `after` or both"),
    "prompt": (
        RULE.replace("capture: snapshot", "say: second_warnin"),
        "4:17: no prompt `second_warnin` in hub.yaml; did you mean",
    ),
    "contact": (
        RULE.replace("capture: snapshot", "notify: gard"),
        "4:20: no contact `gard` in hub.yaml; did you mean `guard`?",
    ),
    "severity": (
        RULE.replace("capture: snapshot", "open_incident: {severity: hihg}"),
        "4:38: `hihg` is no severity; did you mean",
    ),
    "volume": (
        RULE.replace("capture: snapshot", "say: {text: 好, volume: 1e1}"),
        "4:35: `volume` must be a whole number from 0 to 100",
    ),
    "speech": (
        RULE.replace("capture: snapshot", f"say: {{text: {'好' * 161}}}"),
        "4:24: `text` must have 1 to 160 characters, this has 161",
    ),
    "lonely any": (RULE + "conditions: [{any: [{mode: test}]}]\n", "6:20: `any` joins at least two conditions"),
    "mode": (RULE + "conditions: [{mode: tets}]\n", "6:21: `tets` is no mode; did you mean `test`?"),
    "order": (
        RULE + "escalation: [{after: 5 s, actions: []}, {after: 5 s, actions: []}]\n",
        "6:41: escalation steps must stand",
    ),
    "name": (RULE.replace("blocked", "no"), '1:7: `rule` is text, but `no` reads as a number or switch: write "no"'),
    "alias": (RULE.replace("[{capture: snapshot}]", "*x"), "4:10: `*x` is an alias"),
}


@pytest.mark.parametrize(("rule", "finding"), RULE_FINDINGS.values(), ids=RULE_FINDINGS)
def test_findings_of_rules(tmp_path: Path, rule: str, finding: str) -> None:
    found = findings(write(tmp_path, blocked=rule))
    assert any(line.startswith(f"rules/blocked.yaml:{finding}") for line in found), found


def test_all_findings_at_once_in_the_order_of_their_places(tmp_path: Path) -> None:
    first = RULE.replace("present", "presnt").replace("3 min", "3").replace("snapshot", "clip")
    second = RULE.replace("fire_lane", "lane").replace("vehicle: absent", "vehicle: gone")
    found = findings(write(tmp_path, first=first, second=second, third="a: [\n"))
    places = [line.rpartition(": ")[0].split(": ")[0] for line in found]
    assert [place.split(":")[0] for place in places] == ["rules/first.yaml"] * 3 + ["rules/second.yaml"] * 2 + [
        "rules/third.yaml"
    ]
    assert len(set(places)) == 6
    site = GOOD.replace("fire_lane", "x").replace("http://", "ftp://").replace("小区", "12")
    assert [line.split(":")[1] for line in findings(write(tmp_path, site))] == ["1", "3", "5"]


def test_a_rule_stands_once(tmp_path: Path) -> None:
    found = findings(write(tmp_path, a=RULE, b=RULE))
    assert found == ["rules/b.yaml:1:1: rule `blocked` stands in rules/a.yaml already"]


def test_areas_form_a_tree(tmp_path: Path) -> None:
    ring = GOOD + "areas: {a: {name: 甲, parent: b}, b: {name: 乙, parent: a}, c: {name: 丙, parent: d}}\n"
    found = findings(write(tmp_path, ring))
    assert "area `a` stands inside itself" in found[0]
    assert "area `c` has no parent `d`" in found[-1]


def test_secrets_are_for_the_hub_alone(tmp_path: Path) -> None:
    assert load_secrets(tmp_path) == {}
    path = tmp_path / "secrets.yaml"
    path.write_text("camera: 0123\nother: no\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_secrets(tmp_path)
    path.chmod(0o600)
    assert load_secrets(tmp_path) == {"camera": "0123", "other": "no"}
    path.write_text("camera: [1]\n")
    with pytest.raises(ConfigError, match="one value on one line"):
        load_secrets(tmp_path)


def test_an_edit_changes_the_fingerprint(tmp_path: Path) -> None:
    config = write(tmp_path, a=RULE)
    before = fingerprint(config)
    assert fingerprint(config) == before
    write(tmp_path, b=RULE)
    assert fingerprint(config) != before


def test_the_shipped_site_is_well() -> None:
    folder = load_site(ROOT / "hub.yaml")
    assert {rule.id for rule in folder.rules} >= {"fire_lane_blocked", "unit_door_held_open"}
    assert all(rule.name.en for rule in folder.rules)


def check(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check", *arguments])
    return result.exit_code, result.stdout


def test_check_says_well(tmp_path: Path) -> None:
    config = str(write(tmp_path, blocked=RULE))
    assert check("-c", config) == (0, "好 / well: 1 zones, 1 rules\n")
    assert check("-c", config, "--json") == (0, '{"findings":[]}\n')
    assert check("-c", str(ROOT / "hub.yaml"))[0] == 0


def test_check_prints_every_finding(tmp_path: Path) -> None:
    config = str(write(tmp_path, blocked=RULE.replace("present", "presnt").replace("3 min", "3")))
    code, text = check("-c", config)
    assert code == 1
    assert [line.split(": ")[0] for line in text.splitlines()] == ["rules/blocked.yaml:3:20", "rules/blocked.yaml:3:33"]
    code, text = check("-c", config, "--json")
    assert code == 1
    first = json.loads(text)["findings"][0]
    assert first["mark"] == {"file": "rules/blocked.yaml", "line": 3, "column": 20}
    assert "did you mean `present`?" in first["sentence"]


def test_check_of_nothing_and_misuse(tmp_path: Path) -> None:
    code, text = check("-c", str(tmp_path / "no.yaml"))
    assert (code, text) == (1, "no.yaml:1:1: cannot be read: No such file or directory\n")
    assert check("--colour")[0] == 2
    assert check("extra")[0] == 2


def test_a_copy_of_the_shipped_site_with_a_slip(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copy(ROOT / "hub.yaml", tmp_path)
    path = tmp_path / "rules" / "fire_lane_blocked.yaml"
    path.write_text(path.read_text("utf-8").replace("for: 3 min", "for: 3min 1"), "utf-8")
    (finding,) = findings(tmp_path / "hub.yaml")
    assert finding.startswith("rules/fire_lane_blocked.yaml:8:8: `for` must be a number with a unit")


def test_the_section_of_evidence_is_read(tmp_path: Path) -> None:
    more = "evidence: {tsa: 'https://tsa.example/tsr', signs: [北门], retention: {readings: 30, sightings: 0}}\n"
    found = load_site(write(tmp_path, GOOD + more)).settings.evidence
    assert (found.tsa, found.signs) == ("https://tsa.example/tsr", ("北门",))
    assert found.retention == Retention(readings=30, pictures=90, incidents=365, sightings=0)

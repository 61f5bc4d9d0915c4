"""The table of payload kinds in docs/integrations/mqtt.md: each row is decoded, and becomes what the row says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.mqtt_discovery import plugin
from integrations.mqtt_discovery.config import Config
from tests.kit.kinds import Scene, Step, check, js, played, rows

DOC = Path(__file__).parents[3] / "docs" / "integrations" / "mqtt.md"
ROWS = rows(DOC, "Home Assistant MQTT discovery")
GOOD, STALE, UNKNOWN = "good", "stale", "unknown"


def told(name: str, component: str = "binary_sensor", refused: str = "", before: bool = False, **options: Any) -> Step:
    """Announce one component, whose state topic is ``s``."""
    payload = js(**{"stat_t": "s", "uniq_id": name, **options})
    entities = () if refused else (name,)
    return Step(f"homeassistant/{component}/{name}/config", payload, (), entities, refused, before=before)


def says(name: str, payload: str, value: Any, quality: str = GOOD, topic: str = "s", before: bool = False) -> Step:
    """Have it say something."""
    return Step(topic, payload, ((name, value, quality),), before=before)


def words(active: str, calm: str, *classes: str, component: str = "binary_sensor") -> Scene:
    """Announce a binary sensor of each device class; all of them say ON and then OFF."""
    names = [f"x_{name or 'none'}" for name in classes]
    announced = [
        told(x, component, stat_t=x, dev_cla=name) if name else told(x, component, stat_t=x)
        for x, name in zip(names, classes, strict=True)
    ]
    said = [says(x, word, value, topic=x) for x in names for word, value in (("ON", active), ("OFF", calm))]
    return (*announced, *said)


def read(template: str, *said: tuple[str, Any], component: str = "sensor", **options: Any) -> Scene:
    """Announce a value template and read payloads by it."""
    unit = {"unit_of_meas": "°C"} if component == "sensor" else {}
    announced = told("t", component, stat_t=component, val_tpl=template, before=True, **unit, **options)
    return (announced, *(says("t", payload, value, topic=component) for payload, value in said))


def away(mode: str, **options: Any) -> Step:
    """Announce a sensor with two topics of availability."""
    topics = [{"topic": "a"}, {"topic": "b"}]
    return told("x", availability=topics, availability_mode=mode, before=True, **options)


def refusals(reason: str, component: str, *options: dict[str, Any]) -> Scene:
    """Announce what cannot be used."""
    return tuple(told(f"x{number}", component, reason, **more) for number, more in enumerate(options))


def bundle(components: dict[str, Any], **shared: Any) -> str:
    """Write a device with its components."""
    return json.dumps({"dev": {"ids": "d"}, "o": {"name": "x"}, "cmps": components, **shared})


ONLINE, OFFLINE = (None, GOOD), (None, STALE)
CAR = {"p": "binary_sensor", "uniq_id": "car", "dev_cla": "occupancy"}
HEAT = {"p": "sensor", "uniq_id": "heat", "unit_of_meas": "°C"}
NUMERIC: list[dict[str, Any]] = [{"unit_of_meas": "°C"}, {"stat_cla": "measurement"}, {"dev_cla": "temperature"},
                                 {"sug_dsp_prc": 1}]  # fmt: skip
KINDS: dict[str, Scene] = {
    "`<prefix>/<component>/[<node>/]<object>/config`, retained JSON": (
        told("x"),
        Step("homeassistant/binary_sensor/node/y/config", js(stat_t="s", uniq_id="y"), (), ("y",)),
        Step("homeassistant/binary_sensor/x/config", "", before=True),
        says("y", "ON", "active"),
    ),
    "device bundle `<prefix>/device/<id>/config` with `components`": (
        Step("homeassistant/device/d/config", bundle({"car": CAR, "heat": HEAT}, stat_t="s"), (), ("car", "heat")),
        Step("homeassistant/device/d/config", bundle({"car": CAR, "heat": {"p": "sensor"}}, stat_t="s"), (), ("car",)),
        says("car", "ON", "present"),
    ),
    "abbreviated keys (`stat_t`, `dev_cla`, `avty_t` …), base topic `~`": (
        Step("homeassistant/binary_sensor/x/config",
             json.dumps({"~": "bay/", "stat_t": "~s", "avty_t": "~a", "dev_cla": "occupancy", "uniq_id": "x"}),
             (), ("x",)),
        says("x", "ON", "present", topic="bay/s"),
        says("x", "offline", *OFFLINE, topic="bay/a"),
    ),
    "`binary_sensor`: `occupancy`, `presence`, `motion`, `moving`": words(
        "present", "absent", "occupancy", "presence", "motion", "moving"
    ),
    "`binary_sensor`: `door`, `window`, `garage_door`, `opening`": words(
        "open", "closed", "door", "window", "garage_door", "opening"
    ),
    "`binary_sensor`: `smoke`, `gas`, `carbon_monoxide`, `moisture`, `tamper`, `safety`, `vibration`, `problem`, "
    "`heat`, `cold`, `sound`, `battery`, `lock`, none": words(
        "active", "clear", "smoke", "gas", "carbon_monoxide", "moisture", "tamper", "safety", "vibration", "problem",
        "heat", "cold", "sound", "battery", "lock", "",
    ),
    "`binary_sensor`: `connectivity`, `power`, `plug`, `running`, `light`, `battery_charging`, `update`": refusals(
        "describes a state that is no alarm", "binary_sensor",
        *({"dev_cla": name}
          for name in ("connectivity", "power", "plug", "running", "light", "battery_charging", "update")),
    ),
    "`binary_sensor`: a device class not listed": refusals("is not known", "binary_sensor", {"dev_cla": "rain"}),
    "`sensor` with a unit, state class, numeric device class or display precision": (
        *(told(f"n{number}", "sensor", stat_t=f"n{number}", **more)
          for number, more in enumerate(NUMERIC)),
        *(says(f"n{number}", "21.5", 21.5, topic=f"n{number}") for number in range(4)),
    ),
    "`sensor` with text, `enum`, `date`, `timestamp`": refusals(
        "its state", "sensor", {}, {"dev_cla": "enum", "ops": ["a"]}, {"dev_cla": "date"}, {"dev_cla": "timestamp"}
    ),
    "all other components (`switch`, `light`, `camera`, `event` …)": tuple(
        told("x", name, "components of this kind are not supported") for name in ("switch", "light", "camera", "event")
    ),
    "`payload_on`, `payload_off`": (
        told("x", pl_on=True, pl_off="shut", val_tpl="{{ value_json.v }}"),
        says("x", js(v=True), "active"),
        says("x", js(v="shut"), "clear"),
        Step("s", js(v="ON"), refused="is neither", before=True),
    ),
    "state `None`, `unknown`, `unavailable`, JSON `null`": (
        told("x"),
        *(says("x", word, None, UNKNOWN) for word in ("None", "unknown", "unavailable")),
        told("x", val_tpl="{{ value_json.v }}", before=True),
        says("x", js(v=None), None, UNKNOWN),
    ),
    "empty state, key absent from a JSON object": (
        told("x", val_tpl="{{ value_json.v }}"),
        says("x", js(v="ON"), "active"),
        Step("s", "", before=True),
        Step("s", js(other=1), before=True),
    ),
    "`expire_after`": (told("x", exp_aft=600), told("y", exp_aft=31_622_400)),
    "`off_delay`": refusals("off_delay is not supported", "binary_sensor", {"off_dly": 5}),
    "`availability_topic`, `availability`, `payload_available`, `payload_not_available`, templates for them": (
        told("x", avty_t="a", pl_avail="1", pl_not_avail="0", avty_tpl="{{ value_json.up }}"),
        says("x", js(up=0), *OFFLINE, topic="a"),
        says("x", js(up=1), *ONLINE, topic="a"),
        told("x", avty=[{"t": "b"}]),
        says("x", "offline", *OFFLINE, topic="b"),
    ),
    "`availability_mode: latest`, or one topic in any mode": (
        away("latest"),
        says("x", "offline", *OFFLINE, topic="a"),
        says("x", "online", *ONLINE, topic="b"),
        told("x", avty=[{"t": "a"}], avty_mode="all", before=True),
        says("x", "online", *ONLINE, topic="a"),
    ),
    "`availability_mode: all`, several topics": (
        away("all"),
        says("x", "offline", *OFFLINE, topic="b"),
        Step("a", "online"),  # nothing, though both may be online now
    ),
    "`availability_mode: any`, several topics": (
        away("any"),
        says("x", "online", *ONLINE, topic="a"),
        Step("b", "offline", (("x", *OFFLINE),), less=True),  # stale, though the other is online
    ),
    "`state_topic` with `+` or `#` (Theengs Gateway by default)": refusals(
        "state_topic has wildcards", "binary_sensor", {"stat_t": "+/+/BTtoMQTT/1"}, {"stat_t": "home/#"}
    ),
    "`encoding` other than UTF-8": refusals("only texts in UTF-8 are read", "binary_sensor", {"e": "gb2312"}),
    "`json_attributes_topic`, icons, `force_update`, `enabled_by_default`, `origin`, `qos`": (
        told("x", before=True),
        Step("homeassistant/binary_sensor/x/config",
             js(stat_t="s", uniq_id="x", json_attr_t="j", ic="mdi:car", frc_upd=True, en=False, o={"name": "o"}, qos=2),
             (), ("x",), same=True),
    ),
    "`{{ value }}`, `{{ value_json.a.b }}`, `{{ value_json['a'] }}`, `{{ value_json[\"a\"][\"b\"] }}`": (
        *read("{{ value }}", ("21.5", 21.5)),
        *read("{{ value_json.a.b }}", (js(a={"b": 1}), 1.0)),
        *read("{{ value_json['a'] }}", (js(a=2), 2.0)),
        *read('{{ value_json["a"]["b"] }}', (js(a={"b": 3}), 3.0)),
    ),
    "filters `int`, `float`, `lower`, `upper`, `is_defined` behind any of these": (
        *read("{{ value | int }}", ("21.9", 21.0)),
        *read("{{ value_json.a | float }}", (js(a="21.5"), 21.5)),
        *read("{{ value_json.a | is_defined }}", (js(a=1), 1.0)),
        *read("{{ value | upper }}", ("on", "active"), component="binary_sensor"),
        *read("{{ value_json['a'] | lower }}", (js(a="YES"), "active"), component="binary_sensor", pl_on="yes"),
    ),
    "`{{ 'ON' if value_json.x else 'OFF' }}`, also with `==`, `!=`, `>`, `<`, `>=`, `<=` and a number, text, `true` or "
    "`false`": (
        *read("{{ 'ON' if value_json.x else 'OFF' }}", (js(x=1), "active"), (js(x=0), "clear"),
              component="binary_sensor"),
        Step("binary_sensor", js(other=1), before=True),
        says("t", js(x=None), None, UNKNOWN, topic="binary_sensor", before=True),
        *(step for sign, yes, no in (("==", 3, 4), ("!=", 4, 3), (">", 4, 3), ("<", 2, 3), (">=", 3, 2), ("<=", 3, 4))
          for step in read(f"{{{{ 'ON' if value_json.x {sign} 3 else 'OFF' }}}}", (js(x=yes), "active"),
                           (js(x=no), "clear"), component="binary_sensor")),
        *read("{{ 'ON' if value_json.x == 'b' else 'OFF' }}", (js(x="b"), "active"), component="binary_sensor"),
        *read("{{ 'ON' if value_json.x == true else 'OFF' }}", (js(x=True), "active"), component="binary_sensor"),
        *read("{{ 'ON' if value_json.x == false else 'OFF' }}", (js(x=True), "clear"), component="binary_sensor"),
    ),
    "arithmetic, `{% … %}`, `and`, `or`, `not`, `is`, other filters, functions, list indices": refusals(
        "is not supported", "sensor",
        *({"val_tpl": template, "unit_of_meas": "V"} for template in (
            "{{ value_json.a / 1000 }}", "{% if value %}1{% endif %}",
            "{{ 1 if value_json.a and value_json.b else 0 }}",
            "{{ 1 if not value_json.a else 0 }}", "{{ 1 if value_json.a is defined else 0 }}",
            "{{ 1 if value_json.a or value_json.b else 0 }}", "{{ value | round(1) }}", "{{ now() }}",
            "{{ value_json.a[0] }}",
        )),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", KINDS, ids=lambda row: row[:40])
def test_a_row_says_what_the_code_does(row: str) -> None:
    check(ROWS[row], played(plugin, Config(), KINDS[row]))


def test_every_row_has_its_messages() -> None:
    assert list(KINDS) == list(ROWS)

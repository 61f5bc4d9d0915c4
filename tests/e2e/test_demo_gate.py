"""The north gate of the demo: LoRaWAN, raw field strength, OSDP and a chat robot, each in a story that ends as told.

With test_demo_lift (Modbus), test_demo_smoke (serial line), test_demo_nodes and the page's own story (camera, RTP, MQTT
discovery, Zigbee2MQTT) each group of integrations is seen to work in the demo.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.broker import find_mosquitto
from tests.kit.demo import Demo, running_demo
from tests.kit.http import get_json, request
from tests.kit.wait import stays, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
LORAWAN, FIELD = "lorawan.1000000000000008_parking", "field_magnetometer.gate_north"
DOOR, CARD = "osdp.roof_5_reader_door", "osdp.roof_5_reader_card"
#: One entity of each group of integrations that the demo shows, and what it says when nothing happens.
GROUPS = {
    "parking magnetometer, MQTT discovery": ("mqtt_discovery.lane_3_vehicle", "absent"),
    "parking magnetometer, LoRaWAN": (LORAWAN, "absent"),
    "parking magnetometer, raw field": (FIELD, "absent"),
    "door, Zigbee2MQTT": ("zigbee2mqtt.0x00158d0004866f11_contact", "closed"),
    "door, OSDP": (DOOR, "closed"),
    "lift, Modbus": ("modbus.lift_5_car_door", "open"),
    "serial line": ("serial_lines.smoke_5_3_smoke", "clear"),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: the demo needs a broker")
    if importlib.util.find_spec("osdp") is None:
        pytest.skip("libosdp is not installed: the demo runs without its roof door")
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


def values(demo: Demo) -> dict[str, Any]:
    return {item["id"]: item["value"] for item in get_json(f"{demo.url}api/v1/entities", token=demo.token)["items"]}


def scene(demo: Demo, **seen: bool) -> None:
    status, body = request("POST", f"http://127.0.0.1:{demo.base + 6}/scene", seen)
    assert status == 200, body


def incidents(demo: Demo, zone: str) -> list[dict[str, Any]]:
    found = get_json(f"{demo.url}api/v1/incidents?limit=50", token=demo.token)["items"]
    return [item for item in found if item["zone"] == zone]


def first(demo: Demo, zone: str, state: str) -> dict[str, Any]:
    found = until(
        lambda: next((one for one in incidents(demo, zone) if one["state"] == state), None),
        within=40,
        what=f"an incident of {zone} {state}",
    )
    assert found is not None
    return found


def done(incident: dict[str, Any], action: str) -> bool:
    return any(
        step["kind"] == "command" and step["action"] == action and step["status"] == "done"
        for step in incident["timeline"]
    )


def test_each_group_says_what_is_so(demo: Demo) -> None:
    wanted = dict(GROUPS.values())
    until(
        lambda: {entity: value for entity, value in values(demo).items() if entity in wanted},
        lambda found: found == wanted,
        within=40,
        what="each group heard",
    )


def test_a_car_at_the_gate_is_seen_by_lorawan_and_by_its_field_and_warned(demo: Demo) -> None:
    until(lambda: values(demo).get(FIELD), lambda value: value == "absent", within=40)
    scene(demo, gate=True)
    until(lambda: [values(demo).get(one) for one in (LORAWAN, FIELD)], lambda two: two == ["present"] * 2, within=20)
    opened = first(demo, "gate_north", "open")
    assert opened["rule"] == "fire_lane_blocked"
    until(lambda: done(first(demo, "gate_north", "open"), "say"), within=30, what="the car warned")
    scene(demo, gate=False)
    assert first(demo, "gate_north", "closed")["close_reason"] == "cleared"


def test_who_opens_the_roof_door_without_a_card_is_told_and_who_holds_one_is_not(demo: Demo) -> None:
    until(lambda: values(demo).get(DOOR), lambda value: value == "closed", within=40)
    scene(demo, roof=True)
    opened = first(demo, "roof_5", "open")
    assert opened["rule"] == "plant_door_opened"
    until(lambda: done(first(demo, "roof_5", "open"), "say"), within=30, what="the visitor told")
    scene(demo, roof=False)
    first(demo, "roof_5", "closed")
    scene(demo, card=True)
    until(lambda: values(demo).get(CARD), lambda value: value == "active", within=10, what="the card")
    scene(demo, roof=True)
    until(lambda: values(demo).get(DOOR), lambda value: value == "open", within=10, what="the door open")
    stays(lambda: len(incidents(demo, "roof_5")), lambda count: count == 1, during=2)


def test_the_lift_company_reads_of_the_alarm_in_its_chat_group(demo: Demo) -> None:
    until(lambda: values(demo).get("modbus.lift_5_car_door"), lambda value: value == "open", within=40)
    scene(demo, alarm=True)

    def chatted() -> list[str]:
        told = get_json(f"http://127.0.0.1:{demo.base + 5}/messages")
        return [one["body"]["text"] for one in told if one["body"].get("via") == "wecom"]

    (text, *_) = until(chatted, bool, within=30, what="a message in the group")
    assert "5号楼电梯" in text
    scene(demo, alarm=False)

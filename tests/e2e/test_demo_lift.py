"""The lift of the demo: its alarm button by Modbus, the comfort that is said, and the end when help has come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.kit.broker import find_mosquitto
from tests.kit.demo import Demo, running_demo
from tests.kit.http import get_json, request
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def press(demo: Demo, alarm: bool) -> None:
    status, body = request("POST", f"http://127.0.0.1:{demo.base + 6}/scene", {"alarm": alarm})
    assert (status, json.loads(body)["alarm"]) == (200, alarm)


def incidents(demo: Demo) -> dict[str, dict[str, Any]]:
    found = get_json(f"{demo.url}api/v1/incidents?limit=50", token=demo.token)["items"]
    return {item["rule"]: item for item in found if item["zone"] == "lift_5"}


def said(incident: dict[str, Any]) -> list[str]:
    steps = [step for step in incident["timeline"] if step["kind"] == "command" and step["action"] == "say"]
    return [step["text"]["zh"] for step in steps if step["status"] == "done"]


def test_who_presses_the_button_is_comforted_until_help_has_come(tmp_path: Path) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: the demo needs a broker")
    with running_demo(tmp_path) as demo:
        door = "modbus.lift_5_car_door"

        def state() -> Any:
            items = get_json(f"{demo.url}api/v1/entities", token=demo.token)["items"]
            return next((item["value"] for item in items if item["id"] == door), None)

        until(state, lambda value: value == "open", within=20, what="the lift's door")
        press(demo, True)
        until(lambda: "lift_alarm" in incidents(demo), within=15, what="the incident")
        assert incidents(demo)["lift_alarm"]["state"] == "open"
        until(
            lambda: said(incidents(demo)["lift_alarm"]), lambda words: len(words) >= 2, within=25, what="comfort twice"
        )
        assert "请不要惊慌" in said(incidents(demo)["lift_alarm"])[0]
        until(lambda: incidents(demo).get("lift_trapped"), within=15, what="trapped, too")
        press(demo, False)
        ended = {"lift_alarm": "closed", "lift_trapped": "closed"}
        states = until(
            lambda: {rule: one["state"] for rule, one in incidents(demo).items()}, lambda now: now == ended, within=25
        )
        assert states == ended

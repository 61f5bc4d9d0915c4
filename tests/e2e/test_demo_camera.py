"""The demo's camera truly sees its lane: a car that the magnetometer does not feel is warned about, and let go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kit.broker import find_mosquitto
from tests.kit.demo import running_demo
from tests.kit.http import get_json, request
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CAMERA, FELT, SEEN = "generic_camera.lane_3", "mqtt_discovery.lane_3_vehicle", "vision.lane_3_north_vehicle"


def test_a_car_that_only_the_camera_sees_is_a_story_that_ends(tmp_path: Path) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: the demo needs a broker")
    with running_demo(tmp_path) as demo:

        def get(what: str) -> list[dict[str, Any]]:
            return list(get_json(f"{demo.url}api/v1/{what}", token=demo.token)["items"])

        def values() -> dict[str, Any]:
            return {item["id"]: item["value"] for item in get("entities")}

        def camera() -> dict[str, Any]:
            return next(item for item in get("sight") if item["camera"] == CAMERA)

        def incidents() -> list[dict[str, Any]]:
            return [item for item in get("incidents?limit=50") if item["zone"] == "lane_3_north"]

        def scene(unfelt: bool) -> None:
            status, body = request("POST", f"http://127.0.0.1:{demo.base + 6}/scene", {"unfelt": unfelt})
            assert status == 200, body

        until(values, lambda now: now.get(SEEN) == now.get(FELT) == "absent", within=40, what="both see no car")
        scene(True)
        until(incidents, within=30, what="the incident")
        now = values()
        assert (now[SEEN], now[FELT]) == ("present", "absent")
        (seen,) = camera()["seen"]
        assert (seen["state"], len(seen["boxes"])) == ("present", 1), "the page 看 has something to draw"
        status, picture = request("GET", f"{demo.url}api/v1/sight/{CAMERA}/picture", token=demo.token)
        assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
        scene(False)
        until(incidents, lambda found: found[0]["state"] == "closed", within=30, what="the end")
        assert len(incidents()) == 1

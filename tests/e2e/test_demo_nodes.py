"""The community nodes of the demo: they claim themselves, and a car on the UDP magnetometer fires a rule."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.kit.broker import find_mosquitto
from tests.kit.demo import Demo, running_demo
from tests.kit.http import get_json, put_image, request
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
BAY, ENTRANCE, PLANT = "firmware_node.lane_5_1_bay", "firmware_node.unit_3_0_door", "firmware_node.plant_3_0_door"


def values(demo: Demo) -> dict[str, Any]:
    items = get_json(f"{demo.url}api/v1/entities", token=demo.token)["items"]
    return {item["id"]: item["value"] for item in items if item["id"] in {BAY, ENTRANCE, PLANT}}


def incident(demo: Demo, zone: str) -> dict[str, Any] | None:
    found = get_json(f"{demo.url}api/v1/incidents?limit=50", token=demo.token)["items"]
    return next((item for item in found if item["zone"] == zone), None)


def scene(demo: Demo, **seen: bool) -> None:
    status, body = request("POST", f"http://127.0.0.1:{demo.base + 6}/scene", seen)
    assert status == 200, body


def opened(demo: Demo, zone: str) -> tuple[str, str]:
    found = until(lambda: incident(demo, zone), within=30, what=f"the incident in {zone}")
    assert found is not None
    return found["rule"], found["state"]


def closed(demo: Demo, zone: str) -> None:
    until(lambda: incident(demo, zone), lambda one: one is not None and one["state"] == "closed", 30, f"{zone} calm")


def update(demo: Demo, image: str) -> None:
    """Roll one of the demo's images out to the magnetometer, now and with a short trial."""
    digest = put_image(demo.url, demo.token, (demo.images / image).read_bytes())
    order = {"digest": digest, "units": ["lane_5"], "begin_minute": 0, "end_minute": 0, "quiet_s": 3}
    status, said = request("POST", f"{demo.url}api/v1/firmware/rollout", order, token=demo.token)
    assert status == 204, said


def ways(demo: Demo) -> set[str]:
    """Return by which protocols the loudspeakers were spoken to."""
    return {one["via"] for one in get_json(f"http://127.0.0.1:{demo.base + 3}/utterances")}


def outcome(demo: Demo) -> tuple[str, str, str]:
    found = get_json(f"{demo.url}api/v1/firmware", token=demo.token)
    unit = next(unit for unit in found["units"] if unit["name"] == "lane_5")
    return found["rollout"]["outcome"], unit["stand"], unit["version"]


def test_cars_and_doors_at_nodes_of_the_community(tmp_path: Path) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: the demo needs a broker")
    if shutil.which("gcc") is None or shutil.which("make") is None:
        pytest.skip("gcc and make are not installed: the demo starts without nodes")
    with running_demo(tmp_path) as demo:
        calm = {BAY: "absent", ENTRANCE: "closed", PLANT: "closed"}
        until(lambda: values(demo), lambda found: found == calm, 60, "three nodes claimed and heard")
        scene(demo, bay=True)
        assert opened(demo, "lane_5_south") == ("fire_lane_blocked", "open")
        scene(demo, entrance=True, plant=True)
        assert opened(demo, "unit_3_1") == ("unit_door_held_open", "open")
        assert opened(demo, "plant_3") == ("plant_door_opened", "open")
        until(lambda: ways(demo), lambda found: {"axis", "http"} <= found, 40, "spoken by the Axis loudspeaker, too")
        scene(demo, bay=False, entrance=False, plant=False)
        for zone in ("lane_5_south", "unit_3_1", "plant_3"):
            closed(demo, zone)
        update(demo, "good-1.1.0.img")
        until(lambda: outcome(demo), lambda it: it == ("done", "done", "1.1.0"), 40, "the update is confirmed")
        update(demo, "crashes-1.2.0.img")
        until(lambda: outcome(demo), lambda it: it == ("stopped", "reverted", "1.1.0"), 40, "the crash is reverted")
        assert "Traceback" not in demo.words()
        demo.terminate()


def test_without_a_compiler_the_demo_says_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (mosquitto := find_mosquitto()) is None:
        pytest.skip("mosquitto is not installed: the demo needs a broker")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "mosquitto").symlink_to(mosquitto)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with running_demo(tmp_path) as demo:
        until(lambda: "without community nodes" in demo.words(), within=20, what="the sentence")
        state = get_json(f"http://127.0.0.1:{demo.base + 6}/state")
        assert all(device["up"] for device in state["devices"])
        assert demo.words().count("without community nodes") == 1
        demo.terminate()

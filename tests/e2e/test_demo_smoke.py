"""The smoke detector of the demo: a board on a serial line, whose word reaches the guard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kit.broker import find_mosquitto
from tests.kit.demo import running_demo
from tests.kit.http import get_json, request
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SMOKE = "serial_lines.smoke_5_3_smoke"


def test_smoke_on_a_serial_line_calls_the_guard_and_ends_when_it_is_gone(tmp_path: Path) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: the demo needs a broker")
    with running_demo(tmp_path) as demo:

        def state() -> Any:
            items = get_json(f"{demo.url}api/v1/entities", token=demo.token)["items"]
            return next((item["value"] for item in items if item["id"] == SMOKE), None)

        def incident() -> dict[str, Any] | None:
            found = get_json(f"{demo.url}api/v1/incidents?limit=50", token=demo.token)["items"]
            return next((item for item in found if item["zone"] == "corridor_5_3"), None)

        def scene(smoke: bool) -> None:
            status, body = request("POST", f"http://127.0.0.1:{demo.base + 6}/scene", {"smoke": smoke})
            assert status == 200, body

        until(state, lambda value: value == "clear", within=20, what="the board's first word")
        scene(True)
        opened = until(incident, within=15, what="the incident")
        assert opened is not None
        assert (opened["rule"], opened["severity"], opened["state"]) == ("smoke_prealarm", "high", "open")
        told = until(
            lambda: [
                step
                for step in (incident() or {}).get("timeline", [])
                if step["kind"] == "command" and step["action"] == "notify" and step["status"] == "done"
            ],
            within=15,
            what="the guard told",
        )
        assert told
        scene(False)
        until(incident, lambda one: one is not None and one["state"] == "closed", within=20, what="the end")

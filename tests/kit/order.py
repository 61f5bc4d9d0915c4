"""What takes longest begins first, so that no worker is left alone with it in the end.

A plugin of pytest; the ``conftest.py`` beside ``pyproject.toml`` loads it. It matters to ``make unit``, which hands
files out in this order (``--no-loadscope-reorder``: by itself pytest-xdist begins with the files of the most tests,
which are the quick ones).
"""

from __future__ import annotations

import os

import pytest

#: Seconds that a file takes on two cores beside others, of those that take ten or more. What is wrong or missing here
#: costs time and nothing else; ``pytest --durations=80`` tells.
SECONDS = {
    "tests/vision/test_worker.py": 131,
    "tests/vision/test_seeing.py": 70,
    "tests/e2e/test_story.py": 69,
    "tests/e2e/test_desk.py": 68,
    "tests/e2e/test_page.py": 48,
    "tests/vision/test_lane.py": 44,
    "tests/abuse/test_openapi_fuzz.py": 43,
    "tests/e2e/test_seeing.py": 42,
    "tests/e2e/test_demo_nodes.py": 41,
    "integrations/osdp/tests/test_line.py": 41,
    "tests/faults/test_wire.py": 40,
    "tests/faults/test_flood_and_timers.py": 37,
    "tests/e2e/test_firmware_page.py": 36,
    "integrations/firmware_node/tests/test_reference.py": 36,
    "tests/e2e/test_tour_page.py": 35,
    "tests/faults/test_kill.py": 35,
    "tests/e2e/test_demo_camera.py": 34,
    "tests/abuse/test_markup.py": 34,
    "tests/e2e/test_tutorial.py": 34,
    "tests/vision/test_falling.py": 33,
    "tests/e2e/test_rules_page.py": 32,
    "tests/e2e/test_find.py": 30,
    "tests/e2e/test_degraded.py": 29,
    "tests/vision/test_camera_health.py": 26,
    "tests/faults/test_wall_clock.py": 26,
    "tests/e2e/test_plan.py": 26,
    "tests/unit/actions/test_speech.py": 25,
    "tests/e2e/test_people.py": 25,
    "tests/e2e/test_falling.py": 24,
    "tests/faults/test_storm.py": 23,
    "tests/e2e/test_onlook.py": 22,
    "integrations/sim/tests/test_estate.py": 22,
    "tests/e2e/test_evidence_page.py": 22,
    "tests/property/test_golden.py": 21,
    "tests/e2e/test_first_run.py": 20,
    "tests/faults/test_restore.py": 19,
    "tests/vision/test_lift_camera.py": 18,
    "tests/faults/test_many_devices.py": 17,
    "tests/e2e/test_demo_lift.py": 17,
    "tests/faults/test_bad_decoders.py": 16,
    "tests/faults/test_bad_plugins.py": 14,
    "tests/faults/test_node_events.py": 14,
    "tests/unit/web/test_roles.py": 14,
    "tests/e2e/test_demo_smoke.py": 13,
    "tests/faults/test_disk.py": 12,
    "tests/e2e/test_nodes.py": 12,
    "tests/e2e/test_demo_gate.py": 12,
    "tests/faults/test_rollout.py": 12,
    "integrations/field_magnetometer/tests/test_detector.py": 11,
    "tests/property/test_backtest.py": 11,
    "tests/e2e/test_shell.py": 10,
    "tests/abuse/test_secrets.py": 10,
    "tests/abuse/test_bad_input.py": 10,
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files of a worker; without workers the order stays."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: -SECONDS.get(item.nodeid.partition("::")[0], 0))

"""``menshen doctor`` in a site with everything that goes wrong: each is tried, and each failure has its advice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli import main
from tests.e2e.test_plugin import Door, write
from tests.kit.broker import Broker, free_port, only_heard
from tests.kit.mqtt import Lane, need_mosquitto, publish


@pytest.fixture
def door() -> Iterator[Door]:
    found = Door()
    yield found
    found.close()


def examined(config: Path) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    result = CliRunner().invoke(main, ["doctor", "-c", str(config), "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    found = json.loads(result.output)["diagnoses"]
    return result.exit_code, {f"{one['integration']}.{one['device']}": one["steps"] for one in found}


def test_it_says_what_answered_and_what_to_do(tmp_path: Path, broker: Broker, door: Door) -> None:
    need_mosquitto()
    config = write(tmp_path / "site", broker, door)
    config.write_text(
        config.read_text("utf-8").replace("devices: {http_contact: {", "devices: {http_contact: {"
        f"away: {{name: 远, url: 'http://127.0.0.1:{free_port()}/'}}, ")
        + "integrations: {mqtt_discovery: {}, zigbee2mqtt: {}}\n",
        "utf-8",
    )  # fmt: skip
    publish(broker.port, *Lane(broker.port, "lane_3").configuration(), retain=True)
    code, steps = examined(config)
    assert code == 1
    assert [step["well"] for step in steps["http_contact.front"]] == [True, True, True]
    assert steps["http_contact.front"][-1]["answer"] == "http_contact.front = closed"
    (away,) = steps["http_contact.away"]
    assert (away["answer"], away["well"]) == ("refused", False)
    assert "端口" in away["advice"]["zh"]
    assert [step["well"] for step in steps["mqtt_discovery."]] == [True, True, True]
    assert [step["well"] for step in steps["zigbee2mqtt."]] == [True, True, False]
    assert "主题" in steps["zigbee2mqtt."][-1]["advice"]["zh"]


def test_a_broker_that_refuses_topics_is_told_from_silent_devices(tmp_path: Path, door: Door) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker", extra=only_heard("homeassistant/#", folder=tmp_path))
    broker.start()
    try:
        publish(broker.port, *Lane(broker.port, "lane_3").configuration(), retain=True)
        config = write(tmp_path / "site", broker, door)
        config.write_text(config.read_text("utf-8") + "integrations: {mqtt_discovery: {}, zigbee2mqtt: {}}\n", "utf-8")
        code, steps = examined(config)
    finally:
        broker.stop()
    assert code == 1
    assert [step["well"] for step in steps["mqtt_discovery."]] == [True, True, True]
    assert [step["well"] for step in steps["zigbee2mqtt."]] == [True, True, False]
    assert "refused: zigbee2mqtt/" in steps["zigbee2mqtt."][-1]["answer"]
    assert "账号" in steps["zigbee2mqtt."][-1]["advice"]["zh"]


def test_a_device_that_does_not_answer_as_it_should(tmp_path: Path, broker: Broker, door: Door) -> None:
    door.says = b""
    code, steps = examined(write(tmp_path / "site", broker, door))
    assert code == 1
    last = steps["http_contact.front"][-1]
    assert "HTTP 503" in last["answer"]
    assert "电源" in last["advice"]["zh"]


def test_people_read_it(tmp_path: Path, broker: Broker, door: Door) -> None:
    result = CliRunner().invoke(main, ["doctor", "-c", str(write(tmp_path / "site", broker, door))])
    assert result.exit_code == 0
    assert "✓ http_contact.front" in result.output
    assert "1 个正常 well, 0 个有问题 not well" in result.output
    (tmp_path / "site" / "hub.yaml").write_text("site: {}\n", "utf-8")
    broken = CliRunner().invoke(main, ["doctor", "-c", str(tmp_path / "site" / "hub.yaml")])
    assert broken.exit_code == 1
    assert "menshen check" in broken.output

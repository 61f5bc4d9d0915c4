"""The story of a blocked fire lane, told to a whole hub by ``mosquitto_pub`` alone, as any vendor's device would."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integrations.sim.zigbee_door import Door
from tests.kit.broker import Broker, free_port
from tests.kit.http import request
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, Lines, need_mosquitto, publish
from tests.kit.served import Waiting
from tests.kit.sims import Camera, Speaker, Webhook
from tests.kit.site import Ends, short_rule, write_rule, write_site
from tests.kit.wait import stays, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

#: Promised seconds from the limit to the first sound.
PROMPT = 3.0
RULE = "fire_lane_blocked"


@contextmanager
def far_ends(folder: Path) -> Iterator[tuple[Camera, Speaker, Webhook]]:
    with Camera() as camera, Speaker(folder) as speaker, Webhook() as webhook:
        yield camera, speaker, webhook


def known(hub: HubProcess, entity: str) -> None:
    """Wait until the hub knows the device and follows it."""
    until(hub.entities, lambda found: entity in found, what=f"{entity} known")


def value(hub: HubProcess, entity: str) -> tuple[Any, Any]:
    found = hub.entities().get(entity, {})
    return found.get("value"), found.get("quality")


def steps(incident: dict[str, Any]) -> list[str]:
    return [step.get("action") or step["kind"] for step in incident["timeline"]]


@pytest.mark.parametrize("broker_is", ["external", "own"])
def test_a_blocked_lane_is_warned_told_and_closed(
    broker_is: str, tmp_path: Path, hub_of: MakeHub, request: pytest.FixtureRequest
) -> None:
    need_mosquitto()
    if broker_is == "external":
        port = request.getfixturevalue("broker").port
        mqtt = {"url": f"mqtt://127.0.0.1:{port}"}
    else:
        port = free_port()
        mqtt = {"listen": f"127.0.0.1:{port}"}
    with far_ends(tmp_path) as (camera, speaker, webhook):
        ends = Ends(camera=camera.ports["http"], rtp=speaker.ports["rtp"], webhook=webhook.ports["http"])
        config = write_site(tmp_path / "site", mqtt, ends)
        write_rule(config, RULE, "3 s", "2 s", "4 s", "1 s")
        hub = hub_of(config)
        hub.start()
        lane = Lane(port)
        lane.announce()
        known(hub, lane.entity)
        lane.free()
        until(lambda: value(hub, lane.entity), lambda seen: seen == ("absent", "good"))

        camera.scene(vehicle=True)
        began, waiting = time.time(), Waiting()
        lane.occupied()
        until(lambda: hub.phase("lane_3", RULE), lambda phase: phase == "pending", within=2)
        (first,) = until(speaker.heard, bool, within=3 + PROMPT + 4)[:1]
        assert 3 <= first["started_at"] - began <= 3 + PROMPT + waiting.owed
        check_open(hub, until(hub.incidents, within=5))

        until(speaker.heard, lambda heard: len(heard) == 2, within=20)
        (notice,) = until(webhook.got, bool, within=10)
        assert "消防通道 lane_3" in notice["body"]["text"]["zh"]
        assert notice["key"] == notice["body"]["key"]

        lane.free()
        camera.scene(vehicle=False)
        (closed,) = until(hub.incidents, lambda found: found[0]["state"] == "closed", within=8)
        assert closed["close_reason"] == "cleared"
        whole = until(hub.incidents, lambda found: len(found[0]["evidence"]) == 4, within=10)[0]
        order = steps(whole)
        assert order[:6] == ["sensed", "opened", "capture", "say", "incident", "escalated"]
        assert order[6:] == ["say", "escalated", "notify", "sensed", "cleared", "capture", "incident"]
        until(lambda: [one["speaking"] for one in speaker.heard()], lambda speaking: not any(speaking), within=10)
        stays(lambda: (len(speaker.heard()), len(webhook.got())), lambda count: count == (2, 1), during=4)
        code, seconds = hub.terminate()
        assert code == 0
        assert seconds <= 5


def check_open(hub: HubProcess, found: list[dict[str, Any]]) -> None:
    """One incident, open, with its story so far and a picture that is a picture."""
    (incident,) = found
    assert incident["state"] == "open"
    assert incident["severity"] == "high"
    assert steps(incident)[:5] == ["sensed", "opened", "capture", "say", "incident"]
    opened = incident["timeline"][1]
    assert 3 <= opened["for_s"] <= 3.5
    assert opened["late_s"] <= 0.5

    def captured() -> dict[str, Any]:
        (step,) = [step for step in hub.incidents()[0]["timeline"] if step.get("action") == "capture"]
        return dict(step)

    picture = until(captured, lambda step: step["status"] == "done")
    status, data = request("GET", f"{hub.url}api/v1/evidence/{picture['evidence']}", token=hub.token)
    assert (status, data[:2]) == (200, b"\xff\xd8")


def test_twenty_drive_throughs_with_bounces_are_no_alarm(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    with Speaker(tmp_path) as speaker:
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
        short_rule(config, "3 s")
        hub = hub_of(config)
        hub.start()
        lane = Lane(broker.port)
        lane.announce()
        known(hub, lane.entity)
        with Lines(broker.port, lane.topic) as sensor:
            for number in range(20):
                for occupied in (True, False, True, True, False, True):  # the field settles in bounces
                    sensor.send(lane.state(occupied=occupied))
                    time.sleep(0.02)
                time.sleep(0.2 + 0.01 * number)
                sensor.send(lane.state(occupied=False))
                time.sleep(0.05)
        until(lambda: value(hub, lane.entity), lambda seen: seen == ("absent", "good"))
        assert hub.phase("lane_3", "short") is None
        stays(lambda: (hub.incidents(), speaker.begun()), lambda seen: seen == ([], []), during=3.5)
        assert hub.messages()["mqtt_discovery", "decoded"] == 20 * 7


def test_a_retained_alarm_is_never_a_fresh_one(tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker", persistent=True)
    broker.start()
    try:
        with Speaker(tmp_path) as speaker:
            config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
            short_rule(config, "1 s")
            lane = Lane(broker.port)
            lane.announce()
            lane.occupied(retain=True)
            hub = hub_of(config)
            hub.start()
            silent_with_retained(hub, lane, speaker, 0)

            began, waiting = time.time(), Waiting()
            lane.occupied()  # the live repeat
            (said,) = until(speaker.heard, bool, within=1 + PROMPT + 4)
            assert 1 <= said["started_at"] - began <= 1 + PROMPT + waiting.owed

            lane.free()
            until(hub.incidents, lambda found: found[0]["state"] == "closed", within=8)
            broker.kill()  # it still keeps "occupied", and says so again at the reconnect
            broker.start()
            until(lambda: hub.said("mqtt.connected")[1:], within=10, what="reconnect")
            silent_with_retained(hub, lane, speaker, 1)

            hub.kill()
            hub.start()
            until(lambda: hub.said("mqtt.connected"), within=10)
            silent_with_retained(hub, lane, speaker, 1)

            lane.occupied()
            until(speaker.heard, lambda heard: len(heard) == 2, within=1 + PROMPT + 4)
            assert len(hub.incidents()) == 2
    finally:
        broker.stop()


def silent_with_retained(hub: HubProcess, lane: Lane, speaker: Speaker, warnings: int) -> None:
    """The retained value is shown as not confirmed, and nothing comes of it."""
    until(lambda: value(hub, lane.entity), lambda seen: seen == ("present", "stale"))
    stays(lambda: hub.phase("lane_3", "short"), lambda phase: phase is None, during=2.5)
    assert len(speaker.begun()) == len(hub.incidents()) == warnings


def test_a_zigbee2mqtt_door_that_stays_open(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    with Speaker(tmp_path) as speaker, Webhook() as webhook:
        ends = Ends(play=speaker.ports["http"], webhook=webhook.ports["http"])
        config = write_site(tmp_path / "site", {"url": broker.url}, ends, lanes=(), door=True)
        write_rule(config, "unit_door_held_open", "2 s", "2 s", "1 s")
        hub = hub_of(config)
        hub.start()
        door = Door("0x00158d0004866f11", "unit_5_1", "zigbee2mqtt")
        for said in (door.bridge("online"), door.devices(), door.availability()):
            publish(broker.port, said.topic, said.payload, retain=True)
        entity = "zigbee2mqtt.0x00158d0004866f11_contact"
        known(hub, entity)
        publish(broker.port, "zigbee2mqtt/unit_5_1", '{"contact": true, "battery": 97}')
        until(lambda: value(hub, entity), lambda seen: seen == ("closed", "good"))

        began, waiting = time.time(), Waiting()
        publish(broker.port, "zigbee2mqtt/unit_5_1", '{"contact": false, "battery": 97}')
        (said_once,) = until(speaker.heard, bool, within=2 + PROMPT + 4)
        assert 2 <= said_once["started_at"] - began <= 2 + PROMPT + waiting.owed
        assert said_once["via"] == "http"
        assert said_once["volume"] in {70, 50}, "softer at night"
        until(webhook.got, within=10)
        publish(broker.port, "zigbee2mqtt/unit_5_1", '{"contact": true, "battery": 97}')
        (closed,) = until(hub.incidents, lambda found: found[0]["state"] == "closed", within=8)
        assert closed["rule"] == "unit_door_held_open"
        assert len(speaker.heard()) == len(webhook.got()) == 1


def test_maintenance_holds_the_warning_until_it_ends(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    with Speaker(tmp_path) as speaker:
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
        write_rule(config, RULE, "2 s", "20 s", "30 s", "1 s")
        hub = hub_of(config)
        hub.start()
        lane = Lane(broker.port)
        lane.announce()
        known(hub, lane.entity)
        hub.mode("maintenance", on=True)
        lane.occupied()
        until(lambda: hub.phase("lane_3", RULE), lambda phase: phase == "pending", within=3)
        stays(lambda: (speaker.begun(), hub.incidents()), lambda seen: seen == ([], []), during=3.5)
        assert hub.phase("lane_3", RULE) == "pending"

        ended, waiting = time.time(), Waiting()
        hub.mode("maintenance", on=False)
        (said,) = until(speaker.heard, bool, within=PROMPT + 4)
        assert 0 <= said["started_at"] - ended <= PROMPT + waiting.owed
        assert [incident["state"] for incident in hub.incidents()] == ["open"]

"""Parts fail: the rest goes on, what failed is tried again within its limits, and the page says why."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from integrations.sim.zigbee_door import Door
from tests.kit.broker import Broker, free_port
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto, publish
from tests.kit.served import Waiting
from tests.kit.sims import Camera, Speaker, Webhook, free_udp_port
from tests.kit.site import DOOR, Ends, short_rule, write_rule, write_site
from tests.kit.store import rows
from tests.kit.wait import stays, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

RULE = "fire_lane_blocked"
#: Promised seconds: from the limit to the first sound, and for a broker that is back to be found.
PROMPT, RECONNECT = 3.0, 10.0


def command(hub: HubProcess, action: str) -> dict[str, Any]:
    """Return the first step of the only incident with that action."""
    found = [step for incident in hub.incidents() for step in incident["timeline"] if step.get("action") == action]
    return found[0] if found else {"status": None, "attempts": 0, "reason": ""}


def started(config: Path, hub_of: MakeHub, *lanes: Lane) -> HubProcess:
    """Start a hub that knows the lanes."""
    hub = hub_of(config)
    hub.start()
    for lane in lanes:
        lane.announce()
        until(hub.entities, lambda known, name=lane.entity: name in known)  # type: ignore[misc]
    return hub


def test_camera_speaker_and_webhook_are_off(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    camera_port = free_port()
    with Webhook(fail=2) as webhook:
        ends = Ends(camera=camera_port, rtp=free_udp_port(), webhook=webhook.ports["http"])
        config = write_site(tmp_path / "site", {"url": broker.url}, ends)
        write_rule(config, RULE, "1 s", "40 s", "50 s", "1 s", more="stale_after: 4 s\n")
        path = config.parent / "rules" / f"{RULE}.yaml"
        text = path.read_text("utf-8").replace(
            "  - capture: snapshot\n  - say:", "  - notify: guard\n  - capture: snapshot\n  - say:"
        )
        path.write_text(text, "utf-8")
        lane = Lane(broker.port)
        hub = started(config, hub_of, lane)
        waiting = Waiting()
        lane.occupied()

        tried = until(lambda: command(hub, "capture"), lambda step: step["attempts"] >= 2, within=1 + PROMPT + 3)
        assert tried["status"] == "started"
        assert "no connection" in tried["reason"]
        assert [incident["state"] for incident in hub.incidents()] == ["open"]

        silent = until(lambda: command(hub, "say"), lambda step: step["status"] in {"failed", "dropped"}, within=10)
        assert waiting.served <= 1 + 4 + PROMPT
        assert silent["attempts"] >= 2
        assert silent["reason"]

        told = until(lambda: command(hub, "notify"), lambda step: step["status"] == "done", within=12)
        assert told["attempts"] == 3
        assert [message["repeats"] for message in webhook.got()] == [0]

        with Camera(camera_port):
            taken = until(lambda: command(hub, "capture"), lambda step: step["status"] == "done", within=20)
            assert taken["attempts"] > tried["attempts"]
            assert taken["evidence"]
        reasons = [
            (body["attempt"], body["reason"])
            for (line,) in rows(hub.data, "SELECT body FROM events WHERE kind = 'outcome' ORDER BY seq")
            if (body := json.loads(line))["reason"]
        ]
        assert any("HTTP 503" in reason for _, reason in reasons)
        assert any("cannot send sound" in reason for _, reason in reasons)


@pytest.mark.parametrize("kept", [True, False], ids=["session kept", "session lost"])
def test_a_broker_that_dies_and_comes_back(kept: bool, tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker", persistent=kept)
    broker.start()
    try:
        with Speaker(tmp_path) as speaker:
            config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
            short_rule(config, "5 s")
            lane = Lane(broker.port)
            hub = started(config, hub_of, lane)
            lane.free()
            time.sleep(1.2 if kept else 0)  # mosquitto saves the session once a second
            began, waiting = time.time(), Waiting()
            lane.occupied()
            until(lambda: hub.phase("lane_3", "short"), lambda phase: phase == "pending", within=2)
            time.sleep(1.2 if kept else 0)
            broker.kill()
            until(hub.problems, lambda found: any("broker is away" in problem for problem in found), within=5)
            assert hub.phase("lane_3", "short") == "pending"
            broker.start()
            back = time.time()
            until(lambda: hub.said("link.back"), within=RECONNECT, what="reconnect")
            assert [line["resumed"] for line in hub.said("mqtt.connected")] == [False, kept]
            if not kept:
                stays(speaker.begun, lambda said: said == [], during=max(0.5, began + 6 - time.time()))
                lane.announce()
                lane.occupied()  # the device repeats itself; nobody knew what it had said meanwhile
                back = time.time()
            (said,) = until(speaker.heard, bool, within=RECONNECT + 5)
            assert said["started_at"] >= began + 5
            assert said["started_at"] <= max(began + 5, back + RECONNECT) + PROMPT + waiting.owed
            assert hub.problems() == []
            assert len(hub.incidents()) == 1
    finally:
        broker.stop()


def test_a_broker_that_stays_away_ends_what_was_running(tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker", persistent=True)
    broker.start()
    try:
        with Speaker(tmp_path) as speaker:
            config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
            rule = short_rule(config, "3 s")
            rule.write_text("tolerate_gap: 1 s\n" + rule.read_text("utf-8"), "utf-8")
            lane = Lane(broker.port)
            hub = started(config, hub_of, lane)
            lane.occupied()
            until(lambda: hub.phase("lane_3", "short"), lambda phase: phase == "pending", within=2)
            broker.kill()
            dropped = "SELECT body FROM events WHERE kind = 'pending_dropped'"
            ((body,),) = until(lambda: rows(hub.data, dropped), within=1 + 5)
            assert json.loads(body)["reason"] == "source_unknown"
            stays(speaker.begun, lambda said: said == [], during=3)
            assert hub.incidents() == []
            assert hub.get("zones/lane_3")["status"] == "blind"
            broker.start()
            until(lambda: hub.said("link.back"), within=RECONNECT)
            lane.occupied()
            until(speaker.begun, bool, within=3 + PROMPT + 1)
    finally:
        broker.stop()


def test_a_device_that_went_offline_while_the_hub_was_away_is_not_believed(
    tmp_path: Path, broker: Broker, hub_of: MakeHub
) -> None:
    need_mosquitto()
    with Speaker(tmp_path) as speaker:
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
        short_rule(config, "3 s")
        lane = Lane(broker.port)
        topic, text = lane.configuration()
        availability = {"availability_topic": "magnetometer/lane_3/availability"}
        hub = hub_of(config)
        hub.start()
        publish(broker.port, topic, json.dumps(json.loads(text) | availability), retain=True)
        until(hub.entities, lambda known: lane.entity in known)
        lane.occupied()
        until(lambda: hub.phase("lane_3", "short"), lambda phase: phase == "pending", within=2)
        hub.kill()
        publish(broker.port, availability["availability_topic"], "offline")
        for _ in range(2):  # and a second restart must not forget it
            hub.start()
            until(lambda: rows(hub.data, "SELECT 1 FROM events WHERE kind = 'link_back'"), bool)
            until(lambda: hub.said("mqtt.connected"))
            stays(lambda: hub.entities()[lane.entity]["quality"], lambda quality: quality == "stale", during=2)
            hub.kill()
        assert speaker.begun() == []


def told(hub: HubProcess) -> list[str]:
    """Return what the banner says, but for what a machine that does something else too makes the watchdog say."""
    return [problem for problem in hub.problems() if "held everything up" not in problem]


def test_an_edit_of_a_rule_is_taken_over_or_refused(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    with Speaker(tmp_path) as speaker:
        ends = Ends(rtp=speaker.ports["rtp"], play=speaker.ports["http"])
        config = write_site(tmp_path / "site", {"url": broker.url}, ends, door=True)
        rule = short_rule(config, "1 s")
        write_rule(config, "unit_door_held_open", "10 s", "10 min", "1 s")
        lane = Lane(broker.port)
        hub = started(config, hub_of, lane)
        opening = Waiting()
        opened = leave_door_open(broker.port, hub)  # another rule's `for` runs during all edits

        good = rule.read_text("utf-8")
        rule.write_text(good.replace("vehicle: present", "vehicle: parked"), "utf-8")
        (problem,) = until(lambda: told(hub), within=4)
        assert "rules/short.yaml:3:" in problem
        assert "old rules stay" in problem
        began, waiting = time.time(), Waiting()
        lane.occupied()
        (said,) = until(speaker.heard, bool, within=1 + PROMPT + 2)
        assert 1 <= said["started_at"] - began <= 1 + PROMPT + waiting.owed
        lane.free()
        until(lambda: hub.phase("lane_3", "short"), lambda phase: phase is None, within=5)

        edited = Waiting()
        rule.write_text(good.replace("for: 1 s", "for: 2 s", 1), "utf-8")
        until(lambda: hub.said("rules.changed"), within=6)
        assert edited.served <= 3.5  # a look a second, a rest, and the reading
        assert told(hub) == []
        began, waiting = time.time(), Waiting()
        lane.occupied()
        *_, said = until(speaker.heard, lambda heard: len(heard) == 2, within=2 + PROMPT + 2)
        assert 2 <= said["started_at"] - began <= 2 + PROMPT + waiting.owed

        *_, asked = until(speaker.heard, lambda heard: heard[-1]["via"] == "http", within=10 + PROMPT)
        assert 10 <= asked["started_at"] - opened <= 10 + PROMPT + opening.owed
        (door,) = [found for found in hub.get("activations")["items"] if found["zone"] == "unit_5_1"]
        assert door["late_s"] <= 0.5 + opening.owed


def leave_door_open(port: int, hub: HubProcess) -> float:
    """Pair a door and open it; return when."""
    door = Door("0x00158d0004866f11", "unit_5_1", "zigbee2mqtt")
    for said in (door.bridge("online"), door.devices()):
        publish(port, said.topic, said.payload, retain=True)
    until(hub.entities, lambda known: DOOR in known)
    opened = time.time()
    publish(port, "zigbee2mqtt/unit_5_1", '{"contact": false}')
    until(lambda: hub.phase("unit_5_1", "unit_door_held_open"), lambda phase: phase == "pending", within=3)
    return opened


@pytest.mark.parametrize("state", ["idle", "pending", "speaking", "broker away", "own broker", "told twice"])
def test_sigterm_ends_it_within_five_seconds(state: str, tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker")
    broker.start()
    try:
        with Speaker(tmp_path) as speaker:
            own = free_port()
            mqtt = {"listen": f"127.0.0.1:{own}"} if state == "own broker" else {"url": broker.url}
            config = write_site(tmp_path / "site", mqtt, Ends(rtp=speaker.ports["rtp"]))
            write_rule(config, RULE, "1 s", "20 s", "30 s", "1 s")
            lane = Lane(own if state == "own broker" else broker.port)
            hub = started(config, hub_of, lane)
            if state in {"pending", "speaking"}:
                lane.occupied()
            if state == "pending":
                until(lambda: hub.phase("lane_3", RULE), lambda phase: phase == "pending", within=2)
            if state == "speaking":
                # a few packets in, so that the speaker can tell the repeat from the rest of the first attempt
                until(speaker.heard, lambda heard: bool(heard) and heard[0]["speaking"] and heard[0]["packets"] > 10)
            if state == "broker away":
                broker.kill()
                until(hub.problems, within=5)
            assert hub.pid in hub.family()
            if state == "told twice":
                hub.tell_to_end()
            code, seconds = hub.terminate()
            assert code == 0 or state == "told twice"
            assert seconds <= 5
            assert until(hub.family, lambda left: not left, within=2) == set()
            if state == "speaking":  # and the rest of it is not forgotten
                hub.start()
                until(speaker.heard, lambda heard: heard[0]["repeats"] == 1, within=PROMPT + 4)
                assert command(hub, "say")["repeated"]
    finally:
        broker.stop()


def test_a_second_hub_and_a_port_in_use_are_refused_in_a_sentence(
    tmp_path: Path, broker: Broker, hub_of: MakeHub
) -> None:
    need_mosquitto()
    config = write_site(tmp_path / "site", {"url": broker.url}, Ends())
    short_rule(config, "1 s")
    hub = hub_of(config)
    hub.start()
    code, words = hub.run_again()
    assert code == 1
    assert "a hub runs on" in words
    assert "Traceback" not in words

    other = HubProcess(config, tmp_path / "other")
    port = hub.url.rsplit(":", 1)[1].strip("/")
    code, words = other.run_again(port=port)
    assert code == 1
    assert "port" in words
    assert "Traceback" not in words

    taken = write_site(tmp_path / "taken", {"listen": broker.address}, Ends())
    code, words = HubProcess(taken, tmp_path / "third").run_again()
    assert code == 1
    assert f"another program listens on {broker.address}" in words
    assert "Traceback" not in words
    assert hub.running
    assert hub.ready()

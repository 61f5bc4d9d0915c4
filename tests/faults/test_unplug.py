"""Every device with a far end is unplugged and plugged in again: shown as missing in time, and back without a restart.

All are cut off at once, as by ``kill -9``, and each is asked about for itself. Waits of minutes are seconds here
(tests.kit.impatient, and the limits below); what a device says of itself before its limit makes it missing earlier.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.node_process import CODE
from integrations.axis_speaker.tests import far_end as axis
from integrations.bacnet.tests.site import DEVICE, LIFT
from integrations.sim import dahua_camera as dahua
from integrations.sim import dingtalk_robot as dingtalk
from integrations.sim import feishu_robot as feishu
from integrations.sim import hikvision_camera as hikvision
from integrations.sim import onvif_camera as onvif
from integrations.sim import wecom_robot
from tests.kit.broker import Broker
from tests.kit.demo import free_base
from tests.kit.far_ends import SENSOR, TOKEN
from tests.kit.hub import HubProcess
from tests.kit.impatient import MISSING_AFTER
from tests.kit.mqtt import need_mosquitto
from tests.kit.wait import until
from tests.lies.table import NOBODY, ONE_WAY, TABLE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: Seconds by which a device may be shown late, and seconds until all must be back.
LATE, BACK = 5.0, 30.0
#: Seconds after which a device that shall speak is missing.
SILENT = 3.6
PASSWORD = "a-long-password-of-a-node"


@dataclass
class Site:
    """What the far ends need to know."""

    folder: Path
    broker: Broker
    bus: str
    ports: dict[str, int] = field(default_factory=dict)
    hub: HubProcess | None = None

    def at(self, name: str) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self.ports[name]}"


def devices(site: Site) -> dict[str, dict[str, Any]]:
    """Return the configuration of one device of each integration, by domain."""
    login = {"user": dahua.USER, "password": dahua.PASSWORD, "events": ["motion"], "heartbeat_s": 1, "timeout_s": 2}
    return {
        "axis_speaker": {"url": f"http://{site.at('axis_speaker')}", "user": axis.USER, "password": axis.PASSWORD},
        "bacnet": {"device_id": DEVICE, "address": site.at("bacnet"), "lifts": [LIFT], "timeout_s": 0.3, "poll_s": 0.3},
        "bthome": {"devices": {SENSOR: {"name": "门", "sends": ["opening"], "silent_after_s": 3}}, "timeout_s": 1},
        "dahua": {"address": f"http://{site.at('dahua')}", **login},
        "dingtalk": {"url": f"http://{site.at('dingtalk')}/robot/send?access_token={dingtalk.TOKEN}"},
        "email": {"host": "127.0.0.1", "port": site.ports["email"], "security": "none", "sender": "hub@example.com",
                  "recipients": ["guard@example.com"]},
        "feishu": {"url": f"http://{site.at('feishu')}/open-apis/bot/v2/hook/{feishu.TOKEN}"},
        "field_magnetometer": {"key": PASSWORD, "hold_s": 1, "silent_after_min": round(SILENT / 60, 6)},
        "firmware_node": {"serial": str(site.folder / "node"), "node": "4d53000000000011", "code": CODE},
        "generic_camera": {"snapshot": f"http://{site.at('generic_camera')}/snapshot.jpg"},
        "hikvision": {"address": f"http://{site.at('hikvision')}", **login,
                      "user": hikvision.USER, "password": hikvision.PASSWORD},
        "http_speaker": {"url": f"http://{site.at('http_speaker')}/play"},
        "modbus": {"url": f"tcp://{site.at('modbus')}", "timeout_ms": 500,
                   "maps": [{"map": "lift_generic", "key": "car", "name": "电梯", "unit_id": 1}]},
        "onenet": {"token": TOKEN, "silent_after_h": round(SILENT / 3_600, 6),
                   "bays": {"lane": {"name": "车位", "dev_id": 2016617, "ds_id": "3200_0_5500"}}},
        "onvif": {"url": f"http://{site.at('onvif')}", "user": onvif.USER, "password": onvif.PASSWORD, "timeout_s": 2},
        "osdp": {"port": str(site.folder / "reader"), "readers": {"reader": {"name": "读卡器", "address": 1}}},
        "serial_lines": {"port": str(site.folder / "board"), "expire_s": 60,
                         "lines": [{"entity": "smoke", "text": "SMOKE 0", "means": "clear"}]},
        "sms_gateway": {"url": f"http://{site.at('sms_gateway')}/basic", "method": "GET", "phones": ["13800000000"],
                        "fields": {"m": "{phone}", "c": "{text}"}},
        "wecom": {"url": f"http://{site.at('wecom')}/cgi-bin/webhook/send?key={wecom_robot.KEY}"},
    }  # fmt: skip


#: Found by their messages.
BY_MESSAGE = {
    "lorawan": {"profiles": {"Bosch TPS110": "bosch_tps110"}, "stale_after_h": round(SILENT / 3_600, 6)},
    "mqtt_discovery": {},
    "zigbee2mqtt": {},
}
#: Seconds after which each is missing, where that is not when it is looked at.
LIMITS = {
    "bacnet": 17.0, "bthome": SILENT, "dahua": 3.0, "field_magnetometer": SILENT, "firmware_node": 3.0,
    "hikvision": 3.0, "lorawan": SILENT, "modbus": 3.0, "mqtt_discovery": SILENT, "onenet": SILENT, "onvif": 2.0,
    "osdp": 1.0, "serial_lines": 1.0, "zigbee2mqtt": 1.0,
}  # fmt: skip
COMMANDED = {"camera", "speaker", "relay", "notifier"}
#: The device in the site; the field node pushes under that name.
NAME = {"field_magnetometer": "gate_north"}
DOMAINS = sorted(name for name, row in TABLE.items() if not {NOBODY, ONE_WAY} & set(row.values()))


@contextmanager
def private_bus() -> Iterator[str]:
    """Run a D-Bus daemon; yield its address."""
    with tempfile.TemporaryDirectory(prefix="bus") as folder:  # a socket's path has at most 107 bytes
        command = ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address=unix:dir={folder}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as daemon:
            assert daemon.stdout is not None
            try:
                yield daemon.stdout.readline().decode().strip()
            finally:
                daemon.terminate()


@contextmanager
def far_ends(site: Site) -> Iterator[Callable[[str], None]]:
    """Have what plugs all far ends in and out."""
    assert site.hub is not None
    folder, broker = str(site.folder), site.broker.address
    where = {**site.ports, "bus": site.bus, "hub": site.hub.url, "broker": broker, "folder": folder}
    command = [sys.executable, "-m", "tests.kit.far_ends", json.dumps(where)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        orders, answers = process.stdin, process.stdout
        assert orders is not None
        assert answers is not None

        def plug(order: str) -> None:
            orders.write(f"{order}\n")
            orders.flush()
            if order == "in":
                assert answers.readline(), "the far ends did not start"

        yield plug
        orders.close()


def well(hub: HubProcess) -> set[str]:
    """Return the domains whose device is there: its session runs, and what it senses is trusted."""
    found: dict[str, bool] = {}
    for device in hub.get("devices")["items"]:
        domain, entities = device["integration"], device["entities"]
        sensed = [entity["quality"] for entity in entities if entity["capability"] not in COMMANDED]
        there = device["state"] == "running" and (not sensed or "good" in sensed) and bool(entities)
        found[domain] = found.get(domain, True) and there
    return {domain for domain, there in found.items() if there}


def pulled(hub: HubProcess) -> dict[str, float]:
    """Return after how many seconds each is missing; who never is, is left out."""
    began, seen = time.monotonic(), dict[str, float]()
    while len(seen) < len(DOMAINS) and time.monotonic() < began + max(LIMITS.values()) + LATE:
        there = well(hub)
        for domain in set(DOMAINS) - there - seen.keys():
            seen[domain] = time.monotonic() - began
        time.sleep(0.1)
    return seen


@dataclass
class Plugged:
    """What was seen of each domain, in seconds since all plugs were pulled, and since they were put in again."""

    first: set[str]
    missing: dict[str, float]
    back: set[str]
    problems: list[str]
    lives: int


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugged]:
    need_mosquitto()
    folder = tmp_path_factory.mktemp("unplug")
    with ExitStack() as stack:
        broker = Broker(folder / "broker")
        broker.start()
        stack.callback(broker.stop)
        site = Site(folder, broker, stack.enter_context(private_bus()))
        names = (*DOMAINS, "nodes")
        site.ports = {name: port for port, name in enumerate(names, free_base(len(names)))}
        hub = site.hub = HubProcess(write(site), folder / "data", "tests.kit.impatient")
        stack.callback(hub.close)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("MENSHEN_SIM_PASSWORD", PASSWORD)  # the field node's
        hub.start(env={"DBUS_SYSTEM_BUS_ADDRESS": site.bus})
        plug = stack.enter_context(far_ends(site))
        plug("in")
        first = until(lambda: well(hub), lambda found: found >= set(DOMAINS), within=120)
        plug("out")
        missing = pulled(hub)
        plug("in")
        with suppress(AssertionError):  # each is asked about for itself
            until(lambda: well(hub), lambda found: found >= set(DOMAINS), within=BACK)
        yield Plugged(first, missing, well(hub), hub.problems(), hub.lives)


def write(site: Site) -> Path:
    """Write hub.yaml."""
    named = {domain: {NAME.get(domain, "unplugged"): {"name": domain, **values}}
             for domain, values in devices(site).items()}  # fmt: skip
    del named["bthome"]["unplugged"]["name"]
    del named["osdp"]["unplugged"]["name"]
    whole = {
        "site": {"id": "unplug", "name": "拔掉电源的小区"},
        "mqtt": {"url": site.broker.url},
        "zones": {"lane": {"kind": "fire_lane", "name": "通道", "bind": {"vehicle": "onenet.unplugged_lane"}}},
        "integrations": BY_MESSAGE,
        "devices": named,
    }
    config = site.folder / "site" / "hub.yaml"
    (config.parent / "rules").mkdir(parents=True)
    config.write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
    return config


@pytest.mark.parametrize("domain", DOMAINS)
def test_it_is_missing_in_time_and_back_without_a_restart(domain: str, plugged: Plugged) -> None:
    assert domain in plugged.first
    limit = LIMITS.get(domain, MISSING_AFTER)
    assert plugged.missing.get(domain, float("inf")) <= limit + LATE
    assert domain in plugged.back, plugged.problems
    assert plugged.lives == 1


def test_each_has_a_device() -> None:
    assert {*LIMITS} <= {*DOMAINS}

"""The hub in trouble is one incident for each cause beside the banner; it closes by itself (F4, F5, F8)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.clock import faketime
from tests.kit.disk import SMALL, faulty, fill
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.site import Ends, short_rule, watch_itself, write_site
from tests.kit.wait import stays, until

LONG = "SOAK_KILLS" in os.environ
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180 if not LONG else 800)]

#: Promised seconds until a fault is shown (the rule waits one more), and until it is over.
SHOWN, RECOVERED = 5.0, 10.0


def begin(
    tmp_path: Path, broker: Broker, hub_of: MakeHub, *, env: Mapping[str, str] | None = None, sees: bool = False
) -> HubProcess:
    """Start a hub that watches itself, and a camera that is not there."""
    need_mosquitto()
    config = write_site(tmp_path / "site", {"url": broker.url}, Ends())
    short_rule(config, "1 s")
    watch_itself(config, "1 s", "1 s")
    if sees:
        site = json.loads(config.read_text("utf-8"))
        square = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
        site["zones"]["lane_3"]["bind"] = {"camera": "generic_camera.lane_3"}
        site["zones"]["lane_3"]["see"] = {"camera": "generic_camera.lane_3", "as": "lane", "polygon": square}
        site["devices"] = {"generic_camera": {"lane_3": {"name": "摄像机", "rtsp": "rtsp://127.0.0.1:9/lane"}}}
        config.write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    hub = hub_of(config)
    hub.start(env=env)
    until(lambda: hub.said("mqtt.connected"), bool)
    assert hub.token
    return hub


def stand(hub: HubProcess) -> dict[str, list[str]]:
    """Return the states of all incidents by their zone."""
    found: dict[str, list[str]] = {}
    for incident in hub.incidents():
        found.setdefault(incident["zone"], []).append(incident["state"])
    return found


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def test_a_full_disk_is_two_incidents_with_what_to_do(
    small_disk: Path, tmp_path: Path, broker: Broker, hub_of: MakeHub, browser: Browser
) -> None:
    hub = begin(tmp_path, broker, hub_of)
    desk = Desk(browser, hub.url, 390, 844)
    desk.open(f"#token={hub.token}")
    until(lambda: (small_disk / "reserve").exists(), within=5)
    most = small_disk / "most"
    most.write_bytes(b"\0" * int(shutil.disk_usage(small_disk).free - 0.08 * SMALL))
    until(lambda: stand(hub), lambda found: found == {"hub_disk": ["open"]}, within=SHOWN + 1)
    expect(desk.hook("banner-problems")).to_contain_text("请尽快清理")
    card = desk.hook("incident-card", '[data-state="open"]')
    expect(card).to_contain_text("主机自身故障")
    card.click()
    expect(desk.hook("trouble-advice")).to_contain_text("请删除不用的文件")
    desk.fits()
    desk.shoot(Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots"), "trouble-390")

    filler = fill(small_disk)
    until(lambda: hub.said("disk.reserve_given_up"), within=SHOWN)
    filler = fill(small_disk) if filler.exists() else filler
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 512):
            pass
    lane = Lane(broker.port)
    lane.announce()
    expect(desk.hook("banner-problems")).to_contain_text("日志无法写入")
    until(lambda: hub.phase("hub_journal", "hub_trouble"), lambda phase: phase == "active", within=SHOWN)
    filler.unlink()
    most.unlink()
    over = {"hub_disk": ["closed"], "hub_journal": ["closed"]}
    until(lambda: stand(hub), lambda found: found == over, within=RECOVERED + 4)
    assert hub.problems() == []
    desk.check()
    desk.context.close()


def test_a_disk_with_faults_is_an_incident_when_it_writes_again(
    tmp_path: Path, broker: Broker, hub_of: MakeHub
) -> None:
    hub = begin(tmp_path, broker, hub_of)
    with faulty(hub, "EIO", "fdatasync,fsync"):
        Lane(broker.port).announce()
        until(hub.problems, lambda found: any("faults" in one for one in found), within=SHOWN)
        until(lambda: hub.phase("hub_journal", "hub_trouble"), lambda phase: phase == "active", within=SHOWN)
        assert hub.incidents() == [], "nothing is shown as recorded that is not"
    until(lambda: stand(hub), lambda found: found == {"hub_journal": ["closed"]}, within=RECOVERED + 4)


@pytest.mark.skipif(not LONG, reason="a broker is trouble after a minute: `make soak`")
def test_a_broker_that_stays_away_is_an_incident(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    hub = begin(tmp_path, broker, hub_of)
    broker.kill()
    until(lambda: stand(hub), lambda found: found == {"hub_broker": ["open"]}, within=60 + SHOWN)
    broker.start()
    until(lambda: stand(hub), lambda found: found == {"hub_broker": ["closed"]}, within=RECOVERED + 2)


def test_a_clock_that_jumps_is_an_incident(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    """One, however often it jumps; over when it has not for ten minutes (by `make soak`; else in unit tests only)."""
    offset = tmp_path / "offset"
    hub = begin(tmp_path, broker, hub_of, env=faketime(offset))
    offset.write_text("+3600", "ascii")
    until(lambda: stand(hub), lambda found: found == {"hub_clock": ["open"]}, within=SHOWN)
    offset.write_text("+0", "ascii")  # and right again
    until(lambda: len(hub.said("clock.jumped")), lambda count: count == 2, within=SHOWN)
    stays(lambda: stand(hub), lambda found: found == {"hub_clock": ["open"]}, during=1.5)
    if LONG:
        until(lambda: stand(hub), lambda found: found == {"hub_clock": ["closed"]}, within=600 + 2 * RECOVERED)
        assert hub.problems() == []


def test_a_camera_worker_that_dies_again_and_again_is_an_incident(
    tmp_path: Path, broker: Broker, hub_of: MakeHub
) -> None:
    pytest.importorskip("openvino")
    hub = begin(tmp_path, broker, hub_of, sees=True)
    until(partial(workers, hub), within=20, what="a camera worker runs")

    def killed() -> dict[str, list[str]]:
        for worker in workers(hub):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        return stand(hub)

    until(killed, lambda found: found == {"hub_cameras": ["open"]}, within=SHOWN + 5)
    assert any("camera workers ended" in one for one in hub.problems())
    until(lambda: stand(hub), lambda found: found == {"hub_cameras": ["closed"]}, within=RECOVERED + 20)
    assert not any("camera workers ended" in one for one in hub.problems())


def workers(hub: HubProcess) -> list[int]:
    """Return the process ids of the camera workers."""
    found = []
    for process in hub.family() - {hub.pid}:
        with contextlib.suppress(OSError):  # it may be gone by now
            if b"hub.vision.worker" in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return found

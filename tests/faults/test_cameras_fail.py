"""What cameras do wrong: each is said in words, none keeps a rule from firing, and all are seen again by themselves.

One hub, one camera worker, a lane with a magnetometer beside lanes that have cameras only (issue "Cameras that see").
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cameras import HUGE, SMALL, Cameras, filming
from tests.faults.test_troubles import workers
from tests.kit.broker import Broker
from tests.kit.hub import HubProcess
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.store import rows
from tests.kit.wait import stays, until
from tests.vision.test_worker import lane_film, long

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

#: Cameras over lanes, named for what will be wrong with them, and one over a facade whose every picture is wanted.
FILMS, FACADE = ("unplugged", "noise", "size", "shape", "times"), "facade"
#: Where it is noted that a camera's pictures have another size.
NOTED = "SELECT body FROM events WHERE kind = 'camera_resized'"
#: Promised seconds: from a rule's limit to its incident, until a fault is said, and until it is over.
PROMPT, SAID, OVER = 3.0, 15.0, 25.0
#: Seconds that a picture may be late though the box is too weak, and megabytes by which the worker may grow meanwhile.
LATE, GROWTH = 6.0, 400.0


@dataclass(frozen=True)
class Estate:
    """The hub, its cameras, and the lane with the magnetometer."""

    hub: HubProcess
    cameras: Cameras
    lane: Lane

    def sight(self, name: str) -> dict[str, Any]:
        found = {item["camera"]: item for item in self.hub.get("sight")["items"]}
        return dict(found[f"generic_camera.{name}"])

    def trouble(self, name: str) -> str:
        """Return what is wrong with a camera: the same on its page, in the banner and in the list of devices (健康)."""
        text = (self.sight(name)["trouble"] or {"zh": ""})["zh"]
        listed = {item["id"]: item["sight"] for item in self.hub.get("upkeep")["items"]}
        there = (listed[f"generic_camera/{name}"] or {"zh": ""})["zh"]
        banner = [one["zh"] for one in self.hub.get("site")["problems"] if text and text in one["zh"]]
        return text if text == there and bool(text) == bool(banner) else ""

    def well(self, name: str) -> bool:
        now = self.sight(name)
        (seen,) = now["seen"]
        empty = "" if name == FACADE else "absent"  # what is not known yet cannot be doubted later
        return (now["link"], now["trouble"], seen["state"]) == ("streaming", None, empty)

    def quality(self, name: str) -> str:
        return str(self.hub.entities()[f"vision.{name}_vehicle"]["quality"])

    def rule_fires(self) -> None:
        """Have a vehicle stand in the lane without a camera: an incident in time, and over when it has gone."""

        def open_() -> list[dict[str, Any]]:
            return [one for one in self.hub.incidents() if one["zone"] == "lane_3" and one["state"] != "closed"]

        self.lane.occupied()
        until(open_, within=1 + PROMPT, what="the rule of the magnetometer fires")
        self.lane.free()
        until(open_, lambda left: not left, within=OVER, what="its incident is over")


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    need_mosquitto()
    pytest.importorskip("av")
    folder = tmp_path_factory.mktemp("cameras")
    broker = Broker(folder / "broker")
    broker.start()
    with filming(FILMS, FACADE) as cameras:
        hub = HubProcess(site(folder / "site", broker, cameras.ports), folder / "data")
        try:
            hub.start()
            lane = Lane(broker.port)
            lane.announce()
            until(hub.entities, lambda known: lane.entity in known)
            found = Estate(hub, cameras, lane)
            until(lambda: [name for name in (*FILMS, FACADE) if not found.well(name)], lambda left: not left, within=90)
            yield found
        finally:
            hub.close()
            broker.stop()


def site(folder: Path, broker: Broker, ports: dict[str, int]) -> Path:
    """Write a site: a lane with a magnetometer, lanes with cameras, a facade."""
    config = write_site(folder, {"url": broker.url}, Ends())
    short_rule(config, "1 s")
    made = json.loads(config.read_text("utf-8"))
    corners = [[round(x, 4), round(y, 4)] for x, y in lane_film(500, 501)[0].polygon]
    for name in ports:
        see: dict[str, Any] = {"camera": f"generic_camera.{name}", "as": "falling"}
        kind = "facade"
        if name != FACADE:
            see, kind = {**see, "as": "lane", "polygon": corners}, "fire_lane"
        made["zones"][name] = {"kind": kind, "name": name, "bind": {"camera": see["camera"]}, "see": see}
    streams = {name: {"name": name, "rtsp": f"rtsp://127.0.0.1:{port}/lane"} for name, port in ports.items()}
    made["devices"] = {"generic_camera": streams}
    config.write_text(json.dumps(made, ensure_ascii=False), "utf-8")
    return config


def test_five_that_go_wrong_at_once_are_said_each_and_seen_again(estate: Estate) -> None:
    tell = estate.cameras.tell
    tell("unplugged", plugged=False)
    tell("noise", garbage=True)
    tell("size", scale=2)
    tell("shape", rows=140)
    tell("times", wild=True)
    words = {  # those first that say so soonest
        "unplugged": "没有视频流，请检查电源和网线",
        "noise": "视频在传但画面读不出",
        "shape": "画面比例变了（320×180 → 320×140）",
    }
    until(lambda: estate.trouble("times"), lambda said: "视频时间戳混乱" in said, within=SAID)
    tell("times", wild=False)  # it is believed again after 15 s without a jump
    for name, wanted in words.items():
        until(lambda name=name: estate.trouble(name), lambda said, w=wanted: w in said, within=SAID, what=name)  # type: ignore[misc]
    until(lambda: estate.sight("size"), lambda now: (now["width"], now["height"]) == (640, 360), within=SAID)
    until(lambda: resized(estate.hub), lambda found: "generic_camera.size" in found, within=SAID)
    until(lambda: estate.well("size"), within=SAID, what="the same place in another size")
    until(lambda: {estate.quality(name) for name in ("unplugged", "noise")}, lambda found: found == {"stale"})
    estate.rule_fires()

    tell("unplugged", plugged=True)
    tell("noise", garbage=False)
    tell("size", scale=1)
    tell("shape", rows=0)
    until(lambda: [name for name in FILMS if not estate.well(name)], lambda left: not left, within=OVER)
    until(lambda: {estate.quality(name) for name in FILMS}, lambda found: found == {"good"}, within=OVER)


def resized(hub: HubProcess) -> set[str]:
    """Return the cameras of which it is noted that their pictures have another size."""
    return {json.loads(body)["camera"] for (body,) in rows(hub.data, NOTED)}


def test_a_worker_that_is_killed_is_said_and_sees_again(estate: Estate) -> None:
    (worker,) = workers(estate.hub)
    os.kill(worker, signal.SIGKILL)
    until(lambda: estate.trouble("size"), lambda said: "识别进程中断，正在重启" in said, within=SAID)
    estate.rule_fires()
    until(lambda: [name for name in FILMS if not estate.well(name)], lambda left: not left, within=OVER)
    (again,) = workers(estate.hub)
    assert again != worker


@long
def test_a_camera_of_4k_on_a_weak_box_is_said_and_late_no_further(estate: Estate) -> None:
    """The worker has half of one core at most; every picture of the 4K camera is wanted, which needs several."""
    (worker,) = workers(estate.hub)
    with half_a_core(worker):
        before = resident(worker)
        estate.cameras.tell(FACADE, huge=True)
        until(lambda: estate.trouble(FACADE), lambda said: "本机来不及看" in said, within=2 * SAID)
        estate.rule_fires()
        now = estate.sight(FACADE)
        assert (now["width"], now["height"]) == HUGE
        assert now["skipped"] > 0
        others = {name: estate.sight(name)["decoded"] for name in FILMS}
        stays(lambda: estate.sight(FACADE)["lag_s"], lambda lag: lag < LATE, during=5)
        assert resident(worker) - before < GROWTH, "nothing grows"
        more = {name: estate.sight(name)["decoded"] - others[name] for name in FILMS}
        assert min(more.values()) >= 2, "the others keep their share: a key frame a second each"
        assert all(estate.well(name) for name in FILMS)
        estate.rule_fires()
    estate.cameras.tell(FACADE, huge=False)
    until(lambda: estate.sight(FACADE), lambda now: (now["width"], now["height"]) == SMALL, within=OVER)
    until(lambda: estate.well(FACADE), within=2 * OVER)


@contextmanager
def half_a_core(process: int) -> Iterator[None]:
    """Let a process share one core with another one that is always busy."""
    cores = os.sched_getaffinity(0)
    core = {min(cores)}
    busy = multiprocessing.get_context("spawn").Process(target=_busy, args=(core,), daemon=True)
    busy.start()
    bind(process, core)
    try:
        yield
    finally:
        busy.kill()
        busy.join(5)
        bind(process, cores)


def bind(process: int, cores: set[int]) -> None:
    """Keep all threads of a process, and those that they start, on these cores."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def _busy(cores: set[int]) -> None:
    os.sched_setaffinity(0, cores)
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        pass


def resident(process: int) -> float:
    """Return the memory of a process in megabytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:"))) / 1024

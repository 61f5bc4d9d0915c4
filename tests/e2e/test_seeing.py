"""A hub whose lane has a camera and no magnetometer: a car is seen, warned about and filmed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest

from tests.kit.broker import Broker
from tests.kit.http import request
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.sims import Speaker
from tests.kit.site import Ends, write_site
from tests.kit.wait import until
from tests.vision.film import Film, Stage, showing
from tests.vision.lane_scenes import Scene
from tests.vision.test_worker import lane_film

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

RULE = """\
rule: seen
zones: {kind: fire_lane}
trigger: {vehicle: present, for: 1 s}
actions:
  - say: beep
  - capture: snapshot
  - capture: {before: 4 s, after: 2 s}
  - open_incident: {severity: medium}
clear: {vehicle: absent, for: 1 s, actions: [{close_incident: cleared}]}
"""


@contextmanager
def camera(film: Film) -> Iterator[int]:
    """Show a film in a thread of its own, as a camera does; give its port."""
    ready, ports, over = threading.Event(), [], asyncio.Event()
    loop = asyncio.new_event_loop()

    async def show() -> None:
        async with showing(film) as port:
            ports.append(port)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(show()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


def seeing_site(folder: Path, broker: Broker, scene: Scene, port: int, play: int) -> Path:
    """Write a site with one lane, one camera that sees it, and no other sensor."""
    config = write_site(folder, {"url": broker.url}, Ends())
    site = json.loads(config.read_text("utf-8"))
    lane = site["zones"]["lane_3"]
    lane["bind"] = {"camera": "generic_camera.lane_3", "speaker": "http_speaker.lane_3"}
    corners = [[round(x, 4), round(y, 4)] for x, y in scene.polygon]
    lane["see"] = {"camera": "generic_camera.lane_3", "as": "lane", "polygon": corners}
    stream = {"name": "北侧摄像机", "rtsp": f"rtsp://127.0.0.1:{port}/lane"}
    horn = {"name": "北侧喇叭", "url": f"http://127.0.0.1:{play}/play"}
    site["devices"] = {"generic_camera": {"lane_3": stream}, "http_speaker": {"lane_3": horn}}
    config.write_text(json.dumps(site, ensure_ascii=False, indent=1), "utf-8")
    (config.parent / "rules" / "seen.yaml").write_text(RULE, "utf-8")
    return config


def sight(hub: HubProcess) -> dict[str, Any]:
    (found,) = hub.get("sight")["items"]
    return dict(found)


def clips(hub: HubProcess) -> list[dict[str, Any]]:
    return [item for item in hub.get("evidence")["items"] if item["media_type"] == "video/mp4"]


def worker_of(hub: HubProcess) -> int:
    """Return the process id of the camera worker."""
    for process in hub.family() - {hub.pid}:
        if b"hub.vision.worker" in Path(f"/proc/{process}/cmdline").read_bytes():
            return process
    raise AssertionError("no camera worker runs")


def test_a_lane_with_nothing_but_a_camera(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    scene, show = lane_film(10, 30)
    stage = Stage(show)
    with camera(Film(stage)) as port, Speaker(tmp_path) as speaker:
        hub = hub_of(seeing_site(tmp_path / "site", broker, scene, port, speaker.ports["http"]))
        hub.start()
        until(lambda: sight(hub)["seen"][0]["state"] == "absent", within=40, what="the lane is seen empty")
        stage.go(25)
        until(hub.incidents, within=40, what="the parked car is an incident")
        seen = sight(hub)
        assert (seen["link"], seen["seen"][0]["state"]) == ("streaming", "present")
        assert len(seen["seen"][0]["boxes"]) == 1
        until(speaker.heard, within=10, what="the loudspeaker warns")
        until(lambda: clips(hub), within=20, what="a clip is kept")
        os.kill(worker_of(hub), signal.SIGKILL)
        until(lambda: sight(hub)["link"] == "lost", what="the dead worker is told")
        until(lambda: sight(hub)["link"] == "streaming" and sight(hub)["seen"][0]["state"] == "present", within=30)
        (incident,) = hub.incidents()
        assert incident["state"] != "closed", "a worker that died ends no warning"
        status, picture = request("GET", f"{hub.url}api/v1/sight/generic_camera.lane_3/picture", token=hub.token)
        assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
        stage.go(60)
        until(lambda: hub.incidents()[0]["state"] == "closed", within=40, what="the car has left")
        assert len(hub.incidents()) == len(speaker.heard()) == 1
        (kept,) = clips(hub)
        status, content = request("GET", hub.url.rstrip("/") + kept["url"], token=hub.token)
    assert status == 200
    assert hashlib.sha256(content).hexdigest() == kept["sha256"]
    assert not list((hub.data / "clips").iterdir()), "nothing is left where it was written"
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with av.open(str(path)) as file:
        pictures = [(frame.key_frame, frame.time) for frame in file.decode(video=0)]
    assert pictures[0][0], "it starts with a picture that can be shown"
    assert pictures[-1][1] - pictures[0][1] >= 5.5, "four seconds before and two after"

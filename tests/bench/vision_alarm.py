"""From a fall in a picture to the loudspeaker, and what cameras that take a whole core do to the hub beside them.

Real RTSP, real workers, the real hub. ``ALARM_SECONDS`` sets how long things fall (default 130: about 120 falls).
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from hub.model.site import Decode
from hub.vision.falling.calibration import Facade
from hub.vision.falling.detector import FallDetector
from hub.vision.falling.event import Fall
from hub.vision.worker.parent import Workers, enough
from hub.vision.worker.wire import Falls, Watch
from tests.bench.ears import Ears
from tests.bench.figure import Figure, percentile
from tests.bench.reel import Reel, coded, decoded, rolling
from tests.kit.broker import Broker, find_mosquitto
from tests.kit.held import Metronome
from tests.kit.hub import HubProcess
from tests.kit.site import Ends, write_site
from tests.kit.wait import until
from tests.vision.facade import Scene
from tests.vision.movers import FPS

BENCH = "vision"
#: Cameras of 640x360 with one fall in each eight seconds: a fall is over for the hub after five. Seed of the facade.
CAMERAS, LASTS, SEED = 8, 8.0, 7
#: Cameras of 1080p that together want more than all cores, each picture looked at (5 to 6 fill a core); seconds of the
#: run beside them: the ring holds 60; seconds until all are watched, and of the idle run before.
BUSY, FULL_S, WARM_S, IDLE_S = 9 * (os.cpu_count() or 2), 70.0, 15.0, 30.0
#: The usual rate (12 in ten minutes on one loudspeaker) would silence every fourth fall.
RULE = (
    "rule: at_once\nzones: {kind: facade}\ntrigger: {falling: active}\nactions: [{say: beep}]\n"
    "rate: {times: 60, within: 10 min}\n"
    "clear: {falling: clear, actions: []}\n"
)


def figures() -> Iterator[Figure]:
    """Measure; raises RuntimeError where Mosquitto is missing."""
    if find_mosquitto() is None:
        raise RuntimeError("mosquitto is not installed: the hub needs a broker")
    yield from alarms()
    yield from beside()


def alarms() -> Iterator[Figure]:
    """Let things fall before several cameras, and listen at the loudspeakers."""
    scene = Scene(SEED, width=640, height=360)
    truth = scene.fall(2.0, 10, 70, least=18)
    reel = coded(scene, LASTS, "2M")
    decided = _decided(reel, scene.facade(), truth.released)
    seconds = float(os.environ.get("ALARM_SECONDS", "130"))
    now = time.monotonic()
    begins = [now + 3 + number * LASTS / CAMERAS for number in range(CAMERAS)]
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name, Ears(CAMERAS) as ears:
        with rolling(reel, begins) as ports:
            broker = Broker(Path(name) / "broker")
            broker.start()
            hub = HubProcess(_site(Path(name), broker, scene, ports, ears.ports), Path(name) / "data")
            try:
                hub.start()
                until(lambda: _watched(hub), lambda count: count == CAMERAS, within=60, what="every camera is watched")
                since = time.monotonic() + 4.0
                time.sleep(seconds + 4.0)
            finally:
                hub.close()
                broker.stop()
        falls = [
            (number, when)
            for number, begin in enumerate(begins)
            for turn in range(int((since + seconds - begin) / LASTS))
            if (when := begin + turn * LASTS + truth.released) > since
        ]
        heard = [(when, _first_after(ears.began[number], when)) for number, when in falls]
    told = [after - when for when, after in heard if after is not None]
    note = f"{len(told)} of {len(falls)} falls heard; {CAMERAS} cameras of 640x360 at {FPS} pictures/s"
    lag = decided - truth.released
    for part, label in ((0.5, "p50"), (0.99, "p99")):
        value = round(percentile(told, part) - lag, 3)
        yield Figure(BENCH, f"vision.detection_to_speaker_{label}_s", value, "s", len(told), f"{note}; want 1 (p99)")
    value = round(percentile(told, 0.95), 3)
    yield Figure(BENCH, "vision.release_to_speaker_p95_s", value, "s", len(told), f"decided {lag:.2f} s after release")


def beside() -> Iterator[Figure]:
    """Hold a loop beside workers that have more to do than all cores can: what they take, and how it is held up.

    ``busy``: as many workers as a hub starts; ``full``: one on each core, so that nothing is left for the hub.
    """
    reel = coded(Scene(SEED, width=1920, height=1080), 3.0, "4M")
    cores = os.cpu_count() or 2
    with rolling(reel, [time.monotonic() + 2 + number / BUSY for number in range(BUSY)]) as ports:
        for name, count, seconds in (("busy", enough(BUSY), FULL_S), ("full", cores, IDLE_S)):
            idle, busy, share, grown = asyncio.run(_beside(ports, count, seconds))
            note = f"of {cores} cores, by {count} workers for {BUSY} cameras of 1080p, every picture of which is wanted"
            yield Figure(BENCH, f"vision.workers_cores_{name}", round(share, 2), "", 1, note)
            for label, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
                there, before = percentile(busy.lags, part) * 1000, percentile(idle.lags, part) * 1000
                waited = f"waiting for a processor {_waited(busy, part):.1f}, idle {_waited(idle, part):.1f}"
                note = f"idle, in the same run: {before:.1f}; {waited} (the rest is the machine under it)"
                yield Figure(BENCH, f"vision.hub_lag_{label}_ms_{name}", round(there, 1), "ms", len(busy.lags), note)
            if name == "busy":
                note = "growth of the workers: 1080p at 4 Mbit/s at most, every picture wanted, 60 s kept"
                yield Figure(BENCH, "vision.memory_mb_per_camera", round(grown / BUSY, 1), "MB", BUSY, note)


async def _beside(ports: list[int], count: int, seconds: float) -> tuple[Metronome, Metronome, float, float]:
    """Return the loop's lags idle and busy, the cores that the workers took, and the megabytes by which they grew."""
    idle, busy = Metronome(keeps=True), Metronome(keeps=True)
    async with Workers(count, lambda _: None) as workers:
        await asyncio.sleep(3)
        await _watching(idle, IDLE_S)
        pids = [one.process.pid for one in workers._workers if one.process is not None]
        before = sum(map(_resident, pids))
        for number, port in enumerate(ports):
            workers.watch(Watch(f"camera_{number}", f"rtsp://127.0.0.1:{port}/lane", Decode.FULL, (), Falls("f")))
        await asyncio.sleep(WARM_S)
        spent, began = sum(map(_spent, pids)), time.monotonic()
        await _watching(busy, seconds)
        share = (sum(map(_spent, pids)) - spent) / (time.monotonic() - began)
        return idle, busy, share, sum(map(_resident, pids)) - before


def _waited(metronome: Metronome, part: float) -> float:
    """Return for how many milliseconds it was ready to go on, and others had the processor."""
    waits = [lag - held for lag, held in zip(metronome.lags, metronome.holds, strict=True)]
    return percentile(waits, part) * 1000


async def _watching(metronome: Metronome, seconds: float) -> None:
    task = asyncio.create_task(metronome.watch())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _decided(reel: Reel, facade: Facade, released: float) -> float:
    """Return when the detector has seen enough of the fall, in seconds of the reel, without a hub around it."""
    detector = FallDetector(facade)
    for number, luma in enumerate([*decoded(reel)] * 2):
        for event in detector.step(luma, number / FPS):
            if isinstance(event, Fall) and event.released > LASTS:
                return event.decided - LASTS
    raise RuntimeError(f"the fall at {released:.2f} s is not seen at all")


def _first_after(began: list[float], when: float) -> float | None:
    at = bisect_left(began, when)
    return began[at] if at < len(began) and began[at] < when + LASTS - 2 else None


def _site(folder: Path, broker: Broker, scene: Scene, ports: list[int], horns: list[int]) -> Path:
    config = write_site(folder / "site", {"url": broker.url}, Ends())
    site = json.loads(config.read_text("utf-8"))
    floors = [[round(click.x, 4), round(click.y, 4), click.floor] for click in scene.clicks]
    names = [f"facade_{number}" for number in range(len(ports))]
    site["zones"] = {
        name: {
            "kind": "facade", "name": name, "bind": {"speaker": f"rtp_speaker.{name}"},
            "see": {"camera": f"generic_camera.{name}", "as": "falling", "floors": floors},
        }
        for name in names
    }  # fmt: skip
    site["devices"] = {
        "generic_camera": {
            name: {"name": name, "rtsp": f"rtsp://127.0.0.1:{port}/lane"}
            for name, port in zip(names, ports, strict=True)
        },
        "rtp_speaker": {
            name: {"name": name, "address": "127.0.0.1", "port": port} for name, port in zip(names, horns, strict=True)
        },
    }
    config.write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    (config.parent / "rules" / "at_once.yaml").write_text(RULE, "utf-8")
    return config


def _watched(hub: HubProcess) -> int:
    return sum(one["decoded"] > 2 * FPS for one in hub.get("sight")["items"])


def _resident(pid: int) -> float:
    """Return the memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:"))) / 1024


def _spent(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""The lane part of the report: pictures as the hub burns them in, and what was said of each kind of scene."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import numpy as np

from hub.vision.lane.region import box
from hub.vision.lane.stay import Stay
from hub.vision.lane.watch import LaneWatch
from hub.vision.overlay import drawn, to_jpeg
from tests.bench.vision_lane import SEED, Run
from tests.vision.lane_scenes import LIMIT, Scene, make
from tests.vision.lane_score import PROMPT

#: The kind of scene whose warning is shown for each light; so many times the analysed picture is one that is shown.
WARNED, LARGER = {"day": "parked", "dusk": "parked_dusk", "night": "parked_night"}, 4


def pictures(folder: Path) -> list[str]:
    """Write the picture of one warning for each light; return a line for each."""
    lines = []
    for light, kind in WARNED.items():
        scene = make(kind, SEED)
        name, said = f"lane-{light}.jpg", _show(scene, folder / f"lane-{light}.jpg", scene.truth[0].start + LIMIT)
        lines.append(f"![{light}]({name})\n\n{light}, `{kind}` seed {SEED}: {said}")
    return lines


def wrong(folder: Path, runs: Iterable[Run]) -> list[str]:
    """Write one scene with a warning or a stay that was none, and one in which a vehicle was missed, if there are."""
    lines = []
    runs = list(runs)
    false = next((run for run in runs if run.score.false_warnings or run.score.false_present), None)
    missed = next((run for run in runs if run.score.missed), None)
    for name, run in (("false", false), ("missed", missed)):
        if run is None:
            continue
        scene = make(run.kind, run.seed)
        until = scene.truth[0].start + LIMIT if name == "missed" else None
        said = _show(scene, folder / f"lane-{name}.jpg", until)
        lines.append(f"![{name}](lane-{name}.jpg)\n\n{name}, `{run.kind}` seed {run.seed}: {said}")
    return lines


def kinds(runs: Iterable[Run]) -> list[str]:
    """Return the rows of a table with one row for each kind of scene."""
    rows = [
        "| scenes | seeds | n | false warnings | false stays | found | told after s, median, most | gone after s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    of: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        of[run.kind].append(run)
    for kind, some in of.items():
        warned, false = sum(run.score.false_warnings for run in some), sum(run.score.false_present for run in some)
        found, stays = sum(run.score.found for run in some), sum(run.score.stays for run in some)
        late = [value for run in some for value in run.score.late]
        left = [value for run in some for value in run.score.lingered]
        seeds = f"{some[0].seed} to {some[-1].seed}"
        rows.append(
            f"| {kind} | {seeds} | {len(some)} | {warned} | {false} | {f'{found} of {stays}' if stays else ''} "
            f"| {_spread(late)} | {_spread(left)} |"
        )
    return rows


def _spread(values: list[float]) -> str:
    return f"{median(values):.2f}, {max(values):.2f}" if values else ""


def _is_none(stay: Stay, scene: Scene, at: float) -> bool:
    """Return whether no vehicle stands where the watch says so, or none for so long."""
    stands = any(truth.start - 2 < at and truth.end + PROMPT > stay.since for truth in scene.truth)
    return not stands or at - stay.since >= LIMIT


def _show(scene: Scene, file: Path, until: float | None) -> str:
    """Watch a scene up to a time, or until the watch is wrong, and write what is then seen; return it in words."""
    lane, picture, at = LaneWatch(scene.polygon), np.zeros((1, 1), np.uint8), 0.0
    for frame in scene.frames():
        lane.see(frame)
        picture, at = frame.luma, frame.at
        if any(_is_none(stay, scene, at) for stay in lane.stays) if until is None else at >= until:
            break
    large = np.repeat(np.repeat(picture, LARGER, axis=0), LARGER, axis=1)
    clock = f"{int(at) // 3600:02}:{int(at) // 60 % 60:02}:{int(at) % 60:02}"
    rgb = np.repeat(large[..., None], 3, axis=2)
    file.write_bytes(to_jpeg(drawn(rgb, [scene.polygon], [box(stay.thing) for stay in lane.stays], clock)))
    truth = ", ".join(f"{truth.start:.0f} to {truth.end:.0f}" for truth in scene.truth)
    stands = ", ".join(f"since {stay.since:.1f}, confidence {stay.confidence}" for stay in lane.stays)
    return f"stands {truth or 'never'} s; at {at:.0f} s the watch says {stands or 'nothing'}"

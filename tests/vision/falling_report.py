"""``python -m tests.vision.falling_report DIR``: figures as a table, and pictures.

Writes ``falling.md`` and one picture for each light into a folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from hub.vision.falling.detector import FallDetector
from hub.vision.falling.drawing import draw_track
from hub.vision.falling.event import Fall
from tests.bench import vision_core, vision_falling
from tests.vision.facade import Light, Scene
from tests.vision.falling_trial import REPORTED

#: Seed of the pictures; size and contrast of what falls.
SEED, SIZE, CONTRAST = REPORTED + 500, 6, 45


def pictures(folder: Path) -> list[str]:
    """Write the drawn track of one fall for each light; return a line for each."""
    lines = []
    for number, light in enumerate(Light):
        scene = Scene(SEED + number, light)
        truth = scene.fall(2.5, SIZE, CONTRAST, least=12)
        detector = FallDetector(scene.facade())
        said, luma = "not found", np.empty((0, 0), np.uint8)
        for at, frame in scene.frames(truth.ended + 1.5):
            for event in detector.step(frame, at):
                if isinstance(event, Fall):
                    luma, floor = frame, event.floor
                    said = f"floor {floor.number} ({floor.low} to {floor.high})" if floor else "no floor"
                    said += f" {event.decided - truth.released:.2f} s after release, confidence {event.confidence}"
                elif luma.size:
                    Image.fromarray(draw_track(luma, event.track)).save(folder / f"falling-{light}.png")
        lines.append(f"![{light}](falling-{light}.png)\n\n{light}: fell from floor {truth.floor}; {said}")
    return lines


def table() -> list[str]:
    """Run the benches and return the rows."""
    rows = ["| figure | value | n | how |", "|---|---|---|---|"]
    for part in (vision_falling, vision_core):
        for figure in part.figures():
            rows.append(f"| {figure.name} | {figure.value:g} {figure.unit} | {figure.n} | {figure.note} |")
            sys.stdout.write(figure.line() + "\n")
    return rows


def main() -> None:
    """Write the report."""
    options = argparse.ArgumentParser(prog="python -m tests.vision.falling_report", description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--pictures-only", action="store_true", help="leave the figures (minutes) out")
    arguments = options.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    text = ["# Falling objects: what the detector sees on generated facades", *pictures(folder)]
    if not arguments.pictures_only:
        text.append("\n".join(table()))
    (folder / "falling.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The falling part of the report: the drawn track of one fall for each light, and the figures of its bench."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from hub.vision.falling.detector import FallDetector
from hub.vision.falling.drawing import draw_track
from hub.vision.falling.event import Fall
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
        lines.append(
            f"![{light}](falling-{light}.png)\n\n{light}, seed {SEED + number}: fell from floor {truth.floor}; {said}"
        )
    return lines

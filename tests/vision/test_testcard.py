"""A printed chequer before a camera is found, at any usual size, a little turned, in noise; nothing else is one."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from hub.vision.testcard import find
from tests.vision.facade import Scene as Facade
from tests.vision.lane_scenes import make

MEDIA = Path(__file__).parents[3] / "shared" / "media" / "videos"
Pixels = npt.NDArray[np.uint8]


def held(picture: Pixels, side: float, turn: float, seed: int = 1, contrast: float = 1.0) -> Pixels:
    """Hold a card of 5 by 7 squares of ``side`` pixels before a camera, ``turn`` radians aslant."""
    rng = np.random.default_rng(seed)
    height, width = picture.shape
    rows, columns = np.mgrid[:height, :width]
    x, y = columns - width * 0.45, rows - height * 0.5
    across = (x * np.cos(turn) + y * np.sin(turn)) / side
    down = (-x * np.sin(turn) + y * np.cos(turn)) / side
    card = (np.abs(across) < 3.5) & (np.abs(down) < 2.5)
    light = (np.floor(across + 0.5) + np.floor(down + 0.5)) % 2 == 0
    drawn = np.where(card, np.where(light, 110 + 90 * contrast, 110 - 80 * contrast), picture.astype(np.float64))
    return np.asarray(np.clip(drawn + rng.normal(0, 3, picture.shape), 0, 255), dtype=np.uint8)


def street(seed: int = 5) -> Pixels:
    return next(make("passing", seed).frames()).pixels.repeat(4, 0).repeat(4, 1)


@pytest.mark.parametrize("side", [22, 34, 50, 70])
@pytest.mark.parametrize("turn", [0.0, 0.15, -0.25])
def test_a_card_is_found(side: float, turn: float) -> None:
    found = find(held(street(), side, turn))
    assert found is not None
    left, top, right, bottom = found
    assert left < 0.45 < right
    assert top < 0.5 < bottom
    assert right - left < 8 * side / 1280 + 0.05


def test_a_card_in_the_dark_is_found() -> None:
    dark = (street() * 0.3).astype(np.uint8)
    assert find(held(dark, 40, 0.1, contrast=0.5)) is not None


@pytest.mark.parametrize("kind", ["passing", "night", "rain", "tree_shadow", "bicycle", "queue"])
def test_a_lane_is_no_card(kind: str) -> None:
    scene = make(kind, 9)
    assert not [at for at in (5.0, 45.0, 85.0, 125.0) if find(scene.picture(at)) is not None]


def test_a_facade_with_windows_is_no_card() -> None:
    for seed in range(2):
        _, luma = next(iter(Facade(seed, width=1280, height=720).frames(1)))
        assert find(luma) is None


@pytest.mark.skipif(not MEDIA.exists(), reason=f"no test media at {MEDIA}")
def test_real_clips_show_no_card() -> None:
    for path in sorted(MEDIA.glob("*.mp4")):
        with av.open(str(path), "r") as clip:
            for number, frame in enumerate(clip.decode(video=0)):
                if number % 200 == 0:
                    assert find(np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)) is None, path.name
                if number > 200:
                    break

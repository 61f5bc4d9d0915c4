"""The parts of a lane watch against slow and plain reckonings: structure, groups of blocks, how far a picture moved."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.vision.frame import Grey, Mask, levels
from hub.vision.lane.grid import BLOCK, COLUMNS, HEIGHT, ROWS, WIDTH, blocks
from hub.vision.lane.region import _groups, things
from hub.vision.lane.scene import MARGIN, _whole
from hub.vision.lane.shift import Anchor, moved_back, seen
from hub.vision.lane.structure import blurred, structure, unexplained

Real = npt.NDArray[np.float64]
KERNEL = (1, 4, 6, 4, 1)


@pytest.fixture(scope="module")
def rng() -> np.random.Generator:
    return np.random.default_rng(20261122)


def textured(rng: np.random.Generator) -> Grey:
    """Return patches of different sizes with a little noise."""
    coarse = rng.uniform(20, 230, (HEIGHT // 15, WIDTH // 16))
    picture = np.repeat(np.repeat(coarse, 15, axis=0), 16, axis=1) + rng.normal(0, 3, (HEIGHT, WIDTH))
    return np.clip(picture, 0, 255).astype(np.float32)


def plainly_blurred(picture: Grey) -> Real:
    wide = np.pad(picture.astype(np.float64), 2, mode="edge")
    lines, both = np.zeros((HEIGHT, WIDTH + 4)), np.zeros((HEIGHT, WIDTH))
    for number, weight in enumerate(KERNEL):
        lines += weight * wide[number : number + HEIGHT]
    for number, weight in enumerate(KERNEL):
        both += weight * lines[:, number : number + WIDTH]
    return both / 256


def test_smoothing_is_1_4_6_4_1_across_and_down(rng: np.random.Generator) -> None:
    picture = textured(rng)
    assert np.allclose(blurred(picture), plainly_blurred(picture), atol=1e-3)


def test_structure_is_that_of_the_gradients_in_windows_of_nine_blocks(rng: np.random.Generator) -> None:
    smooth = plainly_blurred(picture := textured(rng))
    across, down = np.zeros_like(smooth), np.zeros_like(smooth)
    across[:, 1:-1] = (smooth[:, 2:] - smooth[:, :-2]) / 2
    down[1:-1] = (smooth[2:] - smooth[:-2]) / 2

    def window(values: Real) -> float:
        return float(values[row * BLOCK - 5 : row * BLOCK + 10, column * BLOCK - 5 : column * BLOCK + 10].sum())

    look = structure(picture)
    for row, column in ((1, 1), (17, 30), (ROWS - 2, COLUMNS - 2)):
        slopes = window(across), window(down)
        assert look.slope_across[row, column] == pytest.approx(slopes[0], abs=0.05)
        assert look.slope_down[row, column] == pytest.approx(slopes[1], abs=0.05)
        energy = window(across**2 + down**2) - (slopes[0] ** 2 + slopes[1] ** 2) / 225
        assert look.energy[row, column] == pytest.approx(energy, rel=1e-3)


def test_the_same_in_another_light_is_explained_and_another_picture_is_not(rng: np.random.Generator) -> None:
    picture, other = textured(rng), textured(rng)
    rest, most = unexplained(structure(picture * np.float32(0.6)), structure(picture))
    assert float((rest / most).max()) < 0.01
    rest, most = unexplained(structure(other), structure(picture))
    assert float(np.median(rest / most)) > 0.5


@pytest.mark.parametrize("offset", [(0, 0), (3, -7), (-14, 26), (1, 0)])
def test_how_far_a_picture_has_moved_is_found_to_the_pixel(offset: tuple[int, int], rng: np.random.Generator) -> None:
    picture = textured(rng)
    down, across = offset
    moved = moved_back(picture, (-down, -across)) + rng.normal(0, 1, picture.shape).astype(np.float32)
    assert Anchor(picture).offset(moved) == offset


@pytest.mark.parametrize("offset", [(0, 0), (4, -1), (-5, 5), (0, 26)])
def test_a_block_is_whole_when_all_its_pixels_were_in_the_picture(offset: tuple[int, int]) -> None:
    shown = seen((HEIGHT, WIDTH), offset, MARGIN if any(offset) else 0)
    assert np.array_equal(_whole(offset), blocks(shown.astype(np.float32)) == BLOCK * BLOCK)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.7))
def test_each_thing_hangs_together_and_none_touches_another(seed: int, share: float) -> None:
    marked = np.random.default_rng(seed).random((ROWS, COLUMNS)) < share
    left = marked.copy()
    for group in _groups(marked):
        assert group.any()
        assert not (group & ~left).any()
        reached = _flood(marked, tuple(np.argwhere(group)[0]))
        assert np.array_equal(group, reached)
        left &= ~group
    assert not left.any(), "every block is in a group"


def test_a_thing_is_filled_and_has_lost_the_rim_that_windows_add() -> None:
    marked = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    marked[10:20, 10:20] = True
    marked[14:16, 14:16] = False
    marked[0:2, 0:2] = True
    (thing, corner) = sorted(things(marked), key=np.count_nonzero, reverse=True)
    wanted = np.zeros_like(marked)
    wanted[11:19, 11:19] = True
    assert np.array_equal(thing, wanted)
    assert np.argwhere(corner).tolist() == [[0, 0]], "beyond the picture it is thought to go on"


def test_levels_are_those_below_which_a_part_of_the_picture_lies() -> None:
    picture = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    picture[: HEIGHT // 2] = 200.0
    picture[: HEIGHT // 20] = 250.0
    assert levels(picture, 0.1, 0.9) == (0.0, 200.0)


def _grouped(marked: Mask) -> list[Mask]:
    from hub.vision.lane.region import _groups

    return list(_groups(marked))


def _flood(marked: Mask, start: tuple[int, ...]) -> Mask:
    found, waiting = np.zeros_like(marked), [start]
    while waiting:
        row, column = waiting.pop()
        inside = 0 <= row < ROWS and 0 <= column < COLUMNS
        if inside and marked[row, column] and not found[row, column]:
            found[row, column] = True
            waiting += [(row + down, column + across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    return found

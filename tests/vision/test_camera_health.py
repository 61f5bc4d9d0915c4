"""What is wrong with a camera's picture, told apart within 60 s; drawn lanes and real clips, tampered with by numpy."""

from __future__ import annotations

import functools
import itertools
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from hub.vision.frame import Frame
from hub.vision.health import CameraHealth, Picture
from hub.vision.worker.pace import Pace
from hub.vision.worker.sender import SenderClock
from tests.vision.lane_scenes import make

MEDIA = Path(__file__).parents[3] / "shared" / "media" / "videos"
#: Seconds of a well picture before something is done to it, and seconds to tell it.
BEFORE, TOLD = 60.0, 60.0
SEEDS = (11, 12)

Pixels = npt.NDArray[np.uint8]


def clipped(values: npt.NDArray[np.float64]) -> Pixels:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


def noisy(picture: npt.NDArray[np.float64], seed: int) -> Pixels:
    return clipped(picture + np.random.default_rng(seed).normal(0, 1.5, picture.shape))


def blurred(picture: Pixels) -> npt.NDArray[np.float64]:
    """Take the mean of each pixel (twice) and its neighbours again and again: by its spectrum, that is one power."""
    times = 12 * (picture.shape[1] // 320) ** 2  # as strong in a larger picture
    rows, columns = ((1 + np.cos(2 * np.pi * np.fft.fftfreq(length))) / 2 for length in picture.shape)
    spectrum = np.fft.fft2(picture) * rows[:, None] ** times * columns[None, :] ** times
    return np.asarray(np.fft.ifft2(spectrum).real, dtype=np.float64)


def covered(picture: Pixels) -> npt.NDArray[np.float64]:
    found = picture.astype(np.float64)
    found[:, : int(picture.shape[1] * 0.7)] = 70
    return found


def turned(picture: Pixels) -> npt.NDArray[np.float64]:
    return np.roll(picture, (4, 16), (0, 1)).astype(np.float64)


TAMPERS: dict[Picture, Callable[[Pixels, int], Pixels]] = {
    Picture.BLACK: lambda picture, seed: noisy(np.full(picture.shape, 6.0), seed),
    Picture.OVEREXPOSED: lambda picture, seed: clipped(picture.astype(np.float64) * 3 + 200),
    Picture.BLURRED: lambda picture, seed: noisy(blurred(picture), seed),
    Picture.COVERED: lambda picture, seed: noisy(covered(picture), seed),
    Picture.MOVED: lambda picture, seed: noisy(turned(picture), seed),
}


def verdicts(frames: Iterator[Frame]) -> list[tuple[float, Picture]]:
    health = CameraHealth()
    return [(frame.at, said) for frame in frames if (said := health.see(frame)) is not None]


@functools.cache
def passing(seed: int) -> tuple[Frame, ...]:
    """Draw a lane that vehicles pass; all faults befall the same one."""
    return tuple(make("passing", seed).frames())


def tampered(seed: int, how: Picture) -> Iterator[Frame]:
    last = None
    for index, frame in enumerate(passing(seed)):
        if frame.at < BEFORE or last is None:
            last = frame
            yield frame
        elif how is Picture.FROZEN:
            yield Frame(last.pixels, frame.at)
        else:
            yield Frame(TAMPERS[how](frame.pixels, index), frame.at)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", [*TAMPERS, Picture.FROZEN])
def test_a_fault_is_told(how: Picture, seed: int) -> None:
    said = verdicts(tampered(seed, how))
    assert said[0][1] is Picture.WELL
    assert [verdict for _, verdict in said[1:2]] == [how], f"{how} {seed}: {said}"
    assert said[1][0] < BEFORE + TOLD


@pytest.mark.parametrize("kind", ["rain", "night", "exposure", "shaking", "queue", "parked"])
def test_nothing_is_wrong(kind: str) -> None:
    said = verdicts(make(kind, SEEDS[0]).frames())
    assert [verdict for _, verdict in said] == [Picture.WELL], f"{kind}: {said}"


def test_too_few_pictures_are_told() -> None:
    pace = Pace()
    times = [number / 25 for number in range(int(BEFORE) * 25)] + [BEFORE + number / 5 for number in range(300)]
    slow = []
    for at in times:
        pace.add(at)
        slow += [at] if pace.slow else []
    assert BEFORE < slow[0] < BEFORE + TOLD
    assert pace.usual == pytest.approx(25, rel=0.1)
    for number in range(25 * 25):
        pace.add(BEFORE + 60 + number / 25)
    assert not pace.slow


def test_uneven_pictures_are_not_too_few() -> None:
    pace, rng, at = Pace(), np.random.default_rng(3), 0.0
    for _ in range(6_000):
        at += float(rng.uniform(0.0, 0.16))
        pace.add(at)
        assert not pace.slow


def waits(pace: Pace, stalls: dict[float, float], until: float) -> list[float]:
    """Send four pictures a second, by the time they arrive; what waits in a stall comes all but at once after it."""
    slow = []
    for number in range(int(until * 4)):
        sent = number / 4
        at = next(
            (began + lasts + sent / 100 for began, lasts in stalls.items() if began <= sent < began + lasts), sent
        )
        pace.add(at)
        slow += [at] if pace.slow else []
    return slow


def test_pictures_that_waited_while_the_stream_was_opened_are_not_the_usual_rate() -> None:
    pace = Pace()
    assert waits(pace, {0.0: 9.0}, 120) == []
    assert pace.usual == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("lasts", [3.0, 11.0, 40.0])
def test_pictures_that_come_all_at_once_are_not_the_usual_rate(lasts: float) -> None:
    assert waits(Pace(), {60.0: lasts}, 300) == []


class Stamped:
    """A packet as FFmpeg gives it: only what the clock asks for."""

    def __init__(self, wall: float | None) -> None:
        self._wall = wall

    def has_sidedata(self, kind: str) -> bool:
        return kind == "prft" and self._wall is not None

    def get_sidedata(self, _kind: str) -> bytes:
        return struct.pack("=qi", round((self._wall or 0) * 1_000_000), 0)


@pytest.mark.parametrize(
    ("ahead", "wrong"), [(0.0, False), (-2.0, False), (3_600.0, True), (-86_400.0, True), (None, False)]
)
def test_a_wrong_time_is_told(ahead: float | None, wrong: bool) -> None:
    clock, now = SenderClock(), 1_790_000_000.0
    for second in range(60):
        clock.add(Stamped(None if ahead is None else now + second + ahead), now + second)  # type: ignore[arg-type]
    assert clock.wrong is wrong


def test_a_camera_that_counts_from_its_start_says_nothing_of_the_day() -> None:
    clock = SenderClock()
    clock.add(Stamped(-2_208_900_000.0), 1_790_000_000.0)  # type: ignore[arg-type]
    assert clock.ahead is None


@functools.cache
def filmed(name: str) -> list[Pixels]:
    """Return every fifth of the first 350 pictures of a clip."""
    with av.open(str(MEDIA / name)) as clip:
        frames = itertools.islice(clip.decode(video=0), 0, 350, 5)
        return [np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8) for frame in frames]


@pytest.mark.skipif(not MEDIA.exists(), reason=f"no test media at {MEDIA}")
@pytest.mark.parametrize("how", [Picture.WELL, *TAMPERS])
def test_a_real_clip(how: Picture) -> None:
    pictures = filmed("one-by-one-person-detection.mp4")

    def frames() -> Iterator[Frame]:
        for index in range(140):
            picture = pictures[index % len(pictures)]
            tamper = how is not Picture.WELL and index >= BEFORE
            yield Frame(TAMPERS[how](picture, index) if tamper else picture, float(index))

    said = [verdict for _, verdict in verdicts(frames())]
    assert said[:2] == ([Picture.WELL] if how is Picture.WELL else [Picture.WELL, how])


@pytest.mark.skipif(not MEDIA.exists(), reason=f"no test media at {MEDIA}")
def test_cars_that_fill_the_picture_are_no_fault_but_may_make_it_unsure() -> None:
    pictures = filmed("car-detection.mp4")
    said = verdicts(Frame(pictures[index % len(pictures)], float(index)) for index in range(140))
    assert {verdict for _, verdict in said} <= {Picture.WELL, Picture.UNSURE}

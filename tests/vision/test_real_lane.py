"""A real model on real pictures over real RTSP: a car that stops in the lane is named, one beside it is none."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from hub.model.reading import Presence
from hub.vision.detect import store
from hub.vision.lane.event import Presence as Stands
from hub.vision.lane.watch import CONFIDENT
from tests.vision.film import Film, Stage, showing
from tests.vision.test_detect import CLIP, MODEL, NAME, needs_media
from tests.vision.test_seeing import CAMERA, VEHICLE, House
from tests.vision.test_worker import long

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

#: The left lane of the car park. Pictures of the clip: nobody there; the light-blue car comes, stops, and goes on.
LANE = ((0.02, 0.0), (0.38, 0.0), (0.38, 1.0), (0.02, 1.0))
EMPTY, COMES, STOPS, GONE, RATE = 5, 183, 205, 262, 12.5
#: Seconds of the show: when the car comes, and for how long it stands.
ARRIVES, STANDS = 4.0, 400.0

Picture = npt.NDArray[np.uint8]


def parked_for_long() -> tuple[Stage, float]:
    """Hold the clip where the light-blue car is whole, with a camera's noise; also say when it drives on."""
    luck = np.random.default_rng(6)
    with av.open(str(CLIP)) as clip:
        wanted = {EMPTY, *range(COMES, GONE + 1)}
        kept = {
            index: np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
            for index, frame in enumerate(clip.decode(video=0))
            if index in wanted
        }
    stops = ARRIVES + (STOPS - COMES) / RATE

    def show(at: float) -> Picture:
        if at < ARRIVES:
            index = EMPTY
        elif at < stops + STANDS:
            index = min(STOPS, COMES + round((at - ARRIVES) * RATE))
        else:
            index = min(GONE, STOPS + round((at - stops - STANDS) * RATE))
        noise = luck.normal(0, 2, kept[index].shape[:2])[..., None]
        return np.clip(kept[index] + noise, 0, 255).astype(np.uint8)

    return Stage(show), stops + STANDS


@long
@needs_media
async def test_a_real_car_that_stops_in_the_lane_is_named_and_one_beside_it_is_not_there(tmp_path: Path) -> None:
    stage, leaves = parked_for_long()
    store.install(MODEL, tmp_path)
    house = House(tmp_path, LANE)
    async with showing(Film(stage)) as port, house.open():
        house.plug(port)
        await house.until(lambda: house.said() == [Presence.ABSENT])
        assert house.manager.model(CAMERA) == NAME
        stage.go(leaves)
        await house.until(lambda: Presence.PRESENT in house.said())
        await house.until(lambda: house.manager.lanes[VEHICLE].confidence >= CONFIDENT)
        now = house.manager.lanes[VEHICLE]
        assert now.presence is Stands.PRESENT
        ((left, top, right, bottom),) = now.boxes
        assert 0.05 < left < right < 0.40, "the red car beside the lane is none of it"
        assert 0.0 <= top < bottom <= 1.0
        stage.skip(leaves)
        stage.go(leaves + 30)
        await house.until(lambda: house.said()[-1] is Presence.ABSENT)
    assert house.said() == [Presence.ABSENT, Presence.PRESENT, Presence.ABSENT]

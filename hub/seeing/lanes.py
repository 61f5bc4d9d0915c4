"""From what a lane is now to readings, and what of a lane must outlive the hub: one small file each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from hub.model.reading import Presence, Quality
from hub.model.time import SECOND, Instant
from hub.sdk import Sample
from hub.vision.lane.event import Presence as Seen

if TYPE_CHECKING:
    from pathlib import Path

    from hub.model.ids import EntityId
    from hub.vision.lane.place import Polygon
    from hub.vision.worker.wire import LaneNow

#: Where the states lie in the data folder.
FOLDER = "vision"
#: Largest file read, in bytes: a lane with some hundred stays.
MOST = 16 * 1024 * 1024


class LaneFile(msgspec.Struct, frozen=True):
    """What is kept of a lane: it holds for this polygon only."""

    polygon: tuple[tuple[float, float], ...]
    since: float = 0.0
    """Since when a vehicle was said to stand there, in seconds since 1970; 0 for none."""
    state: bytes = b""


def read(data: Path, entity: EntityId, polygon: Polygon) -> LaneFile:
    """Return what was kept; an empty one where nothing was, it cannot be read, or the lane was drawn anew."""
    try:
        with _path(data, entity).open("rb") as file:
            kept = msgspec.msgpack.decode(file.read(MOST), type=LaneFile)
    except (OSError, msgspec.MsgspecError):
        return LaneFile(polygon)
    return kept if kept.polygon == polygon else LaneFile(polygon)


def write(data: Path, entity: EntityId, kept: LaneFile) -> None:
    """Write it, whole or not at all. Raises OSError."""
    path = _path(data, entity)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    half.write_bytes(msgspec.msgpack.encode(kept))
    os.replace(half, path)  # noqa: PTH105 - the same call, and it says what it does


def samples(entity: EntityId, since: float, now: LaneNow) -> tuple[Sample, ...]:
    """Say what a lane is, of which ``since`` was said last (0: that nothing stands there).

    When the vehicle that came first has left and another one still stands there, the lane was free in between: the
    dwell belongs to one vehicle at one place. What cannot be told keeps its value and is not confirmed.
    """
    if now.presence is None:
        return ()
    if now.presence is Seen.UNSURE:
        return (Sample(entity, None, Quality.STALE),)
    if now.presence is Seen.ABSENT:
        return (Sample(entity, Presence.ABSENT),)
    present = Sample(entity, Presence.PRESENT, device_at=Instant(round(now.since * SECOND)))
    return (Sample(entity, Presence.ABSENT), present) if since and since != now.since else (present,)


def _path(data: Path, entity: EntityId) -> Path:
    return data / FOLDER / f"{entity}.lane"

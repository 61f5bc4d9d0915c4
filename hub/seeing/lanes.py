"""From what a lane is now to readings, and what of a lane must outlive the hub: one small file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model.reading import Presence, Quality
from hub.model.time import SECOND, Instant
from hub.sdk import Sample
from hub.seeing.kept import FOLDER, load, save
from hub.vision.lane.event import Presence as Seen

if TYPE_CHECKING:
    from pathlib import Path

    from hub.model.ids import EntityId
    from hub.vision.lane.place import Polygon
    from hub.vision.worker.wire import LaneNow


class LaneFile(msgspec.Struct, frozen=True):
    """What is kept of a lane: it holds for this polygon only."""

    polygon: tuple[tuple[float, float], ...]
    since: float = 0.0
    """Since when a vehicle was said to stand there, in seconds since 1970; 0 for none."""
    state: bytes = b""


def read(data: Path, entity: EntityId, polygon: Polygon) -> LaneFile:
    """Return what was kept; an empty one where nothing was, it cannot be read, or the lane was drawn anew."""
    found = load(_path(data, entity), LaneFile)
    return found if found is not None and found.polygon == polygon else LaneFile(polygon)


def write(data: Path, entity: EntityId, kept: LaneFile) -> None:
    """Write it, whole or not at all. Raises OSError."""
    save(_path(data, entity), kept)


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

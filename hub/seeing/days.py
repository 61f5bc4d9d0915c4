"""The pictures of the last days of a camera (hub.vision.daily), kept for the places that are drawn into its picture.

Whoever draws a place anew has looked at the picture as it is now: the days before do not count any more.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from hub.seeing.kept import FOLDER, load, save

if TYPE_CHECKING:
    from pathlib import Path

    from hub.model.ids import EntityId
    from hub.model.site import Sight


class DayFile(msgspec.Struct, frozen=True):
    """What is kept of a camera; ``places`` is a hash of what is drawn into its picture."""

    places: str
    state: bytes = b""


def places_of(sights: tuple[Sight, ...]) -> str:
    """Return a hash of the places that a camera watches."""
    drawn = sorted(repr((str(sight.sees), sight.polygon, sight.floors)) for sight in sights)
    return hashlib.sha256("\n".join(drawn).encode()).hexdigest()


def read_days(data: Path, camera: EntityId, places: str) -> DayFile:
    """Return what was kept; an empty one where nothing was, or a place was drawn anew."""
    found = load(_path(data, camera), DayFile)
    return found if found is not None and found.places == places else DayFile(places)


def write_days(data: Path, camera: EntityId, kept: DayFile) -> None:
    """Write it. Raises OSError."""
    save(_path(data, camera), kept)


def _path(data: Path, camera: EntityId) -> Path:
    return data / FOLDER / f"{camera}.days"

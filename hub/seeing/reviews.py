"""Pictures of lift cars kept for review, so that a model can be judged by what this site's cameras show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model.time import DAY, SECOND

if TYPE_CHECKING:
    from pathlib import Path

#: Where they lie in the data folder; days that they are kept, and how many at most.
FOLDER, KEPT, MOST = "vision/review", 30, 2000


def keep(data: Path, entity: str, at: float, jpeg: bytes) -> None:
    """Write a picture of a time (seconds since 1970) and drop what is too old or too much. Raises OSError."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / f"{round(at * 1000):014d}-{entity}.jpg").write_bytes(jpeg)
    there = sorted(path.name for path in folder.glob("*.jpg"))
    oldest = f"{round((at - KEPT * DAY / SECOND) * 1000):014d}"
    for place, name in enumerate(there):
        if name < oldest or place < len(there) - MOST:
            (folder / name).unlink(missing_ok=True)

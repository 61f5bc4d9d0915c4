"""Watches the room on the disk of the data folder: warns in time, and holds a reserve that is given up last."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

import structlog

from hub.model.entry import Note
from hub.model.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from hub.runtime.core import Runtime
    from hub.runtime.problems import Problems

log = structlog.get_logger()

#: A file of this name holds room, in bytes at most, or this part of a small disk.
RESERVE, MOST, PART = "reserve", 8 << 20, 16
#: Parts of the disk that are free, the reserve not counted: below the first people are warned (well before 5 %), below
#: the second the reserve is given up, above the third all is well again.
LOW, NONE, WELL = 0.10, 0.02, 0.12
#: Seconds between two looks.
LOOK = 2.0


class Disk:
    """The room of one data folder."""

    def __init__(self, folder: Path, runtime: Runtime, problems: Problems) -> None:
        self._folder = folder
        self._reserve = folder / RESERVE
        self._runtime = runtime
        self._problems = problems

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.to_thread(self._keep)
            self._tell()
            await asyncio.sleep(LOOK)

    def free(self) -> float:
        """Return which part of the disk is free, 0 to 1."""
        usage = shutil.disk_usage(self._folder)
        return usage.free / usage.total

    def _keep(self) -> None:
        """Give the reserve up when nothing else is left, and lay it up again when there is room."""
        free = self.free()
        try:
            if free < NONE:
                if self._reserve.exists():
                    self._reserve.unlink()
                    log.warning("disk.reserve_given_up")
            elif free > WELL and not self._reserve.exists():
                size = min(MOST, shutil.disk_usage(self._folder).total // PART)
                with self._reserve.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            log.warning("disk.no_reserve", reason=str(error))

    def _tell(self) -> None:
        free = self.free()
        if free < LOW:
            percent = f"{free:.0%}"
            text = Text(f"磁盘只剩 {percent}，请尽快清理", f"Only {percent} of the disk is free: make room soon")
            new = "disk" not in self._problems
            self._problems.raise_("disk", text)
            if new:
                log.warning("disk.low", free=round(free, 3))
                self._note("disk_low", free)
        elif free > WELL and self._problems.settle("disk"):
            log.info("disk.well", free=round(free, 3))
            self._note("disk_well", free)

    def _note(self, kind: str, free: float) -> None:
        self._runtime.post(lambda batch: batch.record(Note(kind, batch.now, {"free": round(free, 3)})))

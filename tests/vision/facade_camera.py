"""An ONVIF camera in a process of its own that turns to presets: ``python -m tests.vision.facade_camera FOLDER OFF_S``.

It prints its address. What it sees at preset 1 is ``1.jpg`` of the folder, at home ``home.jpg``; OFF_S is how many
seconds its clock is ahead.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from integrations.sim.onvif_camera import FakeCamera
from tests.kit.site import ROOT

#: Tokens and names of its presets.
PRESETS = {"1": "南侧 5-10 层"}


@contextmanager
def facade_camera(folder: Path, off_s: float = 0.0) -> Iterator[str]:
    """Run one; give its address."""
    command = [sys.executable, "-m", "tests.vision.facade_camera", str(folder), str(off_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


async def _serve(folder: Path, off_s: float) -> None:
    camera = FakeCamera(
        presets=PRESETS,
        offset=timedelta(seconds=off_s),
        shows=lambda token: (folder / f"{token or 'home'}.jpg").read_bytes(),
    )
    async with camera.serve() as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), float(sys.argv[2])))

"""One writer to a data folder: a second hub, or a restore under a running one, is kept away."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from hub.model.errors import HubError

if TYPE_CHECKING:
    from pathlib import Path


class AlreadyRunning(HubError):
    """Another hub uses the data folder."""


def lock(data: Path) -> int:
    """Make the data folder if it is missing, and lock it until the descriptor is closed or the process ends.

    Raises AlreadyRunning.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(data / "hub.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise AlreadyRunning(f"a hub runs on {data}; stop it first, or give --data another folder") from None
    return descriptor

"""Named places at which a fault test kills the hub. Without ``MENSHEN_FAILPOINT`` in the environment they do nothing.

``MENSHEN_FAILPOINT=journal.committed:3`` kills the process with SIGKILL at the third passage of that place.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "batch.decided",  # decided, nothing written
    "journal.committed",  # written, nothing acknowledged, nothing acted
    "batch.acknowledged",  # acknowledged to the transport, nothing acted
    "command.started",  # marked as begun, not yet done
    "command.acted",  # done, outcome not yet written
)

_name, _, _count = os.environ.get("MENSHEN_FAILPOINT", "").partition(":")
_left = int(_count or 1)


def failpoint(name: str) -> None:
    """Die here when the environment says so."""
    if name == _name:
        _die()


def _die() -> None:
    global _left
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
